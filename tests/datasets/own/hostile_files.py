"""Hostile and damaged files, made when they are asked for: 500 and more."""

import gzip
import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather, parquet

from tests.datasets.own.table_files import FRAME, pack, save, to_files, workbook

_CSV = b"a,b,c\n1,2,x\n3,4,y\n5,6,z\n"


def damaged_files(n_cuts: int = 15, n_flips: int = 22) -> Iterator[tuple[str, bytes]]:
    """A valid file of each format, cut at several places, and with flipped bits."""
    rows = pd.concat([FRAME] * 10, ignore_index=True)
    for name, content in to_files(rows).items():
        chance = random.Random(name)
        for k in range(n_cuts):
            yield name, content[: len(content) * k // n_cuts]
        for k in range(n_flips):
            damaged = bytearray(content)
            for _ in range(1 + k):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            yield name, bytes(damaged)


def hostile_files(limit: int) -> dict[str, tuple[str, Callable[[], bytes]]]:
    """A file's name, and a function that makes it, by what is wrong; bombs are larger than `limit`, in bytes."""
    zeros = bytes(1_000_000)
    n = limit // len(zeros) + 2
    cell = b"x" * (limit // 4)
    dense = b"1,1\n" * (limit // 4 - 1)
    many = 100_000
    return {
        # Files that unpack to more than the limit.
        "gz bomb": ("a.csv.gz", lambda: gzip.compress(zeros) * n),
        "gz bomb of rows": ("a.csv.gz", lambda: gzip.compress(b"1,1\n" * 250_000) * n),
        "gz bomb in a gz file": ("a.csv.gz.gz", lambda: gzip.compress(gzip.compress(zeros) * n)),
        "gz file in gz files": ("a.gz", lambda: _repeat(gzip.compress, _CSV, 5)),
        "zip bomb": ("a.zip", lambda: _zip_of_zeros("a.csv", n)),
        "zip bomb that declares another size": ("a.zip", lambda: _declare_size(_zip_of_zeros("a.csv", n), n)),
        "zip file in zip files": ("a.zip", lambda: _repeat(lambda content: pack({"a.zip": content}), _CSV, 5)),
        "zip file of 100,000 files": ("a.zip", lambda: pack(dict.fromkeys(map(str, range(many)), ""))),
        "Excel bomb": ("a.xlsx", lambda: workbook({"A": "<row><c><v>1</v></c></row>" * (limit // 26)})),
        "Excel bomb of blanks": ("a.xlsx", lambda: workbook({"A": " " * (3 * limit)})),
        "Excel with a far cell": (
            "a.xlsx",
            lambda: workbook(
                {"A": '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'}
            ),
        ),
        "Excel with entities": ("a.xlsx", lambda: _with_entities(workbook({"A": "<row><c><v>&e9;</v></c></row>"}))),
        "Parquet with a billion rows declared": ("a.parquet", _parquet_with_rows_declared),
        "Parquet with a long text in each row": ("a.parquet", lambda: _parquet_of_texts(limit)),
        "Parquet of one value": ("a.parquet", lambda: _parquet_of_one_value(limit)),
        "Feather that unpacks": ("a.feather", lambda: _feather_of_zeros(limit)),
        "Feather of nothing": ("a.feather", lambda: _feather(pa.table({"a": pa.nulls(10**10)}))),
        "NPZ that unpacks": ("a.npz", lambda: pack({"X.npy": save(np.save, np.zeros((limit // 80 + 9, 10)))})),
        "NPY with a shape too large": ("a.npy", lambda: _npy("(1000000000000, 1000)")),
        "NPY with a shape below zero": ("a.npy", lambda: _npy("(-5, 3)")),
        "NPY with a shape of words": ("a.npy", lambda: _npy("('a', 3)")),
        "NPY with code in its header": ("a.npy", lambda: _npy("__import__('os').system('true')")),
        "NPY with brackets in its header": ("a.npy", lambda: _npy("(" * 5000 + ")" * 5000)),
        # Tables that are too large.
        "100,000 columns": ("a.csv", lambda: ",".join(f"c{k}" for k in range(many)).encode() + b"\n" + b"1," * many),
        "100,000 columns without a name": ("a.csv", lambda: (b"," * many + b"\n") * 3),
        "100,000 columns in JSON": ("a.jsonl", lambda: json.dumps({f"c{k}": k for k in range(many)}).encode()),
        "100,000 names in JSON": ("a.jsonl", lambda: "\n".join(f'{{"c{k}": 1}}' for k in range(many)).encode()),
        "100,000 columns in NPY": ("a.npy", lambda: save(np.save, np.zeros((2, many)))),
        "20,000 columns in Parquet": (
            "a.parquet",
            lambda: pd.DataFrame(np.zeros((1, 20_000))).rename(columns=str).to_parquet(),
        ),
        "one long cell": ("a.csv", lambda: b"a,b\n1," + cell + b"\n2,y\n3,z\n"),
        "one long cell in quotes": ("a.csv", lambda: b'a,b\n1,"' + cell.replace(b"xx", b"x\n") + b'"\n2,y\n3,z\n'),
        "one long cell and nothing else": ("a.csv", lambda: cell),
        "one long name": ("a.csv", lambda: cell + b",b\n1,2\n3,4\n"),
        "one long cell in JSON": ("a.json", lambda: b'[{"a": "' + cell + b'"}]'),
        "one long cell in Excel": (
            "a.xlsx",
            lambda: workbook({"A": f"<row><c t='str'><v>{cell.decode()}</v></c></row>"}),
        ),
        "a quote that is never closed": ("a.csv", lambda: b'a,b\n1,"' + b"x,y\n" * (limit // 8)),
        "small cells": ("a.csv", lambda: dense),
        "small cells in a wide table": ("a.csv", lambda: b"a" + b",a" * 9000 + b"\n" + b"1\n" * (limit // 3)),
        "small objects": ("a.json", lambda: b"[" + b"{}," * (limit // 4) + b"{}]"),
        "small lines": ("a.txt", lambda: b"\n" * (limit - 9) + b"a\n1\n"),
        "commas": ("a.csv", lambda: b"," * (limit - 9)),
        "quotes": ("a.csv", lambda: b'"' * (limit // 2)),
        "spaces": ("a.csv", lambda: b" " * (limit - 9)),
        "letters that take four bytes": ("a.csv", lambda: b"a;b\n" + "😀;1\n".encode() * (limit // 8)),
        "long rows": ("a.csv", lambda: b"a,b\n" + b"1,2\n3,4\n5,6,7\n" * (limit // 100)),
        # Files that are no tables.
        "nothing": ("a.csv", lambda: b""),
        "one sign": ("a.csv", lambda: b"a"),
        "line ends": ("a.csv", lambda: b"\r\n\r\n"),
        "a byte order mark": ("a.csv", lambda: b"\xef\xbb\xbf"),
        "half a UTF-16 sign": ("a.csv", lambda: "a,b\n1,2\n".encode("utf-16") + b"\x00"),
        "zeros": ("a.csv", lambda: zeros),
        "chance": ("a.csv", lambda: random.Random(0).randbytes(100_000)),
        "a program": ("a.csv", lambda: b"\x7fELF\x02\x01\x01" + random.Random(1).randbytes(9000)),
        "a picture": ("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(9000)),
        "a PDF": ("a.csv", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + random.Random(3).randbytes(9000)),
        "a database": ("a.csv", lambda: b"SQLite format 3\x00" + bytes(5000)),
        "a web page": ("a.xls", lambda: b"<html><table><tr><td>1</td></tr></table></html>"),
        "a name": ("a.csv", lambda: b"a,b,c\n"),
        **{
            f"only the first bytes of {name}": (name, lambda magic=magic, size=size: magic + bytes(size))
            for name, magic in {
                "a.parquet": b"PAR1",
                "a.feather": b"ARROW1\x00\x00",
                "old.feather": b"FEA1",
                "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                "a.zip": b"PK\x03\x04",
                "a.gz": b"\x1f\x8b\x08",
                "a.npy": b"\x93NUMPY",
            }.items()
            for size in (0, 500)
        },
        # What other programs would run, open or show.
        "pickled NPY": ("a.npy", lambda: save(np.save, np.array([{"a": 1}], object), allow_pickle=True)),
        "pickled NPZ": ("a.npz", lambda: save(np.savez, X=np.array([[print]], object), allow_pickle=True)),
        "a pickle": ("a.npy", lambda: pickle.dumps({"a": [1, 2]})),
        "formulas": ("a.csv", lambda: b'a,b\n=1+1,1\n"=HYPERLINK(""http://x"")",2\n@SUM(A1),3\n+cmd|x,4\n'),
        "HTML": ("a.csv", lambda: b"<script>alert(1)</script>,b\n<img src=x onerror=alert(1)>,1\n</td>,2\n<b>,3\n"),
        "paths in a zip file": (
            "a.zip",
            lambda: pack({"../../etc/passwd.csv": _CSV, "/tmp/x.csv": _CSV, "C:\\x.csv": _CSV}),
        ),
        "an encrypted zip file": ("a.zip", lambda: _encrypt(pack({"a.csv": _CSV}))),
        "an empty zip file": ("a.zip", lambda: pack({"folder/": b""})),
        "zeros in text": ("a.csv", lambda: b"a,b\x00b,c\n1,\x002,x\n3,4,y\n5,6\x00,z\n"),
        "control signs": ("a.csv", lambda: b"a\x1b[31m,b\n1,\x072\n3,4\n" + b"5,6\n" * 50),
        "signs written from right to left": ("a.csv", lambda: "a,b\n\u202e1,x\u202d\n\u200b2,y\n".encode()),
        "half a surrogate in JSON": ("a.jsonl", lambda: b'{"a": "\\ud800", "\\udfff": 1}\n'),
        "a deep list": ("a.json", lambda: b"[" * many),
        "a deep object": ("a.json", lambda: b'{"a":' * many + b"1" + b"}" * many),
        "deep cells": ("a.jsonl", lambda: b'{"a":' + b"[" * 900 + b"]" * 900 + b"}\n"),
        "a number of 10,000 digits": ("a.jsonl", lambda: b'{"a": ' + b"9" * 10_000 + b"}\n"),
        "a number of 10,000 digits in text": ("a.csv", lambda: b"a,b\n" + b"9" * 10_000 + b",1\n2,3\n4,5\n"),
        "numbers beyond floats": ("a.csv", lambda: b"a,b\n1e999,1\n-1e999,2\n1e-999,3\n"),
        "mixed types in JSON": ("a.jsonl", lambda: b'{"a": 1}\n{"a": "x"}\n{"a": [1]}\n{"a": null}\n{"a": {"b": 2}}\n'),
        "JSON of numbers": ("a.json", lambda: b"[1, 2, 3]"),
        "years far away": ("a.csv", lambda: b"day,b\n9999-12-31,1\n0001-01-01,2\n2024-02-30,3\n"),
        "years far away in Parquet": (
            "a.parquet",
            lambda: _parquet(pa.table({"a": pa.array([2**62], pa.timestamp("us"))})),
        ),
        "lists in Parquet": ("a.parquet", lambda: _parquet(pa.table({"a": [[1]], "b": [{"c": 1}], "d": [b"\xff"]}))),
        "ARFF without data": ("a.arff", lambda: b"@relation x\n@attribute a numeric\n"),
        "ARFF with other cells": ("a.arff", lambda: b"@relation x\n@attribute a numeric\n@data\n1,2\n3,4\n"),
        "ARFF with sparse rows": ("a.arff", lambda: b"@relation x\n@attribute a numeric\n@data\n{0 1}\n"),
        "ARFF with a long name": (
            "a.arff",
            lambda: b"@relation x\n@attribute '" + b"\\" * many + b" numeric\n@data\n1\n",
        ),
        "ARFF of blanks": ("a.arff", lambda: b" \n%" * many),
    }


def _repeat(function, content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = function(content)
    return content


def _zip_of_zeros(name: str, n_megabytes: int) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(n_megabytes):
            member.write(bytes(1_000_000))
    return file.getvalue()


def _declare_size(content: bytes, n_megabytes: int) -> bytes:
    return content.replace(struct.pack("<L", n_megabytes * 1_000_000), struct.pack("<L", 1000))


def _encrypt(content: bytes) -> bytes:
    """Set the flag of encryption in both headers of the only member."""
    content = bytearray(content)
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _with_entities(content: bytes) -> bytes:
    """Each of ten entities stands for ten of the one before."""
    entities = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10 if k else "x"}">' for k in range(10))
    source = zipfile.ZipFile(io.BytesIO(content))
    files = {name: source.read(name) for name in source.namelist()}
    sheet = "xl/worksheets/s1.xml"
    return pack(files | {sheet: f"<!DOCTYPE x [{entities}]>".encode() + files[sheet]})


def _parquet(table: pa.Table, **options) -> bytes:
    return save(lambda file: parquet.write_table(table, file, **options))


def _feather(table: pa.Table, **options) -> bytes:
    return save(lambda file: feather.write_feather(table, file, **options))


def _varint(number: int) -> bytes:
    """A number above 0 as Thrift's compact protocol writes it."""
    number, signs = 2 * number, []
    while number > 127:
        signs.append(number % 128 + 128)
        number //= 128
    return bytes([*signs, number])


def _parquet_with_rows_declared() -> bytes:
    content = _parquet(pa.table({"a": np.zeros(54_321)}))
    size = struct.unpack("<L", content[-8:-4])[0]
    footer = content[-8 - size : -8].replace(_varint(54_321), _varint(10**9))
    return content[: -8 - size] + footer + struct.pack("<L", len(footer)) + b"PAR1"


def _parquet_of_texts(limit: int) -> bytes:
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50_000, np.int32)), pa.array(["x" * (limit // 10_000)]))
    return _parquet(pa.table({"a": texts}))


def _parquet_of_one_value(limit: int) -> bytes:
    return _parquet(pa.table({"a": np.ones(limit // 7)}), row_group_size=limit)


def _feather_of_zeros(limit: int) -> bytes:
    return _feather(pa.table({f"c{k}": np.zeros(limit // 25) for k in range(4)}), compression="zstd")


def _npy(shape: str) -> bytes:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header + b"\n" + bytes(240)
