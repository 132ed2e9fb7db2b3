import subprocess
import sys

from core.metrics.definitions import DEFINITIONS, get_definition, get_interval
from core.types import DOCUMENTS, IMAGES, Measurement


def test_definitions_are_complete_and_short_enough_for_a_tooltip():
    for key, found in DEFINITIONS.items():
        assert found.key == key
        assert 0 < len(found.label) <= 25, key
        for kind in (IMAGES, DOCUMENTS):
            help = get_definition(key, kind).help
            assert help.endswith("."), key
            assert "{" not in help, key
            assert len(help) < 600, key
    # That of retrieval is never on a page without its n.
    labels = [each.label for each in DEFINITIONS.values() if each.key != "retrieval_precision"]
    assert len(set(labels)) == len(labels)


def test_definitions_import_nothing_heavy():
    code = "import sys, core.metrics.definitions; print({'torch', 'sklearn', 'scipy', 'streamlit'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "set()"


def test_intervals_end_where_their_number_can():
    ends = {"frechet": (-1.5, 4.0), "recall": (-0.1, 1.2), "neg_elbo": (-3.0, 5.0)}
    ends |= {"normal.precision": (0.9, 1.1), "unknown": (-1.0, 2.0)}
    metrics = {name: Measurement(0.95, *interval) for name, interval in ends.items()}
    expected = {"frechet": (0, 4), "recall": (0, 1), "neg_elbo": (-3, 5), "normal.precision": (0.9, 1)}
    expected |= {"unknown": (-1, 2), "squared_error": None}
    assert {name: get_interval(metrics, name) for name in expected} == expected
