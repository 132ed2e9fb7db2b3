"""Run <-> folder. A run's folder is named by its key and holds three files:

    run.json            spec, history, metrics, environment, notes, and the other files' SHA-256
    weights.safetensors the fitted estimator's arrays
    views.safetensors   what pages show, without the weights

Nothing is pickled; a folder is written aside and renamed into place, so it is whole or absent.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.types import BadInput, BrokenRun, HourglassError, Run, Spec

FORMAT = 1
SHIPPED = Path(__file__).parent.parent / "assets" / "runs"
_PARTS = {"spec": dict, "history": list, "metrics": dict, "environment": dict, "notes": dict, "files": dict}
# What everything that shows or compares runs counts on.
_ENVIRONMENT = {"date": str, "data_checksum": str, "kind": str, "n_train": int, "n_test": int, "seconds": int | float}
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST)
_ATTEMPTS = 20


def runs_folder() -> Path:
    """Where this person's own runs are kept: `HOURGLASS_RUNS`, else the platform's folder for application data."""
    given = os.environ.get("HOURGLASS_RUNS")
    return Path(given).expanduser() if given else platformdirs.user_data_path("hourglass", appauthor=False) / "runs"


def folders() -> tuple[Path, ...]:
    """Every folder runs are looked for in. Of two runs of one key the first found counts: the person's own."""
    return runs_folder(), SHIPPED


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_files(contents, json.dumps(document, indent=1, sort_keys=True), folder / run.key)
    except OSError as error:
        raise _not_stored(folder, error) from None
    return folder / run.key


def _write_files(contents: dict[str, bytes], document: str, place: Path) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    new = aside / "new"
    try:
        new.mkdir()
        for name, data in contents.items():
            (new / name).write_bytes(data)
        (new / "run.json").write_text(document)
        _put(new, place)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if os.path.exists(place):
            shutil.rmtree(aside, ignore_errors=True)
        else:
            # An older run that could not be put back stays aside: it is the only copy.
            with suppress(OSError):
                aside.rmdir()


def _put(new: Path, place: Path) -> None:
    """Rename `new` to `place`. An older run there goes aside, and back if that fails; other writers may do the same."""
    for attempt in range(1, _ATTEMPTS + 1):
        old = new.parent / f"old-{attempt}"
        try:
            with suppress(FileNotFoundError):
                os.replace(place, old)
            os.replace(new, place)
            return
        except BaseException as error:
            with suppress(OSError):
                os.replace(old, place)
            another_came_first = isinstance(error, OSError) and error.errno in _OCCUPIED
            if not another_came_first or attempt == _ATTEMPTS:
                raise


def _not_stored(folder: Path, error: OSError) -> HourglassError:
    return HourglassError(
        f"The run could not be stored in {folder} ({error.strerror or error}): free some space there, "
        "or set HOURGLASS_RUNS to another folder."
    )


def check_writable(folder: Path | None = None) -> None:
    """Raise HourglassError where no run could be stored in `folder` (default: `runs_folder`)."""
    folder = runs_folder() if folder is None else folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.rmdir(tempfile.mkdtemp(prefix=".probe-", dir=folder))
    except OSError as error:
        raise _not_stored(folder, error) from None


def read(place: Path) -> Run:
    """Read a run without its weights: all that a page which only shows things needs.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written.
    """
    document = _document(place)
    return replace(_run(place, document), views=_arrays(place, "views.safetensors", document))


def _run(place: Path, document: dict[str, Any]) -> Run:
    """The run that a document describes, without arrays."""
    spec = _spec(place, document)
    if place.name != spec.key:
        raise BrokenRun(f"The run in {place} belongs in a folder named {spec.key}: rename it, or delete it.")
    return Run(spec, document["history"], document["metrics"], document["environment"], document["notes"])


def _spec(place: Path, document: dict[str, Any]) -> Spec:
    try:
        spec = Spec.from_json(document["spec"])
    except BadInput as problem:
        raise _lacking(place, str(problem).rstrip(".")) from None
    if not _is(spec.param("n_components"), int) or spec.param("n_components") < 1:
        raise _lacking(place, "its n_components is no whole number")
    return spec


def estimator(place: Path) -> Any:
    """Build the fitted estimator of the run in `place`.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written, or this program's method has changed since.
    """
    from core import methods

    document = _document(place)
    spec = _spec(place, document)
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
    return _arrays(place, "weights.safetensors", _document(place))


def _document(place: Path) -> dict[str, Any]:
    file = place / "run.json"
    try:
        document = json.loads(file.read_bytes())
        expected = document.pop("checksum")
        if document["format"] != FORMAT:
            raise BrokenRun(f"The run in {place} has format {document['format']}, this program reads {FORMAT}.")
        whole = _digest(_canonical(document)) == expected
    except FileNotFoundError:
        raise BrokenRun(f"There is no run in {place}: its run.json is missing.") from None
    except OSError as error:
        raise BrokenRun(f"{file} can't be read ({error.strerror or error}).") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise BrokenRun(f"{file} is not what was written: delete that folder and train the run again.")
    _check_parts(place, document)
    return document


def _check_parts(place: Path, document: dict[str, Any]) -> None:
    """A checksum only says that nothing was changed since; what is written in it may be another program's."""
    wrong = [name for name, kind in _PARTS.items() if not _is(document.get(name), kind)]
    if wrong:
        raise _lacking(place, f"{wrong[0]} is missing or of a wrong type")
    environment, metrics = document["environment"], document["metrics"]
    wrong = [name for name, kind in _ENVIRONMENT.items() if not _is(environment.get(name), kind)]
    shape = environment.get("image_shape")
    if shape is not None and not (_is(shape, list) and len(shape) == 2 and all(_is(n, int) for n in shape)):
        wrong.append("image_shape")
    wrong += [name for name, value in metrics.items() if not _is(value, int | float | list | dict)]
    wrong += ["history"] * (not all(_is(row, dict) for row in document["history"]))
    wrong += ["seconds"] * (not _is(metrics.get("seconds"), int | float))
    if wrong:
        raise _lacking(place, f"{wrong[0]} is missing or of a wrong type")


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _lacking(place: Path, why: str) -> BrokenRun:
    return BrokenRun(f"{place / 'run.json'} describes no run of this program ({why}): delete that folder.")


def _arrays(place: Path, name: str, document: dict[str, Any]) -> dict[str, np.ndarray]:
    file = place / name
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BrokenRun(f"{file} is missing: delete that folder and train the run again.") from None
    except OSError as error:
        raise BrokenRun(f"{file} can't be read ({error.strerror or error}).") from None
    try:
        if _digest(data) == document["files"].get(name):
            return load(data)
    except (SafetensorError, KeyError):
        pass  # whole, but no arrays of a type there is
    raise BrokenRun(f"{file} is not what was written: delete that folder and train the run again.")


def places() -> tuple[list[Path], list[str]]:
    """The folders of all stored runs, one a key; and a sentence for each folder that can't be looked into.

    Unfinished runs begin with a dot and are left out.
    """
    found: dict[str, Path] = {}
    problems = []
    for folder in folders():
        try:
            inside = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_dir())
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"The runs in {folder} can't be read ({error.strerror or error}).")
            continue
        for place in inside:
            found.setdefault(place.name, place)
    return list(found.values()), problems


def find(key: str) -> Path | None:
    """The folder of the run with this key, the one that `places` lists."""
    for folder in folders():
        with suppress(OSError):
            if (folder / key).is_dir():
                return folder / key
    return None


def index() -> tuple[list[Run], list[str]]:
    """Every stored run with its figures, without arrays; and a sentence for each that can't be read."""
    found, problems = places()
    runs = []
    for place in found:
        try:
            runs.append(_run(place, _document(place)))
        except HourglassError as problem:
            problems.append(str(problem))
    return runs, problems


def code_size(run: Run) -> int:
    return int(run.spec.param("n_components"))


def fits(spec: Spec, dataset: str, method: str, n_components: int) -> bool:
    """Whether a run stands in the view of a data set, method and code size.

    A GAN's code is not a description of a row, so its runs stand at every code size.
    """
    of_view = (spec.dataset, spec.method) == (dataset, method)
    return of_view and (method == "gan" or spec.param("n_components") == n_components)


def same_rows(runs: Iterable[Run]) -> bool:
    """Whether runs were measured on the same copy of the data: only then may they be ranked."""
    return len({run.environment["data_checksum"] for run in runs}) <= 1


def pick(runs: list[Run], dataset: str, method: str, n_components: int) -> list[Run]:
    """The runs of `method` on `dataset` to compare at a code size, the one shown first leading.

    Shipped runs come before own ones, own ones newest first; which fit, see `fits`.
    """
    fitting = [run for run in runs if fits(run.spec, dataset, method, n_components)]
    newest_first = sorted(fitting, key=lambda run: run.environment["date"], reverse=True)
    return sorted(newest_first, key=lambda run: not is_shipped(run.key))


def is_shipped(key: str) -> bool:
    """Whether the run that `find` gives for this key came with the project."""
    return find(key) == SHIPPED / key
