"""Whether the errors that estimates state are the errors they make."""

from collections.abc import Callable

import numpy as np

from core.mechanisms.monte_carlo import Estimate

SEEDS = range(20)


def assert_calibrated(estimate: Callable[[np.random.Generator], Estimate], truth: float) -> None:
    """Deviations from the truth in stated errors, for each seed, behave like draws from N(0, 1).

    With 20 of them the largest is below 4 and the root mean square between 0.55 and 1.5, but for one time in a thousand
    or so; an error that is stated half or twice as large as it is would lie outside.
    """
    deviations = np.array([estimate(np.random.default_rng(seed)).deviation(truth) for seed in SEEDS])
    assert np.abs(deviations).max() < 4, deviations
    assert 0.55 < np.sqrt(np.square(deviations).mean()) < 1.5, deviations
