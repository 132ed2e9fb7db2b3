"""What every entry of the registry promises."""

import numpy as np
import pytest
from scipy import sparse

from core import methods
from core.experiments import stored_form
from core.types import IMAGES, BadInput, Embedder, Reconstructor, Sampler

SHAPE = (8, 8)
PAIRS = [(name, kind) for name in methods.names() for kind in methods.LISTED[name][1]]


def rows(kind):
    rng = np.random.default_rng(0)
    if kind == IMAGES:
        return rng.random((120, 64), dtype=np.float32)
    return sparse.csr_array(rng.poisson(0.3, (120, 64)).astype(np.float32))


def fitted(name, kind, **params):
    method = methods.get(name)
    small = {"n_components": 3, "epochs": 2, "batch_size": 32, "width": 32, "layers": 1, "max_iter": 300}
    chosen = {p.name: min(small[p.name], p.bounds[-1]) if p.name in small else p.default for p in method.params}
    chosen |= params
    estimator = method.estimator(chosen, kind, SHAPE if kind == IMAGES else None, 0)
    return method, chosen, estimator.fit(rows(kind))


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def fit(request):
    return *fitted(*request.param), request.param[1]


def test_declaration_agrees_with_the_registry(fit):
    method, _, _, _ = fit
    assert (method.label, method.kinds) == methods.LISTED[method.name]
    assert method.summary
    assert method.summary.endswith(".")
    for p in method.params:
        assert p.check(p.default) == p.default
        assert p.help.endswith(".")


def test_codes_reconstructions_and_samples_have_their_shapes(fit):
    method, _, estimator, kind = fit
    X = rows(kind)
    assert isinstance(estimator, Embedder | Sampler) != method.maps_rows
    assert (method.name in methods.REFERENCES) == method.maps_rows
    if method.maps_rows:
        assert estimator.train_embedding_.shape == (120, 2)
        assert not hasattr(estimator, "inverse_transform")
    if isinstance(estimator, Reconstructor):
        codes = estimator.transform(X)
        assert codes.shape == (120, 3)
        rebuilt = estimator.inverse_transform(codes)
        assert rebuilt.shape == (120, 64)
        assert np.isfinite(rebuilt).all()
    if hasattr(estimator, "sample"):
        drawn = estimator.sample(5, random_state=0)
        assert drawn.shape == (5, 64)
        assert np.array_equal(drawn, estimator.sample(5, random_state=0))
        assert not np.array_equal(drawn, estimator.sample(5, random_state=1))


def test_what_is_stored_gives_the_same_codes_and_pictures_back(fit):
    method, params, estimator, kind = fit
    arrays = stored_form(method.arrays(estimator))
    again = method.restore(method.estimator(params, kind, SHAPE if kind == IMAGES else None, 0), arrays)
    X = rows(kind)
    if hasattr(estimator, "transform"):
        assert again.transform(X) == pytest.approx(estimator.transform(X), abs=0.02)
        codes = estimator.transform(X)
        assert again.inverse_transform(codes) == pytest.approx(estimator.inverse_transform(codes), abs=0.02)
    if method.name == "gan":
        assert again.sample(4, random_state=0) == pytest.approx(estimator.sample(4, random_state=0), abs=0.02)
        assert again.discriminator_features(X) == pytest.approx(estimator.discriminator_features(X), abs=0.02)
    if method.maps_rows:
        assert np.array_equal(again.train_embedding_, estimator.train_embedding_)
        assert np.array_equal(again.rows_train_, np.arange(120))
        assert again.kl_divergence_ == estimator.kl_divergence_


@pytest.mark.parametrize("name", ["ae", "vae", "gan"])
def test_convolutional_networks_fit_images_of_odd_sizes(name):
    method = methods.get(name)
    params = {p.name: p.default for p in method.params} | {
        "network": "conv",
        "width": 64,
        "epochs": 1,
        "batch_size": 32,
    }
    estimator = method.estimator(params, IMAGES, (7, 5), 0).fit(np.random.default_rng(0).random((64, 35)))
    codes = np.zeros((2, params["n_components"]))
    assert estimator.inverse_transform(codes).shape == (2, 35)


def test_a_convolution_without_an_image_is_refused():
    with pytest.raises(BadInput, match="network=mlp"):
        methods.get("ae").estimator({"network": "conv"}, IMAGES, None, 0).fit(rows(IMAGES))


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(BadInput, match="no method umap: choose one of pca"):
        methods.get("umap")
