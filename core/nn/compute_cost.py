"""The computations of a training step, counted on networks without allocated weights; torch is imported on use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Layer:
    """A layer: multiplications of a row forward, weights (with those of a batch norm), and values of its output."""

    products: int
    weights: int
    values: int
    convolves: bool


def list_layers(network: nn.Module, n_inputs: int) -> list[Layer]:
    """The linear and convolutional layers of a network on the device "meta", in the order of its computation."""
    import torch
    from torch import nn

    layers: list[Layer] = []

    def record(module: nn.Module, given: tuple, output: torch.Tensor) -> None:
        n_weights = sum(weight.numel() for weight in module.parameters())
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            before = layers.pop()
            layers.append(Layer(before.products, before.weights + n_weights, before.values, before.convolves))
            return
        convolves = not isinstance(module, nn.Linear)
        places = min(x[0, 0].numel() for x in (*given, output)) if convolves else 1
        layers.append(Layer(module.weight.numel() * places, n_weights, output[0].numel(), convolves))

    counted = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm1d, nn.BatchNorm2d)
    for module in network.modules():
        if isinstance(module, counted):
            module.register_forward_hook(record)
    network.eval()(torch.empty(1, n_inputs, device="meta"))
    return layers


@dataclass(frozen=True)
class Workload:
    """The computations of one training step, to be multiplied by the speed of a machine.

    Attributes
    ----------
    players : losses and optimizers that take turns.
    dense, convolved : multiplications of a row, forward and backward, in linear layers and in convolutions.
    values, maps : inputs and outputs of a row in linear layers and in convolutions, forward and backward.
    augmented : mean number of pixels of a row that augmentation computes; weights : trained weights.
    """

    players: int
    dense: float
    convolved: float
    values: float
    maps: float
    augmented: float
    weights: int

    def __add__(self, other: Workload) -> Workload:
        return Workload(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def count_passes(
    layers: Sequence[Layer], forward: float = 1.0, by_weights: float = 1.0, by_inputs: float = 1.0, first: bool = False
) -> Workload:
    """The work of this many passes of a row forward, and of gradients by weights and inputs, without an optimizer.

    `first` : whether the gradient by the input of the first layer is needed too.
    """
    products, values = [0.0, 0.0], [0.0, 0.0]
    for k, layer in enumerate(layers):
        times = forward + by_weights + (by_inputs if k or first else 0.0)
        products[layer.convolves] += times * layer.products
        values[layer.convolves] += (forward + by_inputs) * layer.values
    return Workload(0, *products, *values, 0.0, 0)


def count_optimizer(n_features: int, layers: Sequence[Layer], n_augmented: float = 0.0) -> Workload:
    """The work of one player's optimizer, and of reading and augmenting its rows."""
    return Workload(1, 0.0, 0.0, n_features, 0.0, n_augmented, sum(layer.weights for layer in layers))
