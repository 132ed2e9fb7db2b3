"""How the networks learn from word counts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from core import experiments, methods, specs
from core.methods import base
from core.types import DOCUMENTS, IMAGES, Dataset

SMALL = {"n_components": 2, "width": 16, "layers": 1, "epochs": 2, "batch_size": 32}


@pytest.fixture(scope="module")
def counts():
    return sparse.csr_array(np.random.default_rng(0).poisson(0.3, (150, 40)).astype(np.float32))


def model(name, seed=0, **params):
    return methods.get(name).estimator({**SMALL, **params}, DOCUMENTS, None, seed)


def weights(estimator):
    return torch.cat([p.detach().flatten() for p in estimator.networks_.parameters()])


@pytest.mark.parametrize("weighting", list(base.WEIGHTINGS))
def test_encoders_weight_counts_as_lsa_does(counts, weighting):
    estimator = model("ae", weighting=weighting).fit(counts)
    found = estimator.networks_["encoder"][0](torch.tensor(counts.toarray())).numpy()
    expected = TfidfTransformer(**base.WEIGHTINGS[weighting]).fit(counts).transform(counts)
    assert found == pytest.approx(expected.toarray(), abs=1e-5)
    empty = estimator.networks_["encoder"][0](torch.zeros(1, 40))
    assert not empty.any()


def step(estimator, x, logits):
    """One training step's terms, and what the encoder was given, with a decoder that always answers `logits`."""
    given = []
    networks = {
        "encoder": lambda shown: given.append(shown) or torch.zeros(len(shown), 4),
        "decoder": lambda z: logits.expand(len(z), -1),
    }
    return estimator.train_step(networks, "autoencoder", x, torch.Generator().manual_seed(0), 0.5), given[0]


def test_the_loss_is_the_cross_entropy_of_a_documents_word_shares():
    logits = torch.tensor([0.5, 0.25, 0.125, 0.125]).log()
    terms, _ = step(model("ae", word_dropout=0.0), torch.tensor([[2.0, 1.0, 0.0, 1.0]]), logits)
    assert float(terms["loss"]) == pytest.approx((0.5 * 1 + 0.25 * 2 + 0.25 * 3) * np.log(2), rel=1e-5)
    terms, _ = step(model("vae", word_dropout=0.0), torch.tensor([[2.0, 1.0, 0.0, 1.0]]), logits)
    assert float(terms["reconstruction"]) == pytest.approx((2 * 1 + 1 * 2 + 1 * 3) * np.log(2), rel=1e-5)
    assert float(terms["kl"]) == 0


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_hidden_words_are_hidden_from_the_encoder_and_still_foretold(name):
    x = torch.randint(1, 5, (200, 50), generator=torch.Generator().manual_seed(1)).float()
    logits = torch.randn(50, generator=torch.Generator().manual_seed(2))
    terms, shown = step(model(name, word_dropout=0.3), x, logits)
    whole, all_shown = step(model(name, word_dropout=0.0), x, logits)
    assert torch.equal(all_shown, x)
    assert torch.equal(shown[shown > 0], x[shown > 0])
    assert float((shown == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(terms["loss"]) == pytest.approx(float(whole["loss"]))


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_words_are_hidden_by_the_seed_and_only_in_training(name, counts):
    fitted = model(name, word_dropout=0.5).fit(counts)
    assert torch.equal(weights(fitted), weights(model(name, word_dropout=0.5).fit(counts)))
    assert not torch.equal(weights(fitted), weights(model(name, word_dropout=0.4).fit(counts)))
    assert not torch.equal(weights(fitted), weights(model(name, seed=1, word_dropout=0.5).fit(counts)))
    with torch.inference_mode():
        of_all_words = fitted.networks_["encoder"](torch.tensor(counts.toarray()))[:, :2]
    assert fitted.transform(counts) == pytest.approx(of_all_words.numpy(), abs=1e-5)


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_inverse_document_frequencies_count_as_weights(name, counts):
    fits = {weighting: model(name, weighting=weighting).fit(counts) for weighting in base.WEIGHTINGS}
    found = {weighting: methods.get(name).n_weights(fitted) for weighting, fitted in fits.items()}
    assert found["counts"] == found["log"] == sum(p.numel() for p in fits["log"].networks_.parameters())
    assert found["tfidf"] == found["log"] + 40


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_neither_a_class_nor_a_test_document_is_seen(name, counts, monkeypatch):
    monkeypatch.setattr(experiments, "measure", lambda *a, **k: ({}, {}, {}))
    y = np.random.default_rng(1).integers(3, size=150)
    dataset = Dataset("texts", DOCUMENTS, counts[:100], y[:100], counts[100:], y[100:], ("a", "b", "c"), "", "")
    shuffled = replace(dataset, y_train=np.random.default_rng(2).permutation(y[:100]))
    alone = replace(dataset, X_test=counts[:1], y_test=y[:1])
    spec = specs.make("docstrings", name, SMALL)
    fits = [experiments.fit(spec, each)[1] for each in (dataset, shuffled, alone)]
    for other in fits[1:]:
        assert all(np.array_equal(fits[0][part], other[part]) for part in fits[0])


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_a_fit_has_the_parameters_of_its_kind_of_data_alone(name):
    of = {kind: {p.name for p in methods.get(name).params_of(kind)} for kind in (IMAGES, DOCUMENTS)}
    assert of[DOCUMENTS] - of[IMAGES] == {"weighting", "word_dropout"}
    assert of[IMAGES] - of[DOCUMENTS] == {"network", "augment", "output" if name == "vae" else "noise"}
    assert set(dict(specs.make("digits", name).params)) == of[IMAGES] - {"noise"}  # implied at its default
    assert set(dict(specs.make("docstrings", name).params)) == of[DOCUMENTS]
