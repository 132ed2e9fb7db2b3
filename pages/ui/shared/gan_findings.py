"""What finished games show, in sentences with their numbers."""

import numpy as np

from core.mechanisms import finished_games
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import PRESETS
from pages.ui.shared.number_format import power_of_ten


def describe_preset(name: str) -> str:
    """What the frames of a preset's game show, in numbers."""
    game, mixture = finished_games.read_finished(name), PRESETS[name].settings.mixture
    last = game.rounds[-1]
    n = len(mixture.weights)
    covered = f"cover {game.coverage[-1] * n:.0f} of the {n} components of the data"
    if name == "oscillation":
        path = game.means[:, 0].astype(np.float64) - mixture.mean[0]
        late = path[len(path) // 2 :]
        return (
            f"The mean of the samples crosses the mean of the data {_count_crossings(path)} times in {last:,} rounds; "
            f"in the last half its root mean square distance from it is {np.sqrt((late**2).mean()):.2f}."
        )
    if name == "vanishing":
        return (
            f"At round {last:,} the gradient of the loss by a sample has a mean length of "
            f"{format_length(game.slope[-1])}; it was {game.slope[0]:.2f} at round 0. The samples {covered}."
        )
    middle = int(np.abs(game.rounds - last / 8).argmin())
    return (
        f"At round {last:,} the samples {covered}. The Jensen-Shannon divergence is {game.js[-1]:.3f} nats "
        f"({game.js[middle]:.3f} at round {game.rounds[middle]:,}), and the mean difference between D and p / (p + q) "
        f"is {game.disagreement[-1]:.3f}."
    )


def format_length(value: float) -> str:
    """A positive number, ``"0.19"`` or ``"3.7 × 10⁻⁶"``."""
    return f"{value:.2f}" if value >= 0.001 else power_of_ten(value, 1)


def _count_crossings(path: np.ndarray) -> int:
    """How often a path (n,), averaged over 10 steps, changes its sign."""
    return int((np.diff(np.sign(np.convolve(path, np.ones(10) / 10, "valid"))) != 0).sum())


def describe_generators_alone() -> str:
    """What the finished games without a discriminator show, in numbers."""
    frozen, likely = (finished_games.read_finished(name) for name in (DENSITY, LIKELIHOOD))
    mixture = finished_games.GAMES[DENSITY][0].mixture
    return (
        f"With D fixed, the samples end {frozen.offset[-1]:.2f} from the highest mode, with a standard deviation of "
        f"{frozen.spread[-1]:.2f}; by maximum likelihood their standard deviation is {likely.spread[-1]:.2f}, and that "
        f"of the data {mixture.deviation:.2f}."
    )


def describe_opponents() -> str:
    """What the finished games on two modes of unequal height show, in numbers."""
    frozen, learned = (finished_games.read_finished(name) for name in (DENSITY, finished_games.HILLS))
    mixture = finished_games.GAMES[DENSITY][0].mixture
    n = len(mixture.weights)
    return (
        f"With D frozen, the samples end {frozen.offset[-1]:.2f} from the highest mode, with a standard deviation of "
        f"{frozen.spread[-1]:.2f}. With D learning, they reach {learned.coverage[-1] * n:.0f} of {n} modes, with a "
        f"standard deviation of {learned.spread[-1]:.2f} (data: {mixture.deviation:.2f}), and the mean difference "
        f"between D and p / (p + q) is {learned.disagreement[-1]:.2f}."
    )
