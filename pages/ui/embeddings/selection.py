"""The selected rows: pictures, classes, common features, reconstructions, a CSV file."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import streamlit as st

from core.analysis import keywords
from core.analysis.codes import to_pixels
from core.analysis.rows import BOTH, Rows
from core.errors import BadInput, HourglassError
from core.figures import palette
from core.types import DOCUMENTS, IMAGES, TABLES
from pages.ui.embeddings import column_differences, maps_component, neighbours
from pages.ui.embeddings.map_state import MapView
from pages.ui.shared import export, header, page_state, permalinks, tables
from pages.ui.shared.html_blocks import make_caption, make_named_rows, make_note, make_words
from pages.ui.shared.images import montage
from pages.ui.shared.number_format import number
from pages.ui.shared.text import Markup, html, join_words, plain, shorten, to_file_name

_MOST_IN_A_LINK = 500
_MOST_PICTURES, _MOST_TITLES = 120, 40
_MOST_RECONSTRUCTED, _MOST_WORDS = 12, 15
_PARAMETER = "selected"
_MOST_IN_A_TABLE = 200
_CSV_HELP = "{}row number, split, class, and each map's coordinates and reconstruction error."


def select_linked(view: MapView, problems: list[str]) -> None:
    """Select the rows that a link names, if it does."""
    if (linked := page_state.read_link(_PARAMETER)) is None:
        return
    try:
        numbers = permalinks.decode_rows(linked, _MOST_IN_A_LINK)
    except BadInput as problem:
        problems.append(str(problem))
        return
    maps_component.select_numbers(view.rows, numbers)
    if missing := int((~np.isin(numbers, view.rows.numbers)).sum()):
        problems.append(f"{missing:,} of the {len(numbers):,} rows that the link selects are not shown.")


def remember(view: MapView, positions: np.ndarray) -> None:
    """Write the selection into the address, unless it is too long."""
    numbers = view.rows.numbers[positions]
    is_short = 0 < len(numbers) <= _MOST_IN_A_LINK
    page_state.keep(_PARAMETER, tuple(numbers.tolist()), text=permalinks.encode_rows(numbers) if is_short else None)


def draw(view: MapView, positions: np.ndarray, nearest: Mapping[str, np.ndarray]) -> None:
    """Draw the selected rows; without a selection the download of all rows."""
    n_all, n = len(view.rows), len(positions)
    if n == 0:
        drawer = st.expander("All rows as CSV", key=page_state.key("all-rows"), on_change="rerun")
        if drawer.open:
            with drawer:
                _draw_download(view, np.arange(n_all), f"Download all {n_all:,} rows")
        return
    st.header("Selection", anchor=False)
    if n == 1:
        neighbours.draw_nearest(view, int(positions[0]), nearest)
    is_table = view.rows.kind == TABLES
    with st.container(key="selection"):
        if is_table:
            with st.container():
                column_differences.draw(view, positions)
        else:
            st.html(_make_pictures(view.rows, positions))
        if about := _make_class_bars(view.rows, positions) + _make_common_features(view.rows, positions):
            st.html(Markup(about))
    if is_table:
        _draw_rows(view.rows, positions)
    else:
        _draw_reconstructions(view, positions)
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_download(view, positions, "Download these rows as CSV")
        if n > _MOST_IN_A_LINK:
            st.caption(f"A link holds up to {_MOST_IN_A_LINK} selected rows; these {n:,} are not in it.")


def _draw_download(view: MapView, positions: np.ndarray, label: str) -> None:
    dataset = to_file_name(view.entry.label) or view.rows.dataset
    name = f"hourglass-{dataset}-{view.rows.split}-{len(positions)}-rows.csv"
    about = _CSV_HELP.format("All columns of the file, " if view.rows.kind == TABLES else "").capitalize()
    # The file is written once it is asked for, in a thread that has no session: what may have to be computed is, here.
    columns = _list_columns(view, positions)
    write = lambda: export.frame_to_csv(_append_columns(_make_frame(view.rows, positions), columns)).encode()
    st.download_button(label, write, name, "text/csv", on_click="ignore", help=about)


def _draw_rows(rows: Rows, positions: np.ndarray) -> None:
    n, shown = len(positions), neighbours.thin(positions, _MOST_IN_A_TABLE)
    title = f"Selected rows{f': {len(shown)} of {n:,}, evenly spread' if len(shown) < n else ''}"
    drawer = st.expander(title, key=page_state.key("selected-rows"), on_change="rerun")
    if drawer.open:
        with drawer:
            tables.draw_frame(_make_frame(rows, shown), "selected-rows")


def _make_frame(rows: Rows, positions: np.ndarray) -> Any:
    """Columns of the file, where there are any, then row number, split and class; no two of one name."""
    import pandas as pd

    frame = pd.DataFrame(index=range(len(positions)))
    if rows.kind == TABLES:
        frame = rows.frame.iloc[positions].reset_index(drop=True)
    columns = {"row": rows.own_numbers[positions], "split": np.where(rows.is_test[positions], "test", "train")}
    if rows.has_labels:
        names = np.array([*map(str, rows.target_names), "no class"], object)
        columns["class"] = names[rows.y[positions]]
    if rows.kind == DOCUMENTS:
        columns["title"] = [rows.texts[k][0] for k in positions]
    return _append_columns(frame, columns)


def _append_columns(frame: Any, columns: Mapping[str, Any]) -> Any:
    """The frame with more columns; one whose name it has gets another."""
    import pandas as pd

    names = list(frame.columns)
    for name in columns:
        while name in names:
            name += " (Hourglass)"
        names.append(name)
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1).set_axis(names, axis=1)


def _make_pictures(rows: Rows, positions: np.ndarray) -> Markup:
    n, shown = len(positions), neighbours.thin(positions, _MOST_PICTURES if rows.kind == IMAGES else _MOST_TITLES)
    caption = make_caption(
        f"{n:,} row{'s' if n != 1 else ''}{f'; {len(shown)} of them shown' if len(shown) < n else ''}"
    )
    if rows.kind != IMAGES:
        describe = lambda k: f"{rows.own_numbers[k]} · {rows.get_class(k) or 'no class'}"
        return Markup(caption + neighbours.make_titles(rows, shown, describe))
    columns, cell = (6, 112) if len(shown) <= 6 else (20 if len(shown) > 40 else 12, 56)
    alt = f"{rows.split.capitalize()} rows {', '.join(str(rows.numbers[k]) for k in shown)}"
    if rows.split == BOTH:
        alt = f"Rows {', '.join(map(rows.name_row, shown))}"
    return Markup(caption + montage(rows.X[shown], rows.image_shape, columns, alt, "hg-strip hg-montage", cell))


def _make_class_bars(rows: Rows, positions: np.ndarray) -> str:
    if not rows.has_labels:
        return ""
    labels, counts = np.unique(rows.y[positions], return_counts=True)
    theme = header.get_theme()
    lines = []
    for k in np.argsort(-counts, kind="stable")[:12]:
        label, share = int(labels[k]), counts[k] / len(positions)
        name = html(shorten(rows.target_names[label], 60)) if label >= 0 else "unlabelled"
        lines.append(
            f'<div class="hg-bar"><span>{name}</span><span class="hg-track"><span style="width:{share:.1%};'
            f'background:{palette.get_class_style(label, theme).colour}"></span></span>'
            f"<span>{counts[k]:,} <span class='hg-note'>{share:.0%}</span></span></div>"
        )
    more = make_note(f"and {len(labels) - 12} more classes") if len(labels) > 12 else ""
    return f'{make_caption("Classes")}<div class="hg-bars">{"".join(lines)}</div>{more}'


def _make_common_features(rows: Rows, positions: np.ndarray) -> str:
    if rows.kind == DOCUMENTS:
        if not (words := keywords.find_distinctive_words(rows, positions)):
            return ""
        shares = "in {:.0%} of these documents, in {:.0%} of the others"
        caption = make_caption("Distinctive words", "by log-odds against the other rows shown; hover for shares")
        return caption + make_words((word, shares.format(*both), False) for word, *both in words)
    if rows.kind == TABLES or len(positions) < 2:
        return ""
    means = np.stack([images.mean(axis=0, dtype=np.float64) for images in (rows.X[positions], rows.X)])
    alt = "Mean image of the selected rows, and of all rows shown"
    picture = montage(np.rint(means).astype(np.uint8), rows.image_shape, 2, alt, "hg-means", 84)
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

    def strip(name: str, images: np.ndarray) -> str:
        alt = f"{name}, {len(images)} of the selected rows"
        return montage(images, rows.image_shape, _MOST_RECONSTRUCTED, alt, "hg-strip")

    lines = [("Originals", "", strip("Originals", rows.X[shown]))] if is_images else []
    with header.show_errors():
        for run_map in maps:
            if (errors := run_map.errors) is None:
                continue
            note = f"{number(errors[positions].mean())} here, {number(errors.mean())} of all"
            reconstructions = run_map.estimator().inverse_transform(run_map.codes[shown])
            if is_images:
                content = strip(run_map.name, to_pixels(reconstructions))
            else:
                likely = np.argsort(-reconstructions.mean(axis=0), kind="stable")[:_MOST_WORDS]
                content = make_words((rows.vocabulary[k], "", False) for k in likely)
            lines.append((run_map.name, note, content))
    st.html(make_named_rows(lines))


def _list_columns(view: MapView, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Coordinates of some rows in each map, and their errors under each method."""
    columns: dict[str, np.ndarray] = {}
    for run_map in view.drawable:
        label = run_map.choice.label
        columns[f"{label} x"], columns[f"{label} y"] = run_map.points[positions].T
    for run_map in view.one_per_run:
        # An error is shown in place of the reconstructions.
        with suppress(HourglassError):
            if run_map.errors is not None:
                columns[f"{run_map.name} reconstruction error"] = run_map.errors[positions]
    return columns
