"""Texts to word counts.

A word is two letters or more, lower-cased, and no English stop word (scikit-learn's list); the vocabulary is the
commonest words of the train documents. LSA of these counts, by sublinear tf-idf, agrees with an independent program
up to which of several equally common words are the last of the vocabulary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from core.types import DOCUMENTS, Dataset, DataUnavailable

# Latin letters without and with accents, in lower case: twice as quick as any alphabet's.
_WORD = re.compile("[a-zß-öø-ÿ]{2,}")
TITLE_WORDS = 8
# A share of documents without a known word above this is worth a note.
NOTED_SHARE = 0.01


def words(text: str) -> list[str]:
    """The words of a text in order, stop words included."""
    return _WORD.findall(text.lower())


def commonest(counts: Sequence[Counter[str]], size: int) -> tuple[str, ...]:
    """The `size` words with the largest total, but for stop words, in alphabetical order.

    Ties go to the alphabetically first, so that every machine has the same vocabulary.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    total: Counter[str] = Counter()
    for counter in counts:
        total.update(counter)
    ranked = sorted(total.keys() - ENGLISH_STOP_WORDS, key=lambda word: (-total[word], word))
    return tuple(sorted(ranked[:size]))


def as_matrix(counts: Sequence[Counter[str]], vocabulary: Sequence[str]) -> csr_array:
    """Counts of the vocabulary's words.

    Returns
    -------
    (n_documents, n_words) int32 with sorted int32 indices.
    """
    column = {word: k for k, word in enumerate(vocabulary)}
    known = [sorted((column[word], n) for word, n in counter.items() if word in column) for counter in counts]
    pairs = np.array(list(chain.from_iterable(known)), np.int32).reshape(-1, 2)
    indptr = np.concatenate(([0], np.cumsum([len(row) for row in known]))).astype(np.int32)
    return csr_array((pairs[:, 1].copy(), pairs[:, 0].copy(), indptr), shape=(len(counts), len(vocabulary)))


def title(row: Mapping[str, str]) -> str:
    """A document's own title, else its first eight words."""
    return row.get("title") or " ".join(row["text"].split(maxsplit=TITLE_WORDS)[:TITLE_WORDS])


def build(
    name: str, rows: Sequence[Mapping[str, str]], vocabulary_size: int, *, licence: str, citation: str
) -> Dataset:
    """Data set of documents.

    Parameters
    ----------
    rows : ``{"split": "train" or "test", "label", "text"}`` and perhaps ``"title"``, a document each.
    vocabulary_size : at most so many words are counted.

    Raises
    ------
    DataUnavailable
        If the train documents hold no word at all.
    """
    parts = {split: [row for row in rows if row["split"] == split] for split in ("train", "test")}
    counts = {split: [Counter(words(row["text"])) for row in part] for split, part in parts.items()}
    vocabulary = commonest(counts["train"], vocabulary_size)
    if not vocabulary:
        raise DataUnavailable(f"The train documents of {name} hold no words: check the file, or use docstrings.")
    target_names = tuple(sorted({row["label"] for row in rows}))
    code = {label: k for k, label in enumerate(target_names)}
    X = {split: as_matrix(counters, vocabulary) for split, counters in counts.items()}
    y = {split: np.array([code[row["label"]] for row in part], np.int64) for split, part in parts.items()}
    return Dataset(
        name=name,
        kind=DOCUMENTS,
        X_train=X["train"],
        y_train=y["train"],
        X_test=X["test"],
        y_test=y["test"],
        target_names=target_names,
        vocabulary=vocabulary,
        titles_train=tuple(map(title, parts["train"])),
        titles_test=tuple(map(title, parts["test"])),
        texts_train=tuple(row["text"] for row in parts["train"]),
        texts_test=tuple(row["text"] for row in parts["test"]),
        licence=licence,
        citation=citation,
        notes=_notes(X, len(vocabulary)),
    )


def tfidf(dataset: Dataset, counts: Any) -> Any:
    """Tf-idf vectors of word counts: (1 + log count) times the train documents' inverse frequency, of unit length.

    Parameters
    ----------
    counts : (n, n_words), sparse, of the data set's vocabulary

    Returns
    -------
    (n, n_words) sparse; all zero for a document without a known word
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True).fit(dataset.floats("train")).transform(counts)


def _notes(X: Mapping[str, csr_array], n_words: int) -> tuple[str, ...]:
    empty = sum(int((np.diff(part.indptr) == 0).sum()) for part in X.values())
    n = sum(part.shape[0] for part in X.values())
    if empty <= NOTED_SHARE * n:
        return ()
    return (f"{empty:,} of the {n:,} documents hold none of the {n_words:,} words of the vocabulary.",)
