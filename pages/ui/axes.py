"""The section Axes of Documents: the words that one number of a code stands for, and a slider that walks it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import maps, meanings
from core.maps import Rows
from core.meanings import Axis
from core.types import HourglassError, Run
from pages.ui import choices, nav, rebuilders
from pages.ui.compare import View
from pages.ui.loaded import codes, estimator, rows_here
from pages.ui.numbers import number
from pages.ui.opened import column
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, breakable, html, plain

_MOST_BUTTONS = 5
_DRAWN, _LISTED, _EXPECTED, _NEAREST = 8, 10, 12, 3
_UNUSED = "This number is not used: along its whole way no word's probability changes by 0.1 %."
_GIVEN_UP = " A VAE's KL term gives up numbers that do not pay for themselves."
_CHART = {"displaylogo": False, "displayModeBar": False}
_NONE = '<span class="hg-note">none: all that change much have the other sign</span>'
_ENDS = ("Low end", "In the middle", "High end")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    explained = st.empty()
    rebuilders.absent(view)
    if not view.there:
        explained.markdown(rebuilders.none_trained(view))
        return
    rows = rows_here(view.entry, view.dataset_params, problems)
    if rows is None:
        explained.markdown(plain(f"What an axis means is told in words, for which {view.entry.label} must be here."))
        return
    explained.markdown(
        "One number of each code is walked from low to high while the others stay at their median. LSA is linear: its "
        "words rise or fall in straight lines, all at once. An autoencoder's axis may pass through one topic after "
        "another: look for words that peak on the way."
    )
    k, share = _choose(view, problems)
    for line in view.there:
        with nav.in_words():
            _method(line, rows, k, share)


def _choose(view: View, problems: list[str]) -> tuple[int, float]:
    """Which number of the code, from 0, and how far along its axis, from 0 to 1."""
    with st.container(key="axis", horizontal=True, vertical_alignment="bottom"):
        numbers = list(range(1, view.size + 1))
        refused: list[str] = []
        widget = choices.seed("axis", numbers, 1, refused, parse=choices.whole)
        if refused:
            problems.append(f"The link asks for a number that the {view.size}-D code has not: number 1 is shown.")
        if view.size <= _MOST_BUTTONS:
            chosen = st.segmented_control("Number of the code", numbers, key=widget, required=True)
        else:
            chosen = st.selectbox("Number of the code", numbers, key=widget, width=160)
        choices.keep("axis", chosen)
        steps = list(range(101))
        refused.clear()
        widget = choices.seed("along", steps, 50, refused, parse=choices.whole)
        if refused:
            problems.append(
                "The link asks for a place along the axis that is no whole number from 0 to 100: 50 is shown."
            )
        share = st.slider(
            "Place along the axis (%)",
            0,
            100,
            key=widget,
            width=420,
            help="0 and 100 are the values below and above which 2.5 % of the documents lie.",
        )
        choices.keep("along", share)
    return chosen - 1, share / 100


@st.cache_resource(max_entries=16, show_spinner="Walking the axis …")
def _axis(stamp: Stamp, rows_key: str, k: int, _line: Line, _rows: Rows) -> Axis:
    Z, _ = codes(stamp, rows_key, _line.run, _rows)
    return meanings.along(estimator(stamp), Z, k)


def _method(line: Line, rows: Rows, k: int, share: float) -> None:
    try:
        maps.check_same_data(line.run, rows)
    except HourglassError as problem:
        st.warning(plain(f"{line.label} is not shown: {problem}"))
        return
    from core.figures import wordings  # plotly: most visits open no figure

    axis = _axis(line.stamp, rows.key, k, line, rows)
    step = round(share * (len(axis.values) - 1))
    value = float(axis.values[step])
    unit = "rebuilt weight" if line.method == "lsa" else "probability"
    st.markdown(
        f"#### {plain(line.label)}, number {k + 1}: 95 % of documents lie from "
        f"{plain(number(float(axis.values[0])))} to {plain(number(float(axis.values[-1])))}"
    )
    if not axis.is_used:
        st.markdown(_UNUSED + (_GIVEN_UP if line.method == "vae" else ""))
        return
    words = axis.changing(_DRAWN)
    with st.container(key=f"along-{line.method}"):
        figure = wordings.along(
            axis.values, axis.weights[:, words], [rows.vocabulary[j] for j in words], value, unit, nav.theme()
        )
        st.plotly_chart(figure, key=choices.key(f"along-{line.method}"), config=_CHART)
        expected = meanings.heaviest(axis.weights[step], rows.vocabulary, _EXPECTED)
        parts = [column(f"At {number(value)}", unit, expected, set()), _nearest(line, rows, axis.codes[step])]
        st.html(Markup(f'<div class="hg-expected">{"".join(parts)}</div>'))
    st.html(Markup(_ends(line, axis, rows.vocabulary)))


def _nearest(line: Line, rows: Rows, z: np.ndarray) -> str:
    Z, _ = codes(line.stamp, rows.key, line.run, rows)
    which, _ = maps.nearest_to(z, Z, _NEAREST)
    titles = "".join(
        f'<li>{breakable(rows.texts[j][0])}<div class="hg-note">{html(rows.class_of(j))}</div></li>'
        for j in map(int, which)
    )
    return f'<div><b>Nearest documents</b><ul class="hg-near-titles">{titles}</ul></div>'


def _ends(line: Line, axis: Axis, vocabulary: Sequence[str]) -> str:
    """The words that change most, by where on the way they are strongest."""
    names = ("Heaviest negative words", "", "Heaviest positive words") if line.method == "lsa" else _ENDS
    parts = []
    for name, words in zip(names, axis.thirds(_LISTED), strict=True):
        if not name:
            continue
        spelled = " ".join(f"<span>{html(vocabulary[j])}</span>" for j in words) or _NONE
        parts.append(f'<div><div class="hg-caption"><b>{name}</b></div><div class="hg-words">{spelled}</div></div>')
    return f'<div class="hg-ends">{"".join(parts)}</div>'
