import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch.nn.utils.parametrizations import weight_norm

from core.errors import BadInput
from core.nn.networks import WeightNormalised
from core.semi_supervised.sgan import SemiSupervisedGAN


def small(**params):
    settings = {"width": 64, "n_components": 16, "epochs": 2, "batch_size": 50, "random_state": 0}
    return SemiSupervisedGAN(**{**settings, **params})


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    known = np.concatenate([np.flatnonzero(y[:1400] == c)[:2] for c in range(10)])
    partly = np.full(1400, -1)
    partly[known] = y[known]
    return X[:1400], partly, X[1400:], y[1400:]


@parametrize_with_checks(
    [SemiSupervisedGAN(4, width=64, generator_width=16, epochs=20, batch_size=20, average=0.9, random_state=0)],
    expected_failed_checks=lambda _: {
        "check_classifiers_classes": "its class -1 means unlabelled here",
        "check_methods_subset_invariance": "its logits, in float32, may differ by 1e-6 with the number of rows at once",
    },
)
def test_estimator_check(estimator, check):
    check(estimator)


def test_weight_normalisation_is_torchs_own():
    """eq. 2 of Salimans and Kingma 2016: rows of the weight have direction v and length g."""
    ours = WeightNormalised(5, 3, learns_scale=True)
    known = weight_norm(torch.nn.Linear(5, 3))
    with torch.no_grad():
        ours.scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
        ours.bias.normal_()
        known.bias.copy_(ours.bias)
        known.parametrizations.weight.original0.copy_(ours.scale[:, None])
        known.parametrizations.weight.original1.copy_(ours.direction)
    x = torch.randn(7, 5)
    for layer in (ours, known):
        layer(x).square().sum().backward()
    assert torch.allclose(ours(x), known(x), atol=1e-5)
    assert torch.allclose(ours.direction.grad, known.parametrizations.weight.original1.grad, atol=1e-4)
    assert torch.allclose(ours.scale.grad, known.parametrizations.weight.original0.grad[:, 0], atol=1e-4)
    assert "scale" not in dict(WeightNormalised(5, 3).named_parameters())


def test_units_start_with_mean_0_and_variance_1_and_lengths_stay(digits):
    X, partly, _, _ = digits
    lengths = []

    def watch(row):
        lengths.append([layer.scale.clone() for layer in classifier.networks_["discriminator"][:-1]])

    classifier = small(epochs=2)
    classifier.classes_, classifier._known = np.arange(10), np.arange(10)
    networks = classifier.networks_ = classifier._networks(64)
    classifier._prepare(X)
    noise = torch.randn((500, 64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        out = networks["discriminator"][0](torch.as_tensor(X[:500]) + 0.3 * noise)
    assert out.mean(0).abs().max() < 0.2
    assert out.std(0).numpy() == pytest.approx(1, abs=0.2)
    classifier.fit(X, partly, on_epoch=watch)
    assert all(map(torch.equal, *lengths))


def test_answers_agree_with_the_running_average_in_the_second_half_alone(digits):
    X, partly, _, _ = digits
    rows = small(epochs=10).fit(X, partly).history_
    assert [row["disagreement"] for row in rows[:5]] == [0] * 5
    assert all(row["disagreement"] > 0 for row in rows[5:])
    alone = small(epochs=10, consistency=0.0).fit(X, partly).history_
    assert {row["disagreement"] for row in alone} == {0}
    assert rows[4]["discriminator_loss"] == alone[4]["discriminator_loss"]
    assert rows[9]["discriminator_loss"] != alone[9]["discriminator_loss"]


def test_learns_digits_from_two_labels_a_class_and_keeps_the_contract(digits):
    X, partly, X_test, y_test = digits
    classifier = small(width=256, epochs=15).fit(X, partly)
    probabilities = classifier.predict_proba(X_test)
    assert classifier.score(X_test, y_test) > 0.6
    assert list(classifier.classes_) == list(range(10))
    assert probabilities.shape == (len(X_test), 10)
    assert probabilities.sum(1) == pytest.approx(np.ones(len(X_test)))
    assert classifier.codes(X_test).shape == (len(X_test), 64)


def test_unlabelled_rows_matter_and_a_seed_repeats(digits):
    X, partly, X_test, _ = digits
    first = small().fit(X, partly).predict_proba(X_test)
    assert np.array_equal(first, small().fit(X, partly).predict_proba(X_test))
    assert not np.array_equal(first, small().fit(X[partly >= 0], partly[partly >= 0]).predict_proba(X_test))


def test_classes_without_a_label_are_unknown_and_names_may_be_text(digits):
    X, partly, _, _ = digits
    some = np.where(np.isin(partly, (3, 7)), partly, -1)
    assert list(small(epochs=1).fit(X, some).classes_) == [3, 7]
    assert set(small(epochs=1).fit(X[:9], np.array(["a", "b", "c"] * 3)).predict(X[:9])) <= {"a", "b", "c"}


def test_watcher_ends_the_training(digits):
    X, partly, _, _ = digits
    assert len(small(epochs=5).fit(X, partly, on_epoch=lambda row: True).history_) == 1


def test_no_label_at_all_is_refused(digits):
    with pytest.raises(BadInput, match="No row has a label"):
        small().fit(digits[0], np.full(1400, -1))
