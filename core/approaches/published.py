"""Published MNIST test errors, to be measured against."""

from __future__ import annotations

from typing import NamedTuple

_KINGMA = "Kingma et al. 2014, Semi-supervised learning with deep generative models, table 1"
_SALIMANS = "Salimans et al. 2016, Improved techniques for training GANs, table 1"


class Published(NamedTuple):
    """A test error in percent at a number of labels; `what` is what the paper calls the method."""

    labels: int
    error: float
    what: str
    paper: str


# (data set, approach) -> what is published
PUBLISHED: dict[tuple[str, str], tuple[Published, ...]] = {
    ("mnist", name): tuple(
        Published(n, error, what, paper) for n, error in zip((100, 600, 1000, 3000), errors, strict=False)
    )
    for name, what, errors, paper in (
        ("network", "NN", (25.81, 11.44, 10.7, 6.04), _KINGMA),
        ("m1", "M1 + TSVM", (11.82, 5.72, 4.24, 3.49), _KINGMA),
        ("m2", "M2", (11.97, 4.94, 3.60, 3.92), _KINGMA),
        ("m1_m2", "M1 + M2", (3.33, 2.59, 2.40, 2.18), _KINGMA),
        ("sgan", "Feature matching", (0.93,), _SALIMANS),
    )
}
