"""Reuters-21578 R8: newswire of 1987 in eight subjects, from files that the user supplies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.datasets import documents, download
from core.types import Dataset


def parse(name: str, paths: Sequence[Path]) -> Iterator[dict[str, str]]:
    """Rows of ``r8-train-all-terms.txt`` and ``r8-test-all-terms.txt``: a line is a subject, a tab and the words."""
    for split, path in zip(("train", "test"), paths, strict=True):
        for line in path.read_text("utf-8").splitlines():
            label, tab, text = line.partition("\t")
            if not tab:
                raise ValueError(f"{path.name} has a line without a tab")
            yield {"split": split, "label": label, "text": text}


def load(name: str, *, progress: download.Progress | None = None, vocabulary_size: int) -> Dataset:
    return documents.build(
        name,
        download.read_documents(download.stored(name, parse, progress)),
        vocabulary_size,
        licence="Free for research, copyright Reuters Ltd",
        citation=(
            "D. Lewis: Reuters-21578, Distribution 1.0, 1997; split R8 of A. Cardoso-Cachopo: Improving methods for "
            "single-label text categorization. PhD thesis, 2007."
        ),
    )
