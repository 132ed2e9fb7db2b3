"""One document: its text, its words, and the words of each reconstruction."""

from collections.abc import Collection, Sequence, Set

import numpy as np
import streamlit as st

from core import methods
from core.analysis import keywords
from core.analysis.rows import Rows
from core.datasets import RST, restructured_text
from pages.ui.embeddings.map_state import MapView
from pages.ui.shared import header
from pages.ui.shared.cached import load_dataset
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.number_format import number
from pages.ui.shared.text import Markup, html, mark_words, plain

_WORDS = 15
_MOST_LETTERS = 20_000
# Units of word weights other than plain numbers.
_FORMATS = {methods.PROBABILITY: "{:.1%}".format, "times": "{:.0f}".format}


def draw(view: MapView, position: int, marked: Collection[str] = ()) -> None:
    """Draw the document at a position among the rows, with some words marked."""
    rows = view.rows
    st.header(plain(rows.texts[position][0]), anchor=False)
    counts = rows.X[[position]].toarray().ravel()
    st.caption(plain(_describe(rows, position, counts)))
    with st.container(key="opened"):
        st.html(Markup(f'<div class="hg-text" tabindex="0">{_format_text(view, position, marked)}</div>'))
        with header.show_errors():
            _draw_words(view, position, counts)
    st.caption(
        f"First column: the document's {_WORDS} most frequent words. Other columns: the words with the highest weight "
        "(LSA) or probability (AE, VAE) in its reconstruction; words in bold are in the document."
    )


def _describe(rows: Rows, position: int, counts: np.ndarray) -> str:
    known, distinct, size = int(counts.sum()), int((counts > 0).sum()), len(rows.vocabulary)
    words = f"{known:,} words of the vocabulary of {size:,}, {distinct:,} of them distinct"
    if not known:
        words = f"no word of the vocabulary of {size:,}, so it has the latent code of an empty document"
    parts = [f"{rows.split.capitalize()} document {rows.numbers[position]:,}", rows.get_class(position), words]
    return " · ".join(filter(None, parts)) + "."


def _format_text(view: MapView, position: int, marked: Collection[str]) -> str:
    rows = view.rows
    spec = next(run_map.choice.spec for run_map in view.maps)
    dataset = load_dataset(view.entry.name, spec.dataset_params)
    text = (dataset.texts_test if rows.split == "test" else dataset.texts_train)[rows.numbers[position]]
    text = text[:_MOST_LETTERS] + (" …" if len(text) > _MOST_LETTERS else "")
    is_rst = view.entry.markup == RST
    blocks = restructured_text.parse_blocks(text) if is_rst else [(restructured_text.PARAGRAPH, text.strip())]
    formatted = [f'<div class="hg-doc-{kind}">{mark_words(block, marked)}</div>' for kind, block in blocks if block]
    return "".join(formatted) or "<i>This document is empty.</i>"


def _draw_words(view: MapView, position: int, counts: np.ndarray) -> None:
    vocabulary = view.rows.vocabulary
    inside = {vocabulary[k] for k in np.flatnonzero(counts)}
    columns = [make_column("The document", "times", keywords.find_heaviest_words(counts, vocabulary, _WORDS), set())]
    for run_map in view.drawable:
        reconstruction = run_map.estimator().inverse_transform(run_map.codes[[position]])[0]
        unit = methods.entry(run_map.choice.spec.method).word_output
        words = keywords.find_heaviest_words(reconstruction, vocabulary, _WORDS)
        columns.append(make_column(run_map.name, unit, words, inside))
    st.html(Markup(f'<div class="hg-expected">{"".join(columns)}</div>'))


def make_column(name: str, unit: str, words: Sequence[tuple[str, float]], inside: Set[str]) -> str:
    """HTML column of words with a bar each, those in `inside` in bold.

    `unit` is "times" or a method's `word_output`.
    """
    most = max((weight for _, weight in words), default=1.0)
    lines = "".join(
        f"<li><span{' class=hg-in' if word in inside else ''}>{html(word)}</span>"
        f'<span class="hg-track"><span style="width:{weight / most:.1%}"></span></span>'
        f'<span class="hg-note">{_FORMATS.get(unit, number)(weight)}</span></li>'
        for word, weight in words
    )
    content = f"<ol>{lines}</ol>" if words else make_note("none")
    return f'<div><b>{html(name)}</b> <span class="hg-note">{unit}</span>{content}</div>'
