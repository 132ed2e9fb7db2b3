"""Docstrings of installed libraries as documents; the class is the subpackage.

Selected are distinct texts of at least 60 words, in subpackages with at least 100 of them. A text whose SHA-256 begins
with a byte below 64 belongs to the test split, whatever else is installed.
"""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from core import cache, datasets
from core.datasets import bag_of_words
from core.errors import DataUnavailable
from core.types import Dataset

LIBRARIES = ("numpy", "scipy", "pandas", "sklearn", "torch")
DISTRIBUTIONS = datasets.entry("docstrings").libraries
HARVESTER = Path(__file__).with_name("docstring_parser.py")
LONGEST_HARVEST = 300  # seconds, on a busy machine
MIN_WORDS = 60
MIN_DOCUMENTS = 100
TEST_BELOW = 64  # of 256


def load(name: str, *, progress: object = None, vocabulary_size: int) -> Dataset:
    return bag_of_words.build_dataset(
        name,
        load_corpus(),
        vocabulary_size,
        licence=datasets.entry(name).licence,
        citation=f"The documentation of {', '.join(f'{d} {version(d)}' for d in DISTRIBUTIONS)}.",
    )


def load_corpus() -> list[dict[str, str]]:
    """All documents ``{"split", "label", "title", "text"}``, from the user's cache if it has these versions."""
    sources = (HARVESTER, Path(__file__), Path(bag_of_words.__file__))
    key = cache.make_key(*map(version, DISTRIBUTIONS), *(source.read_text() for source in sources))
    harvested = lambda: {"rows": np.frombuffer(json.dumps(select_documents(harvest())).encode(), np.uint8)}
    return json.loads(cache.get_or_compute(f"docstrings-{key}", harvested)["rows"].tobytes())


def harvest() -> list[dict[str, str]]:
    """Every public docstring ``{"package", "name", "text"}`` in the order of the libraries and their source.

    Raises DataUnavailable if a library is not installed or can't be read.
    """
    with ThreadPoolExecutor(len(LIBRARIES)) as pool:
        return [json.loads(line) for lines in pool.map(_harvest, LIBRARIES) for line in lines]


def _harvest(library: str) -> list[str]:
    found = find_spec(library)
    if found is None or not found.submodule_search_locations:
        raise DataUnavailable(f"{library} is not installed, and docstrings needs it: install requirements.txt.")
    command = [sys.executable, "-I", str(HARVESTER), found.submodule_search_locations[0]]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=LONGEST_HARVEST)
    except (OSError, subprocess.SubprocessError) as error:
        raise DataUnavailable(f"The installed libraries' docstrings can't be read ({error}): use digits.") from error
    return done.stdout.decode("ascii").split("\n")[:-1]


def select_documents(found: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Select the documents of the corpus and assign their class and split."""
    first: dict[str, dict[str, str]] = {}
    for row in found:
        first.setdefault(row["text"], row)
    rows = []
    for text, row in first.items():
        if len(bag_of_words.split_words(text)) >= MIN_WORDS:
            split = "test" if hashlib.sha256(text.encode()).digest()[0] < TEST_BELOW else "train"
            rows.append({"split": split, "label": get_subpackage(row["package"]), "title": row["name"], "text": text})
    sizes = Counter(row["label"] for row in rows)
    return [row for row in rows if sizes[row["label"]] >= MIN_DOCUMENTS]


def get_subpackage(package: str) -> str:
    """Class of a docstring: the first two parts of its package; three in ``pandas.core``, most of pandas."""
    parts = package.split(".")
    return ".".join(parts[: 3 if parts[:2] == ["pandas", "core"] else 2])
