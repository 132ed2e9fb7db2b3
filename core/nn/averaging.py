"""Running average of a network's weights (Polyak and Juditsky 1992); torch is imported on use."""


def update_average(averaged, network, decay: float, step: int) -> None:
    """Update the module `averaged`, with its batch statistics: average <- d * average + (1 - d) * weights.

    d = min(decay, (1 + step) / (10 + step)) is smaller at first, to forget the start; `step` counts from 0.
    """
    from torch.optim.swa_utils import get_ema_multi_avg_fn

    states = averaged.state_dict().values(), network.state_dict().values()
    averages, currents = ([value for value in values if value.is_floating_point()] for values in states)
    get_ema_multi_avg_fn(min(decay, (1 + step) / (10 + step)))(averages, currents, step)
