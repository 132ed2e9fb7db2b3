"""Reading tables: guesses on awkward text files, every format, and hostile files."""

import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets.own import cells, readers
from core.datasets.own.text_formats import TextFormat
from core.errors import BadInput
from tests.datasets.own.awkward_files import CASES, DATE, NUMBER
from tests.datasets.own.hostile_files import damaged_files, hostile_files
from tests.datasets.own.table_files import FRAME, pack, to_files, to_sheet, workbook

LIMIT = 4_000_000
# Files of these formats are read in another process, which takes a third of a second: a few stand for all.
_APART = ("xlsx", "xls", "parquet", "feather", "json", "jsonl")
_WORST = ("Excel with a far cell", "Parquet with a long text in each row", "Feather that unpacks", "small objects")


def _wrong_guesses(case) -> list[str]:
    table = readers.read_table(case.content, "file.csv")
    form, frame = table.format, table.frame
    kinds = {name: cells.guess_kind(frame[name], form.decimal, name) for name in frame}
    first = []
    for name, cell in frame.iloc[0].items():
        column = frame[name][~cells.is_missing(frame[name])]
        if kinds[name] == NUMBER:
            cell = cells.to_numbers(column, form.decimal).iloc[0]
        if kinds[name] == DATE:
            cell = cells.to_dates(column, name).iloc[0].date()
        first.append(cell.strip() if isinstance(cell, str) else cell)
    pairs = {
        "delimiter": (form.delimiter, case.delimiter),
        "text": (case.content.decode(form.encoding), case.content.decode(case.encoding)),
        "header": (form.has_header, case.has_header),
        "decimal": (form.decimal, case.decimal),
        "columns": (kinds, case.columns),
        "rows": (len(frame), case.n_rows),
        "first row": (tuple(first) if case.first else (), case.first),
    }
    return [f"{name}: {found!r}, not {expected!r}" for name, (found, expected) in pairs.items() if found != expected]


def test_awkward_text_files_are_guessed_right():
    wrong = {case.name: found for case in CASES if (found := _wrong_guesses(case))}
    assert not wrong, "\n".join(f"{name}: {'; '.join(found)}" for name, found in wrong.items())


def test_every_format_holds_the_same_table():
    for name, content in to_files(FRAME).items():
        frame = readers.read_table(content, name).frame
        for column in frame:
            values = frame[column]
            expected = FRAME["size" if column == "column_1" else "count" if column == "column_2" else column]
            if expected.dtype.kind in "if" and values.dtype == "str":
                values = cells.to_numbers(values, ".")
            if expected.dtype.kind == "M" and values.dtype == "str":
                values = cells.to_dates(values)
            np.testing.assert_array_equal(values.to_numpy(), expected.to_numpy(), f"{name}: {column}")
        assert len(frame.columns) == {"table.npy": 2, "table.npz": 3}.get(name, 4), name


def test_a_part_is_chosen():
    csv = {"a.csv": "x\n1\n", "b.csv": "y\n2\n"}
    sheets = {"A": to_sheet(FRAME), "B": to_sheet(FRAME[["city"]])}
    arrays = to_files(FRAME)["table.npz"]
    for content, name, parts, part, n_columns in (
        (pack(csv), "a.zip", ("a.csv", "b.csv"), "b.csv", 1),
        (workbook(sheets), "a.xlsx", ("A", "B"), "B", 1),
        (arrays, "a.npz", ("X",), "X", 3),
    ):
        table = readers.read_table(content, name, part=part)
        assert (table.parts, table.part, table.frame.shape[1]) == (parts, part, n_columns)


def test_every_guess_can_be_changed():
    content = "# note\n1;'a;b';2,5\n3;c;4,5\n".encode("utf-16")
    form = TextFormat("utf-16", ";", "'", "", 1, False, ",")
    table = readers.read_table(content, "a.csv", form)
    assert (table.format, table.frame.to_numpy().tolist()) == (form, [["1", "a;b", "2,5"], ["3", "c", "4,5"]])
    names = list(readers.read_table(content, "a.csv", replace(form, has_header=True)).frame)
    assert names == ["1", "a;b", "2,5"]
    for change in (
        {"encoding": "utf-9"},
        {"encoding": "utf-8"},
        {"delimiter": ""},
        {"delimiter": ";;"},
        {"quote": ";"},
        {"escape": "\n"},
        {"n_skipped": -1},
        {"decimal": "'"},
    ):
        with pytest.raises(BadInput):
            readers.read_table(content, "a.csv", replace(form, **change))


def test_types_of_parquet_are_kept_or_converted(tmp_path):
    frame = pd.DataFrame(
        {
            "truth": [True, False],
            "category": pd.Categorical(["a", None]),
            "zoned": pd.to_datetime(["2024-01-31T12:00+02:00", None]),
            "list": [[1], [2]],
            "struct": [{"x": 1}, {"x": 2}],
        },
        index=pd.Index(["r", "s"], name="row"),
    )
    table = readers.read_table(frame.to_parquet(), "a.parquet")
    assert list(table.frame) == ["truth", "category", "zoned", "struct.x", "row"]
    assert [kind.kind for kind in table.frame.dtypes] == list("bOMiO")
    assert table.frame["zoned"][0] == pd.Timestamp("2024-01-31 10:00")
    assert len(table.notes) == 1


def test_json_by_columns_and_in_an_object():
    frame = FRAME[["count", "city"]]
    for content in (frame.to_json(), '{"n": 4, "data": ' + frame.to_json(orient="records") + "}"):
        pd.testing.assert_frame_equal(readers.read_table(content.encode(), "a.json").frame, frame)


def _read(content: bytes, name: str) -> None:
    """Read a file, or be refused in one sentence."""
    try:
        readers.read_table(content, name)
    except BadInput as problem:
        sentence = str(problem)
        assert ("\n" in sentence, len(sentence) < 500, sentence[-1]) == (False, True, "."), sentence


def test_hostile_files_are_read_or_refused(monkeypatch):
    monkeypatch.setenv("HOURGLASS_UPLOAD_MB", str(LIMIT / 1e6))
    for label, (name, make) in hostile_files(LIMIT).items():
        if label in _WORST or not name.endswith(_APART):
            _read(make(), name)


def test_damaged_files_are_read_or_refused():
    files = list(damaged_files())
    assert len(files) + len(hostile_files(LIMIT)) > 500
    here = [file for file in files if not file[0].endswith(_APART)]
    apart = [file for file in files if file[0].endswith(_APART)]
    for name, content in here[::8] + apart[10::46]:
        _read(content, name)


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.sampled_from("a1.,;\t|\"'\\\n\r -#%é\x00\ufeff0"), max_size=80),
    st.sampled_from(("utf-8", "utf-16", "cp1252")),
)
def test_any_text_is_read_or_refused(text, encoding):
    content = text.encode(encoding, "ignore")
    for packed in (content, gzip.compress(content)):
        _read(packed, "a.csv")
