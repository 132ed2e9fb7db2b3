"""A discriminator alone, against a generator that stands still, and a generator alone, without a second player."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

from core.errors import BadInput, Diverged
from core.mechanisms.density_comparison import Distribution, compute_optimal_discriminator
from core.mechanisms.gan_game import Settings, make_generator
from core.mechanisms.toy_networks import MOST_WAVES, Discriminator, NoisyGenerator, Player, Sampler, make_discriminator
from core.nn import losses

DENSITY, LIKELIHOOD = "density", "likelihood"


def fit_discriminator(
    p: Distribution,
    q: Distribution,
    steps: int = 1000,
    *,
    width: int = 64,
    batch: int = 256,
    rate: float = 0.01,
    n_draws: int = 20_000,
    seed: int = 0,
) -> Discriminator:
    """A discriminator trained to convergence on draws of p, real, and of q, generated: q does not learn.

    Binary cross entropy (Goodfellow et al. 2014, eq. 1), Adam, learning rate falling to 0 along a cosine.

    Parameters
    ----------
    batch : rows of each a step, of `n_draws` that are drawn once
    """
    import torch

    rng = np.random.default_rng(seed)
    real, made = (torch.as_tensor(one.sample(n_draws, rng), dtype=torch.float32) for one in (p, q))
    random = torch.Generator().manual_seed(seed)
    judge = Player(make_discriminator(p.dimension, width, MOST_WAVES, random), rate, momentum=0.9)
    for done in range(steps):
        judge.optimizer.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done / steps))
        chosen = torch.randint(n_draws, (2, batch), generator=random)
        rows = torch.cat([real[chosen[0]], made[chosen[1]]])
        on_real, on_made = judge.network(rows).squeeze(1).split(batch)
        judge.descend(losses.discriminator_loss("non-saturating", on_real, on_made))
    return Discriminator(judge.network)


def estimate_disagreement(
    judge: Discriminator, p: Distribution, q: Distribution, n: int = 2000, seed: int = 1
) -> float:
    """Mean of |D(x) - p(x) / (p(x) + q(x))| under (p + q) / 2, from n draws of each: in [0, 1]."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([p.sample(n, rng), q.sample(n, rng)])
    return float(np.abs(judge(x) - compute_optimal_discriminator(p, q, x)).mean())


@dataclass(eq=False)
class SoloGenerator:
    """A generator that learns without a second player, and where it is.

    Attributes
    ----------
    objective : ``"density"`` or ``"likelihood"``, see `against_density` and `by_likelihood`
    history : a row a step: ``step`` from 1, ``value`` (the objective, in nats), ``mean`` (d floats) and ``spread``
        (root of the mean variance along the axes) of the step's generated rows
    """

    settings: Settings
    objective: str
    player: Player
    sampler: Sampler
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def generator(self) -> NoisyGenerator:
        """The generator as it is; it goes on learning."""
        return NoisyGenerator(self.player.network, self.settings.noise, self.settings.mixture.dimension)


def begin_training(settings: Settings, objective: str) -> SoloGenerator:
    """The generator that `begin` would start with, alone; of the settings, those of the discriminator do not count.

    Raises BadInput for another objective, and see `Settings.validate`.
    """
    import torch

    if objective not in _OBJECTIVES:
        raise BadInput(f"There is no objective {objective!r:.40}: choose one of {', '.join(_OBJECTIVES)}.")
    settings = settings.validate()
    random = torch.Generator().manual_seed(settings.seed)
    player = Player(make_generator(settings, random), settings.generator_rate, settings.momentum)
    return SoloGenerator(settings, objective, player, Sampler(settings.mixture, settings.noise, random))


def train(
    solo: SoloGenerator, steps: int, on_step: Callable[[SoloGenerator], bool | None] | None = None
) -> SoloGenerator:
    """Take steps; in parts or at once makes no difference. `on_step` gets the solo and ends it by returning True.

    Raises Diverged when the objective is no longer a finite number.
    """
    for _ in range(steps):
        value, made = _OBJECTIVES[solo.objective](solo)
        solo.player.descend(-value)
        made = made.detach()
        row = {
            "step": len(solo.history) + 1,
            "value": float(value.detach()),
            "mean": tuple(made.mean(dim=0).tolist()),
            "spread": float(made.var(dim=0).mean().sqrt()),
        }
        if not math.isfinite(row["value"]):
            raise Diverged("The objective is no longer a finite number: begin again with a lower generator_rate.")
        solo.history.append(row)
        if on_step is not None and on_step(solo):
            break
    return solo


def against_density(settings: Settings, steps: int = 1000) -> SoloGenerator:
    """The generator trained with D frozen to the normalised data density, D(x) = p(x) / max p: it maximises E log D.

    Its best answer is one point, the highest mode, smeared by its own noise. E log D is chosen over E D since D is
    flat where the data are not, and a generator that starts there would not move. A row follows the slope where it
    is, so a generator that is spread over several modes when it starts may shrink onto each of them.
    """
    return train(begin_training(settings, DENSITY), steps)


def by_likelihood(settings: Settings, steps: int = 1000) -> SoloGenerator:
    """The generator trained by naive sampling: it maximises E_x log (1/K) sum_k N(x; G(z_k), noise^2 I).

    x are real rows, z_k draws from the prior, as many as rows, the same ones for all rows of a step.
    """
    return train(begin_training(settings, LIKELIHOOD), steps)


def _log_normalised_density(solo: SoloGenerator) -> tuple[Tensor, Tensor]:
    """Mean of log p(x) - log max p over generated rows, in nats, and the rows."""
    sampler, mixture = solo.sampler, solo.settings.mixture
    made = sampler.sample_generated(solo.player.network, solo.settings.batch)
    squared = (made[:, None, :] - sampler.means).square().sum(dim=2) / sampler.deviations.square()
    logs = sampler.weights.log() - mixture.dimension * sampler.deviations.log() - 0.5 * squared
    top = mixture.log_density(mixture.mode[None])[0] + 0.5 * mixture.dimension * math.log(2 * math.pi)
    return logs.logsumexp(dim=1).mean() - float(top), made


def _naive_log_likelihood(solo: SoloGenerator) -> tuple[Tensor, Tensor]:
    """Mean over real rows of log (1/K) sum_k p(x | z_k), in nats, and rows generated from the same codes."""
    sampler, n, noise = solo.sampler, solo.settings.batch, solo.settings.noise
    real, centres = sampler.sample_real(n), solo.player.network(sampler.sample_normal(n))
    squared = (real[:, None, :] - centres).square().sum(dim=2)  # (real, codes)
    scale = math.log(n) + sampler.dimension * math.log(noise * math.sqrt(2 * math.pi))
    value = (-0.5 * squared / noise**2).logsumexp(dim=1).mean() - scale
    return value, centres + noise * sampler.sample_normal(n)


_OBJECTIVES = {DENSITY: _log_normalised_density, LIKELIHOOD: _naive_log_likelihood}
