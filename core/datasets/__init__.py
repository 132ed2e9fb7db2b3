"""The registry of data sets: what there is, whether it is here, and how to have it.

Importing this package reads no data and imports none of the libraries that do; a source's module is imported on use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.types import DOCUMENTS, IMAGES, BadInput, Dataset, Param, check_params

if TYPE_CHECKING:
    from core.datasets.download import Progress

VOCABULARY_SIZE = Param("vocabulary_size", 2000, (5, 20000), "How many of the commonest train words are counted.")
COPIES = "copies"
_FACES = (
    Param(
        "held_out", "pictures", ("pictures", "people"), "Test is two pictures of everyone, or all pictures of 8 people."
    ),
    Param("fold", 0, (0, 4), "Which 8 people are test, where people are held out; 0 for pictures."),
    Param(COPIES, 0, (0, 50), "Turned, scaled, shifted and mirrored copies of each train picture."),
)


@dataclass(frozen=True)
class Entry:
    """What is known of a data set without loading it.

    Attributes
    ----------
    name : what the command line calls it; label : what people read.
    module : of ``core.datasets``, imported on use.
    rows : train and test rows of the reference without copies; another count becomes a note of the loaded data set.
    embedded : comes with the project or with an installed library; else it is downloaded or dropped in once.
    image_shape : (height, width) in pixels, for images.
    libraries : the installed distributions that the rows are taken from, and change with.
    """

    name: str
    label: str
    kind: str
    module: str
    rows: tuple[int, int]
    has_labels: bool
    embedded: bool
    summary: str
    image_shape: tuple[int, int] | None = None
    params: tuple[Param, ...] = ()
    libraries: tuple[str, ...] = ()

    @property
    def default_params(self) -> tuple[tuple[str, Any], ...]:
        """Its declared parameters at their defaults, as a Spec holds them."""
        return tuple(sorted((p.name, p.default) for p in self.params))

    def changed_libraries(self, versions: Mapping[str, str]) -> list[str]:
        """Those of `libraries` whose installed release is not the one in `versions`: the rows are others then."""

        def release(text: str) -> str:
            return text.split("+")[0]

        known = [name for name in self.libraries if name in versions]
        return [name for name in known if release(version(name)) != release(str(versions[name]))]


def _images(
    name: str,
    label: str,
    module: str,
    shape: tuple[int, int],
    rows: tuple[int, int],
    summary: str,
    *,
    embedded: bool = False,
    has_labels: bool = True,
    params: tuple[Param, ...] = (),
) -> Entry:
    return Entry(name, label, IMAGES, module, rows, has_labels, embedded, summary, image_shape=shape, params=params)


def _documents(
    name: str,
    label: str,
    module: str,
    rows: tuple[int, int],
    summary: str,
    *,
    embedded: bool = False,
    libraries: tuple[str, ...] = (),
) -> Entry:
    params = (VOCABULARY_SIZE,)
    return Entry(name, label, DOCUMENTS, module, rows, True, embedded, summary, params=params, libraries=libraries)


_ENTRIES = {
    entry.name: entry
    for entry in (
        _images(
            "digits",
            "Digits 8x8",
            "digits",
            (8, 8),
            (1297, 500),
            "Handwritten digits of 8 by 8 pixels, part of scikit-learn.",
            embedded=True,
        ),
        _images(
            "mnist-sample",
            "MNIST sample",
            "samples",
            (28, 28),
            (2000, 2000),
            "200 handwritten digits a class from each of MNIST's two splits.",
            embedded=True,
        ),
        _images(
            "fashion-sample",
            "Fashion-MNIST sample",
            "samples",
            (28, 28),
            (2000, 2000),
            "200 pictures of clothes a class from each of Fashion-MNIST's two splits.",
            embedded=True,
        ),
        _documents(
            "docstrings",
            "Docstrings",
            "docstrings",
            (3364, 1147),
            "What the installed numpy, scipy, pandas, scikit-learn and PyTorch say of themselves, by subpackage.",
            embedded=True,
            libraries=("numpy", "scipy", "pandas", "scikit-learn", "torch"),
        ),
        _images("mnist", "MNIST", "idx", (28, 28), (60000, 10000), "70,000 handwritten digits."),
        _images("fashion-mnist", "Fashion-MNIST", "idx", (28, 28), (60000, 10000), "70,000 pictures of clothes."),
        _images(
            "olivetti",
            "Olivetti faces",
            "olivetti",
            (64, 64),
            (320, 80),
            "40 people, ten pictures each.",
            params=_FACES,
        ),
        _images(
            "frey",
            "Frey faces",
            "frey",
            (28, 20),
            (1515, 390),
            "1,965 frames of one man's face in a video, in order.",
            has_labels=False,
        ),
        _documents(
            "newsgroups", "20 Newsgroups", "newsgroups", (11293, 7528), "Postings of 1993 to twenty discussion groups."
        ),
        _documents("reuters-r8", "Reuters R8", "reuters", (5485, 2189), "Newswire of 1987 in eight subjects."),
    )
}


def names(kind: str | None = None) -> tuple[str, ...]:
    """Names of all data sets, or of those of one kind, embedded ones first."""
    return tuple(entry.name for entry in _ENTRIES.values() if kind in (None, entry.kind))


def entry(name: str) -> Entry:
    """Raises BadInput for a name that isn't registered."""
    if name not in _ENTRIES:
        raise BadInput(f"There is no data set {name!r}: choose one of {', '.join(_ENTRIES)}.")
    return _ENTRIES[name]


def _module(name: str) -> ModuleType:
    return import_module(f"core.datasets.{entry(name).module}")


def available(name: str) -> bool:
    """Whether `load` will do without a download. Looks for files, does not read them."""
    if entry(name).embedded:
        return True
    from core.datasets import download

    return download.is_present(name)


def fetch(name: str, progress: Progress | None = None) -> None:
    """Bring a data set onto this machine; returns at once where it is already here.

    Parameters
    ----------
    progress : called as ``progress(done, total)`` in bytes; total is 0 where the server does not tell.

    Raises
    ------
    DataUnavailable
        If it can't be had, or can't be kept; nothing half-written is left.
    """
    if entry(name).embedded:
        return
    from core.datasets import download

    download.stored(name, _module(name).parse, progress)


def load(name: str, *, progress: Progress | None = None, **params: Any) -> Dataset:
    """Load a data set, fetching it first where it is not on this machine.

    Parameters
    ----------
    progress : as for `fetch`.
    params : the entry's declared parameters; those left out are at their default.

    Raises
    ------
    BadInput
        If the name or a parameter is not allowed.
    DataUnavailable
        If the data can't be had, or a stored file can't be read.
    """
    found = entry(name)
    checked = check_params(found.params, params, name)
    dataset = _module(name).load(name, progress=progress, **checked)
    return _with_count_note(found, dataset, 1 + checked.get(COPIES, 0))


def _with_count_note(found: Entry, dataset: Dataset, times: int) -> Dataset:
    """`times` is how often each train row is there."""
    rows = dataset.X_train.shape[0] // times, dataset.X_test.shape[0]
    if rows == found.rows:
        return dataset
    note = (
        f"This copy of {found.label} has {rows[0]:,} train and {rows[1]:,} test rows; "
        f"the reference has {found.rows[0]:,} and {found.rows[1]:,}, so figures may differ a little."
    )
    return replace(dataset, notes=(*dataset.notes, note))


def sample_rows(dataset: Dataset) -> Any:
    """Test rows that every map of this data set shows, see `core.datasets.samples.sample_rows`."""
    from core.datasets import samples

    return samples.sample_rows(dataset)


def first_rows(dataset: Dataset, split: str, n: int) -> Any:
    """`n` rows of a split, or all where there are no more: those of `sample_rows` first, then each class in its share.

    Parameters
    ----------
    split : {"train", "test"}

    Returns
    -------
    (min(n, n_rows),) int64, increasing. A smaller `n` gives a part of the same rows.
    """
    import numpy as np

    from core.datasets import samples, splits

    y = {"train": dataset.y_train, "test": dataset.y_test}[split]
    leading = samples.sample_rows(dataset) if split == "test" else None
    return np.sort(splits.in_turn(y, samples.SEED, leading)[:n])
