"""Pages if the data set on this machine is another copy than that of its shipped runs."""

import pytest

from core import datasets
from core.runs import layout, specs
from tests import another_copy
from tests.pages.conftest import fit
from tests.pages.driver import opened_on

NOTE = "trained on another copy of 20 Newsgroups"


@pytest.fixture
def newsgroups(tmp_path, monkeypatch):
    """A copy of 20 Newsgroups, and an own run of LSA on it beside the shipped runs of the full set."""
    monkeypatch.setenv("HOURGLASS_DATA", str(another_copy.documents(tmp_path / "data")))
    fit(layout.runs_folder(), datasets.load("newsgroups"), "lsa", {"n_components": 2})
    return tmp_path / "data"


def opened(page, **query):
    return opened_on(page, data="newsgroups", size="2", **query)


def test_compare_marks_runs_on_another_copy_and_does_not_rank_them(newsgroups):
    app = opened("app.py")
    for method, is_own in (("LSA", True), ("AE", False)):
        numbers = app.body_with(f'"hg-method">{method}<')
        assert [mark in numbers for mark in ("own run", NOTE)] == [is_own, not is_own]
    app.lack("On these").expect("evaluated on 40 test documents").lack('hg-best"')
    assert "Train AE again" in app.links()
    assert "Train LSA again" not in app.links()
    # The files change while the app runs.
    another_copy.documents(newsgroups, seed=1)
    # No run is on this copy: the shipped ones come first, marked.
    app = opened("app.py").lack("own run", "On these").expect("On the rows of the other copy")
    assert app.read_text().count(NOTE) == 2


def test_documents_and_embeddings_show_runs_on_this_copy(newsgroups):
    (chart,) = opened("pages/documents.py", section="retrieval").charts()
    assert [name in str(chart) for name in ("LSA 2-D", "AE 2-D", "LSA 50-D")] == [True, False, False]
    maps = opened("pages/embeddings.py").field("Maps")
    assert maps.value == [f"{specs.make('newsgroups', 'lsa', {'n_components': 2}).key}:direct"]
    assert "AE 2-D (another copy)" in maps.options
