"""Documents under AppTest: maps and the opened document, latent dimensions, retrieval, a query, measures."""

import base64
import re
from types import SimpleNamespace

import numpy as np
import pytest

from core import datasets
from core.analysis import keywords
from core.datasets import checksums
from core.runs import reader, specs, store
from pages.ui.documents import query_answers
from pages.ui.shared import cached
from tests.pages.conftest import HOSTILE, hostile_documents, weighted_lsa
from tests.pages.driver import opened_on
from tests.pages.linked_maps import choose, message, titles

PAGE = "pages/documents.py"
NETWORK = {"n_components": 2, "epochs": 2, "width": 32}
FITTED = {"lsa": {"n_components": 2}, "ae": NETWORK, "vae": NETWORK}


@pytest.fixture(autouse=True)
def texts(runs, computed, monkeypatch):
    """Documents with hostile titles and classes, and a cache of the test's own."""
    documents = hostile_documents()
    monkeypatch.setattr(datasets, "load", lambda name, **params: documents)
    monkeypatch.setattr(checksums, "READ", {})
    return documents


def page(**query: str):
    return opened_on(PAGE, **{"data": "docstrings", **query})


def estimator(method: str):
    return reader.read_estimator(store.find_place(specs.make("docstrings", method, FITTED[method]).key))


def test_first_view_is_maps_of_two_dimensions(texts):
    app = page()
    assert titles(app) == ["LSA 2-D", "AE 2-D", "VAE 2-D"]
    assert app.query() == {"data": "docstrings", "size": "2", "section": "maps"}
    assert [score[0] for score in message(app)[0]["maps"][0]["figures"]] == ["kNN accuracy", "Precision at 15"]
    app.expect("Each document's word counts, compressed to two dimensions: all 75 test documents of Docstrings, ")
    assert page(data="mnist").expect("which has no documents").selectbox[0].value == "docstrings"


def test_selected_document_has_the_words_of_each_reconstruction(texts):
    app = choose(page(), [5]).expect(texts.texts_test[5].split()[3], "nearest neighbours of test document 5")
    assert not re.search("<img src=x|<b>subject", app.read_html())
    counts = texts.X_test[[5]].toarray().ravel()
    # Stored codes are in half precision.
    codes = {method: estimator(method).transform(texts.floats("test")[[5]]).astype(np.float16) for method in FITTED}
    weights = [estimator(method).inverse_transform(Z.astype(np.float32))[0] for method, Z in codes.items()]
    inside = {texts.vocabulary[k] for k in np.flatnonzero(counts)}
    columns = app.body_with("hg-expected").split("<div><b>")[1:]
    for k, (column, expected) in enumerate(zip(columns, [counts, *weights], strict=True)):
        words = re.findall(r"<li><span( class=hg-in)?>(\w+)</span>", column)
        heaviest = keywords.find_heaviest_words(expected, texts.vocabulary, 15)
        assert [word for _, word in words] == [word for word, _ in heaviest]
        assert k == 0 or {word for bold, word in words if bold} == {word for _, word in words} & inside


def test_document_is_opened_by_title_and_at_random(texts):
    app = choose(page(), [3, 4, 9])
    box = app.selectbox(key=f"{PAGE}:open")
    assert HOSTILE in box.options[0]
    box.select_index(1).run().expect("Test document 4")
    assert message(app)[1]["selected"].tolist() == [3, 4, 9]
    opened = re.search(r"Test document \d+ ", app.press("by-chance").read_text())[0]
    page(**app.query()).expect(opened)
    rows = cached.load_rows("docstrings", (("vocabulary_size", 2000),), "test", 2000)
    rows.X[[5]] *= 0
    rows.X.eliminate_zeros()
    choose(app, [5], turn=2).expect("no word of the vocabulary")


def test_words_of_a_dimension_are_those_of_the_component(texts):
    app = page(section="axes", axis="2", along="100")
    direction = estimator("lsa")["svd"].components_[1]
    negative, positive = app.body_with("Most negative weights").split("Most positive weights")
    for part, order in ((positive, -direction), (negative, direction)):
        heaviest = {texts.vocabulary[k] for k in np.argsort(order, kind="stable")[:10]}
        assert set(re.findall(r"<span>(\w+)</span>", part)) == heaviest
    # Two epochs teach a network little, so its dimension may be unused.
    assert len(re.findall("Nearest documents|This dimension is unused", app.read_html())) == 3
    at_end = app.body_with("<b>At ")
    assert app.fill("along", 10).body_with("<b>At ") != at_end
    assert page(**app.query()).body_with("<b>At ") == app.body_with("<b>At ")
    wrong = "a dimension that a 2-D code does not have: 1 is shown", "a position that is not a whole number from 0 to"
    page(section="axes", axis="3", along="101").expect(*wrong)


def test_retrieval_curves_are_those_of_the_runs(texts):
    (figure,) = page(section="retrieval").expect("Precision at 15").charts()
    lines = {trace["name"]: trace for trace in figure["data"] if trace.get("showlegend", True)}
    assert list(lines) == ["LSA 2-D", "AE 2-D", "VAE 2-D", "tf-idf vectors"]
    views = reader.read_run(store.find_place(specs.make("docstrings", "ae", FITTED["ae"]).key)).views
    for name, view in (("AE 2-D", "retrieval.precision"), ("tf-idf vectors", "retrieval.tfidf")):
        np.testing.assert_allclose(unpack(lines[name]["y"]), views[view][:, 0], rtol=1e-6)


def unpack(sent) -> np.ndarray:
    """The numbers that plotly was sent, as a list or packed."""
    return np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"]) if isinstance(sent, dict) else np.array(sent)


def test_query_lists_documents_under_each_method(texts, monkeypatch):
    answers = SimpleNamespace(html="", opened=None)
    mount = lambda data, **_: setattr(answers, "html", data) or answers
    monkeypatch.setattr(query_answers, "get_component", lambda name, is_isolated: mount)
    page(section="query", query="nonsense <i>alert</i>").expect("no word of the vocabulary")
    assert not answers.html
    app = page(section="query", query="baword bbword all the nonsense")
    app.expect("<b>Known</b> baword, bbword", "<b>Unknown</b> nonsense", "<b>Ignored</b> all, the")
    columns = answers.html.split("<div><b>")[1:]
    assert [column.split("</b>")[0] for column in columns] == ["tf-idf vectors", "LSA", "AE", "VAE"]
    assert columns[0].count("&lt;b&gt;subject 1") == 10
    assert all(column.count("<li>") == 10 for column in columns)
    answers.opened = int(re.search(r'data-number="(\d+)"', answers.html)[1])
    app = page(section="query", query="baword nonsense").expect(f"Test document {answers.opened} ")
    marked = re.findall("<mark>(.*?)</mark>", app.body_with('class="hg-text"'))
    assert marked == re.findall(r"\bbaword\b", texts.texts_test[answers.opened])


def test_query_is_in_the_link_and_a_star_in_the_maps(texts):
    app = page(section="query").fill("query/docstrings", "caword")
    assert app.query()["query"] == "caword"
    page(**app.query()).expect("<b>Known</b> caword")
    assert app.press("Show in the maps").query()["section"] == "maps"
    assert np.isfinite([sent["star"] for sent in message(app)[0]["maps"]]).all()
    for without in (page(), page(query="nonsense")):
        assert all(sent.get("star") is None for sent in message(without)[0]["maps"])


def test_measures_are_of_the_methods_and_of_lsa_by_weighting(texts, own_copy):
    app = page(section="numbers").expect("Unigram perplexity")
    row = next(row for row in app.body_with("Perplexity").split("<tr>") if "<summary>Perplexity" in row)
    assert [("–" in cell) for cell in row.split("<td>")[1:]] == [True, False, False], "LSA has none"
    assert "Fit the missing ones" in app.labels()
    for weighting in ("log", "counts"):
        weighted_lsa(own_copy, weighting)
    app = page(section="numbers").expect(*(f"LSA ({name})" for name in ("tf-idf", "log counts", "raw counts")))
    assert "Fit the missing ones" not in app.labels()
