"""A discriminator alone against the optimal one, a generator alone against formulas."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from core.mechanisms import density_comparison, fixed_opponent
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import Settings
from tests.mechanisms.helpers import SMALL, played


def trained(settings, objective, steps):
    return fixed_opponent.train(fixed_opponent.SoloGenerator(settings, objective), steps)


@pytest.mark.parametrize("name", ["two_modes", "moons"])
def test_discriminator_comes_within_5_percent_of_the_optimal_one(name):
    game = played(replace(SMALL, target=name), 100)
    discriminator = fixed_opponent.fit_discriminator(game.mixture, game.generator)
    assert fixed_opponent.estimate_disagreement(discriminator, game.mixture, game.generator) < 0.05


@pytest.mark.parametrize("name", ["two_modes", "ring"])
def test_generator_shrinks_against_a_density_and_covers_by_likelihood(name):
    settings = Settings(name, width=32, generator_rate=0.005)
    mixture, rng = settings.mixture, np.random.default_rng(0)
    shrunk, wide = (trained(settings, o, 500).generator.sample(2000, rng) for o in (DENSITY, LIKELIHOOD))
    spread = mixture.sample(20_000, rng).std(0).mean()
    assert shrunk.std(0).mean() < 0.5 * spread
    assert wide.std(0).mean() == pytest.approx(spread, rel=0.25)
    covered, few = (density_comparison.compute_mode_coverage(mixture, rows) for rows in (wide, shrunk))
    assert covered > few
    assert name == "ring" or shrunk.mean() == pytest.approx(mixture.mode[0], abs=0.15)
    # In parts it is the same training.
    parts = fixed_opponent.train(trained(settings, LIKELIHOOD, 10), 10)
    assert parts.history == trained(settings, LIKELIHOOD, 20).history


def test_likelihood_is_the_mean_of_log_mean_likelihoods():
    solo = fixed_opponent.SoloGenerator(SMALL, LIKELIHOOD)
    state, network = solo.sampler.random.get_state(), copy.deepcopy(solo.player.network)
    value = fixed_opponent.train(solo, 1).history[0]["value"]
    solo.sampler.random.set_state(state)
    real, centres = solo.sampler.sample_real(32).numpy(), network(solo.sampler.sample_normal(32)).detach().numpy()
    each = norm(0, SMALL.noise).logpdf(real[:, None] - centres[None]).sum(-1)
    assert value == pytest.approx(np.log(np.exp(each).mean(1)).mean(), rel=1e-3)
