import contextlib
import datetime
import decimal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets

from core.datasets.own import checks, columns, readers
from core.datasets.own.roles import describe_columns
from core.errors import BadInput

N = 1000


@pytest.fixture
def faulty():
    """A table with each fault planted, and its test rows."""
    random = np.random.default_rng(0)
    split = np.arange(N) >= 800
    number = lambda scale=1: [f"{value:.6f}" for value in random.normal(0, scale, N)]
    label = random.choice(["sick", "well"], N, p=[0.004, 0.996]).astype(object)
    label[:8], label[8:] = "sick", "well"
    cells = {
        "patient_id": [f"p{k:05d}" for k in range(N)],
        "x": number(),
        "income": number(5000),
        "age": number(),
        "gap": number(),
        "sex": random.choice(["f", "m"], N).astype(object),
        "answer": random.choice(["Yes", "no"], N).astype(object),
        "town": random.choice([f"town {chr(65 + k)}" for k in range(25)], N).astype(object),
        "site": ["A"] * N,
        "empty": [""] * N,
    }
    frame = pd.DataFrame(cells, dtype=object)
    frame["treated"] = np.where(label == "sick", "1", "0")  # equals the label
    frame["drug"] = np.where(label == "sick", random.choice(["a", "b"], N), random.choice(["c", "d", "e"], N))
    frame["label"] = label
    frame.loc[20:30, "age"] = "unknown"  # 11
    frame.loc[40:42, "age"] = ["inf", "-inf", "Infinity"]
    frame.loc[100:699, "gap"] = "NA"
    frame.loc[frame.index[frame["answer"] == "Yes"][:7], "answer"] = "YES"
    frame.loc[50:54, "label"] = ""  # 5
    frame.loc[60, "label"] = "dead"
    features = [name for name in frame if name != "patient_id"]
    frame.loc[900:905, features] = frame.loc[200:205, features].to_numpy()  # copies across the split
    frame.loc[300:303, features] = frame.loc[200:203, features].to_numpy()  # copies in the train rows
    return readers.Table(frame.astype("str"), notes=("3 rows have more than 13 cells and are left out.",)), split


def test_planted_faults(faulty):
    table, split = faulty
    described = describe_columns(table)
    found = checks.find_problems(table, described, split)
    assert [(finding.kind, finding.columns, finding.count) for finding in found] == [
        ("unparsed", (), 3),
        ("duplicates", (), 10),
        ("split_duplicates", (), 6),
        ("unlabelled", ("label",), 5),
        ("small_classes", ("label",), 1),
        ("imbalance", ("label",), int((table.frame["label"] == "well").sum())),
        ("leak", ("treated",), 1),
        ("leak", ("drug",), 1),
        ("constant", ("site", "empty"), 2),
        ("identifier", ("patient_id",), 1),
        ("stray", ("age",), 11),
        ("infinite", ("age",), 3),
        ("spellings", ("answer",), int((table.frame["answer"] == "YES").sum())),
        ("missing", ("gap",), 1),
        ("many_categories", ("town",), 1),
        ("scales", ("gap", "income"), 4),
    ]
    assert next(finding.text for finding in found if finding.kind == "stray") == (
        "11 cells of “age” can't be read as a number or date, such as “unknown”. Such cells count as missing."
    )


def test_split_column_is_the_split(faulty):
    table, split = faulty
    table.frame["split"] = np.where(split, "Test", "train")
    found = checks.find_problems(table, describe_columns(table))
    assert ("split_duplicates", 6) in [(finding.kind, finding.count) for finding in found]


def _find(roles=None, **cells):
    table = readers.Table(pd.DataFrame(cells))
    described = [
        replace(column, role=(roles or {}).get(column.name, column.role)) for column in describe_columns(table)
    ]
    return {finding.kind: finding for finding in checks.find_problems(table, described)}


def test_real_tables():
    found = {}
    for name in ("iris", "wine", "breast_cancer", "diabetes", "digits"):
        table = readers.Table(getattr(datasets, f"load_{name}")(as_frame=True).frame)
        problems = checks.find_problems(table, describe_columns(table))
        found[name] = {problem.kind: (problem.count, problem.columns) for problem in problems}
    constant = ("pixel_0_0", "pixel_4_0", "pixel_4_7")
    assert found["iris"] == {"duplicates": (1, ())}
    assert found["wine"] == {"scales": (13, ("nonflavanoid_phenols", "proline"))}
    assert found["breast_cancer"] == {"scales": (30, ("fractal dimension error", "worst area"))}
    assert found["diabetes"] == {"number_label": (214, ("target",))}
    assert {kind: found["digits"].get(kind) for kind in ("constant", "leak", "duplicates")} == {
        "constant": (3, constant),
        "leak": None,
        "duplicates": None,
    }


def test_labels():
    x = np.arange(60) * 0.37
    target = {"target": "label"}
    assert _find(target, x=x, target=x**2)["number_label"].count == 60
    assert _find(target, x=x, target=pd.date_range("2024-01-01", periods=60))["number_label"].count == 60
    assert "number_label" not in _find(x=x, target=[0.0, 1, 2] * 20)
    assert _find(x=x, target=[0] * 60, y=["a"] * 60, roles=target)["imbalance"].count == 60
    spelled = _find(x=x, target=["1", "1.0", "2", "1", "2"] * 12)["spellings"]
    assert (spelled.columns, spelled.count) == (("target",), 12)


def test_leaks_by_ranges_and_by_chance():
    random = np.random.default_rng(0)
    label = np.repeat(["a", "b", "c"], 30)
    ranges = np.repeat([5.0, -5, 20], 30) + random.uniform(-1, 1, 90)
    codes = np.repeat([3, 1, 2], 30)
    partly = np.where(label == "a", 0, random.integers(1, 3, 90))
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(ranges, unit="D")
    cells = {"ranges": ranges, "codes": codes, "partly": partly, "dates": dates, "target": label}
    table = readers.Table(pd.DataFrame(cells))
    found = checks.find_problems(table, describe_columns(table))
    assert [finding.columns for finding in found if finding.kind == "leak"] == [("codes",), ("ranges", "dates")]


def test_infinities_and_ids_of_typed_columns():
    found = _find({"id": "feature"}, x=[1.0, 2, np.inf, -np.inf, np.nan] * 12, id=range(60), y=["a", "b"] * 30)
    assert (found["infinite"].count, found["identifier"].columns, "stray" in found) == (24, ("id",), False)
    assert found["few_rows"].count == 60


def test_tables_that_can_be_no_data_set():
    x = [k * 0.5 for k in range(20)]
    with pytest.raises(BadInput, match="11 rows"):
        _find(x=x[:11])
    with pytest.raises(BadInput, match="No column is a feature"):
        _find(x=[1] * 20, name=[f"Ann {'a' * k}" for k in range(20)])
    for role in ("label", "split", "id", "group"):
        with pytest.raises(BadInput, match=f"“a” and “b” have the role {role}"):
            _find({"a": role, "b": role}, x=x, a=["u", "v"] * 10, b=["u", "v"] * 10)


CELLS = (
    *(
        "1",
        "1.0",
        "",
        "NA",
        "inf",
        "1e999",
        "-1e308",
        "1e-320",
        "9" * 400,
        "0001",
        "(5)",
        "5%",
        "1,234.5",
        "Yes",
        "yes ",
    ),
    *(
        "2024-02-30",
        "31.12.2023",
        "9999-12-31",
        "0001-01-01",
        "12:30",
        "Jan 2024",
        "train",
        "Test",
        "\x00",
        "ß",
        "ẞ",
        "İ",
    ),
    *(
        None,
        2.5,
        np.inf,
        True,
        10**400,
        b"\xff",
        [1],
        {},
        1j,
        pd.NaT,
        datetime.date(9999, 1, 1),
        decimal.Decimal("NaN"),
    ),
)


@given(
    st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(columns.TYPES), st.sampled_from(columns.ROLES)), min_size=4, max_size=4),
    st.sampled_from((1, 12, 40)),
)
@settings(max_examples=100)
def test_any_cells(pools, chosen, n):
    names = ("id", "label", "date", "split")
    cells = {
        name: pd.Series((pool * n)[:n], dtype="str" if all(isinstance(cell, str) for cell in pool) else object)
        for name, pool in zip(names, pools, strict=False)
    }
    table = readers.Table(pd.DataFrame(cells))
    described = describe_columns(table)
    changed = [
        replace(columns.describe_column(table.frame[column.name], type=type), role=role)
        for column, (type, role) in zip(described, chosen, strict=False)
    ]
    for choice in (described, changed):
        with contextlib.suppress(BadInput):
            for finding in checks.find_problems(table, choice, np.arange(n) % 3 == 0):
                assert 0 < finding.count <= max(n * len(choice), 3)


def test_equal_rows_of_categories_are_no_copies():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({name: random.choice(list("uvw"), 60) for name in ("a", "b", "label")}).astype("str")
    table = readers.Table(frame)
    assert "duplicates" not in [found.kind for found in checks.find_problems(table, describe_columns(table))]
