"""20 Newsgroups, the version split by date: subject and body only, since other headers name the group."""

import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from core import datasets
from core.datasets import Progress, bag_of_words, download, file_formats
from core.types import Dataset


def extract_words(message: str) -> str:
    """Subject and body of a message as lower-case words of letters, a space between them."""
    header, _, body = message.partition("\n\n")
    subject = re.search(r"^Subject:(.*(?:\n[ \t].*)*)", header, re.MULTILINE | re.IGNORECASE)
    text = f"{subject[1] if subject else ''} {body}"
    return " ".join(re.findall("[a-z]+", text.lower()))


def parse(paths: Sequence[Path]) -> Iterator[dict[str, str]]:
    """Rows of the archive, whose members are ``20news-bydate-SPLIT/GROUP/NUMBER``, but for messages without words."""
    with tarfile.open(paths[0], "r:gz") as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            if not member.isfile() or len(parts) < 3:
                continue
            text = extract_words(archive.extractfile(member).read().decode("latin-1").replace("\r\n", "\n"))
            if text:
                yield {"split": parts[-3].rpartition("-")[2], "label": parts[-2], "text": text}


def load(name: str, *, progress: Progress | None = None, vocabulary_size: int) -> Dataset:
    return bag_of_words.build_dataset(
        name,
        file_formats.read_documents(download.get_stored_file(name, parse, progress)),
        vocabulary_size,
        licence=datasets.entry(name).licence,
        citation="K. Lang: NewsWeeder: learning to filter netnews. ICML, 1995; split by date of J. Rennie.",
    )
