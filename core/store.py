"""Run <-> folder. A run's folder is named by its key and holds three files:

    run.json            spec, history, metrics, environment, notes, and the other files' SHA-256
    weights.safetensors the fitted estimator's arrays
    views.safetensors   what pages show, without the weights

Nothing is pickled; a folder is written aside and renamed into place, so it is whole or absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.types import BadInput, BrokenRun, HourglassError, Run, Spec

FORMAT = 1
SHIPPED = Path(__file__).parent.parent / "assets" / "runs"
_FILES = ("weights.safetensors", "views.safetensors")


def runs_folder() -> Path:
    """Where this person's own runs are kept: `HOURGLASS_RUNS`, else the platform's folder for application data."""
    given = os.environ.get("HOURGLASS_RUNS")
    return Path(given) if given else Path(platformdirs.user_data_dir("hourglass", appauthor=False)) / "runs"


def folders() -> tuple[Path, ...]:
    """Every folder runs are looked for in, the shipped ones first."""
    return SHIPPED, runs_folder()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    # safetensors writes memory as it lies; ascontiguousarray alone would make single numbers arrays of one.
    return save({name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in arrays.items()})


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def write(run: Run, arrays: dict[str, np.ndarray], folder: Path | None = None) -> Path:
    """Store a run under its key in `folder` (default: `runs_folder`), replacing an older one of the same key.

    Parameters
    ----------
    arrays : the fitted estimator's arrays, as its method's declaration gives them.

    Returns
    -------
    The run's folder.

    Raises
    ------
    HourglassError
        If it can't be written, for example on a full disk; older runs stay as they were.
    """
    folder = runs_folder() if folder is None else folder
    contents = {
        "weights.safetensors": _packed(arrays),
        "views.safetensors": _packed(run.views),
    }
    document = {
        "format": FORMAT,
        "spec": run.spec.to_json(),
        "history": run.history,
        "metrics": run.metrics,
        "environment": run.environment,
        "notes": run.notes,
        "files": {name: _digest(data) for name, data in contents.items()},
    }
    document["checksum"] = _digest(_canonical(document))
    place, aside = folder / run.key, None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{run.key}-", dir=folder))
        for name, data in contents.items():
            (aside / name).write_bytes(data)
        (aside / "run.json").write_text(json.dumps(document, indent=1, sort_keys=True))
        aside.chmod(0o755)
        if place.exists():
            old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder))
            os.replace(place, old / run.key)
            os.replace(aside, place)
            shutil.rmtree(old)
        else:
            os.replace(aside, place)
    except OSError as error:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
        raise HourglassError(
            f"The run could not be stored in {folder} ({error.strerror}): free some space there, "
            "or set HOURGLASS_RUNS to another folder."
        ) from None
    return place


def read(place: Path) -> Run:
    """Read a run without its weights: all that a page which only shows things needs.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written.
    """
    document = _document(place)
    try:
        spec = Spec.from_json(document["spec"])
        views = load(_checked(place, "views.safetensors", document))
        if place.name != spec.key:
            raise BrokenRun(f"The run in {place} belongs in a folder named {spec.key}: rename it, or delete it.")
        return Run(
            spec, document["history"], document["metrics"], document["environment"], document["notes"], views=views
        )
    except (KeyError, BadInput, SafetensorError) as error:
        raise BrokenRun(f"The run in {place} can't be read ({error}): delete that folder and train it again.") from None


def estimator(place: Path) -> Any:
    """Build the fitted estimator of the run in `place`.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written, or this program's method has changed since.
    """
    from core import methods

    document = _document(place)
    spec = Spec.from_json(document["spec"])
    method = methods.get(spec.method)
    if spec.version != method.version:
        raise BrokenRun(
            f"The run in {place} was made by version {spec.version} of {method.label}, this is version "
            f"{method.version}: train it again."
        )
    weights = arrays(place)
    environment = document["environment"]
    shape = environment["image_shape"]
    blank = method.estimator(dict(spec.params), environment["kind"], tuple(shape) if shape else None, spec.seed)
    try:
        return method.restore(blank, weights)
    except (KeyError, RuntimeError, ValueError) as error:
        raise BrokenRun(
            f"The weights in {place} do not fit {method.label} ({error}): delete that folder and train it again."
        ) from None


def arrays(place: Path) -> dict[str, np.ndarray]:
    """The stored arrays of the run in `place`, as `write` took them."""
    return load(_checked(place, "weights.safetensors", _document(place)))


def _document(place: Path) -> dict[str, Any]:
    try:
        document = json.loads((place / "run.json").read_text())
        expected = document.pop("checksum")
        if document["format"] != FORMAT:
            raise BrokenRun(f"The run in {place} has format {document['format']}, this program reads {FORMAT}.")
        whole = _digest(_canonical(document)) == expected
    except FileNotFoundError:
        raise BrokenRun(f"There is no run in {place}: its run.json is missing.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise BrokenRun(f"{place / 'run.json'} is not what was written: delete that folder and train the run again.")
    return document


def _checked(place: Path, name: str, document: dict[str, Any]) -> bytes:
    try:
        data = (place / name).read_bytes()
    except OSError:
        raise BrokenRun(f"{place / name} is missing: delete that folder and train the run again.") from None
    if _digest(data) != document["files"][name]:
        raise BrokenRun(f"{place / name} is not what was written: delete that folder and train the run again.")
    return data


def places() -> Iterator[Path]:
    """The folders of all stored runs, the shipped ones first; unfinished ones begin with a dot and are left out."""
    for folder in folders():
        if folder.is_dir():
            yield from sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def find(key: str) -> Path | None:
    """The folder of the run with this key, shipped or own."""
    for folder in folders():
        if (folder / key / "run.json").exists():
            return folder / key
    return None


def index() -> tuple[list[Run], list[str]]:
    """Every stored run with its figures, without arrays; and a sentence for each that can't be read."""
    runs, problems = [], []
    for place in places():
        try:
            document = _document(place)
            runs.append(
                Run(
                    Spec.from_json(document["spec"]),
                    document["history"],
                    document["metrics"],
                    document["environment"],
                    document["notes"],
                )
            )
        except HourglassError as problem:
            problems.append(str(problem))
    return runs, problems


def code_size(run: Run) -> int:
    return int(run.spec.param("n_components"))


def pick(runs: list[Run], dataset: str, method: str, n_components: int) -> list[Run]:
    """The runs of `method` on `dataset` to compare at a code size, the one shown first leading.

    Shipped runs come before own ones, own ones newest first. A GAN's code is not a description of a row, so its
    runs stand at every code size.
    """
    fitting = [
        run
        for run in runs
        if (run.spec.dataset, run.spec.method) == (dataset, method)
        and (method == "gan" or code_size(run) == n_components)
    ]
    newest_first = sorted(fitting, key=lambda run: run.environment["date"], reverse=True)
    return sorted(newest_first, key=lambda run: not is_shipped(run.key))


def is_shipped(key: str) -> bool:
    return (SHIPPED / key / "run.json").exists()
