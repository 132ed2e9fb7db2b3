"""Distributions over codes against scikit-learn, and the scores of their samples."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from core import datasets
from core.analysis import samplers
from core.analysis.samplers import DESCRIPTIONS, GAUSSIAN, MIXTURE, NORMAL, CodeSampler
from core.errors import BadInput
from core.types import Measurement, Run, Spec


@pytest.fixture(scope="module")
def codes():
    """Three correlated modes far from the origin."""
    rng = np.random.default_rng(0)
    factor, middles = np.array([[2.0, 0.0], [1.5, 0.5]]), [(10, 0), (-20, 5), (0, 40)]
    return np.concatenate([np.array(middle) + rng.normal(size=(700, 2)) @ factor.T for middle in middles])


def test_a_mixture_is_scikit_learns(codes):
    ours = CodeSampler(MIXTURE, n_modes=3).fit(codes)
    theirs = GaussianMixture(3, reg_covar=1e-6 * codes.var(axis=0).mean(), random_state=0).fit(codes)
    covariances = ours.factors_ @ ours.factors_.transpose(0, 2, 1)
    np.testing.assert_allclose(covariances, theirs.covariances_, rtol=1e-8)
    drawn = ours.sample(20_000, random_state=1)
    assert theirs.score(drawn) == pytest.approx(theirs.score(theirs.sample(20_000)[0]), abs=0.05)
    shares = np.bincount(theirs.predict(drawn), minlength=3) / len(drawn)
    np.testing.assert_allclose(shares, theirs.weights_, atol=0.02)


def test_after_pca_one_gaussian_is_probabilistic_pca_within_its_subspace():
    X = datasets.load("digits").floats("train").astype(np.float64)
    pca = PCA(5).fit(X)
    drawn = pca.inverse_transform(CodeSampler(GAUSSIAN).fit(pca.transform(X)).sample(40_000, random_state=0))
    U = pca.components_
    within = U @ np.cov(drawn.T) @ U.T
    # scikit-learn's own covariance of Tipping and Bishop's model.
    np.testing.assert_allclose(within, U @ pca.get_covariance() @ U.T, atol=0.1 * pca.explained_variance_[0] / 5)
    assert np.trace(within) == pytest.approx(pca.explained_variance_.sum(), rel=0.03)


def test_seeds_temperature_and_restored_arrays(codes):
    for kind in DESCRIPTIONS:
        sampler = CodeSampler(kind).fit(codes)
        restored = CodeSampler(kind).restore(sampler.arrays())
        np.testing.assert_allclose(restored.sample(9, 5), sampler.sample(9, 5), rtol=1e-5, atol=1e-5)
        assert not np.array_equal(sampler.sample(9, 5), sampler.sample(9, 6))
        cold, warm, hot = (sampler.sample(200, 0, temperature=t) for t in (0.0, 1.0, 2.0))
        np.testing.assert_allclose(hot - cold, 2 * (warm - cold), atol=1e-9)
        assert len(np.unique(cold.round(9), axis=0)) <= len(sampler.weights_)


def test_samplers_whose_interval_meets_the_best_ones_are_tied():
    scores = {
        "a": Measurement(1, 0.5, 1.5),
        "b": Measurement(2, 1.5, 2.5),  # they touch
        "c": Measurement(3, 2.4, 3.5),  # meets b, not a
        "d": Measurement(4, 1.4, 6.6),
        "none": Measurement(0.1),  # without an interval it is not ranked
    }
    found = samplers.rank_samplers({name: {"frechet": score} for name, score in scores.items()})
    assert (found.order, found.tied, found.is_significant) == (tuple("abcd"), ("b", "d"), False)
    assert samplers.rank_samplers({name: {"frechet": scores[name]} for name in "ac"}).is_significant
    flagged = [name for name in "acd" if samplers.has_excess_copies({"copies": scores[name]}, scores["a"])]
    assert flagged == ["c"]


def test_a_sampler_is_the_one_that_was_stored(codes):
    fitted, decoder = CodeSampler(GAUSSIAN).fit(codes), SimpleNamespace(n_components=2)
    views = {f"sampler.{GAUSSIAN}.{name}": a for name, a in fitted.arrays().items()}
    run = Run(Spec("digits", "ae", ()), [], {}, {}, {}, views)
    found = samplers.restore_sampler(run, GAUSSIAN, decoder)
    np.testing.assert_allclose(found.sample(9, 5), fitted.sample(9, 5), rtol=1e-5, atol=1e-5)
    with pytest.raises(BadInput, match="holds no fitted distribution of its codes: train it again"):
        samplers.restore_sampler(run, MIXTURE, decoder)
    prior = samplers.restore_sampler(run, NORMAL, decoder)
    np.testing.assert_array_equal(prior.sample(5, 3), np.random.RandomState(3).standard_normal((5, 2)))
