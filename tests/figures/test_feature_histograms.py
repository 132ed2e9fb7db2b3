import numpy as np
import pandas as pd
import pytest

from core.figures import feature_histograms, generated_samples


def test_histograms_have_one_set_of_bins_and_shares_of_all_known_values():
    rng = np.random.default_rng(0)
    real, generated = pd.Series(rng.normal(size=500)), pd.Series(rng.normal(3, 2, size=200))
    generated[:20] = np.nan
    histogram = feature_histograms.count_numbers(real, {"VAE": generated})
    assert (histogram.real.sum(), histogram.generated["VAE"].sum()) == pytest.approx((1, 1))
    inner = histogram.edges[1:-1]
    below = [(values.dropna().to_numpy()[:, None] < inner).mean(axis=0) for values in (real, generated)]
    np.testing.assert_allclose(np.cumsum(histogram.real)[:-1], below[0])
    np.testing.assert_allclose(np.cumsum(histogram.generated["VAE"])[:-1], below[1])


def test_rare_categories_are_counted_together_and_names_are_escaped():
    real = pd.Series([letter for k, letter in enumerate("abcdefghi") for _ in range(10 - k)] + [None])
    histogram = feature_histograms.count_categories(real.replace("b", "<b>"), {"<VAE>": pd.Series(["a", "new"])})
    assert histogram.bins == ("a", "<b>", "c", "d", "e", "f", "g", "others")
    assert histogram.real[-1] == pytest.approx((3 + 2) / 54)
    assert histogram.generated["<VAE>"].tolist() == [0.5, *[0.0] * 6, 0.5]
    styles = generated_samples.get_styles({"<VAE>": "vae"}, "dark")
    picture = feature_histograms.render_histogram(histogram, ("", ""), styles, "dark")
    assert "<b>" not in picture
    assert "&lt;b&gt;" in picture
