"""A generator against a discriminator on data of known density, so that the best discriminator is known too.

The generator pushes z ~ N(0, I) through a small network and adds a little noise, x = G(z) + noise * eps. So its
density is q(x) = E_z N(x; G(z), noise^2 I): an average over z estimates it without bias, the best discriminator
p / (p + q) can be drawn beside the learned one, and the same generator can be trained by likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

from core.errors import BadInput, Diverged
from core.mechanisms import gaussian_mixtures
from core.mechanisms.density_comparison import best_answer, make_grid_points
from core.mechanisms.gaussian_mixtures import Mixture
from core.mechanisms.toy_networks import (
    MOST_WAVES,
    Discriminator,
    NoisyGenerator,
    Player,
    Sampler,
    make_discriminator,
    make_network,
)
from core.nn import losses
from core.types import Param, check_params

NON_SATURATING, MINIMAX, LEAST_SQUARES, WASSERSTEIN = "non_saturating", "minimax", "least_squares", "wasserstein_gp"
# loss -> what people read
LOSSES = {
    NON_SATURATING: "Non-saturating",
    MINIMAX: "Minimax",
    LEAST_SQUARES: "Least squares",
    WASSERSTEIN: "Wasserstein with gradient penalty",
}
DISCRIMINATOR, GENERATOR = "discriminator", "generator"
HALF_WIDTH = 4.0

PARAMS = (
    Param("loss", NON_SATURATING, tuple(LOSSES), "Losses of the two players."),
    Param("generator_rate", 0.001, (1e-5, 0.1), "Learning rate of the generator's Adam."),
    Param("discriminator_rate", 0.001, (1e-5, 0.1), "Learning rate of the discriminator's Adam."),
    Param("discriminator_steps", 1, (1, 20), "Steps of the discriminator before each step of the generator."),
    Param("momentum", 0.5, (0.0, 0.95), "Decay of Adam's running mean of the gradient, for both players."),
    Param("width", 64, (2, 256), "Units in each of the two hidden layers of both networks."),
    Param("waves", 3, (0, MOST_WAVES), "Octaves of sines and cosines that the discriminator sees: more are sharper."),
    Param("penalty", 0.1, (0.001, 100.0), "Weight of the gradient penalty, with Wasserstein alone."),
    Param("batch", 128, (8, 2048), "Real and generated rows a step."),
    Param("noise", 0.1, (0.05, 0.5), "Deviation of the noise that the generator adds, in units of the data."),
    Param("seed", 0, (0, 2**31 - 1), "Of the weights at the start and of all draws."),
)


@dataclass(frozen=True)
class Settings:
    """One game. What each number means and may be is in `PARAMS`; `target` is a name in `TARGETS` or a mixture."""

    target: str | Mixture = "moons"
    loss: str = NON_SATURATING
    generator_rate: float = 0.001
    discriminator_rate: float = 0.001
    discriminator_steps: int = 1
    momentum: float = 0.5
    width: int = 64
    waves: int = 3
    penalty: float = 0.1
    batch: int = 128
    noise: float = 0.1
    seed: int = 0

    @property
    def objective(self) -> str:
        """`loss` as `core.nn.losses` spells it; links have underscores."""
        return self.loss.replace("_", "-")

    @cached_property
    def mixture(self) -> Mixture:
        return self.target if isinstance(self.target, Mixture) else gaussian_mixtures.get_target(self.target)

    def validate(self) -> Settings:
        """These settings, each number of its type.

        Raises BadInput for a value that `PARAMS` does not allow, or unknown data.
        """
        given = {param.name: getattr(self, param.name) for param in PARAMS}
        found = replace(self, **check_params(PARAMS, given, "the game"))
        _ = found.mixture
        return found


@dataclass(frozen=True)
class Preset:
    """A game that shows one effect within so many rounds, and a description of that effect."""

    label: str
    look_for: str
    settings: Settings
    rounds: int


PRESETS = {
    "works": Preset(
        "Convergence",
        "The samples cover both moons, and the output of the discriminator approaches 1/2.",
        Settings("moons"),
        1500,
    ),
    "mode_collapse": Preset(
        "Mode collapse",
        "The samples gather on a few of the eight modes: the sharp, fast discriminator leaves the slow generator no "
        "gradient from one mode to the next.",
        Settings("ring", generator_rate=0.0005, discriminator_rate=0.005, waves=4, batch=64),
        600,
    ),
    "oscillation": Preset(
        "Oscillation",
        "The samples move from one side of the mode to the other and back: each player responds to the previous "
        "position of the other, and high learning rates with momentum overshoot.",
        Settings("one_mode", generator_rate=0.003, discriminator_rate=0.003, momentum=0.9, waves=0),
        1000,
    ),
    "vanishing": Preset(
        "Vanishing gradient",
        "The generator does not move: the discriminator detects every sample, and log(1 − D) is flat where D is 0. "
        "The non-saturating loss avoids this.",
        Settings(
            "ring", MINIMAX, generator_rate=0.0001, discriminator_rate=0.01, discriminator_steps=3, waves=4, batch=64
        ),
        300,
    ),
}


def make_generator(settings: Settings, random: Any) -> nn.Module:
    """A generator whose rows lie about the data's mean, as they do where data are centred."""
    import torch

    d = settings.mixture.dimension
    network = make_network(d, d, settings.width, random)
    with torch.no_grad():
        network[-1].bias.copy_(torch.as_tensor(settings.mixture.mean))
    return network


@dataclass(eq=False)
class Game:
    """A game and where it is.

    Attributes
    ----------
    settings : as checked
    history : a row a step: ``step`` from 1, ``player``, ``loss`` (see `core.nn.losses`; the discriminator's with its
        weighted penalty), ``gradient`` (length of the loss's gradient by the player's weights) and ``mean`` (of the
        step's generated rows, d floats)
    steps : player -> how many steps it made
    """

    settings: Settings
    players: dict[str, Player]
    sampler: Sampler
    history: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=lambda: {DISCRIMINATOR: 0, GENERATOR: 0})

    @property
    def mixture(self) -> Mixture:
        return self.settings.mixture

    @property
    def generator(self) -> NoisyGenerator:
        """The generator as it is; it goes on learning with the game."""
        return NoisyGenerator(self.players[GENERATOR].network, self.settings.noise, self.mixture.dimension)

    @property
    def discriminator(self) -> Discriminator:
        """The discriminator, or critic, as it is; it goes on learning with the game."""
        return Discriminator(self.players[DISCRIMINATOR].network, self.settings.loss in (NON_SATURATING, MINIMAX))


def begin_game(settings: Settings) -> Game:
    """A game before its first step; raises as `Settings.validate`."""
    import torch

    settings = settings.validate()
    random = torch.Generator().manual_seed(settings.seed)
    generator = Player(make_generator(settings, random), settings.generator_rate, settings.momentum)
    judge = make_discriminator(settings.mixture.dimension, settings.width, settings.waves, random)
    discriminator = Player(judge, settings.discriminator_rate, settings.momentum)
    players = {DISCRIMINATOR: discriminator, GENERATOR: generator}
    return Game(settings, players, Sampler(settings.mixture, settings.noise, random))


def take_step(game: Game, player: str) -> dict[str, Any]:
    """One step of ``"discriminator"`` or ``"generator"`` on fresh draws; returns its row of the history.

    Raises BadInput for another player, Diverged when a loss is no longer a finite number.
    """
    if player not in game.players:
        raise BadInput(f"There is no player {player!r:.40}: choose {DISCRIMINATOR} or {GENERATOR}.")
    loss, made = (_discriminator_turn if player == DISCRIMINATOR else _generator_turn)(game)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise Diverged(f"The {player}'s loss is no longer a finite number: begin again with lower learning rates.")
    gradient = game.players[player].descend(loss)
    game.steps[player] += 1
    mean = tuple(made.detach().mean(dim=0).tolist())
    row = {"step": len(game.history) + 1, "player": player, "loss": value, "gradient": gradient, "mean": mean}
    game.history.append(row)
    return row


def _discriminator_turn(game: Game) -> tuple[Tensor, Tensor]:
    """The discriminator's loss, and the generated rows it is from."""
    import torch

    n, network = game.settings.batch, game.players[DISCRIMINATOR].network
    real = game.sampler.sample_real(n)
    with torch.no_grad():
        made = game.sampler.sample_generated(game.players[GENERATOR].network, n)
    on_real, on_made = network(torch.cat([real, made])).squeeze(1).split(n)
    loss = losses.discriminator_loss(game.settings.objective, on_real, on_made)
    if game.settings.loss == WASSERSTEIN:
        loss = loss + game.settings.penalty * losses.wasserstein_penalty(
            network, real, made, game.sampler.sample_uniform(n)
        )
    return loss, made


def _generator_turn(game: Game) -> tuple[Tensor, Tensor]:
    """The generator's loss, and the generated rows it is from."""
    made = game.sampler.sample_generated(game.players[GENERATOR].network, game.settings.batch)
    return losses.generator_loss(game.settings.objective, game.players[DISCRIMINATOR].network(made).squeeze(1)), made


def play_rounds(game: Game, rounds: int, on_round: Callable[[Game], bool | None] | None = None) -> Game:
    """Play rounds: `discriminator_steps` steps of the discriminator, then one of the generator.

    Ten rounds and ten more are the same game as twenty, to the last bit.

    Parameters
    ----------
    on_round : called with the game after each round; playing ends when it returns True

    Raises Diverged as `step`.
    """
    for _ in range(rounds):
        for _ in range(game.settings.discriminator_steps):
            take_step(game, DISCRIMINATOR)
        take_step(game, GENERATOR)
        if on_round is not None and on_round(game):
            break
    return game


# --- A game as numbers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Frame:
    """A game at one moment, in numpy arrays. Values on the grid are (s,) in 1-D, and (s, s) in 2-D: [y, x].

    Attributes
    ----------
    axis : (s,) places along each axis, in [-4, 4]
    samples, real : (n, d) generated and real rows
    learned : D on the grid, see `Discriminator`
    optimal : p / (p + q) on the grid, the best D of every loss but Wasserstein's (None): Goodfellow et al. 2014,
        proposition 1; least squares has the same (Mao et al. 2017, eq. 5)
    p, q : true and generated density on the grid, per unit of length or area
    disagreement : mean of |D - p / (p + q)| over the grid, weighted by (p + q) / 2; None where `optimal` is
    losses : player -> its last loss; nothing before its first step
    """

    axis: np.ndarray
    samples: np.ndarray
    real: np.ndarray
    learned: np.ndarray
    optimal: np.ndarray | None
    p: np.ndarray
    q: np.ndarray
    disagreement: float | None
    losses: dict[str, float]


def take_snapshot(game: Game, n_samples: int = 500, side: int | None = None, n_codes: int = 2048) -> Frame:
    """What a picture of the game needs; the game itself is left as it is.

    Parameters
    ----------
    side : places along each axis; 200 in 1-D and 40 in 2-D unless given
    n_codes : see `NoisyGenerator.density`
    """
    d = game.mixture.dimension
    axis = np.linspace(-HALF_WIDTH, HALF_WIDTH, side or (200 if d == 1 else 40))
    at = make_grid_points(axis, d)
    learned = game.discriminator(at)
    log_p, log_q = game.mixture.log_density(at), game.generator.log_density(at, n_codes)
    p, q, optimal, error = np.exp(log_p), np.exp(log_q), None, None
    shape = [len(axis)] * d
    if game.settings.loss != WASSERSTEIN:
        optimal = best_answer(log_p, log_q).reshape(shape)
        error = float(np.average(np.abs(learned - optimal.ravel()), weights=p + q))
    samples, real = (
        drawn.sample(n_samples, np.random.default_rng(game.settings.seed)) for drawn in (game.generator, game.mixture)
    )
    learned, p, q = (values.reshape(shape) for values in (learned, p, q))
    last = {row["player"]: row["loss"] for row in game.history}
    return Frame(axis, samples, real, learned, optimal, p, q, error, last)
