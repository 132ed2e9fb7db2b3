"""Binarised images: their means, their draws, and what methods are trained on."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import datasets, methods
from core.datasets.binarisation import DYNAMIC, PIXELS, THRESHOLD, binarise
from core.errors import BadInput
from core.experiments import fit
from core.methods.vae import VAE
from core.runs import layout, specs, store, transfer
from pages.ui.shared import permalinks


def test_threshold_divides_and_draws_have_the_grey_values_as_means(loaded):
    digits = loaded("digits")
    divided, drawn = (datasets.load("digits", pixels=pixels) for pixels in (THRESHOLD, DYNAMIC))
    assert np.array_equal(divided.X_test == 255, digits.X_test >= 128)
    assert (divided.is_binary, divided.make_fit_arguments(VAE()), digits.is_binary) == (True, {}, False)
    assert set(np.unique(drawn.X_train)) == {0, 255}
    assert np.array_equal(drawn.grey_train, digits.X_train)
    assert len({digits.checksum, divided.checksum, drawn.checksum}) == 3
    # Each grey level apart: black and white stay, the others are white as often as they say.
    X, white = np.vstack([digits.X_train, digits.X_test]), np.vstack([drawn.X_train, drawn.X_test]) == 255
    for level in np.unique(X):
        of_level = white[level == X]
        n, p = len(of_level), level / 255
        assert of_level.mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n)), level


def test_an_image_has_the_same_draw_in_a_data_set_and_its_sample(loaded):
    digits, drawn = loaded("digits"), datasets.load("digits", pixels=DYNAMIC)
    few = binarise(replace(digits, X_train=digits.X_train[90::-3]), DYNAMIC)
    assert np.array_equal(few.X_train, drawn.X_train[90::-3])


def test_networks_see_new_draws_in_every_batch(loaded, monkeypatch):
    seen, grey = [], np.full((64, 16), 0.25, np.float32)
    terms = VAE._terms
    monkeypatch.setattr(
        VAE, "_terms", lambda self, networks, x, *rest: seen.append(x) or terms(self, networks, x, *rest)
    )
    small = {"width": 16, "layers": 1, "epochs": 4, "batch_size": 64, "validation": 0.25}
    VAE(2, **small, random_state=0).fit(np.zeros_like(grey), grey=grey)
    assert all(set(np.unique(x)) == {0, 1} for x in seen)
    training = seen[::2]
    assert not np.array_equal(training[0], training[1])
    assert float(torch.cat(seen).mean()) == pytest.approx(0.25, abs=0.05)
    drawn = datasets.load("digits", pixels=DYNAMIC)
    for name in methods.names("images"):
        estimator = methods.get(name).estimator({"n_components": 2}, drawn.form, 0)
        assert ("grey" in drawn.make_fit_arguments(estimator)) == (name in ("ae", "vae", "gan")), name


def test_grey_pixels_are_no_setting_of_a_spec_and_binary_ones_are():
    usual, drawn = (specs.make("digits", "vae", dataset_params=given) for given in ({}, {PIXELS.name: DYNAMIC}))
    assert (usual.dataset_params, drawn.dataset_params) == ((), ((PIXELS.name, DYNAMIC),))
    assert specs.make("digits", "vae", dataset_params={PIXELS.name: "grey"}) == usual
    assert specs.differing([usual, drawn]) == [PIXELS.name]
    assert [specs.has_unnormalised_likelihood(spec) for spec in (usual, drawn)] == [True, False]
    continuous = specs.make("digits", "vae", {"output": "continuous_bernoulli"})
    assert not specs.has_unnormalised_likelihood(continuous)
    with pytest.raises(BadInput, match="a density of grey pixels: for binary ones choose bernoulli"):
        specs.make_from_settings("digits", "vae", {"output": "continuous_bernoulli", "pixels": "threshold"})
    assert not specs.has_unnormalised_likelihood(specs.make("digits", "pca"))


def test_a_run_of_binary_pixels_is_measured_and_stored_like_any_other():
    small = {"n_components": 2, "width": 16, "layers": 1, "epochs": 5, "batch_size": 64, "learning_rate": 0.02}
    spec = specs.make("digits", "vae", small, dataset_params={PIXELS.name: DYNAMIC})
    run = fit.fit_and_store(spec, datasets.load("digits", pixels=DYNAMIC))
    assert set(np.unique(run.views["originals"])) == {0, 255}
    # Both bound the nats of 64 fair coins, the tighter one closer.
    assert run.metrics["iw_bound"].value < run.metrics["neg_elbo"].value < 64 * np.log(2)
    place = store.find_place(spec.key)
    packed, document = transfer.pack_run(place), json.loads((place / layout.DOCUMENT).read_text())
    store.delete_run(spec.key)
    found = transfer.unpack_run(packed, check_weights=True)
    assert found.spec == spec == permalinks.decode(permalinks.encode(spec))
    assert document["spec"]["dataset_params"] == {"pixels": "dynamic"}
