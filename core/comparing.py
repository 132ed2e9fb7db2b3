"""A VAE and a GAN on the same data in the plane, trained in a process of its own; a few are shipped.

See `core.computing` for how; ``python -m core.comparing FOLDER`` trains those of a folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core import cache, computing
from core.mechanisms import covering, mixtures
from core.mechanisms.covering import Comparison, Settings
from core.types import BadInput

SHIPPED = Path(__file__).parents[1] / "assets" / "mechanisms"
# It grows when the same settings give other results than before.
VERSION = 1


@dataclass(frozen=True)
class State:
    """How a comparison stands: itself, once it is done; share, waits and problem as in `core.computing.State`."""

    comparison: Comparison | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def key(settings: Settings, points: np.ndarray | None = None) -> str:
    """Names the comparison with these settings, on drawn data where points (n, 2) are given instead of a target."""
    return cache.key(VERSION, _written(settings, points), np.zeros(0) if points is None else points)


def _written(settings: Settings, points: np.ndarray | None) -> str:
    """Settings as JSON, without the name of the data where these were drawn."""
    return json.dumps({**vars(settings), "target": None if points is not None else settings.target}, sort_keys=True)


def state(name: str) -> State:
    """How the comparison with this `key` stands; takes nothing but a look at a few files."""
    if (shipped := _read(SHIPPED / f"{name}.safetensors")) is not None:
        return State(shipped)
    now = computing.state(WORK, name)
    comparison = None if now.arrays is None else Comparison.of(now.arrays)
    return State(comparison, now.share, now.waits, now.problem)


def _read(path: Path) -> Comparison | None:
    try:
        return Comparison.of(load_file(path))
    except (OSError, SafetensorError, BadInput):
        return None


def start(settings: Settings, points: np.ndarray | None = None) -> None:
    """Have both trained; `settings` and `points` as in `key`.

    Raises
    ------
    HourglassError
        If that can't be begun, for example on a full disk.
    """

    def put(folder: Path) -> None:
        (folder / "settings.json").write_text(_written(settings, points))
        if points is not None:
            np.save(folder / "points.npy", points, allow_pickle=False)

    computing.start(WORK, key(settings, points), put)


def stop(name: str) -> None:
    """Let go of the comparison with this `key`."""
    computing.stop(WORK, name)


def _train(folder: Path, tick: Callable[[float], None]) -> dict[str, np.ndarray]:
    given = json.loads((folder / "settings.json").read_text())
    if (drawn := folder / "points.npy").exists():
        given["target"] = mixtures.drawn(np.load(drawn, allow_pickle=False))
    return covering.train(Settings(**given), lambda share, _: tick(share)).arrays()


def planes() -> dict[str, str]:
    """Name -> label of the data in the plane, which can be compared."""
    return {name: label for name, (label, dimension, _) in mixtures.TARGETS.items() if dimension == 2}


def ship(say: Callable[[str], None]) -> None:
    """Train a comparison with the usual settings on all data in the plane, and write it to `SHIPPED`."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    for name in planes():
        settings = Settings(name)
        found = covering.train(settings)
        save_file(_stored_form(found.arrays()), SHIPPED / f"{key(settings)}.safetensors")
        scores = "  ".join(
            f"{model}: precision {found.scores[model].precision:.3f}, recall {found.scores[model].recall:.3f}"
            for model in covering.MODELS
        )
        say(f"{name}: {scores}")


def _stored_form(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is only drawn, in half the bytes."""
    drawn = (".frames", ".history")
    return {name: a.astype(np.float16) if name.endswith(drawn) else a for name, a in arrays.items()}


WORK = computing.Work("core.comparing", "comparisons", "comparison", "comparison", _train)


if __name__ == "__main__":
    computing.main(WORK)
