"""Cached arrays: keys that change with all they depend on, and files that are damaged, foreign or unwritable."""

import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from core import cache
from tests.conftest import locked

ARRAYS = {"codes": np.arange(6, dtype=np.float32).reshape(2, 3), "about": np.frombuffer(b"code", np.uint8)}


@pytest.fixture(autouse=True)
def folder(own_cache):
    return own_cache / "computed"


def assert_same(found, expected=ARRAYS):
    about = lambda arrays: {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}
    assert about(found) == about(expected)


def test_key_changes_with_any_part_its_type_and_its_shape():
    array, table = np.arange(6, dtype=np.int32), np.arange(6, dtype=np.int32).reshape(2, 3)
    texts = [(), ("",), ("", ""), ("ab",), ("a", "b"), ("b", "a"), (12,), (1, 2)]
    arrays = [array, array + array // 5, table, array[:0], array.view(np.uint32), array.astype(">i4")]
    parts = [*texts, *((a,) for a in arrays), (array, array), (array, ""), ("", array)]
    keys = {cache.make_key(*part) for part in parts}
    assert len(keys) == len(parts)
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)
    assert cache.make_key("a", table) == cache.make_key("a", np.asfortranarray(table))


def test_arrays_are_computed_once_and_come_back_unchanged(folder):
    odd = {"half": np.array([[0.1, np.nan], [np.inf, -0.0]], np.float16), "none": np.zeros((4, 0), np.int32)}
    arrays = {**ARRAYS, **odd, "one": np.array(2.5), "is": np.array([True]), "askew": np.arange(6).reshape(2, 3).T}
    calls = []
    for _ in range(2):
        assert_same(cache.get_or_compute("some", lambda: calls.append(1) or arrays), arrays)
    assert len(calls) == 1
    assert [path.name for path in folder.iterdir()] == ["some.safetensors"]
    assert cache.get_or_compute("empty", dict) == cache.find_arrays("empty") == {}
    assert cache.find_arrays("absent") is None
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("failed", lambda: 1 / 0)
    assert_same(cache.get_or_compute("failed", lambda: ARRAYS))


def test_damaged_or_foreign_file_is_computed_again(folder):
    cache.save_arrays("some", ARRAYS)
    path = folder / "some.safetensors"
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    unknown = b'{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}'
    damaged = [whole[:n] for n in (0, 31, 33, len(whole) - 1)] + [whole + b"\0", save(ARRAYS), rng.bytes(500)]
    for at in rng.choice(len(whole), 20, replace=False):
        damaged.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    # With its checksum in order, but no arrays that can be read.
    for data in (b"{}" * 50, bytes(32) + len(unknown).to_bytes(8, "little") + unknown + b"\0"):
        damaged.append(hashlib.sha256(data[32:]).digest() + data[32:])
    for data in damaged:
        path.write_bytes(data)
        assert cache.find_arrays("some") is None
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert path.read_bytes() == whole


def test_cache_that_cannot_be_used_means_computing_each_time(folder, monkeypatch):
    def write_half(path, data):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_half)
        assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert list(folder.iterdir()) == []
    folder.rmdir()
    folder.write_text("a file")
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    locked(monkeypatch, folder.parent)
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))


def test_least_recently_used_files_go_above_the_bound(folder, monkeypatch):
    for k in range(4):
        cache.save_arrays(f"n{k}", ARRAYS)
        os.utime(folder / f"n{k}.safetensors", (1000 + k, 1000 + k))
    size = (folder / "n0.safetensors").stat().st_size
    assert cache.find_arrays("n0")  # the oldest is of use now
    monkeypatch.setattr(cache, "MOST_BYTES", 3 * size)
    cache.save_arrays("new", ARRAYS)
    assert sorted(path.stem for path in folder.iterdir()) == ["n0", "n3", "new"]


def test_two_writers_at_once_leave_one_whole_file(folder):
    """Sessions of one app are threads of one process, and may compute the same thing."""
    write = lambda k: cache.save_arrays("some", {"a": np.full(300_000, k)})
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, k % 2) for k in range(30)]
        while not all(writer.done() for writer in writers):
            arrays = cache.find_arrays("some")
            assert arrays is None or arrays["a"].min() == arrays["a"].max()
    assert cache.find_arrays("some") is not None
    assert [path.name for path in folder.iterdir()] == ["some.safetensors"]
