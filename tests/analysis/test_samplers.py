import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture

from core import datasets
from core.analysis.samplers import DESCRIPTIONS, GAUSSIAN, MIXTURE, NORMAL, STANDARDISED, CodeSampler
from core.errors import BadInput


@pytest.fixture(scope="module")
def codes():
    """Three correlated modes far from the origin."""
    rng = np.random.default_rng(0)
    factor = np.array([[2.0, 0.0], [1.5, 0.5]])
    middles = np.array([[10.0, 0.0], [-20.0, 5.0], [0.0, 40.0]])
    return np.concatenate([middle + rng.normal(size=(700, 2)) @ factor.T for middle in middles])


def test_the_naive_prior_looks_at_no_code(codes):
    drawn = CodeSampler(NORMAL).fit(codes).sample(7, random_state=3)
    np.testing.assert_array_equal(drawn, np.random.RandomState(3).standard_normal((7, 2)))


def test_standardised_codes_have_mean_and_deviation_but_no_correlation(codes):
    drawn = CodeSampler(STANDARDISED).fit(codes).sample(50_000, random_state=0)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.4)
    np.testing.assert_allclose(drawn.std(axis=0), codes.std(axis=0), rtol=0.02)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.02


def test_one_gaussian_has_mean_and_covariance(codes):
    drawn = CodeSampler(GAUSSIAN).fit(codes).sample(100_000, random_state=0)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), rtol=0.05, atol=2)


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


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_the_same_seed_draws_the_same_codes_and_arrays_restore_them(kind, codes):
    sampler = CodeSampler(kind).fit(codes)
    again = CodeSampler(kind).restore(sampler.arrays())
    np.testing.assert_allclose(again.sample(9, 5), sampler.sample(9, 5), rtol=1e-5, atol=1e-5)
    assert not np.array_equal(sampler.sample(9, 5), sampler.sample(9, 6))


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_temperature_scales_deviations_and_nothing_else(kind, codes):
    sampler = CodeSampler(kind).fit(codes)
    cold, warm, hot = (sampler.sample(200, 0, temperature=t) for t in (0.0, 1.0, 2.0))
    np.testing.assert_allclose(hot - cold, 2 * (warm - cold), atol=1e-9)
    assert len(np.unique(cold.round(9), axis=0)) <= len(sampler.weights_)


def test_truncation_keeps_every_number_within_and_the_middle_as_it_was():
    sampler = CodeSampler(NORMAL).fit(np.zeros((2, 3)))
    drawn = sampler.sample(20_000, 0, truncation=1.0)
    assert np.abs(drawn).max() <= 1
    # The variance of a normal number that lies within one deviation.
    assert drawn.var() == pytest.approx(0.2911, abs=0.005)


def test_codes_that_have_collapsed_are_drawn_again():
    Z = np.zeros((50, 3))
    for kind in (STANDARDISED, GAUSSIAN, MIXTURE):
        np.testing.assert_allclose(CodeSampler(kind).fit(Z).sample(4, 0), 0, atol=0.01)


def test_a_code_of_one_number_is_drawn():
    Z = np.random.default_rng(0).normal(3, 2, (500, 1))
    for kind in DESCRIPTIONS:
        assert CodeSampler(kind).fit(Z).sample(4, 0).shape == (4, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda Z: CodeSampler("uniform").fit(Z), "no sampler 'uniform'"),
        (lambda Z: CodeSampler().fit(Z[:1]), "two or more"),
        (lambda Z: CodeSampler().fit(Z * np.nan), "finite"),
        (lambda Z: CodeSampler().fit(Z).sample(2, temperature=3.0), "temperature=3.0"),
        (lambda Z: CodeSampler().fit(Z).sample(2, temperature=np.nan), "temperature"),
        (lambda Z: CodeSampler().fit(Z).sample(2, truncation=0.0), "truncation=0.0"),
    ],
)
def test_what_can_not_be_drawn_is_refused(given, message, codes):
    with pytest.raises(BadInput, match=message):
        given(codes)


def test_an_unfitted_sampler_says_so():
    with pytest.raises(NotFittedError):
        CodeSampler().sample(3)
