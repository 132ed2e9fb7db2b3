"""A generator against a discriminator on data of known density, so that the best discriminator is known too.

The generator pushes z ~ N(0, I) through a small network and adds a little noise, x = G(z) + noise * eps. So its
density is q(x) = E_z N(x; G(z), noise^2 I): an average over z estimates it without bias, the best discriminator
p / (p + q) can be drawn beside the learned one, and the same generator can be trained by likelihood.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from core.mechanisms import mixtures
from core.mechanisms.estimates import Estimate
from core.mechanisms.mixtures import Mixture
from core.types import BadInput, Diverged, Param, check_params

if TYPE_CHECKING:
    from torch import Tensor, nn

NON_SATURATING, MINIMAX, LEAST_SQUARES, WASSERSTEIN = "non_saturating", "minimax", "least_squares", "wasserstein_gp"
# loss -> what people read
LOSSES = {
    NON_SATURATING: "Non-saturating",
    MINIMAX: "Minimax",
    LEAST_SQUARES: "Least squares",
    WASSERSTEIN: "Wasserstein with gradient penalty",
}
DISCRIMINATOR, GENERATOR = "discriminator", "generator"
DENSITY, LIKELIHOOD = "density", "likelihood"
HALF_WIDTH = 4.0
_DECAY = 0.99
_CODES = 4096
_CHUNK = 4_000_000
_WAVES = (0.5, 1.0, 2.0, 4.0)  # radians per unit of the data
# Of its due share that a mode must get to count as covered, and how many deviations around its mean belong to it.
_DUE, _REACH = 1 / 3, 3.0

PARAMS = (
    Param("loss", NON_SATURATING, tuple(LOSSES), "Losses of the two players."),
    Param("generator_rate", 0.001, (1e-5, 0.1), "Learning rate of the generator's Adam."),
    Param("discriminator_rate", 0.001, (1e-5, 0.1), "Learning rate of the discriminator's Adam."),
    Param("discriminator_steps", 1, (1, 20), "Steps of the discriminator before each step of the generator."),
    Param("momentum", 0.5, (0.0, 0.95), "Decay of Adam's running mean of the gradient, for both players."),
    Param("width", 64, (2, 256), "Units in each of the two hidden layers of both networks."),
    Param(
        "waves", 3, (0, 4), "Octaves of sines and cosines that the discriminator sees: more let it draw sharper edges."
    ),
    Param("penalty", 0.1, (0.001, 100.0), "Weight of the gradient penalty, with Wasserstein alone."),
    Param("batch", 128, (8, 2048), "Real and generated rows a step."),
    Param("noise", 0.1, (0.05, 0.5), "Deviation of the noise that the generator adds, in units of the data."),
    Param("seed", 0, (0, 2**31 - 1), "Of the weights at the start and of all draws."),
)


class Distribution(Protocol):
    """What has a density and can be drawn from: a `Mixture`, or a `NoisyGenerator`."""

    dimension: int

    def log_density(self, x: Any) -> np.ndarray: ...

    def on_grid(self, axis: np.ndarray) -> np.ndarray: ...

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray: ...


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

    @cached_property
    def mixture(self) -> Mixture:
        return self.target if isinstance(self.target, Mixture) else mixtures.target(self.target)

    def checked(self) -> Settings:
        """These settings, each number of its type.

        Raises
        ------
        BadInput
            For a value that `PARAMS` does not allow, or unknown data.
        """
        given = {param.name: getattr(self, param.name) for param in PARAMS}
        found = replace(self, **check_params(PARAMS, given, "the game"))
        _ = found.mixture
        return found


def discriminator_loss(loss: str, real: Tensor, made: Tensor) -> Tensor:
    """What the discriminator minimises, a mean over the batch, from its outputs on real and generated rows: (n,) each.

    Outputs are logits, and the loss in nats, sum of both halves, for non-saturating and minimax: -log D(x) - log(1 -
    D(G(z))), Goodfellow et al. 2014, eq. 1. Least squares: ((D(x) - 1)^2 + D(G(z))^2) / 2, Mao et al. 2017, eq. 2
    with a = 0, b = 1. Wasserstein: D(G(z)) - D(x), in units of the data, Gulrajani et al. 2017, eq. 3, but for its
    penalty (`gradient_penalty`).
    """
    from torch.nn.functional import softplus

    if loss == LEAST_SQUARES:
        return 0.5 * ((real - 1).square().mean() + made.square().mean())
    if loss == WASSERSTEIN:
        return made.mean() - real.mean()
    return softplus(-real).mean() + softplus(made).mean()


def generator_loss(loss: str, made: Tensor) -> Tensor:
    """What the generator minimises, a mean over the batch, from the discriminator's outputs on generated rows: (n,).

    In nats, minimax: log(1 - D(G(z))), Goodfellow et al. 2014, eq. 1; non-saturating: -log D(G(z)), section 3.
    Least squares: (D(G(z)) - 1)^2 / 2, Mao et al. 2017, eq. 2 with c = 1. Wasserstein: -D(G(z)), in units of the data.
    """
    from torch.nn.functional import softplus

    if loss == MINIMAX:
        return -softplus(made).mean()
    if loss == LEAST_SQUARES:
        return 0.5 * (made - 1).square().mean()
    if loss == WASSERSTEIN:
        return -made.mean()
    return softplus(-made).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """Mean of (|grad D| - 1)^2 at share * real + (1 - share) * made: rows (n, d), share (n, 1) in [0, 1] -> scalar.

    Gulrajani et al. 2017, eq. 3, without its weight: 10 for images, 0.1 for toy data in the authors' code.
    """
    import torch

    between = (share * real + (1 - share) * made).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()


@dataclass(frozen=True)
class Preset:
    """A game that shows one thing within so many rounds, and what to look for in it."""

    label: str
    look_for: str
    settings: Settings
    rounds: int


PRESETS = {
    "works": Preset(
        "A game that settles",
        "Watch the samples fill both moons while the discriminator's answers fade towards 1/2.",
        Settings("moons"),
        1500,
    ),
    "mode_collapse": Preset(
        "Mode collapse",
        "Watch the samples gather on a few of the eight modes: a sharp, fast discriminator leaves the slow generator "
        "no slope that leads from one mode to the next.",
        Settings("ring", generator_rate=0.0005, discriminator_rate=0.005, waves=4, batch=64),
        600,
    ),
    "oscillation": Preset(
        "Oscillation",
        "Watch the samples run from one side of the mode to the other and back: each player answers where the other "
        "one was, and high rates with momentum carry both too far.",
        Settings("one_mode", generator_rate=0.003, discriminator_rate=0.003, momentum=0.9, waves=0),
        1000,
    ),
    "vanishing": Preset(
        "Vanishing gradient",
        "Watch the generator stand still: the discriminator tells every sample, and log(1 - D) is flat where D is 0. "
        "The non-saturating loss moves it.",
        Settings(
            "ring",
            MINIMAX,
            generator_rate=0.0001,
            discriminator_rate=0.01,
            discriminator_steps=3,
            waves=4,
            batch=64,
        ),
        300,
    ),
}


@dataclass(frozen=True, eq=False)
class NoisyGenerator:
    """x = G(z) + noise * eps with z ~ N(0, I) and eps ~ N(0, I).

    Attributes
    ----------
    network : G, from codes (n, dimension) to (n, dimension)
    noise : deviation, in units of the data
    """

    network: nn.Module
    noise: float
    dimension: int

    def centres(self, z: Any) -> np.ndarray:
        """G(z) of codes: (n, dimension) -> (n, dimension) float64."""
        import torch

        with torch.no_grad():
            return self.network(torch.as_tensor(np.asarray(z), dtype=torch.float32)).double().numpy()

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n independent draws: (n, dimension) float64."""
        z, eps = rng.standard_normal((2, n, self.dimension))
        return self.centres(z) + self.noise * eps

    def log_density(self, x: Any, n_codes: int = _CODES, seed: int = 0) -> np.ndarray:
        """Natural logarithm of `density`, finite where that is too small for a float: (n, d) -> (n,) float64."""
        import torch

        x = torch.as_tensor(np.asarray(x), dtype=torch.float32) / self.noise
        centres = self.centres(_even_codes(n_codes, self.dimension, seed))
        centres = torch.as_tensor(centres, dtype=torch.float32) / self.noise
        lengths = 0.5 * centres.square().sum(dim=1)
        parts = []
        for part in x.split(max(1, _CHUNK // n_codes)):
            # |x - c|^2 / 2 as a matrix product: many times faster than differences
            logs = torch.addmm(-lengths, part, centres.T).logsumexp(dim=1)
            parts.append(logs - 0.5 * part.square().sum(dim=1))
        scale = math.log(n_codes) + self.dimension * math.log(self.noise * math.sqrt(2 * math.pi))
        return torch.cat(parts).double().numpy() - scale

    def density(self, x: Any, n_codes: int = _CODES, seed: int = 0) -> np.ndarray:
        """q(x), per unit of length or area, as the mean of N(x; G(z), noise^2 I) over `n_codes` codes.

        The codes form a lattice moved by a random shift, so each one is a draw from N(0, I) and the mean has no bias,
        and together they are more even than independent draws, so that it has less spread.

        Parameters
        ----------
        x : (n, dimension)

        Returns
        -------
        (n,) float64

        References
        ----------
        Cranley and Patterson 1976, Randomization of number theoretic methods for multiple integration.
        """
        return np.exp(self.log_density(x, n_codes, seed))

    def on_grid(self, axis: np.ndarray, n_codes: int = _CODES, seed: int = 0) -> np.ndarray:
        """`density` at all places of a grid, see `Mixture.on_grid`."""
        return Mixture.of(self.centres(_even_codes(n_codes, self.dimension, seed)), self.noise).on_grid(axis)


def _even_codes(n: int, dimension: int, seed: int) -> np.ndarray:
    """Codes (n, dimension), each of them N(0, I): a lattice in the unit interval or square (Fibonacci's), shifted."""
    from scipy.special import ndtri

    steps = np.array([1 / n, (math.sqrt(5) - 1) / 2])[:dimension]
    even = (np.arange(n)[:, None] * steps + np.random.default_rng(seed).random(dimension)) % 1
    return ndtri(np.clip(even, 1e-12, 1 - 1e-12))


def small_network(n_in: int, n_out: int, width: int, generator: Any) -> nn.Sequential:
    """Two hidden layers with SiLU, weights drawn as torch draws them but from `generator` alone."""
    from torch import nn

    layers = [nn.utils.skip_init(nn.Linear, *sizes) for sizes in ((n_in, width), (width, width), (width, n_out))]
    for layer in layers:
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(layer.in_features)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return nn.Sequential(layers[0], nn.SiLU(), layers[1], nn.SiLU(), layers[2])


def _judge(n_in: int, width: int, waves: int, generator: Any) -> nn.Module:
    """A discriminator or critic, to one output: the rows and their sines and cosines, then `small_network`.

    With the coordinates alone a network this small takes thousands of steps to learn an edge as narrow as a mode
    (Tancik et al. 2020, Fourier features let networks learn high frequency functions).
    """
    from torch import nn

    network = small_network((2 * waves + 1) * n_in, 1, width, generator)
    return nn.Sequential(_waves_module()(waves), *network) if waves else network


@cache
def _waves_module() -> type[nn.Module]:
    """The layer that puts rows (n, d) beside their sines and cosines: (n, (2 * waves + 1) * d)."""
    import torch
    from torch import nn

    class Waves(nn.Module):
        def __init__(self, waves: int) -> None:
            super().__init__()
            self.register_buffer("waves", torch.tensor(_WAVES[:waves]))

        def forward(self, x: Tensor) -> Tensor:
            angles = (x[:, :, None] * self.waves).flatten(1)  # (n, d * waves)
            return torch.cat([x, angles.sin(), angles.cos()], dim=1)

    return Waves


class Draws:
    """Real rows, codes and noise for training, as float32 tensors from one torch generator."""

    def __init__(self, mixture: Mixture, noise: float, random: Any):
        import torch

        self.random, self.noise, self.dimension = random, noise, mixture.dimension
        arrays = (mixture.weights, mixture.means, mixture.deviations)
        self.weights, self.means, self.deviations = (torch.as_tensor(a, dtype=torch.float32) for a in arrays)

    def normal(self, n: int) -> Tensor:
        import torch

        return torch.randn((n, self.dimension), generator=self.random)

    def real(self, n: int) -> Tensor:
        import torch

        component = torch.multinomial(self.weights, n, replacement=True, generator=self.random)
        return self.means[component] + self.deviations[component, None] * self.normal(n)

    def made(self, network: nn.Module, n: int) -> Tensor:
        return network(self.normal(n)) + self.noise * self.normal(n)

    def share(self, n: int) -> Tensor:
        import torch

        return torch.rand((n, 1), generator=self.random)


class Player:
    """A network and its Adam."""

    def __init__(self, network: nn.Module, rate: float, momentum: float):
        import torch

        self.network = network
        self.weights = list(network.parameters())
        # Fused: for networks this small the other kinds take longer than both passes.
        self.optimizer = torch.optim.Adam(self.weights, lr=rate, betas=(momentum, _DECAY), fused=True)

    def descend(self, loss: Tensor) -> float:
        """One step down the gradient of `loss` by this player's weights alone; returns the gradient's length."""
        import torch

        gradients = torch.autograd.grad(loss, self.weights)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


def starting_generator(settings: Settings, random: Any) -> nn.Module:
    """A generator whose rows lie about the data's mean, as they do where data are centred."""
    import torch

    d = settings.mixture.dimension
    network = small_network(d, d, settings.width, random)
    with torch.no_grad():
        network[-1].bias.copy_(torch.as_tensor(settings.mixture.mean))
    return network


@dataclass(eq=False)
class Game:
    """A game and where it is.

    Attributes
    ----------
    settings : as checked
    history : a row a step: ``step`` from 1, ``player``, ``loss`` (see the two losses; the discriminator's with its
        weighted penalty), ``gradient`` (length of the loss's gradient by the player's weights) and ``mean`` (of the
        step's generated rows, d floats)
    steps : player -> how many steps it made
    """

    settings: Settings
    players: dict[str, Player]
    draws: Draws
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
        squash = self.settings.loss in (NON_SATURATING, MINIMAX)
        return Discriminator(self.players[DISCRIMINATOR].network, squash)


@dataclass(frozen=True, eq=False)
class Discriminator:
    """D(x) of rows, (n, d) -> (n,) float64.

    A probability in [0, 1] where `squash`; else the network's output: a number near [0, 1] with least squares, a score
    in units of the data, up to a constant, with Wasserstein.
    """

    network: nn.Module
    squash: bool = True

    def __call__(self, x: Any) -> np.ndarray:
        import torch

        with torch.no_grad():
            out = self.network(torch.as_tensor(np.asarray(x), dtype=torch.float32)).squeeze(1)
            return (out.sigmoid() if self.squash else out).double().numpy()


def begin(settings: Settings) -> Game:
    """A game before its first step.

    Raises
    ------
    BadInput
        See `Settings.checked`.
    """
    import torch

    settings = settings.checked()
    random = torch.Generator().manual_seed(settings.seed)
    made = starting_generator(settings, random)
    judge = _judge(settings.mixture.dimension, settings.width, settings.waves, random)
    players = {
        DISCRIMINATOR: Player(judge, settings.discriminator_rate, settings.momentum),
        GENERATOR: Player(made, settings.generator_rate, settings.momentum),
    }
    return Game(settings, players, Draws(settings.mixture, settings.noise, random))


def step(game: Game, player: str) -> dict[str, Any]:
    """One step of ``"discriminator"`` or ``"generator"`` on fresh draws; returns its row of the history.

    Raises
    ------
    BadInput
        For another player.
    Diverged
        When a loss is no longer a finite number.
    """
    if player not in game.players:
        raise BadInput(f"There is no player {player!r:.40}: choose {DISCRIMINATOR} or {GENERATOR}.")
    loss, made = (_discriminator_turn if player == DISCRIMINATOR else _generator_turn)(game)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise Diverged(f"The {player}'s loss is no longer a finite number: begin again with lower learning rates.")
    gradient = game.players[player].descend(loss)
    game.steps[player] += 1
    row = {
        "step": len(game.history) + 1,
        "player": player,
        "loss": value,
        "gradient": gradient,
        "mean": tuple(made.detach().mean(dim=0).tolist()),
    }
    game.history.append(row)
    return row


def _discriminator_turn(game: Game) -> tuple[Tensor, Tensor]:
    """The discriminator's loss, and the generated rows it is from."""
    import torch

    n, network = game.settings.batch, game.players[DISCRIMINATOR].network
    real = game.draws.real(n)
    with torch.no_grad():
        made = game.draws.made(game.players[GENERATOR].network, n)
    on_real, on_made = network(torch.cat([real, made])).squeeze(1).split(n)
    loss = discriminator_loss(game.settings.loss, on_real, on_made)
    if game.settings.loss == WASSERSTEIN:
        loss = loss + game.settings.penalty * gradient_penalty(network, real, made, game.draws.share(n))
    return loss, made


def _generator_turn(game: Game) -> tuple[Tensor, Tensor]:
    """The generator's loss, and the generated rows it is from."""
    made = game.draws.made(game.players[GENERATOR].network, game.settings.batch)
    return generator_loss(game.settings.loss, game.players[DISCRIMINATOR].network(made).squeeze(1)), made


def run(game: Game, rounds: int, on_round: Callable[[Game], bool | None] | None = None) -> Game:
    """Play rounds: `discriminator_steps` steps of the discriminator, then one of the generator.

    Ten rounds and ten more are the same game as twenty, to the last bit.

    Parameters
    ----------
    on_round : called with the game after each round; playing ends when it returns True

    Raises
    ------
    Diverged
        See `step`.
    """
    for _ in range(rounds):
        for _ in range(game.settings.discriminator_steps):
            step(game, DISCRIMINATOR)
        step(game, GENERATOR)
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


def snapshot(game: Game, n_samples: int = 500, side: int | None = None, n_codes: int = 2048) -> Frame:
    """What a picture of the game needs; the game itself is left as it is.

    Parameters
    ----------
    side : places along each axis; 200 in 1-D and 40 in 2-D unless given
    n_codes : see `NoisyGenerator.density`
    """
    d = game.mixture.dimension
    axis = np.linspace(-HALF_WIDTH, HALF_WIDTH, side or (200 if d == 1 else 40))
    at = places(axis, d)
    learned = game.discriminator(at)
    log_p, log_q = game.mixture.log_density(at), game.generator.log_density(at, n_codes)
    p, q, optimal, error = np.exp(log_p), np.exp(log_q), None, None
    shape = [len(axis)] * d
    if game.settings.loss != WASSERSTEIN:
        optimal = _share(log_p, log_q).reshape(shape)
        error = float(np.average(np.abs(learned - optimal.ravel()), weights=p + q))
    return Frame(
        axis=axis,
        samples=game.generator.sample(n_samples, np.random.default_rng(game.settings.seed)),
        real=game.mixture.sample(n_samples, np.random.default_rng(game.settings.seed)),
        learned=learned.reshape(shape),
        optimal=optimal,
        p=p.reshape(shape),
        q=q.reshape(shape),
        disagreement=error,
        losses={row["player"]: row["loss"] for row in game.history},
    )


def places(axis: np.ndarray, dimension: int) -> np.ndarray:
    """All places of a grid: (s ** dimension, dimension), x changing fastest."""
    if dimension == 1:
        return axis[:, None]
    return np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)


def _share(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(log_p - log_q)


def optimal_discriminator(p: Distribution, q: Distribution, x: Any) -> np.ndarray:
    """p(x) / (p(x) + q(x)) in [0, 1]: (n, d) -> (n,). Goodfellow et al. 2014, proposition 1."""
    return _share(p.log_density(x), q.log_density(x))


def modes_covered(mixture: Mixture, samples: Any) -> float:
    """Share of the mixture's components that samples reach, in [0, 1].

    A sample belongs to the component it is most likely from, if it lies within 3 of that one's deviations. A component
    is covered if a third of its due share of the samples, or more, belong to it.

    Parameters
    ----------
    samples : (n, d)
    """
    samples = np.asarray(samples, np.float64)
    distance = np.sqrt(((samples[:, None, :] - mixture.means) ** 2).sum(axis=2)) / mixture.deviations  # (n, k)
    logs = np.log(mixture.weights) - mixture.dimension * np.log(mixture.deviations) - 0.5 * distance**2
    owner = logs.argmax(axis=1)
    near = distance[np.arange(len(samples)), owner] <= _REACH
    shares = np.bincount(owner[near], minlength=len(mixture.weights)) / len(samples)
    return float((shares >= _DUE * mixture.weights).mean())


def jensen_shannon(p: Distribution, q: Distribution, n: int = 1000, seed: int = 0) -> Estimate:
    """JS(p, q) from n draws of each, between 0 and log 2 = 0.693 nats, but for its error.

    JS = log 2 + (E_p log D + E_q log(1 - D)) / 2 with D = p / (p + q). Draws and densities are independent of those of
    a game. The standard error is that of the draws; that of a generator's estimated density is small beside it.

    References
    ----------
    Goodfellow et al. 2014, eq. 5 and 6.
    """
    rng = np.random.default_rng(seed)
    from_p, from_q = p.sample(n, rng), q.sample(n, rng)
    on_p = -np.logaddexp(0, q.log_density(from_p) - p.log_density(from_p))
    on_q = -np.logaddexp(0, p.log_density(from_q) - q.log_density(from_q))
    value = math.log(2) + 0.5 * (on_p.mean() + on_q.mean())
    return Estimate(float(value), float(0.5 * math.sqrt((on_p.var(ddof=1) + on_q.var(ddof=1)) / n)), n)


def jensen_shannon_on_grid(
    p: Distribution, q: Distribution, step: float | None = None, half_width: float = 6.0
) -> float:
    """JS(p, q) in nats, summed over a grid in [-half_width, half_width].

    What of either lies outside, where the other is taken not to be, counts log 2 / 2 times its probability.

    Parameters
    ----------
    step : between places along each axis; 0.005 in 1-D and 0.06 in 2-D unless given
    """
    from scipy.special import rel_entr

    step = step or (0.005 if p.dimension == 1 else 0.06)
    axis = np.linspace(-half_width, half_width, 2 * math.ceil(half_width / step) + 1)
    volume = (axis[1] - axis[0]) ** p.dimension
    of_p, of_q = p.on_grid(axis), q.on_grid(axis)
    middle = (of_p + of_q) / 2
    # Where both are that small, the middle is rounded to nothing.
    inside = (rel_entr(of_p, middle) + rel_entr(of_q, middle))[middle > np.finfo(float).tiny].sum() * volume
    outside = sum(max(0.0, 1 - each.sum() * volume) for each in (of_p, of_q))
    return float(0.5 * (inside + math.log(2) * outside))


# --- A discriminator alone, a generator alone -----------------------------------------------------------------------


def fit_discriminator(
    p: Distribution,
    q: Distribution,
    steps: int = 1000,
    *,
    width: int = 64,
    batch: int = 256,
    rate: float = 0.01,
    n_draws: int = 20_000,
    seed: int = 0,
) -> Discriminator:
    """A discriminator trained to convergence on draws of p, real, and of q, generated: q does not learn.

    Binary cross entropy (Goodfellow et al. 2014, eq. 1), Adam, learning rate falling to 0 along a cosine.

    Parameters
    ----------
    batch : rows of each a step, of `n_draws` that are drawn once
    """
    import torch

    rng = np.random.default_rng(seed)
    real, made = (torch.as_tensor(one.sample(n_draws, rng), dtype=torch.float32) for one in (p, q))
    random = torch.Generator().manual_seed(seed)
    judge = Player(_judge(p.dimension, width, len(_WAVES), random), rate, momentum=0.9)
    for done in range(steps):
        judge.optimizer.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done / steps))
        chosen = torch.randint(n_draws, (2, batch), generator=random)
        rows = torch.cat([real[chosen[0]], made[chosen[1]]])
        on_real, on_made = judge.network(rows).squeeze(1).split(batch)
        judge.descend(discriminator_loss(NON_SATURATING, on_real, on_made))
    return Discriminator(judge.network)


def disagreement(judge: Discriminator, p: Distribution, q: Distribution, n: int = 2000, seed: int = 1) -> float:
    """Mean of |D(x) - p(x) / (p(x) + q(x))| under (p + q) / 2, from n draws of each: in [0, 1]."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([p.sample(n, rng), q.sample(n, rng)])
    return float(np.abs(judge(x) - optimal_discriminator(p, q, x)).mean())


@dataclass(eq=False)
class Solo:
    """A generator that learns without a second player, and where it is.

    Attributes
    ----------
    objective : ``"density"`` or ``"likelihood"``, see `against_density` and `by_likelihood`
    history : a row a step: ``step`` from 1, ``value`` (the objective, in nats), ``mean`` (d floats) and ``spread``
        (root of the mean variance along the axes) of the step's generated rows
    """

    settings: Settings
    objective: str
    player: Player
    draws: Draws
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def generator(self) -> NoisyGenerator:
        """The generator as it is; it goes on learning."""
        return NoisyGenerator(self.player.network, self.settings.noise, self.settings.mixture.dimension)


def begin_solo(settings: Settings, objective: str) -> Solo:
    """The generator that `begin` would start with, alone; of the settings, those of the discriminator do not count.

    Raises
    ------
    BadInput
        For another objective, and see `Settings.checked`.
    """
    import torch

    if objective not in _OBJECTIVES:
        raise BadInput(f"There is no objective {objective!r:.40}: choose one of {', '.join(_OBJECTIVES)}.")
    settings = settings.checked()
    random = torch.Generator().manual_seed(settings.seed)
    player = Player(starting_generator(settings, random), settings.generator_rate, settings.momentum)
    return Solo(settings, objective, player, Draws(settings.mixture, settings.noise, random))


def run_solo(solo: Solo, steps: int, on_step: Callable[[Solo], bool | None] | None = None) -> Solo:
    """Take steps; in parts or at once makes no difference. `on_step` gets the solo and ends it by returning True.

    Raises
    ------
    Diverged
        When the objective is no longer a finite number.
    """
    for _ in range(steps):
        value, made = _OBJECTIVES[solo.objective](solo)
        solo.player.descend(-value)
        made = made.detach()
        row = {
            "step": len(solo.history) + 1,
            "value": float(value.detach()),
            "mean": tuple(made.mean(dim=0).tolist()),
            "spread": float(made.var(dim=0).mean().sqrt()),
        }
        if not math.isfinite(row["value"]):
            raise Diverged("The objective is no longer a finite number: begin again with a lower generator_rate.")
        solo.history.append(row)
        if on_step is not None and on_step(solo):
            break
    return solo


def against_density(settings: Settings, steps: int = 1000) -> Solo:
    """The generator trained with D frozen to the normalised data density, D(x) = p(x) / max p: it maximises E log D.

    Its best answer is one point, the highest mode, smeared by its own noise. E log D is chosen over E D since D is
    flat where the data are not, and a generator that starts there would not move. A row follows the slope where it
    is, so a generator that is spread over several modes when it starts may shrink onto each of them.
    """
    return run_solo(begin_solo(settings, DENSITY), steps)


def by_likelihood(settings: Settings, steps: int = 1000) -> Solo:
    """The generator trained by naive sampling: it maximises E_x log (1/K) sum_k N(x; G(z_k), noise^2 I).

    x are real rows, z_k draws from the prior, as many as rows, the same ones for all rows of a step.
    """
    return run_solo(begin_solo(settings, LIKELIHOOD), steps)


def _log_normalised_density(solo: Solo) -> tuple[Tensor, Tensor]:
    """Mean of log p(x) - log max p over generated rows, in nats, and the rows."""
    draws, mixture = solo.draws, solo.settings.mixture
    made = draws.made(solo.player.network, solo.settings.batch)
    squared = (made[:, None, :] - draws.means).square().sum(dim=2) / draws.deviations.square()
    logs = draws.weights.log() - mixture.dimension * draws.deviations.log() - 0.5 * squared
    top = mixture.log_density(mixture.highest[None])[0] + 0.5 * mixture.dimension * math.log(2 * math.pi)
    return logs.logsumexp(dim=1).mean() - float(top), made


def _naive_log_likelihood(solo: Solo) -> tuple[Tensor, Tensor]:
    """Mean over real rows of log (1/K) sum_k p(x | z_k), in nats, and rows generated from the same codes."""
    draws, n, noise = solo.draws, solo.settings.batch, solo.settings.noise
    real, centres = draws.real(n), solo.player.network(draws.normal(n))
    squared = (real[:, None, :] - centres).square().sum(dim=2)  # (real, codes)
    scale = math.log(n) + draws.dimension * math.log(noise * math.sqrt(2 * math.pi))
    value = (-0.5 * squared / noise**2).logsumexp(dim=1).mean() - scale
    return value, centres + noise * draws.normal(n)


_OBJECTIVES = {DENSITY: _log_normalised_density, LIKELIHOOD: _naive_log_likelihood}
