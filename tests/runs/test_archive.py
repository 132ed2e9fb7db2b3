import io
import re
import stat
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.runs import archive

FOLDER = "0123456789abcdef"
CONTENTS = {"run.json": b"{}" * 500, "weights.safetensors": bytes(range(256)), "views.safetensors": b""}
REPLAY = f"{FOLDER}/replay.safetensors"
MOST = 100_000


def unpacked(data, most=MOST):
    return archive.unpack(data, most)


def zipped(entries, compression=zipfile.ZIP_DEFLATED):
    """A zip file as others write them: (name or ZipInfo, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names given twice
        for name, data in entries:
            file.writestr(name, data)
    return out.getvalue()


def entries(*more, folder=FOLDER, without=()):
    return [*((f"{folder}/{name}", data) for name, data in CONTENTS.items() if name not in without), *more]


def test_packed_files_come_back_and_any_program_reads_them():
    data = archive.pack(FOLDER, CONTENTS)
    assert unpacked(data) == (FOLDER, CONTENTS)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == dict(entries())
        assert all(stat.S_IMODE(info.external_attr >> 16) == 0o644 for info in file.infolist())
    assert archive.pack(FOLDER, CONTENTS) == data
    of_another_program = zipped(entries((REPLAY, b"pictures")), zipfile.ZIP_STORED)
    assert unpacked(of_another_program) == (FOLDER, {**CONTENTS, "replay.safetensors": b"pictures"})


def link(name, target):
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target


def hostile():
    yield zipped([])
    yield zipped(entries(folder=f"{FOLDER}0"))
    yield zipped(entries((f"{FOLDER[::-1]}/run.json", b"{}")))
    yield zipped(entries(without=["weights.safetensors"]))
    yield zipped(entries((f"{FOLDER}/run.json", b"{}")))
    yield zipped(entries(("../run.json", b"{}")))
    yield zipped(entries(link(REPLAY, "/etc/passwd")))
    yield zipped(entries((f"{REPLAY}Xhidden", b""))).replace(b"sXhidden", b"s\0hidden")
    yield zipped(entries(), zipfile.ZIP_BZIP2)
    # Marked as encrypted.
    yield re.sub(rb"(PK\x01\x02....)\x00\x00", lambda found: found[1] + b"\1\0", zipped(entries()), flags=re.DOTALL)
    yield zipped([(f"{FOLDER}/{k}", b"") for k in range(200)])


def test_archive_of_anything_but_the_files_of_one_run_is_refused():
    for data in hostile():
        with pytest.raises(BadInput, match=r"holds no exported run \(.*run\.json, .*, perhaps replay"):
            unpacked(data)


def test_file_that_is_no_archive_is_refused():
    cut = archive.pack(FOLDER, CONTENTS)[:-40]
    for data in (b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, b"no zip file at all" * 100, cut):
        with pytest.raises(BadInput, match="no zip file, or a damaged one"):
            unpacked(data)
    with pytest.raises(BadInput, match="too large"):
        unpacked(b"x" * 101, most=100)


def test_bomb_is_refused_before_anything_is_unpacked(monkeypatch):
    halves = [(f"{FOLDER}/{name}", bytes(60_000)) for name in ("replay.safetensors", "weights.safetensors")]
    bombs = zipped(entries((REPLAY, bytes(50_000_000)))), zipped(entries(*halves, without=["weights.safetensors"]))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: pytest.fail("it unpacked"))
    for bomb in bombs:
        with pytest.raises(BadInput, match="unpacks to more than"):
            unpacked(bomb)


def test_bomb_that_declares_less_is_never_unpacked():
    bomb = zipped(entries((REPLAY, bytes(30_000_000))))
    for declared in (0, 1, 90_000):
        tracemalloc.start()
        with pytest.raises(BadInput, match="damaged"):
            unpacked(bomb.replace(struct.pack("<I", 30_000_000), struct.pack("<I", declared)), most=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10_000_000


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=10))
def test_changed_bytes_give_the_same_files_or_a_refusal(changes):
    data = bytearray(archive.pack(FOLDER, CONTENTS))
    for at, byte in changes:
        data[int(at * len(data))] = byte
    with suppress(BadInput):
        assert unpacked(bytes(data)) == (FOLDER, CONTENTS)
