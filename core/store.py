"""Run <-> folder, and folder <-> zip file. A run's folder is named by its key and holds three files, some a fourth:

    run.json            spec, history, metrics, environment, notes, and the other files' SHA-256
    weights.safetensors the fitted estimator's arrays
    views.safetensors   what pages show, without the weights
    replay.safetensors  what pages show of the training, where it was watched

Nothing is pickled; a folder is written aside and renamed into place, so it is whole or absent.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import shutil
import stat
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.types import BadInput, BrokenRun, HourglassError, Run, Spec

FORMAT = 1
SHIPPED = Path(__file__).parent.parent / "assets" / "runs"
DOCUMENT, WEIGHTS, VIEWS, REPLAY = "run.json", "weights.safetensors", "views.safetensors", "replay.safetensors"
# Bytes of a run that may be handed on as a zip file, packed or not.
LARGEST_PACKED = 200_000_000
# Of the words of documents, as every method declares it.
USUAL_WEIGHTING = "tfidf"
_LARGEST_DOCUMENT = 20_000_000
_GIGABYTE = 1_000_000_000
_QUOTA = "HOURGLASS_QUOTA_GB"
_DEFAULT_QUOTA = 5.0
_KEY = re.compile("[0-9a-f]{16}")
_PARTS = {"spec": dict, "history": list, "metrics": dict, "environment": dict, "notes": dict, "files": dict}
# What everything that shows or compares runs counts on.
_ENVIRONMENT = {"date": str, "data_checksum": str, "kind": str, "n_train": int, "n_test": int, "seconds": int | float}
# Trained for seconds instead of epochs, small data leave far more rows than anything can show.
_MOST_HISTORY = 5000
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST)
_ATTEMPTS = 20


def runs_folder() -> Path:
    """Where this person's own runs are kept: `HOURGLASS_RUNS`, else the platform's folder for application data."""
    given = os.environ.get("HOURGLASS_RUNS")
    return Path(given).expanduser() if given else platformdirs.user_data_path("hourglass", appauthor=False) / "runs"


def folders() -> tuple[Path, ...]:
    """Every folder runs are looked for in. Of two runs of one key the first found counts: the person's own."""
    return runs_folder(), SHIPPED


def _same(folder: Path, other: Path) -> bool:
    return os.path.realpath(folder) == os.path.realpath(other)


def size(place: Path) -> int:
    """Bytes of the files in a run's folder; 0 where there is none."""
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):  # gone since, or not to be looked at
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def used(folder: Path | None = None) -> int:
    """Bytes of everything below `folder` (default: `runs_folder`), unfinished runs and trainings included."""
    return size(runs_folder() if folder is None else folder)


def quota() -> int:
    """How many bytes this person's runs may take: `HOURGLASS_QUOTA_GB` gigabytes, else 5.

    Raises
    ------
    BadInput
        If the variable holds no number above 0.
    """
    given = os.environ.get(_QUOTA) or str(_DEFAULT_QUOTA)
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise BadInput(f"{_QUOTA}={given} is not allowed: it is a number of gigabytes above 0, such as 5.")
    return int(gigabytes * _GIGABYTE)


def check_room(n_bytes: int, folder: Path | None = None) -> None:
    """Raise HourglassError where `n_bytes` more in `folder` (default: `runs_folder`) would be above the quota."""
    folder = runs_folder() if folder is None else folder
    taken, allowed = used(folder), quota()
    if taken + n_bytes > allowed:
        raise HourglassError(
            f"There is no room for {n_bytes / 1e6:,.1f} MB more: the runs in {folder} take "
            f"{taken / _GIGABYTE:,.2f} of {allowed / _GIGABYTE:,.2f} GB. Delete runs on the page Training, or set "
            f"{_QUOTA} to a larger number of gigabytes."
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    # safetensors writes memory as it lies; ascontiguousarray alone would make single numbers arrays of one.
    return save({name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in arrays.items()})


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def write(
    run: Run,
    arrays: Mapping[str, np.ndarray],
    folder: Path | None = None,
    replay: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """Store a run under its key in `folder` (default: `runs_folder`), replacing an older one of the same key.

    Of a history of more than 5000 rows that many are stored, evenly spread, the first and the last among them.

    Parameters
    ----------
    arrays : the fitted estimator's arrays, as its method's declaration gives them.
    replay : what `replay` gives back; None or empty where the training was not watched.

    Returns
    -------
    The run's folder.

    Raises
    ------
    HourglassError
        If it can't be written, for example on a full disk or above the quota; older runs stay as they were.
    """
    folder = runs_folder() if folder is None else folder
    contents = _contents(run, arrays, replay or {})
    _check_room_for(contents, folder / run.key)
    return _stored(contents, folder / run.key, _put)


def _contents(run: Run, arrays: Mapping[str, np.ndarray], replayed: Mapping[str, np.ndarray]) -> dict[str, bytes]:
    """A run's files."""
    contents = {WEIGHTS: _packed(arrays), VIEWS: _packed(run.views)}
    if replayed:
        contents[REPLAY] = _packed(replayed)
    document = {
        "format": FORMAT,
        "spec": run.spec.to_json(),
        "history": _thinned(run.history),
        "metrics": run.metrics,
        "environment": run.environment,
        "notes": run.notes,
        "files": {name: _digest(data) for name, data in contents.items()},
    }
    document["checksum"] = _digest(_canonical(document))
    return {**contents, DOCUMENT: json.dumps(document, indent=1, sort_keys=True).encode()}


def _thinned(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    n = min(len(history), _MOST_HISTORY)
    return [history[k] for k in np.linspace(0, len(history) - 1, n).round().astype(int)] if n else []


def _check_room_for(contents: Mapping[str, bytes], place: Path) -> None:
    more = sum(map(len, contents.values())) - size(place)
    if more > 0 and _same(place.parent, runs_folder()):
        check_room(more, place.parent)


def _stored(contents: Mapping[str, bytes], place: Path, put: Callable[[Path, Path], None]) -> Path:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write_files(contents, place, put)
    except OSError as error:
        raise _not_stored(place.parent, error) from None
    return place


def _write_files(contents: Mapping[str, bytes], place: Path, put: Callable[[Path, Path], None]) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    new = aside / "new"
    try:
        new.mkdir()
        for name, data in contents.items():
            (new / name).write_bytes(data)
        put(new, place)
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


def _put_beside(new: Path, place: Path) -> None:
    """Rename `new` to `place`, where nothing may be yet.

    Raises
    ------
    BadInput
        If a run is there.
    """
    try:
        os.replace(new, place)
    except OSError as error:
        if error.errno in _OCCUPIED:
            raise _already_there(place.name) from None
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
    if _same(folder, runs_folder()):
        check_room(1, folder)


def delete(key: str) -> None:
    """Delete this person's run with this key, whole or broken.

    Raises
    ------
    BadInput
        If it is no key, if there is no such run, or if it came with the project.
    HourglassError
        If it can't be deleted, for example without the right to.
    """
    folder = runs_folder()
    place = folder_of(key)
    if _same(place.parent, SHIPPED):
        raise BadInput(f"The run {key} came with the project and can't be deleted.")
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder))
        try:
            os.replace(place, aside / "deleted")
        except FileNotFoundError:
            raise _no_run(key) from None
        finally:
            shutil.rmtree(aside)
    except OSError as error:
        what = f"The run {key}" if os.path.lexists(place) else f"What the deleted run {key} left"
        raise HourglassError(
            f"{what} can't be removed from {folder} ({error.strerror or error}): delete it by hand."
        ) from None


@dataclass(frozen=True)
class _Files:
    """A run's files: those in its folder, or `contents` where they were read before.

    Sentences about them say where they are and what to do: `zipped` ones are not stored yet.
    """

    place: Path
    contents: Mapping[str, bytes] | None = None
    zipped: bool = False

    def __str__(self) -> str:
        return "this zip file" if self.zipped else _readable(self.place)

    def named(self, name: str) -> str:
        return f"{name} in {self}" if self.zipped else _readable(self.place / name)

    @property
    def remedy(self) -> str:
        return "export the run again" if self.zipped else "delete that folder and train the run again"

    def read(self, name: str, most: float = math.inf) -> bytes:
        """The bytes of a file, which may be at most as many as `most`; BrokenRun where they can't be had."""
        if self.contents is not None:
            if name not in self.contents:
                raise BrokenRun(f"{self.named(name)} is missing: {self.remedy}.")
            return self.contents[name]
        file = self.place / name
        try:
            found = file.stat()
            # Reading from a pipe or a device would never end.
            if not stat.S_ISREG(found.st_mode) or found.st_size > most:
                raise BrokenRun(f"{self.named(name)} is no file of a run: {self.remedy}.")
            return file.read_bytes()
        except FileNotFoundError:
            raise BrokenRun(f"{self.named(name)} is missing: {self.remedy}.") from None
        except OSError as error:
            raise BrokenRun(f"{self.named(name)} can't be read ({error.strerror or error}).") from None

    def lacking(self, why: str) -> BrokenRun:
        return BrokenRun(f"{self.named(DOCUMENT)} describes no run of this program ({why}): {self.remedy}.")

    def changed(self, name: str) -> BrokenRun:
        return BrokenRun(f"{self.named(name)} is not what was written: {self.remedy}.")


def _readable(path: Path) -> str:
    """A path as text that can be shown: its name may be bytes that are none."""
    return os.fsencode(path).decode(errors="backslashreplace")


def read(place: Path) -> Run:
    """Read a run without its weights: all that a page which only shows things needs.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written.
    """
    files = _Files(place)
    document = _document(files)
    return replace(_run(files, document), views=_arrays(files, VIEWS, document))


def replay(place: Path) -> dict[str, np.ndarray]:
    """The arrays of the training's replay, as `write` took them; empty where the run has none.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written.
    """
    return _replay(_Files(place), _document(_Files(place)))


def _replay(files: _Files, document: dict[str, Any]) -> dict[str, np.ndarray]:
    return _arrays(files, REPLAY, document) if REPLAY in document["files"] else {}


def _run(files: _Files, document: dict[str, Any]) -> Run:
    """The run that a document describes, without arrays."""
    spec = _spec(files, document)
    if files.place.name != spec.key:
        remedy = files.remedy if files.zipped else "rename it, or delete it"
        raise BrokenRun(f"The run in {files} belongs in a folder named {spec.key}: {remedy}.")
    return Run(spec, document["history"], document["metrics"], document["environment"], document["notes"])


def _spec(files: _Files, document: dict[str, Any]) -> Spec:
    try:
        spec = Spec.from_json(document["spec"])
    except BadInput as problem:
        raise files.lacking(str(problem).rstrip(".")) from None
    if not _is(spec.param("n_components"), int) or spec.param("n_components") < 1:
        raise files.lacking("its n_components is no whole number")
    for name, value in (*spec.params, *spec.dataset_params):
        if not isinstance(value, int | float | str):
            raise files.lacking(f"its {name!r:.40} is neither a number nor text")
    return spec


def estimator(place: Path) -> Any:
    """Build the fitted estimator of the run in `place`.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written, or this program's method has changed since.
    """
    files = _Files(place)
    return _estimator(files, _document(files))


def _estimator(files: _Files, document: dict[str, Any]) -> Any:
    from core import methods

    spec = _spec(files, document)
    method = methods.get(spec.method)
    if spec.version != method.version:
        raise BrokenRun(
            f"The run in {files} was made by version {spec.version} of {method.label}, this is version "
            f"{method.version}: train it again."
        )
    weights = _arrays(files, WEIGHTS, document)
    environment = document["environment"]
    shape = environment.get("image_shape")
    try:
        blank = method.estimator(dict(spec.params), environment["kind"], tuple(shape) if shape else None, spec.seed)
        restored = method.restore(blank, weights)
        # The figures of other runs were computed here, by these weights.
        if files.zipped or "loaded" in environment:
            _try_out(restored, spec.param("n_components"), environment["n_features"])
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        why = textwrap.shorten(str(error), 300, placeholder=" …")
        raise BrokenRun(f"The weights in {files} do not fit {method.label} ({why}): {files.remedy}.") from None
    return restored


def _try_out(fitted: Any, n_components: int, n_features: int) -> None:
    """Raise ValueError where a fitted estimator does not make finite codes and rows of these sizes."""
    row, code = np.ones((1, n_features), np.float32), np.ones((1, n_components), np.float32)
    made: dict[str, tuple[Any, int]] = {}
    with np.errstate(all="ignore"):
        # A map of given rows makes neither; that its positions are numbers and fit them is seen without trying.
        if hasattr(fitted, "inverse_transform"):
            made["rows"] = fitted.inverse_transform(code), n_features
        if hasattr(fitted, "transform"):
            made["codes"] = fitted.transform(row), n_components
        if hasattr(fitted, "discriminator_features"):
            features = fitted.discriminator_features(row)
            made["features"] = features, features.size
    for what, (array, width) in made.items():
        if np.shape(array) != (1, width) or not np.isfinite(array).all():
            raise ValueError(f"they make no {what} of {width} finite numbers")


def arrays(place: Path) -> dict[str, np.ndarray]:
    """The stored arrays of the run in `place`, as `write` took them."""
    files = _Files(place)
    return _arrays(files, WEIGHTS, _document(files))


def _document(files: _Files) -> dict[str, Any]:
    data = files.read(DOCUMENT, _LARGEST_DOCUMENT)
    try:
        document = json.loads(data)
        expected = document.pop("checksum")
        if document["format"] != FORMAT:
            raise BrokenRun(
                f"{files.named(DOCUMENT)} has format {document['format']!r:.40}, this program reads {FORMAT}."
            )
        whole = _digest(_canonical(document)) == expected
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise files.changed(DOCUMENT)
    _check_parts(files, document)
    return document


def _check_parts(files: _Files, document: dict[str, Any]) -> None:
    """A checksum only says that nothing was changed since; what is written in it may be another program's."""
    wrong = [name for name, kind in _PARTS.items() if not _is(document.get(name), kind)]
    if wrong:
        raise files.lacking(f"{wrong[0]} is missing or of a wrong type")
    environment, metrics = document["environment"], document["metrics"]
    wrong = [name for name, kind in _ENVIRONMENT.items() if not _is(environment.get(name), kind)]
    shape = environment.get("image_shape")
    if shape is not None and not (_is(shape, list) and len(shape) == 2 and all(_is(n, int) for n in shape)):
        wrong.append("image_shape")
    wrong += [name for name, value in metrics.items() if not _is(value, int | float | list | dict)]
    wrong += ["history"] * (not all(_is(row, dict) for row in document["history"]))
    wrong += ["seconds"] * (not _is(metrics.get("seconds"), int | float))
    if wrong:
        raise files.lacking(f"{wrong[0]} is missing or of a wrong type")


def _is(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _arrays(files: _Files, name: str, document: dict[str, Any]) -> dict[str, np.ndarray]:
    data = files.read(name)
    # What is whole may still hold no arrays of a type there is.
    with suppress(SafetensorError, KeyError, TypeError, ValueError):
        if _digest(data) == document["files"].get(name):
            return load(data)
    raise files.changed(name)


def pack(place: Path) -> bytes:
    """The run in `place` as a zip file: its files below a folder named by its key.

    Raises
    ------
    BrokenRun
        If a file is missing, cut short or not what was written.
    BadInput
        If the run is too large to be loaded back.
    """
    from core import archive

    files = _Files(place)
    contents = {DOCUMENT: files.read(DOCUMENT, _LARGEST_DOCUMENT)}
    # Checked are the bytes that are packed: the folder may be written again meanwhile.
    listed = _document(replace(files, contents=contents))["files"]
    contents |= {name: files.read(name) for name in (WEIGHTS, VIEWS, REPLAY) if name in listed}
    run, *_ = _whole(replace(files, contents=contents))
    if sum(map(len, contents.values())) > LARGEST_PACKED:
        raise BadInput(
            f"The run {run.key} is {size(place) / 1e6:,.0f} MB, and one larger than {LARGEST_PACKED / 1e6:,.0f} MB "
            "can't be handed on: copy its folder instead."
        )
    return archive.pack(run.key, contents)


def _whole(files: _Files) -> tuple[Run, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A run with its views, its weights and its replay."""
    document = _document(files)
    if files.contents is not None and files.contents.keys() != {DOCUMENT, *document["files"]}:
        raise files.changed(DOCUMENT)
    run = replace(_run(files, document), views=_arrays(files, VIEWS, document))
    return run, _arrays(files, WEIGHTS, document), _replay(files, document)


def unpack(data: bytes, folder: Path | None = None, *, check_weights: bool = False) -> Run:
    """Store the run of a zip file that anybody may have made, in `folder` (default: `runs_folder`).

    The run's ``environment["loaded"]`` is the time of this call, in UTC: its figures were not measured here.

    Parameters
    ----------
    data : what `pack` returned.
    check_weights : whether to build the estimator too, which takes torch for most methods. `estimator` does it later.

    Returns
    -------
    The run as it is stored, with its views.

    Raises
    ------
    BadInput
        If it is no such file, not whole, of no run that this program could fit and show, or already there.
    HourglassError
        If it can't be written. Nothing is stored then either.
    """
    from core import archive, incoming

    folder = runs_folder() if folder is None else folder
    key, contents = archive.unpack(data, _KEY, (DOCUMENT, WEIGHTS, VIEWS), (REPLAY,), LARGEST_PACKED)
    if find(key) or os.path.isdir(folder / key):
        raise _already_there(key)
    files = _Files(Path(key), contents, zipped=True)
    try:
        run, weights, replayed = _whole(files)
        incoming.check(run, weights, replayed)
        _check_rows(run)
        if check_weights:
            _estimator(files, _document(files))
    except BrokenRun as problem:
        raise BadInput(str(problem)) from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = replace(run, environment={**run.environment, "loaded": now})
    contents = _contents(run, weights, replayed)
    _check_room_for(contents, folder / key)
    _stored(contents, folder / key, _put_beside)
    return run


def _check_rows(run: Run) -> None:
    """Raise BadInput where a run claims the data of a run measured here, and other rows of them.

    Pages take rows of the data, and of other runs of the same data, by their number.
    """
    for other in index()[0]:
        of_data = other.spec.dataset == run.spec.dataset and same_rows([run, other])
        place = find(other.key) if of_data and "loaded" not in other.environment else None
        if place is None:
            continue
        with suppress(BrokenRun):
            if not _of_same_rows(run, read(place)):
                raise BadInput(
                    f"This run can't be loaded: its rows are not those of the runs of {run.spec.dataset} that are "
                    "here, although it names the same data."
                )
            return


def _of_same_rows(run: Run, other: Run) -> bool:
    counts = all(run.environment[n] == other.environment[n] for n in ("n_train", "n_test"))
    names = run.notes.get("target_names") == other.notes.get("target_names")
    both = [n for n in ("shown_rows", "strip_rows", "labels") if n in run.views and n in other.views]
    return counts and names and all(np.array_equal(run.views[n], other.views[n]) for n in both)


def _already_there(key: str) -> BadInput:
    return BadInput(f"The run {key} is already here, and loading a file replaces no run: delete that one first.")


def places() -> tuple[list[Path], list[str]]:
    """The folders of all stored runs, one a key; and a sentence for each folder that can't be looked into.

    Unfinished runs begin with a dot and are left out.
    """
    found: dict[str, Path] = {}
    problems = []
    for folder in folders():
        try:
            inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"The runs in {_readable(folder)} can't be read ({error.strerror or error}).")
            continue
        for place in inside:
            if os.path.isdir(place):
                found.setdefault(place.name, place)
    return list(found.values()), problems


def find(key: str) -> Path | None:
    """The folder of the run with this key, the one that `places` lists."""
    if not _KEY.fullmatch(key):
        return None
    for folder in folders():
        with suppress(OSError):
            if (folder / key).is_dir():
                return folder / key
    return None


def folder_of(key: str) -> Path:
    """As `find`, for a key that a person gave.

    Raises
    ------
    BadInput
        If it is no key, or there is no such run.
    """
    if not _KEY.fullmatch(key):
        raise BadInput(f"{key!r:.40} is no key of a run: a key is 16 of the digits 0-9 and a-f.")
    place = find(key)
    if place is None:
        raise _no_run(key)
    return place


def _no_run(key: str) -> BadInput:
    return BadInput(f"There is no run {key}: it was deleted, or it is stored elsewhere.")


def index() -> tuple[list[Run], list[str]]:
    """Every stored run with its figures, without arrays; and a sentence for each that can't be read."""
    found, problems = places()
    runs = []
    for place in found:
        try:
            files = _Files(place)
            runs.append(_run(files, _document(files)))
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

    Shipped runs come before own ones, of these whole trainings before those that were stopped early. Of shipped runs
    the one made first leads, as what serves a section of a page is made after what stands everywhere; of own runs the
    newest. Runs on documents with the usual weighting come before those with another, which are made to be held against
    it. Which fit, see `fits`.
    """
    fitting = [run for run in runs if fits(run.spec, dataset, method, n_components)]
    by_date = sorted(fitting, key=lambda run: run.environment["date"])
    came = {run.key: is_shipped(run.key) for run in by_date}
    shipped = [run for run in by_date if came[run.key]]
    own = [run for run in reversed(by_date) if not came[run.key]]
    return [*sorted(shipped, key=_is_second), *sorted(own, key=_is_second)]


def _is_second(run: Run) -> tuple[bool, bool]:
    """Whether it was stopped early, and whether its words are weighted otherwise than usual."""
    stopped = run.environment.get("stopped_early") is True
    return stopped, run.spec.param("weighting", USUAL_WEIGHTING) != USUAL_WEIGHTING


def is_shipped(key: str) -> bool:
    """Whether the run that `find` gives for this key came with the project."""
    return find(key) == SHIPPED / key
