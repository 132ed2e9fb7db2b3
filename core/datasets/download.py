"""Downloads of data sets into the data folder, complete or not at all."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core import datasets, files
from core.config import data_folder
from core.datasets import Progress, file_formats
from core.datasets.file_formats import WrongFile
from core.datasets.sources import REMOTE, Remote, Source
from core.errors import DataUnavailable

Parse = Callable[[Sequence[Path]], "Mapping[str, np.ndarray] | Iterable[Mapping[str, str]]"]

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 30.0


def get_stored_file(name: str, parse: Parse, progress: Progress | None = None) -> Path:
    """Path of a data set's stored file; if there is none, it is made of the published files.

    ``parse(paths)`` of the published files returns arrays, or rows of documents. ``progress(done, total)`` is
    called with bytes of all files; total is 0 if unknown.

    Raises DataUnavailable if a file can't be downloaded or stored, or is not the published one.
    """
    remote, folder = REMOTE[name], data_folder()
    target, published = folder / remote.stored, {folder / name / source.file: source for source in remote.sources}
    paths = list(published)
    try:
        if target.is_file():
            return target
        missing = {path: source for path, source in published.items() if not path.is_file()}
    except OSError as error:
        raise _unusable(remote, folder, error) from error
    try:
        _download_all(remote, missing, progress)
        try:
            content = _parse(parse, paths)
        except file_formats.UNREADABLE as error:
            # Files with another checksum count if they can be read.
            others = {path: source for path, source in published.items() if path not in missing}
            others = {path: source for path, source in others.items() if source.sha256 not in (None, _digest(path))}
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
        remedy = f"{'delete' if datasets.can_fetch(name) else 'correct'} that file and try again"
        why = f"{remote.label} can't be read from {path} ({file_formats.first_line(error)})"
        raise DataUnavailable(f"{why}: {remedy}, or use {remote.instead}.") from error
    try:
        file_formats.write(target, content)
    except OSError as error:
        raise _unusable(remote, folder, error, writing=True) from error
    return target


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse(parse: Parse, paths: Sequence[Path]) -> Any:
    """Content of the published files; what would be refused later must not be stored."""
    content = parse(paths)
    if isinstance(content, Mapping):
        file_formats.parse_images(content)
        return content
    rows = list(content)
    if split := file_formats.missing_split(rows):
        path = next((path for path in paths if split in path.name), paths[0])
        raise WrongFile(path, f"it has no {split} document")
    return rows


def _download_all(remote: Remote, published: Mapping[Path, Source], progress: Progress | None) -> None:
    """Download published files, each from the first address with the right checksum.

    Raises DataUnavailable with what happened and what to do; the file at that path is then unchanged.
    """
    import requests

    sizes = [source.size for source in published.values()]
    total, before = sum(sizes) if all(sizes) else 0, 0

    def report(done: int, size: int) -> None:
        if progress:
            progress(before + done, total or (before + size if size else 0))

    for path, source in published.items():
        reasons = []
        for url in source.urls:
            try:
                before += _download(url, source.sha256, path, report)
                break
            except (requests.RequestException, ValueError) as error:
                reasons.append(_reason(urlsplit(url).hostname, error))
            except OSError as error:
                raise _unusable(remote, path.parent, error, writing=True) from error
        else:
            raise _not_had(remote, path.parent, reasons)


def _download(url: str, sha256: str | None, path: Path, report: Progress) -> int:
    """Download a file, and return its bytes; ValueError for another checksum.

    ``report(done, size)`` is called with its bytes so far; size is 0 if the server does not tell.
    """
    import requests

    digest, done = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    http = {"timeout": (CONNECT_SECONDS, SILENT_SECONDS), "headers": {"Accept-Encoding": "identity"}}
    with requests.get(url, stream=True, **http) as answer:
        answer.raise_for_status()
        size = int(answer.headers.get("Content-Length", 0))
        with files.open_replacing(path) as file:
            for chunk in answer.iter_content(1 << 16):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report(done, size)
            if sha256 not in (None, digest.hexdigest()):
                raise ValueError("another checksum")
    return done


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A progress bar on standard error, as a callback; it is drawn when bytes come."""
    from tqdm import tqdm

    with ExitStack() as shown:
        get_bar = cache(lambda: shown.enter_context(tqdm(desc=label, unit="B", unit_scale=True)))

        def report(done: int, total: int) -> None:
            bar = get_bar()
            bar.total = total or None
            bar.update(done - bar.n)

        yield report


def _reason(host: str | None, error: Exception) -> str:
    import requests
    from requests.exceptions import ChunkedEncodingError, ReadTimeout
    from urllib3.exceptions import ReadTimeoutError

    match error:
        case requests.HTTPError():
            return f"{host} answered {error.response.status_code}"
        case ChunkedEncodingError():
            return f"the download from {host} broke off"
        case ReadTimeout() | requests.ConnectionError(args=(ReadTimeoutError(), *_)):
            return f"{host} stopped answering"
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
