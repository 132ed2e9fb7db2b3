"""Encoders, decoders, generators and discriminators, as plain torch modules."""

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nn.compute_cost import N_SCORED, channels, halve

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


def mlp(sizes: list[int], activation: str = "relu") -> nn.Sequential:
    """A multi-layer network (Linear, batch norm, activation); its last layer is linear."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class WeightNormalised(nn.Module):
    """A linear layer, weight vectors of learned directions and lengths `scale` (Salimans and Kingma 2016, eq. 2).

    PyTorch's own weight_norm always learns the lengths, and multiplies the weights instead of the outputs.
    """

    def __init__(self, n_in: int, n_out: int, learns_scale: bool = False):
        super().__init__()
        self.direction = nn.Parameter(0.1 * torch.randn(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        if learns_scale:
            self.scale = nn.Parameter(torch.ones(n_out))
        else:
            self.register_buffer("scale", torch.ones(n_out))

    def forward(self, x: Tensor) -> Tensor:
        out = F.linear(x, self.direction)
        # Scaled after the product: there are many more weights than outputs of a batch.
        return out * (self.scale / self.direction.norm(dim=1)).to(out.dtype) + self.bias.to(out.dtype)


class WordWeights(nn.Module):
    """Word counts weighted as by scikit-learn's TfidfTransformer, see `core.methods.params.WEIGHTINGS`.

    `idf` of ``"tfidf"`` (sublinear, unit length) is to be filled in.
    """

    def __init__(self, n_words: int, weighting: str):
        super().__init__()
        self.weighting = weighting
        self.register_buffer("idf", torch.ones(n_words))

    def forward(self, counts: Tensor) -> Tensor:
        if self.weighting == "counts":
            return counts
        logs = (1 + counts.log()).clamp(min=0)  # the logarithm of 0 is -inf
        return F.normalize(logs * self.idf) if self.weighting == "tfidf" else logs


def conv_encoder(image_shape: tuple[int, int], n_out: int, width: int, layers: int) -> nn.Sequential:
    """`layers` convolutions of stride 2 (batch norm, ReLU), then one linear layer."""
    return nn.Sequential(*_convolutions(image_shape, channels(width, layers), 3, n_out))


def image_classifier(image_shape: tuple[int, int], n_classes: int, n_features: int = 64) -> nn.ModuleDict:
    """``features`` of an image (batch, n_features), non-negative, and a linear ``head`` that predicts its class."""
    features = nn.Sequential(*_convolutions(image_shape, [32, 64], 5, n_features), nn.ReLU())
    return nn.ModuleDict({"features": features, "head": nn.Linear(n_features, n_classes)})


def _convolutions(image_shape: tuple[int, int], n_channels: list[int], kernel: int, n_out: int) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Unflatten(1, (1, *image_shape))]
    for n_in, n in pairwise([1, *n_channels]):
        convolution = nn.Conv2d(n_in, n, kernel, stride=2, padding=kernel // 2, bias=False)
        layers += [convolution, nn.BatchNorm2d(n), nn.ReLU()]
    n_flat = n_channels[-1] * prod(halve(image_shape, len(n_channels))[-1])
    return [*layers, nn.Flatten(), nn.Linear(n_flat, n_out)]


def conv_decoder(n_in: int, image_shape: tuple[int, int], planes: int, width: int, layers: int) -> nn.Sequential:
    """The mirror of `conv_encoder`, with `planes` values a pixel: (batch, planes * height * width)."""
    shapes = halve(image_shape, layers)[::-1]
    n_channels = [*channels(width, layers)[::-1], planes]
    n_first = n_channels[0] * prod(shapes[0])
    first = nn.Linear(n_in, n_first, bias=False), nn.BatchNorm1d(n_first), nn.ReLU()
    blocks: list[nn.Module] = [*first, nn.Unflatten(1, (n_channels[0], *shapes[0]))]
    for i in range(layers):
        # A stride-2 transposed convolution makes 2 n - 1 rows; the padding adds what the mirror needs.
        padding = tuple(large - 2 * small + 1 for small, large in zip(shapes[i], shapes[i + 1], strict=True))
        how = {"stride": 2, "padding": 1, "output_padding": padding, "bias": i == layers - 1}
        blocks.append(nn.ConvTranspose2d(n_channels[i], n_channels[i + 1], 3, **how))
        blocks += [nn.BatchNorm2d(n_channels[i + 1]), nn.ReLU()]
    return nn.Sequential(*blocks[:-2], nn.Flatten())


def conv_generator(n_in: int, width: int, image_shape: tuple[int, int]) -> nn.Sequential:
    """A GAN's generator of images, a small version of Radford et al. 2016; returns logits."""
    c = width // 8
    full, half, quarter = halve(image_shape, 2)
    # Negative padding removes the row or column that doubling an odd size adds.
    crop = lambda small, large: nn.ZeroPad2d((0, large[1] - 2 * small[1], 0, large[0] - 2 * small[0]))
    return nn.Sequential(
        nn.Linear(n_in, 2 * c * prod(quarter), bias=False),
        *(nn.Unflatten(1, (2 * c, *quarter)), nn.BatchNorm2d(2 * c), nn.ReLU()),
        *(nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1, bias=False), crop(quarter, half)),
        *(nn.BatchNorm2d(c), nn.ReLU()),
        *(nn.ConvTranspose2d(c, 1, 4, stride=2, padding=1), crop(half, full), nn.Flatten()),
    )


class Discriminator(nn.Module):
    """A GAN's discriminator: `features` of a row, and from them the logit of being real.

    It has no batch norm, which would show it the other rows of a batch (Gulrajani et al. 2017, section 4).
    """

    def __init__(self, features: nn.Sequential, n_scored: int):
        super().__init__()
        self.features, self.score = features, nn.Linear(n_scored, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x)).squeeze(1)  # (batch,)


def mlp_discriminator(sizes: list[int]) -> Discriminator:
    """Fully connected layers of these sizes with leaky ReLU."""
    layers = ((nn.Linear(n_in, n_out), nn.LeakyReLU(0.2)) for n_in, n_out in pairwise(sizes))
    return Discriminator(nn.Sequential(*(module for layer in layers for module in layer)), sizes[-1])


def conv_discriminator(width: int, image_shape: tuple[int, int]) -> Discriminator:
    """Two convolutions of stride 2 and a fully connected layer with leaky ReLU."""
    c = width // 16
    features = nn.Sequential(
        nn.Unflatten(1, (1, *image_shape)),
        *(nn.Conv2d(1, c, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(c, 2 * c, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Flatten()),
        *(nn.Linear(2 * c * (image_shape[0] // 4) * (image_shape[1] // 4), N_SCORED), nn.LeakyReLU(0.2)),
    )
    return Discriminator(features, N_SCORED)
