"""One player alone: a discriminator against a fixed generator, or a lone generator."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

from core.errors import Diverged
from core.mechanisms.density_comparison import Distribution, compute_optimal_discriminator
from core.mechanisms.gan_game import Settings, make_generator
from core.mechanisms.toy_networks import MOST_WAVES, Discriminator, NoisyGenerator, Player, Sampler, make_discriminator
from core.nn import losses

DENSITY, LIKELIHOOD = "density", "likelihood"
# Of the discriminator's training: rows that are drawn once, rows of each kind in a step, and the first learning rate.
_N_DRAWS, _STEPS, _WIDTH, _BATCH, _RATE = 20_000, 1000, 64, 256, 0.01


def fit_discriminator(p: Distribution, q: Distribution) -> Discriminator:
    """A discriminator trained to convergence on draws of p, real, and of q, generated.

    Binary cross entropy (Goodfellow et al. 2014, eq. 1), Adam, learning rate falling to 0 along a cosine.
    """
    import torch

    rng, random = np.random.default_rng(0), torch.Generator().manual_seed(0)
    real, made = (torch.as_tensor(each.sample(_N_DRAWS, rng), dtype=torch.float32) for each in (p, q))
    player = Player(make_discriminator(p.dimension, _WIDTH, MOST_WAVES, random), _RATE, momentum=0.9)
    for done in range(_STEPS):
        player.optimizer.param_groups[0]["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * done / _STEPS))
        chosen = torch.randint(_N_DRAWS, (2, _BATCH), generator=random)
        rows = torch.cat([real[chosen[0]], made[chosen[1]]])
        on_real, on_made = player.network(rows).squeeze(1).split(_BATCH)
        player.descend(losses.discriminator_loss("non-saturating", on_real, on_made))
    return Discriminator(player.network)


def estimate_disagreement(discriminator: Discriminator, p: Distribution, q: Distribution, n: int = 2000) -> float:
    """Mean of |D(x) - p(x) / (p(x) + q(x))| under (p + q) / 2, from n draws of each: in [0, 1]."""
    rng = np.random.default_rng(1)
    x = np.concatenate([p.sample(n, rng), q.sample(n, rng)])
    optimal = compute_optimal_discriminator(p.log_density(x), q.log_density(x))
    return float(np.abs(discriminator(x) - optimal).mean())


class SoloGenerator:
    """A generator that learns without a discriminator, as `core.mechanisms.gan_game.Game` would start with it.

    Attributes
    ----------
    objective : ``"density"`` maximises E log D with D frozen to the normalised data density, D(x) = p(x) / max p. The
        optimum is one point, the highest mode, plus the generator's noise; a generator that starts out spread over
        several modes may shrink onto each of them. E log D and not E D, which is flat where the data are not.
        ``"likelihood"`` is naive sampling, which maximises E_x log (1/K) sum_k N(x; G(z_k), noise^2 I) over real rows
        x, with as many draws z_k from the prior, the same for all rows of a step.
    history : a row for each step: ``value`` of the objective in nats, and ``mean`` (d floats) of its generated rows
    """

    def __init__(self, settings: Settings, objective: str):
        import torch

        random = torch.Generator().manual_seed(settings.seed)
        self.settings, self.objective = settings, objective
        self.player = Player(make_generator(settings, random), settings.generator_rate, settings.momentum)
        self.sampler = Sampler(settings.mixture, settings.noise, random)
        self.history: list[dict[str, Any]] = []

    @property
    def generator(self) -> NoisyGenerator:
        """The current generator; it goes on learning."""
        return NoisyGenerator(self.player.network, self.settings.noise, self.settings.mixture.dimension)


def train(solo: SoloGenerator, steps: int) -> SoloGenerator:
    """Take steps, in place; in parts or at once makes no difference.

    Raises Diverged when the objective is no longer a finite number.
    """
    compute_objective = _compute_log_density if solo.objective == DENSITY else _compute_log_likelihood
    for _ in range(steps):
        value, made = compute_objective(solo)
        solo.player.descend(-value)
        row = {"value": float(value.detach()), "mean": tuple(made.detach().mean(dim=0).tolist())}
        if not math.isfinite(row["value"]):
            raise Diverged("The objective is no longer a finite number: begin again with a lower generator_rate.")
        solo.history.append(row)
    return solo


def _compute_log_density(solo: SoloGenerator) -> tuple[Tensor, Tensor]:
    """Mean of log p(x) - log max p over generated rows, in nats, and the rows."""
    sampler, mixture = solo.sampler, solo.settings.mixture
    made = sampler.sample_generated(solo.player.network, solo.settings.batch)
    squared = (made[:, None, :] - sampler.means).square().sum(dim=2) / sampler.deviations.square()
    logs = sampler.weights.log() - mixture.dimension * sampler.deviations.log() - 0.5 * squared
    top = mixture.log_density(mixture.mode[None])[0] + 0.5 * mixture.dimension * math.log(2 * math.pi)
    return logs.logsumexp(dim=1).mean() - float(top), made


def _compute_log_likelihood(solo: SoloGenerator) -> tuple[Tensor, Tensor]:
    """Mean of log (1/K) sum_k p(x | z_k) in nats, and rows generated from the same codes."""
    sampler, n, noise = solo.sampler, solo.settings.batch, solo.settings.noise
    real, centres = sampler.sample_real(n), solo.player.network(sampler.sample_normal(n))
    squared = (real[:, None, :] - centres).square().sum(dim=2)  # (real, codes)
    scale = math.log(n) + sampler.dimension * math.log(noise * math.sqrt(2 * math.pi))
    value = (-0.5 * squared / noise**2).logsumexp(dim=1).mean() - scale
    return value, centres + noise * sampler.sample_normal(n)
