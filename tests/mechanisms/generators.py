"""Generators to test with: one whose density is known in closed form, and those of small games."""

import torch

from core.mechanisms import gan_game
from core.mechanisms.gan_game import Settings
from core.mechanisms.toy_networks import NoisyGenerator


def linear(slope: float, noise: float, dimension: int = 1) -> NoisyGenerator:
    """x = slope z + 0.5 + noise eps, whose density is known."""
    network = torch.nn.Linear(dimension, dimension)
    with torch.no_grad():
        network.weight.copy_(slope * torch.eye(dimension))
        network.bias.fill_(0.5)
    return NoisyGenerator(network, noise, dimension)


SMALL = Settings("moons", width=16, batch=32)


def played(settings: Settings, rounds: int) -> gan_game.Game:
    return gan_game.play_rounds(gan_game.Game(settings), rounds)
