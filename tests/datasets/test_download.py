"""Downloads from a server that truncates, stalls, lies or is not there: one clear sentence, and nothing left behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from core import datasets
from core.datasets import download
from core.datasets.sources import REMOTE, Remote, Source
from core.errors import DataUnavailable
from tests.conftest import locked

RANDOM = np.random.RandomState(0)
IMAGES = {name: RANDOM.randint(0, 256, (n, 28, 28), np.uint8) for name, n in (("train", 12), ("t10k", 5))}
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
            Source(
                name,
                tuple(manner if "//" in manner else server.url(manner, name) for manner in manners),
                hashlib.sha256(content).hexdigest(),
                len(content) if sized else None,
            )
            for name, content in FILES.items()
        )
        monkeypatch.setitem(REMOTE, "mnist", Remote("MNIST", "mnist.npz", "mnist-sample", sources))

    return publish


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def read_refusal(name="mnist"):
    """The one sentence that loading ends with."""
    with pytest.raises(DataUnavailable, match=r"^[^\n]+\.$") as refusal:
        datasets.load(name)
    return str(refusal.value)


def test_download_gives_the_published_arrays_once(mnist, server, folder):
    mnist("whole")
    assert not datasets.is_available("mnist")
    dataset = datasets.load("mnist")
    assert np.array_equal(dataset.X_train, IMAGES["train"].reshape(12, 784))
    assert np.array_equal(dataset.X_test, IMAGES["t10k"].reshape(5, 784))
    assert np.array_equal(dataset.y_train, LABELS["train"])
    assert np.array_equal(dataset.y_test, LABELS["t10k"])
    (note,) = dataset.notes
    assert "12 train and 5 test rows" in note
    assert "60,000 and 10,000" in note
    assert datasets.is_available("mnist")
    assert files_below(folder) == sorted(["mnist.npz", *FILES])
    assert datasets.load("mnist").checksum == dataset.checksum
    assert len(server.asked) == 4


def test_progress_adds_up_the_files(mnist, folder, capsys):
    total = sum(map(len, FILES.values()))
    for manner, sized in (("whole", True), ("unmeasured", True), ("whole", False), ("unmeasured", False)):
        shutil.rmtree(folder, ignore_errors=True)
        mnist(manner, sized=sized)
        reports = []
        datasets.fetch("mnist", lambda done, total, reports=reports: reports.append((done, total)))
        done = [d for d, _ in reports]
        assert done == sorted(done)
        assert len(done) >= 4
        assert not sized or (reports[-1] == (total, total) and {t for _, t in reports} == {total})
    assert capsys.readouterr().err == ""
    with download.progress_bar("MNIST"):
        pass
    assert capsys.readouterr().err == "", "a download that never begins draws no bar"
    shutil.rmtree(folder)
    mnist("whole")
    with download.progress_bar("MNIST") as progress:
        datasets.fetch("mnist", progress)
    assert "MNIST: 100%" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("manner", "what"),
    [
        ("truncated", "the download from 127.0.0.1 broke off"),
        ("lying", "127.0.0.1 sent other bytes than the published ones"),
        ("missing", "127.0.0.1 answered 404"),
        ("stalled", "127.0.0.1 stopped answering"),
        ("http://127.0.0.1:{}/", "no connection to 127.0.0.1"),
    ],
)
def test_bad_server_is_named_leaves_nothing_and_the_next_mirror_is_tried(mnist, folder, monkeypatch, manner, what):
    monkeypatch.setattr(download, "SILENT_SECONDS", 0.2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        mnist(manner.format(unused.getsockname()[1]))
        text = read_refusal()
    assert text.startswith(f"MNIST is not on this machine and could not be downloaded ({what})")
    assert "mnist-sample" in text
    assert str(folder) in text
    assert files_below(folder) == []
    assert not datasets.is_available("mnist")
    if "//" not in manner:
        mnist(manner, "whole")
        assert len(datasets.load("mnist").X_train) == 12


def test_interrupted_download_leaves_no_part(mnist, folder):
    mnist("whole")

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        datasets.fetch("mnist", interrupt)
    assert files_below(folder) == []


def test_files_fetched_before_a_failure_are_used(mnist, server, folder):
    mnist("whole")
    datasets.fetch("mnist")
    (folder / "mnist.npz").unlink()
    (folder / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"half")
    server.asked.clear()
    datasets.fetch("mnist")
    assert server.asked == ["/whole/t10k-images-idx3-ubyte.gz"]


def test_unwritable_folder_is_one_sentence(mnist, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    mnist("whole")
    for inside in (tmp_path / "file" / "data", *[Path("/proc/self/data")][: Path("/proc/self").exists()]):
        monkeypatch.setenv("HOURGLASS_DATA", str(inside))
        text = read_refusal()
        assert text.startswith(f"MNIST can't be kept in {inside}")
        assert "HOURGLASS_DATA" in text
    assert (tmp_path / "file").read_text() == "in the way"


def test_full_disk_while_storing_leaves_the_published_files(mnist, folder, monkeypatch):
    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    mnist("whole")
    assert "No space left on device" in read_refusal()
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


def encrypt(content):
    content = bytearray(content)
    for head, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        for found in re.finditer(re.escape(head), content):
            content[found.start() + flags] |= 1
    return bytes(content)


def plain_array(content):
    file = io.BytesIO()
    np.save(file, IMAGES["train"])
    return file.getvalue()


def test_damaged_stored_arrays_are_named(folder):
    folder.mkdir()
    stored = folder / "mnist.npz"
    splits = (("train", "train"), ("test", "t10k"))
    whole = {f"{a}_{split}": of[key] for a, of in (("x", IMAGES), ("y", LABELS)) for split, key in splits}
    damages = [
        ({}, lambda content: content[: len(content) // 2]),
        ({}, lambda content: b""),
        ({}, encrypt),
        ({}, plain_array),
        ({"y_test": None}, bytes),
        ({"x_test": IMAGES["t10k"][:, :20]}, bytes),
        ({"y_test": np.array([{}, {}], dtype=object)}, bytes),
        ({"y_test": LABELS["t10k"][:3]}, bytes),
    ]
    for changes, damage in damages:
        np.savez(stored, **{name: values for name, values in (whole | changes).items() if values is not None})
        stored.write_bytes(damage(stored.read_bytes()))
        text = read_refusal()
        assert text.startswith(f"{stored} can't be read")
        assert "delete it" in text


def test_damaged_stored_documents_are_named(folder):
    folder.mkdir()
    stored = folder / "reuters_r8.jsonl.gz"
    row = b'{"split": "train", "label": "a", "text": "some words"}\n'
    without_text = gzip.compress(b'{"split": "train", "label": "a"}\n')
    for content in (b"", b"no gzip", gzip.compress(row)[:-12], gzip.compress(row), without_text, gzip.compress(b"[1]")):
        stored.write_bytes(content)
        text = read_refusal("reuters-r8")
        assert text.startswith(f"{stored} can't be read")
        assert "delete it" in text


class Trap:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.mkdir, (self.path,)


def test_pickled_arrays_are_not_read(folder, tmp_path):
    folder.mkdir()
    np.savez(folder / "mnist.npz", x_train=np.array([Trap(tmp_path / "sprung")], dtype=object))
    read_refusal()
    assert not (tmp_path / "sprung").exists()


def test_every_source_has_a_checksum_or_a_parser_that_checks():
    for remote in REMOTE.values():
        for source in remote.sources:
            if source.urls and source.file != "frey_rawface.mat":
                assert len(bytes.fromhex(source.sha256)) == 32
            assert all(url.startswith(("https://", "http://")) for url in source.urls)


def test_unreadable_folder_is_one_sentence(folder, monkeypatch):
    locked(monkeypatch, folder)
    assert not datasets.is_available("mnist")
    with pytest.raises(DataUnavailable, match=r"can't be looked for in .*Permission denied.*set HOURGLASS_DATA"):
        datasets.load("mnist")


def test_unreadable_published_file_is_one_sentence(folder, monkeypatch):
    import pooch

    def refused(path, known_hash):
        raise PermissionError(13, "Permission denied", str(path))

    for file in FILES:
        (folder / "mnist").mkdir(parents=True, exist_ok=True)
        (folder / "mnist" / file).write_bytes(FILES[file])
    monkeypatch.setattr(pooch.hashes, "hash_matches", refused)
    with pytest.raises(DataUnavailable, match="can't be looked for in"):
        datasets.load("mnist")
