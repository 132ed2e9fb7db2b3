"""The network on labelled rows: pre-training, a budget in steps, reproducible."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from core.errors import BadInput
from core.methods.ae import Autoencoder
from core.semi_supervised.network import NetworkClassifier

_SMALL = {"width": 32, "layers": 2, "steps": 60, "random_state": 0}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    few = np.full(1400, -1)
    few[:50] = y[:50]
    return X[:1400], few, X[1400:], y[1400:]


@parametrize_with_checks(
    [NetworkClassifier(**_SMALL)],
    expected_failed_checks=lambda estimator: {"check_classifiers_classes": "its class -1 means unlabelled here"},
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_learns_from_few_labels(digits):
    X, y, X_test, y_test = digits
    network = NetworkClassifier(**{**_SMALL, "width": 128, "steps": 200}).fit(X, y)
    proba = network.predict_proba(X_test)
    assert proba.shape == (len(X_test), 10)
    assert np.allclose(proba.sum(1), 1)
    assert (network.predict(X_test) == y_test).mean() > 0.7
    assert network.codes(X_test).shape == (len(X_test), 64)


def test_rows_without_a_label_take_no_part(digits):
    X, y, X_test, _ = digits
    both = [NetworkClassifier(**_SMALL).fit(*given).predict_proba(X_test) for given in ((X, y), (X[:50], y[:50]))]
    assert np.array_equal(*both)


def test_the_budget_is_in_steps_however_many_labels(digits):
    X, y, _, _ = digits
    for n in (20, 50):
        network = NetworkClassifier(**{**_SMALL, "batch_size": 10}).fit(X[:n], y[:n])
        assert network.environment_["steps"] == 60


def test_starts_from_the_pretrained_encoder_and_leaves_it_as_it_is(digits):
    X, y, X_test, _ = digits
    ae = Autoencoder(5, width=32, layers=2, epochs=2, random_state=0).fit(X)
    before = ae.transform(X_test)
    hidden = ae.networks_["encoder"][:-1]
    started = NetworkClassifier(ae, **{**_SMALL, "steps": 1, "learning_rate": 1e-12}).fit(X, y)
    layer = started.networks_["averaged"]["hidden"][0]
    assert np.allclose(layer.weight.detach(), hidden[0].weight.detach(), atol=1e-6)
    scratch = NetworkClassifier(**_SMALL).fit(X, y)
    fine_tuned = NetworkClassifier(ae, **_SMALL).fit(X, y)
    assert np.array_equal(ae.transform(X_test), before)
    shapes = [{k: v.shape for k, v in c.networks_.state_dict().items()} for c in (scratch, fine_tuned)]
    assert shapes[0] == shapes[1]


def test_an_epoch_callback_ends_the_training(digits):
    X, y, _, _ = digits
    network = NetworkClassifier(**_SMALL).fit(X, y, on_epoch=lambda row: row["epoch"] >= 3)
    assert network.environment_["steps"] == 3


def test_bad_input_is_told_in_one_sentence(digits):
    X, y, _, _ = digits
    with pytest.raises(BadInput, match="No row has a label"):
        NetworkClassifier(**_SMALL).fit(X, np.full(len(X), -1))
    other = Autoencoder(2, width=8, layers=1, epochs=1, random_state=0).fit(X[:, :30])
    with pytest.raises(BadInput, match="30 features"):
        NetworkClassifier(other, **_SMALL).fit(X, y)
