"""A generator against a discriminator on data of known density.

The generator transforms z ~ N(0, I) by a small network and adds a little noise, x = G(z) + noise * eps. Its density is
q(x) = E_z N(x; G(z), noise^2 I), which a mean over z estimates without bias. So the optimal discriminator p / (p + q)
can be compared with the learned one, and the same generator can be trained by likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

from core.errors import Diverged
from core.mechanisms import toy_networks
from core.mechanisms.gaussian_mixtures import TARGETS, Mixture
from core.mechanisms.toy_networks import Discriminator, NoisyGenerator, Player, Sampler
from core.nn import losses

NON_SATURATING, MINIMAX, LEAST_SQUARES, WASSERSTEIN = "non_saturating", "minimax", "least_squares", "wasserstein_gp"
# loss -> label
LOSSES = {
    NON_SATURATING: "Non-saturating",
    MINIMAX: "Minimax",
    LEAST_SQUARES: "Least squares",
    WASSERSTEIN: "Wasserstein with gradient penalty",
}
DISCRIMINATOR, GENERATOR = "discriminator", "generator"


@dataclass(frozen=True)
class Settings:
    """One game.

    Attributes
    ----------
    target : a name in `core.mechanisms.gaussian_mixtures.TARGETS`, or a mixture
    loss : of both players, in `LOSSES`
    generator_rate, discriminator_rate : learning rates of Adam
    discriminator_steps : of each round, before the step of the generator
    momentum : decay of Adam's running mean of the gradient, for both players
    width : units in each of the two hidden layers of both networks
    waves : octaves of sines and cosines among the discriminator's inputs: more make it sharper
    penalty : weight of the gradient penalty, with Wasserstein alone
    batch : real and generated rows of a step
    noise : standard deviation of the noise that the generator adds, in units of the data
    seed : of the initial weights and of all draws
    """

    target: str | Mixture = "moons"
    loss: str = NON_SATURATING
    generator_rate: float = 0.001
    discriminator_rate: float = 0.001
    discriminator_steps: int = 1
    momentum: float = 0.5
    width: int = 32
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
        return self.target if isinstance(self.target, Mixture) else TARGETS[self.target][1]


@dataclass(frozen=True)
class Preset:
    """A game that shows one effect within so many rounds."""

    label: str
    settings: Settings
    rounds: int


PRESETS = {
    "works": Preset("Convergence", Settings("moons"), 3000),
    # The sharp, fast discriminator leaves the slow generator no gradient from one mode to the next.
    "mode_collapse": Preset(
        "Mode collapse", Settings("ring", generator_rate=0.0005, discriminator_rate=0.005, waves=4, batch=64), 600
    ),
    # Each player responds to the previous position of the other, and high learning rates with momentum overshoot.
    "oscillation": Preset(
        "Oscillation",
        Settings("one_mode", generator_rate=0.003, discriminator_rate=0.003, momentum=0.9, waves=0),
        1000,
    ),
    "vanishing": Preset(
        "Vanishing gradient",
        Settings(
            "ring", MINIMAX, generator_rate=0.0001, discriminator_rate=0.01, discriminator_steps=3, waves=4, batch=64
        ),
        300,
    ),
}


def make_generator(settings: Settings, random: Any) -> nn.Module:
    """A generator whose initial samples lie about the data's mean."""
    import torch

    d = settings.mixture.dimension
    network = toy_networks.make_network(d, d, settings.width, random)
    with torch.no_grad():
        network[-1].bias.copy_(torch.as_tensor(settings.mixture.mean))
    return network


class Game:
    """A game, before its first step.

    Attributes
    ----------
    history : a row for each step: ``step`` from 1, ``player``, ``loss`` (see `core.nn.losses`; the discriminator's
        with its weighted penalty), ``gradient`` (length of the loss's gradient by the player's weights), ``mean``
        (d floats) of the step's generated rows, and of a generator whose D is a probability both losses in nats:
        ``non_saturating`` -log D(G(z)) and ``minimax`` log(1 - D(G(z)))
    """

    def __init__(self, settings: Settings):
        import torch

        self.settings, self.mixture = settings, settings.mixture
        random = torch.Generator().manual_seed(settings.seed)
        generator = make_generator(settings, random)
        discriminator = toy_networks.make_discriminator(self.mixture.dimension, settings.width, settings.waves, random)
        self.players = {
            DISCRIMINATOR: Player(discriminator, settings.discriminator_rate, settings.momentum),
            GENERATOR: Player(generator, settings.generator_rate, settings.momentum),
        }
        self.sampler = Sampler(self.mixture, settings.noise, random)
        self.history: list[dict[str, Any]] = []

    @property
    def generator(self) -> NoisyGenerator:
        """The current generator; it goes on learning with the game."""
        return NoisyGenerator(self.players[GENERATOR].network, self.settings.noise, self.mixture.dimension)

    @property
    def discriminator(self) -> Discriminator:
        """The current discriminator, or critic; it goes on learning with the game."""
        return Discriminator(self.players[DISCRIMINATOR].network, self.settings.loss in (NON_SATURATING, MINIMAX))


def compute_loss(game: Game, player: str) -> tuple[Tensor, Tensor, Tensor]:
    """A player's loss on fresh draws, the generated rows it is from, and the discriminator's outputs on them."""
    import torch

    n, settings = game.settings.batch, game.settings
    network, generator = game.players[DISCRIMINATOR].network, game.players[GENERATOR].network
    if player == GENERATOR:
        made = game.sampler.sample_generated(generator, n)
        outputs = network(made).squeeze(1)
        return losses.generator_loss(settings.objective, outputs), made, outputs
    real = game.sampler.sample_real(n)
    with torch.no_grad():
        made = game.sampler.sample_generated(generator, n)
    on_real, on_made = network(torch.cat([real, made])).squeeze(1).split(n)
    loss = losses.discriminator_loss(settings.objective, on_real, on_made)
    if settings.loss == WASSERSTEIN:
        loss = loss + settings.penalty * losses.wasserstein_penalty(network, real, made, game.sampler.sample_uniform(n))
    return loss, made, on_made


def take_step(game: Game, player: str) -> dict[str, Any]:
    """One step of a player on fresh draws; returns its row of the history.

    Raises Diverged when a loss is no longer a finite number.
    """
    loss, made, outputs = compute_loss(game, player)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise Diverged(f"The {player}'s loss is no longer a finite number: begin again with lower learning rates.")
    gradient, mean = game.players[player].descend(loss), tuple(made.detach().mean(dim=0).tolist())
    row = {"step": len(game.history) + 1, "player": player, "loss": value, "gradient": gradient, "mean": mean}
    if player == GENERATOR and game.discriminator.squash:
        both = {NON_SATURATING: "non-saturating", MINIMAX: MINIMAX}
        row |= {name: float(losses.generator_loss(objective, outputs.detach())) for name, objective in both.items()}
    game.history.append(row)
    return row


def play_rounds(game: Game, rounds: int) -> Game:
    """Play rounds, in place: `discriminator_steps` of the discriminator, one of the generator.

    Ten rounds and ten more are the same game as twenty, to the last bit. Raises Diverged as `take_step`.
    """
    for _ in range(rounds):
        for _ in range(game.settings.discriminator_steps):
            take_step(game, DISCRIMINATOR)
        take_step(game, GENERATOR)
    return game


def compute_sample_gradients(game: Game, samples: np.ndarray) -> np.ndarray:
    """Lengths of the gradients of the generator's loss by its samples: (n, d) -> (n,), per unit of x."""
    import torch

    x = torch.as_tensor(samples, dtype=torch.float32).requires_grad_()
    outputs = game.players[DISCRIMINATOR].network(x).squeeze(1)
    total = len(x) * losses.generator_loss(game.settings.objective, outputs)
    return torch.autograd.grad(total, x)[0].norm(dim=1).numpy()
