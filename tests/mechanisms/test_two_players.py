"""Two players against the losses' formulas, finite differences, the best discriminator and the divergences' truths."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import norm

from core.mechanisms import mixtures, two_players
from core.mechanisms.mixtures import Mixture
from core.mechanisms.two_players import (
    DISCRIMINATOR,
    GENERATOR,
    LEAST_SQUARES,
    LOSSES,
    MINIMAX,
    NON_SATURATING,
    PRESETS,
    WASSERSTEIN,
    NoisyGenerator,
    Settings,
)
from core.types import BadInput
from tests.mechanisms.calibration import SEEDS, assert_calibrated

REAL, MADE = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.5, 0.8, 0.1])
SMALL = Settings("moons", width=16, batch=32)


def played(settings: Settings, rounds: int) -> two_players.Game:
    return two_players.run(two_players.begin(settings), rounds)


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


# --- The generator and its density --------------------------------------------------------------------------------


def linear(slope: float, noise: float, dimension: int = 1) -> NoisyGenerator:
    """x = slope z + 0.5 + noise eps, whose density is known."""
    network = torch.nn.Linear(dimension, dimension)
    with torch.no_grad():
        network.weight.copy_(slope * torch.eye(dimension))
        network.bias.fill_(0.5)
    return NoisyGenerator(network, noise, dimension)


def test_density_of_a_generator_is_the_closed_one():
    made = linear(1.2, 0.3)
    x = np.linspace(-4, 4, 41)[:, None]
    expected = norm(0.5, np.hypot(1.2, 0.3)).pdf(x[:, 0])
    np.testing.assert_allclose(made.density(x), expected, rtol=0.02, atol=3e-4)
    many = np.mean([made.density(x, 64, seed) for seed in range(200)], axis=0)
    np.testing.assert_allclose(many, expected, rtol=0.02, atol=2e-4)


def test_density_in_the_plane_is_where_the_draws_are():
    made = played(SMALL, 50).generator
    x = made.sample(40_000, np.random.default_rng(0))
    edges = np.linspace(-4, 4, 17)
    counts, _, _ = np.histogram2d(x[:, 0], x[:, 1], [edges, edges])
    fine = np.linspace(-4, 4, 161)[:-1] + 0.025
    q = made.density(two_players.places(fine, 2)).reshape(160, 160).T  # [x, y]
    expected = q.reshape(16, 10, 16, 10).sum((1, 3)) * 0.05**2
    np.testing.assert_allclose(counts / len(x), expected, atol=0.01)


def test_density_on_a_grid_is_that_at_its_places():
    made, axis = linear(1.4, 0.3, dimension=2), np.linspace(-3, 4, 29)
    expected = made.density(two_players.places(axis, 2)).reshape(29, 29)
    np.testing.assert_allclose(made.on_grid(axis), expected, rtol=1e-3, atol=1e-6)


def test_a_copied_game_goes_on_as_the_other_would_have():
    game = two_players.run(two_players.begin(Settings("ring")), 3)
    other = copy.deepcopy(game)
    two_players.run(game, 3)
    two_players.run(other, 3)
    assert other.history == game.history
    assert len(game.history) == 12


# --- Divergence ---------------------------------------------------------------------------------------------------


def test_jensen_shannon_is_the_truth_within_its_error():
    p, made = mixtures.target("two_modes"), linear(1.5, 0.3)
    q = Mixture.of([0.5], np.hypot(1.5, 0.3))
    truth = two_players.jensen_shannon_on_grid(p, q)
    assert two_players.jensen_shannon_on_grid(p, made) == pytest.approx(truth, abs=1e-3)
    assert_calibrated([two_players.jensen_shannon(p, q, 1000, seed).deviation(truth) for seed in SEEDS])
    assert_calibrated([two_players.jensen_shannon(p, made, 1000, seed).deviation(truth) for seed in SEEDS])


def test_jensen_shannon_in_the_plane_is_the_truth_within_its_error():
    ring, made = mixtures.target("ring"), linear(1.4, 0.1, dimension=2)
    truth = two_players.jensen_shannon_on_grid(ring, Mixture.of([[0.5, 0.5]], np.hypot(1.4, 0.1)))
    assert_calibrated([two_players.jensen_shannon(ring, made, 1000, seed).deviation(truth) for seed in SEEDS])


def test_jensen_shannon_at_both_ends():
    p, far = Mixture.of([-3.0], 0.1), Mixture.of([3.0], 0.1)
    assert two_players.jensen_shannon_on_grid(p, p) == pytest.approx(0, abs=1e-9)
    assert two_players.jensen_shannon_on_grid(p, far) == pytest.approx(np.log(2), abs=1e-6)
    outside = Mixture.of([0.0, 900.0], 0.5)
    near = Mixture.of([0.0], 0.5)
    expected = two_players.jensen_shannon_on_grid(near, outside, half_width=1000.0, step=0.05)
    assert two_players.jensen_shannon_on_grid(near, outside) == pytest.approx(expected, abs=1e-4)


# --- The discriminator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_modes", "moons", "ring"])
def test_a_discriminator_comes_within_5_percent_of_the_best_one(name):
    game = played(replace(SMALL, target=name), 100)
    judge = two_players.fit_discriminator(game.mixture, game.generator)
    assert two_players.disagreement(judge, game.mixture, game.generator) < 0.05


def test_the_best_discriminator_is_p_over_p_and_q():
    p, q = Mixture.of([-1.0], 0.8), Mixture.of([1.0], 1.2)
    x = np.array([[-1.0], [0.0], [2.0]])
    expected = p.density(x) / (p.density(x) + q.density(x))
    np.testing.assert_allclose(two_players.optimal_discriminator(p, q, x), expected)


def test_the_games_discriminator_learns_towards_it_while_the_generator_stands_still():
    game = two_players.begin(replace(SMALL, discriminator_rate=0.005))
    before = two_players.snapshot(game).disagreement
    for _ in range(300):
        two_players.step(game, DISCRIMINATOR)
    assert two_players.snapshot(game).disagreement < 0.5 * before
    assert game.steps == {DISCRIMINATOR: 300, GENERATOR: 0}


# --- Playing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_brings_the_generator_to_the_data(loss):
    settings = Settings("one_mode", loss=loss, generator_rate=0.002, discriminator_rate=0.002, discriminator_steps=2)
    game = two_players.begin(settings)
    before = two_players.jensen_shannon_on_grid(game.mixture, game.generator, 0.02)
    two_players.run(game, 300)
    assert two_players.jensen_shannon_on_grid(game.mixture, game.generator, 0.02) < 0.5 * before


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
    two_players.jensen_shannon(looked.mixture, looked.generator)
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
    return two_players.modes_covered(game.mixture, game.generator.sample(2000, np.random.default_rng(0)))


def of_generator(game, what: str) -> np.ndarray:
    return np.array([row[what] for row in game.history if row["player"] == GENERATOR])


def test_the_first_preset_covers_the_data(games):
    assert covered(games["works"]) > 0.9
    assert two_players.jensen_shannon(games["works"].mixture, games["works"].generator).value < 0.1


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


def test_modes_covered_counts():
    ring = mixtures.target("ring")
    assert two_players.modes_covered(ring, ring.sample(2000, np.random.default_rng(0))) == 1
    one = ring.means[:1] + 0.05 * np.random.default_rng(0).normal(size=(100, 2))
    assert two_players.modes_covered(ring, one) == 1 / 8
    assert two_players.modes_covered(ring, np.zeros((100, 2))) == 0


# --- A generator alone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_modes", "ring"])
def test_against_a_frozen_density_it_shrinks_and_by_likelihood_it_covers(name):
    settings = Settings(name, width=32, generator_rate=0.005)
    rng = np.random.default_rng(0)
    shrunk = two_players.against_density(settings, 500).generator.sample(2000, rng)
    wide = two_players.by_likelihood(settings, 500).generator.sample(2000, rng)
    mixture = settings.mixture
    assert shrunk.std(0).mean() < 0.5 * np.sqrt(np.diag(mixture.cov)).mean()
    assert two_players.modes_covered(mixture, wide) > two_players.modes_covered(mixture, shrunk)
    assert wide.std(0).mean() == pytest.approx(np.sqrt(np.diag(mixture.cov)).mean(), rel=0.25)


def test_against_a_frozen_density_it_goes_to_the_highest_mode():
    found = two_players.against_density(Settings("two_modes", width=32, generator_rate=0.005), 600).generator
    x = found.sample(2000, np.random.default_rng(0))
    assert x.mean() == pytest.approx(mixtures.target("two_modes").highest[0], abs=0.15)


def test_a_solo_in_parts_is_the_same():
    parts = two_players.run_solo(two_players.begin_solo(SMALL, two_players.LIKELIHOOD), 10)
    two_players.run_solo(parts, 10)
    assert parts.history == two_players.by_likelihood(SMALL, 20).history


def test_naive_likelihood_is_the_mean_of_log_mean_likelihoods():
    solo = two_players.begin_solo(SMALL, two_players.LIKELIHOOD)
    state = solo.draws.random.get_state()
    value, _ = two_players._naive_log_likelihood(solo)
    solo.draws.random.set_state(state)
    real, centres = solo.draws.real(32).numpy(), solo.player.network(solo.draws.normal(32)).detach().numpy()
    each = norm(0, SMALL.noise).logpdf(real[:, None] - centres[None]).sum(-1)
    assert float(value.detach()) == pytest.approx(np.log(np.exp(each).mean(1)).mean(), rel=1e-3)


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
        two_players.begin_solo(SMALL, "x")
