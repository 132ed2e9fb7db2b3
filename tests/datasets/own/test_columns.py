import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from core.datasets.own import columns, readers
from core.datasets.own.columns import CATEGORY, CONSTANT, DATE, IDENTIFIER, NUMBER, TEXT
from core.datasets.own.roles import describe_columns
from tests.datasets.own import awkward_files

KINDS = {"number": {NUMBER, IDENTIFIER}, "date": {DATE}, "text": {CATEGORY, TEXT, IDENTIFIER, CONSTANT}}


def _describe(**cells):
    table = readers.Table(pd.DataFrame(cells))
    return {column.name: column for column in describe_columns(table)}


@pytest.mark.parametrize(
    ("name", "n_constant"), [("iris", 0), ("wine", 0), ("breast_cancer", 0), ("diabetes", 0), ("digits", 3)]
)
def test_scikit_learns_tables(name, n_constant):
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    table = readers.read_table(bunch.frame.to_csv(index=False).encode(), f"{name}.csv")
    *features, target = describe_columns(table)
    types = [column.type for column in features]
    assert types.count(CONSTANT) == n_constant
    assert types.count(NUMBER) == bunch.data.shape[1] - n_constant
    assert all(column.role == ("ignored" if column.type == CONSTANT else "feature") for column in features)
    is_classified = name != "diabetes"
    assert (target.type, target.role) == ((CATEGORY, "label") if is_classified else (NUMBER, "ignored"))
    assert target.n_distinct == bunch.target.nunique()
    if is_classified:
        assert dict(zip(target.labels, target.counts, strict=True)) == {
            str(value): count for value, count in bunch.target.value_counts().items()
        }
    for column, feature in zip(features, bunch.data, strict=True):
        np.testing.assert_array_equal(columns.to_values(table.frame[column.name], NUMBER), bunch.data[feature])


def test_awkward_files():
    wrong = []
    for case in awkward_files.CASES:
        table = readers.read_table(case.content, f"{case.name}.csv")
        for column in describe_columns(table):
            expected = case.columns[column.name]
            if column.type not in KINDS[expected]:
                wrong.append((case.name, column))
            if expected == "date" and case.first and isinstance(case.first[0], datetime.date):
                assert columns.to_values(table.frame[column.name], DATE)[0].date() == case.first[0]
    assert not wrong


def test_roles():
    n = 60
    numbers = np.random.default_rng(0).normal(size=n).astype(str)
    found = _describe(
        PassengerId=[str(7 * k) for k in range(n)],
        Name=[f"Ann {chr(65 + k % 26)}{chr(65 + k // 26)}" for k in range(n)],
        user_id=[str(k // 2) for k in range(n)],
        subject=[str(k % 6) for k in range(n)],
        store_id=[str(k % 3) for k in range(n)],
        species=["a", "b", "c"] * 20,
        survived=["0", "1"] * 30,
        day=[f"2024-01-{1 + k % 30:02d}" for k in range(n)],
        comment=[f"{'word ' * 12}{k}" for k in range(n)],
        code=[f"0{k}17" for k in range(n)],
        split=["train", "train", "Test"] * 20,
        x=numbers,
        same=["5"] * n,
        empty=["NA"] * n,
    )
    assert {name: (column.type, column.role) for name, column in found.items()} == {
        "PassengerId": (IDENTIFIER, "id"),
        "Name": (TEXT, "title"),
        "user_id": (IDENTIFIER, "group"),
        "subject": (IDENTIFIER, "ignored"),  # only one column is the group
        "store_id": (NUMBER, "feature"),
        "species": (CATEGORY, "feature"),
        "survived": (CATEGORY, "label"),
        "day": (DATE, "feature"),
        "comment": (TEXT, "ignored"),
        "code": (IDENTIFIER, "ignored"),
        "split": (CATEGORY, "split"),
        "x": (NUMBER, "feature"),
        "same": (CONSTANT, "ignored"),
        "empty": (CONSTANT, "ignored"),
    }
    assert found["empty"].n_missing == n
    assert sum(found["x"].counts) == n
    assert len(found["x"].counts) == len(found["x"].labels) - 1 == 12


def test_last_category_is_the_label():
    found = _describe(a=["x", "y", "z"] * 20, b=["no", "yes"] * 30, c=[str(k / 7) for k in range(60)])
    assert [column.role for column in found.values()] == ["feature", "label", "feature"]


def test_numbers_of_rows_in_any_order():
    numbers = np.random.default_rng(0).permutation(60)
    assert [column.role for column in _describe(column_1=numbers, x=numbers / 7).values()] == ["id", "feature"]
    assert [column.role for column in _describe(column_1=numbers, column_2=numbers).values()] == ["feature", "feature"]
    found = _describe(**{"x": numbers, "Unnamed: 0": numbers, "y": numbers})
    assert [column.role for column in found.values()] == ["feature", "id", "feature"]


def test_typed_columns():
    day = pd.Timestamp("2024-03-01 12:00")
    found = _describe(
        whole=pd.array([1, 2, None, 4] * 5, "Int64"),
        real=np.array([1.5, np.inf, np.nan, -np.inf] * 5),
        truth=[True, False] * 10,
        nullable=pd.array([True, None] * 10, "boolean"),
        nullable_two=np.array([True, None, False, True] * 5),
        day=[day + pd.Timedelta(days=k) for k in range(20)],
        zoned=pd.date_range("2024-01-01", periods=20, tz="Europe/Berlin"),
        old=np.array(["1066-10-14", "2020-01-01", "2021-01-01", "NaT"] * 5, "datetime64[us]"),
        python=[datetime.date(2024, 1, 1 + k) for k in range(20)],
        mixed=[datetime.datetime(2024, 1, 2), datetime.date(2024, 1, 1), "", None] * 5,
        kind=pd.Categorical(["a", "b", None, "c"] * 5),
        code=pd.Categorical([1, 2] * 10),
        price=[decimal.Decimal(k) / 4 for k in range(20)],
        sheet=[1.0, 2.5, "", 4.0] * 5,
        stray=[1.0, 2.5, 7, 8, 9, 5, 4, 3, 2, "unknown"] * 2,
        huge=[10**400, 1] * 10,
        lists=[[k, k] for k in range(20)],
        dicts=[{"a": k} for k in range(20)],
        raw=[bytes([k, 255]) for k in range(20)],
        wave=np.arange(20) * 1j,
        time=[datetime.time(k) for k in range(20)],
    )
    numbers, dates = ("whole", "real", "price", "sheet", "stray", "code"), ("day", "zoned", "old", "python", "mixed")
    assert {name for name, column in found.items() if column.type == NUMBER} == {*numbers} - {"real"}
    assert found["real"].type == CONSTANT  # 1.5 and infinities
    assert {name for name, column in found.items() if column.type == DATE} == {*dates}
    assert {found[name].type for name in ("truth", "nullable_two", "kind")} == {CATEGORY}
    assert {found[name].role for name in ("lists", "dicts", "raw")} <= {"ignored", "id", "title"}
    assert (found["real"].n_missing, found["real"].n_stray) == (5, 10)
    assert (found["old"].n_missing, found["old"].n_stray) == (5, 5)
    assert (found["stray"].n_missing, found["stray"].n_stray) == (0, 2)
    assert found["sheet"].n_missing == 5


def test_values():
    cells = pd.Series([" 1 ", "1.0", "2", "inf", "x", "NA", "1"], dtype="str", index=range(3, 10))
    numbers = columns.to_values(cells, NUMBER)
    np.testing.assert_array_equal(numbers, [1, 1, 2, np.nan, np.nan, np.nan, 1])
    assert list(numbers.index) == list(cells.index)
    assert list(columns.to_values(cells, CATEGORY)) == ["1", "1", "2", "inf", "x", None, "1"]
    assert list(columns.to_values(cells, TEXT)) == ["1", "1.0", "2", "inf", "x", None, "1"]
    spellings = pd.Series(["Yes", "yes ", "no", "Yes", "true", "?", "N"])
    assert list(columns.to_values(spellings, CATEGORY)) == ["Yes", "Yes", "no", "Yes", "Yes", None, "no"]
    dates = columns.to_values(pd.Series(["31.01.2024", "unknown", "1.2.2024", ""]), DATE)
    assert dates.dtype == "datetime64[ns]"
    assert list(dates.dt.month.fillna(0)) == [1, 0, 2, 0]
    assert list(columns.to_values(pd.Series(["1.234,5", "3", "-"]), NUMBER, ",").fillna(0)) == [1234.5, 3, 0]
    assert list(columns.to_values(pd.Series([1.0, 2.5, np.nan]), CATEGORY)) == ["1", "2.5", None]


@pytest.mark.parametrize("form", columns.TYPES)
@pytest.mark.parametrize(
    "column",
    [
        pd.Series([], dtype="str"),
        pd.Series([None, None], dtype=object),
        pd.Series([np.nan, np.inf]),
        pd.Series([pd.NaT, pd.Timestamp("2024-01-01")]),
        pd.Series([[1], {"a": 2}, b"\xff", 10**400, "\ud800"[:0]], dtype=object),
        pd.Series(["<b>", "a" * 100_000, "1e999"], dtype="str"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_any_type_is_possible(column, form):
    described = columns.describe_column(column, type=form)
    values = columns.to_values(column, form)
    assert len(values) == len(column)
    assert described.n_distinct == values.nunique()
    assert values.dtype == {NUMBER: "float64", DATE: "datetime64[ns]"}.get(form, object)
