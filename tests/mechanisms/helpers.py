"""A generator whose density is known, small games, and whether estimates err as they state."""

from collections.abc import Callable

import numpy as np
import torch

from core.mechanisms import gan_game
from core.mechanisms.gan_game import Settings
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.toy_networks import NoisyGenerator


def linear(slope: float, noise: float, dimension: int = 1) -> NoisyGenerator:
    """x = slope z + 0.5 + noise eps, whose density is known."""
    network = torch.nn.Linear(dimension, dimension)
    with torch.no_grad():
        network.weight.copy_(slope * torch.eye(dimension))
        network.bias.fill_(0.5)
    return NoisyGenerator(network, noise, dimension)


SEEDS = range(20)
SMALL = Settings("moons", width=16, batch=32)


def played(settings: Settings, rounds: int) -> gan_game.Game:
    return gan_game.play_rounds(gan_game.Game(settings), rounds)


def assert_calibrated(estimate: Callable[[np.random.Generator], Estimate], truth: float) -> None:
    """Deviations from the truth in stated errors, for each seed, behave like draws from N(0, 1).

    With 20 of them the largest is below 4 and the root mean square between 0.55 and 1.5, but for one time in a thousand
    or so; an error that is stated half or twice as large as it is would lie outside.
    """
    deviations = np.array([estimate(np.random.default_rng(seed)).deviation(truth) for seed in SEEDS])
    assert np.abs(deviations).max() < 4, deviations
    assert 0.55 < np.sqrt(np.square(deviations).mean()) < 1.5, deviations
