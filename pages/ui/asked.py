"""The section Your query of Documents: a person's own text, answered by each method side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import maps, queries
from core.datasets import documents
from core.maps import Rows
from core.queries import Answers
from core.types import DOCUMENTS, HourglassError, Run, as_floats
from pages.ui import choices, loaded, nav, opened, rebuilders, topics
from pages.ui.compare import View
from pages.ui.runs import Line
from pages.ui.text import Markup, breakable, html, plain

_ANSWERS = 10
_LONGEST = 2000
_LONGEST_IN_A_LINK = 300
_MOST_NAMED = 40
# A first query for each data set, of words that it knows.
_EXAMPLES = {
    "docstrings": "solve a linear system with a sparse symmetric matrix",
    "newsgroups": "the shuttle went into orbit around the moon",
    "reuters-r8": "soviet union grain shipments in tonnes",
}
_NO_EXAMPLE = "some words of these documents"


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    rebuilders.absent(view)
    rows = loaded.rows_here(view.entry, view.dataset_params, problems, n=maps.MOST_ROWS)
    if rows is None:
        st.markdown("A query of your own is answered here by each method, side by side, once the documents are there.")
        return
    st.markdown(
        plain(
            f"Each method turns your words into its code and answers with the documents whose codes point the same "
            f"way, among {rows.drawn}. Beside them what all words answer, without a code: the tf-idf vectors."
        ),
        help="By cosine, exact. The first of equal ones counts.",
    )
    text = _text(view, problems)
    query = documents.query(text, rows.vocabulary)
    _words(query, rows)
    if not query.known:
        return
    with nav.in_words(), st.spinner("Asking the methods …", show_time=False):
        found = documents.tfidf(loaded.dataset(view.entry.name, view.dataset_params), query.counts)
        answered = [("tf-idf vectors", "every word", queries.answers(found, rows.vectors, _ANSWERS))]
        answered += [_answered(line, query.counts, rows) for line in view.there]
    st.html(Markup(f'<div class="hg-answers">{"".join(_column(*each, rows) for each in answered)}</div>'))
    few = (
        " Of two numbers a cosine compares one angle, which many documents share: try a larger code."
        if view.size <= 2
        else ""
    )
    st.caption(f"Under each title stand its class and the cosine of its code to that of the query.{few}")
    _open(view, rows, [answers for _, _, answers in answered])


def _text(view: View, problems: list[str]) -> str:
    name = f"query/{view.entry.name}"
    widget, given = choices.key(name), choices.asked("query")
    if given is not None:
        st.session_state[widget] = given[:_LONGEST]
    elif widget not in st.session_state:
        st.session_state[widget] = choices.remembered(name) or _EXAMPLES.get(view.entry.name, _NO_EXAMPLE)
    with st.form(choices.key("ask"), border=False):
        text = st.text_area("Your query", key=widget, max_chars=_LONGEST, height=80)
        st.form_submit_button("Ask", type="primary", icon=":material/search:")
    text = text or ""
    if len(text) > _LONGEST_IN_A_LINK:
        st.caption(f"A link holds a query of up to {_LONGEST_IN_A_LINK} letters; this one is not in it.")
    choices.keep("query", text, text=text if 0 < len(text) <= _LONGEST_IN_A_LINK else None, memory=name)
    return text


def _words(query: documents.Query, rows: Rows) -> None:
    """Which of the words the methods can know, and which they can't."""
    size = f"the {len(rows.vocabulary):,} words of the vocabulary"
    if not query.known:
        why = "Write a few words." if not (query.unknown or query.stop_words) else f"None of them is among {size}."
        st.info(plain(f"There is nothing to ask with. {why}"))
    parts = [
        ("Asked with", query.known, ""),
        ("Unknown", query.unknown, f"not among {size}"),
        ("Left out", query.stop_words, "too common to tell documents apart"),
    ]
    lines = [
        f"<div><b>{name}</b> {_spelled(words)}{f' <span class=hg-note>{html(about)}</span>' if about else ''}</div>"
        for name, words, about in parts
        if words
    ]
    st.html(Markup(f'<div class="hg-caption">{"".join(lines)}</div>'))


def _spelled(words: Sequence[str]) -> str:
    more = f" and {len(words) - _MOST_NAMED:,} more" if len(words) > _MOST_NAMED else ""
    return html(", ".join(words[:_MOST_NAMED])) + more


def _answered(line: Line, counts: Any, rows: Rows) -> tuple[str, str, Answers | str]:
    """Name, what answers, and the answers, or a sentence why there are none."""
    about = f"{line.run.spec.param('n_components')}-D"
    try:
        maps.check_same_data(line.run, rows)
        z = loaded.estimator(line.stamp).transform(as_floats(counts, DOCUMENTS))
        Z, _ = loaded.codes(line.stamp, rows.key, line.run, rows)
    except HourglassError as problem:
        return line.label, about, str(problem)
    return line.label, about, queries.answers(z, Z, _ANSWERS)


def _column(name: str, about: str, answers: Answers | str, rows: Rows) -> str:
    if isinstance(answers, str):
        return f'<div><b>{html(name)}</b><div class="hg-note">{html(answers)}</div></div>'
    lines = "".join(
        f'<li>{breakable(rows.texts[k][0])}<div class="hg-note">{html(rows.class_of(k))} {cosine:.3f}</div></li>'
        for k, cosine in zip(answers.positions.tolist(), answers.cosines.tolist(), strict=True)
    )
    content = f"<ol>{lines}</ol>" if lines else '<div class="hg-note">Its code is all zero, which points nowhere.</div>'
    return f'<div><b>{html(name)}</b> <span class="hg-note">{html(about)}</span>{content}</div>'


def _open(view: View, rows: Rows, answered: Sequence[Answers | str]) -> None:
    """A choice among all answers, and the document chosen."""
    found = [answers.positions.tolist() for answers in answered if isinstance(answers, Answers)]
    offered = list(dict.fromkeys(k for positions in found for k in positions))
    if not offered:
        return
    chosen = opened.choose(rows, offered, "answer", "Open one of the answers", f"{len(offered)} documents")
    if chosen is not None:
        opened.draw(topics.of_rows(view, rows), chosen)
