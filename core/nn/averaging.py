"""Running average of a network's weights (Polyak and Juditsky 1992); torch is imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def update_average(averaged: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Update `averaged`, with its batch statistics: average <- d * average + (1 - d) * weights.

    d = min(decay, (1 + step) / (10 + step)) is smaller at first, to forget the start; `step` counts from 0.
    """
    from torch.optim.swa_utils import get_ema_multi_avg_fn

    averages, currents = (
        [value for value in module.state_dict().values() if value.is_floating_point()] for module in (averaged, network)
    )
    get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(averages, currents, step)
