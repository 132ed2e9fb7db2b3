"""Encoders, decoders, generators and discriminators, as plain torch modules."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.nn.compute_cost import conv_channels, hidden_sizes, pyramid

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


def mlp(sizes: list[int], activation: str = "relu") -> nn.Sequential:
    """A multi-layer network (Linear, batch norm, activation); its last layer is linear."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes[:-1]):
        layers += [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), ACTIVATIONS[activation]()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    return nn.Sequential(*layers)


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
        # Scaled after the product: the weights are many more than a batch's outputs.
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
        logs = (1 + counts.log()).clamp(min=0)  # 0 where a word is not there: its logarithm is -inf
        return F.normalize(logs * self.idf) if self.weighting == "tfidf" else logs


def conv_encoder(image_shape: tuple[int, int], n_out: int, width: int, layers: int) -> nn.Sequential:
    """`layers` convolutions of stride 2 (batch norm, ReLU), then one linear layer."""
    channels = [1, *conv_channels(width, layers)]
    blocks: list[nn.Module] = [nn.Unflatten(1, (1, *image_shape))]
    for n_in, n_next in pairwise(channels):
        blocks += [nn.Conv2d(n_in, n_next, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_next), nn.ReLU()]
    height, breadth = pyramid(image_shape, layers)[-1]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(channels[-1] * height * breadth, n_out))


def conv_decoder(n_in: int, image_shape: tuple[int, int], planes: int, width: int, layers: int) -> nn.Sequential:
    """The mirror of `conv_encoder`, out to `planes` values a pixel: (batch, planes * height * width)."""
    shapes = pyramid(image_shape, layers)[::-1]
    channels = [*conv_channels(width, layers)[::-1], planes]
    height, breadth = shapes[0]
    blocks: list[nn.Module] = [
        nn.Linear(n_in, channels[0] * height * breadth, bias=False),
        nn.BatchNorm1d(channels[0] * height * breadth),
        nn.ReLU(),
        nn.Unflatten(1, (channels[0], height, breadth)),
    ]
    for i in range(layers):
        (small_h, small_w), (large_h, large_w) = shapes[i], shapes[i + 1]
        # A stride-2 transposed convolution makes 2 n - 2 rows; output_padding adds what the mirror needs.
        padding = (large_h - 2 * small_h + 1, large_w - 2 * small_w + 1)
        last = i == layers - 1
        blocks.append(
            nn.ConvTranspose2d(channels[i], channels[i + 1], 3, stride=2, padding=1, output_padding=padding, bias=last)
        )
        if not last:
            blocks += [nn.BatchNorm2d(channels[i + 1]), nn.ReLU()]
    return nn.Sequential(*blocks, nn.Flatten())


@dataclass(frozen=True)
class Shape:
    """The form of an encoder and of the decoder that mirrors it.

    `network` is ``"mlp"``, or ``"conv"``, which needs `image_shape`, has ReLU and width / 8 channels in its last
    convolution; see `hidden_sizes`.
    """

    network: str
    width: int
    layers: int
    activation: str
    image_shape: tuple[int, int] | None

    def encoder(self, n_features: int, n_out: int) -> nn.Sequential:
        """From data to `n_out` values."""
        if self.network == "conv":
            return conv_encoder(self.image_shape, n_out, self.width, self.layers)
        return mlp([n_features, *hidden_sizes(self.width, self.layers), n_out], self.activation)

    def decoder(self, n_in: int, n_features: int, planes: int = 1) -> nn.Sequential:
        """From a code to `planes` values a feature, plane by plane: (batch, planes * n_features)."""
        if self.network == "conv":
            return conv_decoder(n_in, self.image_shape, planes, self.width, self.layers)
        return mlp([n_in, *hidden_sizes(self.width, self.layers)[::-1], planes * n_features], self.activation)


def image_classifier(image_shape: tuple[int, int], n_classes: int, n_features: int = 64) -> nn.ModuleDict:
    """``features`` of an image (batch, n_features), non-negative, and a linear ``head`` that names its class."""
    height, width = pyramid(image_shape, 2)[-1]
    features = nn.Sequential(
        nn.Unflatten(1, (1, *image_shape)),
        nn.Conv2d(1, 32, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * height * width, n_features),
        nn.ReLU(),
    )
    return nn.ModuleDict({"features": features, "head": nn.Linear(n_features, n_classes)})


class Generator(nn.Sequential):
    """The GAN's generator: Radford et al. 2016 in small for images, else a multi-layer network; logits out."""

    def __init__(self, n_in: int, n_features: int, width: int, image_shape: tuple[int, int] | None):
        if image_shape is None:
            super().__init__(mlp([n_in, width // 2, width, n_features]))
            return
        c = width // 8
        full, half, quarter = pyramid(image_shape, 2)
        super().__init__(
            nn.Linear(n_in, 2 * c * quarter[0] * quarter[1], bias=False),
            nn.Unflatten(1, (2 * c, *quarter)),
            nn.BatchNorm2d(2 * c),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * c, c, 4, stride=2, padding=1, bias=False),
            _Crop(half),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.ConvTranspose2d(c, 1, 4, stride=2, padding=1),
            _Crop(full),
            nn.Flatten(),
        )


class _Crop(nn.Module):
    """Drops the row or column that doubling an odd size left over."""

    def __init__(self, shape: tuple[int, int]):
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, : self.shape[0], : self.shape[1]]


class Discriminator(nn.Module):
    """The GAN's discriminator: `features` of an image, and from them one logit of being real."""

    def __init__(self, n_features: int, width: int, image_shape: tuple[int, int] | None, n_out_features: int = 128):
        super().__init__()
        if image_shape is None:
            self.features = nn.Sequential(
                nn.Linear(n_features, width), nn.LeakyReLU(0.2), nn.Linear(width, n_out_features), nn.LeakyReLU(0.2)
            )
        else:
            c = width // 16
            height, breadth = image_shape[0] // 4, image_shape[1] // 4
            self.features = nn.Sequential(
                nn.Unflatten(1, (1, *image_shape)),
                nn.Conv2d(1, c, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(c, 2 * c, 4, stride=2, padding=1),
                nn.LeakyReLU(0.2),
                nn.Flatten(),
                nn.Linear(2 * c * height * breadth, n_out_features),
                nn.LeakyReLU(0.2),
            )
        self.score = nn.Linear(n_out_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x)).squeeze(1)  # (batch,)


def mirrored_generator(n_in: int, n_features: int, width: int, layers: int) -> nn.Sequential:
    """A fully connected autoencoder's decoder as a GAN's generator; logits out."""
    return mlp([n_in, *hidden_sizes(width, layers)[::-1], n_features])


class MirroredDiscriminator(nn.Module):
    """A fully connected autoencoder's encoder as a GAN's discriminator, with leaky ReLU and without batch norm.

    Batch norm would let the discriminator see the other rows of a batch (Gulrajani et al. 2017, section 4).
    """

    def __init__(self, n_features: int, width: int, layers: int):
        super().__init__()
        sizes = [n_features, *hidden_sizes(width, layers)]
        blocks: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            blocks += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.2)]
        self.features = nn.Sequential(*blocks)
        self.score = nn.Linear(sizes[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x)).squeeze(1)  # (batch,)
