"""Pack the files of a run as a zip file, and unpack one that anybody may have made, within bounds."""

import io
import stat
import zipfile
from collections.abc import Mapping, Sequence

from core.errors import BadInput
from core.runs import layout

_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Each entry of a zip file's directory begins with these bytes; they may occur elsewhere by chance.
_ENTRY = b"PK\x01\x02"
_MOST_ENTRIES = 100
_REQUIRED = (layout.DOCUMENT, layout.WEIGHTS, layout.VIEWS)
_AT_ONCE = 1_000_000


def pack(folder: str, contents: Mapping[str, bytes]) -> bytes:
    """Return a zip file of `contents`, name -> bytes, below `folder`; equal contents give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}")
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            packed.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpack(data: bytes, most: int) -> tuple[str, dict[str, bytes]]:
    """Return the name of a run's folder and its files, name -> bytes, in a zip file that anybody may have made.

    They may take `most` bytes, packed or not; no more are ever unpacked. Raises BadInput if it is no such file.
    """
    if len(data) > most:
        raise BadInput(f"This file of {len(data) / 1e6:,.0f} MB is too large: a run has at most {most / 1e6:,.0f} MB.")
    if data.count(_ENTRY) > _MOST_ENTRIES:
        raise _no_run("it holds too many files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            name = _find_folder(entries)
            if sum(entry.file_size for entry in entries) > most:
                raise BadInput(f"This zip file unpacks to more than {most / 1e6:,.0f} MB, which no run has.")
            return name, {entry.filename.partition("/")[2]: _read(packed, entry) for entry in entries}
    except BadInput:
        raise
    except Exception:  # zipfile and zlib raise many kinds
        raise BadInput("This is no zip file, or a damaged one: choose a file that was exported as a run.") from None


def _find_folder(entries: Sequence[zipfile.ZipInfo]) -> str:
    names = [entry.filename for entry in entries]
    folder = names[0].partition("/")[0] if names else ""
    required, replay = {f"{folder}/{name}" for name in _REQUIRED}, f"{folder}/{layout.REPLAY}"
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        plain = entry.filename == entry.orig_filename and kind in (0, stat.S_IFREG)
        readable = entry.compress_type in _COMPRESSIONS and not entry.flag_bits & _ENCRYPTED
        if not (plain and readable and layout.RUN_NAME.fullmatch(folder) and entry.filename in {*required, replay}):
            raise _no_run(f"it holds {entry.orig_filename!r:.80}")
    if missing := required - set(names):
        raise _no_run(f"{min(missing)} is missing")
    if len(set(names)) < len(names):
        raise _no_run("it holds a file twice")
    return folder


def _no_run(why: str) -> BadInput:
    return BadInput(
        f"This zip file holds no exported run ({why}): in one folder named after the run there are "
        f"{', '.join(_REQUIRED)}, perhaps {layout.REPLAY}, and nothing else."
    )


def _read(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    # Reading in parts never unpacks more than the entry declares.
    with packed.open(entry) as file:
        return b"".join(iter(lambda: file.read(_AT_ONCE), b""))
