"""Making new rows: samples by each way to draw a code, paths between two codes, and directions from class to class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.samplers import NORMAL, OF_METHOD, CodeSampler, usual
from core.types import BadInput, Run


def sampler_of(run: Run, kind: str, estimator: Any) -> CodeSampler:
    """The sampler of `kind` that was fitted when a run was measured.

    Parameters
    ----------
    estimator : the run's.

    Raises
    ------
    BadInput
        If the run holds none: it was measured before there were any.
    """
    if kind == NORMAL:
        return usual(estimator, None, NORMAL)
    names = ("weights", "means", "factors")
    if not all(f"sampler.{kind}.{name}" in run.views for name in names):
        raise BadInput("This run holds no fitted distribution of its codes: train it again.")
    return CodeSampler(kind).restore({name: run.views[f"sampler.{kind}.{name}"] for name in names})


def figures_of(run: Run, kind: str) -> dict[str, Any]:
    """The run's figures of samples by this sampler, under the names of `core.metrics.DEFINITIONS`.

    Those of its usual one stand without a prefix; where it was not measured there are none.
    """
    is_usual = kind == OF_METHOD[run.spec.method][0]
    prefix = "" if is_usual else f"{kind}."
    of_samples = ("frechet", "precision", "recall", "coverage", "copies", "class_shares")
    found = {}
    for name in of_samples:
        for suffix in ("", "_interval", "_n"):
            if f"{prefix}{name}{suffix}" in run.metrics:
                found[f"{name}{suffix}"] = run.metrics[f"{prefix}{name}{suffix}"]
    return found


@dataclass(frozen=True)
class Ranking:
    """Samplers by one figure of their samples.

    Attributes
    ----------
    order : labels, the best first.
    is_told : whether the best one's interval lies apart from that of every other.
    tied : labels whose interval meets that of the best.
    """

    order: tuple[str, ...]
    tied: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        return not self.tied


def ranking(figures: Mapping[str, Mapping[str, Any]], name: str = "frechet", higher_is_better: bool = False) -> Ranking:
    """Order samplers by a figure, and say whose intervals meet that of the best one.

    Intervals over the seeds of each sampler's samples; those that do not meet tell two samplers of one fit apart,
    whatever another fit of the methods would give.
    """
    known = {label: each for label, each in figures.items() if name in each and f"{name}_interval" in each}
    order = sorted(known, key=lambda label: known[label][name], reverse=higher_is_better)
    if not order:
        return Ranking((), ())
    low, high = known[order[0]][f"{name}_interval"]
    ends = {label: known[label][f"{name}_interval"] for label in order[1:]}
    tied = tuple(label for label, (start, end) in ends.items() if start <= high and end >= low)
    return Ranking(tuple(order), tied)


def repeats(copies: Mapping[str, Any], floor: tuple[float, float]) -> bool:
    """Whether a sampler repeats training rows: its share of copies lies above that of test rows, intervals apart.

    Parameters
    ----------
    copies : figures with ``copies_interval``
    floor : the interval of test rows
    """
    interval = copies.get("copies_interval")
    return interval is not None and interval[0] > floor[1]


def lerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Codes on the straight line from one code to another.

    Parameters
    ----------
    start, end : (n_components,)
    shares : (n,), 0 is the start and 1 the end

    Returns
    -------
    (n, n_components) float64
    """
    start, end = _pair(start, end)
    shares = np.asarray(shares, np.float64)[:, None]
    return (1 - shares) * start + shares * end


def slerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Codes on the arc from one code to another, seen from the origin; their lengths change evenly.

    Codes drawn from N(0, I) lie near a sphere, which the straight line between two of them leaves. Where the codes
    point the same way, or to opposite sides, the line is taken.

    Parameters, Returns and Raises as `lerp`.

    References
    ----------
    Shoemake 1985, Animating rotation with quaternion curves; White 2016, Sampling generative networks.
    """
    start, end = _pair(start, end)
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) < 1e-12:
        return lerp(start, end, shares)
    one, other = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(start, end, shares)
    shares = np.asarray(shares, np.float64)[:, None]
    directions = (np.sin((1 - shares) * angle) * one + np.sin(shares * angle) * other) / np.sin(angle)
    return directions * ((1 - shares) * lengths[0] + shares * lengths[1])


def class_difference(Z: np.ndarray, y: np.ndarray, plus: int, minus: int) -> np.ndarray:
    """The mean code of one class less that of another: (n_components,) float64.

    Parameters
    ----------
    Z : (n, n_components); y : (n,) class of each

    Raises
    ------
    BadInput
        If either class has no row.

    References
    ----------
    Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric (visual attribute vectors).
    """
    Z, y = np.asarray(Z, np.float64), np.asarray(y)
    means = []
    for label in (plus, minus):
        if not (y == label).any():
            raise BadInput(f"No row of class number {label} is here: choose another class, or more rows.")
        means.append(Z[y == label].mean(axis=0))
    return means[0] - means[1]


def _pair(start, end) -> tuple[np.ndarray, np.ndarray]:
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if start.shape != end.shape or start.ndim != 1:
        raise BadInput(f"A path runs between two codes of one size, not between {start.shape} and {end.shape}.")
    return start, end
