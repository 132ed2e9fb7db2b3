"""Reconstructions: error by dimensions, depth, and linear AE and PCA, on small runs; trainings of what is missing."""

from itertools import pairwise

import numpy as np
import pytest

from core import datasets
from core.metrics import bootstrap, pca_spectrum
from core.metrics.linear_ae_vs_pca import LinearPair
from core.runs import presets, reader, selection, specs, store
from core.tasks import queue
from tests.pages.conftest import fit, stored
from tests.pages.test_reconstructions import page, table


def test_size_chart_shows_exact_pca_and_each_run(folder):
    app = page("size")
    (chart,) = app.charts()
    traces = {trace.get("name"): trace for trace in chart["data"]}
    assert len(traces["PCA (exact)"]["x"]["bdata"]) > 64
    runs = [run for run in store.list_runs()[0] if run.spec.dataset == "digits" and run.spec.method == "ae"]
    assert len(traces["AE"]["y"]) == len(runs) == 3
    assert all("own run" in about and "n = 500 test images" in about for about in traces["AE"]["text"])
    exact = pca_spectrum.pca_error_by_size(datasets.load("digits"))
    best = {n: min(r.metrics["squared_error"].value for r in runs if selection.code_size(r) == n) for n in (2, 10)}
    needed = {n: pca_spectrum.find_size(exact, error) for n, error in best.items()}
    rows = {row["Latent dimensions"]: row for row in table(app, "code-sizes-table")}
    assert float(rows["10"]["AE error"]) == best[10]
    assert int(rows["10"]["PCA components for AE error"]) == needed[10]
    assert float(rows["30"]["PCA error"]) == pytest.approx(exact[30], rel=1e-5)
    assert rows["30"]["AE error"] == ""
    app.expect(
        "Squared error of the test images of Digits 8x8 by number of latent dimensions. PCA needs "
        f"{needed[2]} and {needed[10]} components to match the AE at 2 and 10 dimensions."
    )


def test_a_missing_size_is_trained_with_the_preset(folder):
    app = page("size").fill("train-size", "many").expect("a whole number from 1 to 256")
    app.fill("train-size", "200").fill("Method", "pca").expect("64, the number of columns")
    app.fill("train-size", "10").expect("PCA 10-D with these settings is in the chart")
    assert not any(label.startswith("Train PCA") for label in app.labels())
    app.fill("train-size", "7").fill("Method", "vae").press("Train VAE 7-D")
    (job,) = queue.list_tasks()
    settings = {**presets.list_presets("digits", "vae", 7)[presets.SECONDS], "n_components": 7}
    assert job.spec == specs.make("digits", "vae", settings)
    app.expect("VAE 7-D with these settings is being trained")
    assert any("number 1 in the queue" in bar.proto.text for bar in app.get("progress"))
    assert "run" not in app.query_params


def test_lecture_figure_trains_what_is_missing(folder, monkeypatch):
    monkeypatch.setattr(datasets, "is_available", lambda name: name != "frey")
    app = page("size").set_state("thirty").expect("MNIST digits, 30-D: AE and PCA not trained yet")
    app.fill("Images", "frey").press("Train AE and PCA")
    faces = {specs.make(d, m, p, 0, of) for d, m, of, p in presets.FACES if d == "frey" and p["n_components"] == 30}
    assert {job.spec for job in queue.list_tasks()} == faces


def test_lecture_figure_shows_published_and_shipped_errors(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page("size", data="mnist", size="30").set_state("thirty").expect("autoencoder 3.00", "PCA 13.87.")
    # Our PCA on the same rows reproduces the published error.
    app.expect("squared error 13.87", "n = 10,000 test images")


def test_missing_depths_are_trained_together(folder):
    app = page("depth").expect("(1 of 4 are trained)").press("Train 3 missing")
    expected = {specs.make("digits", "ae", params) for params in presets.depths("digits", 10)}
    assert {job.spec for job in queue.list_tasks()} == expected
    assert "Train 3 missing" not in app.labels()
    assert len(app.get("progress")) == 3


def test_depths_are_compared_by_paired_intervals(folder, monkeypatch):
    tiny = [{"n_components": 10, "epochs": 4, "width": 32, "layers": n} for n in (1, 2, 3)]
    monkeypatch.setattr(presets, "depths", lambda dataset, size: tiny)
    digits = datasets.load("digits")
    runs = [stored("linear_ae"), *(fit(folder, digits, "ae", params, first_only=True) for params in tiny)]
    app = page("depth")
    rows, is_decrease = table(app, "hg-depths"), []
    for (before, after), row in zip(pairwise(runs), rows[1:], strict=True):
        errors = [run.views["rows.squared_error"].astype(float) for run in (after, before)]
        low, high = bootstrap.paired_difference_interval(*errors)
        expected = [errors[0].mean() - errors[1].mean(), low, high]
        assert [float(row[f"Change{end}"]) for end in ("", " low", " high")] == pytest.approx(expected, rel=1e-4)
        is_decrease.append(high < 0)
    assert [int(row["Parameters"]) for row in rows] == [run.metrics["weights"].value for run in runs]
    assert ("each added layer lowers the error significantly" in app.read_text()) == all(is_decrease)
    (chart,) = app.charts()
    assert chart["data"][0]["y"] == pytest.approx([run.metrics["squared_error"].value for run in runs])
    assert app.read_html().count('alt="3 hidden layers"') == 2


def test_linear_ae_converges_to_pca_and_a_rotation_keeps_its_error(folder):
    app, run = page("linear"), stored("linear_ae")
    curves = [[trace["name"] for trace in chart["data"]] for chart in app.charts()]
    assert curves == [["largest", "mean"], ["excess error"]]
    last = run.history[-1]
    app.expect(
        f"After {last['epoch']} epochs on Digits 8x8, the largest of the 10 principal angles between the two subspaces "
        f"is {last['largest_angle']:.2f}°"
    )
    pair = LinearPair.from_arrays(reader.read_weights(store.find_place(run.key)))
    X = datasets.load("digits").floats("test")
    error = np.square(pair.reconstruct(pair.encode(X)) - X).sum(1).mean()
    for share in (0, 35, 100):
        app.fill("turn", share).expect(f"<b>{error:.6f}</b>")
