"""Quantities of the exercises against independent computations."""

import json

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.errors import BadInput
from core.lecture import quantities
from core.lecture.quantities import compute
from core.mechanisms import finished_games, linear_gaussian
from core.runs import selection
from core.semi_supervised import results

DIGITS = {"data": "digits", "size": 10}


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def test_errors_and_components_are_those_of_scikit_learn(digits):
    X, X_test = digits.floats("train"), digits.floats("test")
    pca = PCA(svd_solver="full").fit(X)
    codes = pca.transform(X_test)
    lost = np.square(codes).sum(0)[::-1].cumsum()[::-1] / len(X_test)  # without the first k components
    assert compute("reconstruction_error", {**DIGITS, "method": "pca"}) == pytest.approx(lost[10], rel=1e-4)
    of_ae = compute("reconstruction_error", {**DIGITS, "method": "ae"})
    assert compute("pca_dimensions", {**DIGITS, "method": "ae"}) == next(k for k in range(64) if lost[k] <= of_ae)
    neighbours = KNeighborsClassifier(15).fit(pca.transform(X)[:, :10], digits.y_train).predict(codes[:, :10])
    share = (neighbours == digits.y_test).mean()
    assert compute("knn_accuracy", {**DIGITS, "method": "pca"}) == pytest.approx(share, abs=1e-9)


def test_labels_needed_are_interpolated_between_means():
    rows = [json.loads(line) for line in (results.SHIPPED / "mnist.jsonl").read_text().splitlines()]
    mean = lambda approach, n: np.mean([r["error"] for r in rows if (r["method"], r["labels"]) == (approach, n)])
    counts = sorted({row["labels"] for row in rows if row["method"] == "network"})
    assert compute("test_error", {"data": "mnist", "approach": "network", "labels": 100}) == mean("network", 100)
    errors = [mean("network", n) for n in counts]
    assert errors == sorted(errors, reverse=True)
    expected = np.exp(np.interp(mean("fine_tuned", 100), errors[::-1], np.log(counts)[::-1]))
    about = {"data": "mnist", "approach": "fine_tuned", "baseline": "network", "labels": 100}
    assert compute("labels_needed", about) == pytest.approx(expected)


def test_contributing_pairs_are_counted_one_by_one():
    model, rng = linear_gaussian.make_example(3, 0.4), np.random.default_rng([5, 0])
    X, _ = model.sample(64, rng)
    norms = []
    for z in (Z := rng.standard_normal((40, 3))):
        residual = X - model.weights @ z
        likelihood = stats.norm.pdf(residual, scale=0.4).prod(1)
        by_weights, by_bias = residual[:, :, None] * z / 0.16, residual / 0.16
        length = np.sqrt(np.square(by_weights).sum((1, 2)) + np.square(by_bias).sum(1))
        norms.append((likelihood, length))
    likelihood, length = np.array(norms).transpose(1, 2, 0)  # (rows, codes)
    ordered = np.sort((likelihood / likelihood.sum(1, keepdims=True) * length).ravel())[::-1]
    n = 1 + int((ordered.cumsum() < 0.99 * ordered.sum()).sum())
    measured = compute("contributing_pairs", {"size": 3, "noise": 0.4, "codes": 40, "seed": 5})
    assert measured == pytest.approx(n / (64 * len(Z)))


def test_terms_of_the_bound_are_those_of_the_closed_form():
    for s in (0.5, 1.0, 2.0):
        gap = 0.5 * 4 * (s**2 - 1 - np.log(s**2))
        assert compute("elbo_term", {"term": "gap", "spread": s}) == pytest.approx(gap)
        terms = {term: compute("elbo_term", {"term": term, "spread": s}) for term in ("elbo", "log_marginal", "kl")}
        assert terms["log_marginal"] - terms["elbo"] == pytest.approx(gap)
        assert terms["kl"] >= 0


def test_active_dimensions_have_variances_above_the_threshold(digits):
    variances = PCA(svd_solver="full").fit(X := digits.floats("train")).explained_variance_ * (len(X) - 1) / len(X)
    for beta in (1.0, 8.0):
        found = compute("active_dimensions", {"beta": beta, "noise": 0.2})
        assert found == (variances > beta * 0.04).sum()


def test_variance_ratio_is_that_of_draws():
    eps = np.random.default_rng(0).standard_normal((400_000, 4))
    z = 1 + 0.5 * eps
    score, slope = np.square(z - 2).sum(1)[:, None] * eps / 0.5, 2 * (z - 2)
    measured = compute("variance_ratio", {"f": "quadratic", "a": 2.0, "size": 4, "sigma": 0.5})
    assert measured == pytest.approx(score.var(0).sum() / slope.var(0).sum(), rel=0.02)


def test_share_of_codes_in_the_region():
    codes = quantities.find_run("mnist", "ae", 2).views["map"].astype(float)
    about = {"data": "mnist", "method": "ae"}
    inside = (np.square(codes).sum(1) <= stats.chi2.ppf(0.95, 2)).mean()
    assert compute("codes_in_region", {**about, "what": "codes"}) == pytest.approx(inside)
    z = np.random.default_rng(0).standard_normal((200_000, 2)) - codes.mean(0)
    squared = np.einsum("ni,ij,nj->n", z, np.linalg.inv(np.cov(codes.T)), z)
    share = (squared <= stats.chi2.ppf(0.95, 2)).mean()
    assert compute("codes_in_region", {**about, "what": "prior"}) == pytest.approx(share, abs=0.003)


def test_fitted_gaussians_match_moments_or_are_minima():
    mean, deviation = (
        compute("fitted_gaussian", {"divergence": "forward", "value": value}) for value in ("mean", "deviation")
    )
    assert mean == pytest.approx(0.6 * -2 + 0.4 * 2, abs=1e-3)
    assert deviation**2 == pytest.approx(0.6 * (0.64 + 4) + 0.4 * (0.36 + 4) - mean**2, abs=1e-3)
    p = lambda x: 0.6 * stats.norm.pdf(x, -2, 0.8) + 0.4 * stats.norm.pdf(x, 2, 0.6)

    def reverse_kl(mean, deviation):
        q = stats.norm(mean, deviation).pdf
        ends = mean - 8 * deviation, mean + 8 * deviation
        return integrate.quad(lambda x: q(x) * np.log(q(x) / p(x)), *ends)[0]

    best = [compute("fitted_gaussian", {"divergence": "reverse", "value": value}) for value in ("mean", "deviation")]
    value = compute("fitted_gaussian", {"divergence": "reverse", "value": "divergence"})
    assert value == pytest.approx(reverse_kl(*best), abs=1e-4)
    assert all(reverse_kl(best[0] + a, best[1] + b) > value for a, b in ((0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)))


def test_stored_scores_are_read_from_the_run_that_the_page_shows():
    run = quantities.find_run("mnist", "ae", 10)
    assert selection.code_size(run) == 10
    about = {"data": "mnist", "method": "ae", "size": 10}
    assert compute("frechet_distance", {**about, "codes": "normal"}) == run.metrics["normal.frechet"].value
    vae = compute("samples_score", {"model": "vae", "score": "inside"})
    assert 0 < vae < compute("samples_score", {"model": "gan", "score": "inside"}) < 1


def test_scores_of_finished_games():
    game = finished_games.read_finished("works")
    assert abs(game.js_estimate.deviation(compute("game_score", {"preset": "works", "value": "js"}))) < 4
    # Nobody tells apart what D answers 1/2 to: its cross entropy is then 2 log 2.
    answers = [compute("game_score", {"preset": "works", "value": name}) for name in ("on_real", "on_generated")]
    assert answers == pytest.approx([0.5, 0.5], abs=0.05)
    assert game.history["D"][-50:].mean() == pytest.approx(2 * np.log(2), abs=0.05)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("knn_accuracy", {"data": "mnist", "method": "pca"}),
        ("knn_accuracy", {"data": "mnist", "method": "pca", "size": 0}),
        ("knn_accuracy", {"data": "mnist", "method": "pca", "size": 2, "k": 3}),
        ("knn_accuracy", {"data": "mnist", "method": "tsne", "size": 2}),
        ("knn_accuracy", {"data": "no-data", "method": "pca", "size": 2}),
        ("knn_accuracy", {"data": "mnist", "method": "pca", "size": 7}),
        ("frechet_distance", {"data": "mnist", "method": "pca", "size": 2, "codes": "mixture"}),
        ("reconstruction_error", {"data": "mnist", "method": "gan", "size": 2}),
        ("test_error", {"data": "mnist", "approach": "network", "labels": 7}),
        ("labels_needed", {"data": "mnist", "approach": "x", "baseline": "network", "labels": 100}),
        ("test_error", {"data": "../" * 99, "approach": "network", "labels": 100}),
        ("elbo_term", {"term": "gap", "spread": float("nan")}),
        ("samples_score", {"model": "gan", "score": "modes", "data": "ring", "steps": 7}),
        ("samples_score", {"model": "ae", "score": "modes"}),
        ("game_score", {"preset": "own", "value": "js"}),
        ("game_score", {"preset": "density", "value": "on_real"}),
    ],
)
def test_a_quantity_that_can_not_be_computed_is_refused_in_words(name, parameters):
    with pytest.raises(BadInput):
        compute(name, parameters)
