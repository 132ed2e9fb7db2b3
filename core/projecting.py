"""Codes of many numbers as a t-SNE map, in a process of its own: it takes seconds to minutes.

See `core.computing` for how; ``python -m core.projecting FOLDER`` makes the map of a folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import cache, computing
from core.types import BadInput

PERPLEXITY = 30.0


@dataclass(frozen=True)
class State:
    """How the map of some codes stands.

    Attributes
    ----------
    points : (n, 2) float32, once it is done; rows without a code have NaN.
    share, waits, problem : as in `core.computing.State`.
    """

    points: np.ndarray | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def key(Z: np.ndarray) -> str:
    """Names the map of these codes: (n, n_components)."""
    return cache.key(np.asarray(Z, np.float32), PERPLEXITY)


def state(name: str) -> State:
    """How the map with this `key` stands; takes nothing but a look at a few files."""
    now = computing.state(WORK, name)
    return State(None if now.arrays is None else now.arrays["points"], now.share, now.waits, now.problem)


def start(Z: np.ndarray) -> None:
    """Have the t-SNE map of codes made, (n, n_components), NaN for rows without one.

    Raises
    ------
    HourglassError
        If that can't be begun, for example on a full disk.
    """
    codes = np.asarray(Z, np.float32)
    computing.start(WORK, key(codes), lambda folder: np.save(folder / "codes.npy", codes, allow_pickle=False))


def stop(name: str) -> None:
    """Let go of the map with this `key`; its process ends after at most 50 more steps."""
    computing.stop(WORK, name)


def _map(folder: Path, tick: Callable[[float], None]) -> dict[str, np.ndarray]:
    from core.methods.tsne import TSNEMap

    Z = np.load(folder / "codes.npy", allow_pickle=False)
    at = np.flatnonzero(np.isfinite(Z).all(axis=1))
    if len(at) < 2 or not np.ptp(Z[at], axis=0).any():
        raise BadInput("t-SNE needs at least 2 rows with different codes: choose more rows, or another run.")
    points = np.full((len(Z), 2), np.nan, np.float32)
    perplexity = min(PERPLEXITY, max((len(at) - 1) / 3, 1.0))
    fitted = TSNEMap(perplexity=perplexity, random_state=0).fit(Z[at], on_tick=lambda row: tick(row["share"]))
    points[at] = fitted.embedding_
    return {"points": points}


WORK = computing.Work("core.projecting", "projections", "tsne", "map", _map)


if __name__ == "__main__":
    computing.main(WORK)
