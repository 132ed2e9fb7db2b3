"""Maps of latent codes by t-SNE, computed on request beside the app."""

from __future__ import annotations

from functools import partial

import numpy as np

from core.analysis.rows import BY_TSNE, Rows
from core.tasks import tsne_projection
from core.types import Run
from pages.ui.embeddings.map_state import MapChoice, MapView, RunMap
from pages.ui.shared import page_state
from pages.ui.shared.cached import load_codes
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.task_progress import Task, follow_tasks

_POINTS = "hourglass.projected"


def make_map(choice: MapChoice, rows: Rows, run: Run, stamp: Stamp) -> RunMap:
    """The t-SNE map of a run's latent codes, with a problem if it is not computed yet."""
    Z, description = load_codes(stamp, rows.key, run, rows)
    key = tsne_projection.map_key(Z)
    result = page_state.keep_computed(_POINTS, key, partial(tsne_projection.WORK.find_result, key), 8)
    note = f"the {Z.shape[1]}-D {description}, projected by t-SNE"
    if result is None:
        nowhere = np.full((len(rows), 2), np.nan, np.float32)
        return RunMap(choice, rows, nowhere, note, run, stamp, problem="Not computed yet: see below.")
    return RunMap(choice, rows, result["points"], note, run, stamp)


def offer(view: MapView) -> None:
    """Offer to compute each missing t-SNE map, or draw its progress."""
    missing = [
        run_map for run_map in view.maps if run_map.problem and run_map.run and run_map.choice.projection == BY_TSNE
    ]
    follow_tasks([_make_task(run_map.name, run_map.codes) for run_map in missing])


def _make_task(name: str, Z: np.ndarray) -> Task:
    key = tsne_projection.map_key(Z)
    return Task(
        name=f"tsne-{key}",
        title=f"t-SNE of {name}",
        label=f"Compute the t-SNE map of {name}",
        work=tsne_projection.WORK,
        key=key,
        start=partial(tsne_projection.start_map, Z),
        about=f"{len(Z):,} rows: {_estimate_time(len(Z))}. The result is kept on this computer.",
    )


def _estimate_time(n: int) -> str:
    seconds = 1 + n / 150  # on one thread of an idle machine
    return f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"
