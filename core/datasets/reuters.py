"""Reuters-21578 R8: newswire of 1987 in eight subjects, from files that the user supplies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core import datasets
from core.datasets import Progress, bag_of_words, download, file_formats
from core.datasets.file_formats import WrongFile, text_lines
from core.types import Dataset


def parse(paths: Sequence[Path]) -> Iterator[dict[str, str]]:
    """Rows of ``r8-train-all-terms.txt`` and ``r8-test-all-terms.txt``: a line is a subject, a tab and the words."""
    for split, path in zip(("train", "test"), paths, strict=True):
        try:
            with path.open("rb") as lines:
                yield from _rows(split, lines)
        except (OSError, ValueError) as error:
            raise WrongFile(path, str(error)) from error


def _rows(split: str, lines: Iterator[bytes]) -> Iterator[dict[str, str]]:
    for number, line in text_lines(lines):
        label, tab, text = line.partition("\t")
        if not tab or not label.strip():
            raise ValueError(f"line {number} is no subject, tab and words")
        yield {"split": split, "label": label, "text": text}


def load(name: str, *, progress: Progress | None = None, vocabulary_size: int) -> Dataset:
    return bag_of_words.build_dataset(
        name,
        file_formats.read_documents(download.get_stored_file(name, parse, progress)),
        vocabulary_size,
        redistributable=False,
        licence=datasets.entry(name).licence,
        citation="D. Lewis: Reuters-21578, Distribution 1.0, 1997; split R8 of A. Cardoso-Cachopo: Improving methods "
        "for single-label text categorization. PhD thesis, 2007.",
    )
