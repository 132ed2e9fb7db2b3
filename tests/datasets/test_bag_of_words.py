"""Texts to counts, against plain counting, and how counts are cached."""

from collections import Counter

import numpy as np
import pytest

from core.datasets import bag_of_words
from core.errors import DataUnavailable


def build(train, test, size=2000):
    rows = [{"split": "train", "label": "a", "text": t} for t in train]
    rows += [{"split": "test", "label": "b", "text": t} for t in test]
    return bag_of_words.build_dataset("made-up", rows, size, licence="none", citation="nobody")


def test_counts_are_those_of_plain_counting():
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    lexicon = ["alpha", "Beta", "gamma!", "the", "x", "delta", "and", "épsilon", "zeta-eta", "İota", "ẞig", "a1b2cd"]
    random = np.random.RandomState(0)
    train, test = ([" ".join(random.choice(lexicon, 100)) for _ in range(n)] for n in (12, 8))
    total = Counter(word for text in train for word in bag_of_words.split_words(text) if word not in ENGLISH_STOP_WORDS)
    for size in (5, 2000):
        expected = sorted(sorted(total, key=lambda word: (-total[word], word))[:size])
        dataset = build(train, test, size)
        assert dataset.vocabulary == tuple(expected)
        for texts, X in ((train, dataset.X_train), (test, dataset.X_test)):
            counts = [[bag_of_words.split_words(text).count(word) for word in expected] for text in texts]
            assert X.toarray().tolist() == counts
            assert X.dtype == X.indices.dtype == X.indptr.dtype == np.int32
            assert X.has_sorted_indices


def test_empty_documents_are_rows_of_zeros_and_noted():
    dataset = build(["cat dog", "", "the 12"], ["", "fish"], size=5)
    assert (dataset.X_train.shape, dataset.X_test.shape, dataset.X_test.sum()) == ((3, 2), (2, 2), 0)
    assert dataset.notes == ("4 of the 5 documents hold none of the 2 words of the vocabulary.",)
    assert dataset.titles_train == ("cat dog", "", "the 12")
    with pytest.raises(DataUnavailable, match="hold no words"):
        build(["", "the 1 2 3"], ["cat"])


def test_counts_are_cached_and_counted_again_if_damaged(own_cache, folder, monkeypatch):
    texts = ["cat dog ant", "cat"] * 30, ["cat", "", "dog dog"]
    first = build(*texts)
    (kept,) = (own_cache / "computed").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(bag_of_words, "count_words", lambda *_: pytest.fail("counted again"))
        assert build(*texts).checksum == first.checksum
    kept.write_bytes(kept.read_bytes()[:-40])
    assert build(*texts).checksum == first.checksum
    assert not folder.exists(), "HOURGLASS_DATA may be other people's"


def test_query_is_counted_as_documents_are():
    dataset = build(["zebra ant cat cat", "dog"], ["cat"], size=3)
    query = bag_of_words.parse_query("The CAT, and a zebra; the cat: unicorn? Épée 42 unicorn!", dataset.vocabulary)
    assert dataset.vocabulary == ("ant", "cat", "dog")
    assert query.counts.toarray().tolist() == [[0, 2, 0]]
    words = (("cat",), ("zebra", "unicorn", "épée"), ("the", "and"))
    assert (query.known, query.unknown, query.stop_words) == words
    assert bag_of_words.parse_query("42 !", ("ant", "cat")).counts.nnz == 0
