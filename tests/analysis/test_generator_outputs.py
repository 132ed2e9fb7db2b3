"""What stored decoders give, held against the estimators' own torch networks."""

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.special import expit

from core.analysis import decoder_export, generator_outputs
from core.nn import losses
from core.runs import layout, presets, reader, specs

CLOSE = 1e-3  # of a pixel in [0, 1]


def read_vae(dataset: str):
    recipe = next(recipe for recipe in presets.RUNS if recipe[:2] == (dataset, "vae"))
    place = layout.place_of(layout.SHIPPED, specs.make(*recipe))
    return reader.read_run(place), reader.read_weights(place), reader.read_estimator(place)


def test_pixels_are_distributed_as_the_decoder_says():
    Z = np.random.default_rng(3).standard_normal((40, 2)).astype(np.float32)
    for dataset, output in (("mnist", "bernoulli"), ("frey", "normal")):
        run, weights, vae = read_vae(dataset)
        assert run.spec.param("output") == output
        mean, deviation = generator_outputs.decode_distribution(run, weights, Z)
        with torch.no_grad():
            raw = vae.networks_["decoder"](torch.tensor(Z))
        if output == "bernoulli":
            expected_mean = expit(raw.numpy().astype(float))
            expected = np.sqrt(expected_mean * (1 - expected_mean))
        else:
            expected_mean, log_variance = losses.split_normal(raw)
            expected_mean, expected = expected_mean.numpy(), torch.exp(log_variance / 2).numpy()
        assert np.abs(mean - expected_mean).max() < CLOSE
        assert np.abs(deviation - expected).max() < CLOSE
        # 4,000 samples of the first code: the mean of each is within 5 standard errors.
        many = [np.tile(a[:1], (4000, 1)) for a in (mean, deviation)]
        samples = generator_outputs.sample_images(*many, output, seed=0)
        assert (np.abs(samples.mean(axis=0) - mean[0]) <= 5 * deviation[0] / np.sqrt(4000) + 1e-4).all()
        assert samples.std(axis=0).mean() == pytest.approx(deviation[0].mean(), rel=0.02)
        assert output == "normal" or set(np.unique(samples)) == {0, 1}


def test_neighbours_in_the_plane_are_closer_than_any_two_images():
    run, weights, vae = read_vae("mnist")
    decoder = decoder_export.export_stored_decoder(run, weights)
    planes = [generator_outputs.decode_plane(decoder, 5, 4, reach) for reach in (0.5, 1.0, 2.0)]
    columns, lines = (decoder_export.place_grid_columns(n, -2, 2, is_prior=True) for n in (5, 4))
    images = vae.inverse_transform(decoder_export.make_grid(columns, lines))
    assert np.abs(planes[-1].images - images).max() < CLOSE
    errors = {pair: np.square(images[pair[0]] - images[pair[1]]).sum() for pair in combinations(range(20), 2)}
    beside = [e for (a, b), e in errors.items() if b - a == 5 or (b - a == 1 and b % 5)]
    assert planes[-1].neighbours == pytest.approx(np.mean(beside), rel=1e-2)
    assert planes[-1].pairs == pytest.approx(np.mean(list(errors.values())), rel=1e-2)
    # As the step's text says.
    assert planes[0].neighbours < planes[1].neighbours < planes[2].neighbours
