"""Charts of all pages with title, player, save buttons and their numbers; elements that are drawn once seen."""

import base64
import json
from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from pages.ui.shared import export, header, page_state
from pages.ui.shared.text import Markup, html

# The mode bar holds the camera that saves; the style sheet hides it unless the chart is zoomed.
_CONFIG = {"displaylogo": False, "displayModeBar": True}
_ZOOM = {**_CONFIG, "scrollZoom": True}
# Of a chart in large type, in letters and heights; a taller one would leave no room for its controls.
_LARGER, _TALLER, _TALLEST = 1.5, 1.3, 400


def draw(
    figure: Any,
    name: str,
    *,
    data: Sequence[dict[str, Any]] | None = None,
    is_zoomed: bool = False,
    is_of_all_sizes: bool = False,
    still: str = "",
    about: str = "",
    tallest: int | None = None,
    **options: Any,
) -> Any:
    """Draw a figure with its title, player, save buttons, and numbers; `options` and the result are of plotly_chart.

    A title in the figure's `meta` is drawn above it, and frames get a player with a slider. The chart has an
    accessible name that describes it, and its numbers can be read as a table.

    Parameters
    ----------
    name : of the chart on its page, for its key and its files
    data : one dictionary per CSV row; without it the CSV holds what the figure shows
    is_zoomed : whether the wheel zooms it and it has a mode bar
    is_of_all_sizes : whether it shows all numbers of latent dimensions, so that its files do not name one
    still, about : an SVG document of the figure, shown until the pointer is over it, and its alternative text
    tallest : pixels of its height in large type; without it a figure keeps at least its own height
    """
    from core.figures import summary

    text = None
    if data is not None:
        columns = list(dict.fromkeys(column for row in data for column in row))
        text = export.to_csv(columns, ([row.get(column) for column in columns] for row in data))
    # A still has one font size.
    if still and not header.is_large() and not is_shown(name):
        with st.container(gap=None):
            draw_still(name, still, about, figure.layout.height)
            st.html(export.make_buttons(name, export.FORMATS, text, is_still=True, is_of_all_sizes=is_of_all_sizes))
        return None
    key, meta = page_state.key(name), figure.layout.meta or {}
    alt = summary.describe(figure, name.replace("-", " "))
    if header.is_large():
        figure = _enlarged(figure, tallest)
    with st.container(key=f"{'zoomed' if is_zoomed else 'plain'}-chart-{key}", gap=None):
        if "title" in meta:
            st.html(Markup(f'<div class="hg-chart-title">{html(meta["title"])}</div>'))
        # Streamlit's template would draw axis labels with a contrast of only 3.7:1.
        event = st.plotly_chart(figure, key=key, theme=None, alt=alt, config=_ZOOM if is_zoomed else _CONFIG, **options)
        buttons = export.make_buttons(name, export.FORMATS, text, is_of_all_sizes=is_of_all_sizes, has_table=True)
        st.html(Markup(_make_player(meta) + buttons))
    return event


def _make_player(meta: dict[str, Any]) -> str:
    """HTML of a button and a slider that move through a figure's frames, see assets/theme/app.js."""
    if "frames" not in meta:
        return ""
    names, what = meta["frames"], html(meta["what"])
    last = len(names) - 1
    return (
        f'<div class="hg-player" data-names="{escape(json.dumps(names))}"><button type="button">Play</button>'
        f'<input type="range" min="0" max="{last}" value="{last}" aria-label="{what}" aria-valuetext="{names[-1]}">'
        f"<span>{what} <output>{html(names[-1])}</output></span></div>"
    )


def _enlarged(figure: Any, tallest: int | None) -> Any:
    """A copy in the presenter's large type; the figure itself is shared by all visitors."""
    from core.figures import style

    layout = figure.layout
    height = min(_TALLER * layout.height, tallest or max(_TALLEST, layout.height))
    look = {"template": style.make_template(header.get_theme(), _LARGER), "height": height}
    margin = {side: 1.5 * pixels for side, pixels in layout.margin.to_plotly_json().items()}
    # Figure(figure) takes the types of the shared figure's traces away for a moment, in which others can draw it.
    return type(figure)(figure.to_dict()).update_layout(**look, margin=margin)


def is_shown(name: str) -> bool:
    """Whether the visitor has scrolled to element `name`, or pointed at its still."""
    return st.session_state.get(f"hourglass.shown/{page_state.key(name)}", False)


def is_near(name: str, height: int) -> bool:
    """Whether the visitor has scrolled to an element; until then draw an empty place."""
    if not is_shown(name):
        with st.container(key=f"late-{name}", height=height, border=False):
            _draw_button("Show", name)
    return is_shown(name)


def draw_still(name: str, picture: str, about: str, height: int) -> None:
    """Draw an SVG document of a chart until the pointer is over it."""
    source = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
    with st.container(key=f"still-{name}", gap=None):
        st.html(Markup(f'<img alt="{escape(about)}" style="height:{height}px" src="{source}">'))
        _draw_button("Read values", name)


def _draw_button(label: str, name: str) -> None:
    """Draw the button that app.js presses for the visitor."""
    shown = {f"hourglass.shown/{page_state.key(name)}": True}
    st.button(label, page_state.key(f"late/{name}"), on_click=st.session_state.update, args=(shown,), type="tertiary")
