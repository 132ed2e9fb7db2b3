"""Scores of generated samples, read from a run: which sampler, which method, and whether a winner is significant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import methods
from core.analysis.samplers import NORMAL, CodeSampler, usual
from core.errors import BadInput
from core.types import Run


def sampler_of(run: Run, kind: str, estimator: Any) -> CodeSampler:
    """Restore the sampler of `kind` that was fitted when a run was measured.

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
        remedy = "it is fitted when the run's other figures are measured" if run.pending else "train it again"
        raise BadInput(f"This run holds no fitted distribution of its codes: {remedy}.")
    return CodeSampler(kind).restore({name: run.views[f"sampler.{kind}.{name}"] for name in names})


def figures_of(run: Run, kind: str) -> dict[str, Any]:
    """Select a run's scores of one sampler, under the names of `core.metrics.definitions.DEFINITIONS`.

    Stored names of other samplers than the usual one have a prefix; empty if the sampler was not measured.
    """
    is_usual = kind == methods.entry(run.spec.method).samplers[0]
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
    is_told : whether the best one's interval overlaps with no other.
    tied : labels whose interval overlaps with that of the best.
    """

    order: tuple[str, ...]
    tied: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        return not self.tied


def ranking(figures: Mapping[str, Mapping[str, Any]], name: str = "frechet", higher_is_better: bool = False) -> Ranking:
    """Rank samplers by one score, and find those tied with the best.

    The intervals cover other samples of the same fit, not other fits of the methods.
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
    """Whether a sampler produces significantly more near-duplicates of training images than test images are.

    Parameters
    ----------
    copies : figures with ``copies_interval``
    floor : the interval of test rows
    """
    interval = copies.get("copies_interval")
    return interval is not None and interval[0] > floor[1]
