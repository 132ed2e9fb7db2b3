"""Slides 3 to 8 of the tour: the numbers of their findings, each computed here another way."""

import json
import re
from html import unescape

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from core import datasets
from core.datasets import embedded_samples
from core.runs import layout, presets, reader, specs
from core.semi_supervised import results
from pages.ui.reconstructions import lecture_figure
from pages.ui.shared import header
from pages.ui.tour import steps
from tests.pages import linked_maps
from tests.pages.driver import opened_on


def read_finding(name: str, **choices: str) -> tuple[str, list[float]]:
    """The sentence under the picture of a step, and its numbers."""
    number = next(k for k, step in enumerate(steps.STEPS, 1) if step.name == name)
    page = opened_on(header.TOUR, step=str(number), **{f"{name}.{key}": value for key, value in choices.items()})
    text = unescape(re.sub("<.*?>", "", page.body_with("hg-settled")))
    return text, [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def read_run(dataset: str, method: str, size: int, position: int = 0):
    found = [r for r in presets.RUNS if r[:2] == (dataset, method) and r[2]["n_components"] == size]
    return reader.read_run(layout.place_of(layout.SHIPPED, specs.make_from_settings(*found[position])))


def project(pca, X: np.ndarray) -> np.ndarray:
    """The squared distance of each row, (n,), to the subspace of a PCA, by an orthonormal basis of its axes."""
    axes = np.linalg.qr(pca.components_.T.astype(float))[0]
    centred = X - pca.mean_
    return ((centred - centred @ axes @ axes.T) ** 2).sum(axis=1)


def test_slide_3_has_the_errors_of_the_image():
    _, (error, _, _, n, mean, *_) = read_finding("unsupervised", digit="4")
    sample, run = embedded_samples.read_sample("mnist-sample"), read_run("mnist", "pca", 2)
    row = next(row for row in run.views["strip_rows"] if sample["y_test"][sample["rows_test"] == row] == 4)
    x = sample["x_test"][sample["rows_test"] == row].reshape(1, -1) / 255
    pca = reader.read_estimator(layout.place_of(layout.SHIPPED, specs.make("mnist", "pca", {"n_components": 2})))
    assert error == pytest.approx(project(pca, x)[0], abs=0.01)
    assert (n, mean) == (10_000, pytest.approx(run.views["rows.squared_error"].mean(), abs=0.01))


def test_slides_4_and_5_count_the_nearest_codes():
    _, (size, error, n, mean, asked, same) = read_finding("features", digit="9")
    run = read_run("mnist", "ae", 10)
    at = next(k for k, row in enumerate(run.views["shown_rows"]) if row in run.views["strip_rows"] and is_nine(run, k))
    near = NearestNeighbors(n_neighbors=11).fit(run.views["codes"].astype(np.float32))
    found = near.kneighbors(run.views["codes"][[at]].astype(np.float32), return_distance=False)[0]
    assert (size, n, asked) == (10, 10_000, 10)
    assert same == (run.views["labels"][found[found != at]] == 9).sum()
    errors = run.views["rows.squared_error"]
    assert (error, mean) == pytest.approx((errors[run.views["shown_rows"][at]], errors.mean()), abs=0.01)


def is_nine(run, k: int) -> bool:
    """Whether row `k` of the map is the first nine in the strip of reconstructions."""
    rows, labels = run.views["shown_rows"], run.views["labels"]
    nines = [row for row in run.views["strip_rows"] if labels[np.searchsorted(rows, row)] == 9]
    return rows[k] == nines[0]


def test_slide_6_has_the_errors_of_pca_and_of_the_paper():
    text, (size, ae, pca, ratio, n, *_) = read_finding("linear")
    assert (size, n) == (30, 10_000)
    assert pca == 13.87, "as published on the same test images"
    assert ae < 3.00, "published"
    assert ratio == pytest.approx(pca / ae, abs=0.1)
    assert "The Linear AE has as much as PCA" in text
    text, (size, ae, pca, n) = read_finding("linear", of="olivetti")
    assert (size, n) == (30, 80)
    assert "not significantly different" in text
    if datasets.is_available("olivetti"):
        faces = datasets.load("olivetti", held_out="people", fold=0, copies=0)
        place = layout.place_of(layout.SHIPPED, lecture_figure.make_spec("olivetti", "pca"))
        assert pca == pytest.approx(project(reader.read_estimator(place), faces.floats("test")).mean(), abs=0.01)


def test_slide_7_has_the_accuracies_of_lsa_and_of_the_ae():
    text, (_, ae, n, lsa, largest) = read_finding("documents")
    assert "not significantly" not in text
    assert n == 2189
    assert largest == pytest.approx(100 * 1083 / 2189, abs=0.2), "earn"
    assert ae == pytest.approx(100 * read_run("reuters-r8", "ae", 2).views["rows.knn_accuracy"].mean(), abs=0.06)
    if datasets.is_available("reuters-r8"):
        news = datasets.load("reuters-r8")
        weights = TfidfTransformer(sublinear_tf=True).fit(news.X_train)
        svd = TruncatedSVD(2, algorithm="arpack", random_state=0)
        codes = svd.fit_transform(weights.transform(news.X_train))
        nearest = KNeighborsClassifier(15).fit(codes, news.y_train)
        assert lsa == pytest.approx(
            100 * nearest.score(svd.transform(weights.transform(news.X_test)), news.y_test), abs=1
        )


def test_stored_maps_are_drawn_without_the_documents(monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    app = opened_on("pages/documents.py", data="reuters-r8", size="2").expect("To open one, put r8-train")
    header, arrays = linked_maps.message(app)
    assert (linked_maps.titles(app), header["bare"]) == (["LSA", "AE"], True)
    assert {arrays[name].size for name in ("map0", "map1")} == {2 * arrays["rows"].size}


@pytest.mark.parametrize("n", [100, 1000])
def test_slide_8_has_the_errors_of_the_stored_results(n):
    _, (labels, ours, baseline, gap, level, low, high, seeds) = read_finding("labels", labels=str(n))
    lines = map(json.loads, results.results_path("mnist", results.SHIPPED).read_text().splitlines())
    errors = {(row["method"], row["seed"]): 100 * row["error"] for row in lines if row["labels"] == n}
    a, b = (np.array([e for (name, _), e in sorted(errors.items()) if name == m]) for m in ("fine_tuned", "network"))
    interval = stats.ttest_rel(b, a).confidence_interval()
    assert (labels, level, seeds) == (n, 95, len(a))
    expected = a.mean(), b.mean(), (b - a).mean(), interval.low, interval.high
    assert (ours, baseline, gap, low, high) == pytest.approx(expected, abs=0.051)


def test_slide_8_says_what_to_look_for_as_it_is():
    """The difference shrinks with more labels, and features that are not fine-tuned are worse from 600 labels on."""
    lines = [json.loads(line) for line in results.results_path("mnist", results.SHIPPED).read_text().splitlines()]
    counts = sorted({row["labels"] for row in lines if row["method"] == "fine_tuned"})
    scratch, features, tuned = (
        np.array([np.mean([r["error"] for r in lines if (r["method"], r["labels"]) == (name, n)]) for n in counts])
        for name in ("network", "ae", "fine_tuned")
    )
    assert counts == [100, 600, 1000, 3000]
    assert (np.diff(scratch - tuned) < 0).all()
    assert (features > scratch).tolist() == [False, True, True, True]
