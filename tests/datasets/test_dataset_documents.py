"""Texts to counts, against scikit-learn's CountVectorizer."""

from __future__ import annotations

import numpy as np
import pytest

from core.datasets import documents
from core.types import DataUnavailable


def rows(train, test):
    return [{"split": "train", "label": "a", "text": t} for t in train] + [
        {"split": "test", "label": "b", "text": t} for t in test
    ]


def build(train, test, size=2000):
    return documents.build("made-up", rows(train, test), size, licence="none", citation="nobody")


@pytest.mark.filterwarnings("error")
def test_counts_are_scikit_learns():
    from sklearn.feature_extraction.text import CountVectorizer

    random = np.random.RandomState(0)
    lexicon = np.array(["alpha", "Beta", "gamma!", "the", "x", "delta", "and", "épsilon", "zeta-eta"])
    texts = [" ".join(random.choice(lexicon, 30)) for _ in range(20)]
    made = build(texts[:12], texts[12:])
    vectorizer = CountVectorizer(stop_words="english")
    expected = vectorizer.fit_transform(texts[:12])
    assert made.vocabulary == tuple(vectorizer.get_feature_names_out())
    assert np.array_equal(made.X_train.toarray(), expected.toarray())
    assert np.array_equal(made.X_test.toarray(), vectorizer.transform(texts[12:]).toarray())


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


def test_a_title_is_eight_words_or_its_own():
    nine = "one two three four five six seven eight nine"
    assert documents.title({"text": nine}) == "one two three four five six seven eight"
    assert documents.title({"text": nine, "title": "numpy.sum"}) == "numpy.sum"
