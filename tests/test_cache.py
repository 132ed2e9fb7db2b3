"""What is kept of what took a while: names that change with all they depend on, and files that anything may befall."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from core import cache, config
from tests.conftest import locked

ARRAYS = {"codes": np.arange(6, dtype=np.float32).reshape(2, 3), "about": np.frombuffer(b"code", np.uint8)}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder that things are kept in, which is not there yet."""
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "computed"


@pytest.fixture
def kept_file(folder):
    cache.save_arrays("some", ARRAYS)
    return folder / "some.safetensors"


def assert_same(found, expected=ARRAYS):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array), name


def test_key_is_sixteen_hexadecimal_digits_and_reproducible():
    array = np.arange(12.0).reshape(3, 4)
    assert len(cache.make_key("a", array)) == 16
    assert int(cache.make_key("a", array), 16) >= 0
    assert (
        cache.make_key("a", array)
        == cache.make_key("a", np.asfortranarray(array))
        == cache.make_key("a", array.T.copy().T)
    )


def test_key_changes_with_any_part_its_type_and_its_shape():
    array = np.arange(6, dtype=np.int32)
    changed = array.copy()
    changed[-1] += 1
    texts = [(), ("",), ("", ""), ("ab",), ("a", "b"), ("b", "a"), ("a 1 b",), (12,), (1, 2), (("a", 1), 2)]
    arrays = [array, array[:5], changed, array.reshape(2, 3), array.reshape(3, 2), array[:0], array[:0].reshape(0, 2)]
    arrays += [array.astype(np.int64), array.view(np.uint32), array.view(np.float32), array.astype(">i4")]
    parts = [*texts, *((a,) for a in arrays), (array, array), ("int32 (6,) ",), (array, ""), ("", array)]
    assert len({cache.make_key(*each) for each in parts}) == len(parts)


def test_arrays_are_computed_once_and_come_back_unchanged(folder):
    arrays = {
        **ARRAYS,
        "half": np.array([[0.1, np.nan], [np.inf, -0.0]], np.float16),
        "none": np.zeros((4, 0), np.int32),
        "one": np.array(2.5),
        "is": np.array([True, False]),
        "askew": np.arange(6).reshape(2, 3).T,
    }
    calls = []

    def compute():
        calls.append(1)
        return arrays

    first, second = cache.get_or_compute("some", compute), cache.get_or_compute("some", compute)
    assert len(calls) == 1
    for found in (first, second):
        assert found.keys() == arrays.keys()
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array, equal_nan=name == "half"), name
    assert [path.name for path in folder.iterdir()] == ["some.safetensors"]
    assert cache.get_or_compute("other", lambda: {"a": [1, 2]})["a"].tolist() == [1, 2]
    assert len(calls) == 1


def test_empty_result_is_kept():
    assert cache.get_or_compute("some", dict) == {}
    assert cache.find_arrays("some") == {}
    assert cache.find_arrays("other") is None


def test_errors_of_compute_are_raised_and_not_kept(folder):
    def compute():
        raise ValueError("too few rows")

    with pytest.raises(ValueError, match="too few"):
        cache.get_or_compute("some", compute)
    assert not folder.exists()
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))


def test_damaged_or_truncated_file_is_computed_again(kept_file):
    whole = kept_file.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:n] for n in (0, 1, 31, 32, 33, 40, len(whole) // 2, len(whole) - 1)] + [whole + b"\0"]
    for at in rng.choice(len(whole), 40, replace=False):
        damaged.append(whole[:at] + bytes([whole[at] ^ int(rng.integers(1, 256))]) + whole[at + 1 :])
    for data in damaged:
        kept_file.write_bytes(data)
        assert cache.find_arrays("some") is None
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert kept_file.read_bytes() == whole


def test_foreign_file_is_computed_again(kept_file):
    rng = np.random.default_rng(1)
    unknown = b'{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}'
    strangers = [
        save(ARRAYS),
        b"\x93NUMPY" * 20,
        b"{}" * 50,
        rng.bytes(500),
        bytes(32) + (2**60).to_bytes(8, "little"),
        bytes(32) + len(unknown).to_bytes(8, "little") + unknown + b"\0",
    ]
    for data in strangers:
        # With its checksum in order too, where it is nothing that arrays can be read from.
        for sealed in (data, hashlib.sha256(data[32:]).digest() + data[32:]):
            kept_file.write_bytes(sealed)
            assert cache.find_arrays("some") is None
    kept_file.unlink()
    kept_file.mkdir()
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_unwritable_cache_means_computing_each_time(folder, monkeypatch, number):
    genuine = Path.write_bytes

    def half(path, data):
        genuine(path, data[:50])
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_bytes", half)
    for _ in range(2):
        assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert list(folder.iterdir()) == []
    monkeypatch.undo()


def test_unreadable_folder_or_a_file_in_its_place_means_computing_again(folder, monkeypatch):
    folder.parent.mkdir()
    folder.write_text("a file")
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert folder.read_text() == "a file"
    folder.unlink()
    locked(monkeypatch, folder.parent)
    assert_same(cache.get_or_compute("some", lambda: ARRAYS))
    assert cache.find_arrays("some") is None


def test_least_recently_used_files_go_above_the_bound_alone(folder, monkeypatch):
    for k in range(4):
        cache.save_arrays(f"n{k}", ARRAYS)
        os.utime(folder / f"n{k}.safetensors", (1000 + k, 1000 + k))
    size = (folder / "n0.safetensors").stat().st_size
    assert cache.find_arrays("n0")  # the oldest is of use now
    monkeypatch.setattr(cache, "MOST_BYTES", 5 * size)
    cache.save_arrays("new", ARRAYS)
    assert len(list(folder.iterdir())) == 5
    monkeypatch.setattr(cache, "MOST_BYTES", 3 * size)
    cache.save_arrays("new", ARRAYS)
    assert sorted(path.stem for path in folder.iterdir()) == ["n0", "n3", "new"]
    cache.save_arrays("another", ARRAYS)
    assert sorted(path.stem for path in folder.iterdir()) == ["another", "n0", "new"]


def test_two_writers_at_once_leave_one_whole_file(folder):
    """Sessions of one app are threads of one process, and may well compute the same thing."""
    arrays = [{"a": np.full(300_000, k)} for k in range(2)]
    start = threading.Barrier(2)

    def write(k):
        for _ in range(15):
            start.wait()
            cache.save_arrays("some", arrays[k])

    writers = [threading.Thread(target=write, args=(k,)) for k in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = cache.find_arrays("some")
        assert found is None or found["a"].min() == found["a"].max()
    for writer in writers:
        writer.join()
    assert cache.find_arrays("some") is not None
    assert [path.name for path in folder.iterdir()] == ["some.safetensors"]
