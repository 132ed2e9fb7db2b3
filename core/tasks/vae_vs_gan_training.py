"""Comparisons of a VAE and a GAN trained on the same two-dimensional data; some are shipped.

They are trained in a process of their own, ``python -m core.tasks.vae_vs_gan_training FOLDER``; see
`core.tasks.computation`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core import cache
from core.errors import BadInput
from core.mechanisms import gaussian_mixtures, vae_vs_gan
from core.mechanisms.vae_vs_gan import Comparison, Settings
from core.tasks import computation

SHIPPED = Path(__file__).parents[2] / "assets" / "mechanisms"
# Raised when the same settings give other results.
VERSION = 1


@dataclass(frozen=True)
class State:
    """The state of a comparison.

    Attributes
    ----------
    comparison : the comparison, once both models are trained.
    share, waits, problem : as in `core.tasks.computation.State`.
    """

    comparison: Comparison | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def comparison_key(settings: Settings, points: np.ndarray | None = None) -> str:
    """Return the name of the comparison with these settings, on `points` (n, 2) if they are given."""
    return cache.make_key(VERSION, _settings_to_json(settings, points), np.zeros(0) if points is None else points)


def _settings_to_json(settings: Settings, points: np.ndarray | None) -> str:
    """Return the settings as JSON, without the target if points are given."""
    return json.dumps({**vars(settings), "target": None if points is not None else settings.target}, sort_keys=True)


def read_state(name: str) -> State:
    """Return the state of the comparison with this key; reads a few small files."""
    if (shipped := _read_comparison(SHIPPED / f"{name}.safetensors")) is not None:
        return State(shipped)
    now = computation.read_state(WORK, name)
    comparison = None if now.arrays is None else Comparison.from_arrays(now.arrays)
    return State(comparison, now.share, now.waits, now.problem)


def _read_comparison(path: Path) -> Comparison | None:
    try:
        return Comparison.from_arrays(load_file(path))
    except (OSError, SafetensorError, BadInput):
        return None


def start_comparison(settings: Settings, points: np.ndarray | None = None) -> None:
    """Start to train both models; `settings` and `points` as in `comparison_key`.

    Raises
    ------
    HourglassError
        If it can't be started, for example on a full disk.
    """

    def put(folder: Path) -> None:
        (folder / "settings.json").write_text(_settings_to_json(settings, points))
        if points is not None:
            np.save(folder / "points.npy", points, allow_pickle=False)

    computation.start_work(WORK, comparison_key(settings, points), put)


def stop_comparison(name: str) -> None:
    """Stop the comparison with this key."""
    computation.stop_work(WORK, name)


def _train(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    given = json.loads((folder / "settings.json").read_text())
    if (drawn := folder / "points.npy").exists():
        given["target"] = gaussian_mixtures.make_from_drawing(np.load(drawn, allow_pickle=False))
    return vae_vs_gan.train(Settings(**given), report).to_arrays()


def list_planes() -> dict[str, str]:
    """Return the two-dimensional targets: name -> label."""
    return {name: label for name, (label, dimension, _) in gaussian_mixtures.TARGETS.items() if dimension == 2}


def ship_comparisons(say: Callable[[str], None]) -> None:
    """Train a comparison with the default settings on each target, and write them to `SHIPPED`."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    for name in list_planes():
        settings = Settings(name)
        found = vae_vs_gan.train(settings)
        save_file(_round_drawn(found.to_arrays()), SHIPPED / f"{comparison_key(settings)}.safetensors")
        scores = "  ".join(
            f"{model}: precision {found.scores[model].precision:.3f}, recall {found.scores[model].recall:.3f}"
            for model in vae_vs_gan.MODELS
        )
        say(f"{name}: {scores}")


def _round_drawn(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays with those that are only drawn in float16."""
    drawn = (".frames", ".history")
    return {name: a.astype(np.float16) if name.endswith(drawn) else a for name, a in arrays.items()}


WORK = computation.Work("core.tasks.vae_vs_gan_training", "comparisons", "comparison", "comparison", _train)


if __name__ == "__main__":
    computation.main(WORK)
