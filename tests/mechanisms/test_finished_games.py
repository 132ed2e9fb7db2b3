"""Finished games: they are those of their settings, their measures hold, each shows what it is named for."""

import numpy as np
import pytest
import torch

from core.errors import BadInput
from core.mechanisms import density_comparison, finished_games, fixed_opponent, gan_game
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, PRESETS
from core.mechanisms.gaussian_mixtures import TARGETS


@pytest.mark.parametrize("name", finished_games.GAMES)
def test_game_is_that_of_its_settings_and_its_measures_hold(name):
    finished, (settings, last, teacher) = finished_games.read_finished(name), finished_games.GAMES[name]
    assert (finished.rounds[0], finished.rounds[-1]) == (0, last)
    at = 1
    if teacher == DISCRIMINATOR:
        game = gan_game.play_rounds(gan_game.Game(settings), int(finished.rounds[at]))
        weights = {GENERATOR: finished.generator, DISCRIMINATOR: finished.discriminator}
        played = {player: game.players[player].weights for player in weights}
    else:
        game = fixed_opponent.train(fixed_opponent.SoloGenerator(settings, teacher), int(finished.rounds[at]))
        weights, played = {GENERATOR: finished.generator}, {GENERATOR: game.player.weights}
    for player, rows in weights.items():
        vector = torch.nn.utils.parameters_to_vector(played[player]).detach().numpy()
        np.testing.assert_allclose(vector, rows[at], atol=2e-3)
    restored = finished_games.restore(name, finished, -1)
    assert finished.js[-1] == pytest.approx(
        density_comparison.integrate_jensen_shannon(settings.mixture, restored.generator), abs=1e-3
    )
    # Close to log 2 few draws count, so that their spread says little.
    assert finished.js_estimate.value == pytest.approx(finished.js[-1], abs=max(3 * finished.js_estimate.error, 2e-3))
    samples = restored.generator.sample(4000, np.random.default_rng(5))
    assert finished.spread[-1] == pytest.approx(np.sqrt(samples.var(axis=0).mean()), rel=0.1)
    if teacher == DISCRIMINATOR:
        sampled = fixed_opponent.estimate_disagreement(restored.discriminator, settings.mixture, restored.generator)
        assert finished.disagreement[-1] == pytest.approx(sampled, abs=0.02)


def test_presets_show_what_they_are_named_for():
    works, collapsed, oscillates, still = map(finished_games.read_finished, PRESETS)
    assert works.coverage[-1] > 0.9
    assert works.js[-1] < 0.1 < works.js[5]
    assert 0 < collapsed.coverage[-1] <= 0.5
    path = oscillates.means[:, 0].astype(float) - PRESETS["oscillation"].settings.mixture.mean[0]
    assert path[len(path) // 2 :].std() > 0.3
    assert (np.diff(np.sign(np.convolve(path, np.ones(10) / 10, "valid"))) != 0).sum() >= 5
    unsaturated = finished_games.read_finished(finished_games.UNSATURATED)
    assert still.slope[-1] < 1e-4 < 0.1 < min(collapsed.slope[-1], unsaturated.slope[-1])
    assert still.js[-1] == pytest.approx(np.log(2), abs=1e-3)


def test_generator_without_a_discriminator_collapses_or_covers():
    frozen, likely = map(finished_games.read_finished, (DENSITY, LIKELIHOOD))
    settings = finished_games.GAMES[DENSITY][0]
    assert [name for name, (_, each) in TARGETS.items() if each.dimension == 2 and each.has_highest_mode] == ["hills"]
    assert np.allclose(settings.mixture.mode, [1.2, 0.6], atol=1e-3)
    assert frozen.offset[-1] < 0.03
    assert frozen.spread[-1] == pytest.approx(settings.noise, rel=0.1)
    deviation = np.sqrt(settings.mixture.sample(9000, np.random.default_rng(0)).var(axis=0).mean())
    assert settings.mixture.deviation == pytest.approx(deviation, rel=0.03)
    assert likely.spread[-1] == pytest.approx(deviation, rel=0.1)


def test_history_has_both_losses_of_the_generator():
    history = finished_games.read_finished("works").history
    assert np.array_equal(history["G"], history["nonSaturating"])
    # The mean of log(1 - D) is at most log(1 - exp(mean of log D)), by Jensen's inequality.
    bound = np.log1p(-np.exp(-history["nonSaturating"].astype(float)))
    assert (history["minimax"] <= bound + 1e-2).all()
    assert np.array_equal((still := finished_games.read_finished("vanishing").history)["G"], still["minimax"])


def test_gradients_of_likelihood_are_counted_as_autograd_has_them():
    finished, at = finished_games.read_finished("works"), 1
    game, shares, rng = finished_games.restore("works", finished, at), [], np.random.default_rng(9)
    for _ in range(20):
        real, z = (
            torch.as_tensor(rows, dtype=torch.float64)
            for rows in (game.mixture.sample(128, rng), rng.normal(size=(128, 2)))
        )
        centres = torch.as_tensor(game.generator.decode(z)).requires_grad_()
        normal = torch.distributions.Normal(centres, game.settings.noise)
        value = normal.log_prob(real[:, None, :]).sum(dim=2).logsumexp(dim=1).mean()
        lengths = torch.autograd.grad(value, centres)[0].norm(dim=1)
        shares.append(float((lengths > 0.01 * lengths.max()).double().mean()))
    assert finished.pulled_by_likelihood[at] == pytest.approx(np.mean(shares), abs=0.06)
    assert finished.pulled_by_likelihood[at] < 0.3 < 0.99 < finished.pulled[at]


def test_losses_at_the_end_are_those_of_the_last_weights():
    finished = finished_games.read_finished("works")
    game = finished_games.restore("works", finished, -1)
    real, made = (
        torch.as_tensor(each.sample(9000, np.random.default_rng(3))) for each in (game.mixture, game.generator)
    )
    on_real, on_made = (np.log(game.discriminator(rows)).mean() for rows in (real, made))
    off_made = np.log1p(-game.discriminator(made)).mean()
    late = {name: values[-60:].astype(float).mean() for name, values in finished.history.items()}
    assert late["D"] == pytest.approx(-on_real - off_made, abs=0.03)
    assert (late["nonSaturating"], late["minimax"]) == pytest.approx((-on_made, off_made), abs=0.03)
    # Close to what they have if q equals p.
    assert (late["D"], late["nonSaturating"], late["minimax"]) == pytest.approx(
        np.log(2) * np.array([2, 1, -1]), abs=0.05
    )


@pytest.mark.parametrize("kept", [None, 0, 2000])
def test_missing_or_damaged_game_is_named(kept, tmp_path, monkeypatch):
    name = "game-works.safetensors"
    if kept is not None:
        (tmp_path / name).write_bytes((finished_games.SHIPPED / name).read_bytes()[:kept])
    monkeypatch.setattr(finished_games, "SHIPPED", tmp_path)
    with pytest.raises(BadInput, match=name):
        finished_games.read_finished.__wrapped__("works")
