"""Finished games: weights of the players by round, and what was measured of each, in assets.

The browser plays on from any of their frames. Torch is needed to make or restore one, not to read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.mechanisms import density_comparison, fixed_opponent, gan_game
from core.mechanisms.density_comparison import integrate_disagreement
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD, SoloGenerator
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, NON_SATURATING, PRESETS, Game, Settings
from core.mechanisms.monte_carlo import Estimate

HILLS, UNSATURATED, STILL = "hills", "unsaturated", "vanishing"
SHIPPED = Path(__file__).parents[2] / "assets" / "mechanisms"
# name -> settings, rounds, and what the generator learns from
GAMES = {
    **{name: (preset.settings, preset.rounds, DISCRIMINATOR) for name, preset in PRESETS.items()},
    # The preset Vanishing gradient with the other loss.
    UNSATURATED: (replace(PRESETS["vanishing"].settings, loss=NON_SATURATING), 300, DISCRIMINATOR),
    # On two modes of unequal height: a GAN, and a generator without a discriminator.
    HILLS: (Settings(HILLS, discriminator_rate=0.002, waves=2), 2000, DISCRIMINATOR),
    DENSITY: (Settings(HILLS), 400, DENSITY),
    LIKELIHOOD: (Settings(HILLS, generator_rate=0.002), 1500, LIKELIHOOD),
}
_N_FRAMES, _N_STILL = 13, 4  # of a game, and of one in which nothing moves
_MOST_ROUNDS = 600  # in the history
_N_SAMPLES = 2000
_LOSSES = {"D": "loss", "G": "loss", "minimax": "minimax", "nonSaturating": "non_saturating"}
_MEASURED = (
    "js",
    "disagreement",
    "coverage",
    "slope",
    "spread",
    "offset",
    "on_real",
    "on_generated",
    "pulled",
    "pulled_by_likelihood",
)


@dataclass(frozen=True, eq=False)
class FinishedGame:
    """A game of `GAMES` at m of its rounds, the first before any step.

    Attributes
    ----------
    rounds : (m,) int32
    generator, discriminator : (m, weights) float16, in the order of torch's parameters; a solo has no discriminator
    history : name -> (r,): ``round`` from 1, ``D`` and ``G`` the losses of both, in nats, and ``minimax`` and
        ``nonSaturating`` the generator's by both names; NaN where there is none
    means : (r, d) mean of the generated rows at these rounds
    samples : (2000, d) generated at the end
    js : (m,) JS(p, q) in nats, integrated
    js_estimate : at the end, from draws
    disagreement : (m,) mean of |D - p / (p + q)| under (p + q) / 2
    coverage : (m,) share of the mixture's components that samples reach
    slope : (m,) mean length of the gradient of the generator's loss by a sample
    spread : (m,) standard deviation of samples
    offset : (m,) distance of their mean from the highest mode
    on_real, on_generated : (m,) mean D of real rows and of samples, 2,000 each
    pulled, pulled_by_likelihood : (m,) share of the codes of a step whose sample has a gradient longer than 1% of the
        longest: of the generator's loss, and of the likelihood by naive sampling
    """

    rounds: np.ndarray
    generator: np.ndarray
    discriminator: np.ndarray
    history: dict[str, np.ndarray]
    means: np.ndarray
    samples: np.ndarray
    js: np.ndarray
    js_estimate: Estimate
    disagreement: np.ndarray
    coverage: np.ndarray
    slope: np.ndarray
    spread: np.ndarray
    offset: np.ndarray
    on_real: np.ndarray
    on_generated: np.ndarray
    pulled: np.ndarray
    pulled_by_likelihood: np.ndarray


@cache
def read_finished(name: str) -> FinishedGame:
    """The shipped game of this name in `GAMES`; BadInput if its file is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    file = SHIPPED / f"game-{name}.safetensors"
    try:
        arrays = load_file(file)
        value, error, n = arrays.pop("js_estimate").tolist()
        history = {key: arrays.pop(key) for key in list(arrays) if key.startswith("history.")}
        history = {key.removeprefix("history."): values for key, values in history.items()}
        return FinishedGame(history=history, js_estimate=Estimate(value, error, int(n)), **arrays)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        raise BadInput(f"This game can't be shown: {file.name} in assets/mechanisms is missing or damaged.") from None


def restore(name: str, finished: FinishedGame, frame: int) -> Game | SoloGenerator:
    """A game of `GAMES` with the weights of one of its frames; Adam begins anew."""
    import torch

    game = _begin(name)
    for weights, row in zip(_list_weights(game), (finished.generator, finished.discriminator), strict=False):
        torch.nn.utils.vector_to_parameters(torch.as_tensor(row[frame].astype(np.float32)), weights)
    return game


def _begin(name: str) -> Game | SoloGenerator:
    settings, _, teacher = GAMES[name]
    return Game(settings) if teacher == DISCRIMINATOR else SoloGenerator(settings, teacher)


def _list_weights(game: Game | SoloGenerator) -> list[list]:
    """Weights of the generator, and of the discriminator if there is one."""
    if isinstance(game, SoloGenerator):
        return [game.player.weights]
    return [game.players[player].weights for player in (GENERATOR, DISCRIMINATOR)]


def play(name: str) -> FinishedGame:
    """Play a game to its end and measure its frames, with their rounded weights: seconds."""
    import torch

    last = GAMES[name][1]
    shares = np.linspace(0, 1, _N_STILL if name == STILL else _N_FRAMES) ** 1.5
    rounds = np.unique(np.rint(last * shares).astype(np.int32))
    game, weights = _begin(name), []
    for steps in np.diff(rounds, prepend=0):
        (fixed_opponent.train if isinstance(game, SoloGenerator) else gan_game.play_rounds)(game, int(steps))
        vectors = [torch.nn.utils.parameters_to_vector(own).detach() for own in _list_weights(game)]
        weights.append([vector.half().numpy() for vector in vectors])
    generator, *discriminator = (np.stack(rows) for rows in zip(*weights, strict=True))
    history, means = _read_history(game, np.arange(0, last, max(1, last // _MOST_ROUNDS)))
    no_discriminator = np.zeros((len(rounds), 0), np.float16)
    unknown = dict.fromkeys(("samples", *_MEASURED), np.zeros(0))
    played = FinishedGame(
        rounds=rounds,
        generator=generator,
        discriminator=discriminator[0] if discriminator else no_discriminator,
        history=history,
        means=means,
        js_estimate=Estimate(0.0, 0.0, 0),
        **unknown,
    )
    return measure(name, played)


def _read_history(game: Game | SoloGenerator, shown: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Losses at these rounds, from 0, and the means of the generated rows."""
    history = {"round": (shown + 1).astype(np.int32)}
    if isinstance(game, SoloGenerator):
        rows = [game.history[k] for k in shown]
        losses = {key: np.full(len(shown), np.nan) for key in _LOSSES}
        losses["G"] = np.array([-row["value"] for row in rows])
    else:
        rows = [row for row in game.history if row["player"] == GENERATOR]
        # Of a round with several steps of the discriminator the last one counts.
        steps = game.settings.discriminator_steps
        of_discriminator = [row for row in game.history if row["player"] == DISCRIMINATOR][steps - 1 :: steps]
        rows = [rows[k] for k in shown]
        losses = {key: np.array([row[quantity] for row in rows]) for key, quantity in _LOSSES.items()}
        losses["D"] = np.array([of_discriminator[k]["loss"] for k in shown])
    history |= {key: values.astype(np.float16) for key, values in losses.items()}
    return history, np.array([row["mean"] for row in rows], np.float16)


def measure(name: str, finished: FinishedGame) -> FinishedGame:
    """The same game with all that is measured of its frames: seconds."""
    values: dict[str, list[float]] = {key: [] for key in _MEASURED}
    mixture = GAMES[name][0].mixture
    real = mixture.sample(_N_SAMPLES, np.random.default_rng(1))
    for frame in range(len(finished.rounds)):
        game = restore(name, finished, frame)
        samples = game.generator.sample(_N_SAMPLES, np.random.default_rng(0))
        is_game = isinstance(game, Game)
        row = {
            "js": density_comparison.integrate_jensen_shannon(mixture, game.generator),
            "disagreement": integrate_disagreement(game.discriminator, mixture, game.generator) if is_game else np.nan,
            "coverage": density_comparison.compute_mode_coverage(mixture, samples),
            "slope": gan_game.compute_sample_gradients(game, samples).mean() if is_game else np.nan,
            "spread": np.sqrt(samples.var(axis=0).mean()),
            "offset": np.linalg.norm(samples.mean(axis=0) - mixture.mode),
            **_measure_pull(game),
            "on_real": game.discriminator(real).mean() if is_game else np.nan,
            "on_generated": game.discriminator(samples).mean() if is_game else np.nan,
        }
        for key, value in row.items():
            values[key].append(value)
    estimate = density_comparison.estimate_jensen_shannon(mixture, game.generator, _N_SAMPLES)
    arrays = {key: np.array(rows, np.float32) for key, rows in values.items()}
    return replace(finished, samples=samples.astype(np.float16), js_estimate=estimate, **arrays)


def _measure_pull(game: Game | SoloGenerator) -> dict[str, float]:
    """`FinishedGame.pulled` and `FinishedGame.pulled_by_likelihood`: a mean over 20 steps."""
    if isinstance(game, SoloGenerator):
        return {"pulled": np.nan, "pulled_by_likelihood": np.nan}
    rng, n, d, shares = np.random.default_rng(2), game.settings.batch, game.mixture.dimension, []
    for _ in range(20):
        real, z, eps = game.mixture.sample(n, rng), *rng.standard_normal((2, n, d))
        centres = game.generator.decode(z)
        # The gradient by a centre is a mean over real rows, each weighted by what it owes to this centre.
        squared = ((real[:, None, :] - centres) ** 2).sum(axis=2) / game.settings.noise**2
        weights = np.exp(-0.5 * (squared - squared.min(axis=1, keepdims=True)))
        weights /= weights.sum(axis=1, keepdims=True)
        by_likelihood = np.linalg.norm((weights[:, :, None] * (real[:, None, :] - centres)).sum(axis=0), axis=1)
        by_discriminator = gan_game.compute_sample_gradients(game, centres + game.settings.noise * eps)
        shares.append([(lengths > 0.01 * lengths.max()).mean() for lengths in (by_discriminator, by_likelihood)])
    return dict(zip(("pulled", "pulled_by_likelihood"), np.mean(shares, axis=0), strict=True))


def ship(say: Callable[[str], None]) -> None:
    """Play all games and write them to `SHIPPED`: half a minute."""
    from safetensors.numpy import save_file

    for name in GAMES:
        game = play(name)
        arrays = {key: value for key, value in vars(game).items() if isinstance(value, np.ndarray)}
        arrays |= {f"history.{key}": values for key, values in game.history.items()}
        arrays["js_estimate"] = np.array([game.js_estimate.value, game.js_estimate.error, game.js_estimate.n])
        save_file({key: np.ascontiguousarray(a) for key, a in arrays.items()}, SHIPPED / f"game-{name}.safetensors")
        say(f"game {name}: round {game.rounds[-1]}, JS {game.js[-1]:.3f} nats, coverage {game.coverage[-1]:.0%}")
