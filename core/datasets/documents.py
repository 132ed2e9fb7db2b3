"""Texts to word counts.

A word is two letters or more, lower-cased, and no English stop word (scikit-learn's list); the vocabulary is the
commonest words of the train documents. LSA of these counts, by sublinear tf-idf, agrees with an independent program
up to which of several equally common words are the last of the vocabulary.

Memory goes with the number of different words of each document: a process that loads 200,000 documents of about 100
words, drawn from a million, takes 0.9 GB at most, texts included (`tests.benchmarks.bench_documents`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from core.datasets import VOCABULARY_SIZE, download
from core.types import DOCUMENTS, Dataset, DataUnavailable

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import CountVectorizer

# Latin letters without and with accents, in lower case: twice as quick as any alphabet's.
_WORD = re.compile("[a-zß-öø-ÿ]{2,}")
TITLE_WORDS = 8
# A share of documents without a known word above this is worth a note.
NOTED_SHARE = 0.01
_LARGEST_VOCABULARY = VOCABULARY_SIZE.bounds[1]


def words(text: str) -> list[str]:
    """The words of a text in order, stop words included."""
    return _WORD.findall(text.lower())


def has_words(text: str, n: int) -> bool:
    """Whether a text has at least `n` words, stop words included; it is read no further than that takes."""
    return sum(1 for _ in islice(_WORD.finditer(text.lower()), n)) == n


def _vectorizer(vocabulary: Sequence[str] | None = None) -> CountVectorizer:
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(token_pattern=_WORD.pattern, stop_words="english", vocabulary=vocabulary, dtype=np.int32)


@dataclass(frozen=True)
class Counts:
    """How often each document holds each word of a vocabulary.

    Attributes
    ----------
    vocabulary : the words in alphabetical order, no stop word among them.
    train, test : (n_documents, n_words) int32 with sorted int32 indices.
    """

    vocabulary: tuple[str, ...]
    train: csr_array
    test: csr_array

    def of_commonest(self, size: int) -> Counts:
        """Counts of the `size` words with the largest total in the train documents, or of all if there are no more.

        Ties go to the alphabetically first, so that every machine has the same vocabulary.
        """
        kept = _commonest(self.train, size)
        return Counts(tuple(self.vocabulary[k] for k in kept), self.train[:, kept], self.test[:, kept])


def _commonest(X: csr_array, size: int) -> np.ndarray:
    """Columns with the largest totals, increasing; of equal ones the first."""
    return np.sort(np.argsort(-X.sum(axis=0), kind="stable")[:size])


def count(train: Sequence[str], test: Sequence[str]) -> Counts:
    """Counts of the commonest words of the train texts, as many as the largest vocabulary that may be asked for.

    Raises
    ------
    ValueError
        If the train texts hold no word but stop words.
    """
    vectorizer = _vectorizer()
    X = csr_array(vectorizer.fit_transform(train))
    kept = _commonest(X, _LARGEST_VOCABULARY)
    X = X[:, kept]
    X.sort_indices()
    vocabulary = tuple(vectorizer.get_feature_names_out()[kept].tolist())
    return Counts(vocabulary, X, csr_array(_vectorizer(vocabulary).transform(test)))


def kept_counts(name: str, train: Sequence[str], test: Sequence[str]) -> Counts:
    """What `count` returns, from the user's cache where these texts have been counted before.

    It is never kept in ``HOURGLASS_DATA``, which may be other people's; where the cache can't be written, or holds
    something else, the texts are counted.

    Raises
    ------
    DataUnavailable
        If the train texts hold no word but stop words.
    """
    file = download.user_cache() / f"{name}-counts-{_key(train, test)}.npz"
    with suppress(DataUnavailable):
        return _read(file, len(train), len(test))
    stop_words = _vectorizer().get_stop_words()
    if all(word in stop_words for text in train for word in words(text)):
        raise DataUnavailable(f"The train documents of {name} hold no words: check the file, or use docstrings.")
    counts = count(train, test)
    with suppress(OSError):
        _write(file, counts)
    return counts


def _key(*splits: Sequence[str]) -> str:
    """Twelve digits that change with the texts and with how words are counted."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    # The stop words are scikit-learn's.
    digest.update(version("scikit-learn").encode())
    for texts in splits:
        digest.update(f"{len(texts)}".encode())
        for text in texts:
            # Half of a surrogate pair is no text that can be encoded, and no word either.
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(b" %d " % len(encoded))
            digest.update(encoded)
    return digest.hexdigest()[:12]


def _write(file: Path, counts: Counts) -> None:
    arrays = {"vocabulary": np.frombuffer("\n".join(counts.vocabulary).encode(), np.uint8)}
    for split, X in (("train", counts.train), ("test", counts.test)):
        # In one array, which is never empty: a split may hold no known word.
        arrays[split] = np.concatenate([X.indptr, X.indices, X.data]).view(np.uint32)
    download.write_arrays(file, arrays)


def _read(file: Path, n_train: int, n_test: int) -> Counts:
    """Inverse of `_write`.

    Raises
    ------
    DataUnavailable
        If the file is absent, damaged, or holds anything but counts of so many documents.
    """
    arrays = download.read_arrays(file, dict.fromkeys(("vocabulary", "train", "test"), (None,)))
    try:
        vocabulary = tuple(arrays["vocabulary"].tobytes().decode().split("\n"))
        in_order = all(before < word for before, word in pairwise(vocabulary))
        if not in_order or not all(map(_WORD.fullmatch, vocabulary)):
            raise ValueError("its vocabulary is no list of words")
        train = _matrix(arrays["train"], n_train, len(vocabulary))
        test = _matrix(arrays["test"], n_test, len(vocabulary))
    except ValueError as error:
        raise DataUnavailable(f"{file} can't be read ({error}): delete it and load again.") from error
    return Counts(vocabulary, train, test)


def _matrix(parts: np.ndarray, n: int, n_words: int) -> csr_array:
    """The counts of `n` documents from indptr, indices and data in one array."""
    parts = parts.view(np.int32)
    n_counts = (len(parts) - n - 1) // 2
    if n_counts < 0 or parts[n] != n_counts:
        raise ValueError("its counts are of other documents")
    indptr, indices, data = np.split(parts, [n + 1, n + 1 + n_counts])
    X = csr_array((data, indices, indptr), shape=(n, n_words))
    X.check_format(full_check=True)
    if not X.has_canonical_format or data.min(initial=1) < 1:
        raise ValueError("its rows are no counts")
    return X


@dataclass(frozen=True)
class Query:
    """What a person's own text is to a data set; each word once, in the order in which they appear.

    Attributes
    ----------
    counts : (1, n_words) int32, sparse, of the data set's vocabulary; all zero where no word is known.
    known, unknown : words of the vocabulary, and words that are neither in it nor stop words.
    stop_words : words that no vocabulary holds.
    """

    counts: csr_array
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    stop_words: tuple[str, ...]


def query(text: str, vocabulary: Sequence[str]) -> Query:
    """A text that is no document of a data set, counted as its documents are."""
    vectorizer = _vectorizer(vocabulary)
    stop, column = vectorizer.get_stop_words(), frozenset(vocabulary)
    found = dict.fromkeys(words(text))
    return Query(
        csr_array(vectorizer.transform([text])),
        tuple(word for word in found if word in column),
        tuple(word for word in found if word not in column and word not in stop),
        tuple(word for word in found if word in stop),
    )


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
        If the train documents hold no word but stop words.
    """
    parts = {split: [row for row in rows if row["split"] == split] for split in ("train", "test")}
    texts = {split: tuple(row["text"] for row in part) for split, part in parts.items()}
    counts = kept_counts(name, texts["train"], texts["test"]).of_commonest(vocabulary_size)
    target_names = tuple(sorted({row["label"] for row in rows}))
    code = {label: k for k, label in enumerate(target_names)}
    y = {split: np.array([code[row["label"]] for row in part], np.int64) for split, part in parts.items()}
    return Dataset(
        name=name,
        kind=DOCUMENTS,
        X_train=counts.train,
        y_train=y["train"],
        X_test=counts.test,
        y_test=y["test"],
        target_names=target_names,
        vocabulary=counts.vocabulary,
        titles_train=tuple(map(title, parts["train"])),
        titles_test=tuple(map(title, parts["test"])),
        texts_train=texts["train"],
        texts_test=texts["test"],
        licence=licence,
        citation=citation,
        notes=_notes(counts),
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


def _notes(counts: Counts) -> tuple[str, ...]:
    empty = sum(int((np.diff(X.indptr) == 0).sum()) for X in (counts.train, counts.test))
    n = counts.train.shape[0] + counts.test.shape[0]
    if empty <= NOTED_SHARE * n:
        return ()
    n_words = len(counts.vocabulary)
    return (f"{empty:,} of the {n:,} documents hold none of the {n_words:,} words of the vocabulary.",)
