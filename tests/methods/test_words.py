"""How the networks learn from word counts."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from core import methods
from core.methods import params
from core.runs import specs
from core.types import DOCUMENTS, Form

SMALL = {"n_components": 2, "width": 16, "layers": 1, "epochs": 2, "batch_size": 32}


@pytest.fixture(scope="module")
def counts():
    return sparse.csr_array(np.random.default_rng(0).poisson(0.3, (150, 40)).astype(np.float32))


@pytest.fixture(params=["ae", "vae"])
def name(request):
    return request.param


def model(name, seed=0, **params):
    return methods.get(name).estimator({**SMALL, **params}, Form(DOCUMENTS), seed)


def train_one_step(estimator, x, logits):
    """One training step's terms, and what the encoder received, with a decoder that always answers `logits`."""
    received = []
    encoder = lambda shown: received.append(shown) or torch.zeros(len(shown), 4)
    networks = {"encoder": encoder, "decoder": lambda z: logits.expand(len(z), -1)}
    return estimator.train_step(networks, "autoencoder", x, torch.Generator().manual_seed(0), 0.5), received[0]


def test_encoders_weight_counts_as_lsa_does(counts):
    for weighting, how in params.WEIGHTINGS.items():
        encoder = model("ae", weighting=weighting).fit(counts).networks_["encoder"]
        expected = TfidfTransformer(**how).fit(counts).transform(counts)
        assert encoder[0](torch.tensor(counts.toarray())).numpy() == pytest.approx(expected.toarray(), abs=1e-5)
        assert not encoder[0](torch.zeros(1, 40)).any()


def test_loss_of_documents_is_the_cross_entropy_of_their_words():
    logits, counts = torch.tensor([0.5, 0.25, 0.125, 0.125]).log(), torch.tensor([[2.0, 1.0, 0.0, 1.0]])
    terms, _ = train_one_step(model("ae", word_dropout=0.0), counts, logits)
    assert float(terms["loss"]) == pytest.approx((0.5 * 1 + 0.25 * 2 + 0.25 * 3) * np.log(2), rel=1e-5)
    terms, _ = train_one_step(model("vae", word_dropout=0.0), counts, logits)
    assert float(terms["reconstruction"]) == pytest.approx((2 * 1 + 1 * 2 + 1 * 3) * np.log(2), rel=1e-5)
    assert float(terms["kl"]) == 0


def test_dropped_words_are_hidden_from_the_encoder_and_still_predicted(name):
    x = torch.randint(1, 5, (200, 50), generator=torch.Generator().manual_seed(1)).float()
    logits = torch.randn(50, generator=torch.Generator().manual_seed(2))
    terms, shown = train_one_step(model(name, word_dropout=0.3), x, logits)
    whole, all_shown = train_one_step(model(name, word_dropout=0.0), x, logits)
    assert torch.equal(all_shown, x)
    assert torch.equal(shown[shown > 0], x[shown > 0])
    assert float((shown == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(terms["loss"]) == pytest.approx(float(whole["loss"]))


def test_inverse_document_frequencies_count_as_weights(name, counts):
    for weighting, n_more in (("counts", 0), ("log", 0), ("tfidf", 40)):
        fitted = model(name, weighting=weighting).fit(counts)
        n_weights = sum(p.numel() for p in fitted.networks_.parameters())
        assert methods.get(name).n_weights(fitted) == n_weights + n_more


def test_specs_hold_the_parameters_of_their_kind_of_data(name):
    of_images, of_documents = (set(dict(specs.make(dataset, name).params)) for dataset in ("digits", "docstrings"))
    assert of_documents - of_images == {"weighting", "word_dropout"}
    assert of_images - of_documents == {"network", "augment"} | ({"output"} if name == "vae" else set())
