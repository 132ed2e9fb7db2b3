"""Checksums of the copies of data sets; scores measured on different copies must not be compared."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from functools import cache as memoized
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import cache, config, datasets
from core.datasets import embedded_samples, sources
from core.errors import BadInput, HourglassError
from core.types import Run

Params = tuple[tuple[str, Any], ...]
_PROJECT = Path(__file__).parents[1]
# A copy is read once, however many people open a page at the same moment.
_reading = threading.Lock()
READ: dict[str, str | None] = {}


def make_stamp(name: str) -> str:
    """Text that changes with the files or installed libraries of a data set; "" if it is absent.

    No file is read: one counts as changed if its size or a time differs.
    """
    if not datasets.is_available(name):
        return ""
    entry = datasets.entry(name)
    if entry.embedded:
        files = [embedded_samples.path_of(name)] if name in embedded_samples.FULL else []
    else:
        folder, remote = config.data_folder(), sources.REMOTE[name]
        files = [folder / remote.stored]
        if not files[0].is_file():
            files = [folder / name / source.file for source in remote.sources]
    return repr((list(map(_about, files)), [_release(library) for library in (*entry.libraries, "scikit-learn")]))


def _about(file: Path) -> tuple:
    try:
        stat = file.stat()
    except OSError:
        return (str(file),)
    return str(file), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


_release = memoized(version)


@memoized
def _code() -> str:
    """A key of the code that turns files into rows."""
    files = (*sorted((_PROJECT / "datasets").glob("*.py")), _PROJECT / "types.py")
    return cache.make_key(*(file.read_bytes() for file in files))


def compute_checksum(name: str, params: Params) -> str | None:
    """Checksum of the copy of a data set on this machine; None if it is absent or can't be read.

    A copy is read once; then the checksum stays in the user's cache until the files or libraries change.
    """
    where = _where(name)
    return _checksum(name, params, where) if where else None


def _where(name: str) -> str:
    try:
        return make_stamp(name)
    except BadInput:  # a data set that this program does not know
        return ""


def _checksum(name: str, params: Params, where: str) -> str | None:
    if not _is_known(name, params, where):
        with _reading:
            if not _is_known(name, params, where):
                _read(name, params, where)
    return READ[_kept_as(name, params, where)]


def is_known(name: str, params: Params) -> bool:
    """Whether `compute_checksum` answers without reading the data set."""
    where = _where(name)
    return not where or _is_known(name, params, where)


def _is_known(name: str, params: Params, where: str) -> bool:
    kept = _kept_as(name, params, where)
    if kept not in READ and (on_disk := cache.find_arrays(kept)) is not None:
        READ[kept] = bytes(on_disk["checksum"]).decode()
    return kept in READ


def _read(name: str, params: Params, where: str) -> None:
    kept = _kept_as(name, params, where)
    try:
        found = datasets.load(name, **dict(params)).checksum
    except HourglassError:
        READ[kept] = None
        return
    READ[kept] = found
    # If the files changed meanwhile, it is not known which were read.
    if make_stamp(name) == where:
        cache.save_arrays(kept, {"checksum": np.frombuffer(found.encode(), np.uint8)})


@lru_cache(maxsize=256)
def _kept_as(name: str, params: Params, where: str) -> str:
    return f"checksum-{cache.make_key(name, params, where, _code())}"


def is_of(environment: Mapping[str, Any], expected: str | None) -> bool:
    """Whether the environment of a run or sweep has this data checksum; None allows any."""
    return expected is None or environment["data_checksum"] == expected


def is_here(run: Run) -> bool:
    """Whether a run was fitted to the copy of its data set on this machine; True if there is no copy.

    Reading the docstrings of installed libraries takes a while: until then, equal releases count as one copy.
    """
    name, params = run.spec.dataset, run.spec.dataset_params
    where = _where(name)
    if not where:
        return True
    entry, versions = datasets.entry(name), run.environment.get("versions", {})
    if entry.libraries and set(entry.libraries) <= set(versions) and not _is_known(name, params, where):
        return not entry.changed_libraries(versions)
    return is_of(run.environment, _checksum(name, params, where))


def choose_checksum(runs: Iterable[Run]) -> str | None:
    """Checksum of the copy to show: the one on this machine if a run is of it, otherwise that of the first run."""
    runs = list(runs)
    lead = next(filter(is_here, runs), runs[0] if runs else None)
    return None if lead is None else lead.environment["data_checksum"]
