"""Which of the stored runs a page shows for a data set, a method and a code size."""

from __future__ import annotations

from collections.abc import Iterable

from core import methods
from core.datasets import checksums
from core.runs import budgets, store
from core.types import Run, Spec

# The default weighting of word counts.
USUAL_WEIGHTING = "tfidf"


def code_size(run: Run) -> int:
    """Return a run's number of latent dimensions."""
    return int(run.spec.param("n_components"))


def fits_view(spec: Spec, dataset: str, method: str, n_components: int) -> bool:
    """Whether a run belongs to the view of a data set, a method and a code size.

    A GAN does not encode rows, so its runs are shown at every code size.
    """
    of_view = (spec.dataset, spec.method) == (dataset, method)
    return of_view and (methods.entry(method).has_own_code_size or spec.param("n_components") == n_components)


def have_same_rows(runs: Iterable[Run]) -> bool:
    """Whether runs were measured on the same copy of the data, so that they may be ranked."""
    return len({run.environment["data_checksum"] for run in runs}) <= 1


def select_runs(runs: list[Run], dataset: str, method: str, n_components: int) -> list[Run]:
    """Select the runs of `method` on `dataset` that fit a code size, the default first.

    The order, by decreasing weight: runs of the copy of the data on this machine (see `core.datasets.checksums`);
    shipped runs; runs that are neither a best effort nor stopped early; runs on documents with the usual weighting;
    the oldest shipped run, since later ones serve single sections, and the newest own run. See also `fits_view`.
    """
    fitting = [run for run in runs if fits_view(run.spec, dataset, method, n_components)]
    by_date = sorted(fitting, key=lambda run: run.environment["date"])
    shipped = {run.key for run in by_date if store.is_shipped(run)}
    own = [run for run in reversed(by_date) if run.key not in shipped]
    in_order = [run for run in by_date if run.key in shipped] + own
    return sorted(in_order, key=lambda run: (not checksums.is_here(run), run.key not in shipped, _is_second(run)))


def _is_second(run: Run) -> tuple[bool, bool]:
    """Whether a run is a best effort or was stopped early, and whether its words have an unusual weighting."""
    stopped = run.environment.get("stopped_early") is True or budgets.is_best_effort(run)
    return stopped, run.spec.param("weighting", USUAL_WEIGHTING) != USUAL_WEIGHTING
