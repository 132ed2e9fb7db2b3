"""The rows that several methods are compared on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from core import cache, datasets
from core.analysis.columns import Column, read_columns
from core.datasets import checksums, embedded_samples, mnist
from core.datasets.binarisation import GREY, PIXELS
from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES, TABLES, Dataset, Run, as_floats

# Every image is sent as a thumbnail, every document as a text.
MOST_ROWS = {IMAGES: 10_000, DOCUMENTS: 10_000, TABLES: 50_000}
FEWEST_ROWS = 2
BOTH = "both"
SPLITS = ("test", "train", BOTH)
DIRECT, BY_PCA, BY_TSNE = "direct", "pca", "tsne"
_WORDS_OF_A_TEXT = 40


@dataclass(frozen=True)
class Rows:
    """Rows of one split or of both, the same for every map; X and y as in `core.types.Dataset`.

    Attributes
    ----------
    numbers : (n,) int, index of each row in its split, increasing; of both splits, test rows follow the `n_train`
        train rows.
    n_all : how many there are to draw from.
    vectors : (n, n_words) tf-idf of documents.
    texts : title of each document, and its first words beyond the title; of rows of a table, its cells.
    blocks, known : of tables, see `core.types.Form` and `core.types.Dataset`.
    frame : of tables, all columns of the file as values, one row each.
    features : of tables, see `core.datasets.own.preparation.Feature`.
    table : of tables, the `core.datasets.own.preparation.Prepared` that they are from.
    checksum : of the data set they are from.
    """

    dataset: str
    kind: str
    split: str
    numbers: np.ndarray
    n_all: int
    X: Any
    y: np.ndarray
    target_names: tuple[str, ...]
    image_shape: tuple[int, int] | None = None
    vectors: Any = None
    vocabulary: tuple[str, ...] = ()
    texts: Sequence[tuple[str, str]] = ()
    checksum: str = ""
    n_train: int = 0
    usual_classes: bool = True
    blocks: tuple[int, ...] = ()
    known: np.ndarray | None = None
    frame: Any = None
    features: tuple[Any, ...] = ()
    table: Any = None

    @cached_property
    def key(self) -> str:
        return cache.make_key(self.dataset, self.split, self.checksum, self.n_all, self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def floats(self) -> Any:
        """Rows as methods take them, see `core.types.Dataset.floats`."""
        return as_floats(self.X, self.kind)

    @cached_property
    def is_test(self) -> np.ndarray:
        """(n,) bool"""
        return self.numbers >= self.n_train if self.split == BOTH else np.full(len(self), self.split == "test")

    @cached_property
    def own_numbers(self) -> np.ndarray:
        """(n,) int, the index of each row in its own split."""
        return self.numbers - self.n_train * self.is_test

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All columns of the file, of rows of a table."""
        return () if self.frame is None else read_columns(self.frame, {feature.name for feature in self.features})

    @property
    def noun(self) -> str:
        """What a row is called where its number follows: an image is a row."""
        return "document" if self.kind == DOCUMENTS else "row"

    def name_row(self, k: int) -> str:
        """``"test row 17"``, or document, at position `k`."""
        return f"{'test' if self.is_test[k] else 'train'} {self.noun} {self.own_numbers[k]:,}"

    def get_title(self, k: int) -> str:
        """The title of the row at position `k`; where it has none, its name."""
        return (self.texts[k][0] if self.texts else "") or self.name_row(k)

    @property
    def has_labels(self) -> bool:
        return len(self.target_names) > 1

    def get_class(self, k: int) -> str:
        """The name of the class of the row at position `k`; "" where it has none."""
        return str(self.target_names[self.y[k]]) if self.y[k] >= 0 and self.has_labels else ""

    @property
    def summary(self) -> str:
        """Which rows these are, in words."""
        what = f"{self.noun}s"
        if self.split == BOTH:
            both = f"{(~self.is_test).sum():,} train and {self.is_test.sum():,} test {what}"
            return f"all {both}" if len(self) == self.n_all else f"{both}, drawn by class"
        if len(self) == self.n_all:
            return f"all {self.n_all:,} {self.split} {what}"
        how = "a stratified sample" if self.has_labels else "drawn at random"
        return f"{len(self):,} of {self.n_all:,} {self.split} {what}, {how}"


def select_rows(dataset: Dataset, split: str, n: int) -> Rows:
    """`n` rows of a split, see `core.datasets.embedded_samples.first_rows`; of both, as equal parts as there are."""
    counts = {split: n}
    if split == BOTH:
        n_test = min(max(n - n // 2, n - len(dataset.y_train)), len(dataset.y_test))
        counts = {"train": n - n_test, "test": n_test}
    numbers = {part: embedded_samples.first_rows(dataset, part, size) for part, size in counts.items()}
    X = [getattr(dataset, f"X_{part}")[at] for part, at in numbers.items()]
    n_train = len(dataset.y_train) if split == BOTH else 0
    about: dict[str, Any] = {}
    if dataset.kind == DOCUMENTS:
        from scipy.sparse import vstack  # pages of images do without

        from core.datasets import bag_of_words

        X = [vstack(X) if len(X) > 1 else X[0]]
        texts = tuple(text for part, at in numbers.items() for text in _begin_texts(dataset, part, at))
        about = {"vectors": bag_of_words.to_tfidf(dataset, X[0]), "vocabulary": dataset.vocabulary, "texts": texts}
    elif dataset.kind == TABLES:
        about = _select_cells(dataset, numbers)
    return Rows(
        dataset.name,
        dataset.kind,
        split,
        np.concatenate([at + (n_train if part == "test" else 0) for part, at in numbers.items()]),
        sum(len(getattr(dataset, f"y_{part}")) for part in numbers),
        np.concatenate(X) if len(X) > 1 else X[0],
        np.concatenate([getattr(dataset, f"y_{part}")[at] for part, at in numbers.items()]),
        dataset.target_names,
        dataset.image_shape,
        checksum=dataset.checksum,
        n_train=n_train,
        usual_classes=dataset.usual_classes,
        **about,
    )


def _select_cells(dataset: Dataset, numbers: dict[str, np.ndarray]) -> dict[str, Any]:
    """The cells of rows of a table, by split."""
    import pandas as pd

    frames = [getattr(dataset.table, f"frame_{part}").iloc[at] for part, at in numbers.items()]
    about = {"frame": pd.concat(frames, ignore_index=True), "blocks": dataset.blocks}
    if dataset.known_train is not None:
        about["known"] = np.concatenate([getattr(dataset, f"known_{part}")[at] for part, at in numbers.items()])
    texts = _RowTexts(dataset.table, about["frame"])
    return about | {"features": dataset.table.features, "texts": texts, "table": dataset.table}


@dataclass(frozen=True)
class _RowTexts(Sequence):
    """The texts of rows of a table, see `core.datasets.own.preparation.Prepared.describe_rows`, written when asked."""

    table: Any
    frame: Any

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, k):
        return next(iter(self.table.describe_rows(self.frame.iloc[[k]])))


def _begin_texts(dataset: Dataset, split: str, numbers: np.ndarray) -> Iterator[tuple[str, str]]:
    """The titles of some documents, and their first words beyond the title."""
    titles, texts = getattr(dataset, f"titles_{split}"), getattr(dataset, f"texts_{split}")
    for k in numbers:
        words = texts[k].removeprefix(titles[k]).split(None, _WORDS_OF_A_TEXT)
        yield titles[k], " ".join(words[:_WORDS_OF_A_TEXT]) + (" …" if len(words) > _WORDS_OF_A_TEXT else "")


def check_count(n: int, kind: str = IMAGES) -> None:
    """Raise BadInput unless `n` rows of this kind make a map: from 2 to `MOST_ROWS`."""
    most = MOST_ROWS[kind]
    if not FEWEST_ROWS <= n <= most:
        raise BadInput(f"{n:,} rows can't be drawn: choose from {FEWEST_ROWS} to {most:,}. More make a map a blot.")


def has_shipped_rows(name: str) -> bool:
    """Whether a shipped sample replaces this data set where it is absent."""
    return name in embedded_samples.FULL.values()


def load_shipped_rows(name: str, n: int, params: Mapping[str, Any] | None = None) -> Rows | None:
    """Test rows of the shipped sample that replaces an absent data set with these parameters; None without one."""
    sample = {full: sample for sample, full in embedded_samples.FULL.items()}.get(name)
    if sample is None:
        return None
    pixels = (params or {}).get(PIXELS.name, GREY)
    checksum = mnist.CHECKSUMS[name] if pixels == GREY else mnist.BINARY_CHECKSUMS[name, pixels]
    rows = select_rows(datasets.load(sample, **(params or {})), "test", n)
    numbers = embedded_samples.read_sample(sample)["rows_test"][rows.numbers].astype(np.int64)
    return replace(rows, dataset=name, numbers=numbers, n_all=datasets.entry(name).rows[1], checksum=checksum)


def check_same_data(run: Run, rows: Rows) -> None:
    """Raise BadInput if `run` was trained on another copy of the data than `rows` are from."""
    if not checksums.is_of(run.environment, rows.checksum or None):
        raise BadInput(
            "It was trained on other rows, of another copy or with other settings of the data set: train it again."
        )
