"""The corpus of docstrings: what is harvested, how it is split and kept."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from core import datasets
from core.datasets import docstrings, documents, download, harvest
from core.types import DataUnavailable

LONG = " ".join(["word"] * docstrings.MIN_WORDS)

SOURCE = '''
"""Module."""

def public():
    """Says something."""

def _private():
    """Says nothing."""

class Thing:
    """A thing."""

    def method(self):
        """What it does."""

    def _hidden(self):
        """No."""

def silent():
    pass

add_newdoc("library", "ufunc", """Compiled.""")
add_newdoc("library", "Thing", ("size", """Its size."""))
det = _add_docstr(_linalg.linalg_det, r"""Determinant """ + r"""{out}""".format(**common))
add_docstr_all("abs_", "In place.")
add_docstr(library._secret, "No.")
'''


def test_public_docstrings_are_found(tmp_path):
    library = tmp_path / "library"
    (library / "part" / "_inner").mkdir(parents=True)
    (library / "_internal").mkdir()
    (library / "part" / "tests").mkdir()
    (library / "part" / "_code.py").write_text(SOURCE)
    for place in ("part/_inner", "_internal", "part/tests"):
        (library / place / "more.py").write_text(f'def seen():\n    """{place}"""\n')
    found = {row["name"]: (row["package"], row["text"]) for row in harvest.harvest(library)}
    texts = {
        "public": "Says something.",
        "Thing": "A thing.",
        "Thing.method": "What it does.",
        "ufunc": "Compiled.",
        "Thing.size": "Its size.",
        "det": "Determinant {out}",
        "Tensor.abs_": "In place.",
        "seen": "part/_inner",
    }
    assert found == {f"library.part.{name}": ("library.part", text) for name, text in texts.items()}


def test_the_harvest_agrees_with_the_imported_library():
    import inspect

    import sklearn.decomposition

    library = Path(sklearn.__file__).parent
    tree = ast.parse((library / "decomposition" / "_pca.py").read_text("utf-8"))
    found = dict(harvest.docstrings(tree.body, "sklearn.decomposition"))
    estimator = sklearn.decomposition.PCA
    assert found["sklearn.decomposition.PCA"] == inspect.getdoc(estimator)
    assert found["sklearn.decomposition.PCA.fit"] == inspect.getdoc(estimator.__dict__["fit"])


def test_selection_drops_short_texts_repeats_and_small_classes():
    def row(package, n, text=LONG):
        return {"package": package, "name": f"{package}.f{n}", "text": f"{text} {n}"}

    enough = range(docstrings.MIN_DOCUMENTS)
    kept = [row("numpy.linalg.deep", n) for n in enough]
    repeats = [{**row("numpy.linalg", 0), "name": "numpy.linalg.alias"}]
    short = [row("numpy.linalg", n, "Too short") for n in enough]
    small = [row("scipy.fft", n, "other " + LONG) for n in range(docstrings.MIN_DOCUMENTS - 1)]
    selected = docstrings.select(kept + repeats + short + small)
    assert [r["title"] for r in selected] == [r["name"] for r in kept]
    assert {r["label"] for r in selected} == {"numpy.linalg"}


def test_the_class_is_the_subpackage():
    assert docstrings.subpackage("torch.nn.modules") == "torch.nn"
    assert docstrings.subpackage("pandas.core.arrays.sparse") == "pandas.core.arrays"
    assert docstrings.subpackage("numpy") == "numpy"


def test_the_split_is_the_texts_own():
    texts = [f"text {n}" for n in range(4000)]
    share = sum(docstrings.split(text) == "test" for text in texts) / len(texts)
    assert share == pytest.approx(0.25, abs=0.03)
    assert docstrings.split("text 1") == docstrings.split("text 1")


@pytest.mark.timeout(240)
def test_the_corpus_of_the_pinned_libraries(loaded):
    corpus = loaded("docstrings")
    n = corpus.X_train.shape[0] + corpus.X_test.shape[0]
    assert 4000 < n < 5000
    assert 15 <= len(corpus.target_names) <= 30
    assert set(corpus.texts_train).isdisjoint(corpus.texts_test)
    assert len(set(corpus.texts_train)) == len(corpus.texts_train)
    assert {name.split(".")[0] for name in corpus.target_names} == {"numpy", "scipy", "pandas", "sklearn", "torch"}
    assert "numpy.einsum" in corpus.titles_train + corpus.titles_test


@pytest.mark.timeout(240)
def test_the_corpus_is_kept_and_read_again(loaded, monkeypatch):
    first = loaded("docstrings")
    monkeypatch.setattr(docstrings, "harvest", lambda: pytest.fail("harvested again"))
    monkeypatch.setattr(documents, "count", lambda *_: pytest.fail("counted again"))
    again = datasets.load("docstrings", vocabulary_size=50)
    assert again.texts_train == first.texts_train
    assert again.titles_test == first.titles_test
    assert set(again.vocabulary) < set(first.vocabulary)
    assert datasets.load("docstrings").checksum == first.checksum


@pytest.fixture
def small_harvest(monkeypatch):
    found = [{"package": "numpy.ma", "name": f"numpy.ma.f{n}", "text": f"{LONG} {n}"} for n in range(200)]
    monkeypatch.setattr(docstrings, "harvest", lambda: found)


def test_nothing_is_kept_where_nothing_can_be(small_harvest, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "file")
    assert len(docstrings.corpus()) == 200
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_given_folder_is_left_alone(small_harvest, folder, tmp_path, monkeypatch):
    folder.mkdir()
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "cache")
    docstrings.corpus()
    assert list(folder.iterdir()) == []
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_damaged_cache_is_made_again(small_harvest, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path)
    rows = docstrings.corpus()
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(cached.read_bytes()[:-30])
    assert docstrings.corpus() == rows
    assert download.read_documents(cached) == rows


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(docstrings, "LIBRARIES", ("numpy", "no_such_library"))
    with pytest.raises(DataUnavailable, match="no_such_library is not installed"):
        docstrings.harvest()


def test_a_failing_harvest_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(docstrings, "HARVESTER", tmp_path / "absent.py")
    with pytest.raises(DataUnavailable, match="docstrings can't be read"):
        docstrings.harvest()


def test_harvesting_imports_no_library():
    code = f"import runpy, sys; runpy.run_path({str(docstrings.HARVESTER)!r}); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.timeout(240)
def test_what_is_kept_loads_without_scikit_learn(loaded, user_cache):
    loaded("docstrings")
    code = (
        "import sys; from pathlib import Path; from core import datasets; from core.datasets import download; "
        f"download.user_cache = lambda: Path({str(user_cache)!r}); "
        "datasets.load('docstrings'); print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
