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

if TYPE_CHECKING:
    from core.datasets.download import Progress

from core.errors import BadInput, DataUnavailable
from core.types import DOCUMENTS, IMAGES, Dataset, Param, check_params

VOCABULARY_SIZE = Param("vocabulary_size", 2000, (5, 20000), "How many of the commonest train words are counted.")
COPIES = "copies"
_HELD_OUT = "Test is two pictures of everyone, or all pictures of 8 people."
_FACES = (
    Param("held_out", "pictures", ("pictures", "people"), _HELD_OUT),
    Param("fold", 0, (0, 4), "Which 8 people are test, where people are held out; 0 for pictures."),
    Param(COPIES, 0, (0, 50), "Turned, scaled, shifted and mirrored copies of each train picture."),
)
RST = "reStructuredText"


@dataclass(frozen=True)
class Entry:
    """What is known of a data set without loading it.

    Attributes
    ----------
    name : what the command line calls it; label : what people read.
    module : of ``core.datasets``, or its dotted name; imported on use.
    rows : train and test rows of the reference without copies; another count becomes a note of the loaded data set.
    embedded : comes with the project or with an installed library; else it is downloaded or dropped in once.
    image_shape : (height, width) in pixels, for images.
    libraries : the installed distributions that the rows are taken from, and change with.
    markup : how the texts are written, ``RST`` or plain.
    classifier : name of the shipped classifier whose features and classes its images are judged by. A sample is
        judged by that of the whole data set.
    is_handwritten : whether its images are handwritten digits, so that one can be drawn.
    example_query : a first query of words that its documents hold.
    """

    name: str
    label: str
    kind: str
    module: str
    rows: tuple[int, int]
    summary: str
    image_shape: tuple[int, int] | None = None
    has_labels: bool = True
    embedded: bool = False
    params: tuple[Param, ...] = ()
    libraries: tuple[str, ...] = ()
    markup: str = ""
    classifier: str = ""
    is_handwritten: bool = False
    example_query: str = "some words of these documents"

    @property
    def default_params(self) -> tuple[tuple[str, Any], ...]:
        """Its declared parameters at their defaults, as a Spec holds them."""
        return tuple(sorted((p.name, p.default) for p in self.params))

    def changed_libraries(self, versions: Mapping[str, str]) -> list[str]:
        """Those of `libraries` whose installed release is not the one in `versions`: the rows are others then."""
        known = [name for name in self.libraries if name in versions]
        return [name for name in known if version(name).split("+")[0] != str(versions[name]).split("+")[0]]


REGISTRY: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry(
            *("digits", "Digits 8x8", IMAGES, "digits", (1297, 500)),
            "Handwritten digits of 8 by 8 pixels, part of scikit-learn.",
            image_shape=(8, 8),
            embedded=True,
            classifier="digits",
            is_handwritten=True,
        ),
        Entry(
            *("mnist-sample", "MNIST sample", IMAGES, "embedded_samples", (2000, 2000)),
            "200 handwritten digits a class from each of MNIST's two splits.",
            image_shape=(28, 28),
            embedded=True,
            classifier="mnist",
            is_handwritten=True,
        ),
        Entry(
            *("fashion-sample", "Fashion-MNIST sample", IMAGES, "embedded_samples", (2000, 2000)),
            "200 pictures of clothes a class from each of Fashion-MNIST's two splits.",
            image_shape=(28, 28),
            embedded=True,
            classifier="fashion-mnist",
        ),
        Entry(
            *("docstrings", "Docstrings", DOCUMENTS, "docstrings", (3364, 1147)),
            "What the installed numpy, scipy, pandas, scikit-learn and PyTorch say of themselves, by subpackage.",
            params=(VOCABULARY_SIZE,),
            embedded=True,
            libraries=("numpy", "scipy", "pandas", "scikit-learn", "torch"),
            markup=RST,
            example_query="solve a linear system with a sparse symmetric matrix",
        ),
        Entry(
            *("mnist", "MNIST", IMAGES, "mnist", (60000, 10000)),
            "70,000 handwritten digits.",
            image_shape=(28, 28),
            classifier="mnist",
            is_handwritten=True,
        ),
        Entry(
            *("fashion-mnist", "Fashion-MNIST", IMAGES, "mnist", (60000, 10000)),
            "70,000 pictures of clothes.",
            image_shape=(28, 28),
            classifier="fashion-mnist",
        ),
        Entry(
            *("olivetti", "Olivetti faces", IMAGES, "olivetti", (320, 80)),
            "40 people, ten pictures each.",
            image_shape=(64, 64),
            params=_FACES,
        ),
        Entry(
            *("frey", "Frey faces", IMAGES, "frey", (1515, 390)),
            "1,965 frames of one man's face in a video, in order.",
            image_shape=(28, 20),
            has_labels=False,
        ),
        Entry(
            *("newsgroups", "20 Newsgroups", DOCUMENTS, "newsgroups", (11293, 7528)),
            "Postings of 1993 to twenty discussion groups.",
            params=(VOCABULARY_SIZE,),
            example_query="the shuttle went into orbit around the moon",
        ),
        Entry(
            *("reuters-r8", "Reuters R8", DOCUMENTS, "reuters", (5485, 2189)),
            "Newswire of 1987 in eight subjects.",
            params=(VOCABULARY_SIZE,),
            example_query="soviet union grain shipments in tonnes",
        ),
    )
}
# What pages show first, and the data sets they offer before the others.
DEFAULT = "mnist"
_FIRST = ("digits", DEFAULT, "fashion-mnist", "docstrings", "frey")


def names(kind: str | None = None) -> tuple[str, ...]:
    """Names of all data sets, or of those of one kind, embedded ones first."""
    return tuple(entry.name for entry in REGISTRY.values() if kind in (None, entry.kind))


def list_for_pages() -> list[str]:
    """Names of all data sets in the order that pages offer them."""
    return sorted(REGISTRY, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def entry(name: str) -> Entry:
    """Raises BadInput for a name that isn't registered."""
    if name not in REGISTRY:
        raise BadInput(f"There is no data set {name!r}: choose one of {', '.join(REGISTRY)}.")
    return REGISTRY[name]


def _module(name: str) -> ModuleType:
    module = entry(name).module
    return import_module(module if "." in module else f"core.datasets.{module}")


def is_available(name: str) -> bool:
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

    download.get_stored_file(name, _module(name).parse, progress)


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
    from core import config
    from core.datasets import sources, validation

    found = entry(name)
    checked = check_params(found.params, params, name)
    dataset = _module(name).load(name, progress=progress, **checked)
    try:
        validation.check_dataset(dataset)
    except BadInput as problem:
        stored = "" if found.embedded else config.data_folder() / sources.REMOTE[name].stored
        raise DataUnavailable(f"{problem} It was read from {stored}." if stored else str(problem)) from None
    rows = dataset.X_train.shape[0] // (1 + checked.get(COPIES, 0)), dataset.X_test.shape[0]
    if rows == found.rows:
        return dataset
    note = (
        f"This copy of {found.label} has {rows[0]:,} train and {rows[1]:,} test rows; "
        f"the reference has {found.rows[0]:,} and {found.rows[1]:,}, so figures may differ a little."
    )
    return replace(dataset, notes=(*dataset.notes, note))


def can_fetch(name: str) -> bool:
    """Whether a data set that is not here can be downloaded; else a person has to supply its files."""
    from core.datasets import download

    return not entry(name).embedded and download.can_fetch(name)


def get_expected_files(name: str) -> tuple[str, str]:
    """The names of the files that a person may supply, and the folder to put them in."""
    from core import config
    from core.datasets import sources

    remote, folder = sources.REMOTE[name], config.data_folder()
    return " and ".join(source.file for source in remote.sources), str(folder / name)


def sample_rows(dataset: Dataset) -> Any:
    """Test rows that every map of this data set shows, see `core.datasets.embedded_samples.sample_rows`."""
    from core.datasets import embedded_samples

    return embedded_samples.sample_rows(dataset)


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

    from core.datasets import embedded_samples, subsets

    y = {"train": dataset.y_train, "test": dataset.y_test}[split]
    leading = embedded_samples.sample_rows(dataset) if split == "test" else None
    return np.sort(subsets.order_by_share(y, embedded_samples.SEED, leading)[:n])
