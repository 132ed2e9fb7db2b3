"""Sizes of networks, and what one step of training computes: known without torch, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Shape = tuple[int, int]


def hidden_sizes(width: int, layers: int) -> list[int]:
    """Widths of the hidden layers from the data inwards, such as [1000, 500, 250]: each half of the one before."""
    return [max(1, width >> i) for i in range(layers)]


def pyramid(image_shape: Shape, layers: int) -> list[Shape]:
    """Image sizes after 0, 1, ... convolutions of stride 2."""
    shapes = [image_shape]
    for _ in range(layers):
        height, width = shapes[-1]
        shapes.append(((height + 1) // 2, (width + 1) // 2))
    return shapes


def conv_channels(width: int, layers: int) -> list[int]:
    """Channels after each convolution, the last one `width` / 8."""
    return [max(4, width // 8 >> (layers - 1 - i)) for i in range(layers)]


@dataclass(frozen=True)
class Layer:
    """A layer: multiplications of a row forward, weights with those of its batch norm, and values of its output."""

    products: int
    weights: int
    values: int
    convolves: bool = False


def linear(n_in: int, n_out: int, *, bias: bool = True, norm: bool = False) -> Layer:
    return Layer(n_in * n_out, n_in * n_out + (bias + 2 * norm) * n_out, n_out)


def convolution(
    n_in: int, n_out: int, kernel: int, inputs: Shape, outputs: Shape, *, bias: bool = True, norm: bool = False
) -> Layer:
    """A convolution from images of one size to those of another; transposed where the outputs are larger."""
    places, weights = min(inputs[0] * inputs[1], outputs[0] * outputs[1]), n_in * n_out * kernel**2
    return Layer(weights * places, weights + (bias + 2 * norm) * n_out, n_out * outputs[0] * outputs[1], convolves=True)


def mlp(sizes: Sequence[int]) -> list[Layer]:
    """`core.nn.networks.mlp`: hidden layers with batch norm, then a linear one."""
    *hidden, last = pairwise(sizes)
    return [*(linear(a, b, bias=False, norm=True) for a, b in hidden), linear(*last)]


def conv_encoder(image_shape: Shape, n_out: int, width: int, layers: int) -> list[Layer]:
    """`core.nn.networks.conv_encoder`."""
    shapes, counts = pyramid(image_shape, layers), [1, *conv_channels(width, layers)]
    steps = zip(pairwise(counts), pairwise(shapes), strict=True)
    convolutions = [convolution(*channels, 3, *sizes, bias=False, norm=True) for channels, sizes in steps]
    return [*convolutions, linear(counts[-1] * shapes[-1][0] * shapes[-1][1], n_out)]


def conv_decoder(n_in: int, image_shape: Shape, planes: int, width: int, layers: int) -> list[Layer]:
    """`core.nn.networks.conv_decoder`."""
    shapes, counts = pyramid(image_shape, layers)[::-1], [*conv_channels(width, layers)[::-1], planes]
    found = [linear(n_in, counts[0] * shapes[0][0] * shapes[0][1], bias=False, norm=True)]
    for i in range(layers):
        last = i == layers - 1
        found.append(convolution(counts[i], counts[i + 1], 3, shapes[i], shapes[i + 1], bias=last, norm=not last))
    return found


def generator(n_in: int, n_features: int, width: int, image_shape: Shape | None) -> list[Layer]:
    """`core.nn.networks.Generator`."""
    if image_shape is None:
        return mlp([n_in, width // 2, width, n_features])
    c = width // 8
    full, half, quarter = pyramid(image_shape, 2)
    first = 2 * c * quarter[0] * quarter[1]
    return [
        # Its batch norm is over channels.
        Layer(n_in * first, n_in * first + 4 * c, first),
        convolution(2 * c, c, 4, quarter, half, bias=False, norm=True),
        convolution(c, 1, 4, half, full),
    ]


def discriminator(n_features: int, width: int, image_shape: Shape | None, n_out_features: int = 128) -> list[Layer]:
    """`core.nn.networks.Discriminator`."""
    if image_shape is None:
        found = [linear(n_features, width), linear(width, n_out_features)]
    else:
        c = width // 16
        half, quarter = ((image_shape[0] // k, image_shape[1] // k) for k in (2, 4))
        found = [
            convolution(1, c, 4, image_shape, half),
            convolution(c, 2 * c, 4, half, quarter),
            linear(2 * c * quarter[0] * quarter[1], n_out_features),
        ]
    return [*found, linear(n_out_features, 1)]


def mirrored_discriminator(n_features: int, width: int, layers: int) -> list[Layer]:
    """`core.nn.networks.MirroredDiscriminator`."""
    sizes = [n_features, *hidden_sizes(width, layers), 1]
    return [linear(a, b) for a, b in pairwise(sizes)]


@dataclass(frozen=True)
class Workload:
    """What one step of training computes, to be multiplied by the speed of a machine.

    Attributes
    ----------
    players : losses and optimizers that take their turn.
    dense, convolved : multiplications of a row, forward and backward, in linear layers and in convolutions.
    values, maps : inputs and outputs of a row in linear layers and in convolutions, forward and backward.
    moved : pixels of a row that augmentation moves, on average; weights : numbers that the optimizers move.
    """

    players: int
    dense: float
    convolved: float
    values: float
    maps: float
    moved: float
    weights: int

    def __add__(self, other: Workload) -> Workload:
        return Workload(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def passes(
    layers: Sequence[Layer], forward: float = 1.0, by_weights: float = 1.0, by_inputs: float = 1.0, first: bool = False
) -> Workload:
    """The work of so many passes of a row forward, and of gradients by weights and inputs, without any optimizer.

    `first` : whether the gradient by the input of the first layer is needed too.
    """
    products, values = [0.0, 0.0], [0.0, 0.0]
    for k, layer in enumerate(layers):
        times = forward + by_weights + (by_inputs if k or first else 0.0)
        products[layer.convolves] += times * layer.products
        values[layer.convolves] += (forward + by_inputs) * layer.values
    return Workload(0, *products, *values, 0.0, 0)


def optimizer(n_features: int, n_weights: int, moved_pixels: float = 0.0) -> Workload:
    """The work of one player's optimizer, and of reading and augmenting its rows."""
    return Workload(1, 0.0, 0.0, n_features, 0.0, moved_pixels, n_weights)


def weights(layers: Sequence[Layer]) -> int:
    return sum(layer.weights for layer in layers)
