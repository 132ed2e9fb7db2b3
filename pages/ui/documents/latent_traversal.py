"""The section Latent dimensions of Documents: the words that change along one of them."""

from collections.abc import Sequence

import streamlit as st

from core import methods
from core.analysis import keywords, neighbourhoods
from core.analysis.keywords import Traversal
from core.analysis.rows import Rows, check_same_data
from core.errors import HourglassError
from core.types import Run
from pages.ui.documents.document import make_column
from pages.ui.shared import charts, header, page_state
from pages.ui.shared.cached import load_codes, load_estimator
from pages.ui.shared.html_blocks import make_caption
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import Markup, html, make_breakable, plain

_MOST_BUTTONS = 5
_DRAWN, _LISTED, _EXPECTED, _NEAREST = 8, 10, 12, 3
_UNUSED = "This dimension is unused: no word's probability changes by 0.1% along it."
_COLLAPSED = " A VAE leaves dimensions unused when their KL cost exceeds their benefit."
_NONE = '<span class="hg-note">none: all words that change much have the other sign</span>'
_THIRDS = ("Highest at the low end", "Highest in the middle", "Highest at the high end")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        section.require(view.trained)
        needed = f"Latent dimensions are explored with the documents of {view.entry.label}."
        rows = section.find_rows(problems, needed)
        section.explain(
            "One latent dimension varies from low to high; the others stay at their median. LSA is linear, so its "
            "words change along straight lines; along an autoencoder's dimension words may peak in between."
        )
        k, share = _choose(view, problems)
        for line in view.trained:
            try:
                _draw_method(line, rows, k, share)
            except HourglassError as problem:
                section.refused[line.label] = str(problem)


def _choose(view: View, problems: list[str]) -> tuple[int, float]:
    """Draw the choice of a dimension, from 0, and of the position along it, from 0 to 1."""
    with st.container(key="axis", horizontal=True, vertical_alignment="bottom"):
        parse, numbers = page_state.parse_integer, range(1, view.size + 1)
        draw, look = st.selectbox, {"width": 160}
        if view.size <= _MOST_BUTTONS:
            draw, look = st.segmented_control, {"required": True}
        label = "Latent dimension"
        refused: list[str] = []
        chosen = page_state.choose_with(draw, "axis", label, numbers, 1, refused, parse=parse, **look)
        if refused:
            problems.append(f"The link asks for a dimension that a {view.size}-D code does not have: 1 is shown.")
            refused.clear()
        widget = page_state.seed_widget("along", range(101), 50, refused, parse=parse)
        if refused:
            problems.append("The link asks for a position that is not a whole number from 0 to 100: 50 is shown.")
        about = "0 and 100: the values below and above which 2.5% of the documents are."
        share = st.slider("Position (%)", 0, 100, key=widget, width=420, help=about)
        page_state.keep("along", share)
    return chosen - 1, share / 100


@st.cache_resource(max_entries=16, show_spinner="Decoding along the dimension …")
def _traverse(stamp: Stamp, rows_key: str, k: int, _line: Line, _rows: Rows) -> Traversal:
    Z, _ = load_codes(stamp, rows_key, _line.run, _rows)
    return keywords.traverse_dimension(load_estimator(stamp), Z, k)


def _draw_method(line: Line, rows: Rows, k: int, share: float) -> None:
    from core.figures.words import plot_word_weights  # plotly: most visits open no figure

    check_same_data(line.run, rows)
    axis = _traverse(line.stamp, rows.key, k, line, rows)
    step = round(share * (len(axis.values) - 1))
    value = float(axis.values[step])
    unit = line.entry.word_output
    unit = f"reconstructed {unit}" if unit == methods.WEIGHT else unit
    st.markdown(
        f"## {plain(line.label)}, dimension {k + 1}: 95% of documents are between "
        f"{plain(number(float(axis.values[0])))} and {plain(number(float(axis.values[-1])))}"
    )
    if not axis.is_used:
        st.markdown(_UNUSED + (_COLLAPSED if line.entry.has_posterior else ""))
        return
    words = axis.find_changing(_DRAWN)
    with st.container(key=f"along-{line.method}"):
        named = [rows.vocabulary[j] for j in words]
        figure = plot_word_weights(axis.values, axis.weights[:, words], named, value, unit, header.get_theme())
        charts.draw(figure, f"along-{line.method}")
        heaviest = keywords.find_heaviest_words(axis.weights[step], rows.vocabulary, _EXPECTED)
        column = make_column(f"At {number(value)}", unit, heaviest, set())
        nearest = _make_nearest(line, rows, axis, step)
        st.html(Markup(f'<div class="hg-expected">{column}{nearest}</div>'))
    st.html(_make_thirds(line, axis, rows.vocabulary))


def _make_nearest(line: Line, rows: Rows, axis: Traversal, step: int) -> str:
    Z, _ = load_codes(line.stamp, rows.key, line.run, rows)
    which, _ = neighbourhoods.find_nearest(axis.codes[step], Z, _NEAREST)
    titles = "".join(
        f'<li>{make_breakable(rows.texts[j][0])}<div class="hg-note">{html(rows.get_class(j))}</div></li>'
        for j in map(int, which)
    )
    return f'<div><b>Nearest documents</b><ul class="hg-near-titles">{titles}</ul></div>'


def _make_thirds(line: Line, axis: Traversal, vocabulary: Sequence[str]) -> Markup:
    """The words that change most, by the third of the dimension in which they are highest."""
    names = ("Most negative weights", "", "Most positive weights") if line.entry.is_linear else _THIRDS
    parts = []
    for name, words in zip(names, axis.find_thirds(_LISTED), strict=True):
        if not name:
            continue
        spelled = " ".join(f"<span>{html(vocabulary[j])}</span>" for j in words) or _NONE
        parts.append(f'<div>{make_caption(name)}<div class="hg-words">{spelled}</div></div>')
    return Markup(f'<div class="hg-ends">{"".join(parts)}</div>')
