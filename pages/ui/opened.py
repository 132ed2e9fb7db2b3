"""One document: its text, the words it has, and the words that each method expects from its code alone."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
import streamlit as st

from core import meanings
from core.maps import Rows
from pages.ui import choices, nav
from pages.ui.loaded import dataset
from pages.ui.numbers import number
from pages.ui.shown import View
from pages.ui.text import Markup, html, plain, shortened

_WORDS = 15
_MOST_LETTERS = 20_000


def choose(rows: Rows, offered: Sequence[int], name: str, label: str, placeholder: str) -> int | None:
    """Let one of these documents be chosen by its title; None until one is.

    Parameters
    ----------
    offered : positions among the rows
    name : of the choice on the page
    """
    widget = choices.key(name)
    if st.session_state.get(widget) not in offered:
        st.session_state[widget] = None
    return st.selectbox(
        label,
        offered,
        key=widget,
        format_func=lambda k: f"{shortened(rows.texts[k][0], 70)} · {rows.class_of(k)}",
        placeholder=placeholder,
        width=520,
    )


def draw(view: View, position: int) -> None:
    """The document at this position among the rows of the view."""
    rows = view.rows
    title, _ = rows.texts[position]
    st.subheader(plain(title), anchor=False)
    counts = rows.X[[position]].toarray().ravel()
    st.caption(plain(_facts(rows, position, counts)))
    with st.container(key="opened"):
        st.html(Markup(f'<div class="hg-text" tabindex="0">{_text(view, position)}</div>'))
        with nav.in_words():
            _words(view, position, counts)
    st.caption(
        f"The document's {_WORDS} commonest words of the vocabulary; beside them those that each method expects most, "
        "from the code alone. Words in bold and underlined are in the document. LSA rebuilds weights, an AE and a VAE "
        "probabilities."
    )


def _facts(rows: Rows, position: int, counts: np.ndarray) -> str:
    known, different = int(counts.sum()), int((counts > 0).sum())
    words = f"{known:,} of its words are in the vocabulary of {len(rows.vocabulary):,}, {different:,} different ones"
    if not known:
        words = (
            f"none of its words is in the vocabulary of {len(rows.vocabulary):,}, so every method places it where it "
            "places an empty document"
        )
    about = [f"{rows.split.capitalize()} document {rows.numbers[position]:,}", rows.class_of(position), words]
    return " · ".join(filter(None, about)) + "."


def _text(view: View, position: int) -> str:
    rows = view.rows
    spec = next(each.pick.spec for each in view.shown)
    loaded = dataset(view.entry.name, spec.dataset_params)
    text = (loaded.texts_test if rows.split == "test" else loaded.texts_train)[rows.numbers[position]]
    return _lines(text) or "<i>This document is empty.</i>"


def _lines(text: str) -> str:
    """Text from outside as HTML that shows it letter by letter, with its line breaks."""
    cut = text[:_MOST_LETTERS] + (" …" if len(text) > _MOST_LETTERS else "")
    return "<br>".join(html(line) for line in cut.strip().splitlines())


def _words(view: View, position: int, counts: np.ndarray) -> None:
    rows = view.rows
    inside = {rows.vocabulary[k] for k in np.flatnonzero(counts)}
    columns = [column("The document", "times", meanings.heaviest(counts, rows.vocabulary, _WORDS), set())]
    for each in view.there:
        expected = each.estimator().inverse_transform(each.codes[[position]])[0]
        unit = "weight" if each.pick.spec.method == "lsa" else "probability"
        columns.append(column(each.name, unit, meanings.heaviest(expected, rows.vocabulary, _WORDS), inside))
    st.html(Markup(f'<div class="hg-expected">{"".join(columns)}</div>'))


def column(name: str, unit: str, words: Sequence[tuple[str, float]], inside: Set[str]) -> str:
    """Words with a bar each, those in `inside` bold.

    Parameters
    ----------
    unit : "times", "probability" or "weight"
    """
    most = max((weight for _, weight in words), default=1.0)
    lines = "".join(
        f"<li><span{' class=hg-in' if word in inside else ''}>{html(word)}</span>"
        f'<span class="hg-track"><span style="width:{weight / most:.1%}"></span></span>'
        f'<span class="hg-note">{_weight(weight, unit)}</span></li>'
        for word, weight in words
    )
    content = f"<ol>{lines}</ol>" if words else '<div class="hg-note">none</div>'
    return f'<div><b>{html(name)}</b> <span class="hg-note">{unit}</span>{content}</div>'


def _weight(weight: float, unit: str) -> str:
    if unit == "probability":
        return f"{weight:.1%}"
    return f"{weight:.0f}" if unit == "times" else number(weight)
