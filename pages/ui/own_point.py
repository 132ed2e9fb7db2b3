"""A person's own point: a drawing or an uploaded image, in every map that can place it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import drawings, maps, views
from core.figures import rasters
from core.metrics import reconstruction
from core.types import IMAGES, BadInput, as_floats
from pages.ui import choices, nav, neighbours, pad
from pages.ui.numbers import number
from pages.ui.pictures import image
from pages.ui.shown import Shown, View
from pages.ui.text import Markup, html, listed, plain

_DRAW, _UPLOAD = "Draw", "Upload"
_HANDWRITTEN = ("digits", "mnist", "mnist-sample")
_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]


@dataclass(frozen=True)
class Placed:
    """A row of one's own under one method.

    Attributes
    ----------
    code : (n_components,); None where the method can't place a new row.
    point : (2,) in its map, None where that can't place it.
    """

    shown: Shown
    code: np.ndarray | None = None
    point: np.ndarray | None = None


def draw(view: View) -> dict[str, Placed]:
    """Let a person draw or upload, show what each method makes of it; returns where it is placed, by the map's key."""
    if view.rows.kind != IMAGES or not view.there:
        return {}
    can_draw = view.entry.name in _HANDWRITTEN
    title = "Your own point: draw a digit, or upload an image" if can_draw else "Your own point: upload an image"
    drawer = st.expander(title, key=choices.key("own"), on_change="rerun", icon=":material/star:")
    if not drawer.open:
        return {}
    with drawer, st.container(key="own-point"):
        with st.container(key="own-input"):
            row = _given(view, can_draw)
        with st.container(key="own-result"):
            if row is None:
                st.markdown(
                    "It becomes a row like those of the data, and a star in every map that can place it; beside it "
                    "appear each method's reconstruction and its nearest neighbours."
                )
                return {}
            placed: dict[str, Placed] = {}
            with nav.in_words(), st.spinner("Asking the methods …", show_time=False):
                placed = {each.pick.key: _place(each, row) for each in view.there}
                _results(view, row, list(placed.values()))
            return placed


def _given(view: View, can_draw: bool) -> np.ndarray | None:
    """The row that was drawn or uploaded, (n_features,) uint8."""
    how = _DRAW
    if can_draw:
        widget = choices.key("own-how")
        st.session_state.setdefault(widget, _DRAW)
        how = st.segmented_control("How", [_DRAW, _UPLOAD], key=widget, required=True, label_visibility="collapsed")
    try:
        if can_draw and how == _DRAW:
            strokes = pad.draw(choices.key("own-pad"), "Draw one digit")
            picture = drawings.rasterise(strokes) if strokes else None
        else:
            file = st.file_uploader(
                "An image of one thing, light or dark",
                _TYPES,
                key=choices.key("own-file"),
                help="It is turned grey, cut to its content and scaled as the data were. It is not stored.",
            )
            picture = drawings.read_image(file.getvalue()) if file else None
        return None if picture is None else drawings.as_row(picture, view.entry.name, view.rows.image_shape)
    except BadInput as problem:
        st.warning(plain(problem))
        return None


def _place(each: Shown, row: np.ndarray) -> Placed:
    fitted = each.estimator()
    x = as_floats(row[None], IMAGES)
    found, _, _ = views.codes_of(fitted, x, x)
    if found is None:
        return Placed(each)
    return Placed(each, found[0], None if each.pick.projection == maps.BY_TSNE else each.plane.points(found)[0])


def _results(view: View, row: np.ndarray, placed: list[Placed]) -> None:
    rows = view.rows
    lines = [_line("Your point", "as the methods see it", _picture(row, rows))]
    for each in {each.shown.pick.spec.key: each for each in placed}.values():
        if each.code is None:
            continue
        which, _ = maps.nearest_to(each.code, each.shown.codes, neighbours.NEAREST)
        parts, about = neighbours.strip(rows, which), "its nearest rows"
        fitted = each.shown.estimator()
        if hasattr(fitted, "transform"):
            rebuilt = fitted.inverse_transform(each.code[None])
            error = float(reconstruction.squared_error(as_floats(row[None], IMAGES), rebuilt)[0])
            picture = _picture(views.pixels(rebuilt)[0], rows)
            parts, about = f"{picture}{parts}", f"rebuilt with squared error {number(error)}; its nearest rows"
        lines.append(_line(each.shown.name, about, parts))
    st.html(Markup(f'<div class="hg-rebuilds">{"".join(lines)}</div>'))
    if lost := [each.shown.pick.label for each in placed if each.point is None]:
        st.caption(
            plain(
                f"{listed(lost)} can't place it: t-SNE moves given points about until neighbours are together, and "
                "learns no function that would say where another row belongs."
            )
        )


def _picture(row: np.ndarray, rows: maps.Rows) -> str:
    png = rasters.png(rasters.montage(row[None], rows.image_shape, 1, cell=84))
    return image(png, "your point", "hg-own-image")


def _line(name: str, about: str, content: str) -> str:
    return (
        f'<div class="hg-rebuilt"><div><b>{html(name)}</b><div class="hg-note">{html(about)}</div></div>'
        f'<div class="hg-nears">{content}</div></div>'
    )
