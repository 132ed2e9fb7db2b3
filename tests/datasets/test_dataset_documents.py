"""Texts to counts, against plain counting, and how counts are kept."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np
import pytest

from core import methods
from core.datasets import documents, download
from core.types import DataUnavailable


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(download, "user_cache", lambda: folder)
    return folder


def build(train, test, size=2000, labels=("a", "b")):
    texts = [("train", t) for t in train] + [("test", t) for t in test]
    rows = [{"split": s, "label": labels[n % len(labels)], "text": t} for n, (s, t) in enumerate(texts)]
    return documents.build("made-up", rows, size, licence="none", citation="nobody")


def drawn(n, lexicon, seed=0):
    random = np.random.RandomState(seed)
    return [" ".join(random.choice(lexicon, 100)) for _ in range(n)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [5, 8, 2000])
def test_counts_are_those_of_plain_counting(size):
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    lexicon = ["alpha", "Beta", "gamma!", "the", "x", "delta", "and", "épsilon", "zeta-eta", "İota", "ẞig", "a1b2cd"]
    train, test = drawn(12, lexicon), drawn(8, lexicon, 1)
    total = Counter(word for text in train for word in documents.words(text) if word not in ENGLISH_STOP_WORDS)
    expected = sorted(sorted(total, key=lambda word: (-total[word], word))[:size])
    made = build(train, test, size)
    assert made.vocabulary == tuple(expected)
    for texts, X in ((train, made.X_train), (test, made.X_test)):
        assert X.toarray().tolist() == [[documents.words(text).count(word) for word in expected] for text in texts]


def test_the_commonest_words_are_kept_and_ties_are_alphabetical():
    made = build(["dog dog dog cat cat bird ant the the the the"], ["bird"], size=3)
    assert made.vocabulary == ("ant", "cat", "dog")


def test_test_documents_teach_no_words():
    assert build(["cat"], ["dog dog"]).vocabulary == ("cat",)


def test_matrices_are_compact_and_sorted():
    made = build(["zebra ant cat", "cat"], ["ant"])
    for X in (made.X_train, made.X_test):
        assert X.dtype == X.indices.dtype == X.indptr.dtype == np.int32
        assert X.has_sorted_indices


def test_empty_documents_are_rows_of_zeros_and_said():
    made = build(["cat dog", "", "the 12"], ["", "fish"], size=5)
    assert made.X_train.shape == (3, 2)
    assert made.X_test.shape == (2, 2)
    assert made.X_test.sum() == 0
    assert made.notes == ("4 of the 5 documents hold none of the 2 words of the vocabulary.",)
    assert made.titles_train == ("cat dog", "", "the 12")


def test_texts_without_any_word_are_refused():
    with pytest.raises(DataUnavailable, match="hold no words"):
        build(["", "the 1 2 3"], ["cat"])


def test_one_class_is_no_label():
    made = build(["cat dog", "dog"], ["cat"], labels=("only",))
    assert made.target_names == ("only",)
    assert not made.has_labels
    assert made.y_train.tolist() == [0, 0]


@pytest.mark.parametrize("method", ["lsa", "ae"])
def test_five_words_and_empty_documents_have_a_two_dimensional_code(method):
    train = [*drawn(60, ["cat", "dog", "ant", "bee", "fox", "owl"]), "", "the", "unheard"]
    made = build(train, ["", "cat", "unheard"], size=5)
    declared = methods.get(method)
    params = {p.name: p.default for p in declared.params} | {"n_components": 2}
    if "epochs" in params:
        params["epochs"] = 1
    fitted = declared.estimator(params, made.kind, None, 0).fit(made.floats("train"))
    codes = fitted.transform(made.floats("test"))
    assert made.X_train.shape == (63, 5)
    assert codes.shape == (3, 2)
    assert np.isfinite(codes).all()
    assert np.isfinite(fitted.inverse_transform(codes)).all()


def test_whole_texts_are_there_to_be_read():
    text = "Cat\n\n  <b>DOG</b> " + "ant " * 5000
    made = build([text], ["cat"])
    assert made.texts_train == (text,)


def test_memory_goes_with_the_different_words_of_documents():
    lexicon = [a + b + c for a in "bcdfghklmnprstvw" for b in ("ak", "em", "ix", "or") for c in ("ta", "no", "ke")]
    texts = drawn(500, lexicon)
    pairs = sum(len(set(text.split())) for text in texts)
    documents.count(texts[:10], texts[:10])  # imports
    tracemalloc.start()
    try:
        documents.count(texts, [])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two numbers of four bytes, copied once or twice; a dictionary a document takes two hundred.
    assert peak / pairs < 50


# Kept counts


@pytest.fixture
def counted(monkeypatch):
    """How often texts were counted."""
    genuine, calls = documents.count, []
    monkeypatch.setattr(documents, "count", lambda *texts: calls.append(1) or genuine(*texts))
    return calls


def test_counts_are_kept_for_every_size_of_vocabulary(counted, cache, folder):
    train, test = drawn(30, ["cat", "dog", "ant", "bee", "fox", "owl"]), ["cat", "", "dog dog"]
    first = build(train, test)
    (kept,) = cache.iterdir()
    again, fewer = build(train, test), build(train, test, size=5)
    assert len(counted) == 1
    assert list(cache.iterdir()) == [kept]
    assert (again.checksum, again.vocabulary) == (first.checksum, first.vocabulary)
    kept.unlink()
    recounted = build(train, test, size=5)
    assert len(counted) == 2
    assert (recounted.checksum, recounted.vocabulary) == (fewer.checksum, fewer.vocabulary)
    assert not folder.exists()  # HOURGLASS_DATA may be other people's


@pytest.mark.parametrize("test", [["unheard", ""], []])
def test_counts_without_a_known_test_word_are_kept_too(test, counted):
    first, again = build(["cat dog"], test), build(["cat dog"], test)
    assert len(counted) == 1
    assert (again.checksum, again.X_test.shape) == (first.checksum, (len(test), 2))


def test_a_fault_while_counting_is_not_called_an_empty_file(monkeypatch):
    def broken(*texts):
        raise ValueError("a fault of this program")

    monkeypatch.setattr(documents, "count", broken)
    with pytest.raises(ValueError, match="a fault"):
        build(["cat dog"], ["cat"])


def test_other_texts_and_another_split_are_counted_anew(counted):
    build(["cat dog", "ant"], ["cat"])
    build(["cat dog", "ant!"], ["cat"])
    build(["cat dog"], ["ant", "cat"])
    build(["cat", "dogant"], ["cat"])
    build(["catdog", "ant"], ["cat"])
    assert len(counted) == 5


def test_another_scikit_learn_counts_anew(counted, monkeypatch):
    build(["cat dog"], ["cat"])
    monkeypatch.setattr(documents, "version", lambda name: "0")
    build(["cat dog"], ["cat"])
    assert len(counted) == 2


def _cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def _flipped(path):
    data = bytearray(path.read_bytes())
    data[data.index(b"ant\ncat")] ^= 1
    path.write_bytes(data)


def _text(path):
    path.write_text("other people's")


def _altered(**changes):
    def alter(path):
        with np.load(path) as file:
            arrays = dict(file)
        np.savez(path, **{**arrays, **{name: np.array(a, arrays[name].dtype) for name, a in changes.items()}})

    return alter


@pytest.mark.parametrize(
    "spoil",
    [
        _cut,
        _flipped,
        _text,
        # Of the train documents: where rows begin, columns, counts.
        _altered(train=[0, 2, 2, 0, 9, 1, 1]),
        _altered(train=[0, 2, 2, 1, 0, 1, 1]),
        _altered(train=[0, 2, 2, 1, 1, 1, 1]),
        _altered(train=[0, 9, 2, 0, 1, 1, 1]),
        _altered(train=[0, 2, 0, 1, 1, 1]),
        _altered(train=[0, 1, 1, 0, 1, 1, 1]),
        _altered(train=[0, 2]),
        _altered(train=[0, 2, 2, 0, 1, 0, 1]),
        _altered(train=[0, 2, 2, 0, 1, 1, 1, 1]),
        _altered(vocabulary=[1, 2]),
        _altered(vocabulary=list(b"cat\nant")),
        _altered(vocabulary=list(b"ant\nant")),
        _altered(vocabulary=list(b"ant\nc t")),
    ],
)
def test_a_broken_or_foreign_file_means_counting_again(spoil, counted, cache):
    first = build(["ant cat", ""], ["cat"])
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    spoil(kept)
    again = build(["ant cat", ""], ["cat"])
    assert len(counted) == 2
    assert (again.checksum, again.vocabulary) == (first.checksum, first.vocabulary)
    assert kept.read_bytes() == whole


def test_texts_are_counted_where_nothing_can_be_kept(cache):
    cache.write_text("in the way")
    assert build(["cat"], ["dog"]).vocabulary == ("cat",)


# A text of one's own


def test_a_query_is_counted_as_documents_are():
    made = build(["zebra ant cat cat", "dog"], ["cat"], size=3)
    asked = documents.query("The CAT, and a zebra; the cat: unicorn? Épée 42 unicorn!", made.vocabulary)
    assert made.vocabulary == ("ant", "cat", "dog")
    assert asked.counts.toarray().tolist() == [[0, 2, 0]]
    assert asked.counts.dtype == made.X_train.dtype
    assert asked.known == ("cat",)
    assert asked.unknown == ("zebra", "unicorn", "épée")
    assert asked.stop_words == ("the", "and")


@pytest.mark.parametrize("text", ["", "42 !", "the"])
def test_a_query_without_a_known_word_is_all_zero(text):
    asked = documents.query(text, ("ant", "cat"))
    assert asked.counts.shape == (1, 2)
    assert asked.counts.nnz == 0
    assert asked.known == asked.unknown == ()


def test_a_title_is_eight_words_or_its_own():
    nine = "one two three four five six seven eight nine"
    assert documents.title({"text": nine}) == "one two three four five six seven eight"
    assert documents.title({"text": nine, "title": "numpy.sum"}) == "numpy.sum"
