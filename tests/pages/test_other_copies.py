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


def row(app, method):
    """What stands in the numbers of a method's row of Compare."""
    return app.body_with(f'"hg-method">{method}<')


def test_compare_marks_runs_on_another_copy_and_does_not_rank_them(newsgroups):
    app = opened("app.py")
    assert "own run" in row(app, "LSA")
    assert NOTE not in row(app, "LSA")
    assert NOTE in row(app, "AE")
    app.lack("On these").expect("evaluated on 40 test documents").lack('hg-best"')
    assert "Train AE again" in app.links()
    assert "Train LSA again" not in app.links()
    # The files change while the app runs.
    another_copy.documents(newsgroups, seed=1)
    app = opened("app.py")
    # No run is on this copy: the shipped ones come first, marked.
    app.lack("own run")
    assert app.read_text().count(NOTE) == 2
    app.lack("On these").expect("On the rows of the other copy")


def test_documents_and_embeddings_show_runs_on_this_copy(newsgroups):
    app = opened("pages/documents.py", section="retrieval")
    (chart,) = app.get("plotly_chart")
    assert "LSA 2-D" in chart.proto.spec
    assert "AE 2-D" not in chart.proto.spec
    assert "LSA 50-D" not in chart.proto.spec
    app = opened("pages/embeddings.py")
    maps = app.field("Maps")
    assert maps.value == [f"{specs.make('newsgroups', 'lsa', {'n_components': 2}).key}:direct"]
    assert "AE 2-D (another copy)" in maps.options
