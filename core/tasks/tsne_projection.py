"""t-SNE projections of latent codes, which take seconds to minutes.

They are computed in a process of their own, ``python -m core.tasks.tsne_projection FOLDER``; see
`core.tasks.computation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import cache
from core.errors import BadInput
from core.tasks import computation

PERPLEXITY = 30.0


@dataclass(frozen=True)
class State:
    """The state of a projection.

    Attributes
    ----------
    points : (n, 2) float32, once it is computed; NaN for rows without a code.
    share, waits, problem : as in `core.tasks.computation.State`.
    """

    points: np.ndarray | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def map_key(Z: np.ndarray) -> str:
    """Return the name of the projection of these codes: (n, n_components)."""
    return cache.make_key(np.asarray(Z, np.float32), PERPLEXITY)


def read_state(name: str) -> State:
    """Return the state of the projection with this key; reads a few small files."""
    state = computation.read_state(WORK, name)
    return State(None if state.arrays is None else state.arrays["points"], state.share, state.waits, state.problem)


def start_map(Z: np.ndarray) -> None:
    """Start to project codes, (n, n_components); NaN for rows without a code.

    Raises
    ------
    HourglassError
        If it can't be started, for example on a full disk.
    """
    codes = np.asarray(Z, np.float32)
    computation.start_work(
        WORK, map_key(codes), lambda folder: np.save(folder / "codes.npy", codes, allow_pickle=False)
    )


def stop_map(name: str) -> None:
    """Stop the projection with this key; its process ends after at most 50 more steps."""
    computation.stop_work(WORK, name)


def _fit_map(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    from core.methods.tsne import TSNEMap

    Z = np.load(folder / "codes.npy", allow_pickle=False)
    at = np.flatnonzero(np.isfinite(Z).all(axis=1))
    # openTSNE maps 2 rows to one position.
    if len(at) < 3 or not np.ptp(Z[at], axis=0).any():
        raise BadInput("t-SNE needs at least 3 rows with different codes: choose more rows, or another run.")
    points = np.full((len(Z), 2), np.nan, np.float32)
    perplexity = min(PERPLEXITY, max((len(at) - 1) / 3, 1.0))
    fitted = TSNEMap(perplexity=perplexity, random_state=0).fit(Z[at], on_tick=lambda row: report(row["share"]))
    points[at] = fitted.embedding_
    return {"points": points}


WORK = computation.Work("core.tasks.tsne_projection", "projections", "tsne", "map", _fit_map)


if __name__ == "__main__":
    computation.main(WORK)
