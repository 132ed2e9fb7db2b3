"""Two players against the losses' formulas, finite differences and what each preset says."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.mechanisms import density_comparison, fixed_opponent, gan_game
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, LOSSES, NON_SATURATING, PRESETS, WASSERSTEIN, Settings
from tests.mechanisms.generators import SMALL, played


def loss_beyond(game: gan_game.Game, player: str, direction: list, by: float, state: torch.Tensor) -> float:
    """A player's loss on the draws that follow `state`, its weights moved by so much along a direction."""
    turn = {DISCRIMINATOR: gan_game._discriminator_turn, GENERATOR: gan_game._generator_turn}[player]
    weights = game.players[player].weights
    game.sampler.random.set_state(state)
    with torch.no_grad():
        for weight, along in zip(weights, direction, strict=True):
            weight += by * along
    value = float(turn(game)[0].detach())
    with torch.no_grad():
        for weight, along in zip(weights, direction, strict=True):
            weight -= by * along
    return value


@pytest.mark.parametrize("player", [DISCRIMINATOR, GENERATOR])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_steps_gradient_is_that_of_finite_differences(loss, player):
    game = played(replace(SMALL, loss=loss, discriminator_rate=0.01, penalty=10.0), 50)
    state = game.sampler.random.get_state()
    before = [weight.detach().clone() for weight in game.players[player].weights]
    told = gan_game.take_step(game, player)["gradient"]
    weights = game.players[player].weights
    direction = [weight.grad / told for weight in weights]
    with torch.no_grad():
        for weight, start in zip(weights, before, strict=True):
            weight.copy_(start)
    h = 2e-3
    up, down = (loss_beyond(game, player, direction, by, state) for by in (h, -h))
    assert (up - down) / (2 * h) == pytest.approx(told, rel=0.02, abs=1e-3)


def test_the_games_discriminator_learns_towards_it_while_the_generator_stands_still():
    game = gan_game.begin_game(replace(SMALL, discriminator_rate=0.005))
    before = gan_game.take_snapshot(game).disagreement
    for _ in range(300):
        gan_game.take_step(game, DISCRIMINATOR)
    assert gan_game.take_snapshot(game).disagreement < 0.5 * before
    assert game.steps == {DISCRIMINATOR: 300, GENERATOR: 0}


# --- Playing ------------------------------------------------------------------------------------------------------


def test_a_copied_game_goes_on_as_the_other_would_have():
    game = gan_game.play_rounds(gan_game.begin_game(Settings("ring")), 3)
    other = copy.deepcopy(game)
    gan_game.play_rounds(game, 3)
    gan_game.play_rounds(other, 3)
    assert other.history == game.history
    assert len(game.history) == 12


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_the_generator_to_the_data(loss):
    settings = Settings("one_mode", loss=loss, generator_rate=0.002, discriminator_rate=0.002, discriminator_steps=2)
    game = gan_game.begin_game(settings)
    before = density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02)
    gan_game.play_rounds(game, 300)
    assert density_comparison.integrate_jensen_shannon(game.mixture, game.generator, 0.02) < 0.5 * before


@pytest.mark.parametrize("loss", LOSSES)
def test_ten_rounds_and_ten_more_are_twenty(loss):
    settings = replace(SMALL, loss=loss, discriminator_steps=2)
    at_once, in_parts = played(settings, 20), played(settings, 10)
    torch.manual_seed(1)
    np.random.seed(1)
    gan_game.play_rounds(in_parts, 10)
    assert at_once.history == in_parts.history
    a, b = (gan_game.take_snapshot(game) for game in (at_once, in_parts))
    np.testing.assert_array_equal(a.samples, b.samples)
    np.testing.assert_array_equal(a.learned, b.learned)


def test_a_look_at_a_game_changes_nothing():
    looked, not_looked = played(SMALL, 5), played(SMALL, 5)
    gan_game.take_snapshot(looked)
    density_comparison.estimate_jensen_shannon(looked.mixture, looked.generator)
    assert gan_game.play_rounds(looked, 5).history == gan_game.play_rounds(not_looked, 5).history


def test_a_callback_ends_it_and_another_seed_is_another_game():
    ended = gan_game.play_rounds(gan_game.begin_game(SMALL), 50, lambda game: len(game.history) >= 6)
    assert len(ended.history) == 6
    assert played(SMALL, 2).history != played(replace(SMALL, seed=1), 2).history


def test_a_critic_has_no_best_discriminator():
    frame = gan_game.take_snapshot(played(replace(SMALL, loss=WASSERSTEIN), 2))
    assert frame.optimal is None
    assert frame.disagreement is None


# --- Presets ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def games():
    return {name: played(preset.settings, preset.rounds) for name, preset in PRESETS.items()}


def covered(game) -> float:
    return density_comparison.compute_mode_coverage(game.mixture, game.generator.sample(2000, np.random.default_rng(0)))


def of_generator(game, what: str) -> np.ndarray:
    return np.array([row[what] for row in game.history if row["player"] == GENERATOR])


def test_the_first_preset_covers_the_data(games):
    assert covered(games["works"]) > 0.9
    assert density_comparison.estimate_jensen_shannon(games["works"].mixture, games["works"].generator).value < 0.1


def test_modes_collapse_where_it_says_so(games):
    assert 0 < covered(games["mode_collapse"]) <= 0.5


def test_the_samples_run_to_and_fro_where_it_says_so(games):
    game = games["oscillation"]
    x = of_generator(game, "mean")[:, 0][len(game.history) // 6 :] - game.mixture.mean[0]
    assert x.std() > 0.3
    smooth = np.convolve(x, np.ones(10) / 10, "valid")
    assert (np.diff(np.sign(smooth)) != 0).sum() >= 5


def test_the_gradient_vanishes_where_it_says_so_and_another_loss_moves_it(games):
    still = games["vanishing"]
    assert np.median(of_generator(still, "gradient")[-50:]) < 1e-3
    moved = played(replace(still.settings, loss=NON_SATURATING), PRESETS["vanishing"].rounds)
    assert np.median(of_generator(moved, "gradient")[-50:]) > 0.1


# --- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target": "cube"}, "choose one of"),
        ({"loss": "hinge"}, "one of non_saturating"),
        ({"generator_rate": 1.0}, "1e-05 to 0.1"),
        ({"batch": 3}, "8 to 2048"),
        ({"noise": 0.0}, "0.05 to 0.5"),
    ],
)
def test_settings_that_are_refused(change, told):
    with pytest.raises(BadInput, match=told):
        gan_game.begin_game(replace(SMALL, **change))


def test_players_and_objectives_that_are_refused():
    with pytest.raises(BadInput, match="no player"):
        gan_game.take_step(gan_game.begin_game(SMALL), "umpire")
    with pytest.raises(BadInput, match="no objective"):
        fixed_opponent.begin_training(SMALL, "x")
