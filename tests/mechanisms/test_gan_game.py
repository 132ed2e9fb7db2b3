"""Two players against finite differences and what each preset says."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.mechanisms import density_comparison, gan_game
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, LOSSES, NON_SATURATING, PRESETS, WASSERSTEIN, Settings
from tests.mechanisms.generators import SMALL, played


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_finite_differences(loss):
    for player in (DISCRIMINATOR, GENERATOR):
        game = played(replace(SMALL, loss=loss, discriminator_rate=0.01, penalty=10.0), 50)
        state, weights = game.sampler.random.get_state(), game.players[player].weights
        before = [weight.detach().clone() for weight in weights]
        length = gan_game.take_step(game, player)["gradient"]
        direction = [weight.grad / length for weight in weights]

        def loss_beyond(by, game=game, player=player, state=state, moves=(weights, before, direction)):
            game.sampler.random.set_state(state)
            with torch.no_grad():
                for weight, start, along in zip(*moves, strict=True):
                    weight.copy_(start + by * along)
            return float(gan_game.compute_loss(game, player)[0].detach())

        h = 2e-3
        assert (loss_beyond(h) - loss_beyond(-h)) / (2 * h) == pytest.approx(length, rel=0.02, abs=1e-3)


def test_discriminator_approaches_the_optimal_one_while_the_generator_is_fixed():
    game = gan_game.Game(replace(SMALL, discriminator_rate=0.005))
    before = gan_game.take_snapshot(game).disagreement
    for _ in range(300):
        gan_game.take_step(game, DISCRIMINATOR)
    assert gan_game.take_snapshot(game).disagreement < 0.5 * before


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_the_generator_to_the_data(loss):
    settings = Settings("one_mode", loss=loss, generator_rate=0.002, discriminator_rate=0.002, discriminator_steps=2)
    game = gan_game.Game(settings)
    before = density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02)
    gan_game.play_rounds(game, 300)
    assert density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02) < 0.5 * before


@pytest.mark.parametrize("loss", [NON_SATURATING, WASSERSTEIN])
def test_game_in_parts_with_snapshots_and_copies_is_the_same(loss):
    settings = replace(SMALL, loss=loss, discriminator_steps=2)
    at_once, in_parts = played(settings, 20), played(settings, 10)
    torch.manual_seed(1)
    np.random.seed(1)
    gan_game.take_snapshot(in_parts)
    copied = gan_game.play_rounds(copy.deepcopy(in_parts), 10)
    assert len(in_parts.history) == 30
    gan_game.play_rounds(in_parts, 10)
    assert at_once.history == in_parts.history == copied.history
    frame, other = (gan_game.take_snapshot(game) for game in (at_once, in_parts))
    np.testing.assert_array_equal(frame.samples, other.samples)
    np.testing.assert_array_equal(frame.learned, other.learned)
    assert (frame.optimal is None) == (frame.disagreement is None) == (loss == WASSERSTEIN)
    assert played(replace(settings, seed=1), 2).history != at_once.history[:6]


@pytest.fixture(scope="module")
def games():
    return {name: played(preset.settings, preset.rounds) for name, preset in PRESETS.items()}


def covered(game) -> float:
    samples = game.generator.sample(2000, np.random.default_rng(0))
    return density_comparison.compute_mode_coverage(game.mixture, samples)


def of_generator(game, what: str) -> np.ndarray:
    return np.array([row[what] for row in game.history if row["player"] == GENERATOR])


def test_first_preset_covers_the_data(games):
    assert covered(games["works"]) > 0.9
    assert (
        density_comparison.estimate_jensen_shannon(games["works"].mixture, games["works"].generator, 1000).value < 0.1
    )


def test_preset_of_mode_collapse_collapses(games):
    assert 0 < covered(games["mode_collapse"]) <= 0.5


def test_preset_of_oscillation_oscillates(games):
    game = games["oscillation"]
    x = of_generator(game, "mean")[:, 0][len(game.history) // 6 :] - game.mixture.mean[0]
    assert x.std() > 0.3
    smooth = np.convolve(x, np.ones(10) / 10, "valid")
    assert (np.diff(np.sign(smooth)) != 0).sum() >= 5


def test_preset_of_vanishing_gradient_vanishes_and_another_loss_does_not(games):
    still = games["vanishing"]
    assert np.median(of_generator(still, "gradient")[-50:]) < 1e-3
    moved = played(replace(still.settings, loss=NON_SATURATING), PRESETS["vanishing"].rounds)
    assert np.median(of_generator(moved, "gradient")[-50:]) > 0.1
