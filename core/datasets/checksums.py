"""Checksums of the copies of data sets; scores measured on different copies must not be compared."""

import threading
from collections.abc import Iterable, Mapping
from functools import cache as memoized
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import cache, config, datasets
from core.datasets import embedded_samples, sources
from core.datasets.own import catalogue
from core.errors import BadInput, HourglassError
from core.types import Run

Params = tuple[tuple[str, Any], ...]
_PROJECT = Path(__file__).parents[1]
_reading = threading.Lock()  # people who open a page at the same moment read a copy once
READ: dict[str, str | None] = {}
_release = memoized(version)


def make_stamp(name: str) -> str:
    """Text that changes with the files or installed libraries of a data set; "" if it is absent.

    No file is read: one counts as changed if its size or a time differs.
    """
    if not datasets.is_available(name):
        return ""
    entry = datasets.entry(name)
    if entry.is_own:
        files = catalogue.get_files(name)
    elif entry.embedded:
        files = [embedded_samples.get_path(name)] if name in embedded_samples.FULL else []
    else:
        folder, remote = config.data_folder(), sources.REMOTE[name]
        files = [folder / remote.stored]
        if not files[0].is_file():
            files = [folder / name / source.file for source in remote.sources]
    try:
        stats = [(str(file), (s := file.stat()).st_size, s.st_mtime_ns, s.st_ctime_ns) for file in files]
    except OSError:  # removed meanwhile
        return ""
    return repr((stats, [_release(library) for library in (*entry.libraries, "scikit-learn")]))


@memoized
def _code() -> str:
    """A key of the code that turns files into rows."""
    files = (*sorted((_PROJECT / "datasets").rglob("*.py")), _PROJECT / "types.py")
    return cache.make_key(*(file.read_bytes() for file in files))


def make_key(name: str, params: Params) -> str:
    """Name in the cache of the checksum of the copy on this machine; "" without a copy."""
    try:
        stamp = make_stamp(name)
    except BadInput:  # an unknown data set
        return ""
    return f"checksum-{cache.make_key(name, params, stamp, _code())}" if stamp else ""


def compute_checksum(name: str, params: Params) -> str | None:
    """Checksum of the copy of a data set on this machine; None if it is absent or can't be read.

    A copy is read once; then the checksum stays in the user's cache until the files or libraries change.
    """
    key = make_key(name, params)
    if key and not _is_read(key):
        with _reading:
            if not _is_read(key):
                _read(key, name, params)
    return READ[key] if key else None


def is_known(name: str, params: Params) -> bool:
    """Whether `compute_checksum` answers without reading the data set."""
    key = make_key(name, params)
    return not key or _is_read(key)


def _is_read(key: str) -> bool:
    if key not in READ and (arrays := cache.find_arrays(key)) is not None:
        READ[key] = bytes(arrays["checksum"]).decode()
    return key in READ


def _read(key: str, name: str, params: Params) -> None:
    try:
        READ[key] = checksum = datasets.load(name, **dict(params)).checksum
    except HourglassError:
        READ[key] = None
        return
    # If the files changed meanwhile, it is not known which were read.
    if make_key(name, params) == key:
        cache.save_arrays(key, {"checksum": np.frombuffer(checksum.encode(), np.uint8)})


def is_of(environment: Mapping[str, Any], expected: str | None) -> bool:
    """Whether the environment of a run or sweep has this data checksum; None allows any."""
    return expected is None or environment["data_checksum"] == expected


def is_here(run: Run) -> bool:
    """Whether a run was fitted to the copy of its data set on this machine; True if there is no copy.

    Reading the docstrings of installed libraries takes a while: until then, equal releases count as one copy.
    """
    name, params = run.spec.dataset, run.spec.dataset_params
    if not (key := make_key(name, params)):
        return True
    entry, versions = datasets.entry(name), run.environment.get("versions", {})
    if entry.libraries and set(entry.libraries) <= set(versions) and not _is_read(key):
        return not entry.changed_libraries(versions)
    return is_of(run.environment, compute_checksum(name, params))


def choose_checksum(runs: Iterable[Run]) -> str | None:
    """Checksum of the copy to show: the one on this machine if a run is of it, otherwise that of the first run."""
    runs = list(runs)
    lead = next(filter(is_here, runs), runs[0] if runs else None)
    return None if lead is None else lead.environment["data_checksum"]
