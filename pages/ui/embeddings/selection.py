"""The selected rows: pictures, classes, common features, reconstructions, a CSV file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.analysis import keywords
from core.analysis.rows import BOTH, Rows
from core.errors import BadInput, HourglassError
from core.figures import palette
from core.types import DOCUMENTS, IMAGES
from pages.ui.embeddings import maps_component, neighbours
from pages.ui.embeddings.map_state import MapView
from pages.ui.shared import header, page_state, permalinks
from pages.ui.shared.html_blocks import make_caption, make_named_rows, make_note, make_words
from pages.ui.shared.images import montage
from pages.ui.shared.number_format import number
from pages.ui.shared.text import Markup, html, join_words, plain

MOST_IN_A_LINK = 500
_MOST_PICTURES = 120
_MOST_TITLES = 40
_MOST_RECONSTRUCTED = 12
_PARAMETER = "selected"
_CSV_HELP = "Row number, class, and each map's coordinates and reconstruction error."


def select_linked(view: MapView, problems: list[str]) -> None:
    """Select the rows that a link names, if it does."""
    if (linked := page_state.read_link(_PARAMETER)) is None:
        return
    try:
        numbers = permalinks.decode_rows(linked, MOST_IN_A_LINK)
    except BadInput as problem:
        problems.append(str(problem))
        return
    maps_component.select_numbers(view.rows, numbers)
    if missing := int((~np.isin(numbers, view.rows.numbers)).sum()):
        problems.append(f"{missing:,} of the {len(numbers):,} rows that the link selects are not shown.")


def remember(view: MapView, positions: np.ndarray) -> None:
    """Write the selection into the address, unless it is too long."""
    numbers = view.rows.numbers[positions]
    is_short = 0 < len(numbers) <= MOST_IN_A_LINK
    page_state.keep(_PARAMETER, tuple(numbers.tolist()), text=permalinks.encode_rows(numbers) if is_short else None)


def draw(view: MapView, positions: np.ndarray, nearest: Mapping[str, np.ndarray]) -> None:
    """Draw the selected rows; without a selection the download of all rows."""
    rows = view.rows
    if len(positions) == 0:
        drawer = st.expander("All rows as CSV", key=page_state.key("all-rows"), on_change="rerun")
        if drawer.open:
            with drawer:
                _draw_download(view, np.arange(len(rows)), f"Download all {len(rows):,} rows")
        return
    st.subheader("Selection", anchor=False)
    if len(positions) == 1:
        neighbours.draw_nearest(view, int(positions[0]), nearest)
    with st.container(key="selection"):
        st.html(_make_pictures(view, positions))
        st.html(Markup(_make_class_bars(view, positions) + _make_common_features(view, positions)))
    _draw_reconstructions(view, positions)
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_download(view, positions, "Download these rows as CSV")
        if len(positions) > MOST_IN_A_LINK:
            st.caption(f"A link holds up to {MOST_IN_A_LINK} selected rows; these {len(positions):,} are not in it.")


def _draw_download(view: MapView, positions: np.ndarray, label: str) -> None:
    rows = view.rows
    name = f"hourglass-{rows.dataset}-{rows.split}-{len(positions)}-rows.csv"
    st.download_button(label, to_csv(view, positions), name, "text/csv", on_click="ignore", help=_CSV_HELP)


def _make_pictures(view: MapView, positions: np.ndarray) -> Markup:
    rows = view.rows
    shown = neighbours.thin(positions, _MOST_PICTURES if rows.kind == IMAGES else _MOST_TITLES)
    s = "s" if len(positions) != 1 else ""
    subset = f"; {len(shown)} of them shown" if len(shown) < len(positions) else ""
    caption = make_caption(f"{len(positions):,} row{s}{subset}")
    if rows.kind == IMAGES:
        columns = 20 if len(shown) > 40 else 12 if len(shown) > 6 else 6
        cell = 112 if len(shown) <= 6 else 56
        split = "Rows" if rows.split == BOTH else f"{rows.split.capitalize()} rows"
        names = ", ".join(rows.name_row(k) if rows.split == BOTH else str(rows.numbers[k]) for k in shown)
        alt = f"{split} {names}"
        return Markup(caption + montage(rows.X[shown], rows.image_shape, columns, alt, "hg-strip hg-montage", cell))
    return Markup(caption + neighbours.make_titles(rows, shown, lambda k: f"{rows.own_numbers[k]} · {_class(rows, k)}"))


def _class(rows: Rows, k: int) -> str:
    return rows.get_class(k) or "no class"


def _make_class_bars(view: MapView, positions: np.ndarray) -> str:
    rows = view.rows
    if not rows.has_labels:
        return ""
    labels, counts = np.unique(rows.y[positions], return_counts=True)
    theme = header.get_theme()
    lines = []
    for k in np.argsort(-counts, kind="stable")[:12]:
        label, share = int(labels[k]), counts[k] / len(positions)
        name = html(rows.target_names[label]) if label >= 0 else "unlabelled"
        lines.append(
            f'<div class="hg-bar"><span>{name}</span><span class="hg-track"><span style="width:{share:.1%};'
            f'background:{palette.get_class_style(label, theme).colour}"></span></span>'
            f"<span>{counts[k]:,} <span class='hg-note'>{share:.0%}</span></span></div>"
        )
    more = make_note(f"and {len(labels) - 12} more classes") if len(labels) > 12 else ""
    return f'{make_caption("Classes")}<div class="hg-bars">{"".join(lines)}</div>{more}'


def _make_common_features(view: MapView, positions: np.ndarray) -> str:
    rows = view.rows
    if rows.kind == DOCUMENTS:
        words = keywords.find_distinctive_words(rows, positions)
        if not words:
            return ""
        shares = "in {:.0%} of these documents, in {:.0%} of the others"
        caption = make_caption("Distinctive words", "by log-odds against the other rows shown; hover for shares")
        return caption + make_words((word, shares.format(*both), False) for word, *both in words)
    if len(positions) < 2:
        return ""
    mean = rows.X[positions].mean(axis=0, dtype=np.float64)
    mean_of_all = rows.X.mean(axis=0, dtype=np.float64)
    means = np.rint(np.stack([mean, mean_of_all])).astype(np.uint8)
    alt = "Mean image of the selected rows, and of all rows shown"
    picture = montage(means, rows.image_shape, 2, alt, "hg-means", 84)
    return make_caption("Mean image", "of these rows, and of all shown") + picture


def _draw_reconstructions(view: MapView, positions: np.ndarray) -> None:
    maps = [run_map for run_map in view.one_per_run if run_map.reconstructs]
    if not maps:
        return
    rows = view.rows
    is_images = rows.kind == IMAGES
    error = "squared error per image" if is_images else "1 − cosine of reconstruction and tf-idf vector"
    words = "" if is_images else ", and the words with the highest mean reconstruction"
    others = [run_map.name for run_map in view.one_per_run if run_map not in maps]
    verb = "does" if len(others) == 1 else "do"
    without = f" {join_words(others)} {verb} not reconstruct given rows." if others else ""
    st.markdown(plain(f"Reconstructions: mean {error} of these rows and of all {len(rows):,} drawn{words}.{without}"))
    shown = neighbours.thin(positions, _MOST_RECONSTRUCTED)
    lines = [("Originals", "", _make_strip("Originals", rows.X[shown], rows))] if is_images else []
    with header.show_errors():
        for run_map in maps:
            if (errors := run_map.errors) is None:
                continue
            note = f"{number(errors[positions].mean())} here, {number(errors.mean())} of all"
            if is_images:
                content = _make_strip(run_map.name, run_map.reconstruct_rows(shown), rows)
            else:
                content = make_words((word, "", False) for word in run_map.list_expected_words(shown))
            lines.append((run_map.name, note, content))
    st.html(make_named_rows(lines))


def _make_strip(name: str, images: np.ndarray, rows: Rows) -> str:
    alt = f"{name}, {len(images)} of the selected rows"
    return montage(images, rows.image_shape, _MOST_RECONSTRUCTED, alt, "hg-strip")


def to_csv(view: MapView, positions: np.ndarray) -> bytes:
    """Number, class, title, coordinates and reconstruction errors of some rows, as CSV."""
    import pandas as pd

    rows = view.rows
    splits = np.where(rows.is_test[positions], "test", "train")
    columns: dict[str, object] = {"row": rows.own_numbers[positions], "split": splits}
    if rows.has_labels:
        columns["class"] = [_class(rows, k) for k in positions]
    if rows.texts:
        columns["title"] = [rows.texts[k][0] for k in positions]
    for run_map in view.drawable:
        label = run_map.choice.label
        columns[f"{label} x"], columns[f"{label} y"] = run_map.points[positions].T
    for run_map in view.one_per_run:
        try:
            if run_map.errors is not None:
                columns[f"{run_map.name} reconstruction error"] = run_map.errors[positions]
        except HourglassError:
            continue  # shown in place of its reconstructions
    return pd.DataFrame(columns).to_csv(index=False).encode()
