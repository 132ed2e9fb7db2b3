"""What every entry of the registry promises."""

import numpy as np
import pytest
from scipy import sparse

from core import methods
from core.errors import BadInput
from core.experiments.fit import stored_form
from core.metrics.embedding import stratified_rows
from core.runs import specs
from core.types import DOCUMENTS, IMAGES, TABLES, Form

PAIRS = [(name, kind) for name in methods.names() for kind in methods.entry(name).kinds]
NETWORKS = [(name, kind) for name, kind in PAIRS if "validation" in {p.name for p in methods.get(name).params}]
SMALL = {"n_components": 3, "epochs": 2, "batch_size": 32, "width": 32, "layers": 1, "max_iter": 300}
FORMS = {IMAGES: Form(IMAGES, (8, 8)), DOCUMENTS: Form(DOCUMENTS), TABLES: Form(TABLES, None, (1,) * 60 + (4,))}


def rows(kind):
    rng = np.random.default_rng(0)
    if kind == IMAGES:
        return rng.random((120, 64), dtype=np.float32)
    if kind == TABLES:
        return np.hstack([rng.standard_normal((120, 60)), np.eye(4)[rng.integers(0, 4, 120)]]).astype(np.float32)
    return sparse.csr_array(rng.poisson(0.3, (120, 64)).astype(np.float32))


def unfitted(name, kind, **params):
    method = methods.get(name)
    small = {p.name: min(SMALL[p.name], p.bounds[-1]) for p in method.params if p.name in SMALL}
    small = {p.name: p.default for p in method.params} | small | params
    return method.estimator(small, FORMS[kind], 0)


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def fit(request):
    name, kind = request.param
    return name, kind, unfitted(name, kind).fit(rows(kind))


def test_declaration_describes_itself():
    for name in methods.names():
        method = methods.get(name)
        assert method.summary.endswith(".")
        for p in method.params:
            assert p.check(p.default) == p.default
            assert p.help.endswith(".")
    with pytest.raises(BadInput, match="no method umap: choose one of pca"):
        methods.get("umap")


def test_entry_tells_what_the_fitted_estimator_can_do(fit):
    name, kind, estimator = fit
    entry = methods.entry(name)
    assert entry.encodes == hasattr(estimator, "transform")
    assert entry.decodes == hasattr(estimator, "inverse_transform")
    assert entry.has_prior == hasattr(estimator, "sample")
    assert entry.can_be_inverted == hasattr(estimator, "discriminator_features")
    assert entry.maps_rows == hasattr(estimator, "embedding_")
    assert entry.maps_rows != (entry.encodes or entry.decodes)
    assert entry.has_spectrum == hasattr(estimator, "noise_variance_")
    assert bool(entry.samplers) == (entry.decodes and IMAGES in entry.kinds)
    assert not entry.has_prior or entry.samplers[0] == methods.NORMAL
    if entry.reconstructs:
        rng = np.random.default_rng(0)
        a, b, middle = estimator.inverse_transform(np.stack([z := rng.normal(size=3), -z, 0 * z]))
        assert entry.is_linear == np.allclose((a + b) / 2, middle, atol=1e-5)
        words = slice(60, 64) if kind == TABLES else slice(None)
        is_probability = np.allclose(estimator.inverse_transform(z[None])[:, words].sum(), 1, atol=1e-5)
        assert kind != DOCUMENTS or (entry.word_output == methods.PROBABILITY) == is_probability
        assert kind != TABLES or entry.is_linear or is_probability


def test_stored_arrays_restore_the_estimator(fit):
    name, kind, estimator = fit
    method = methods.get(name)
    restored = method.restore(unfitted(name, kind), stored_form(method.arrays(estimator)))
    X = rows(kind)
    outputs = []
    if hasattr(estimator, "transform"):
        codes = estimator.transform(X)
        assert (codes.shape, estimator.inverse_transform(codes).shape) == ((120, 3), (120, 64))
        outputs += [lambda e: e.transform(X), lambda e: e.inverse_transform(codes)]
    if hasattr(estimator, "sample"):
        assert not np.array_equal(estimator.sample(5, random_state=0), estimator.sample(5, random_state=1))
        outputs += [lambda e: e.sample(4, random_state=0)]
    if hasattr(estimator, "discriminator_features"):
        outputs += [lambda e: e.discriminator_features(X)]
    if maps_rows := hasattr(estimator, "embedding_"):
        outputs += [lambda e: e.train_embedding_, lambda e: e.rows_train_, lambda e: e.kl_divergence_]
    for output in outputs:
        assert output(restored) == pytest.approx(output(estimator), abs=0 if maps_rows else 0.02)
    assert outputs


def test_convolutional_networks_fit_images_of_odd_sizes_and_nothing_but_images():
    for name in ("ae", "vae", "gan"):
        params = {"network": "conv", "width": 64, "epochs": 1, "batch_size": 32, "n_components": 2}
        X = np.random.default_rng(0).random((64, 35))
        estimator = methods.get(name).estimator(params, Form(IMAGES, (7, 5)), 0).fit(X)
        assert estimator.inverse_transform(np.zeros((2, 2))).shape == (2, 35)
        with pytest.raises(BadInput, match="network=conv needs images: give image_shape, or choose network=mlp"):
            methods.get(name).estimator(params, Form(IMAGES), 0).fit(X)


@pytest.mark.parametrize(("name", "kind"), NETWORKS)
def test_validation_measures_rows_that_training_does_not_use(name, kind):
    X, y = rows(kind), np.arange(120) % 3
    held = stratified_rows(y, 30)
    estimator = unfitted(name, kind, validation=0.25).fit(X, y)
    assert estimator.environment_["n_validation"] == 30
    # The weights are those of a training on the other rows alone.
    alone = unfitted(name, kind).fit(X[np.setdiff1d(np.arange(120), held)])
    assert all(np.array_equal(array, alone.arrays()[part]) for part, array in estimator.arrays().items())
    last = estimator.history_[-1]
    if name == "gan":
        assert 0 < last["validation_score_real"] < 1
    elif name == "vae":
        assert last["validation_kl"] == pytest.approx(estimator.elbo_terms(X[held])[1].mean(), rel=1e-5)
    else:
        outputs = estimator.inverse_transform(estimator.transform(X[held]))
        truth = X[held].toarray() if kind == DOCUMENTS else X[held]
        losses = np.square(truth - outputs)
        if kind == DOCUMENTS:
            losses = -truth / np.maximum(truth.sum(1, keepdims=True), 1) * np.log(outputs)
        elif kind == TABLES and not methods.entry(name).is_linear:
            losses[:, 60:] = -truth[:, 60:] * np.log(outputs[:, 60:])
        assert last["validation_loss"] == pytest.approx(losses.sum(1).mean(), rel=1e-4)


def test_validation_is_no_part_of_a_spec_that_has_none():
    assert specs.make("digits", "ae") == specs.make("digits", "ae", {"validation": 0})
    assert specs.make("digits", "ae", {"validation": 0.1}).param("validation") == 0.1
