"""Documents under AppTest: maps and the opened document, axes, retrieval, a query of one's own, numbers."""

import base64
import json
import re
import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import cache, datasets, meanings, methods, specs, store
from core.types import DataUnavailable
from pages.ui import axes, loaded
from pages.ui import runs as doors
from tests.pages.conftest import HOSTILE, hostile_documents, opened_on, shown_text, weighted_lsa
from tests.pages.linked_maps import choose, message, query, standing_out, titles

PAGE = "pages/documents.py"
METHODS = ("lsa", "ae", "vae")


@pytest.fixture(autouse=True)
def texts(runs, monkeypatch, tmp_path_factory):
    """Documents whose titles and classes are hostile, and a cache of the test's own."""
    made = hostile_documents()
    monkeypatch.setattr(datasets, "load", lambda name, **params: made)
    folder = tmp_path_factory.mktemp("computed")
    monkeypatch.setattr(cache, "folder", lambda: folder)
    doors = (loaded.dataset, loaded.rows_of, loaded.estimator, loaded.codes, axes._axis)
    for door in doors:
        door.clear()
    yield made
    for door in doors:
        door.clear()


def page(**query: str) -> AppTest:
    app = opened_on(PAGE, **{"data": "docstrings", **query})
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    parts = (*app.warning, *app.error, *app.info, *app.caption, *app.subheader)
    return "\n".join([shown_text(app), *(each.value for each in parts)]).replace("\\", "")


def estimator(method: str):
    return store.estimator(store.find(specs.make("docstrings", method, FITTED[method]).key))


FITTED = {
    "lsa": {"n_components": 2},
    "ae": {"n_components": 2, "epochs": 2, "width": 32},
    "vae": {"n_components": 2, "epochs": 2, "width": 32},
}


# --- Maps ---------------------------------------------------------------------------------------------------------


def test_opens_on_two_numbers_a_document(texts):
    app = page()
    assert titles(app) == ["LSA 2-D", "AE 2-D", "VAE 2-D"]
    assert query(app) == {"data": "docstrings", "size": "2", "section": "maps"}
    names = [figure[0] for figure in message(app)[0]["maps"][0]["figures"]]
    assert names == ["kNN accuracy", "Precision at 15"]
    assert "through two numbers: all 75 test documents" in said(app)


def test_only_data_sets_of_documents_are_offered(texts):
    assert page(data="mnist").selectbox[0].value == "docstrings"
    assert "which has no documents" in said(page(data="mnist"))


def test_a_click_opens_the_document_with_the_words_each_method_expects(texts):
    app = choose(page(), [5])
    text = said(app)
    assert texts.texts_test[5].split()[3] in text
    counts = texts.X_test[[5]].toarray().ravel()
    body = next(e.proto.body for e in app.get("html") if "hg-expected" in e.proto.body)
    columns = [re.findall(r"<li><span( class=hg-in)?>(\w+)</span>", part) for part in body.split("<div><b>")[1:]]
    assert [word for _, word in columns[0]] == [w for w, _ in meanings.heaviest(counts, texts.vocabulary, 15)]
    inside = {texts.vocabulary[k] for k in np.flatnonzero(counts)}
    for method, column in zip(METHODS, columns[1:], strict=True):
        fitted = estimator(method)
        # What is stored of the codes is in half precision.
        Z = fitted.transform(texts.floats("test")[[5]]).astype(np.float16).astype(np.float32)
        expected = meanings.heaviest(fitted.inverse_transform(Z)[0], texts.vocabulary, 15)
        assert [word for _, word in column] == [word for word, _ in expected]
        assert {word for bold, word in column if bold} == {word for _, word in column} & inside
    assert "nearest neighbours of test document 5" in text


def test_text_from_outside_is_shown_as_text(texts):
    text = shown_text(choose(page(), [5]))
    assert "<img src=x" not in text
    assert "<b>subject" not in text
    app = choose(page(), [0, 1, 2])
    assert HOSTILE in app.selectbox(key=f"{PAGE}:open").options[0]
    assert "<img src=x" not in shown_text(app)


def test_a_lasso_lists_titles_and_the_words_that_stand_out(texts):
    app = page()
    labels = message(app)[1]["labels"]
    choose(app, np.flatnonzero(labels == 1))
    words = standing_out(app)
    assert len(words) >= 8
    assert all(word.startswith("b") for word in words[:8])


def test_a_document_is_opened_by_its_title_and_by_chance(texts):
    app = choose(page(), [3, 4, 9])
    app.selectbox(key=f"{PAGE}:open").select_index(1).run()
    assert "Test document 4" in said(app)
    assert message(app)[0]["selected"] == [3, 4, 9]
    app.button(key=f"{PAGE}:by-chance").click().run()
    assert not app.exception
    first = re.search(r"Test document (\d+)", said(app))[1]
    assert f"Test document {first} " in said(page(**query(app)))


def test_a_document_without_a_known_word_says_so(texts, monkeypatch):
    app = page()
    rows = loaded.rows_of("docstrings", (("vocabulary_size", 2000),), "test", 2000)
    rows.X[[5]] *= 0
    rows.X.eliminate_zeros()
    assert "none of its words is in the vocabulary" in said(choose(app, [5]))


def test_a_run_of_another_copy_of_the_data_is_not_shown(texts, monkeypatch):
    object.__setattr__(texts, "checksum", "0" * 64)
    app = page()
    assert all("another copy of the data" in each["absent"] for each in message(app)[0]["maps"])


def test_data_that_are_not_here_leave_what_was_measured(texts, monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda name: False)
    assert "is not on this machine yet" in said(page())
    app = page(section="numbers")
    assert "kNN accuracy" in shown_text(app)


def test_data_that_can_t_be_read_are_a_sentence(texts, monkeypatch):
    def broken(name, **params):
        raise DataUnavailable("The file is cut short: delete it.")

    monkeypatch.setattr(datasets, "load", broken)
    for section in ("maps", "axes", "query"):
        assert "The file is cut short" in said(page(section=section))


# --- What an axis means -------------------------------------------------------------------------------------------


def test_the_axis_is_the_methods_own(texts):
    app = page(section="axes", axis="2", along="100")
    text = shown_text(app)
    fitted = estimator("lsa")
    direction = fitted["svd"].components_[1]
    body = next(e.proto.body for e in app.get("html") if "Heaviest negative words" in e.proto.body)
    negative, positive = body.split("Heaviest positive words")
    heaviest = [texts.vocabulary[k] for k in np.argsort(-direction, kind="stable")[:10]]
    assert set(re.findall(r"<span>(\w+)</span>", positive)) == set(heaviest)
    lightest = [texts.vocabulary[k] for k in np.argsort(direction, kind="stable")[:10]]
    assert set(re.findall(r"<span>(\w+)</span>", negative)) == set(lightest)
    # Two epochs teach a network little: an axis along which nothing changes says so instead.
    assert text.count("Nearest documents") + text.count("This number is not used") == 3


def test_the_slider_walks_the_axis_and_stays_in_the_link(texts):
    app = page(section="axes")
    before = next(e.proto.body for e in app.get("html") if "<b>At " in e.proto.body)
    app.slider(key=f"{PAGE}:along").set_value(90).run()
    after = next(e.proto.body for e in app.get("html") if "<b>At " in e.proto.body)
    assert before != after
    assert query(app)["along"] == "90"
    again = page(**query(app))
    assert next(e.proto.body for e in again.get("html") if "<b>At " in e.proto.body) == after


def test_a_number_or_place_that_is_not_there_is_told(texts):
    text = said(page(section="axes", axis="3", along="x"))
    assert "a number that the 2-D code has not" in text
    assert "50 is shown" in text
    assert "no whole number from 0 to 100" in text


# --- Retrieval ----------------------------------------------------------------------------------------------------


def test_the_curves_are_those_stored_with_the_runs(texts):
    app = page(section="retrieval")
    (figure,) = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    lines = {trace["name"]: trace for trace in figure["data"] if trace.get("showlegend", True)}
    assert list(lines) == ["LSA 2-D", "AE 2-D", "VAE 2-D", "tf-idf vectors"]
    run = store.read(store.find(specs.make("docstrings", "ae", FITTED["ae"]).key))
    for name, view in (("AE 2-D", "retrieval.precision"), ("tf-idf vectors", "retrieval.tfidf")):
        np.testing.assert_allclose(numbers_of(lines[name]["y"]), run.views[view][:, 0], rtol=1e-6)
    assert numbers_of(lines["AE 2-D"]["x"]).tolist() == run.views["retrieval.at"].tolist()
    assert "Precision at 15" in shown_text(app)


def numbers_of(sent) -> np.ndarray:
    """The numbers that plotly was sent, as a list or packed."""
    return np.frombuffer(base64.b64decode(sent["bdata"]), sent["dtype"]) if isinstance(sent, dict) else np.array(sent)


def test_runs_without_a_curve_say_why(texts, monkeypatch):
    reading = store.read

    def older(place):
        run = reading(place)
        for name in [name for name in run.views if name.startswith("retrieval.")]:
            run.views.pop(name)
        return run

    doors._read.clear()
    monkeypatch.setattr(store, "read", older)
    assert "holds a curve of precision" in said(page(section="retrieval"))
    doors._read.clear()


# --- A query of one's own -----------------------------------------------------------------------------------------


def test_a_query_is_answered_by_each_method(texts):
    app = page(section="query", query="baword bbword all the nonsense")
    text = shown_text(app)
    assert "<b>Asked with</b> baword, bbword" in text
    assert "<b>Unknown</b> nonsense" in text
    assert "<b>Left out</b> all, the" in text
    body = next(e.proto.body for e in app.get("html") if "hg-answers" in e.proto.body)
    columns = body.split("<div><b>")[1:]
    assert [column.split("</b>")[0] for column in columns] == ["tf-idf vectors", "LSA", "AE", "VAE"]
    assert columns[0].count("&lt;b&gt;subject 1") == 10
    assert all(column.count("<li>") == 10 for column in columns)


def test_a_query_without_a_known_word_asks_nobody(texts):
    text = said(page(section="query", query="nonsense <i>alert</i>"))
    assert "There is nothing to ask with" in text
    assert 'class="hg-answers"' not in text
    assert "<i>alert" not in text


def test_a_query_stays_in_the_link(texts):
    app = page(section="query")
    app.text_area(key=f"{PAGE}:query/docstrings").set_value("caword")
    next(button for button in app.button if button.label == "Ask").click().run()
    assert query(app)["query"] == "caword"
    assert "<b>Asked with</b> caword" in shown_text(page(**query(app)))


# --- Numbers ------------------------------------------------------------------------------------------------------


def test_numbers_are_those_of_the_runs_and_lsa_has_no_perplexity(texts):
    app = page(section="numbers")
    body = next(e.proto.body for e in app.get("html") if "Perplexity" in e.proto.body)
    row = next(row for row in body.split("<tr>") if "Perplexity" in row)
    assert [("–" in cell) for cell in row.split("<td>")[1:]] == [True, False, False]
    assert "The unigram model" in said(app)


def test_lsa_is_shown_under_each_weighting(texts, runs, monkeypatch, tmp_path):
    own = shutil.copytree(runs, tmp_path / "runs")
    monkeypatch.setenv("HOURGLASS_RUNS", str(own))
    app = page(section="numbers")
    assert "LSA (tf-idf)" in shown_text(app)
    assert any(button.label == "Fit the missing ones" for button in app.button)
    for weighting in ("log", "counts"):
        weighted_lsa(own, weighting)
    app = page(section="numbers")
    assert all(f"LSA ({name})" in shown_text(app) for name in ("tf-idf", "log counts", "raw counts"))
    # Elsewhere the baseline stays the one with tf-idf, though the others are newer.
    best = store.pick(store.index()[0], "docstrings", "lsa", 2)[0]
    assert best.spec.param("weighting") == store.USUAL_WEIGHTING == methods.get("lsa").params[1].default
    assert not any(button.label == "Fit the missing ones" for button in app.button)


def test_nothing_trained_is_a_sentence_in_every_section(texts, monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    for section in ("maps", "axes", "retrieval", "query", "numbers"):
        assert re.search(r"(Not|No method is) trained .*yet|Not trained yet", said(page(section=section)))
