"""t-SNE projections of latent codes, computed in a process of their own; see `core.tasks.computation`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from core import cache
from core.errors import BadInput
from core.tasks.computation import Work

PERPLEXITY = 30.0


def map_key(Z: np.ndarray) -> str:
    """Return the name of the projection of these codes: (n, n_components)."""
    return cache.make_key(np.asarray(Z, np.float32), PERPLEXITY)


def start_map(Z: np.ndarray) -> None:
    """Start to project codes, (n, n_components), NaN for rows without a code; raises HourglassError as `Work.start`."""
    codes = np.asarray(Z, np.float32)
    WORK.start(map_key(codes), lambda folder: np.save(folder / "codes.npy", codes, allow_pickle=False))


def _fit_map(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    """Return ``points``: (n, 2) float32, NaN for rows without a code."""
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


WORK = Work("core.tasks.tsne_projection", "projections", "tsne", "map", _fit_map)


if __name__ == "__main__":
    WORK.main()
