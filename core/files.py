"""Files: written atomically under a temporary name, listed in zip files, and the room that there is for them."""

import io
import json
import os
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from core import config
from core.errors import HourglassError

_LARGEST_JSON = 8_000_000  # bytes; the rest of a larger file is not read


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which is renamed to `path` on success and removed on any error.

    The folder must exist. A killed process may leave ``<name>.<32 hexadecimal digits>.tmp``.
    """
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        with suppress(OSError):
            aside.unlink()


@contextmanager
def open_replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces `path` when it is on the disk, and is removed on any error."""
    with replace_file(path) as aside, aside.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write bytes, or text as UTF-8, atomically; after a power cut the file may be empty."""
    with replace_file(path) as aside:
        aside.write_text(data, "utf-8") if isinstance(data, str) else aside.write_bytes(data)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; {} if the file is absent, unreadable or contains something else."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST_JSON).decode(errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def list_members(content: bytes) -> list[str]:
    """Return the names of the files in a zip file; none for other bytes, or a damaged one."""
    with suppress(Exception):  # zipfile raises many kinds
        if content.startswith(b"PK"):
            return zipfile.ZipFile(io.BytesIO(content)).namelist()
    return []


def size_of(place: Path) -> int:
    """Return the bytes of all files below a folder; 0 if it is absent."""
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):  # deleted meanwhile, or unreadable
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def check_room(n_bytes: int) -> None:
    """Raise HourglassError if `n_bytes` more of runs and own data sets would exceed the quota."""
    folder = config.runs_folder()
    taken, allowed = size_of(folder), int(config.quota_gb() * 1e9)
    if taken + n_bytes > allowed:
        raise HourglassError(
            f"There is no room for {n_bytes / 1e6:,.1f} MB more: the runs in {folder} take {taken / 1e9:,.2f} of "
            f"{allowed / 1e9:,.2f} GB, with own data sets. Delete runs on the page Training or data sets on the page "
            "Data, or set HOURGLASS_QUOTA_GB to a larger number of gigabytes."
        )
