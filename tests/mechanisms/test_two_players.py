"""Two players against the losses' formulas, finite differences and what each preset says."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit

from core.mechanisms import densities, one_player, two_players
from core.mechanisms.two_players import (
    DISCRIMINATOR,
    GENERATOR,
    LEAST_SQUARES,
    LOSSES,
    MINIMAX,
    NON_SATURATING,
    PRESETS,
    WASSERSTEIN,
    Settings,
)
from core.types import BadInput
from tests.mechanisms.generators import SMALL, played

REAL, MADE = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.5, 0.8, 0.1])


# --- Losses -------------------------------------------------------------------------------------------------------


def test_losses_are_their_formulas():
    real, made = REAL.numpy(), MADE.numpy()
    log_real, log_made, log_not = (np.log(expit(v)).mean() for v in (real, made, -made))
    expected = {
        NON_SATURATING: (-log_real - log_not, -log_made),
        MINIMAX: (-log_real - log_not, log_not),
        LEAST_SQUARES: (((real - 1) ** 2).mean() / 2 + (made**2).mean() / 2, ((made - 1) ** 2).mean() / 2),
        WASSERSTEIN: (made.mean() - real.mean(), -made.mean()),
    }
    assert set(expected) == set(LOSSES)
    for loss, (of_discriminator, of_generator) in expected.items():
        assert float(two_players.discriminator_loss(loss, REAL, MADE)) == pytest.approx(of_discriminator, rel=1e-5)
        assert float(two_players.generator_loss(loss, MADE)) == pytest.approx(of_generator, rel=1e-5)


def test_gradient_penalty_is_that_of_a_known_critic():
    """D(x) = 3 x1 + 4 x2 has a gradient of length 5 everywhere."""
    rows = torch.linspace(-1, 1, 16).reshape(8, 2)
    share = torch.linspace(0, 1, 8)[:, None]
    found = two_players.gradient_penalty(lambda x: 3 * x[:, 0] + 4 * x[:, 1], rows, -rows, share)
    assert float(found) == pytest.approx(16)


def loss_beyond(game: two_players.Game, player: str, direction: list, by: float, state: torch.Tensor) -> float:
    """A player's loss on the draws that follow `state`, its weights moved by so much along a direction."""
    turn = {DISCRIMINATOR: two_players._discriminator_turn, GENERATOR: two_players._generator_turn}[player]
    weights = game.players[player].weights
    game.draws.random.set_state(state)
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
    state = game.draws.random.get_state()
    before = [weight.detach().clone() for weight in game.players[player].weights]
    told = two_players.step(game, player)["gradient"]
    weights = game.players[player].weights
    direction = [weight.grad / told for weight in weights]
    with torch.no_grad():
        for weight, start in zip(weights, before, strict=True):
            weight.copy_(start)
    h = 2e-3
    up, down = (loss_beyond(game, player, direction, by, state) for by in (h, -h))
    assert (up - down) / (2 * h) == pytest.approx(told, rel=0.02, abs=1e-3)


def test_the_games_discriminator_learns_towards_it_while_the_generator_stands_still():
    game = two_players.begin(replace(SMALL, discriminator_rate=0.005))
    before = two_players.snapshot(game).disagreement
    for _ in range(300):
        two_players.step(game, DISCRIMINATOR)
    assert two_players.snapshot(game).disagreement < 0.5 * before
    assert game.steps == {DISCRIMINATOR: 300, GENERATOR: 0}


# --- Playing ------------------------------------------------------------------------------------------------------


def test_a_copied_game_goes_on_as_the_other_would_have():
    game = two_players.run(two_players.begin(Settings("ring")), 3)
    other = copy.deepcopy(game)
    two_players.run(game, 3)
    two_players.run(other, 3)
    assert other.history == game.history
    assert len(game.history) == 12


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_the_generator_to_the_data(loss):
    settings = Settings("one_mode", loss=loss, generator_rate=0.002, discriminator_rate=0.002, discriminator_steps=2)
    game = two_players.begin(settings)
    before = densities.jensen_shannon_on_grid(game.mixture, game.generator, 0.02)
    two_players.run(game, 300)
    assert densities.jensen_shannon_on_grid(game.mixture, game.generator, 0.02) < 0.5 * before


@pytest.mark.parametrize("loss", LOSSES)
def test_ten_rounds_and_ten_more_are_twenty(loss):
    settings = replace(SMALL, loss=loss, discriminator_steps=2)
    at_once, in_parts = played(settings, 20), played(settings, 10)
    torch.manual_seed(1)
    np.random.seed(1)
    two_players.run(in_parts, 10)
    assert at_once.history == in_parts.history
    a, b = (two_players.snapshot(game) for game in (at_once, in_parts))
    np.testing.assert_array_equal(a.samples, b.samples)
    np.testing.assert_array_equal(a.learned, b.learned)


def test_a_look_at_a_game_changes_nothing():
    looked, not_looked = played(SMALL, 5), played(SMALL, 5)
    two_players.snapshot(looked)
    densities.jensen_shannon(looked.mixture, looked.generator)
    assert two_players.run(looked, 5).history == two_players.run(not_looked, 5).history


def test_a_callback_ends_it_and_another_seed_is_another_game():
    ended = two_players.run(two_players.begin(SMALL), 50, lambda game: len(game.history) >= 6)
    assert len(ended.history) == 6
    assert played(SMALL, 2).history != played(replace(SMALL, seed=1), 2).history


def test_a_critic_has_no_best_discriminator():
    frame = two_players.snapshot(played(replace(SMALL, loss=WASSERSTEIN), 2))
    assert frame.optimal is None
    assert frame.disagreement is None


# --- Presets ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def games():
    return {name: played(preset.settings, preset.rounds) for name, preset in PRESETS.items()}


def covered(game) -> float:
    return densities.modes_covered(game.mixture, game.generator.sample(2000, np.random.default_rng(0)))


def of_generator(game, what: str) -> np.ndarray:
    return np.array([row[what] for row in game.history if row["player"] == GENERATOR])


def test_the_first_preset_covers_the_data(games):
    assert covered(games["works"]) > 0.9
    assert densities.jensen_shannon(games["works"].mixture, games["works"].generator).value < 0.1


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
        two_players.begin(replace(SMALL, **change))


def test_players_and_objectives_that_are_refused():
    with pytest.raises(BadInput, match="no player"):
        two_players.step(two_players.begin(SMALL), "umpire")
    with pytest.raises(BadInput, match="no objective"):
        one_player.begin_solo(SMALL, "x")
