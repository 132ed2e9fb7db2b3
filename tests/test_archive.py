import io
import random
import re
import stat
import struct
import tracemalloc
import warnings
import zipfile

import pytest

from core import archive
from core.types import BadInput

KEY = re.compile("[0-9a-f]{16}")
FOLDER = "0123456789abcdef"
CONTENTS = {"run.json": b"{}" * 500, "weights": bytes(range(256)), "views": b""}
MOST = 100_000


def unpacked(data, most=MOST):
    return archive.unpack(data, KEY, ("run.json", "weights", "views"), ("replay",), most)


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


def test_what_was_packed_comes_back_and_any_program_reads_it():
    data = archive.pack(FOLDER, CONTENTS)
    assert unpacked(data) == (FOLDER, CONTENTS)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == dict(entries())
        assert all(stat.S_IMODE(info.external_attr >> 16) == 0o644 for info in file.infolist())
    assert len(data) < 1000
    assert archive.pack(FOLDER, CONTENTS) == data


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_another_program_packed_is_taken(compression):
    everything = {**CONTENTS, "replay": b"pictures"}
    data = zipped(entries((f"{FOLDER}/replay", b"pictures")), compression)
    assert unpacked(data) == (FOLDER, everything)


def link(name, target):
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target


def hostile():
    yield "nothing", zipped([])
    yield "another folder", zipped(entries(folder="runs"))
    yield "a longer folder", zipped(entries(folder=f"{FOLDER}0"))
    yield "no folder", zipped(list(CONTENTS.items()))
    yield "a folder within", zipped(entries(folder=f"{FOLDER}/{FOLDER}"))
    yield "two folders", zipped(entries((f"{FOLDER[::-1]}/run.json", b"{}")))
    yield "two folders, no file twice", zipped(entries((f"{FOLDER[::-1]}/views", b""), without=["views"]))
    yield "a further file", zipped(entries((f"{FOLDER}/more.txt", b"")))
    yield "a further folder", zipped(entries((f"{FOLDER}/", b"")))
    yield "a file missing", zipped(entries(without=["weights"]))
    yield "a file twice", zipped(entries((f"{FOLDER}/run.json", b"{}")))
    yield "a file above", zipped(entries(("../run.json", b"{}")))
    yield "a file above the folder", zipped(entries((f"{FOLDER}/../run.json", b"{}")))
    yield "an absolute name", zipped(entries((f"/{FOLDER}/replay", b"{}")))
    yield "backslashes", zipped(entries((f"{FOLDER}\\replay", b"{}")))
    yield "a link", zipped(entries(link(f"{FOLDER}/replay", "/etc/passwd")))
    yield (
        "a name cut by a zero byte",
        zipped(entries((f"{FOLDER}/replayXhidden", b""))).replace(b"yXhidden", b"y\0hidden"),
    )
    yield "another compression", zipped(entries(), zipfile.ZIP_BZIP2)
    yield "encrypted", encrypted(zipped(entries()))
    yield "very many files", zipped([(f"{FOLDER}/{k}", b"") for k in range(200)])


def encrypted(data):
    return re.sub(rb"(PK\x01\x02....)\x00\x00", lambda found: found[1] + b"\1\0", data, flags=re.DOTALL)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in hostile()])
def test_anything_but_the_files_of_one_run_is_refused_and_what_is_meant_is_said(data):
    with pytest.raises(BadInput, match=r"holds no exported run \(.*run\.json, weights, views, perhaps replay"):
        unpacked(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, b"no zip file at all" * 100, archive.pack(FOLDER, CONTENTS)[:-40]],
    ids=["empty", "two bytes", "an end", "text", "truncated"],
)
def test_what_is_no_zip_file_is_told(data):
    with pytest.raises(BadInput, match="no zip file, or a damaged one"):
        unpacked(data)


def test_a_file_above_the_bound_is_refused_unread():
    with pytest.raises(BadInput, match="too large"):
        unpacked(b"x" * 101, most=100)


def bomb(n_bytes, declared):
    """`n_bytes` zeros in an entry that declares another size."""
    data = zipped(entries((f"{FOLDER}/replay", bytes(n_bytes))))
    return data.replace(struct.pack("<I", n_bytes), struct.pack("<I", declared))


def test_a_bomb_is_refused_before_anything_is_unpacked(monkeypatch):
    one = bomb(50_000_000, 50_000_000)
    halves = [(f"{FOLDER}/{name}", bytes(60_000)) for name in ("replay", "weights")]
    together = zipped(entries(*halves, without=["weights"]))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: pytest.fail("it unpacked"))
    for data in (one, together):
        with pytest.raises(BadInput, match="unpacks to more than"):
            unpacked(data)


@pytest.mark.parametrize("declared", [0, 1, 90_000])
def test_a_bomb_that_declares_less_is_never_unpacked(declared):
    data = bomb(100_000_000, declared)
    assert len(data) < 1_000_000
    tracemalloc.start()
    with pytest.raises(BadInput, match="damaged"):
        unpacked(data, most=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_no_damage_is_worse_than_a_refusal():
    whole, rng = archive.pack(FOLDER, CONTENTS), random.Random(0)
    refused = 0
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 3, 10))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            assert unpacked(bytes(data)) == (FOLDER, CONTENTS)
        except BadInput:
            refused += 1
    assert refused > 1000
