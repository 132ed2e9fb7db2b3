"""Generators to test with: one whose density is known in closed form, and those of small games."""

import torch

from core.mechanisms import two_players
from core.mechanisms.small_networks import NoisyGenerator
from core.mechanisms.two_players import Settings


def linear(slope: float, noise: float, dimension: int = 1) -> NoisyGenerator:
    """x = slope z + 0.5 + noise eps, whose density is known."""
    network = torch.nn.Linear(dimension, dimension)
    with torch.no_grad():
        network.weight.copy_(slope * torch.eye(dimension))
        network.bias.fill_(0.5)
    return NoisyGenerator(network, noise, dimension)


SMALL = Settings("moons", width=16, batch=32)


def played(settings: Settings, rounds: int) -> two_players.Game:
    return two_players.run(two_players.begin(settings), rounds)
