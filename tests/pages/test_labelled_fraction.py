"""Labelled fraction: curve, readouts, inspected results, experiments and links."""

import base64
import json

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import config, datasets, semi_supervised
from core.datasets import checksums
from core.errors import HourglassError
from core.runs import layout
from core.semi_supervised import background_sweep, experiment, results, statistics, sweep
from pages.ui.shared import cached
from tests.pages.conftest import HOSTILE, code_blocks, footer_opened, hostile_documents, opened_on, shown_text

pytestmark = pytest.mark.usefixtures("read_whole")

PAGE = "pages/labelled_fraction.py"
METHODS = ("logistic", "pca", "spreading")
LABELS = (20, 100)
SEEDS = (0, 1, 2)


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
    forget()
    yield
    forget()


def forget() -> None:
    st.cache_resource.clear()
    cached.load_dataset.clear()


def find_button(app: AppTest, start: str):
    return next(button for button in app.button if button.label.startswith(start))


def find_pills(app: AppTest, label: str = "Approaches to measure"):
    return next(group for group in app.get("button_group") if group.label == label)


def keep(rows, dataset: str = "digits", more: str = "") -> None:
    """Have these rows kept as this person's own."""
    file = results.results_path(dataset)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + more)


def page(**query: str) -> AppTest:
    return opened_on(PAGE, **{"data": "digits", **query})


def text(app: AppTest) -> str:
    """What is on the page, as people read it."""
    parts = (*app.warning, *app.error, *app.info, *app.success, *app.caption)
    return "\n".join([shown_text(app), *(each.value for each in parts)]).replace("\\", "")


def charts(app: AppTest) -> list[dict]:
    return [json.loads(each.proto.spec) for each in app.get("plotly_chart")]


def curve(app: AppTest) -> dict[str, dict]:
    """Approach -> the line through its means."""
    lines = [trace for trace in charts(app)[0]["data"] if trace["mode"] == "lines+markers"]
    return {trace["legendgroup"]: trace for trace in lines}


def values(trace) -> np.ndarray:
    if isinstance(trace, dict):
        return np.frombuffer(base64.b64decode(trace["bdata"]), np.dtype(trace["dtype"]))
    return np.array(trace)


def mean_error(rows, method: str, labels: int) -> float:
    return 100 * np.mean([r["error"] for r in rows if (r["method"], r["labels"]) == (method, labels)])


# --- The curve ----------------------------------------------------------------------------------------------------


def test_curve_has_means_and_every_seed(measured):
    keep(measured)
    app = page(methods=".".join(METHODS))
    assert not app.exception
    lines = curve(app)
    assert set(lines) == set(METHODS)
    for method in METHODS:
        expected = [mean_error(measured, method, n) for n in LABELS]
        assert values(lines[method]["y"]) == pytest.approx(expected)
    dots = [t for t in charts(app)[0]["data"] if t["mode"] == "markers" and t["legendgroup"] == "pca"]
    assert len(values(dots[0]["y"])) == len(LABELS) * len(SEEDS)
    app.get("button_group")[0].set_value(["pca"]).run()
    assert set(curve(app)) == {"pca"}
    assert app.query_params["methods"] in ("pca", ["pca"])
    app.get("button_group")[0].set_value([]).run()
    assert "No approach is selected" in text(app)
    assert not app.exception


def test_link_with_unknown_choices_is_refused(measured):
    keep(measured)
    app = page(methods="pca.magic", at="7", labels="x", seed="99", part="nothing", approach="svm", against="me")
    assert not app.exception
    assert "unknown approaches, left out: magic" in text(app)
    assert "more problems" in text(app)
    app = opened_on(PAGE, data="frey")
    assert not app.exception
    assert "which has no labels" in text(app)


def test_page_without_results_offers_an_experiment():
    app = page(part="sweep")
    assert not app.exception
    assert "No results on Digits" in text(app)
    assert any(button.label.startswith("Run ") for button in app.button)
    assert "No result to inspect yet" in text(page(part="point"))
    assert not page(part="fair").exception


def test_broken_and_outdated_results_are_left_out(measured):
    others, pca = ([row for row in measured if (row["method"] == "pca") == is_pca] for is_pca in (False, True))
    for change, message in (
        ({"version": 99}, "6 results with earlier settings"),
        ({"dataset_params": {"copies": 1}}, "6 results with earlier settings"),
        ({"data_checksum": "x", "date": "2000-01-01"}, "6 results measured on another copy of the data"),
    ):
        keep([*others, *({**row, **change, "key": f"{k:016x}"} for k, row in enumerate(pca))], more='{"key": "cut')
        app = page(methods=".".join(METHODS))
        assert not app.exception
        assert set(curve(app)) == {"logistic", "spreading"}
        assert f"Left out: {message}" in text(app)
        assert "are damaged or no results" in text(app)


def test_workshop_limits_time_and_stops_own_experiments_only(monkeypatch):
    monkeypatch.setattr(config, "is_workshop", lambda: True)
    other = background_sweep.Sweep("0123", {"dataset": "digits"}, 0.25, False, False, ())
    monkeypatch.setattr(background_sweep, "list_sweeps", lambda: [other])
    asked = []
    monkeypatch.setattr(background_sweep, "request_sweep", lambda *a, **k: asked.append((a, k)) or "0456")
    app = page(part="sweep")
    assert not [button for button in app.button if button.label == "Stop"]
    budget = next(each for each in app.selectbox if each.label == "Time limit")
    assert budget.options == ["1 minute"]
    find_button(app, "Run ").click().run()
    assert asked[0][0][4] == 60.0
    assert asked[0][1] == {"ends": True}


# --- Readouts -------------------------------------------------------------------------------------------------------


def test_readout_has_the_paired_gap(measured, monkeypatch):
    keep(measured)
    levels, genuine = [], statistics.estimate_gap
    monkeypatch.setattr(statistics, "estimate_gap", lambda *a: levels.append(a[3:]) or genuine(*a))
    app = page(methods=".".join(METHODS), against="logistic", at="20")
    # A sentence on the best of k holds at the level 1 - 0.05 / k.
    assert sorted(set(levels)) == [(0.95,), (0.975,)]
    errors = results.group_errors(measured)
    gap = statistics.estimate_gap(errors["spreading"], errors["logistic"], 20)
    shown = text(app)
    assert f"{100 * gap.mean:.2f}" in shown
    assert f"{100 * gap.low:.2f} to {100 * gap.high:.2f}" in shown
    assert gap.excludes_zero
    assert ", significantly different across seeds" in shown
    assert "Labels Logistic regression needs for the same error" in shown


def test_errors_between_measured_labels_are_interpolated(measured):
    keep(measured)
    app = page(methods="logistic.spreading")
    slider = app.select_slider[0]
    between = next(n for n in (int(o.replace(",", "")) for o in slider.options) if n not in LABELS)
    app = page(methods="logistic.spreading", at=str(between))
    assert "are interpolated" in text(app)
    expected = statistics.estimate_mean(
        statistics.interpolate_errors(results.group_errors(measured)["logistic"], between)
    ).mean
    assert f"{100 * expected:.2f}%" in text(app)


# --- Inspected results ----------------------------------------------------------------------------------------------


def test_inspected_result_has_confusion_and_rows(measured):
    keep(measured)
    app = page(part="point", approach="pca", labels="20", seed="1")
    assert not app.exception
    row = next(r for r in measured if (r["method"], r["labels"], r["seed"]) == ("pca", 20, 1))
    wrong = round(row["error"] * row["n_test"])
    shown = text(app)
    assert f"{wrong} of {row['n_test']} test rows are misclassified" in shown
    assert f"of {wrong} " in shown or f"of {wrong};" in shown
    assert "Labelled rows" in shown
    _, confusion, codes = charts(app)
    assert confusion["data"][0]["type"] == "heatmap"
    assert len(codes["data"]) == 3
    y = datasets.load("digits").y_train
    assert np.bincount(y[experiment.select_labelled_rows(y, 20, 1)]).tolist() == [2] * 10


def test_document_titles_stay_text(monkeypatch):
    texts = hostile_documents()
    monkeypatch.setattr(datasets, "load", lambda name, **k: texts)
    monkeypatch.setattr(datasets, "is_available", lambda name: True)
    cells = experiment.list_cells("docstrings", ["logistic"], [6], [0])
    keep([experiment.measure_cell(cell, texts) for cell in cells], "docstrings")
    app = page(data="docstrings", part="point")
    assert not app.exception
    assert (app.dataframe[-1].value["Document"] == HOSTILE).all()
    assert set(app.dataframe[-1].value["Class"]) == {f"<b>subject {k}</b>" for k in range(3)}
    assert "<b>subject" not in shown_text(app)


# --- Experiments ----------------------------------------------------------------------------------------------------


def test_experiment_runs_missing_fits_only(measured):
    keep(measured)
    app = page(part="sweep")
    app.text_input[0].set_value("20, 100, 200").run()
    pills = find_pills(app)
    pills.set_value(list(METHODS)).run()
    run = find_button(app, "Run ")
    assert run.label == "Run the remaining 9 fits"
    assert "18 of 27 are done" in text(app)
    assert "python -m core labelled-fraction digits --labels 20,100,200 --seeds 3" in code_blocks(app)[0]


def test_impossible_numbers_of_labels_are_refused():
    app = page(part="sweep")
    for given, message in (
        ("", "is not a list of 1 to 12 whole numbers"),
        ("0", "labels=0 is not allowed"),
        ("20, 999999", "labels=999999 is not allowed"),
        ("3", "fewer than the 10 classes"),
        ("100, 1,000", "is ambiguous: write 1000"),
    ):
        app.text_input[0].set_value(given).run()
        assert not app.exception
        assert message in text(app)


def test_experiment_is_requested_and_reported(started, monkeypatch):
    asked = []
    monkeypatch.setattr(background_sweep, "request_sweep", lambda *a, **k: asked.append((*a, k)) or "0123")
    app = page(part="sweep")
    pills = find_pills(app)
    pills.set_value(["logistic", "pca"]).run()
    app.text_input[0].set_value("20").run()
    monkeypatch.setattr(background_sweep, "read_report", lambda name: sweep.Report(6, 0, 0))
    find_button(app, "Run 6 fits").click().run()
    assert asked == [("digits", ("logistic", "pca"), (20,), range(3), 0.0, {"ends": False})]
    assert "The experiment on Digits 8x8 is done: 6 computed, 0 were stored." in text(app)

    def refuse(*_, **__):
        raise HourglassError("The sweep can't be started in here (No space left): free some space there.")

    monkeypatch.setattr(background_sweep, "request_sweep", refuse)
    find_button(app, "Run ").click().run()
    assert "free some space there" in text(app)


def test_running_experiment_shows_progress_and_stops(monkeypatch):
    running = background_sweep.Sweep(
        "0123", {"dataset": "digits"}, 0.25, False, False, (("PCA + logistic with 20 labels, seed 0", 0.5),)
    )
    there, stopped = [running], []
    monkeypatch.setattr(background_sweep, "list_sweeps", lambda: there)
    monkeypatch.setattr(background_sweep, "stop_sweep", lambda name: stopped.append(name) or there.clear())
    app = page(part="sweep")
    assert "PCA + logistic with 20 labels, seed 0: 50%" in text(app)
    find_button(app, "Stop").click().run()
    assert stopped == ["0123"]
    assert not app.exception


def form(app: AppTest) -> tuple:
    """What the form of a sweep is set to."""
    pills = find_pills(app)
    chosen = {each.label: each.value for each in app.selectbox}
    return pills.value, app.text_input[0].value, chosen["Number of seeds"], chosen["Time limit"]


def test_experiment_form_is_remembered_and_in_the_link(measured):
    keep(measured)
    app = page(part="sweep")
    find_pills(app).set_value(["pca"]).run()
    app.text_input[0].set_value("30, 60").run()
    for label, value in (("Number of seeds", 5), ("Time limit", 15)):
        next(each for each in app.selectbox if each.label == label).set_value(value).run()
    expected = (["pca"], "30, 60", 5, 15)
    assert form(app) == expected
    sections = find_pills(app, "Section")
    sections.set_value("fair").run()
    find_pills(app, "Section").set_value("sweep").run()
    assert form(app) == expected
    link = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    assert form(opened_on(PAGE, **link)) == expected


def test_link_with_impossible_experiment_is_refused():
    app = page(
        part="sweep", **{"sweep-methods": "pca.magic", "sweep-labels": "x", "sweep-seeds": "99", "sweep-minutes": "2"}
    )
    assert not app.exception
    shown = text(app)
    assert "unknown approaches, left out: magic" in shown
    assert "is not a list of 1 to 12 whole numbers" in shown
    assert "asks for the sweep-seeds" in shown
    assert "asks for the sweep-minutes" in shown


# --- Protocol -------------------------------------------------------------------------------------------------------


def test_protocol_lists_every_approach_and_the_command(measured):
    keep(measured)
    app = page(part="fair")
    shown = text(app)
    for name in semi_supervised.names("images"):
        assert semi_supervised.get(name).label in shown
    assert (
        "python -m core labelled-fraction digits --labels 20,100 --seeds 3"
        in code_blocks(footer_opened(app, "pages/labelled_fraction.py"))[-1]
    )
