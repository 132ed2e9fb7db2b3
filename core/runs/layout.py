"""Where runs are stored: the folders, the names of the files, and how much room there is.

A run's folder is ``<data set>/<method>-<code size>-<first 8 digits of its key>``. Folders named by the whole key are
found too, and a run's folder that lies directly in the folder of runs. It holds three files, some a fourth:

    run.json            spec, history, metrics, environment, notes, and the other files' SHA-256
    weights.safetensors the fitted estimator's arrays
    views.safetensors   what pages show, without the weights
    replay.safetensors  snapshots of the training, where it was watched

Runs are looked for in the user's own folder, in ``.copies/COPY`` below it, and among the shipped ones. COPY is 16
digits that name another copy of the data, on which an own run with the same settings was trained before.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core import config
from core.errors import HourglassError
from core.files import check_room
from core.types import Measurement, Run, Spec

SHIPPED = Path(__file__).parents[2] / "assets" / "runs"
COPIES = ".copies"
_NUMBER = int | float
DOCUMENT, WEIGHTS, VIEWS, REPLAY = "run.json", "weights.safetensors", "views.safetensors", "replay.safetensors"
KEY = re.compile("[0-9a-f]{16}")
RUN_NAME = re.compile(r"[0-9a-f]{16}|[a-z][a-z0-9_]*-[1-9][0-9]*-[0-9a-f]{8}")


def runs_folder() -> Path:
    """Return the folder of the user's own runs."""
    return config.runs_folder()


def folders() -> tuple[Path, ...]:
    """Return the folders with runs: the user's own, those of other copies of the data, and the shipped runs."""
    own = runs_folder()
    with suppress(OSError):
        return own, *sorted(copy for copy in (own / COPIES).iterdir() if KEY.fullmatch(copy.name)), SHIPPED
    return own, SHIPPED


def folder_name(spec: Spec) -> str:
    """Return the name of a run's folder, such as ``vae-10-0374538a``."""
    return f"{spec.method}-{spec.param('n_components')}-{spec.key[:8]}"


def place_of(folder: Path, spec: Spec) -> Path:
    """Return the place of a run in a folder of runs: where it is stored under any name, else where it belongs."""
    place = folder / spec.dataset / folder_name(spec)
    return next((p for p in (place, folder / spec.key, folder / place.name) if os.path.lexists(p)), place)


def iterate_places(folder: Path) -> Iterator[Path]:
    """Yield the run folders in a folder of runs, and other folders among them that are not hidden."""
    for name in _subfolders(folder):
        place = folder / name
        try:
            is_run = RUN_NAME.fullmatch(name) or os.path.lexists(place / DOCUMENT)
            yield from [place] if is_run else [place / inner for inner in _subfolders(place)]
        except OSError:  # to be reported by whoever reads it
            yield place


def _subfolders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(entry.name for entry in shown if entry.is_dir(follow_symlinks=False) or os.path.isdir(entry))


def aside_place(folder: Path, run: Run) -> Path:
    """Return the place that an own run moves to when its settings are trained on another copy of the data."""
    copy = hashlib.sha256(run.environment["data_checksum"].encode()).hexdigest()[:16]
    return place_of(folder / COPIES / copy, run.spec)


def storage_error(folder: Path, error: OSError) -> HourglassError:
    """Return the error to raise if a run can't be stored."""
    return HourglassError(
        f"The run could not be stored in {folder} ({error.strerror or error}): free some space there, "
        "or set HOURGLASS_RUNS to another folder."
    )


def check_writable() -> None:
    """Raise HourglassError if no run could be stored in `runs_folder`."""
    folder = runs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.rmdir(tempfile.mkdtemp(prefix=".probe-", dir=folder))
    except OSError as error:
        raise storage_error(folder, error) from None
    check_room(1)


def printable(path: Path) -> str:
    """Return a path as text that can be shown, even if its bytes are not valid Unicode."""
    return os.fsencode(path).decode(errors="backslashreplace")


def metrics_to_json(run: Run) -> dict[str, Any]:
    """Return a run's metrics as they are stored: ``x``, ``x_interval``, ``x_n``, and an object a metric by class."""
    document: dict[str, Any] = dict(run.by_class)
    for name, measurement in run.metrics.items():
        document[name] = measurement.value
        if measurement.interval:
            document[f"{name}_interval"] = list(measurement.interval)
        if measurement.n is not None:
            document[f"{name}_n"] = measurement.n
    return document


def metrics_from_json(document: Mapping[str, Any]) -> tuple[dict[str, Measurement], dict[str, dict[str, float]]]:
    """Inverse of `metrics_to_json`: metrics and those by class; raises ValueError with the name of a wrong entry."""
    metrics, by_class = {}, {}
    left = dict(document)
    for name in [name for name in document if not name.endswith(("_interval", "_n"))]:
        value, interval, n = left.pop(name), left.pop(f"{name}_interval", None), left.pop(f"{name}_n", None)
        if isinstance(value, dict):
            by_class[name] = value
            continue
        pair = isinstance(interval, list) and len(interval) == 2 and all(is_of_type(end, _NUMBER) for end in interval)
        checks = {name: is_of_type(value, _NUMBER), f"{name}_interval": pair or interval is None}
        checks[f"{name}_n"] = n is None or (is_of_type(n, _NUMBER) and n == int(n))
        if wrong := [entry for entry, is_right in checks.items() if not is_right]:
            raise ValueError(wrong[0])
        metrics[name] = Measurement(value, *(interval or (None, None)), n)
    if left:
        raise ValueError(next(iter(left)))
    return metrics, by_class


def is_of_type(value: Any, kind: Any) -> bool:
    """Whether a value from JSON is of a type. True and False do not count as numbers."""
    return isinstance(value, kind) and not isinstance(value, bool)
