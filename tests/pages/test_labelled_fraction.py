"""Labelled fraction: curve, readouts, inspected results, experiments and links."""

import json
from unittest.mock import Mock

import numpy as np
import pytest
import streamlit as st

from core import config, datasets, semi_supervised
from core.datasets import checksums
from core.errors import HourglassError
from core.runs import layout
from core.semi_supervised import background_sweep, experiment, results, statistics, sweep
from pages.ui.shared import cached, page_state
from tests.pages.conftest import HOSTILE, hostile_documents
from tests.pages.driver import opened_on
from tests.semi_supervised.test_tables import add_table, make_frame

pytestmark = pytest.mark.usefixtures("read_whole")

PAGE = "pages/labelled_fraction.py"
METHODS, LABELS, SEEDS = ("logistic", "pca", "spreading"), (20, 100), (0, 1, 2)
ALL, PILLS = ".".join(METHODS), "Approaches to measure"


@pytest.fixture(scope="session")
def measured(tmp_path_factory, user_cache):
    """Three approaches on digits, at two numbers of labels, over three seeds."""
    place = tmp_path_factory.mktemp("measured")
    sweep.run_sweep(experiment.list_cells("digits", METHODS, LABELS, SEEDS), place=place)
    return results.read_results("digits", (place,)).rows


@pytest.fixture(autouse=True)
def own(monkeypatch, tmp_path, own_cache):
    """Nothing is shipped, and what sweeps compute beside the app is in folders of the test's own."""
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "none")
    monkeypatch.setattr(checksums, "READ", {})
    st.cache_resource.clear()
    cached.load_dataset.clear()
    yield
    st.cache_resource.clear()
    cached.load_dataset.clear()


def keep(rows, dataset: str = "digits", more: str = "") -> None:
    """Have these rows kept as this person's own."""
    file = results.results_path(dataset)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + more)


def page(**query: str):
    return opened_on(PAGE, **{"data": "digits", **query})


def curve(app) -> dict[str, dict]:
    """Approach -> the line through its means."""
    lines = [trace for trace in app.charts()[0]["data"] if trace["mode"] == "lines+markers"]
    return {trace["legendgroup"]: trace for trace in lines}


def test_curve_has_means_and_every_seed(measured):
    keep(measured)
    app = page(methods=ALL)
    lines = curve(app)
    assert set(lines) == set(METHODS)
    for method in METHODS:
        errors = [[r["error"] for r in measured if (r["method"], r["labels"]) == (method, n)] for n in LABELS]
        assert lines[method]["y"] == pytest.approx(list(100 * np.mean(errors, axis=1)))
    dots = [t for t in app.charts()[0]["data"] if t["mode"] == "markers" and t["legendgroup"] == "pca"]
    assert len(dots[0]["y"]) == len(LABELS) * len(SEEDS)
    app.get("button_group")[0].set_value(["pca"]).run()
    assert (set(curve(app)), app.query()["methods"]) == ({"pca"}, "pca")
    app.get("button_group")[0].set_value([]).run().expect("No approach is selected")


def test_link_with_unknown_choices_is_refused(measured):
    keep(measured)
    page(methods="pca.magic", at="7", part="nothing").expect("unknown approaches, left out: magic", "the at “7”")
    page(data="frey").expect("asks for the data set “frey”, which has no labels. ")
    link = {"sweep-methods": "pca.magic", "sweep-labels": "x", "sweep-seeds": "99", "sweep-minutes": "2"}
    app = page(part="sweep", **link).expect("unknown approaches, left out: magic", "asks for the sweep-seeds")
    app.expect("is not a list of 1 to 12 whole numbers", "asks for the sweep-minutes")


def test_broken_and_outdated_results_are_left_out(measured):
    others, pca = ([row for row in measured if (row["method"] == "pca") == is_pca] for is_pca in (False, True))
    for change, message in (
        ({"dataset_params": {"copies": 1}}, "6 results with earlier settings"),
        ({"data_checksum": "x", "date": "2000-01-01"}, "6 results measured on another copy of the data"),
    ):
        keep([*others, *({**row, **change} for row in pca)], more='{"key": "cut')
        app = page(methods=ALL)
        assert set(curve(app)) == {"logistic", "spreading"}
        app.expect(f"Left out: {message}", "are damaged or no results")


def test_readout_has_the_paired_gap_and_interpolated_errors(measured, monkeypatch):
    keep(measured)
    levels, genuine = [], statistics.estimate_gap
    monkeypatch.setattr(statistics, "estimate_gap", lambda *a: levels.append(a[3:]) or genuine(*a))
    app = page(methods=ALL, against="logistic", at="20")
    # A sentence on the best of k holds at the level 1 - 0.05 / k.
    assert sorted(set(levels)) == [(0.95,), (0.975,)]
    errors = results.group_errors(measured)
    gap = statistics.estimate_gap(errors["spreading"], errors["logistic"], 20)
    app.expect(f"{100 * gap.mean:.2f}", f"{100 * gap.low:.2f} to {100 * gap.high:.2f}")
    app.expect(", significantly different across seeds", "Labels Logistic regression needs for the same error")
    between = next(n for n in (int(n.replace(",", "")) for n in app.select_slider[0].options) if n not in LABELS)
    mean = statistics.estimate_mean(statistics.interpolate_errors(errors["logistic"], between)).mean
    page(methods=ALL, against="logistic", at=str(between)).expect("are interpolated", f"{100 * mean:.2f}%")


def test_inspected_result_has_confusion_and_rows(measured):
    keep(measured)
    app = page(part="point", approach="pca", labels="20", seed="1")
    row = next(r for r in measured if (r["method"], r["labels"], r["seed"]) == ("pca", 20, 1))
    wrong = round(row["error"] * row["n_test"])
    app.expect(f"{wrong} of {row['n_test']} test rows are misclassified", "Labelled rows")
    _, confusion, codes = app.charts()
    assert (confusion["data"][0]["type"], len(codes["data"])) == ("heatmap", 3)


def test_document_titles_stay_text(monkeypatch):
    texts = hostile_documents()
    monkeypatch.setattr(datasets, "load", lambda name, **k: texts)
    monkeypatch.setattr(datasets, "is_available", lambda name: True)
    cells = experiment.list_cells("docstrings", ["logistic"], [6], [0])
    keep([experiment.measure_cell(cell, texts) for cell in cells], "docstrings")
    table = page(data="docstrings", part="point").lack("<b>subject").dataframe[-1].value
    assert (table["Document"] == HOSTILE).all()
    assert set(table["Class"]) == {f"<b>subject {k}</b>" for k in range(3)}


def test_table_shows_its_rows_and_one_without_labels_says_what_to_do():
    name = add_table(make_frame())
    page(data=name).expect("No results on shop yet").lack("published results")
    app = page(data=name, part="sweep")
    assert app.text_input[0].value == "10, 30"
    cells = experiment.list_cells(name, ["both", "logistic"], [10], [0])
    dataset = datasets.load(name)
    keep([experiment.measure_cell(cell, dataset) for cell in cells], name)
    app = page(data=name, part="point", approach="both", labels="10", seed="0")
    row = next(row for row in results.read_results(name).rows if row["method"] == "both")
    (wrong, predicted), shown = results.read_misclassified(row), app.dataframe[0].value
    assert list(shown.columns) == ["Class", "Predicted class", "weight", "height", "colour"]
    assert list(shown["Predicted class"]) == [dataset.target_names[k] for k in predicted]
    assert shown["weight"].tolist() == pytest.approx(dataset.table.frame_test["weight"][wrong].tolist(), nan_ok=True)
    share = np.bincount(dataset.y_test[dataset.y_test >= 0]).max() / row["n_test"]
    app.expect(f"Predicting the most frequent class for all test rows: {1 - share:.2%} test error")
    page(data=name, part="fair").expect(
        "in proportion to the classes", "The baseline is the mean of their probabilities"
    )
    unlabelled = add_table(make_frame()[["weight", "height"]])
    page(data=unlabelled).expect("has no labels", "divide a number into classes").lack("Run an experiment")


def test_experiment_runs_missing_fits_only_and_refuses_impossible_numbers(measured):
    keep(measured)
    app = page(part="sweep")
    app.text_input[0].set_value("20, 100, 200").run().fill(PILLS, list(METHODS)).expect("18 of 27 are done")
    assert "Run the remaining 9 fits" in app.labels()
    assert "python -m core labelled-fraction digits --labels 20,100,200 --seeds 3" in app.code_blocks()[0]
    for given, message in (
        ("", "is not a list of 1 to 12 whole numbers"),
        ("20, 999999", "labels=999999 is not allowed"),
        ("3", "fewer than the 10 classes"),
        ("100, 1,000", "is ambiguous: write 1000"),
    ):
        app.text_input[0].set_value(given).run().expect(message)


def test_experiment_is_requested_and_reported(monkeypatch):
    page(part="point").expect("No results on Digits", "No result to inspect yet")
    asked = []
    monkeypatch.setattr(background_sweep, "request_sweep", lambda *a, **k: asked.append((*a, k)) or "0123")
    monkeypatch.setattr(background_sweep, "read_report", lambda name: sweep.Report(6, 0, 0))
    app = page(part="sweep").fill(PILLS, ["logistic", "pca"])
    app.text_input[0].set_value("20").run().press("Run 6 fits")
    app.expect("The experiment on Digits 8x8 is done: 6 computed, 0 were stored.")
    assert asked == [("digits", ("logistic", "pca"), (20,), range(3), 0.0, {"ends": False})]
    full = HourglassError("The sweep can't be started in here (No space left): free some space there.")
    monkeypatch.setattr(background_sweep, "request_sweep", Mock(side_effect=full))
    app.press("Run 6 fits").expect("free some space there")


def test_running_experiment_shows_progress_and_is_stopped_by_its_owner(monkeypatch):
    cell = ("PCA + logistic with 20 labels, seed 0", 0.5)
    there, stopped, asked = [background_sweep.Sweep("0123", "digits", 0.25, False, False, (cell,))], [], []
    monkeypatch.setattr(background_sweep, "list_sweeps", lambda: there)
    monkeypatch.setattr(background_sweep, "stop_sweep", stopped.append)
    monkeypatch.setattr(background_sweep, "request_sweep", lambda *a, **k: asked.append((a[4], k)) or "0456")
    page(part="sweep").expect("PCA + logistic with 20 labels, seed 0: 50%").press("Stop")
    assert stopped == ["0123"]
    # In a workshop everybody stops their own, which takes a minute at most.
    monkeypatch.setattr(config, "is_workshop", lambda: True)
    app = page(part="sweep").fill(PILLS, ["logistic"])
    assert ("Stop" in app.labels(), app.field("Time limit").options) == (False, ["1 minute"])
    app.press("Run 12 fits")
    assert asked == [(60.0, {"ends": True})]


def form(app) -> list:
    """What the form of a sweep is set to."""
    return [f.value for f in (app.field(PILLS), app.text_input[0], *map(app.field, ("Number of seeds", "Time limit")))]


def test_experiment_form_is_remembered_and_in_the_link(measured, monkeypatch):
    keep(measured)
    monkeypatch.setattr(page_state, "LATE_SECONDS", 60.0)
    app = page(part="sweep").fill(PILLS, ["pca", "logistic"])
    late = app.query()["sweep-methods"]
    app.fill(PILLS, ["spreading"])
    app.query_params["sweep-methods"] = late  # as from a browser that is quicker than the server
    app.fill(PILLS, ["pca"])
    app.text_input[0].set_value("30, 60").run().fill("Number of seeds", 5).fill("Time limit", 15)
    expected = [["pca"], "30, 60", 5, 15]
    assert form(app) == expected
    assert form(app.fill("Section", "fair").fill("Section", "sweep")) == expected
    assert form(opened_on(PAGE, **app.query())) == expected


def test_protocol_lists_every_approach_and_the_command(measured):
    keep(measured)
    app = page(part="fair")
    app.expect(*(semi_supervised.get(name).label for name in semi_supervised.names("images")))
    command = "python -m core labelled-fraction digits --labels 20,100 --seeds 3"
    assert command in app.set_state("footer").code_blocks()[-1]
