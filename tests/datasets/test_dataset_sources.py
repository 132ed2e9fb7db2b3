"""Each source: its parser on a small file of the published format, and its facts where the real data is."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile

import numpy as np
import pytest
from scipy.io import savemat

from core import datasets
from core.datasets import download, frey, idx, newsgroups, samples
from core.types import DataUnavailable


def serve(server, monkeypatch, name, file, content, sha256=None, manner="whole"):
    """Make `content` the only published file of a data set."""
    server.files = {file: content}
    source = download.Source(file, (server.url(manner, file),), sha256)
    old = download.REMOTE[name]
    monkeypatch.setitem(download.REMOTE, name, download.Remote(old.label, old.stored, old.instead, (source,)))


def mat(**arrays):
    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


# IDX


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x0d\x01" + struct.pack(">I", 1) + b"\0",
        b"\0\0\x08\x01" + struct.pack(">I", 3) + b"\0\0",
        b"\0\0\x08\x03" + struct.pack(">I", 3),
    ],
)
def test_idx_refuses_what_is_none(tmp_path, content):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError):
        idx.read_idx(path)


def test_mnist_is_the_published_one(reference, loaded):
    reference("mnist")
    mnist = loaded("mnist")
    assert mnist.notes == ()
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.X_train.mean() == pytest.approx(33.318, abs=1e-3)
    unpacked = b"\0\0\x08\x03" + struct.pack(">3I", 60000, 28, 28) + mnist.X_train.tobytes()
    # SHA-256 of train-images-idx3-ubyte without its compression.
    assert hashlib.sha256(unpacked).hexdigest() == "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"


def test_fashion_mnist(reference, loaded):
    reference("fashion-mnist")
    fashion = loaded("fashion-mnist")
    assert fashion.notes == ()
    assert np.bincount(fashion.y_train).tolist() == [6000] * 10
    assert np.bincount(fashion.y_test).tolist() == [1000] * 10
    assert fashion.X_train.mean() / 255 == pytest.approx(0.2860, abs=1e-4)
    assert fashion.X_train.std() / 255 == pytest.approx(0.3530, abs=1e-4)


# Samples


@pytest.mark.parametrize("name", samples.FULL)
def test_a_shipped_sample_can_be_made_again(reference, name):
    reference(samples.FULL[name])
    again, shipped = samples.make_sample(name), samples.read(name)
    assert again.keys() == shipped.keys()
    for key, values in again.items():
        assert values.dtype == shipped[key].dtype
        assert np.array_equal(values, shipped[key])


@pytest.mark.parametrize("name", samples.FULL)
def test_a_sample_is_balanced_and_credited(name):
    sample = datasets.load(name)
    assert np.bincount(sample.y_train).tolist() == np.bincount(sample.y_test).tolist() == [200] * 10
    licence = samples.path_of(name).with_suffix(".LICENCE.txt").read_text("utf-8")
    assert "Citation" in licence
    assert "Attribution-ShareAlike 3.0" in licence or "MIT License" in licence


@pytest.mark.parametrize("name", samples.FULL)
def test_the_map_of_the_full_set_shows_the_sample(reference, loaded, name):
    reference(samples.FULL[name])
    full = loaded(samples.FULL[name])
    rows = datasets.sample_rows(full)
    sample = datasets.load(name)
    assert np.array_equal(full.X_test[rows], sample.X_test)
    assert np.array_equal(full.y_test[rows], sample.y_test)


# Faces


def test_olivetti_from_the_published_format(server, folder, monkeypatch):
    x = np.random.RandomState(0).randint(0, 243, (20, 64, 64)).astype(np.uint8)
    content = mat(faces=x.transpose(0, 2, 1).reshape(20, 4096).T.astype(np.float64))
    serve(server, monkeypatch, "olivetti", "olivettifaces.mat", content, hashlib.sha256(content).hexdigest())
    faces = datasets.load("olivetti")
    assert faces.X_train.shape == (16, 4096)
    assert faces.X_test.shape == (4, 4096)
    assert {row.tobytes() for row in np.vstack([faces.X_train, faces.X_test])} == {row.tobytes() for row in x}
    assert np.bincount(faces.y_test).tolist() == [2, 2]
    assert len(faces.notes) == 1


def test_olivetti(reference):
    reference("olivetti")
    faces = datasets.load("olivetti")
    assert np.bincount(faces.y_train).tolist() == [8] * 40
    assert np.bincount(faces.y_test).tolist() == [2] * 40
    X, T = faces.floats("train"), faces.floats("test")
    nearest = ((T[:, None] - X[None]) ** 2).sum(2).argmin(1)
    assert (faces.y_train[nearest] == faces.y_test).mean() > 0.85


def test_frey_from_the_published_format(server, folder, monkeypatch):
    x = np.random.RandomState(0).randint(0, 256, (700, 28, 20)).astype(np.uint8)
    monkeypatch.setattr(frey, "FRAMES_SHA256", hashlib.sha256(x.tobytes()).hexdigest())
    serve(server, monkeypatch, "frey", "frey_rawface.mat", mat(ff=x.reshape(700, 560).T))
    faces = datasets.load("frey")
    train, test = frey.split(700)
    assert np.array_equal(faces.X_train, x[train].reshape(-1, 560))
    assert np.array_equal(faces.X_test, x[test].reshape(-1, 560))
    assert not faces.has_labels
    assert (faces.y_train == -1).all()


@pytest.mark.parametrize("content", [mat(ff=np.zeros((560, 700), np.uint8)), mat(other=np.zeros(3)), b"MATLAB no more"])
def test_other_frey_frames_are_refused_and_not_kept(server, folder, monkeypatch, content):
    serve(server, monkeypatch, "frey", "frey_rawface.mat", content)
    with pytest.raises(DataUnavailable, match="Frey faces can't be read"):
        datasets.load("frey")
    assert not list(folder.rglob("*.mat"))
    assert not list(folder.rglob("*.npz"))


def test_a_dropped_in_frey_file_is_used(folder, monkeypatch):
    x = np.random.RandomState(0).randint(0, 256, (400, 28, 20)).astype(np.uint8)
    monkeypatch.setattr(frey, "FRAMES_SHA256", hashlib.sha256(x.tobytes()).hexdigest())
    (folder / "frey").mkdir(parents=True)
    (folder / "frey" / "frey_rawface.mat").write_bytes(mat(ff=x.reshape(400, 560).T))
    assert datasets.available("frey")
    assert len(datasets.load("frey").X_test) == 65


def test_frey_blocks_keep_their_distance():
    train, test = frey.split(1965)
    assert len(test) == 390
    assert len(train) == 1515
    assert np.abs(train[:, None] - test[None]).min() == frey.GAP + 1


def test_frey(reference):
    reference("frey")
    faces = datasets.load("frey")
    assert faces.notes == ()
    frames = np.vstack([faces.X_train, faces.X_test])
    assert len(np.unique(frames, axis=0)) == len(frames) == 1905
    stored = download.read_arrays(download.stored("frey", frey.parse), frey.SHAPES)["x"]
    assert hashlib.sha256(stored.tobytes()).hexdigest() == frey.FRAMES_SHA256


# Newsgroups and newswire

MESSAGE = """From: someone@comp.graphics.example
Newsgroups: comp.graphics
Subject: Re: Ray-tracing
 in 3D?
Keywords: secret

Don't ask ME,
I've read Foley & van Dam (1990).
"""


def test_only_subject_and_body_are_read():
    text = newsgroups.words_of(MESSAGE)
    assert text == "re ray tracing in d don t ask me i ve read foley van dam"


def archive(messages):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, text in messages.items():
            content = text.encode("latin-1")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


def test_newsgroups_from_the_published_format(server, folder, monkeypatch):
    content = archive(
        {
            "20news-bydate-train/comp.graphics/1": MESSAGE,
            "20news-bydate-train/sci.med/2": "Subject: Café\n\nfever and fever",
            "20news-bydate-train/sci.med/3": "From: nobody\n\n123 456",
            "20news-bydate-test/sci.med/4": "Subject: fever\n\nagain",
        }
    )
    serve(server, monkeypatch, "newsgroups", "20news.tar.gz", content, hashlib.sha256(content).hexdigest())
    news = datasets.load("newsgroups")
    assert news.target_names == ("comp.graphics", "sci.med")
    assert news.y_train.tolist() == [0, 1]
    assert news.y_test.tolist() == [1]
    fever = news.vocabulary.index("fever")
    assert news.X_train[1, fever] == 2
    assert news.X_test[0, fever] == 1
    assert "secret" not in news.vocabulary
    assert "someone" not in news.vocabulary
    assert len(news.notes) == 1
    assert "2 train and 1 test" in news.notes[0]


def test_a_damaged_archive(server, folder, monkeypatch):
    content = archive({"20news-bydate-train/sci.med/2": "Subject: fever\n\nfever"})[:-20]
    serve(server, monkeypatch, "newsgroups", "20news.tar.gz", content, hashlib.sha256(content).hexdigest())
    with pytest.raises(DataUnavailable, match="20 Newsgroups can't be read"):
        datasets.load("newsgroups")


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "rows", "classes"), [("newsgroups", (11293, 7528), 20), ("reuters-r8", (5485, 2189), 8)]
)
def test_reference_documents(reference, loaded, name, rows, classes):
    reference(name)
    news = loaded(name)
    assert news.notes == ()
    assert (news.X_train.shape, news.X_test.shape) == ((rows[0], 2000), (rows[1], 2000))
    assert len(news.target_names) == classes
    share = np.bincount(np.concatenate([news.y_train, news.y_test])).max() / sum(rows)
    assert share == pytest.approx({"newsgroups": 0.053, "reuters-r8": 0.51}[name], abs=0.005)


def test_reuters_is_dropped_in(folder):
    with pytest.raises(DataUnavailable, match=r"r8-train-all-terms\.txt and r8-test-all-terms\.txt in") as caught:
        datasets.load("reuters-r8")
    assert str(folder / "reuters-r8") in str(caught.value)
    (folder / "reuters-r8").mkdir(parents=True)
    (folder / "reuters-r8" / "r8-train-all-terms.txt").write_text("earn\tprofits rose\ngrain\twheat fell\n")
    (folder / "reuters-r8" / "r8-test-all-terms.txt").write_text("grain\twheat rose\n")
    wire = datasets.load("reuters-r8")
    assert wire.target_names == ("earn", "grain")
    assert wire.y_train.tolist() == [0, 1]
    assert wire.y_test.tolist() == [1]
    assert wire.titles_test == ("wheat rose",)


def test_reuters_in_the_stored_layout(folder):
    folder.mkdir()
    rows = [
        {"split": "train", "label": "earn", "text": "profits rose"},
        {"split": "test", "label": "earn", "text": "profits"},
    ]
    with gzip.open(folder / "reuters_r8.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    assert datasets.load("reuters-r8").vocabulary == ("profits", "rose")
