"""Write, find, list and delete stored runs. `core.runs.layout` says what a run's folder holds.

A folder is written under another name and renamed into place, so it is whole or absent.

The key does not name the copy of the data. Of several runs with one key, `find_place` returns the one trained on the
copy on this machine, else the first: the user's own, then the shipped one. If the settings of an own run are trained
again on another copy, the older run is set aside, and found again once its copy is back.
"""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from core.datasets import checksums
from core.errors import BadInput, HourglassError
from core.files import check_room, size_of
from core.runs import layout, reader
from core.types import Run, Spec, spread_indices

Arrays = Mapping[str, np.ndarray]
_MOST_HISTORY = 5000


def _pack(arrays: Arrays) -> bytes:
    # safetensors writes the memory as it is; ascontiguousarray makes scalars arrays of one.
    return save({name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in arrays.items()})


def write_run(run: Run, arrays: Arrays, folder: Path | None = None, replay: Arrays | None = None) -> Path:
    """Store a run under its key in `folder` (default: `runs_folder`); return its place.

    An older run with the same key is replaced, unless it is of another copy of the data, see above. A history of more
    than 5000 rows is thinned evenly. `arrays` are those of the fitted estimator, see `core.types.Method`; `replay` are
    the snapshots of the training, if there are any. Raises HourglassError if it can't be written, for example above the
    quota; older runs stay as they were.
    """
    folder = layout.runs_folder() if folder is None else folder
    contents = files_of(run, arrays, replay or {})
    place = layout.place_of(folder, run.spec)
    is_own = layout.runs_folder() in place.parents
    keeps = is_own and keeps_older_run(run.spec, run.environment["data_checksum"])
    _check_room(contents, place, keeps)
    if keeps:
        _set_aside(place, layout.aside_place(folder, reader.find_summary(place)))
    write_files(contents, place)
    if is_own:
        # An older run of this copy would never be found again.
        shutil.rmtree(layout.aside_place(folder, run), ignore_errors=True)
    return place


def _check_room(contents: Mapping[str, bytes], place: Path, keeps: bool = False) -> None:
    """Raise HourglassError if there is no room for an own run; it may be smaller than the one that it replaces."""
    more = sum(map(len, contents.values())) - (0 if keeps else size_of(place))
    if more > 0 and layout.runs_folder() in place.parents:
        check_room(more)


def rewrite_run(place: Path, run: Run, arrays: Arrays, replay: Arrays | None = None) -> None:
    """Store a run again at its place; parameters and errors as `write_run`."""
    contents = files_of(run, arrays, replay or {})
    _check_room(contents, place)
    write_files(contents, place)


def keeps_older_run(spec: Spec, checksum: str) -> bool:
    """Whether an own run of this spec, of another copy of the data, is kept beside one of this copy."""
    older = reader.find_summary(layout.place_of(layout.runs_folder(), spec))
    return older is not None and not checksums.is_of(older.environment, checksum)


def _set_aside(place: Path, aside: Path) -> None:
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(place, aside)
    except OSError as error:
        raise layout.storage_error(place.parent, error) from None


def files_of(run: Run, arrays: Arrays, replay: Arrays) -> dict[str, bytes]:
    """Return the contents of a run's files by name."""
    contents = {layout.WEIGHTS: _pack(arrays), layout.VIEWS: _pack(run.views)}
    if replay:
        contents[layout.REPLAY] = _pack(replay)
    document = {
        "format": reader.FORMAT,
        "spec": run.spec.to_json(),
        "history": [run.history[k] for k in spread_indices(len(run.history), _MOST_HISTORY)],
        "metrics": layout.metrics_to_json(run),
        "environment": run.environment,
        "notes": run.notes,
        "files": {name: reader.digest(data) for name, data in contents.items()},
    }
    document["checksum"] = reader.digest(reader.canonical_json(document))
    return {**contents, layout.DOCUMENT: json.dumps(document, sort_keys=True, separators=(",", ":")).encode()}


def write_files(contents: Mapping[str, bytes], place: Path, *, replaces: bool = True) -> bool:
    """Write a run's files into a hidden folder and move it to its place; return False if another run stays there.

    That is any run unless it `replaces` one, or one that another process stores meanwhile: it has the same settings.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        new, old = aside / "new", aside / "old"
        try:
            new.mkdir()
            for name, data in contents.items():
                (new / name).write_bytes(data)
            if replaces:
                with suppress(FileNotFoundError):
                    os.replace(place, old)
            return _move(new, place)
        finally:
            if not os.path.exists(place):
                with suppress(OSError):
                    os.replace(old, place)
            shutil.rmtree(new, ignore_errors=True)
            if os.path.exists(place):
                shutil.rmtree(aside, ignore_errors=True)
            else:
                # An older run that could not be put back stays aside: it is the only copy.
                with suppress(OSError):
                    aside.rmdir()
                    place.parent.rmdir()
    except OSError as error:
        raise layout.storage_error(place.parent, error) from None


def _move(new: Path, place: Path) -> bool:
    try:
        os.replace(new, place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def delete_run(key: str) -> None:
    """Delete this person's run, whole or broken; raises BadInput if there is none, or if it came with the project."""
    folder, place = layout.runs_folder(), get_place(key)
    if layout.SHIPPED.resolve() in place.resolve().parents:
        raise BadInput(f"The run {key} came with the project and can't be deleted.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{key}-", dir=folder) as aside:
            os.replace(place, f"{aside}/deleted")
        if place.parent != folder:
            with suppress(OSError):  # other runs are there
                place.parent.rmdir()
    except FileNotFoundError:
        raise _no_run(key) from None
    except OSError as error:
        what = f"The run {key}" if os.path.lexists(place) else f"What the deleted run {key} left"
        where = f"{folder} ({error.strerror or error})"
        raise HourglassError(f"{what} can't be removed from {where}: delete it by hand.") from None


def list_places() -> tuple[list[Path], list[str]]:
    """Return the folders of all stored runs, one a key; and a sentence for each folder that can't be read."""
    by_key: dict[str, list[Path]] = {}
    problems = []
    for folder in layout.folders():
        try:
            for place in layout.iterate_places(folder):
                name = place.name if layout.RUN_NAME.fullmatch(place.name) else str(place)
                by_key.setdefault(name[:8] if layout.KEY.fullmatch(name) else name[-8:], []).append(place)
        except FileNotFoundError:
            continue
        except OSError as error:
            where = layout.printable(Path(error.filename or folder))
            problems.append(f"The runs in {where} can't be read ({error.strerror or error}).")
    return [_select_place(places) for places in by_key.values()], problems


def _select_place(places: list[Path]) -> Path:
    """Return the place that is shown of those of one key; a damaged run is shown too, to be reported."""
    if len(places) == 1:
        return places[0]
    return next((p for p in places if (run := reader.find_summary(p)) is None or checksums.is_here(run)), places[0])


def list_set_aside() -> list[Path]:
    """Return the folders of own runs that are not shown while another copy of the data is here."""
    *own, _ = layout.folders()
    shown = set(list_places()[0])
    places = [place for folder in own if folder.is_dir() for place in layout.iterate_places(folder)]
    return [place for place in places if layout.RUN_NAME.fullmatch(place.name) and place not in shown]


def find_place(key: str) -> Path | None:
    """Return the folder of the run with this key that `list_places` lists; None if there is none."""
    if not layout.KEY.fullmatch(key):
        return None
    places = [p for p in list_places()[0] if p.name == key or p.name.endswith(f"-{key[:8]}")]
    # Two keys may share eight digits.
    return next((p for p in places if (run := reader.find_summary(p)) is None or run.key == key), None)


def get_place(key: str) -> Path:
    """Return the folder of the run with this key; raise BadInput if it is no key or there is no such run."""
    if not layout.KEY.fullmatch(key):
        raise BadInput(f"{key!r:.40} is no key of a run: a key is 16 of the digits 0-9 and a-f.")
    place = find_place(key)
    if place is None:
        raise _no_run(key)
    return place


def _no_run(key: str) -> BadInput:
    return BadInput(f"There is no run {key}: it was deleted, or it is stored elsewhere.")


def list_runs() -> tuple[list[Run], list[str]]:
    """Return every stored run without arrays, and a sentence for each that can't be read."""
    places, problems = list_places()
    runs = []
    for place in places:
        try:
            runs.append(reader.read_summary(place))
        except HourglassError as problem:
            problems.append(str(problem))
    return runs, problems


def is_shipped(run: Run) -> bool:
    """Whether a run comes with the project."""
    return run.place is not None and layout.SHIPPED in run.place.parents
