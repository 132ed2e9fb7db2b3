import subprocess
import sys

import pytest

from core.metrics import DEFINITIONS
from core.metrics.embedding import NEIGHBOURHOOD_ROWS

# fmt: off
SHOWN_BY_FIT = {
    "squared_error", "squared_error_per_class", "knn_accuracy", "probe_accuracy", "trustworthiness", "continuity",
    "neg_elbo", "neg_elbo_at_mean", "kl", "iw_bound", "frechet", "frechet_floor", "precision", "recall",
}
OF_CLUSTERS = {"silhouette", "kmeans_ari", "kmeans_nmi"}
OF_MAPS = {"map_knn_accuracy", "map_trustworthiness", "neighbour_overlap"}
# fmt: on


def test_every_number_that_fit_prints_is_defined():
    assert set(DEFINITIONS) >= SHOWN_BY_FIT


@pytest.mark.parametrize("key", DEFINITIONS)
def test_a_definition_is_complete_and_short_enough_for_a_tooltip(key):
    definition = DEFINITIONS[key]
    assert definition.key == key
    assert 0 < len(definition.label) <= 25
    assert definition.help.endswith(".")
    assert "{" not in definition.help
    assert len(definition.help) < 600


def test_every_number_of_clusters_and_of_maps_is_defined_with_its_interval_and_rows():
    assert set(DEFINITIONS) >= OF_CLUSTERS | OF_MAPS
    for key in OF_CLUSTERS | OF_MAPS:
        assert "2.5-97.5 % range of 1,000 bootstrap resamples" in DEFINITIONS[key].help
        assert "rows" in DEFINITIONS[key].help
    for key in ("silhouette", "map_trustworthiness"):
        assert f"{NEIGHBOURHOOD_ROWS:,} stratified" in DEFINITIONS[key].help
    for key in OF_MAPS:
        assert "rows drawn" in DEFINITIONS[key].help or "of those drawn" in DEFINITIONS[key].help


def test_clusters_stand_after_the_neighbourhoods():
    keys = list(DEFINITIONS)
    first = keys.index("continuity") + 1
    assert keys[first : first + 3] == ["silhouette", "kmeans_ari", "kmeans_nmi"]


def test_numbers_that_are_no_mean_over_rows_or_no_methods_own_are_never_ranked():
    for key in ("kmeans_ari", "kmeans_nmi", "neighbour_overlap"):
        assert DEFINITIONS[key].higher_is_better is None
    for key in ("silhouette", "map_knn_accuracy", "map_trustworthiness"):
        assert DEFINITIONS[key].higher_is_better is True


def test_bounds_seconds_and_weights_are_never_ranked():
    for key in ("neg_elbo", "neg_elbo_at_mean", "kl", "iw_bound", "frechet_floor", "seconds", "weights"):
        assert DEFINITIONS[key].higher_is_better is None
    assert DEFINITIONS["squared_error"].higher_is_better is False
    assert DEFINITIONS["knn_accuracy"].higher_is_better is True


def test_definitions_are_read_without_heavy_imports():
    code = "import sys, core.metrics; print(sorted({'torch', 'sklearn', 'scipy', 'streamlit'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )
