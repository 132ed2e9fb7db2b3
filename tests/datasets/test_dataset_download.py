"""Downloads from a server that truncates, stalls, lies or is not there: one clear sentence, and nothing left behind."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from core import datasets
from core.datasets import download
from core.types import DataUnavailable
from tests.conftest import locked

RANDOM = np.random.RandomState(0)
IMAGES = {
    "train": RANDOM.randint(0, 256, (12, 28, 28), np.uint8),
    "t10k": RANDOM.randint(0, 256, (5, 28, 28), np.uint8),
}
LABELS = {"train": np.arange(12, dtype=np.uint8) % 10, "t10k": np.arange(5, dtype=np.uint8)}


def idx(values):
    header = b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.tobytes(), mtime=0)


FILES = {
    f"{split}-{what}.gz": idx(values[split])
    for split in ("train", "t10k")
    for what, values in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


@pytest.fixture
def mnist(server, folder, monkeypatch):
    """``mnist("truncated", "whole")``: MNIST is a tiny one whose mirrors behave in these manners, in order."""
    server.files = FILES

    def publish(*manners, sized=True):
        sources = tuple(
            download.Source(
                name,
                tuple(manner if "//" in manner else server.url(manner, name) for manner in manners),
                hashlib.sha256(content).hexdigest(),
                len(content) if sized else None,
            )
            for name, content in FILES.items()
        )
        monkeypatch.setitem(download.REMOTE, "mnist", download.Remote("MNIST", "mnist.npz", "mnist-sample", sources))

    return publish


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refusal(name="mnist"):
    """The one sentence that loading ends with."""
    with pytest.raises(DataUnavailable) as caught:
        datasets.load(name)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def test_a_download_gives_the_published_arrays(mnist, folder):
    mnist("whole")
    assert not datasets.available("mnist")
    loaded = datasets.load("mnist")
    assert np.array_equal(loaded.X_train, IMAGES["train"].reshape(12, 784))
    assert np.array_equal(loaded.X_test, IMAGES["t10k"].reshape(5, 784))
    assert np.array_equal(loaded.y_train, LABELS["train"])
    assert np.array_equal(loaded.y_test, LABELS["t10k"])
    assert datasets.available("mnist")
    assert files_below(folder) == sorted(["mnist.npz", *FILES])


def test_a_second_load_asks_nobody(mnist, server):
    mnist("whole")
    first = datasets.load("mnist").checksum
    asked = len(server.asked)
    assert datasets.load("mnist").checksum == first
    assert len(server.asked) == asked == 4


def test_another_row_count_is_stated(mnist):
    mnist("whole")
    (note,) = datasets.load("mnist").notes
    assert "12 train and 5 test rows" in note
    assert "60,000 and 10,000" in note


@pytest.mark.parametrize("manner", ["whole", "unmeasured"])
@pytest.mark.parametrize("sized", [True, False])
def test_progress_adds_up_the_files(mnist, manner, sized):
    mnist(manner, sized=sized)
    seen = []
    datasets.fetch("mnist", lambda done, total: seen.append((done, total)))
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert len(done) >= 4
    if sized:
        assert seen[-1] == (sum(map(len, FILES.values())),) * 2
        assert {total for _, total in seen} == {sum(map(len, FILES.values()))}


@pytest.mark.parametrize("manner", ["truncated", "lying", "missing"])
def test_the_next_mirror_is_tried(mnist, server, manner):
    mnist(manner, "whole")
    assert len(datasets.load("mnist").X_train) == 12
    assert len(server.asked) == 8


@pytest.mark.parametrize(
    ("manner", "what"),
    [
        ("truncated", "the download from 127.0.0.1 broke off"),
        ("lying", "127.0.0.1 sent other bytes than the published ones"),
        ("missing", "127.0.0.1 answered 404"),
    ],
)
def test_a_bad_server_is_named_and_leaves_nothing(mnist, folder, manner, what):
    mnist(manner)
    text = refusal()
    assert text.startswith(f"MNIST is not on this machine and could not be downloaded ({what})")
    assert "mnist-sample" in text
    assert str(folder) in text
    assert files_below(folder) == []


def test_a_stalled_server_is_given_up(mnist, folder, monkeypatch):
    monkeypatch.setattr(download, "SILENT_SECONDS", 0.2)
    mnist("stalled")
    assert "127.0.0.1 stopped answering" in refusal()
    assert files_below(folder) == []


def test_without_a_connection(mnist, folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        mnist(f"http://127.0.0.1:{unused.getsockname()[1]}/")
        assert "no connection to 127.0.0.1" in refusal()
    assert files_below(folder) == []
    assert not datasets.available("mnist")


def test_an_interrupted_download_leaves_no_part(mnist, folder):
    mnist("whole")

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        datasets.fetch("mnist", interrupt)
    assert files_below(folder) == []


def test_files_had_before_a_failure_are_kept_and_used(mnist, server, folder):
    mnist("whole")
    datasets.fetch("mnist")
    (folder / "mnist.npz").unlink()
    (folder / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"half")
    server.asked.clear()
    datasets.fetch("mnist")
    assert server.asked == ["/whole/t10k-images-idx3-ubyte.gz"]


@pytest.mark.parametrize("where", ["under-a-file", "under-proc"])
def test_an_unwritable_cache(mnist, tmp_path, monkeypatch, where):
    if where == "under-proc" and not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    (tmp_path / "file").write_text("in the way")
    inside = tmp_path / "file" / "data" if where == "under-a-file" else Path("/proc/self/data")
    monkeypatch.setenv("HOURGLASS_DATA", str(inside))
    mnist("whole")
    text = refusal()
    assert text.startswith(f"MNIST can't be kept in {inside}")
    assert "HOURGLASS_DATA" in text
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_full_disk_while_storing(mnist, folder, monkeypatch):
    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    mnist("whole")
    assert "No space left on device" in refusal()
    assert files_below(folder) == sorted(FILES)


def test_two_downloads_at_once_give_one_whole_file(mnist, folder):
    mnist("whole")
    threads = [threading.Thread(target=datasets.fetch, args=("mnist",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(datasets.load("mnist").X_train) == 12
    assert files_below(folder) == sorted(["mnist.npz", *FILES])


@pytest.mark.parametrize("damage", ["truncated", "empty", "other arrays", "other shape", "pickled", "lengths"])
def test_a_damaged_stored_file_is_named(folder, damage):
    folder.mkdir()
    stored = folder / "mnist.npz"
    arrays = {
        "x_train": IMAGES["train"],
        "y_train": LABELS["train"],
        "x_test": IMAGES["t10k"],
        "y_test": LABELS["t10k"],
    }
    changes = {
        "other arrays": {"y_test": None},
        "other shape": {"x_test": IMAGES["t10k"][:, :20]},
        "pickled": {"y_test": np.array([{}, {}], dtype=object)},
        "lengths": {"y_test": LABELS["t10k"][:3]},
    }
    arrays |= changes.get(damage, {})
    np.savez(stored, **{name: values for name, values in arrays.items() if values is not None})
    if damage in ("truncated", "empty"):
        content = stored.read_bytes()
        stored.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    text = refusal()
    assert text.startswith(f"{stored} can't be read")
    assert "delete it" in text


class Trap:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.mkdir, (self.path,)


def test_nothing_pickled_is_read(folder, tmp_path):
    folder.mkdir()
    np.savez(folder / "mnist.npz", x_train=np.array([Trap(tmp_path / "sprung")], dtype=object))
    refusal()
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b'{"split": "train", "label": "a", "text": "some words"}\n')[:-12],
        gzip.compress(b'{"split": "train", "label": "a"}\n'),
        gzip.compress(b'{"split": "train", "label": "a", "text": "some words"}\n'),
        gzip.compress(b"[1]\n"),
    ],
    # Named, since gzip writes the time into its bytes, and all workers must name the tests alike.
    ids=["empty", "no gzip", "cut off", "without text", "one document alone", "no object"],
)
def test_a_damaged_document_file_is_named(folder, content):
    folder.mkdir()
    stored = folder / "reuters_r8.jsonl.gz"
    stored.write_bytes(content)
    text = refusal("reuters-r8")
    assert text.startswith(f"{stored} can't be read")
    assert "delete it" in text


def test_every_source_is_checked_by_something():
    for remote in download.REMOTE.values():
        for source in remote.sources:
            if source.urls and source.file != "frey_rawface.mat":
                assert len(bytes.fromhex(source.sha256)) == 32
            assert all(url.startswith(("https://", "http://")) for url in source.urls)


def test_the_command_line_has_a_bar(mnist, capsys):
    mnist("whole")
    with download.progress_bar("MNIST") as progress:
        datasets.fetch("mnist", progress)
    assert "MNIST: 100%" in capsys.readouterr().err


def test_a_folder_that_can_not_be_looked_into_is_one_sentence(folder, monkeypatch):
    locked(monkeypatch, folder)
    assert not datasets.available("mnist")
    with pytest.raises(DataUnavailable, match=r"can't be looked for in .*Permission denied.*set HOURGLASS_DATA"):
        datasets.load("mnist")


def test_a_published_file_that_can_not_be_read_is_one_sentence(folder, monkeypatch):
    import pooch

    def refused(path, known_hash):
        raise PermissionError(13, "Permission denied", str(path))

    for file in FILES:
        (folder / "mnist").mkdir(parents=True, exist_ok=True)
        (folder / "mnist" / file).write_bytes(FILES[file])
    monkeypatch.setattr(pooch.hashes, "hash_matches", refused)
    with pytest.raises(DataUnavailable, match="can't be looked for in"):
        datasets.load("mnist")


def test_a_download_that_never_begins_draws_no_bar(capsys):
    with download.progress_bar("MNIST"):
        pass
    assert capsys.readouterr().err == ""
