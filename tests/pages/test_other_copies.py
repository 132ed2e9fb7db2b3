"""Pages if the data set on this machine is another copy than that of its shipped runs."""

import pytest

from core import datasets
from core.runs import layout, specs
from tests import another_copy
from tests.pages.conftest import ROOT, AppTest, fit, shown_text

NOTE = "trained on another copy of 20 Newsgroups"


@pytest.fixture
def newsgroups(tmp_path, monkeypatch):
    """A copy of 20 Newsgroups, and an own run of LSA on it beside the shipped runs of the full set."""
    monkeypatch.setenv("HOURGLASS_DATA", str(another_copy.documents(tmp_path / "data")))
    fit(layout.runs_folder(), datasets.load("newsgroups"), "lsa", {"n_components": 2})
    return tmp_path / "data"


def opened(page, **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in {"data": "newsgroups", "size": "2", **query}.items():
        app.query_params[name] = value
    app.run()
    if page != "app.py":
        app.switch_page(page).run()
    assert not app.exception
    return app


def said(app):
    parts = (*app.warning, *app.error, *app.info, *app.caption)
    return "\n".join([shown_text(app), *(each.value for each in parts)]).replace("\\", "")


def row(app, method):
    """What stands in the numbers of a method's row of Compare."""
    found = [each.proto.body for each in app.get("html") if f'"hg-method">{method}<' in each.proto.body]
    assert len(found) == 1
    return found[0]


def test_compare_marks_runs_on_another_copy_and_does_not_rank_them(newsgroups):
    app = opened("app.py")
    assert "own run" in row(app, "LSA")
    assert NOTE not in row(app, "LSA")
    assert NOTE in row(app, "AE")
    assert "On these" not in said(app)
    assert "evaluated on 40 test documents" in said(app)
    assert 'hg-best"' not in shown_text(app)
    trained = [each.proto.label for each in app.get("page_link") if each.proto.label.startswith("Train ")]
    assert "Train AE again" in trained
    assert "Train LSA again" not in trained
    # The files change while the app runs.
    another_copy.documents(newsgroups, seed=1)
    app = opened("app.py")
    # No run is on this copy: the shipped ones come first, marked.
    assert "own run" not in said(app)
    assert said(app).count(NOTE) == 2
    assert "On these" not in said(app)
    assert "On the rows of the other copy" in said(app)


def test_documents_and_embeddings_show_runs_on_this_copy(newsgroups):
    app = opened("pages/documents.py", section="retrieval")
    (chart,) = app.get("plotly_chart")
    assert "LSA 2-D" in chart.proto.spec
    assert "AE 2-D" not in chart.proto.spec
    assert "LSA 50-D" not in chart.proto.spec
    app = opened("pages/embeddings.py")
    maps = next(each for each in app.multiselect if each.label == "Maps")
    assert maps.value == [f"{specs.make('newsgroups', 'lsa', {'n_components': 2}).key}:direct"]
    assert "AE 2-D (another copy)" in maps.options
