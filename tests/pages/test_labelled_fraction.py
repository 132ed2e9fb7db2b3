"""Labelled fraction: the curve, what it says, what is behind a point, sweeps from the page, links that ask nonsense."""

import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import approaches, computing, datasets, labelled, store, sweeps
from core.datasets import download
from core.metrics import fractions
from core.types import DataUnavailable
from pages.ui import error_by_labels, loaded, trainings
from tests.pages.conftest import HOSTILE, hostile_documents, opened_on, shown_text
from tests.trainings import processes_of

PAGE = "pages/labelled_fraction.py"
METHODS = ("logistic", "pca", "spreading")
LABELS = (20, 100)
SEEDS = (0, 1, 2)


@pytest.fixture(scope="session")
def measured(tmp_path_factory, user_cache):
    """Three approaches on digits, at two numbers of labels, over three seeds."""
    place = tmp_path_factory.mktemp("measured")
    sweeps.run(labelled.cells("digits", METHODS, LABELS, SEEDS), place=place)
    return sweeps.read("digits", (place,)).rows


@pytest.fixture(autouse=True)
def own(monkeypatch, tmp_path):
    """Nothing is shipped, and what sweeps compute beside the app is in folders of the test's own."""
    monkeypatch.setattr(sweeps, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "hourglass" / "data")
    forget()
    yield
    forget()


def forget() -> None:
    for door in (loaded.dataset, error_by_labels._read, error_by_labels._figure):
        door.clear()


@pytest.fixture
def started(monkeypatch):
    """The processes that a test started; none outlives it."""
    yield from processes_of(sweeps.WORK.module, monkeypatch)


def keep(rows, dataset: str = "digits", more: str = "") -> None:
    """Have these rows kept as this person's own."""
    file = sweeps.file_of(dataset)
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


def values(of_trace) -> np.ndarray:
    import base64

    if isinstance(of_trace, dict):
        return np.frombuffer(base64.b64decode(of_trace["bdata"]), np.dtype(of_trace["dtype"]))
    return np.array(of_trace)


def mean_error(rows, method: str, labels: int) -> float:
    return 100 * np.mean([r["error"] for r in rows if (r["method"], r["labels"]) == (method, labels)])


# --- The curve ----------------------------------------------------------------------------------------------------


def test_each_approach_is_a_line_through_its_means_with_every_seed(measured):
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


def test_a_chosen_approach_stays_in_the_link_and_can_be_left_out(measured):
    keep(measured)
    app = page(methods="pca.spreading")
    assert set(curve(app)) == {"pca", "spreading"}
    assert app.query_params["methods"] in ("pca.spreading", ["pca.spreading"])
    app.get("button_group")[0].set_value(["pca"]).run()
    assert set(curve(app)) == {"pca"}
    app.get("button_group")[0].set_value([]).run()
    assert "No approach is chosen" in text(app)
    assert not app.exception


def test_an_unknown_approach_number_or_data_set_is_told(measured):
    keep(measured)
    app = page(methods="pca.magic", at="7", labels="x", seed="99", part="nothing", approach="svm", against="me")
    assert not app.exception
    assert "magic, which is no approach: left out" in text(app)
    assert "And " in text(app)
    app = opened_on(PAGE, data="frey")
    assert not app.exception
    assert "which has no labels" in text(app)


def test_the_axis_of_errors_can_be_linear(measured):
    keep(measured)
    assert charts(page())[0]["layout"]["yaxis"]["type"] == "log"
    assert charts(page(axis="linear"))[0]["layout"]["yaxis"].get("type") != "log"


def test_without_results_the_page_offers_a_sweep():
    app = page(part="sweep")
    assert not app.exception
    assert "Nothing is measured on Digits" in text(app)
    assert any(button.label.startswith("Run ") for button in app.button)
    assert "There is no point to look behind yet" in text(page(part="point"))
    assert not page(part="fair").exception


def test_cut_lines_and_rows_of_other_settings_are_told_and_left_out(measured):
    old = [{**row, "version": 99, "key": f"{i:016x}"} for i, row in enumerate(measured) if row["method"] == "pca"]
    keep([row for row in measured if row["method"] != "pca"] + old, more='{"key": "cut')
    app = page(methods=".".join(METHODS))
    assert not app.exception
    assert set(curve(app)) == {"logistic", "spreading"}
    assert "6 results with earlier settings" in text(app)
    assert "cut short" in text(app)


def test_a_parameter_of_the_data_that_there_is_no_more_is_an_earlier_setting(measured):
    keep([{**row, "dataset_params": {"copies": 1}} if row["method"] == "pca" else row for row in measured])
    app = page(methods=".".join(METHODS))
    assert not app.exception
    assert "6 results with earlier settings" in text(app)


def test_a_workshop_has_short_sweeps_and_stop_for_ones_own(monkeypatch):
    monkeypatch.setattr(trainings, "workshop", lambda: True)
    other = sweeps.Sweep("0123", {"dataset": "digits"}, 0.25, False, False, ())
    monkeypatch.setattr(sweeps, "under_way", lambda: [other])
    asked = []
    monkeypatch.setattr(sweeps, "request", lambda *a, **k: asked.append((a, k)) or "0456")
    app = page(part="sweep")
    assert not [button for button in app.button if button.label == "Stop"]
    budget = next(each for each in app.selectbox if each.label == "Time budget")
    assert budget.options == ["1 minute"]
    next(button for button in app.button if button.label.startswith("Run ")).click().run()
    assert asked[0][0][4] == 60.0
    assert asked[0][1] == {"ends": True}


def test_rows_of_another_copy_of_the_data_are_left_out(measured):
    other = [{**row, "data_checksum": "x", "date": "2000-01-01"} for row in measured if row["method"] == "pca"]
    keep([row for row in measured if row["method"] != "pca"] + other)
    app = page()
    assert "6 results measured on another copy of the data" in text(app)
    assert "pca" not in curve(app)


# --- What it says -------------------------------------------------------------------------------------------------


def test_gap_and_verdict_are_those_of_the_numbers(measured):
    keep(measured)
    app = page(methods="logistic.spreading", against="logistic", at="20")
    errors = sweeps.by_approach(measured)
    gap = fractions.gap(errors["spreading"], errors["logistic"], 20)
    shown = text(app)
    assert f"{100 * gap.mean:.2f}" in shown
    assert f"{100 * gap.low:.2f} to {100 * gap.high:.2f}" in shown
    assert gap.excludes_zero
    assert "beyond the noise of seeds" in shown
    assert "As good as Logistic regression with" in shown


def test_a_difference_within_the_noise_is_said_to_be(measured):
    """The same errors, in another order of seeds: the mean difference is nothing."""
    rows = [r for r in measured if r["method"] == "logistic"]
    twisted = [
        {**row, "method": "spreading", "key": row["key"][::-1], "seed": (row["seed"] + 1) % 3, "pretraining": {}}
        for row in rows
    ]
    for row in twisted:
        row["params"] = next(r for r in measured if r["method"] == "spreading")["params"]
    keep([*rows, *twisted])
    shown = text(page(methods="logistic.spreading", at="20"))
    assert "the difference is within the noise" in shown
    assert "beyond the noise" not in shown


def test_the_best_of_several_must_be_better_by_more(measured, monkeypatch):
    """A sentence on the best of k holds at the level 1 - 0.05 / k."""
    keep(measured)
    levels, genuine = [], fractions.gap
    monkeypatch.setattr(fractions, "gap", lambda *a: levels.append(a[3]) or genuine(*a))
    page(methods=".".join(METHODS), against="logistic", at="20")
    assert sorted(set(levels)) == [0.95, 0.975]


def test_one_seed_has_no_interval_and_no_verdict(measured):
    keep([row for row in measured if row["seed"] == 0])
    app = page(methods="logistic.spreading", at="20")
    shown = text(app)
    assert "one seed has no interval" in shown
    assert "fewer than two common seeds" in shown
    assert all(set(values(t["error_y"]["array"]).tolist()) == {0} for t in curve(app).values())


def test_between_two_numbers_errors_are_interpolated(measured):
    keep(measured)
    app = page(methods="logistic.spreading")
    slider = app.select_slider[0]
    between = next(n for n in (int(o.replace(",", "")) for o in slider.options) if n not in LABELS)
    app = page(methods="logistic.spreading", at=str(between))
    assert "errors are interpolated" in text(app)
    expected = fractions.estimate(fractions.at(sweeps.by_approach(measured)["logistic"], between)).mean
    assert f"{100 * expected:.2f} %" in text(app)


# --- Behind a point -----------------------------------------------------------------------------------------------


def test_behind_a_point_stand_its_confusion_wrong_and_labelled_rows(measured):
    keep(measured)
    app = page(part="point", approach="pca", labels="20", seed="1")
    assert not app.exception
    row = next(r for r in measured if (r["method"], r["labels"], r["seed"]) == ("pca", 20, 1))
    wrong = round(row["error"] * row["n_test"])
    shown = text(app)
    assert f"{wrong} of {row['n_test']} test rows are named wrongly" in shown
    assert f"of {wrong} " in shown or f"of {wrong};" in shown
    assert "Labelled rows" in shown
    _, confusion, codes = charts(app)
    assert confusion["data"][0]["type"] == "heatmap"
    assert len(codes["data"]) == 3
    y = datasets.load("digits").y_train
    assert np.bincount(y[labelled.labelled_rows(y, 20, 1)]).tolist() == [2] * 10


def test_a_class_without_a_label_is_told(measured):
    few = labelled.cells("digits", ["logistic"], [5], [0])
    sweeps.run(few, place=sweeps.folder())
    shown = text(page(part="point", approach="logistic", labels="5"))
    assert "5 of 10 classes have no labelled row" in shown


def test_without_the_data_a_point_has_no_rows_to_show(measured, monkeypatch):
    keep(measured)
    monkeypatch.setattr(datasets, "available", lambda name: False)
    monkeypatch.setattr(datasets, "load", lambda *a, **k: (_ for _ in ()).throw(DataUnavailable("not here")))
    app = page(part="point")
    assert not app.exception
    assert len(charts(app)) == 3


def test_documents_have_their_titles_and_stay_text(monkeypatch):
    texts = hostile_documents()
    monkeypatch.setattr(datasets, "load", lambda name, **k: texts)
    monkeypatch.setattr(datasets, "available", lambda name: True)
    cells = labelled.cells("docstrings", ["logistic"], [6], [0])
    keep([labelled.measure(cell, texts) for cell in cells], "docstrings")
    app = page(data="docstrings", part="point")
    assert not app.exception
    assert (app.dataframe[-1].value["Document"] == HOSTILE).all()
    assert set(app.dataframe[-1].value["Class"]) == {f"<b>subject {k}</b>" for k in range(3)}
    assert "<b>subject" not in shown_text(app)


# --- Sweeps -------------------------------------------------------------------------------------------------------


def test_only_cells_that_are_missing_are_offered(measured):
    keep(measured)
    app = page(part="sweep")
    app.text_input[0].set_value("20, 100, 200").run()
    pills = next(each for each in app.get("button_group") if each.label == "Approaches to measure")
    pills.set_value(list(METHODS)).run()
    run = next(button for button in app.button if button.label.startswith("Run "))
    assert run.label == "Run 9 cells"
    assert "18 of 27 are there already" in text(app)
    assert "python -m core labelled-fraction digits --labels 20,100,200 --seeds 3" in app.code[0].value


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("many", "is no list of 1 to 12 whole numbers"),
        ("", "is no list of 1 to 12 whole numbers"),
        ("0", "labels=0 is not allowed"),
        ("20, 999999", "labels=999999 is not allowed"),
        ("3", "fewer than the 10 classes"),
        ("100, 1,000", "may be one number or two: write 1000"),
    ],
)
def test_numbers_of_labels_that_can_not_be_are_told(given, told):
    app = page(part="sweep")
    app.text_input[0].set_value(given).run()
    assert not app.exception
    assert told in text(app)


def test_a_sweep_is_asked_for_watched_and_its_end_told(started, monkeypatch):
    asked = []
    monkeypatch.setattr(sweeps, "request", lambda *a, **k: asked.append((*a, k)) or "0123")
    app = page(part="sweep")
    pills = next(each for each in app.get("button_group") if each.label == "Approaches to measure")
    pills.set_value(["logistic", "pca"]).run()
    app.text_input[0].set_value("20").run()
    monkeypatch.setattr(sweeps, "outcome", lambda name: sweeps.Report(6, 0, 0))
    next(button for button in app.button if button.label == "Run 6 cells").click().run()
    assert asked == [("digits", ("logistic", "pca"), (20,), range(3), 0.0, {"ends": False})]
    assert "The sweep is done: 6 computed, 0 there before." in text(app)


def test_a_sweep_under_way_shows_how_far_it_is_and_can_be_stopped(monkeypatch):
    sweep = sweeps.Sweep(
        "0123", {"dataset": "digits"}, 0.25, False, False, (("PCA + logistic with 20 labels, seed 0", 0.5),)
    )
    there, stopped = [sweep], []
    monkeypatch.setattr(sweeps, "under_way", lambda: there)
    monkeypatch.setattr(sweeps, "stop", lambda name: stopped.append(name) or there.clear())
    app = page(part="sweep")
    assert "PCA + logistic with 20 labels, seed 0: 50%" in text(app)
    next(button for button in app.button if button.label == "Stop").click().run()
    assert stopped == ["0123"]
    assert not app.exception


def test_a_full_disk_is_told_and_nothing_else_is_lost(monkeypatch):
    def refuse(*_, **__):
        raise computing.HourglassError("The sweep can't be made in here (No space left): free some space there.")

    monkeypatch.setattr(sweeps, "request", refuse)
    app = page(part="sweep")
    next(button for button in app.button if button.label.startswith("Run ")).click().run()
    assert not app.exception
    assert "free some space there" in text(app)


# --- Fairness -----------------------------------------------------------------------------------------------------


def test_every_approach_says_what_it_is_and_how_it_was_set(measured):
    keep(measured)
    app = page(part="fair")
    shown = text(app)
    for name in approaches.names("images"):
        assert approaches.get(name).label in shown
    assert "python -m core labelled-fraction digits --labels 20,100 --seeds 3" in app.code[0].value
