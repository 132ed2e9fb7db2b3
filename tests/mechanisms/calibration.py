"""Whether the errors that estimates state are the errors they make."""

import numpy as np

SEEDS = range(20)


def assert_calibrated(deviations) -> None:
    """Deviations from the truth in stated errors, a seed each, behave like draws from N(0, 1).

    With 20 of them the largest is below 4 and the root mean square between 0.55 and 1.5, but for one time in a thousand
    or so; an error that is stated half or twice as large as it is would lie outside.
    """
    deviations = np.asarray(deviations)
    assert np.abs(deviations).max() < 4, deviations
    assert 0.55 < np.sqrt(np.square(deviations).mean()) < 1.5, deviations
