"""Two players against finite differences."""

import copy
from dataclasses import replace

import pytest
import torch

from core.mechanisms import density_comparison, gan_game
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, LOSSES, NON_SATURATING, WASSERSTEIN, Settings
from tests.mechanisms.helpers import SMALL, played


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


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_the_generator_to_the_data(loss):
    settings = Settings("one_mode", loss=loss, generator_rate=0.002, discriminator_rate=0.002, discriminator_steps=2)
    game = gan_game.Game(settings)
    before = density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02)
    gan_game.play_rounds(game, 300)
    assert density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02) < 0.5 * before


@pytest.mark.parametrize("loss", [NON_SATURATING, WASSERSTEIN])
def test_game_in_parts_and_copies_is_the_same(loss):
    settings = replace(SMALL, loss=loss, discriminator_steps=2)
    at_once, in_parts = played(settings, 20), played(settings, 10)
    copied = gan_game.play_rounds(copy.deepcopy(in_parts), 10)
    assert len(in_parts.history) == 30
    gan_game.play_rounds(in_parts, 10)
    assert at_once.history == in_parts.history == copied.history
    assert played(replace(settings, seed=1), 2).history != at_once.history[:6]
