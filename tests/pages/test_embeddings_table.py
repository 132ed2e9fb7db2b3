"""Embeddings of a table: its columns as colours, cells, differences of a selection and in the export."""

import csv
import io
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from core import datasets
from core.datasets.own import recipe, store
from core.experiments import fit
from core.runs import specs
from pages.ui.embeddings import selection
from pages.ui.shared.number_format import cell
from tests.pages.driver import opened_on
from tests.pages.linked_maps import choose, message, pictures, titles

HOSTILE = "<img src=x onerror=alert(1)> **b** $x$"


def make_file(n: int = 300, has_labels: bool = True) -> bytes:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, n)
    frame = pd.DataFrame(
        {
            "name": [f"item {k:04d} {HOSTILE}" for k in range(n)],
            "weight": rng.normal(50 + 20 * group, 5).round(2),
            "class": rng.normal(size=n).round(3),
            HOSTILE: rng.choice(["a", "b", "c"], n),
            "city": [f"city {k}" for k in np.minimum(rng.geometric(0.1, n), 40)],
            "made": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "colour": np.where(group == 1, "red", "blue"),
        }
    )
    frame.loc[rng.random(n) < 0.2, "class"] = np.nan
    return (frame if has_labels else frame.drop(columns=["colour"])).to_csv(index=False).encode()


def add(has_labels: bool = True) -> datasets.Dataset:
    content = make_file(has_labels=has_labels)
    brought = store.read_file(content, "items.csv")
    roles = {"name": "title", "city": "ignored", "class": "feature", "colour": "label"}
    columns = [
        column.__class__(**{**vars(column), "role": roles.get(column.name, "feature")}) for column in brought.columns
    ]
    dataset = datasets.load(
        store.add(content, "items.csv", brought.table, recipe.make_recipe(columns, brought.table.format))
    )
    fit.fit_and_store(specs.make(dataset.name, "pca", {"n_components": 2}), dataset)
    return dataset


@pytest.fixture
def table(no_shipped_runs):
    return add()


def opened(dataset, **query: str):
    return opened_on("pages/embeddings.py", **{"data": dataset.name, "split": "both", **query})


def read_frame(dataset) -> pd.DataFrame:
    return pd.concat([dataset.table.frame_train, dataset.table.frame_test], ignore_index=True)


def find_column(dataset, name: str) -> str:
    return f"column-{list(dataset.table.frame_test.columns).index(name)}"


def test_maps_are_coloured_by_any_column_and_hover_shows_the_cells(table):
    app = opened(table, colour=find_column(table, "city"))
    frame = read_frame(table)
    header, arrays = message(app)
    assert (len(arrays["rows"]), titles(app)) == (300, ["PCA 2-D"])
    names = header["ramp"]["categories"]
    counts = frame["city"].value_counts()
    assert len(names) == 11
    assert names[-1] == f"{len(counts) - 10} others"
    shown = np.array(names)[arrays["values"]]
    assert ((shown == frame["city"]) | (shown == names[-1])).all()
    header, arrays = message(opened(table, colour=find_column(table, "class")))
    assert (arrays["values"] == 255).sum() == frame["class"].isna().sum() > 0
    assert np.array_equal(arrays["exact"], frame["class"], equal_nan=True)
    header, arrays = message(opened(table, colour=find_column(table, "made")))
    assert header["ramp"]["low"] == f"{frame['made'].quantile(0.01).round('D'):%Y-%m-%d} or less"
    header, arrays = pictures(app)
    assert header["titles"][7] == frame["name"][7]
    cells = {about["name"]: (about, arrays[f"cells{k}"]) for k, about in enumerate(header["cells"])}
    assert list(cells) == ["weight", "class", HOSTILE, "made", "colour"]
    assert np.array_equal(cells["weight"][1], frame["weight"])
    assert np.array_equal(np.array(cells[HOSTILE][0]["categories"])[cells[HOSTILE][1]], frame[HOSTILE])


def test_selection_is_compared_with_the_others_and_exported(table, monkeypatch):
    offered = []
    monkeypatch.setattr(selection.st, "download_button", lambda label, data, *_, **__: offered.append((label, data)))
    app = opened(table)
    labels = message(app)[1]["labels"]
    chosen = np.flatnonzero(labels == 1)
    choose(app, chosen).expect(f"{len(chosen)} selected rows against the {300 - len(chosen)} others shown")
    body = app.body_with("Difference")
    rows = re.findall(r'<th scope="row">(.*?)</th>', body)
    assert [re.sub("<.*", "", row) for row in rows[:2]] == ["weight", "colour"]
    saved = list(csv.DictReader(io.StringIO(unescape(re.search('data-csv="([^"]*)"', body)[1]))))
    assert (saved[0]["Column"], saved[0]["significant"], float(saved[0]["p"]) < 1e-9) == ("weight", "True", True)
    assert float(saved[0]["Selected"]) == pytest.approx(read_frame(table)["weight"][chosen].mean())
    assert "<img src=x" not in app.read_html()
    app.expect("mean unexplained variance of the rows").lack("per image", "Mean image")
    label, write = offered[-1]
    assert label == "Download these rows as CSV"
    lines = list(csv.DictReader(io.StringIO(write().decode())))
    frame = read_frame(table).iloc[chosen]
    assert [line["class"] for line in lines] == ["" if x != x else str(x) for x in frame["class"]]
    assert [line["city"] for line in lines] == frame["city"].tolist()
    assert {line["class (Hourglass)"] for line in lines} == {table.target_names[1]}
    assert {"row", "split", "PCA 2-D x", "PCA 2-D y", "PCA 2-D reconstruction error"} <= set(lines[0])
    app.set_state("selected-rows").get("arrow_data_frame")
    choose(app, chosen[:1], turn=2).expect("nearest neighbours of", "1 selected row against")
    choose(app, np.arange(300), turn=3).expect("All rows shown are selected")


def test_table_without_labels_has_no_class(no_shipped_runs):
    dataset = add(has_labels=False)
    app = opened(dataset, colour="error")
    assert message(app)[0]["names"] == []
    choose(app, np.arange(0, 300, 2)).lack("Classes", "Confusion matrices").expect("What differs")
    assert "Nothing" in app.field("Colour by").options


def test_another_table_is_not_coloured_by_the_same_column(table):
    other = add(has_labels=False)
    app = opened(table, colour=find_column(table, "city"))
    app.fill("Data set", other.name)
    assert "ramp" not in message(app)[0]
    app.fill("Data set", table.name)
    assert message(app)[0]["ramp"]["label"] == "city"


def test_numbers_of_any_size_are_short():
    numbers = {
        0.0: "0.000",
        1.46e30: "1.46e30",
        -1.05e-9: "−1.05e−9",
        982_065_333.3: "982,100,000",
        0.0004: "0.0004",
        39910.9: "39,911",
    }
    assert {value: cell(value) for value in numbers} == numbers
