"""Files that appear whole or not at all."""

import os

import pytest

from core import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_write_replaces_bytes_and_text(tmp_path):
    path = tmp_path / "a.json"
    for data in (b"\x00\xff", "2 \u2212 1", ""):
        files.write_atomically(path, data)
        assert path.read_bytes() == (data.encode() if isinstance(data, str) else data)
    with files.open_replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b""
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("failing", ["write_bytes", "replace", "fsync"])
def test_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, failing):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    def write_durably():
        with files.open_replacing(path) as file:
            file.write(b"new")

    def interrupted():
        with files.replace_file(path) as aside:
            aside.write_bytes(b"half")
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(path) if failing == "write_bytes" else os, failing, fail)
        with pytest.raises(OSError, match="No space"):
            write_durably() if failing == "fsync" else files.write_atomically(path, b"new")
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_write_does_not_restore_a_deleted_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.write_atomically(tmp_path / "deleted" / "a", "text")
    assert names(tmp_path) == []


def test_read_json_takes_anything_that_is_no_object_for_an_empty_one(tmp_path):
    path = tmp_path / "a.json"
    assert files.read_json(path) == {}
    for text in ("", "[1]", "3", "{", "\x00", "[" * 100_000, "9" * 5000):
        path.write_text(text)
        assert files.read_json(path) == {}
    path.write_bytes(b'{"a": "\xff"}')
    assert files.read_json(path) == {"a": "\ufffd"}
    path.unlink()
    path.mkdir()
    assert files.read_json(path) == {}
