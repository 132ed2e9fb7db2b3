"""Word counts of texts.

A word has two letters or more, in lower case, and is no English stop word (scikit-learn's list). The vocabulary is the
most frequent words of the train documents. 200,000 documents of 100 words need at most 0.9 GB, texts included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, vstack

from core import cache
from core.datasets import file_formats
from core.errors import DataUnavailable
from core.types import DOCUMENTS, Dataset

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import CountVectorizer

# Latin letters without and with accents, in lower case: twice as quick as any alphabet's.
_WORD = re.compile("[a-zß-öø-ÿ]{2,}")
TITLE_WORDS = 8
# A larger share of documents without a known word becomes a note.
NOTED_SHARE = 0.01
Counts = tuple[tuple[str, ...], csr_array]  # the words counted, and a row a text


def split_words(text: str) -> list[str]:
    """The words of a text in order, stop words included."""
    return _WORD.findall(text.lower())


def _vectorizer(vocabulary: Sequence[str] | None = None) -> CountVectorizer:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=_WORD.pattern, stop_words="english", vocabulary=vocabulary, dtype=np.int32)


def count_words(train: Sequence[str], test: Sequence[str], size: int) -> Counts:
    """Count the `size` most frequent words of the train texts: these words in alphabetical order, and all counts.

    Returns (n_train + n_test, n_words) int32 with sorted indices. Raises ValueError if the train texts contain only
    stop words.
    """
    vectorizer = _vectorizer()
    X = csr_array(vectorizer.fit_transform(train))
    # Ties go to the first word, so that all machines have one vocabulary.
    columns = np.sort(np.argsort(-X.sum(axis=0), kind="stable")[:size])
    vocabulary = tuple(vectorizer.get_feature_names_out()[columns].tolist())
    X = csr_array(vstack([X[:, columns], _vectorizer(vocabulary).transform(test)]))
    X.sort_indices()
    return vocabulary, X


def _count_or_load(
    name: str, train: Sequence[str], test: Sequence[str], size: int
) -> tuple[tuple[str, ...], csr_array]:
    """The result of `count_words`, from the user's cache if these texts have been counted before."""

    def compute() -> dict[str, np.ndarray]:
        try:
            vocabulary, X = count_words(train, test, size)
        except ValueError:
            remedy = "check the file, or use docstrings"
            raise DataUnavailable(f"The train documents of {name} hold no words: {remedy}.") from None
        words = np.frombuffer("\n".join(vocabulary).encode(), np.uint8)
        return {"vocabulary": words, "data": X.data, "indices": X.indices, "indptr": X.indptr}

    # Counting changes with this file, and the stop words are scikit-learn's.
    key = cache.make_key(Path(__file__).read_text(), version("scikit-learn"), size, len(train), *train, *test)
    arrays = cache.get_or_compute(f"counts-{key}", compute)
    vocabulary = tuple(arrays["vocabulary"].tobytes().decode().split("\n"))
    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    return vocabulary, csr_array(parts, shape=(len(train) + len(test), len(vocabulary)))


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


def build_dataset(name: str, rows: Sequence[Mapping[str, str]], vocabulary_size: int, **about: Any) -> Dataset:
    """Make a data set of documents, counting at most `vocabulary_size` words.

    `rows` holds ``{"split": "train" or "test", "label", "text"}``, perhaps with ``"title"``, for each document;
    `about`: licence, citation and redistributable, see `core.types.Dataset`.
    Raises DataUnavailable if the train documents contain only stop words.
    """
    rows, notes = file_formats.clean_documents(rows)
    train, test = parts = [[row for row in rows if row["split"] == split] for split in ("train", "test")]
    texts_train, texts_test = (tuple(row["text"] for row in part) for part in parts)
    vocabulary, X = _count_or_load(name, texts_train, texts_test, vocabulary_size)
    empty = int((np.diff(X.indptr) == 0).sum())
    if empty > NOTED_SHARE * len(rows):
        none = f"hold none of the {len(vocabulary):,} words of the vocabulary"
        notes = (*notes, f"{empty:,} of the {len(rows):,} documents {none}.")
    target_names = tuple(sorted({row["label"] for row in rows}))
    code = {label: k for k, label in enumerate(target_names)}
    y_train, y_test = (np.array([code[row["label"]] for row in part], np.int64) for part in parts)
    n = len(train)
    return Dataset(
        *(name, DOCUMENTS, X[:n], y_train, X[n:], y_test, target_names),
        **about,
        vocabulary=vocabulary,
        titles_train=tuple(map(make_title, train)),
        titles_test=tuple(map(make_title, test)),
        texts_train=texts_train,
        texts_test=texts_test,
        notes=notes,
    )


def to_tfidf(dataset: Dataset, counts: Any) -> Any:
    """Unit vectors of (1 + log count) times the inverse document frequency in the train documents.

    (n, n_words) sparse counts -> (n, n_words) sparse; all zero for a document without a known word.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True).fit(dataset.floats("train")).transform(counts)
