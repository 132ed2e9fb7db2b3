import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from core.metrics.table_samples import compare_correlations, marginal_distance


def test_numbers_differ_by_kolmogorov_smirnov_and_categories_by_total_variation():
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=300), rng.normal(0.5, 2, size=200)
    assert marginal_distance(real, generated) == pytest.approx(ks_2samp(real, generated).statistic)
    assert marginal_distance([0.0, 1.0, np.nan], [1.0, 0.0]) == 0
    assert marginal_distance(list("aabb"), ["a", "c", "c", None]) == pytest.approx((1 / 6 + 1 / 2 + 2 / 3) / 2)
    assert np.isnan(marginal_distance([np.nan], [1.0]))


def test_correlations_are_numpy_s_of_the_cells_that_are_there():
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4)) for _ in range(2))
    B[:, 3], owners = 7.0, np.array([0, 0, 1, 2])
    frames = [pd.DataFrame(X) for X in (A, B)]
    difference = compare_correlations(*frames, owners)
    expected = np.corrcoef(A, rowvar=False)
    expected[:3, :3] -= np.corrcoef(B[:, :3], rowvar=False)
    expected[owners[:, None] == owners] = np.nan
    np.testing.assert_allclose(difference, expected)
    frames[0].iloc[:20, 2] = np.nan
    first = np.corrcoef(A[20:, 0], A[20:, 2])[0, 1] - np.corrcoef(B[:, 0], B[:, 2])[0, 1]
    assert compare_correlations(*frames, owners)[0, 2] == pytest.approx(first)
    frames[0][2] = 1.0
    assert np.isnan(compare_correlations(*frames, owners)[0, 2])
