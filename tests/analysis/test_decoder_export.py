"""Decoders as plain layers: each is what the estimator itself decodes."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import norm

from core import datasets, methods
from core.analysis import decoder_export, posterior_width
from core.experiments.fit import stored_form
from core.runs import layout, presets, reader, specs
from core.types import DOCUMENTS, IMAGES
from tests.methods.test_contract import rows, unfitted

CLOSE = 1e-3  # of a pixel in [0, 1]
VARIANTS = [
    *((name, {}) for name in methods.names(IMAGES) if methods.entry(name).decodes and name != "gan"),
    ("gan", {"network": "mlp"}),
    ("vae", {"output": "continuous_bernoulli"}),
    ("vae", {"output": "normal", "activation": "silu", "layers": 2}),
]


def codes(k, n=200):
    return 2 * np.random.default_rng(0).standard_normal((n, k)).astype(np.float32)


def shaken(estimator):
    """As after a long training: no batch norm at its beginning."""
    generator = torch.Generator().manual_seed(0)
    for name, value in estimator.networks_.state_dict().items() if hasattr(estimator, "networks_") else ():
        if name.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=generator) * 3 + 1e-6)
        elif value.is_floating_point() and value.ndim == 1:
            value.add_(torch.randn(value.shape, generator=generator) * 0.5)
    return estimator


def test_layers_decode_as_the_estimator_does():
    for name, params in VARIANTS:
        method, estimator = methods.get(name), shaken(unfitted(name, IMAGES, **params).fit(rows(IMAGES)))
        stored = method.restore(unfitted(name, IMAGES, **params), stored_form(method.arrays(estimator)))
        for decoding in (estimator, stored):
            found = decoder_export.decode(decoder_export.export_decoder(decoding), codes(3))
            assert np.abs(found - decoding.inverse_transform(codes(3))).max() < CLOSE, (name, params)


def test_shipped_networks_agree_without_torch_and_need_half_precision_at_most():
    for place in list(layout.iterate_places(layout.SHIPPED))[::3]:
        estimator, run = reader.read_estimator(place), reader.read_run(place)
        decoder, spec = decoder_export.export_stored_decoder(run, reader.read_weights(place)), run.spec
        is_map = methods.entry(spec.method).maps_rows
        if run.environment["kind"] == DOCUMENTS or is_map or spec.param("network") == "conv":
            assert decoder is None, place
            continue
        assert {layer.weight.dtype for layer in decoder} <= {np.dtype(np.int8), np.dtype(np.float16)}, place
        Z = codes(spec.param("n_components"))
        assert np.abs(decoder_export.decode(decoder, Z) - estimator.inverse_transform(Z)).max() < CLOSE, place


def test_a_stored_encoder_gives_the_posterior_and_its_width():
    place = layout.place_of(layout.SHIPPED, specs.make(*next(r for r in presets.MATCHED if r[:2] == ("mnist", "vae"))))
    run, weights, vae = reader.read_run(place), reader.read_weights(place), reader.read_estimator(place)
    X = datasets.load("mnist-sample").floats("test")
    encoder = decoder_export.export_stored_layers(run, weights, "encoder")
    for found, expected in zip(posterior_width.encode_posterior(encoder, X), vae.posterior(X), strict=True):
        assert np.abs(found - expected).max() < CLOSE
    width = posterior_width.measure_width(encoder, decoder_export.export_stored_decoder(run, weights), X)
    mean, deviation = vae.posterior(X)
    assert width.deviations == pytest.approx(np.median(deviation, axis=0), rel=1e-3)
    images = vae.inverse_transform(mean)
    assert width.error == pytest.approx(np.square(images - X).sum(axis=1).mean(), rel=1e-3)
    assert width.error == pytest.approx(run.metrics["squared_error"].value, rel=0.05)  # of all test rows
    # Another draw of each q(z|x), the width's 95% interval being 5% wide.
    Z = mean + deviation * np.random.default_rng(7).standard_normal(mean.shape).astype(np.float32)
    assert width.change == pytest.approx(np.square(vae.inverse_transform(Z) - images).sum(axis=1).mean(), rel=0.1)


def test_the_effect_in_a_linear_decoder_is_the_variance_each_component_explains():
    pca = unfitted("pca", IMAGES).fit(rows(IMAGES))
    Z = pca.transform(rows(IMAGES))
    decode = partial(decoder_export.decode, decoder_export.export_decoder(pca))
    found = decoder_export.compute_effects(decode, Z[:5], Z.std(axis=0, ddof=1))
    assert found == pytest.approx(pca.explained_variance_, rel=1e-3)


def test_grid_columns_hold_equal_shares_of_the_prior():
    places = decoder_export.place_grid_columns(20, -3, 3, is_prior=True)
    assert np.diff(norm.cdf(places)) == pytest.approx(norm.cdf(3) / 10 - 0.05, rel=1e-6)
    assert decoder_export.place_grid_columns(4, 0, 8, is_prior=False).tolist() == [1, 3, 5, 7]
    assert decoder_export.make_grid([1, 2], [5, 6]).tolist() == [[1, 6], [2, 6], [1, 5], [2, 5]]
