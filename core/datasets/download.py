"""Downloads of data sets into the data folder, complete or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core.config import data_folder
from core.datasets import file_formats
from core.datasets.file_formats import WrongFile
from core.datasets.sources import REMOTE, Remote, Source
from core.errors import DataUnavailable

Progress = Callable[[int, int], Any]
Parse = Callable[[Sequence[Path]], "Mapping[str, np.ndarray] | Iterable[Mapping[str, str]]"]

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0


def can_fetch(name: str) -> bool:
    """Whether a data set can be downloaded; otherwise a person has to supply its files."""
    return all(source.urls for source in REMOTE[name].sources)


def is_present(name: str) -> bool:
    """Whether a data set's stored file, or all its published files, exist; nothing is read."""
    remote, folder = REMOTE[name], data_folder()
    try:
        published = (folder / name / source.file for source in remote.sources)
        return (folder / remote.stored).is_file() or all(path.is_file() for path in published)
    except OSError:
        return False


def get_stored_file(name: str, parse: Parse, progress: Progress | None = None) -> Path:
    """Path of a data set's stored file; if there is none, it is made of the published files.

    ``parse(paths)`` of the published files returns arrays, or rows of documents. ``progress(done, total)`` is
    called with bytes of all files; total is 0 if unknown.

    Raises DataUnavailable if a file can't be downloaded or stored, or is not the published one.
    """
    remote, folder = REMOTE[name], data_folder()
    target, paths = folder / remote.stored, [folder / name / source.file for source in remote.sources]
    try:
        if target.is_file():
            return target
        missing = [path for path in paths if not path.is_file()]
    except OSError as error:
        raise _unusable(remote, folder, error) from error
    try:
        _download_all(remote, missing, progress)
        try:
            content = _parse(parse, paths)
        except file_formats.UNREADABLE as error:
            # Files with another checksum count if they can be read.
            others = _list_others(remote, [path for path in paths if path not in missing])
            if not others:
                raise
            try:
                _download_all(remote, others, progress)
            except DataUnavailable:
                raise error from None
            content = _parse(parse, paths)
    except file_formats.UNREADABLE as error:
        for path in missing:
            path.unlink(missing_ok=True)
        path = error.path if isinstance(error, WrongFile) else paths[0]
        remedy = f"{'delete' if can_fetch(name) else 'correct'} that file and try again, or use {remote.instead}"
        why = f"{remote.label} can't be read from {path} ({file_formats.first_line(error)})"
        raise DataUnavailable(f"{why}: {remedy}.") from error
    write = file_formats.write_arrays if isinstance(content, Mapping) else file_formats.write_documents
    try:
        write(target, content)
    except OSError as error:
        raise _unusable(remote, folder, error, writing=True) from error
    return target


def _parse(parse: Parse, paths: Sequence[Path]) -> Any:
    """Content of the published files; what would be refused later must not be stored."""
    content = parse(paths)
    if isinstance(content, Mapping):
        file_formats.parse_images(paths[0], content)
        return content
    rows = list(content)
    if split := file_formats.missing_split(rows):
        path = next((path for path in paths if split in path.name), paths[0])
        raise WrongFile(path, f"it has no {split} document")
    return rows


def _list_others(remote: Remote, paths: Sequence[Path]) -> list[Path]:
    """The files that do not have the published checksum."""
    import pooch

    sources = {source.file: source for source in remote.sources}
    try:
        return [path for path in paths if not pooch.hashes.hash_matches(path, sources[path.name].sha256)]
    except OSError as error:
        raise _unusable(remote, paths[0].parent, error) from error


def _download_all(remote: Remote, paths: Sequence[Path], progress: Progress | None) -> None:
    files = {path: next(source for source in remote.sources if source.file == path.name) for path in paths}
    sizes = [source.size for source in files.values()]
    total, done = sum(sizes) if all(sizes) else 0, 0
    for path, source in files.items():
        download_file(remote, source, path, _Bar(progress, done, total) if progress else None)
        done += path.stat().st_size


def download_file(remote: Remote, source: Source, path: Path, bar: _Bar | None = None) -> None:
    """Download a published file to `path` from the first address with the right checksum.

    Raises DataUnavailable with what happened and what to do; `path` is then unchanged.
    """
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel(logging.WARNING)  # it announces files and unknown checksums
    http = {"timeout": (CONNECT_SECONDS, SILENT_SECONDS), "headers": {"Accept-Encoding": "identity"}}
    downloader = pooch.HTTPDownloader(progressbar=bar or False, chunk_size=1 << 16, **http)
    reasons = []
    for url in source.urls:
        try:
            pooch.retrieve(url, source.sha256, fname=path.name, path=path.parent, downloader=downloader)
            return
        except (RequestException, ValueError) as error:
            reasons.append(_reason(urlsplit(url).hostname, error))
        except OSError as error:
            raise _unusable(remote, path.parent, error, writing=True) from error
    raise _not_had(remote, path.parent, reasons)


class _Bar:
    """A progress bar for pooch that adds up the files of a data set.

    `before` is the bytes of the files already done, `whole` those of all files; if that is 0, unknown, the server's
    size of this file counts.
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
        """Ignore pooch's refill of the bar when a file is complete."""
        self.finished = True

    def close(self) -> None:
        self.finished, self.done = False, 0


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A progress bar on standard error, as a callback."""
    from tqdm import tqdm

    with ExitStack() as shown:
        bar = None

        def report(done: int, total: int) -> None:
            nonlocal bar
            # Drawn when bytes come: a download that never begins shows no bar.
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
    match error:
        case requests.HTTPError():
            return f"{host} answered {error.response.status_code}"
        case requests.exceptions.ChunkedEncodingError():
            return f"the download from {host} broke off"
        case requests.ConnectionError():
            return f"no connection to {host}"
        case requests.RequestException():
            return f"{host}: {file_formats.first_line(error)}"
    return f"{host} sent other bytes than the published ones"


def _not_had(remote: Remote, folder: Path, reasons: Sequence[str]) -> DataUnavailable:
    files, instead = " and ".join(source.file for source in remote.sources), remote.instead
    if reasons:
        why = f"could not be downloaded ({'; '.join(dict.fromkeys(reasons))}): connect and try again, put {files} in"
        return DataUnavailable(f"{remote.label} is not on this machine and {why} {folder}, or use {instead}.")
    why, or_else = "is not on this machine and has no free download", f"{remote.stored} in {folder.parent}"
    return DataUnavailable(f"{remote.label} {why}: put {files} in {folder}, or {or_else}, or use {instead}.")


def _unusable(remote: Remote, folder: Path, error: OSError, *, writing: bool = False) -> DataUnavailable:
    what, needed = ("kept", "can be written and has room") if writing else ("looked for", "can be read")
    why = f"{remote.label} can't be {what} in {folder} ({error.strerror or file_formats.first_line(error)})"
    remedy = f"set HOURGLASS_DATA to a folder that {needed}"
    return DataUnavailable(f"{why}: {remedy}, or use {remote.instead}.")
