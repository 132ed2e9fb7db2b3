"""Word counts of texts.

A word has two letters or more, in lower case, and is no English stop word (scikit-learn's list). The vocabulary is the
most frequent words of the train documents. Memory grows with the distinct words of each document: 200,000 documents
of 100 words, drawn from a million, need at most 0.9 GB, texts included (`tests.benchmarks.bench_documents`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from core import cache
from core.datasets import VOCABULARY_SIZE, file_formats
from core.errors import DataUnavailable
from core.types import DOCUMENTS, Dataset

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import CountVectorizer

# Latin letters without and with accents, in lower case: twice as quick as any alphabet's.
_WORD = re.compile("[a-zß-öø-ÿ]{2,}")
TITLE_WORDS = 8
# A larger share of documents without a known word becomes a note.
NOTED_SHARE = 0.01


def split_words(text: str) -> list[str]:
    """The words of a text in order, stop words included."""
    return _WORD.findall(text.lower())


def has_words(text: str, n: int) -> bool:
    """Whether a text has at least `n` words, stop words included."""
    return sum(1 for _ in islice(_WORD.finditer(text.lower()), n)) == n


def _vectorizer(vocabulary: Sequence[str] | None = None) -> CountVectorizer:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=_WORD.pattern, stop_words="english", vocabulary=vocabulary, dtype=np.int32)


@dataclass(frozen=True)
class Counts:
    """Word counts, (n_documents, n_words) int32 each with sorted indices; `vocabulary` is in alphabetical order."""

    vocabulary: tuple[str, ...]
    train: csr_array
    test: csr_array

    def select_most_frequent(self, size: int) -> Counts:
        """Counts of at most `size` words, those most frequent in the train documents."""
        columns = _most_frequent(self.train, size)
        return Counts(tuple(self.vocabulary[k] for k in columns), self.train[:, columns], self.test[:, columns])


def _most_frequent(X: csr_array, size: int) -> np.ndarray:
    """Columns with the largest totals, increasing; ties go to the first, so that all machines have one vocabulary."""
    return np.sort(np.argsort(-X.sum(axis=0), kind="stable")[:size])


def count_words(train: Sequence[str], test: Sequence[str]) -> Counts:
    """Count the most frequent words of the train texts, as many as the largest vocabulary allowed.

    Raises ValueError if the train texts contain only stop words.
    """
    vectorizer = _vectorizer()
    X = csr_array(vectorizer.fit_transform(train))
    columns = _most_frequent(X, VOCABULARY_SIZE.bounds[1])
    X = X[:, columns]
    X.sort_indices()
    vocabulary = tuple(vectorizer.get_feature_names_out()[columns].tolist())
    return Counts(vocabulary, X, csr_array(_vectorizer(vocabulary).transform(test)))


def _count_or_load(name: str, texts: Mapping[str, Sequence[str]]) -> Counts:
    """The result of `count_words`, from the user's cache if these texts have been counted before."""
    train, test = texts["train"], texts["test"]
    parts = ("data", "indices", "indptr")

    def compute() -> dict[str, np.ndarray]:
        stop_words = _vectorizer().get_stop_words()
        if all(word in stop_words for text in train for word in split_words(text)):
            raise DataUnavailable(f"The train documents of {name} hold no words: check the file, or use docstrings.")
        counts = count_words(train, test)
        arrays = {f"{split}_{part}": getattr(getattr(counts, split), part) for split in texts for part in parts}
        return {"vocabulary": np.frombuffer("\n".join(counts.vocabulary).encode(), np.uint8), **arrays}

    # Counting changes with this file, and the stop words are scikit-learn's.
    key = cache.make_key(Path(__file__).read_text(), version("scikit-learn"), len(train), *train, *test)
    arrays = cache.get_or_compute(f"counts-{key}", compute)
    vocabulary = tuple(arrays["vocabulary"].tobytes().decode().split("\n"))
    matrices = {
        split: csr_array(tuple(arrays[f"{split}_{part}"] for part in parts), shape=(len(rows), len(vocabulary)))
        for split, rows in texts.items()
    }
    return Counts(vocabulary, **matrices)


@dataclass(frozen=True)
class Query:
    """A person's own text as a row of a data set; each word once, in order of appearance.

    Attributes
    ----------
    counts : (1, n_words) int32, sparse, of the data set's vocabulary; all zero if no word is known.
    known, unknown, stop_words : words of the vocabulary, other words, and stop words.
    """

    counts: csr_array
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    stop_words: tuple[str, ...]


def parse_query(text: str, vocabulary: Sequence[str]) -> Query:
    """Count the words of a text as in a data set's documents."""
    vectorizer = _vectorizer(vocabulary)
    stop, column = vectorizer.get_stop_words(), frozenset(vocabulary)
    found = dict.fromkeys(split_words(text))
    return Query(
        csr_array(vectorizer.transform([text])),
        tuple(word for word in found if word in column),
        tuple(word for word in found if word not in column and word not in stop),
        tuple(word for word in found if word in stop),
    )


def make_title(row: Mapping[str, str]) -> str:
    """A document's own title, else its first eight words."""
    return row.get("title") or " ".join(row["text"].split(maxsplit=TITLE_WORDS)[:TITLE_WORDS])


def build_dataset(
    name: str, rows: Sequence[Mapping[str, str]], vocabulary_size: int, *, licence: str, citation: str
) -> Dataset:
    """Make a data set of documents, counting at most `vocabulary_size` words.

    `rows` holds ``{"split": "train" or "test", "label", "text"}``, perhaps with ``"title"``, for each document.
    Raises DataUnavailable if the train documents contain only stop words.
    """
    rows, notes = file_formats.clean_documents(rows)
    parts = {split: [row for row in rows if row["split"] == split] for split in ("train", "test")}
    texts = {split: tuple(row["text"] for row in part) for split, part in parts.items()}
    counts = _count_or_load(name, texts).select_most_frequent(vocabulary_size)
    target_names = tuple(sorted({row["label"] for row in rows}))
    code = {label: k for k, label in enumerate(target_names)}
    y = {split: np.array([code[row["label"]] for row in part], np.int64) for split, part in parts.items()}
    X = (counts.train, y["train"], counts.test, y["test"])
    return Dataset(
        *(name, DOCUMENTS, *X, target_names, licence, citation),
        vocabulary=counts.vocabulary,
        titles_train=tuple(map(make_title, parts["train"])),
        titles_test=tuple(map(make_title, parts["test"])),
        texts_train=texts["train"],
        texts_test=texts["test"],
        notes=(*notes, *_notes(counts)),
    )


def to_tfidf(dataset: Dataset, counts: Any) -> Any:
    """Unit vectors of (1 + log count) times the inverse document frequency in the train documents.

    (n, n_words) sparse counts -> (n, n_words) sparse; all zero for a document without a known word.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True).fit(dataset.floats("train")).transform(counts)


def _notes(counts: Counts) -> tuple[str, ...]:
    empty = sum(int((np.diff(X.indptr) == 0).sum()) for X in (counts.train, counts.test))
    (n_train, n_words), n_test = counts.train.shape, counts.test.shape[0]
    if empty <= NOTED_SHARE * (n_train + n_test):
        return ()
    return (f"{empty:,} of the {n_train + n_test:,} documents hold none of the {n_words:,} words of the vocabulary.",)
