"""Downloads from a server that truncates, stalls, lies or is absent: one clear sentence, and no file is left."""

import gzip
import hashlib
import shutil
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core import datasets
from core.datasets import download
from core.datasets.sources import REMOTE, Remote, Source
from core.errors import DataUnavailable
from tests.conftest import locked

RANDOM = np.random.RandomState(0)
ARRAYS = {
    "train-images-idx3-ubyte.gz": RANDOM.randint(0, 256, (12, 28, 28), np.uint8),
    "train-labels-idx1-ubyte.gz": np.arange(12, dtype=np.uint8) % 10,
    "t10k-images-idx3-ubyte.gz": RANDOM.randint(0, 256, (5, 28, 28), np.uint8),
    "t10k-labels-idx1-ubyte.gz": np.arange(5, dtype=np.uint8),
}


def idx(values):
    header = b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.tobytes(), mtime=0)


FILES = {name: idx(values) for name, values in ARRAYS.items()}


@pytest.fixture
def mnist(server, folder, monkeypatch):
    """``mnist("truncated", "whole")``: MNIST is a tiny one whose mirrors behave in these manners, in order."""
    server.files = FILES

    def publish(*manners, sized=True):
        def source(name, content):
            urls = tuple(manner if "//" in manner else server.url(manner, name) for manner in manners)
            return Source(name, urls, hashlib.sha256(content).hexdigest(), len(content) if sized else None)

        sources = tuple(source(*file) for file in FILES.items())
        monkeypatch.setitem(REMOTE, "mnist", Remote("MNIST", "mnist.npz", "mnist-sample", sources))

    return publish


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def read_refusal():
    """The one sentence that loading ends with."""
    with pytest.raises(DataUnavailable, match=r"^[^\n]+\.$") as refusal:
        datasets.load("mnist")
    return str(refusal.value)


def test_download_gives_the_published_arrays_once(mnist, server, folder):
    mnist("whole")
    dataset = datasets.load("mnist")
    found = (dataset.X_train, dataset.y_train, dataset.X_test, dataset.y_test)
    assert all(np.array_equal(a.ravel(), b.ravel()) for a, b in zip(found, ARRAYS.values(), strict=True))
    assert "12 train and 5 test rows" in " ".join(dataset.notes)
    assert files_below(folder) == sorted(["mnist.npz", *FILES])
    assert datasets.load("mnist").checksum == dataset.checksum
    assert len(server.asked) == 4
    # Files that were downloaded before a failure are used.
    (folder / "mnist.npz").unlink()
    (folder / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"half")
    datasets.fetch("mnist")
    assert server.asked[4:] == ["/whole/t10k-images-idx3-ubyte.gz"]


def test_progress_adds_up_the_files(mnist, folder, capsys):
    total = sum(map(len, FILES.values()))
    for manner, sized, known in (("unmeasured", True, total), ("whole", False, total), ("unmeasured", False, 0)):
        mnist(manner, sized=sized)
        reports = []
        datasets.fetch("mnist", lambda done, total, reports=reports: reports.append((done, total)))
        assert [done for done, _ in reports] == sorted(done for done, _ in reports)
        assert reports[-1] == (total, known)
        shutil.rmtree(folder)
    with download.progress_bar("MNIST") as progress:
        mnist("whole")
        datasets.fetch("mnist", progress)
    assert "MNIST: 100%" in capsys.readouterr().err


def test_bad_server_is_named_leaves_nothing_and_the_next_mirror_is_tried(mnist, folder, monkeypatch):
    monkeypatch.setattr(download, "SILENT_SECONDS", 0.2)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for manner, what in (
            ("truncated", "the download from 127.0.0.1 broke off"),
            ("lying", "127.0.0.1 sent other bytes than the published ones"),
            ("missing", "127.0.0.1 answered 404"),
            ("stalled", "127.0.0.1 stopped answering"),
            (f"http://127.0.0.1:{unused.getsockname()[1]}/", "no connection to 127.0.0.1"),
        ):
            mnist(manner)
            text = read_refusal()
            assert text.startswith(f"MNIST is not on this machine and could not be downloaded ({what})")
            assert str(folder) in text
            assert files_below(folder) == []
            mnist(manner, "whole")
            assert len(datasets.load("mnist").X_train) == 12
            shutil.rmtree(folder)


def test_unwritable_and_unreadable_folders_are_one_sentence(mnist, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    mnist("whole")
    inside = tmp_path / "file" / "data"
    monkeypatch.setenv("HOURGLASS_DATA", str(inside))
    assert read_refusal().startswith(f"MNIST can't be kept in {inside}")
    locked(monkeypatch, inside)
    assert read_refusal().startswith(f"MNIST can't be looked for in {inside} (Permission denied): set HOURGLASS_DATA")


def test_two_downloads_at_once_give_one_whole_file(mnist, folder):
    mnist("whole")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(datasets.fetch, ["mnist"] * 4))
    assert len(datasets.load("mnist").X_train) == 12
    assert files_below(folder) == sorted(["mnist.npz", *FILES])
