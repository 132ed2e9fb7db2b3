"""Reconstructions: error by dimensions, depth, and linear AE and PCA, on small runs; trainings of what is missing."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from core import datasets
from core.metrics import bootstrap, linear_ae_vs_pca, pca_spectrum
from core.metrics.linear_ae_vs_pca import LinearPair
from core.runs import layout, presets, reader, selection, specs, store
from core.tasks import queue, worker_process
from tests.pages.conftest import button, clear_caches, fit, opened_on, segments, shown_text, stored, text_of
from tests.pages.test_export import saved

PAGE = "pages/reconstructions.py"


@pytest.fixture
def folder(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """Links to the fitted runs, so that trainings asked for here do not stay; no worker ever starts."""
    for place in layout.iterate_places(fitted):
        (tmp_path / place.name).symlink_to(place)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    clear_caches()
    return tmp_path


def page(section: str, **query: str) -> AppTest:
    app = opened_on(PAGE, **{"data": "digits", "size": "10", "section": section, **query})
    assert not app.exception
    return app


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def trace(chart: dict, name: str) -> dict:
    return next(trace for trace in chart["data"] if trace.get("name") == name)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def set_size(app: AppTest, size: str) -> None:
    app.text_input(key=f"{PAGE}:train-size").set_value(size).run()
    assert not app.exception


def rewrite(folder, run, **changes) -> None:
    """Put a changed copy of a run in its place."""
    arrays = reader.read_weights(store.find_place(run.key))
    store.find_place(run.key).unlink()
    store.write_run(replace(run, **changes), arrays, folder)


# --- Error by dimensions ------------------------------------------------------------------------------------------


def test_size_chart_shows_exact_pca_and_each_run(folder):
    app = page("size")
    (chart,) = charts(app)
    assert len(trace(chart, "PCA (exact)")["x"]["bdata"]) > 64
    runs = [run for run in store.list_runs()[0] if run.spec.dataset == "digits" and run.spec.method == "ae"]
    assert len(trace(chart, "AE")["y"]) == len(runs) == 3
    assert all("own run" in about and "n = 500 test images" in about for about in trace(chart, "AE")["text"])

    best = min(run.metrics["squared_error"].value for run in runs if selection.code_size(run) == 10)
    exact = pca_spectrum.pca_error_by_size(datasets.load("digits"))
    n_components = pca_spectrum.find_size(exact, best)
    html = next(element.proto.body for element in app.get("html") if "code-sizes-table" in element.proto.body)
    head, *lines = saved(html)
    rows = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    assert float(rows["10"]["AE error"]) == best
    assert int(rows["10"]["PCA components for AE error"]) == n_components
    assert float(rows["30"]["PCA error"]) == pytest.approx(exact[30], rel=1e-5)
    assert rows["30"]["AE error"] == ""
    first = pca_spectrum.find_size(exact, stored("ae", 2).metrics["squared_error"].value)
    assert (
        "Squared error of the test images of Digits 8x8 by number of latent dimensions. PCA needs "
        f"{first} and {n_components} components to match the AE at 2 and 10 dimensions."
    ) in text_of(app)


def test_a_missing_size_is_trained_with_the_preset(folder):
    app = page("size")
    set_size(app, "7")
    segments(app, "Method").set_value("vae").run()
    button(app, "Train VAE 7-D").click().run()
    assert not app.exception
    (job,) = queue.list_tasks()
    settings = {**presets.list_presets("digits", "vae", 7)[presets.SECONDS], "n_components": 7}
    assert job.spec == specs.make("digits", "vae", settings)
    assert "VAE 7-D with these settings is being trained" in text_of(app)
    assert any("number 1 in the queue" in bar.proto.text for bar in app.get("progress"))
    assert "run" not in app.query_params


def test_size_form_refuses_what_can_not_be_trained(folder):
    app = page("size")
    set_size(app, "many")
    assert "a whole number from 1 to 256" in text_of(app)
    assert not [label for label in labels(app) if label.startswith("Train")]
    set_size(app, "200")
    assert "Train AE 200-D" in labels(app)
    segments(app, "Method").set_value("pca").run()
    assert "64, the number of pixels" in text_of(app)
    set_size(app, "10")
    assert "PCA 10-D with these settings is in the chart" in text_of(app)
    assert not [label for label in labels(app) if label.startswith("Train PCA")]


def test_lecture_figure_trains_what_is_missing(folder, monkeypatch):
    monkeypatch.setattr(datasets, "is_available", lambda name: name != "frey")
    app = page("size")
    app.session_state[f"{PAGE}:thirty"] = True
    app.run()
    assert "MNIST digits, 30-D: AE and PCA not trained yet" in text_of(app)
    segments(app, "Images").set_value("frey").run()
    button(app, "Train AE and PCA").click().run()
    assert not app.exception
    faces = {specs.make(d, m, p, 0, of) for d, m, of, p in presets.FACES if d == "frey" and p["n_components"] == 30}
    assert {job.spec for job in queue.list_tasks()} == faces


def test_lecture_figure_shows_published_and_shipped_errors(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page("size", data="mnist", size="30")
    app.session_state[f"{PAGE}:thirty"] = True
    text = text_of(app.run())
    assert not app.exception
    assert "autoencoder 3.00" in text
    assert "PCA 13.87." in text
    # Our PCA on the same rows reproduces the published error.
    assert "squared error 13.87" in text
    assert "n = 10,000 test images" in text


# --- Depth --------------------------------------------------------------------------------------------------------


def test_missing_depths_are_trained_together(folder):
    app = page("depth")
    assert "(1 of 4 are trained)" in text_of(app)
    button(app, "Train 3 missing").click().run()
    assert not app.exception
    expected = {specs.make("digits", "ae", params) for params in presets.depths("digits", 10)}
    assert {job.spec for job in queue.list_tasks()} == expected
    assert "Train 3 missing" not in labels(app)
    assert len(app.get("progress")) == 3


def test_depths_are_compared_by_paired_intervals(folder, monkeypatch):
    tiny = [{"n_components": 10, "epochs": 4, "width": 32, "layers": n} for n in (1, 2, 3)]
    monkeypatch.setattr(presets, "depths", lambda dataset, size: tiny)
    digits = datasets.load("digits")
    runs = [stored("linear_ae"), *(fit(folder, digits, "ae", params, first_only=True) for params in tiny)]
    app = page("depth")
    html = next(element.proto.body for element in app.get("html") if "hg-depths" in element.proto.body)
    head, *lines = saved(html)
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    is_decrease = []
    for (before, after), row in zip(pairwise(runs), rows[1:], strict=True):
        low, high = bootstrap.paired_difference_interval(
            after.views["rows.squared_error"], before.views["rows.squared_error"]
        )
        change = after.metrics["squared_error"].value - before.metrics["squared_error"].value
        assert [float(row[f"Change{end}"]) for end in ("", " low", " high")] == pytest.approx([change, low, high])
        is_decrease.append(high < 0)
    assert [int(row["Parameters"]) for row in rows] == [run.metrics["weights"].value for run in runs]
    assert ("each added layer lowers the error significantly" in text_of(app)) == all(is_decrease)
    (chart,) = charts(app)
    assert chart["data"][0]["x"] == ["Linear AE", "1 hidden layer", "2 hidden layers", "3 hidden layers"]
    assert chart["data"][0]["y"] == pytest.approx([run.metrics["squared_error"].value for run in runs])
    assert shown_text(app).count('alt="3 hidden layers"') == 2


# --- Linear AE and PCA --------------------------------------------------------------------------------------------


def test_linear_ae_shows_its_convergence_to_pca(folder):
    app = page("linear")
    last = stored("linear_ae").history[-1]
    angles, excess = charts(app)
    assert [trace["name"] for trace in angles["data"]] == ["largest", "mean"]
    assert excess["data"][0]["name"] == "excess error"
    assert (
        f"After {last['epoch']} epochs on Digits 8x8, the largest of the 10 principal angles between the two subspaces "
        f"is {last['largest_angle']:.2f}°"
    ) in text_of(app)


def test_rotation_keeps_the_error(folder):
    app = page("linear")
    pair = LinearPair.from_arrays(reader.read_weights(store.find_place(stored("linear_ae").key)))
    error = linear_ae_vs_pca.squared_error(pair, datasets.load("digits").floats("test"))
    for share in (0, 35, 100):
        app.slider(key=f"{PAGE}:turn").set_value(share).run()
        assert not app.exception
        assert f"<b>{error:.6f}</b>" in shown_text(app)
