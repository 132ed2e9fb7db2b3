"""Comparisons of a VAE and a GAN on the same 2-D data: shipped, or trained in a process of their own.

See `core.tasks.computation`.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core import cache
from core.mechanisms import gaussian_mixtures, vae_vs_gan
from core.mechanisms.vae_vs_gan import Comparison, Settings
from core.tasks.computation import Work

SHIPPED = Path(__file__).parents[2] / "assets" / "mechanisms"
# Raised when the same settings give other results.
VERSION = 2


def comparison_key(settings: Settings, points: np.ndarray | None = None) -> str:
    """Return the name of the comparison with these settings, on `points` (n, 2) if they are given."""
    return cache.make_key(VERSION, _settings_to_json(settings, points), np.zeros(0) if points is None else points)


def _settings_to_json(settings: Settings, points: np.ndarray | None) -> str:
    """Return the settings as JSON, without the target if points are given."""
    return json.dumps({**vars(settings), "target": None if points is not None else settings.target}, sort_keys=True)


def find_comparison(name: str) -> Comparison | None:
    """Return the comparison with this key, shipped or trained here; None if there is none."""
    with suppress(OSError, SafetensorError):
        return Comparison.from_arrays(load_file(SHIPPED / f"{name}.safetensors"))
    arrays = WORK.find_result(name)
    return None if arrays is None else Comparison.from_arrays(arrays)


def start_comparison(settings: Settings, points: np.ndarray | None = None) -> None:
    """Start to train both models; raises HourglassError as `Work.start`."""

    def put(folder: Path) -> None:
        (folder / "settings.json").write_text(_settings_to_json(settings, points))
        if points is not None:
            np.save(folder / "points.npy", points, allow_pickle=False)

    WORK.start(comparison_key(settings, points), put)


def _train(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    given = json.loads((folder / "settings.json").read_text())
    if (drawn := folder / "points.npy").exists():
        given["target"] = gaussian_mixtures.make_from_drawing(np.load(drawn, allow_pickle=False))
    return vae_vs_gan.train(Settings(**given), report).to_arrays()


def list_planes() -> dict[str, str]:
    """Return the two-dimensional targets: name -> label."""
    return {name: label for name, (label, mixture) in gaussian_mixtures.TARGETS.items() if mixture.dimension == 2}


def ship_comparisons(say: Callable[[str], None]) -> None:
    """Train a comparison with the default settings on each target, and write them to `SHIPPED`."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    for name in list_planes():
        settings = Settings(name)
        comparison = vae_vs_gan.train(settings)
        arrays = comparison.to_arrays()
        # Those that are only drawn are rounded.
        arrays |= {name: a.astype(np.float16) for name, a in arrays.items() if name.endswith((".frames", ".history"))}
        save_file(arrays, SHIPPED / f"{comparison_key(settings)}.safetensors")
        scores = "  ".join(
            f"{model}: precision {values.precision:.3f}, recall {values.recall:.3f}"
            for model, values in comparison.scores.items()
        )
        say(f"{name}: {scores}")


WORK = Work("core.tasks.vae_vs_gan_training", "comparisons", "comparison", "comparison", _train)


if __name__ == "__main__":
    WORK.main()
