"""Reconstructions: code size, depth and linear AE = PCA, on small runs; what is missing is asked of the queue."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import datasets, jobs, linear_maps, recipes, specs, spectrum, store
from core.linear_maps import LinearPair
from core.metrics import intervals
from pages.ui import by_depth, by_size, linear, trainings
from tests.pages.conftest import fit, opened_on, shown_text

PAGE = "pages/reconstructions.py"


@pytest.fixture
def folder(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """The fitted runs by links, so that trainings asked for here do not stay; no worker ever starts."""
    for place in fitted.iterdir():
        if not place.name.startswith("."):
            (tmp_path / place.name).symlink_to(place)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(jobs, "start_worker", lambda: None)
    for door in (trainings._listed, by_size._figure, linear._axes, linear._at, linear._error, by_depth._interval):
        door.clear()
    return tmp_path


def page(section: str, **query: str) -> AppTest:
    app = opened_on(PAGE, **{"data": "digits", "size": "10", "section": section, **query})
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    """What is on the page, as people read it."""
    parts = [each.value for each in (*app.warning, *app.error, *app.info, *app.caption)]
    return "\n".join([shown_text(app), *parts]).replace("\\", "")


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def named(chart: dict, name: str) -> dict:
    return next(trace for trace in chart["data"] if trace.get("name") == name)


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def labels(app: AppTest) -> list[str]:
    return [b.label for b in app.button]


def group(app: AppTest, label: str):
    return next(g for g in app.get("button_group") if g.label == label)


def picked(method: str, size: int = 10):
    run = store.pick(store.index()[0], "digits", method, size)[0]
    return store.read(store.find(run.key))


# --- Code size ----------------------------------------------------------------------------------------------------


def test_code_size_shows_pca_at_every_size_and_each_run_with_its_interval(folder):
    app = page("size")
    (chart,) = charts(app)
    assert len(named(chart, "PCA, exactly at every size")["x"]["bdata"]) > 64
    found = [run for run in store.index()[0] if run.spec.dataset == "digits" and run.spec.method == "ae"]
    assert len(named(chart, "AE")["y"]) == len(found) == 3
    assert all("own run" in about and "of the variance, PCA" in about for about in named(chart, "AE")["text"])
    best = min(run.metrics["squared_error"] for run in found if store.code_size(run) == 10)
    exact = spectrum.pca_error_by_size(datasets.load("digits"))
    assert f"for which PCA needs {spectrum.size_for(exact, best)}" in text(app)
    assert "n = 500 test images" in named(chart, "AE")["text"][0]


def test_a_larger_code_with_a_larger_error_is_explained_by_what_it_was_given(folder):
    fit(folder, datasets.load("digits"), "ae", {"n_components": 20, "epochs": 1, "width": 8})
    assert "leaves more than AE" in text(page("size"))
    assert "although its code is larger: it was trained for" in text(page("size"))


def test_the_axis_is_kept_in_the_address(folder):
    app = page("size", axis="linear")
    assert charts(app)[0]["layout"]["xaxis"].get("type") != "log"
    group(app, "Axis of code sizes").set_value("log").run()
    assert charts(app)[0]["layout"]["xaxis"]["type"] == "log"
    assert app.query_params["axis"] in ("log", ["log"])


def test_a_missing_size_is_asked_for_with_the_preset_and_then_watched(folder):
    app = page("size")
    app.text_input(key=f"{PAGE}:train-size").set_value("7").run()
    group(app, "Method").set_value("vae").run()
    button(app, "Train VAE 7-D").click().run()
    assert not app.exception
    (job,) = jobs.jobs()
    expected = {**recipes.presets("digits", "vae", 7)[recipes.SECONDS], "n_components": 7}
    assert job.spec == specs.make("digits", "vae", expected)
    assert "VAE 7-D with these settings is under way" in text(app)
    assert any("number 1 in the queue" in each.proto.text for each in app.get("progress"))
    assert "run" not in app.query_params


@pytest.mark.parametrize("size", ["0", "257", "many", "", "2.5"])
def test_a_size_that_is_none_is_refused_in_words(folder, size):
    app = page("size")
    app.text_input(key=f"{PAGE}:train-size").set_value(size).run()
    assert not app.exception
    assert "a whole number from 1 to 256" in text(app)
    assert not [label for label in labels(app) if label.startswith("Train")]


def test_a_pca_of_more_numbers_than_pixels_is_refused_before_it_is_asked_for(folder):
    app = page("size")
    app.text_input(key=f"{PAGE}:train-size").set_value("200").run()
    assert "Train AE 200-D" in labels(app)
    group(app, "Method").set_value("pca").run()
    assert not app.exception
    assert "n_components=200 must be at most 64, the number of pixels" in text(app)
    assert "Train PCA 200-D" not in labels(app)


def test_a_size_that_is_trained_is_not_trained_again(folder):
    app = page("size")
    group(app, "Method").set_value("pca").run()
    app.text_input(key=f"{PAGE}:train-size").set_value("10").run()
    assert "PCA 10-D with these settings is trained" in text(app)
    assert "Train PCA 10-D" not in labels(app)


def test_runs_of_another_copy_of_the_data_are_left_out_and_said_to_be(folder):
    run = picked("ae", 2)
    place = store.find(run.key)
    other = replace(run, environment={**run.environment, "data_checksum": "another"})
    arrays = store.arrays(place)
    (folder / run.key).unlink()
    store.write(other, arrays, folder)
    app = page("size")
    assert len(named(charts(app)[0], "AE")["y"]) == 2
    assert "Left out: 1 run, measured on another copy of the data" in text(app)


def test_a_pca_from_before_its_line_was_stored_says_what_to_do(folder):
    for size in (2, 10):
        run = picked("pca", size)
        arrays = store.arrays(store.find(run.key))
        views = {name: view for name, view in run.views.items() if name != "error_by_size"}
        (folder / run.key).unlink()
        store.write(replace(run, views=views), arrays, folder)
    app = page("size")
    assert "train any PCA below" in text(app)
    assert not [trace for trace in charts(app)[0]["data"] if "exactly" in trace.get("name", "")]


def test_the_lectures_picture_shows_what_is_trained_and_trains_what_is_not(folder, monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda name: name != "frey")
    app = page("size")
    app.session_state[f"{PAGE}:thirty"] = True
    app.run()
    assert not app.exception
    assert "MNIST digits with 30 numbers: AE and PCA not trained yet" in text(app)
    group(app, "Images").set_value("frey").run()
    button(app, "Train AE and PCA").click().run()
    assert not app.exception
    asked = {job.spec for job in jobs.jobs()}
    faces = {specs.make(d, m, p, 0, of) for d, m, of, p in recipes.FACES if d == "frey" and p["n_components"] == 30}
    assert asked == faces


def test_the_shipped_picture_quotes_the_paper_beside_our_errors(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page("size", data="mnist", size="30")
    app.session_state[f"{PAGE}:thirty"] = True
    app.run()
    assert not app.exception
    shown = text(app)
    assert "autoencoder 3.00" in shown
    assert "PCA 13.87." in shown
    assert "squared error 13.87" in shown
    assert "n = 10,000 test images" in shown


@pytest.mark.parametrize("section", ["images", "classes"])
def test_a_training_under_way_of_what_is_missing_is_watched(folder, section):
    for size in (10, 3):
        jobs.request(specs.make("digits", "vae", {"n_components": size, "epochs": 7}), "somebody")
    app = page(section)
    assert "Not trained yet at this code size: VAE." in text(app)
    (bar,) = app.get("progress")  # of this code size alone
    assert "VAE" in bar.proto.text
    assert "in the queue" in bar.proto.text


# --- Depth --------------------------------------------------------------------------------------------------------


def test_depths_that_are_missing_are_all_asked_for_at_once(folder):
    app = page("depth")
    assert "the linear one is trained so far" in text(app)
    button(app, "Train the 3 missing").click().run()
    assert not app.exception
    expected = {specs.make("digits", "ae", params) for params in recipes.depths("digits", 10)}
    assert {job.spec for job in jobs.jobs()} == expected
    assert "Train the 3 missing" not in labels(app)
    assert len(app.get("progress")) == 3


def test_depths_are_compared_on_the_same_rows(folder, monkeypatch):
    tiny = [{"n_components": 10, "epochs": 4, "width": 32, "layers": n} for n in (1, 2, 3)]
    monkeypatch.setattr(recipes, "depths", lambda dataset, size: tiny)
    runs = [picked("linear_ae"), *(fit(folder, datasets.load("digits"), "ae", params) for params in tiny)]
    app = page("depth")
    shown = text(app)
    for before, after in pairwise(runs):
        rows = [run.views["rows.squared_error"] for run in (after, before)]
        low, high = intervals.paired_difference_interval(*rows)
        if low > 0 or high < 0:
            change = abs(after.metrics["squared_error"] - before.metrics["squared_error"])
            assert f"by {by_depth.number(change)} (" in shown
        else:
            assert "within the noise" in shown
    assert f"{runs[-1].metrics['weights']:,}" in shown
    (chart,) = charts(app)
    assert chart["data"][0]["x"] == ["Linear AE", "1 hidden layer", "2 hidden layers", "3 hidden layers"]
    assert chart["data"][0]["y"] == pytest.approx([run.metrics["squared_error"] for run in runs])
    assert shown.count('alt="3 hidden layers"') == 2


def test_the_budget_names_the_epochs_of_each():
    linear = specs.make("digits", "linear_ae", {"epochs": 30})
    deep = [specs.make("digits", "ae", {"epochs": 300, "layers": n}) for n in (1, 2)]
    assert by_depth._budget([linear, *deep]).startswith(
        "One after the other, 30 epochs the linear one, 300 each of the others: "
    )
    assert by_depth._budget(deep).startswith("One after the other, 300 epochs each: ")
    assert by_depth._budget(deep[:1]) == "300 epochs: a few minutes on one core."


@pytest.mark.parametrize(
    ("steps", "begins"),
    [
        ([(-2, -3, -1), (-1, -2, -0.5), (-0.5, -0.6, -0.4)], "Each layer more lowers the error: "),
        ([(-2, -3, -1), (0.1, -0.2, 0.4), (0.5, 0.4, 0.6)], "The first hidden layer lowers the error, and more do not"),
        ([(-2, -3, -1), (0.1, -0.2, 0.4), (-0.5, -0.6, -0.4)], "Not each layer more lowers the error: "),
        ([(2, 1, 3), (0.1, -0.2, 0.4), (0.5, 0.4, 0.6)], "Not each layer more lowers the error: "),
    ],
)
def test_the_verdict_on_depth_is_what_the_numbers_say(steps, begins):
    spec = specs.make("digits", "ae")
    every = [by_depth._Deep(n, spec) for n in range(4)]
    verdict = by_depth._verdict(every, {n: by_depth._Step(*step) for n, step in enumerate(steps, 1)})
    assert verdict.startswith(begins)
    assert ("within the noise" in verdict) == any(low < 0 < high for _, low, high in steps)
    assert ("it rises by" in verdict) == any(low > 0 for _, low, _ in steps)


# --- Linear AE = PCA ----------------------------------------------------------------------------------------------


def test_linear_ae_tells_its_angles_and_excess_by_epoch(folder):
    app = page("linear")
    run = picked("linear_ae")
    angles, excess = charts(app)
    assert [trace["name"] for trace in angles["data"]] == ["largest", "mean"]
    assert excess["data"][0]["name"] == "excess error"
    assert f"After {run.history[-1]['epoch']} epochs" in text(app)
    assert f"is {linear._degrees(run.history[-1]['largest_angle'])}, the mean" in text(app)


def test_turning_the_code_keeps_the_error_to_the_digit_and_ends_at_pcas_axes(folder):
    app = page("linear")
    pair = LinearPair.of(store.arrays(store.find(picked("linear_ae").key)))
    error = linear_maps.squared_error(pair, datasets.load("digits").floats("test"))
    for share in (0, 35, 100):
        app.slider(key=f"{PAGE}:turn").set_value(share).run()
        assert not app.exception
        assert f"<b>{error:.6f}</b>" in shown_text(app)
    components = picked("pca")
    axes = linear._axes(*(linear.runs.read(run.key)[1] for run in (picked("linear_ae"), components)))
    turned = linear_maps.turned(axes.pair, axes.turning.at(1))
    within = axes.components @ turned.decoder
    assert within == pytest.approx(np.eye(10), abs=1e-3)


def test_the_turn_is_in_the_address_and_kept(folder):
    app = page("linear", turn="35")
    assert app.slider(key=f"{PAGE}:turn").value == 35
    app.slider(key=f"{PAGE}:turn").set_value(60).run()
    assert app.query_params["turn"] in ("60", ["60"])
    for wrong in ("101", "-5", "37", "<b>", "1e1", "9" * 5000):
        app = page("linear", turn=wrong)
        assert app.slider(key=f"{PAGE}:turn").value == 0
        assert "choose from 0 to 100, in steps of 5" in text(app)


def test_a_run_from_before_angles_were_written_down_offers_to_train_again(folder):
    run = picked("linear_ae")
    arrays = store.arrays(store.find(run.key))
    history = [{k: v for k, v in row.items() if "angle" not in k and k != "excess_error"} for row in run.history]
    (folder / run.key).unlink()
    store.write(replace(run, history=history), arrays, folder)
    app = page("linear")
    assert "made before its angles to PCA were written down" in text(app)
    button(app, "Train it again").click().run()
    (job,) = jobs.jobs()
    assert job.spec == replace(run.spec, seed=1)
    assert "Turned towards" in app.slider[0].label


def test_a_loaded_history_with_half_of_it_is_one_without(folder):
    run = picked("linear_ae")
    arrays = store.arrays(store.find(run.key))
    history = [{"epoch": 1, "largest_angle": 3.0}, {"epoch": 2}]
    (folder / run.key).unlink()
    store.write(replace(run, history=history), arrays, folder)
    assert "made before its angles to PCA were written down" in text(page("linear"))


def test_a_code_larger_than_the_image_has_no_pca(folder):
    fit(folder, datasets.load("digits"), "linear_ae", {"n_components": 80, "epochs": 1})
    app = page("linear", size="80")
    assert "more numbers than the 64 pixels" in text(app)
    assert not [label for label in labels(app) if label.startswith("Train PCA")]


def test_without_a_linear_ae_or_pca_there_is_an_offer(folder):
    (folder / picked("pca", 10).key).unlink()
    app = page("linear")
    button(app, "Train PCA 10-D").click().run()
    assert [job.spec.method for job in jobs.jobs()] == ["pca"]
    (folder / picked("linear_ae").key).unlink()
    app = page("linear")
    assert "No linear AE of Digits 8x8 is trained at this code size yet" in text(app)
    button(app, "Train Linear AE 10-D").click().run()
    assert {job.spec.method for job in jobs.jobs()} == {"pca", "linear_ae"}


def test_small_numbers_are_told_without_powers_of_ten():
    assert [linear._small(value) for value in (12.34, 0.5, 0.0123, 0.00004567, 1e-9)] == [
        "12.34",
        "0.500",
        "0.012",
        "0.000046",
        "less than 0.000001",
    ]
