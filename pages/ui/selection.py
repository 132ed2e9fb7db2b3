"""The selected rows: their pictures, classes, errors and reconstructions, what they have in common, and a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core import maps
from core.figures import palette, rasters
from core.types import DOCUMENTS, IMAGES, BadInput, HourglassError
from pages.ui import choices, linked, links, nav, neighbours
from pages.ui.numbers import number
from pages.ui.pictures import image
from pages.ui.shown import Shown, View
from pages.ui.text import Markup, html, listed, plain

MOST_IN_A_LINK = 500
_MOST_PICTURES = 120
_MOST_TITLES = 40
_MOST_REBUILT = 12
_PARAMETER = "selected"


def linked_rows(view: View, problems: list[str]) -> None:
    """Select what the address asks for, if it does."""
    if (asked := choices.asked(_PARAMETER)) is None:
        return
    try:
        numbers = links.decode_rows(asked, MOST_IN_A_LINK)
    except BadInput as problem:
        problems.append(str(problem))
        return
    linked.restore(linked.Selected(view.rows.dataset, view.rows.split, tuple(numbers)))
    if missing := int((~np.isin(numbers, view.rows.numbers)).sum()):
        problems.append(f"{missing:,} of the {len(numbers):,} rows that the link selects are not among these.")


def remember(view: View, positions: np.ndarray) -> None:
    """Keep the selection in the address, where it is not too long for one."""
    numbers = view.rows.numbers[positions]
    short = 0 < len(numbers) <= MOST_IN_A_LINK
    choices.keep(_PARAMETER, tuple(numbers.tolist()), text=links.encode_rows(numbers) if short else None)


def draw(view: View, positions: np.ndarray, near: Mapping[str, np.ndarray]) -> None:
    """The panel of the selected rows."""
    st.subheader("Selection", anchor=False)
    if len(positions) == 0:
        st.markdown(
            "No row is selected. Drag around points in any map, or click one: the same rows light up in every map, and "
            "are shown here."
        )
        return
    rows = view.rows
    if len(positions) == 1:
        neighbours.of_one(view, int(positions[0]), near)
    with st.container(key="selection"):
        st.html(_pictures(view, positions))
        st.html(Markup(_composition(view, positions) + _in_common(view, positions)))
    _rebuilt(view, positions)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download these rows as CSV",
            csv_of(view, positions),
            f"hourglass-{rows.dataset}-{rows.split}-{len(positions)}-rows.csv",
            "text/csv",
            on_click="ignore",
            help="Row number, class, and each map's coordinates and reconstruction error.",
        )
        if len(positions) > MOST_IN_A_LINK:
            st.caption(f"A link holds up to {MOST_IN_A_LINK} selected rows; these {len(positions):,} are not in it.")


def _few(positions: np.ndarray, most: int) -> np.ndarray:
    """At most so many of them, evenly spread."""
    if len(positions) <= most:
        return positions
    return positions[np.linspace(0, len(positions) - 1, most).round().astype(int)]


def _pictures(view: View, positions: np.ndarray) -> Markup:
    rows = view.rows
    shown = _few(positions, _MOST_PICTURES if rows.kind == IMAGES else _MOST_TITLES)
    what = "rows" if len(positions) != 1 else "row"
    head = f"{len(positions):,} {what}" + (
        f", {len(shown)} of them, evenly spread" if len(shown) < len(positions) else ""
    )
    caption = f'<div class="hg-caption"><b>{head}</b></div>'
    if rows.kind == IMAGES:
        columns = 20 if len(shown) > 40 else 12 if len(shown) > 6 else 6
        cell = 112 if len(shown) <= 6 else 56
        png = rasters.png(rasters.montage(rows.X[shown], rows.image_shape, columns, cell=cell))
        numbers = ", ".join(str(rows.numbers[k]) for k in shown)
        return Markup(f"{caption}{image(png, f'{rows.split.capitalize()} rows {numbers}', 'hg-strip hg-montage')}")
    return Markup(caption + neighbours.titles(rows, shown, lambda k: f"{rows.numbers[k]} · {_class(rows, k)}"))


def _class(rows: maps.Rows, k: int) -> str:
    return rows.class_of(k) or "no class"


def _composition(view: View, positions: np.ndarray) -> str:
    rows = view.rows
    if not rows.has_labels:
        return ""
    labels, counts = np.unique(rows.y[positions], return_counts=True)
    theme = nav.theme()
    lines = []
    for k in np.argsort(-counts, kind="stable")[:12]:
        label, share = int(labels[k]), counts[k] / len(positions)
        name = html(rows.target_names[label]) if label >= 0 else "unlabelled"
        lines.append(
            f'<div class="hg-bar"><span>{name}</span><span class="hg-track"><span style="width:{share:.1%};'
            f'background:{palette.style(label, theme).colour}"></span></span>'
            f"<span>{counts[k]:,} <span class='hg-note'>{share:.0%}</span></span></div>"
        )
    more = f'<div class="hg-note">and {len(labels) - 12} more classes</div>' if len(labels) > 12 else ""
    return f'<div class="hg-caption"><b>Classes</b></div><div class="hg-bars">{"".join(lines)}</div>{more}'


def _in_common(view: View, positions: np.ndarray) -> str:
    rows = view.rows
    if rows.kind == DOCUMENTS:
        words = maps.standing_out(rows, positions)
        if not words:
            return ""
        listed_words = " ".join(
            f'<span title="in {within:.0%} of these documents, in {without:.0%} of the others">{html(word)}</span>'
            for word, within, without in words
        )
        return (
            '<div class="hg-caption"><b>Words that stand out</b> <span class="hg-note">against the other rows shown, '
            f'by log-odds; hover for shares</span></div><div class="hg-words">{listed_words}</div>'
        )
    if len(positions) < 2:
        return ""
    mean = rows.X[positions].mean(axis=0, dtype=np.float64)
    everywhere = rows.X.mean(axis=0, dtype=np.float64)
    two = np.rint(np.stack([mean, everywhere])).astype(np.uint8)
    png = rasters.png(rasters.montage(two, rows.image_shape, 2, cell=84))
    return (
        '<div class="hg-caption"><b>Mean image</b> <span class="hg-note">of these rows, and of all shown</span></div>'
        + image(png, "Mean image of the selected rows, and of all rows shown", "hg-means")
    )


def _rebuilt(view: View, positions: np.ndarray) -> None:
    rebuilders = [each for each in view.of_runs if each.pick.spec.method not in ("tsne", "gan")]
    if not rebuilders:
        return
    rows = view.rows
    unit = "squared error per image" if rows.kind == IMAGES else "1 - cosine of reconstruction and tf-idf vector"
    others = [each.name for each in view.of_runs if each not in rebuilders]
    nothing = f"; {listed(others)} {'rebuilds' if len(others) == 1 else 'rebuild'} nothing" if others else ""
    st.markdown(
        plain(f"Reconstructions: mean {unit} of these rows and of all {len(rows):,} shown{nothing}")
        if rows.kind == IMAGES
        else plain(
            f"Reconstructions: mean {unit} of these rows and of all {len(rows):,} shown, and the words that each "
            f"method expects in these, on average{nothing}"
        )
    )
    few = _few(positions, _MOST_REBUILT)
    lines = []
    if rows.kind == IMAGES:
        lines.append(_strip("Originals", "", rows.X[few], rows))
    with nav.in_words():
        for each in rebuilders:
            if (errors := each.errors) is None:
                continue
            about = f"{number(errors[positions].mean())} here, {number(errors.mean())} of all"
            if rows.kind == IMAGES:
                lines.append(_strip(each.name, about, each.rebuilt(few), rows))
            else:
                lines.append(_words(each, about, few))
    st.html(Markup(f'<div class="hg-rebuilds">{"".join(lines)}</div>'))


def _words(each: Shown, about: str, few: np.ndarray) -> str:
    words = " ".join(f"<span>{html(word)}</span>" for word in each.expected(few))
    return (
        f'<div class="hg-rebuilt"><div><b>{html(each.name)}</b><div class="hg-note">{about}</div></div>'
        f'<div class="hg-words">{words}</div></div>'
    )


def _strip(name: str, about: str, images: np.ndarray, rows: maps.Rows) -> str:
    png = rasters.png(rasters.montage(images, rows.image_shape, _MOST_REBUILT, cell=56))
    return (
        f'<div class="hg-rebuilt"><div><b>{html(name)}</b><div class="hg-note">{about}</div></div>'
        f"{image(png, f'{name}, {len(images)} of the selected rows', 'hg-strip')}</div>"
    )


def csv_of(view: View, positions: np.ndarray) -> bytes:
    """A line each of these rows: number, class, title, coordinates in each map, reconstruction error of each run."""
    import pandas as pd

    rows = view.rows
    columns: dict[str, object] = {"row": rows.numbers[positions], "split": rows.split}
    if rows.has_labels:
        columns["class"] = [_class(rows, k) for k in positions]
    if rows.texts:
        columns["title"] = [rows.texts[k][0] for k in positions]
    for each in view.there:
        columns[f"{each.pick.label} x"], columns[f"{each.pick.label} y"] = each.points[positions].T
    for each in view.of_runs:
        try:
            if each.errors is not None:
                columns[f"{each.name} reconstruction error"] = each.errors[positions]
        except HourglassError:
            continue  # said where its reconstructions would be
    return pd.DataFrame(columns).to_csv(index=False).encode()
