"""Small networks of a game: a generator with a density, a discriminator, their data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

from core.mechanisms.gaussian_mixtures import Mixture

MOST_WAVES = 4
_DECAY = 0.99
_N_CODES = 4096
_CHUNK = 4_000_000  # numbers at a time


@dataclass(frozen=True, eq=False)
class NoisyGenerator:
    """x = G(z) + noise * eps with z ~ N(0, I) and eps ~ N(0, I).

    Attributes
    ----------
    network : G, from codes (n, dimension) to (n, dimension)
    noise : standard deviation, in units of the data
    """

    network: nn.Module
    noise: float
    dimension: int

    def decode(self, z: Any) -> np.ndarray:
        """G(z) of codes: (n, dimension) -> (n, dimension) float64."""
        import torch

        with torch.no_grad():
            return self.network(torch.as_tensor(np.asarray(z), dtype=torch.float32)).double().numpy()

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n independent draws: (n, dimension) float64."""
        z, eps = rng.standard_normal((2, n, self.dimension))
        return self.decode(z) + self.noise * eps

    def log_density(self, x: Any, n_codes: int = _N_CODES, seed: int = 0, reach: float = 1.0) -> np.ndarray:
        """log q(x), with q the mean of N(x; G(z), noise^2 I) over codes: (n, d) -> (n,).

        With a `reach` above 1 half of the codes have so many times the deviation, and all are weighted accordingly: for
        rows where hardly any code of N(0, I) leads, of which the logarithm would be far too low.

        The codes form a lattice moved by a random shift, so each one is a draw from N(0, I) and the mean has no bias,
        and together they are more even than independent draws, so the mean has less variance.

        Source: Cranley and Patterson 1976, Randomization of number theoretic methods for multiple integration.
        """
        import torch

        x = torch.as_tensor(np.asarray(x), dtype=torch.float32) / self.noise
        z = _make_even_codes(n_codes, self.dimension, seed)
        log_weights = np.zeros(n_codes)
        if reach > 1:
            z[n_codes // 2 :] = reach * _make_even_codes(n_codes - n_codes // 2, self.dimension, seed + 1)
            z[: n_codes // 2] = _make_even_codes(n_codes // 2, self.dimension, seed)
            # The density of such a code relative to that of N(0, I).
            wider = 0.5 * (z**2).sum(axis=1) * (1 - reach**-2) - self.dimension * math.log(reach)
            log_weights = math.log(2) - np.logaddexp(0, wider)
        centres = self.decode(z)
        centres = torch.as_tensor(centres, dtype=torch.float32) / self.noise
        lengths = 0.5 * centres.square().sum(dim=1) - torch.as_tensor(log_weights, dtype=torch.float32)
        parts = []
        for part in x.split(max(1, _CHUNK // n_codes)):
            # |x - c|^2 / 2 as a matrix product: many times faster than differences
            logs = torch.addmm(-lengths, part, centres.T).logsumexp(dim=1)
            parts.append(logs - 0.5 * part.square().sum(dim=1))
        scale = math.log(n_codes) + self.dimension * math.log(self.noise * math.sqrt(2 * math.pi))
        return torch.cat(parts).double().numpy() - scale

    def density_on_grid(self, axis: np.ndarray) -> np.ndarray:
        """q(x) on a grid, see `Mixture.density_on_grid`."""
        centres = self.decode(_make_even_codes(_N_CODES, self.dimension, 0))
        return Mixture.from_means(centres, self.noise).density_on_grid(axis)


def _make_even_codes(n: int, dimension: int, seed: int) -> np.ndarray:
    """Codes (n, dimension), each N(0, I): a Fibonacci lattice with a random shift."""
    from scipy.special import ndtri

    steps = np.array([1 / n, (math.sqrt(5) - 1) / 2])[:dimension]
    even = (np.arange(n)[:, None] * steps + np.random.default_rng(seed).random(dimension)) % 1
    return ndtri(np.clip(even, 1e-12, 1 - 1e-12))


@dataclass(frozen=True, eq=False)
class Discriminator:
    """D(x) of rows, (n, d) -> (n,) float64.

    A probability in [0, 1] if `squash`; else the network's output: a number near [0, 1] with least squares, a score
    in units of the data, up to a constant, with Wasserstein.
    """

    network: nn.Module
    squash: bool = True

    def __call__(self, x: Any) -> np.ndarray:
        import torch

        with torch.no_grad():
            out = self.network(torch.as_tensor(np.asarray(x), dtype=torch.float32)).squeeze(1)
            return (out.sigmoid() if self.squash else out).double().numpy()


def make_network(n_in: int, n_out: int, width: int, generator: Any) -> nn.Sequential:
    """Two hidden layers with SiLU, weights initialised as torch does but from `generator` alone."""
    from torch import nn

    layers = [nn.utils.skip_init(nn.Linear, *sizes) for sizes in ((n_in, width), (width, width), (width, n_out))]
    for layer in layers:
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(layer.in_features)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return nn.Sequential(layers[0], nn.SiLU(), layers[1], nn.SiLU(), layers[2])


def make_discriminator(n_in: int, width: int, waves: int, generator: Any) -> nn.Module:
    """A discriminator or critic: `make_network` of the rows and their sines and cosines.

    With the coordinates alone a network this small takes thousands of steps to learn an edge as narrow as a mode
    (Tancik et al. 2020, Fourier features let networks learn high frequency functions).
    """
    from torch import nn

    network = make_network((2 * waves + 1) * n_in, 1, width, generator)
    return nn.Sequential(_get_waves_class()(waves), *network) if waves else network


@cache
def _get_waves_class() -> type[nn.Module]:
    """The layer that adds sines and cosines to rows: (n, d) -> (n, (2 * waves + 1) * d)."""
    import torch
    from torch import nn

    class Waves(nn.Module):
        def __init__(self, waves: int) -> None:
            super().__init__()
            # Radians per unit of the data.
            self.register_buffer("waves", torch.tensor([0.5 * 2**k for k in range(waves)]))

        def forward(self, x: Tensor) -> Tensor:
            angles = (x[:, :, None] * self.waves).flatten(1)  # (n, d * waves)
            return torch.cat([x, angles.sin(), angles.cos()], dim=1)

    return Waves


class Player:
    """A network and its Adam."""

    def __init__(self, network: nn.Module, rate: float, momentum: float):
        import torch

        self.network = network
        self.weights = list(network.parameters())
        # For networks this small, other implementations of Adam take longer than both passes.
        self.optimizer = torch.optim.Adam(self.weights, lr=rate, betas=(momentum, _DECAY), fused=True)

    def descend(self, loss: Tensor) -> float:
        """One step down the gradient of `loss` by this player's weights; returns its length."""
        import torch

        gradients = torch.autograd.grad(loss, self.weights)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        return float(torch.cat([gradient.flatten() for gradient in gradients]).norm())


class Sampler:
    """Real rows, codes and noise for training, as float32 tensors from one torch generator."""

    def __init__(self, mixture: Mixture, noise: float, random: Any):
        import torch

        self.random, self.noise, self.dimension = random, noise, mixture.dimension
        arrays = (mixture.weights, mixture.means, mixture.deviations)
        self.weights, self.means, self.deviations = (torch.as_tensor(a, dtype=torch.float32) for a in arrays)

    def sample_normal(self, n: int) -> Tensor:
        return self.means.new_empty((n, self.dimension)).normal_(generator=self.random)

    def sample_real(self, n: int) -> Tensor:
        component = self.weights.multinomial(n, replacement=True, generator=self.random)
        return self.means[component] + self.deviations[component, None] * self.sample_normal(n)

    def sample_generated(self, network: nn.Module, n: int) -> Tensor:
        return network(self.sample_normal(n)) + self.noise * self.sample_normal(n)

    def sample_uniform(self, n: int) -> Tensor:
        return self.means.new_empty((n, 1)).uniform_(generator=self.random)
