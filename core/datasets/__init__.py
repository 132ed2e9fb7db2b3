"""The registry of data sets. A data set's own module is imported on use; importing this package reads no data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from math import prod
from types import ModuleType
from typing import Any

from core import config
from core.datasets.binarisation import GREY, PIXELS, binarise
from core.datasets.sources import REMOTE
from core.errors import BadInput, DataUnavailable
from core.types import DOCUMENTS, IMAGES, UNLABELLED, Dataset, Form, Param, check_params

Progress = Callable[[int, int], Any]
VOCABULARY_SIZE = Param("vocabulary_size", 2000, (5, 20000), "Number of most frequent training words counted.")
COPIES = "copies"
MOST_CLASSES = 254  # results of classifiers store a class in a byte, and 255 for a correct row
_HELD_OUT = "The test set is two pictures of everyone, or all pictures of 8 people."
_FACES = (
    Param("held_out", "pictures", ("pictures", "people"), _HELD_OUT),
    Param("fold", 0, (0, 4), "Which 8 people are the test set; 0 if pictures are held out."),
    Param(COPIES, 0, (0, 50), "Rotated, scaled, shifted and mirrored copies of each training picture."),
)
RST = "reStructuredText"


@dataclass(frozen=True)
class Entry:
    """What is known of a data set without loading it.

    Attributes
    ----------
    name, label : on the command line and on the pages.
    module : name within ``core.datasets``, or a dotted name.
    rows : train and test rows of the reference without copies; another count becomes a note of the loaded data set.
    embedded : whether it comes with the project or an installed library; other sets are downloaded or supplied once.
    libraries : installed distributions that the rows are read from and change with.
    classifier : name of the shipped classifier that judges its images, or images sampled from it.
    is_handwritten : whether its images are handwritten digits, so that a person can draw one.
    example_query : a first query, of words that its documents contain.
    blocks : of a table, see `core.types.Form`; n_marks : how many of its last features mark missing cells.
    is_own : whether a person brought it, see `core.datasets.own.store`.
    licence : of its rows.
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
    blocks: tuple[int, ...] = ()
    n_marks: int = 0
    is_own: bool = False
    licence: str = ""

    @property
    def form(self) -> Form:
        return Form(self.kind, self.image_shape, self.blocks)

    def count_features(self, params: Mapping[str, Any]) -> int:
        """The number of features with these parameters; of documents the most that there can be."""
        if self.kind == DOCUMENTS:
            return params[VOCABULARY_SIZE.name]
        return prod(self.image_shape) if self.image_shape else sum(self.blocks)

    @property
    def default_params(self) -> tuple[tuple[str, Any], ...]:
        """The declared parameters at their defaults, as in a Spec."""
        return tuple(sorted(self.check_params({}).items()))

    def check_params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The declared parameters as in a Spec, those in `given` checked, without `Param.implied` ones at default."""
        checked = check_params(self.params, given, self.name)
        return {p.name: checked[p.name] for p in self.params if not (p.implied and checked[p.name] == p.default)}

    def changed_libraries(self, versions: Mapping[str, str]) -> list[str]:
        """Those of `libraries` whose installed release differs from `versions`, so that the rows differ too."""
        known = [name for name in self.libraries if name in versions]
        return [name for name in known if version(name).split("+")[0] != str(versions[name]).split("+")[0]]


# fmt: off
_ENTRIES = (
    Entry("digits", "Digits 8x8", IMAGES, "digits", (1297, 500),
        "Handwritten digits of 8 by 8 pixels, part of scikit-learn.",
        image_shape=(8, 8), params=(PIXELS,), embedded=True, classifier="digits", is_handwritten=True,
        licence="CC BY 4.0 (UCI Machine Learning Repository)"),
    Entry("mnist-sample", "MNIST sample", IMAGES, "embedded_samples", (2000, 2000),
        "200 handwritten digits a class from each of MNIST's two splits.",
        image_shape=(28, 28), params=(PIXELS,), embedded=True, classifier="mnist", is_handwritten=True,
        licence="CC BY-SA 3.0"),
    Entry("fashion-sample", "Fashion-MNIST sample", IMAGES, "embedded_samples", (2000, 2000),
        "200 pictures of clothes a class from each of Fashion-MNIST's two splits.",
        image_shape=(28, 28), embedded=True, classifier="fashion-mnist",
        licence="MIT, copyright 2017 Zalando SE"),
    Entry("docstrings", "Docstrings", DOCUMENTS, "docstrings", (3364, 1147),
        "Docstrings of the installed numpy, scipy, pandas, scikit-learn and PyTorch, by subpackage.",
        params=(VOCABULARY_SIZE,), embedded=True, libraries=("numpy", "scipy", "pandas", "scikit-learn", "torch"),
        markup=RST, example_query="solve a linear system with a sparse symmetric matrix",
        licence="BSD 3-Clause, each library's authors"),
    Entry("mnist", "MNIST", IMAGES, "mnist", (60000, 10000), "70,000 handwritten digits.",
        image_shape=(28, 28), params=(PIXELS,), classifier="mnist", is_handwritten=True,
        licence="CC BY-SA 3.0"),
    Entry("fashion-mnist", "Fashion-MNIST", IMAGES, "mnist", (60000, 10000), "70,000 pictures of clothes.",
        image_shape=(28, 28), classifier="fashion-mnist",
        licence="MIT, copyright 2017 Zalando SE"),
    Entry("olivetti", "Olivetti faces", IMAGES, "olivetti", (320, 80), "40 people, ten pictures each.",
        image_shape=(64, 64), params=_FACES,
        licence="Free to use with credit to AT&T Laboratories Cambridge"),
    Entry("frey", "Frey faces", IMAGES, "frey", (1515, 390), "1,965 frames of one man's face in a video, in order.",
        image_shape=(28, 20), has_labels=False,
        licence="Published for research by Brendan Frey and Sam Roweis; no licence stated"),
    Entry("newsgroups", "20 Newsgroups", DOCUMENTS, "newsgroups", (11293, 7528),
        "Postings of 1993 to twenty discussion groups.",
        params=(VOCABULARY_SIZE,), example_query="the shuttle went into orbit around the moon",
        licence="Public postings to Usenet; no licence stated"),
    Entry("reuters-r8", "Reuters R8", DOCUMENTS, "reuters", (5485, 2189), "Newswire of 1987 in eight subjects.",
        params=(VOCABULARY_SIZE,), example_query="soviet union grain shipments in tonnes",
        licence="Free for research, copyright Reuters Ltd"),
)
# fmt: on
REGISTRY = {entry.name: entry for entry in _ENTRIES}
# The data set that pages show first, and those that they list before the others.
DEFAULT = "mnist"
_FIRST = ("digits", DEFAULT, "fashion-mnist", "docstrings", "frey")


def names(kind: str | None = None) -> tuple[str, ...]:
    """Names of all data sets, or of those of one kind, embedded ones first, own ones last."""
    return tuple(name for name in (*REGISTRY, *_own().list_names()) if kind in (None, entry(name).kind))


def _own() -> ModuleType:  # it imports this module
    return import_module("core.datasets.own.catalogue")


def list_for_pages() -> list[str]:
    """Names of all data sets in the order of the pages."""
    first = (*_own().list_names(), *_FIRST)
    return sorted(names(), key=lambda name: first.index(name) if name in first else len(first))


def entry(name: str) -> Entry:
    """Raises BadInput for a name that is neither registered nor that of an own data set on this machine."""
    if name in REGISTRY:
        return REGISTRY[name]
    if found := _own().find_entry(name):
        return found
    if name.startswith("own-"):
        raise BadInput(
            f"The own data set {name:.40} is not on this machine. Its owner can download it on the page Data, as a "
            "zip file with its recipe: add that file on the page Data here. In a workshop its owner can share it."
        )
    raise BadInput(f"There is no data set {name!r}: choose one of {', '.join(REGISTRY)}.")


def is_known(name: str) -> bool:
    """Whether there is a data set with this name."""
    return name in REGISTRY or _own().find_entry(name) is not None


def _module(name: str) -> ModuleType:
    module = entry(name).module
    return import_module(module if "." in module else f"core.datasets.{module}")


def is_available(name: str) -> bool:
    """Whether `load` needs no download: its stored file, or all its published files, exist; nothing is read."""
    if entry(name).embedded:
        return True
    remote, folder = REMOTE[name], config.data_folder()
    try:
        published = (folder / name / source.file for source in remote.sources)
        return (folder / remote.stored).is_file() or all(path.is_file() for path in published)
    except OSError:
        return False


def can_fetch(name: str) -> bool:
    """Whether a data set can be downloaded; otherwise a person has to supply its files."""
    return not entry(name).embedded and all(source.urls for source in REMOTE[name].sources)


def get_expected_files(name: str) -> tuple[str, str]:
    """Names of the files that a person may supply, and the folder for them."""
    return " and ".join(source.file for source in REMOTE[name].sources), str(config.data_folder() / name)


def fetch(name: str, progress: Progress | None = None) -> None:
    """Download a data set unless it is on this machine.

    `progress` is called as ``progress(done, total)`` in bytes; total is 0 if the server does not tell.
    Raises DataUnavailable if it can't be downloaded or stored; nothing half-written is left.
    """
    from core.datasets import download

    if not entry(name).embedded:
        download.get_stored_file(name, _module(name).parse, progress)


def load(name: str, *, progress: Progress | None = None, **params: Any) -> Dataset:
    """Load a data set; if it is not on this machine, `fetch` it first.

    `params` are the entry's declared parameters; those left out have their default.
    Raises BadInput for an unknown name or parameter, DataUnavailable if the data can't be downloaded or read.
    """
    found = entry(name)
    checked = check_params(found.params, params, name)
    pixels = checked.pop(PIXELS.name, GREY)
    dataset = binarise(_module(name).load(name, progress=progress, **checked), pixels)
    try:
        check_dataset(dataset)
    except BadInput as problem:
        source = "" if found.embedded else f" It was read from {config.data_folder() / REMOTE[name].stored}."
        raise DataUnavailable(f"{problem}{source}") from None
    rows = dataset.X_train.shape[0] // (1 + checked.get(COPIES, 0)), dataset.X_test.shape[0]
    if rows == found.rows:
        return dataset
    note = (
        f"This copy of {found.label} has {rows[0]:,} train and {rows[1]:,} test rows; "
        f"the reference has {found.rows[0]:,} and {found.rows[1]:,}, so figures may differ a little."
    )
    return replace(dataset, notes=(*dataset.notes, note))


def check_dataset(dataset: Dataset) -> None:
    """Refuse a data set to which no method can be fitted; BadInput says why."""
    n_features, n_classes, problem = dataset.n_features, len(dataset.target_names), ""
    for split, X, y in (("train", dataset.X_train, dataset.y_train), ("test", dataset.X_test, dataset.y_test)):
        if not len(y):
            problem = f"it has no {split} row"
        elif X.shape != (len(y), n_features) or y.min() < UNLABELLED or y.max() >= max(1, n_classes):
            problem = f"its {split} rows are {X.shape} for {len(y):,} labels of {n_classes} classes"
    if n_classes > MOST_CLASSES:
        problem = f"it has {n_classes:,} classes, and at most {MOST_CLASSES} are allowed"
    elif n_features < 2:
        what = "train documents hold one word" if dataset.kind == DOCUMENTS else "rows have one feature"
        problem = f"its {what}, and a code needs at least 2"
    elif len(dataset.y_train) > 1 and not (dataset.X_train.max(axis=0) - dataset.X_train.min(axis=0)).sum():
        problem = "all its train rows are equal, so there is nothing to learn from them"
    if problem:
        raise BadInput(f"{dataset.name} can't be used: {problem}.")
