import subprocess
import sys

import pytest

from core.metrics import DEFINITIONS

# fmt: off
SHOWN_BY_FIT = {
    "squared_error", "squared_error_per_class", "knn_accuracy", "probe_accuracy", "trustworthiness", "continuity",
    "neg_elbo", "neg_elbo_at_mean", "kl", "iw_bound", "frechet", "frechet_floor", "precision", "recall",
}
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
