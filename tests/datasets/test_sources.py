"""Each source: its parser on a small file of the published format, and its facts where the real data is."""

import hashlib
import io
import struct
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from scipy.io import savemat

from core import datasets
from core.datasets import download, embedded_samples, file_formats, frey, olivetti, sources
from core.errors import BadInput, DataUnavailable


@pytest.fixture
def publish(server, folder, monkeypatch):
    """``publish(name, file, content)`` makes `content` the only published file of a data set."""

    def serve(name, file, content, is_checked=True):
        server.files = {file: content}
        sha256 = hashlib.sha256(content).hexdigest() if is_checked else None
        source = sources.Source(file, (server.url("whole", file),), sha256)
        monkeypatch.setitem(sources.REMOTE, name, replace(sources.REMOTE[name], sources=(source,)))

    return serve


def to_mat(**arrays):
    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


def test_mnist_is_the_published_one(reference, loaded):
    reference("mnist")
    mnist = loaded("mnist")
    assert np.bincount(mnist.y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    unpacked = b"\0\0\x08\x03" + struct.pack(">3I", 60000, 28, 28) + mnist.X_train.tobytes()
    # SHA-256 of train-images-idx3-ubyte without its compression.
    assert hashlib.sha256(unpacked).hexdigest() == "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"


def test_samples_are_balanced_credited_and_rows_of_their_full_set(reference, loaded):
    for name, whole in embedded_samples.FULL.items():
        sample = datasets.load(name)
        assert np.bincount(sample.y_train).tolist() == np.bincount(sample.y_test).tolist() == [200] * 10
        licence = embedded_samples.get_path(name).with_suffix(".LICENCE.txt").read_text("utf-8")
        assert "Citation" in licence
        assert "Attribution-ShareAlike 3.0" in licence or "MIT License" in licence
        reference(whole)
        np.testing.assert_equal(embedded_samples.make_sample(name), embedded_samples.read_sample(name))
        full = loaded(whole)
        assert np.array_equal(full.X_test[embedded_samples.sample_rows(full)], sample.X_test)


def test_olivetti_from_the_published_format(publish):
    x = np.random.RandomState(0).randint(0, 243, (20, 64, 64)).astype(np.uint8)
    publish("olivetti", "olivettifaces.mat", to_mat(faces=x.transpose(0, 2, 1).reshape(20, 4096).T.astype(float)))
    faces = datasets.load("olivetti")
    assert (faces.X_train.shape, faces.X_test.shape, len(faces.notes)) == ((16, 4096), (4, 4096), 1)
    assert {row.tobytes() for row in np.vstack([faces.X_train, faces.X_test])} == {row.tobytes() for row in x}
    assert np.bincount(faces.y_test).tolist() == [2, 2]


def test_splits_hold_out_people_or_pictures():
    tested, people = [], np.arange(400) // 10
    for fold in range(olivetti.FOLDS):
        train, test = olivetti.split_rows(people, "people", fold)
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(400))
        assert set(people[train]).isdisjoint(people[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(400))
    _, test = olivetti.split_rows(people, "pictures", 0)
    assert np.bincount(people[test]).tolist() == [2] * 40
    with pytest.raises(BadInput, match=r"fold=2 is one of people, .* give held_out=people, or fold=0"):
        olivetti.split_rows(people, "pictures", 2)


def test_copies_are_reproducible_nested_and_like_their_image():
    images = np.kron(np.random.RandomState(1).randint(0, 256, (6, 8, 8)), np.ones((8, 8))).astype(np.uint8)
    copies = olivetti.make_copies(images, 4)
    assert np.array_equal(copies[:12], olivetti.make_copies(images, 2))
    assert len({image.tobytes() for image in (*images, *copies)}) == 30
    light = np.full((3, 64, 64), 200, np.uint8)
    assert (olivetti.make_copies(light, 5) == 200).all(), "beyond an edge its pixels are repeated"
    # The first of two copies is mirrored.
    originals = np.concatenate([images[:, :, ::-1], images]).astype(float)
    distances = np.abs(originals[None] - copies[:12, None]).mean((2, 3))
    assert distances.argmin(1).tolist() == list(range(12))


def test_frey_from_the_published_format_or_a_supplied_file(publish, server, folder, monkeypatch):
    x = np.random.RandomState(0).randint(0, 256, (700, 28, 20)).astype(np.uint8)
    monkeypatch.setattr(frey, "FRAMES_SHA256", hashlib.sha256(x.tobytes()).hexdigest())
    publish("frey", "frey_rawface.mat", to_mat(ff=x.reshape(700, 560).T), is_checked=False)
    train, test = frey.split_frames(700)
    for _ in range(2):
        faces = datasets.load("frey")
        assert np.array_equal(faces.X_train, x[train].reshape(-1, 560))
        assert np.array_equal(faces.X_test, x[test].reshape(-1, 560))
        # The published file alone is enough.
        (folder / "frey_faces.npz").unlink()
        assert datasets.is_available("frey")
    assert len(server.asked) == 1
    (folder / "frey" / "frey_rawface.mat").unlink()
    publish("frey", "frey_rawface.mat", to_mat(ff=np.zeros((560, 700), np.uint8)), is_checked=False)
    with pytest.raises(DataUnavailable, match="Frey faces can't be read"):
        datasets.load("frey")
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_frey_blocks_keep_their_distance(reference):
    train, test = frey.split_frames(1965)
    assert (len(train), len(test), np.abs(train[:, None] - test).min()) == (1515, 390, frey.GAP + 1)
    reference("frey")
    stored = file_formats.read_arrays(download.get_stored_file("frey", frey.parse), frey.SHAPES)["x"]
    assert hashlib.sha256(stored.tobytes()).hexdigest() == frey.FRAMES_SHA256


MESSAGE = """From: someone@comp.graphics.example
Subject: Re: Ray-tracing
 in 3D?
Keywords: secret

Don't ask ME,
I've read Foley & van Dam (1990).
"""


def test_newsgroups_from_the_published_format(publish):
    messages = {
        "20news-bydate-train/comp.graphics/1": MESSAGE,
        "20news-bydate-train/sci.med/2": "Subject: Café\n\nfever and fever",
        "20news-bydate-train/sci.med/3": "From: nobody\n\n123 456",
        "20news-bydate-test/sci.med/4": "Subject: fever\n\nagain",
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, text in messages.items():
            member, content = tarfile.TarInfo(name), text.encode("latin-1")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    whole = file.getvalue()
    publish("newsgroups", "20news.tar.gz", whole[: len(whole) // 2])
    with pytest.raises(DataUnavailable, match="20 Newsgroups can't be read"):
        datasets.load("newsgroups")
    publish("newsgroups", "20news.tar.gz", whole)
    news = datasets.load("newsgroups")
    assert (news.target_names, news.y_train.tolist()) == (("comp.graphics", "sci.med"), [0, 1])
    assert news.texts_train == ("re ray tracing in d don t ask me i ve read foley van dam", "caf fever and fever")
    assert news.texts_test == ("fever again",)
