"""Where data sets come from and how they get into the cache folder, whole or not at all."""

from __future__ import annotations

import gzip
import json
import logging
import os
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import numpy as np
import platformdirs

from core.types import DataUnavailable

Progress = Callable[[int, int], Any]
Parse = Callable[[str, Sequence[Path]], "Mapping[str, np.ndarray] | Iterable[Mapping[str, str]]"]

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, tarfile.TarError)


@dataclass(frozen=True)
class Source:
    """One published file.

    Attributes
    ----------
    urls : tried in order; none for a file that only a person can supply.
    sha256 : of the file, or None where none is published and the parser checks the content instead.
    size : bytes, or None where the server has to tell.
    """

    file: str
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Remote:
    """A data set's published files, and the file of the cache folder that is made of them.

    Attributes
    ----------
    instead : an embedded data set to use where this one can't be had.
    """

    label: str
    stored: str
    instead: str
    sources: tuple[Source, ...]


def _mirrored(mirrors: Sequence[str], files: Iterable[tuple[str, int, str]]) -> tuple[Source, ...]:
    return tuple(Source(file, tuple(m + file for m in mirrors), sha256, size) for file, size, sha256 in files)


# Sizes and checksums of the IDX files: tensorflow_datasets/url_checksums/{mnist,fashion_mnist}.txt.
# Checksums of 20 Newsgroups and Olivetti: scikit-learn, sklearn/datasets/_twenty_newsgroups.py and _olivetti_faces.py.
REMOTE = {
    "mnist": Remote(
        "MNIST",
        "mnist.npz",
        "mnist-sample",
        _mirrored(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            (
                (
                    "train-images-idx3-ubyte.gz",
                    9912422,
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                ),
                (
                    "train-labels-idx1-ubyte.gz",
                    28881,
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                ),
                (
                    "t10k-images-idx3-ubyte.gz",
                    1648877,
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                ),
                (
                    "t10k-labels-idx1-ubyte.gz",
                    4542,
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
            ),
        ),
    ),
    "fashion-mnist": Remote(
        "Fashion-MNIST",
        "fashion_mnist.npz",
        "fashion-sample",
        _mirrored(
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            ),
            (
                (
                    "train-images-idx3-ubyte.gz",
                    26421880,
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                ),
                (
                    "train-labels-idx1-ubyte.gz",
                    29515,
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ),
                (
                    "t10k-images-idx3-ubyte.gz",
                    4422102,
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                ),
                (
                    "t10k-labels-idx1-ubyte.gz",
                    5148,
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
            ),
        ),
    ),
    "olivetti": Remote(
        "Olivetti faces",
        "olivetti_faces.npz",
        "digits",
        (
            Source(
                "olivettifaces.mat",
                (
                    "https://ndownloader.figshare.com/files/5976027",
                    "https://cs.nyu.edu/~roweis/data/olivettifaces.mat",
                ),
                "b612fb967f2dc77c9c62d3e1266e0c73d5fca46a4b8906c18e454d41af987794",
            ),
        ),
    ),
    "frey": Remote(
        "Frey faces",
        "frey_faces.npz",
        "digits",
        (Source("frey_rawface.mat", ("https://cs.nyu.edu/~roweis/data/frey_rawface.mat",)),),
    ),
    "newsgroups": Remote(
        "20 Newsgroups",
        "newsgroups20.jsonl.gz",
        "docstrings",
        (
            Source(
                "20news-bydate.tar.gz",
                (
                    "https://ndownloader.figshare.com/files/5975967",
                    "http://qwone.com/~jason/20Newsgroups/20news-bydate.tar.gz",
                ),
                "8f1b2514ca22a5ade8fbb9cfa5727df95fa587f4c87b786e15c759fa66d95610",
            ),
        ),
    ),
    "reuters-r8": Remote(
        "Reuters R8",
        "reuters_r8.jsonl.gz",
        "docstrings",
        (Source("r8-train-all-terms.txt"), Source("r8-test-all-terms.txt")),
    ),
}


def user_cache() -> Path:
    """Where this system keeps what a program can fetch again."""
    return platformdirs.user_cache_path("hourglass", appauthor=False) / "data"


def data_folder() -> Path:
    """The cache folder: ``HOURGLASS_DATA``, else the user's."""
    given = os.environ.get("HOURGLASS_DATA")
    return Path(given).expanduser() if given else user_cache()


def is_present(name: str) -> bool:
    """Whether a data set's stored file, or all files that it is made of, are in the cache folder; nothing is read."""
    remote, folder = REMOTE[name], data_folder()
    try:
        if (folder / remote.stored).is_file():
            return True
        return all((folder / name / source.file).is_file() for source in remote.sources)
    except OSError:
        return False


def stored(name: str, parse: Parse, progress: Progress | None = None) -> Path:
    """Path of a data set's stored file, which is used as it is where it exists and made where it does not.

    Parameters
    ----------
    parse : ``parse(name, paths)`` of the published files gives what the stored file holds: arrays, or documents' rows.
    progress : called as ``progress(done, total)`` in bytes of all files together; total is 0 where it is unknown.

    Raises
    ------
    DataUnavailable
        If a file can't be had, is not the published one, or can't be kept.
    """
    remote, folder = REMOTE[name], data_folder()
    target = folder / remote.stored
    paths = [folder / name / source.file for source in remote.sources]
    try:
        if target.is_file():
            return target
        fresh = [path for path in paths if not path.is_file()]
    except OSError as error:
        raise _not_seen(remote, folder, error) from error
    _download_all(name, paths, progress)
    try:
        content = parse(name, paths)
        # Rows may come from a generator that still reads the published files.
        content = content if isinstance(content, Mapping) else _checked_rows(list(content))
    except UNREADABLE as error:
        for path in fresh:
            path.unlink(missing_ok=True)
        raise DataUnavailable(
            f"{remote.label} can't be read from {paths[0]} ({_first_line(error)}): delete that file and try again, "
            f"or use {remote.instead}."
        ) from error
    write = write_arrays if isinstance(content, Mapping) else write_documents
    try:
        write(target, content)
    except OSError as error:
        raise _not_kept(remote, folder, error) from error
    return target


def _download_all(name: str, paths: Sequence[Path], progress: Progress | None) -> None:
    remote = REMOTE[name]
    sizes = [source.size for source in remote.sources]
    total = sum(sizes) if all(sizes) else 0
    done = 0
    for source, path in zip(remote.sources, paths, strict=True):
        download(remote, source, path, _Bar(progress, done, total) if progress else None)
        done += path.stat().st_size


def download(remote: Remote, source: Source, path: Path, bar: _Bar | None = None) -> None:
    """Have a published file at `path`, from the first of its addresses that gives the right bytes.

    A file that is already there is kept where its checksum is right or none is known.

    Raises
    ------
    DataUnavailable
        With one sentence: what happened and what to do. `path` then holds no new bytes.
    """
    import pooch
    from requests import RequestException

    try:
        if path.is_file() and pooch.hashes.hash_matches(path, source.sha256):
            return
    except OSError as error:
        raise _not_seen(remote, path.parent, error) from error
    # Pooch announces each file and, where no checksum is known, prints one.
    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(
        progressbar=bar or False,
        chunk_size=1 << 16,
        timeout=(CONNECT_SECONDS, SILENT_SECONDS),
        headers={"Accept-Encoding": "identity"},
    )
    reasons = []
    for url in source.urls:
        try:
            pooch.retrieve(url, source.sha256, fname=path.name, path=path.parent, downloader=downloader)
            return
        except (RequestException, ValueError) as error:
            reasons.append(_reason(urlsplit(url).hostname, error))
        except OSError as error:
            raise _not_kept(remote, path.parent, error) from error
    raise _not_had(remote, path.parent, reasons)


class _Bar:
    """What pooch takes for a progress bar, adding up the files of one data set.

    Parameters
    ----------
    before : bytes of the files already done.
    whole : bytes of all files, or 0 where that is unknown; then the server's word for this file is taken.
    """

    def __init__(self, report: Progress, before: int, whole: int) -> None:
        self.report, self.before, self.whole = report, before, whole
        self.total = 0  # set by pooch: what the server says of this file
        self.done = 0
        self.finished = False

    def update(self, n: int) -> None:
        if self.finished:
            return
        self.done += n
        whole = self.whole or (self.before + self.total if self.total else 0)
        done = self.before + (min(self.done, self.total) if self.total else self.done)
        self.report(min(done, whole) if whole else done, whole)

    def reset(self) -> None:
        """Pooch resets a bar and fills it again when a file is complete; the last chunk has already filled this one."""
        self.finished = True

    def close(self) -> None:
        self.finished, self.done = False, 0


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A bar on standard error, as a callback for the command line."""
    from tqdm import tqdm

    with ExitStack() as shown:
        bar = None

        def report(done: int, total: int) -> None:
            nonlocal bar
            # Drawn once bytes come: a download that never begins is one sentence and no bar.
            if bar is None:
                bar = shown.enter_context(tqdm(desc=label, unit="B", unit_scale=True))
            bar.total = total or None
            bar.update(done - bar.n)

        yield report


def _reason(host: str | None, error: Exception) -> str:
    import requests
    from urllib3.exceptions import ReadTimeoutError

    cause = error.args[0] if error.args else None
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no connection to {host}"
    if isinstance(error, requests.Timeout) or isinstance(cause, ReadTimeoutError):
        return f"{host} stopped answering"
    if isinstance(error, requests.HTTPError):
        return f"{host} answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"the download from {host} broke off"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {host}"
    if isinstance(error, requests.RequestException):
        return f"{host}: {_first_line(error)}"
    return f"{host} sent other bytes than the published ones"


def _not_had(remote: Remote, folder: Path, reasons: Sequence[str]) -> DataUnavailable:
    files = " and ".join(source.file for source in remote.sources)
    if not reasons:
        return DataUnavailable(
            f"{remote.label} is not on this machine and has no free download: put {files} in {folder}, "
            f"or {remote.stored} in {folder.parent}, or use {remote.instead}."
        )
    return DataUnavailable(
        f"{remote.label} is not on this machine and could not be downloaded ({'; '.join(dict.fromkeys(reasons))}): "
        f"connect and try again, put {files} in {folder}, or use {remote.instead}."
    )


def _not_kept(remote: Remote, folder: Path, error: OSError) -> DataUnavailable:
    return DataUnavailable(
        f"{remote.label} can't be kept in {folder} ({error.strerror or _first_line(error)}): set HOURGLASS_DATA to a "
        f"folder that can be written and has room, or use {remote.instead}."
    )


def _not_seen(remote: Remote, folder: Path, error: OSError) -> DataUnavailable:
    return DataUnavailable(
        f"{remote.label} can't be looked for in {folder} ({error.strerror or _first_line(error)}): set HOURGLASS_DATA "
        f"to a folder that can be read, or use {remote.instead}."
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when it is complete, and vanishes if it never is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write named arrays as ``.npz``, whole or not at all; uncompressed they load ten times as fast."""
    with _replacing(path) as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)


def write_documents(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as gzipped JSON lines, whole or not at all."""
    with _replacing(path) as file, gzip.open(file, "wt", compresslevel=4, encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def _unreadable(path: Path, why: str) -> DataUnavailable:
    return DataUnavailable(f"{path} can't be read ({why}): delete it and load again.")


def read_arrays(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, np.ndarray]:
    """Named arrays of unsigned integers in an ``.npz``; others in it are left alone.

    Parameters
    ----------
    shapes : of each array, None where any length will do.

    Raises
    ------
    DataUnavailable
        If the file is absent, truncated, or holds something else.
    """
    try:
        # NumPy leaves a damaged file open that it opened itself.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in shapes}
    except UNREADABLE as error:
        raise _unreadable(path, _first_line(error)) from error
    for name, shape in shapes.items():
        found = arrays[name]
        fits = len(found.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, found.shape, strict=True))
        if not fits or found.dtype.kind != "u" or not len(found):
            raise _unreadable(path, f"{name} is {found.dtype} {found.shape}")
    _check_lengths(path, arrays)
    return arrays


def _check_lengths(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    for name, values in arrays.items():
        images = arrays.get(name.replace("y", "x", 1).replace("rows", "x", 1))
        if images is not None and len(images) != len(values):
            raise _unreadable(path, f"{name} has {len(values)} rows for {len(images)} images")


def read_documents(path: Path) -> list[dict[str, str]]:
    """Rows ``{"split", "label", "text"}``, perhaps with ``"title"``, of a gzipped file of JSON lines.

    Raises
    ------
    DataUnavailable
        If the file is absent, truncated, or holds something else.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return _checked_rows([json.loads(line) for line in lines])
    except UNREADABLE as error:
        raise _unreadable(path, _first_line(error)) from error


def _checked_rows(rows: list[Any]) -> list[dict[str, str]]:
    if not all(isinstance(row, dict) and all(isinstance(row.get(k), str) for k in ("label", "text")) for row in rows):
        raise ValueError("a row lacks its label or text")
    if {row.get("split") for row in rows} != {"train", "test"}:
        raise ValueError("its rows are not split into train and test")
    return rows
