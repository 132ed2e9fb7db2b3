"""Files that appear whole or not at all."""

import os
from pathlib import Path

import pytest

from core import files


def test_write_replaces_bytes_and_text(tmp_path):
    path = tmp_path / "a.json"
    for data in (b"\x00\xff", "2 \u2212 1", ""):
        files.write_atomically(path, data)
        assert path.read_bytes() == (data.encode() if isinstance(data, str) else data)
    with files.open_replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b""
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError):  # a deleted folder is not restored
        files.write_atomically(tmp_path / "deleted" / "a", "text")


def test_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_durably(path, data):
        with files.open_replacing(path) as file:
            file.write(data)

    ways = (Path, "write_bytes", files.write_atomically), (os, "replace", files.write_atomically)
    for owner, function, write in (*ways, (os, "fsync", write_durably)):
        with monkeypatch.context() as patch:
            patch.setattr(owner, function, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                write(path, b"new")
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_json_that_is_no_object_is_read_as_an_empty_one(tmp_path):
    path = tmp_path / "a.json"
    assert files.read_json(path) == {}
    for text in ("", "[1]", "{", "[" * 100_000, "9" * 5000):
        path.write_text(text)
        assert files.read_json(path) == {}
    path.write_bytes(b'{"a": "\xff"}')
    assert files.read_json(path) == {"a": "\ufffd"}
