"""The section Your query of Documents: the most similar documents under each method."""

from collections.abc import Collection, Sequence
from typing import Any

import streamlit as st

from core.analysis import neighbourhoods
from core.analysis.neighbourhoods import Answers
from core.analysis.rows import MOST_ROWS, Rows, check_same_data
from core.datasets import bag_of_words
from core.errors import HourglassError
from core.types import DOCUMENTS, Run, as_floats
from pages.ui.documents import document, maps
from pages.ui.embeddings.map_state import MapView
from pages.ui.shared import cached, header, page_state
from pages.ui.shared.components import do_nothing, get_component
from pages.ui.shared.html_blocks import make_columns, make_list, make_note
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import Markup, allow_breaks, html, mark_words

_ANSWERS = 10
_LONGEST = 2000
_MOST_NAMED = 40


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        needed = f"Queries are answered from the documents of {view.entry.label}."
        rows = section.find_rows(problems, needed, n=MOST_ROWS[DOCUMENTS])
        section.explain(
            f"Each method encodes your words and lists the documents with the most similar codes, among "
            f"{rows.summary}. First column: plain tf-idf; click a title to open the document.",
            help="Exact search by decreasing cosine similarity; ties in the order of the documents.",
        )
        query = bag_of_words.parse_query(_read_text(view), rows.vocabulary)
        _draw_words(query, rows)
        if query.known:
            _draw_answers(view, query, rows)


def _read_text(view: View) -> str:
    name = maps.name_memory(view.entry)
    widget, linked = page_state.key(name), page_state.read_link("query")
    if linked is not None:
        st.session_state[widget] = linked[:_LONGEST]
    elif widget not in st.session_state:
        st.session_state[widget] = page_state.recall(name) or view.entry.example_query
    with st.container(key="ask", horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Your query", key=widget, max_chars=_LONGEST) or ""
        st.button("Search", key=page_state.key("ask"), type="primary", icon=":material/search:")
        st.button("Show in the maps", key=page_state.key("to-maps"), on_click=_show_maps, icon=":material/star:")
    if len(text) > maps.LONGEST_IN_A_LINK:
        st.caption(f"Not in the link: it holds a query of up to {maps.LONGEST_IN_A_LINK} letters.")
    maps.keep_query(view.entry, text)
    return text


def _show_maps() -> None:
    """Show the section Maps, in which the query is a star."""
    page_state.keep("section", "maps", memory=page_state.key("section"))
    st.session_state.pop(page_state.key("section"), None)


def _draw_words(query: bag_of_words.Query, rows: Rows) -> None:
    """Draw which words of the query are known to the methods."""
    if not query.known:
        st.info("The query has no word of the vocabulary: write a few words.")
    groups = (
        ("Known", query.known, ""),
        ("Unknown", query.unknown, f"not among the {len(rows.vocabulary):,} words of the vocabulary"),
        ("Ignored", query.stop_words, "too common to distinguish documents"),
    )
    lines = []
    for name, words, note in groups:
        if words:
            more = f" and {len(words) - _MOST_NAMED:,} more" if len(words) > _MOST_NAMED else ""
            named = html(", ".join(words[:_MOST_NAMED])) + more
            lines.append(f'<div><b>{name}</b> {named} <span class="hg-note">{html(note)}</span></div>')
    st.html(Markup(f'<div class="hg-caption">{"".join(lines)}</div>'))


def _draw_answers(view: View, query: bag_of_words.Query, rows: Rows) -> None:
    known = set(query.known)
    with header.show_errors(), st.spinner("Searching …", show_time=False):
        tfidf = bag_of_words.to_tfidf(cached.load_dataset(view.entry.name, view.dataset_params), query.counts)
        answers = neighbourhoods.find_answers(tfidf, rows.vectors, _ANSWERS)
        columns = [("tf-idf vectors", "all words", _list_answers(answers, rows, known))]
        columns += [_make_column(line, query.counts, rows, known) for line in view.trained]
    component = get_component("titles", is_isolated=False)
    clicked = component(data=make_columns(columns), key=page_state.key("answers"), on_opened_change=do_nothing)
    advice = " In 2-D the cosine compares one angle, which many documents share." if view.size <= 2 else ""
    st.caption(f"Below each title: its class and the cosine similarity of its code to the query's.{advice}")
    position = getattr(clicked, "opened", None)
    if isinstance(position, int) and 0 <= position < len(rows):
        _open_document(maps.make_view(view, rows), position, known)


def _make_column(line: Line, counts: Any, rows: Rows, known: Collection[str]) -> tuple[str, str, str]:
    """Name, latent dimensions, and the answers of one method, or why it has none."""
    size = f"{line.run.spec.param('n_components')}-D"
    try:
        check_same_data(line.run, rows)
        z = cached.load_estimator(line.stamp).transform(as_floats(counts, DOCUMENTS))
        Z, _ = cached.load_codes(line.stamp, rows.key, line.run, rows)
    except HourglassError as problem:
        return line.label, size, make_note(str(problem))
    return line.label, size, _list_answers(neighbourhoods.find_answers(z, Z, _ANSWERS), rows, known)


def _list_answers(answers: Answers, rows: Rows, known: Collection[str]) -> Markup:
    items = [
        f'<button type="button" data-number="{k}">{allow_breaks(mark_words(rows.texts[k][0], known))}</button>'
        f"{make_note(f'{rows.get_class(k)} {cosine:.3f}')}"
        for k, cosine in zip(answers.positions.tolist(), answers.cosines.tolist(), strict=True)
    ]
    return make_list(items) if items else make_note("Its code is all zero, so it has no cosine.")


@st.dialog("Document", width="large")
def _open_document(view: MapView, position: int, known: Collection[str]) -> None:
    document.draw(view, position, known)
