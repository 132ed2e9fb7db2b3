"""How columns of generated rows, and their correlations, differ from those of real rows."""

from typing import Any

import numpy as np
import pandas as pd


def marginal_distance(real: Any, generated: Any) -> float:
    """Largest difference of two shares, in [0, 1]; NaN without values.

    Of floats (n,), (m,) the Kolmogorov-Smirnov statistic: of the shares of rows up to a value. Of other values the
    total variation distance: of the shares of rows in any set of categories.
    """
    real, generated = pd.Series(real).dropna(), pd.Series(generated).dropna()
    if not len(real) or not len(generated):
        return np.nan
    if pd.api.types.is_float_dtype(real.dtype):
        from scipy.stats import ks_2samp

        return float(ks_2samp(real, generated, method="asymp").statistic)
    shares = [values.value_counts(normalize=True) for values in (real, generated)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def compare_correlations(real: pd.DataFrame, generated: pd.DataFrame, owners: np.ndarray) -> np.ndarray:
    """Pearson correlations of real minus those of generated rows, of cells that are there: (n_columns, n_columns).

    `owners` : (n_columns,) the feature of each column; pairs of one feature, and of a column that is constant among the
    real rows, are NaN. A column that is constant among the generated rows is correlated with none.
    """
    difference = (real.corr() - generated.corr().fillna(0)).to_numpy(copy=True)
    difference[owners[:, None] == owners] = np.nan
    return difference
