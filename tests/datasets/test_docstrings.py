"""The corpus of docstrings: what is harvested, how it is split and cached."""

import inspect
from pathlib import Path

import pytest
import sklearn.decomposition

from core import datasets
from core.datasets import docstring_parser, docstrings
from core.errors import DataUnavailable

LONG = " ".join(["word"] * docstrings.MIN_WORDS)

SOURCE = '''
"""Module."""

def _private():
    """Says nothing."""

class Thing:
    """A thing."""

    def method(self):
        """What it does."""

add_newdoc("library", "ufunc", """Compiled.""")
add_newdoc("library", "Thing", ("size", """Its size."""))
det = _add_docstr(_linalg.linalg_det, r"""Determinant """ + r"""{out}""".format(**common))
add_docstr_all("abs_", "In place.")
add_docstr(library._secret, "No.")
'''


def test_public_docstrings_are_harvested(tmp_path):
    library = tmp_path / "library"
    for place in ("part/_inner", "_internal", "part/tests"):
        (library / place).mkdir(parents=True)
        (library / place / "more.py").write_text(f'def seen():\n    """{place}"""\n')
    (library / "part" / "_code.py").write_text(SOURCE)
    harvested = {row["name"]: (row["package"], row["text"]) for row in docstring_parser.harvest(library)}
    texts = {
        "Thing": "A thing.",
        "Thing.method": "What it does.",
        "ufunc": "Compiled.",
        "Thing.size": "Its size.",
        "det": "Determinant {out}",
        "Tensor.abs_": "In place.",
        "seen": "part/_inner",
    }
    assert harvested == {f"library.part.{name}": ("library.part", text) for name, text in texts.items()}


def test_harvest_agrees_with_the_imported_library():
    harvest = docstring_parser.harvest(Path(sklearn.decomposition.__file__).parent)
    harvested = {row["name"]: row["text"] for row in harvest}
    assert harvested["decomposition.PCA.fit"] == inspect.getdoc(sklearn.decomposition.PCA.__dict__["fit"])


def test_selection_drops_short_texts_repeats_and_small_classes_and_splits_by_the_text():
    def rows(package, n, text=LONG):
        return [{"package": package, "name": f"{package}.f{k}", "text": f"{text} {k}"} for k in range(n)]

    kept = rows("numpy.linalg.deep", 4000)
    repeats = [{**kept[0], "name": "numpy.linalg.alias"}]
    others = rows("numpy.linalg", 100, "Too short") + rows("scipy.fft", docstrings.MIN_DOCUMENTS - 1, "other " + LONG)
    selected = docstrings.select_documents(kept + repeats + others)
    assert [row["title"] for row in selected] == [row["name"] for row in kept]
    assert {row["label"] for row in selected} == {"numpy.linalg"}
    assert [row["split"] for row in selected].count("test") / 4000 == pytest.approx(0.25, abs=0.03)
    classes = {"torch.nn.modules": "torch.nn", "pandas.core.arrays.sparse": "pandas.core.arrays", "numpy": "numpy"}
    assert {package: docstrings.get_subpackage(package) for package in classes} == classes


@pytest.mark.timeout(240)
def test_corpus_of_the_pinned_libraries_is_cached(loaded, monkeypatch):
    corpus = loaded("docstrings")
    assert 15 <= len(corpus.target_names) <= 30
    assert {name.split(".")[0] for name in corpus.target_names} == {"numpy", "scipy", "pandas", "sklearn", "torch"}
    assert "numpy.einsum" in corpus.titles_train + corpus.titles_test
    monkeypatch.setattr(docstrings, "harvest", lambda: pytest.fail("harvested again"))
    assert set(datasets.load("docstrings", vocabulary_size=50).vocabulary) < set(corpus.vocabulary)


def test_harvest_without_a_library_is_refused(monkeypatch):
    monkeypatch.setattr(docstrings, "LIBRARIES", ("no_such_library",))
    with pytest.raises(DataUnavailable, match="no_such_library is not installed"):
        docstrings.harvest()
