"""Sizes of networks and the computations of a training step, known without torch: the app predicts times with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

Shape = tuple[int, int]
N_SCORED = 128  # units from which a discriminator of images computes its logit


def hidden_sizes(width: int, layers: int) -> list[int]:
    """Widths of the hidden layers from the data inwards, each half of the one before, such as [1000, 500, 250]."""
    return [max(1, width >> i) for i in range(layers)]


def halve(image_shape: Shape, times: int) -> list[Shape]:
    """Image sizes after 0, 1, ... convolutions of stride 2."""
    return [tuple(-(-side // 2**i) for side in image_shape) for i in range(times + 1)]


def channels(width: int, layers: int) -> list[int]:
    """Channels after each convolution, the last one `width` / 8."""
    return [max(4, width // 8 >> (layers - 1 - i)) for i in range(layers)]


@dataclass(frozen=True)
class Layer:
    """A layer: multiplications of a row forward, weights (with those of a batch norm), and values of its output."""

    products: int
    weights: int
    values: int
    convolves: bool = False


def linear(n_in: int, n_out: int, is_normed: bool = False) -> Layer:
    """A linear layer with a bias, or with a batch norm, which has two weights a unit, in place of it."""
    return Layer(n_in * n_out, n_in * n_out + (1 + is_normed) * n_out, n_out)


def convolve(n_in: int, n_out: int, kernel: int, inputs: Shape, outputs: Shape, is_normed: bool = False) -> Layer:
    """A convolution between images of two sizes, transposed where the outputs are larger; bias as in `linear`."""
    products, n_weights = min(prod(inputs), prod(outputs)) * n_in * n_out * kernel**2, n_in * n_out * kernel**2
    return Layer(products, n_weights + (1 + is_normed) * n_out, n_out * prod(outputs), convolves=True)


def mlp(sizes: Sequence[int], activation: str = "relu") -> list[Layer]:
    """The layers of `core.nn.networks.mlp`; the functions below give those of its functions of these names."""
    *hidden, last = pairwise(sizes)
    return [*(linear(a, b, is_normed=True) for a, b in hidden), linear(*last)]


def mlp_discriminator(sizes: Sequence[int]) -> list[Layer]:
    return [linear(a, b) for a, b in pairwise([*sizes, 1])]


def conv_encoder(image_shape: Shape, n_out: int, width: int, layers: int) -> list[Layer]:
    shapes, counts = halve(image_shape, layers), [1, *channels(width, layers)]
    steps = zip(pairwise(counts), pairwise(shapes), strict=True)
    convolutions = [convolve(*n, 3, *sizes, is_normed=True) for n, sizes in steps]
    return [*convolutions, linear(counts[-1] * prod(shapes[-1]), n_out)]


def conv_decoder(n_in: int, image_shape: Shape, planes: int, width: int, layers: int) -> list[Layer]:
    shapes, counts = halve(image_shape, layers)[::-1], [*channels(width, layers)[::-1], planes]
    steps = zip(pairwise(counts), pairwise(shapes), strict=True)
    convolutions = [convolve(*n, 3, *sizes, is_normed=k < layers - 1) for k, (n, sizes) in enumerate(steps)]
    return [linear(n_in, counts[0] * prod(shapes[0]), is_normed=True), *convolutions]


def conv_generator(n_in: int, width: int, image_shape: Shape) -> list[Layer]:
    c, (full, half, quarter) = width // 8, halve(image_shape, 2)
    n_first = 2 * c * prod(quarter)
    first = Layer(n_in * n_first, n_in * n_first + 4 * c, n_first)  # its batch norm is over channels
    return [first, convolve(2 * c, c, 4, quarter, half, is_normed=True), convolve(c, 1, 4, half, full)]


def conv_discriminator(width: int, image_shape: Shape) -> list[Layer]:
    c, (half, quarter) = width // 16, ((image_shape[0] // k, image_shape[1] // k) for k in (2, 4))
    convolutions = [convolve(1, c, 4, image_shape, half), convolve(c, 2 * c, 4, half, quarter)]
    return [*convolutions, linear(2 * c * prod(quarter), N_SCORED), linear(N_SCORED, 1)]


@dataclass(frozen=True)
class Workload:
    """The computations of one training step, to be multiplied by the speed of a machine.

    `players` : losses and optimizers that take turns. `dense`, `convolved` : multiplications of a row, forward and
    backward, in linear layers and in convolutions; `values`, `maps` : its inputs and outputs there. `augmented` : mean
    number of pixels of a row that augmentation computes. `weights` : trained weights. `layers` : passes through a
    layer, whatever its size.
    """

    players: int
    dense: float
    convolved: float
    values: float
    maps: float
    augmented: float
    weights: int
    layers: float = 0.0

    def __add__(self, other: Workload) -> Workload:
        return Workload(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def count_passes(layers: Sequence[Layer], forward=1.0, by_weights=1.0, by_inputs=1.0, first=False) -> Workload:
    """The work of this many passes of a row forward, and of gradients by weights and inputs, without an optimizer.

    `first` : whether the gradient by the input of the first layer is needed too.
    """
    products, values, n_passes = [0.0, 0.0], [0.0, 0.0], 0.0
    for k, layer in enumerate(layers):
        times = forward + by_weights + (by_inputs if k or first else 0.0)
        products[layer.convolves] += times * layer.products
        n_passes += times
        values[layer.convolves] += (forward + by_inputs) * layer.values
    return Workload(0, *products, *values, 0.0, 0, n_passes)


def count_optimizer(n_features: int, layers: Sequence[Layer], n_augmented: float = 0.0) -> Workload:
    """The work of one player's optimizer, and of reading and augmenting its rows."""
    return Workload(1, 0.0, 0.0, n_features, 0.0, n_augmented, sum(layer.weights for layer in layers))
