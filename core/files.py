"""Atomic writes: files are written under a temporary name and then renamed."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

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
