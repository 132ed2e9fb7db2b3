"""Where data sets come from and how they get into the cache folder, whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core.config import data_folder
from core.datasets import file_formats, validation
from core.datasets.sources import REMOTE, Remote, Source
from core.datasets.validation import WrongFile
from core.errors import DataUnavailable

Progress = Callable[[int, int], Any]
Parse = Callable[[str, Sequence[Path]], "Mapping[str, np.ndarray] | Iterable[Mapping[str, str]]"]

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0


def can_fetch(name: str) -> bool:
    """Whether a data set that is not here can be downloaded; else a person has to supply its files."""
    return all(source.urls for source in REMOTE[name].sources)


def is_present(name: str) -> bool:
    """Whether a data set's stored file, or all files that it is made of, are in the cache folder; nothing is read."""
    remote, folder = REMOTE[name], data_folder()
    try:
        if (folder / remote.stored).is_file():
            return True
        return all((folder / name / source.file).is_file() for source in remote.sources)
    except OSError:
        return False


def get_stored_file(name: str, parse: Parse, progress: Progress | None = None) -> Path:
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
    try:
        content = _content(name, parse, paths, progress)
    except file_formats.UNREADABLE as error:
        for path in fresh:
            path.unlink(missing_ok=True)
        path = error.path if isinstance(error, WrongFile) else paths[0]
        remedy = "delete" if can_fetch(name) else "correct"
        raise DataUnavailable(
            f"{remote.label} can't be read from {path} ({file_formats.first_line(error)}): {remedy} that file and try "
            f"again, or use {remote.instead}."
        ) from error
    write = file_formats.write_arrays if isinstance(content, Mapping) else file_formats.write_documents
    try:
        write(target, content)
    except OSError as error:
        raise _not_kept(remote, folder, error) from error
    return target


def _content(name: str, parse: Parse, paths: Sequence[Path], progress: Progress | None) -> Any:
    """What the published files hold. Files that are here and have another checksum count if they can be read."""
    remote = REMOTE[name]
    files = zip(remote.sources, paths, strict=True)
    others = [path for source, path in files if path.is_file() and not _is_published(remote, path, source)]
    missing = [path for path in paths if path not in others]

    def parsed() -> Any:
        content = parse(name, paths)
        # What is refused is not kept: else it would be read again once its source is corrected.
        if isinstance(content, Mapping):
            validation.parse_images(paths[0], content)
            return content
        # Rows may come from a generator that still reads the published files.
        rows = list(content)
        if split := validation.missing_split(rows):
            path = next((path for path in paths if split in path.name), paths[0])
            raise WrongFile(path, f"it has no {split} document")
        return rows

    _download_all(name, missing, progress)
    try:
        return parsed()
    except file_formats.UNREADABLE as error:
        if not others:
            raise
        try:
            _download_all(name, others, progress)
        except DataUnavailable:
            raise error from None
    return parsed()


def _is_published(remote: Remote, path: Path, source: Source) -> bool:
    """Whether a file is there and is the published one, or none is known; DataUnavailable if it can't be read."""
    import pooch

    try:
        return path.is_file() and pooch.hashes.hash_matches(path, source.sha256)
    except OSError as error:
        raise _not_seen(remote, path.parent, error) from error


def _download_all(name: str, paths: Sequence[Path], progress: Progress | None) -> None:
    remote = REMOTE[name]
    files = {path: next(source for source in remote.sources if source.file == path.name) for path in paths}
    sizes = [source.size for source in files.values()]
    total, done = sum(sizes) if all(sizes) else 0, 0
    for path, source in files.items():
        download_file(remote, source, path, _Bar(progress, done, total) if progress else None)
        done += path.stat().st_size


def download_file(remote: Remote, source: Source, path: Path, bar: _Bar | None = None) -> None:
    """Have a published file at `path`, from the first of its addresses that gives the right bytes.

    A file that is already there is kept where its checksum is right or none is known.

    Raises
    ------
    DataUnavailable
        With one sentence: what happened and what to do. `path` then holds no new bytes.
    """
    import pooch
    from requests import RequestException

    if _is_published(remote, path, source):
        return
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
    whole : bytes of all files, or 0 where that is unknown; then the server's size of this file counts.
    """

    def __init__(self, report: Progress, before: int, whole: int) -> None:
        self.report, self.before, self.whole = report, before, whole
        self.total, self.done, self.finished = 0, 0, False  # pooch sets total: the server's size of this file

    def update(self, n: int) -> None:
        if self.finished:
            return
        self.done += n
        whole = self.whole or (self.before + self.total if self.total else 0)
        done = self.before + (min(self.done, self.total) if self.total else self.done)
        self.report(min(done, whole) if whole else done, whole)

    def reset(self) -> None:
        """Pooch resets and refills a bar when a file is complete; the last chunk has already filled this one."""
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

    timed_out = isinstance(error, requests.Timeout) or isinstance(next(iter(error.args), None), ReadTimeoutError)
    if timed_out and not isinstance(error, requests.exceptions.ConnectTimeout):
        return f"{host} stopped answering"
    if isinstance(error, requests.HTTPError):
        return f"{host} answered {error.response.status_code}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"the download from {host} broke off"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {host}"
    if isinstance(error, requests.RequestException):
        return f"{host}: {file_formats.first_line(error)}"
    return f"{host} sent other bytes than the published ones"


def _not_had(remote: Remote, folder: Path, reasons: Sequence[str]) -> DataUnavailable:
    files, instead = " and ".join(source.file for source in remote.sources), remote.instead
    if reasons:
        why = f"could not be downloaded ({'; '.join(dict.fromkeys(reasons))}): connect and try again, put {files} in"
        return DataUnavailable(f"{remote.label} is not on this machine and {why} {folder}, or use {instead}.")
    return DataUnavailable(
        f"{remote.label} is not on this machine and has no free download: put {files} in {folder}, "
        f"or {remote.stored} in {folder.parent}, or use {instead}."
    )


def _not_kept(remote: Remote, folder: Path, error: OSError) -> DataUnavailable:
    remedy = "set HOURGLASS_DATA to a folder that can be written and has room"
    return _unusable(remote, f"kept in {folder}", error, remedy)


def _not_seen(remote: Remote, folder: Path, error: OSError) -> DataUnavailable:
    remedy = "set HOURGLASS_DATA to a folder that can be read"
    return _unusable(remote, f"looked for in {folder}", error, remedy)


def _unusable(remote: Remote, what: str, error: OSError, remedy: str) -> DataUnavailable:
    why = error.strerror or file_formats.first_line(error)
    return DataUnavailable(f"{remote.label} can't be {what} ({why}): {remedy}, or use {remote.instead}.")
