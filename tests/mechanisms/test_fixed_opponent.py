"""A discriminator alone against the best there is, a generator alone against formulas."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from core.mechanisms import density_comparison, fixed_opponent, gaussian_mixtures
from core.mechanisms.gan_game import Settings
from tests.mechanisms.generators import SMALL, played


@pytest.mark.parametrize("name", ["two_modes", "moons", "ring"])
def test_a_discriminator_comes_within_5_percent_of_the_best_one(name):
    game = played(replace(SMALL, target=name), 100)
    judge = fixed_opponent.fit_discriminator(game.mixture, game.generator)
    assert fixed_opponent.estimate_disagreement(judge, game.mixture, game.generator) < 0.05


@pytest.mark.parametrize("name", ["two_modes", "ring"])
def test_against_a_frozen_density_it_shrinks_and_by_likelihood_it_covers(name):
    settings = Settings(name, width=32, generator_rate=0.005)
    rng = np.random.default_rng(0)
    shrunk = fixed_opponent.against_density(settings, 500).generator.sample(2000, rng)
    wide = fixed_opponent.by_likelihood(settings, 500).generator.sample(2000, rng)
    mixture = settings.mixture
    assert shrunk.std(0).mean() < 0.5 * np.sqrt(np.diag(mixture.cov)).mean()
    assert density_comparison.compute_mode_coverage(mixture, wide) > density_comparison.compute_mode_coverage(
        mixture, shrunk
    )
    assert wide.std(0).mean() == pytest.approx(np.sqrt(np.diag(mixture.cov)).mean(), rel=0.25)


def test_against_a_frozen_density_it_goes_to_the_highest_mode():
    found = fixed_opponent.against_density(Settings("two_modes", width=32, generator_rate=0.005), 600).generator
    x = found.sample(2000, np.random.default_rng(0))
    assert x.mean() == pytest.approx(gaussian_mixtures.get_target("two_modes").mode[0], abs=0.15)


def test_a_solo_in_parts_is_the_same():
    parts = fixed_opponent.train(fixed_opponent.begin_training(SMALL, fixed_opponent.LIKELIHOOD), 10)
    fixed_opponent.train(parts, 10)
    assert parts.history == fixed_opponent.by_likelihood(SMALL, 20).history


def test_naive_likelihood_is_the_mean_of_log_mean_likelihoods():
    solo = fixed_opponent.begin_training(SMALL, fixed_opponent.LIKELIHOOD)
    state = solo.sampler.random.get_state()
    value, _ = fixed_opponent._naive_log_likelihood(solo)
    solo.sampler.random.set_state(state)
    real, centres = (
        solo.sampler.sample_real(32).numpy(),
        solo.player.network(solo.sampler.sample_normal(32)).detach().numpy(),
    )
    each = norm(0, SMALL.noise).logpdf(real[:, None] - centres[None]).sum(-1)
    assert float(value.detach()) == pytest.approx(np.log(np.exp(each).mean(1)).mean(), rel=1e-3)
