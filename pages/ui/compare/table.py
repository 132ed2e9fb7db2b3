"""The table of Compare: metrics, map and strip of each method."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.datasets import Entry
from core.metrics import definitions
from core.runs import selection, store
from core.types import DOCUMENTS, IMAGES, ROW_NAMES, TABLES
from pages.ui.compare import rows, summary
from pages.ui.shared import cell_tables, cli_commands, header, images, stored_runs, training_queue
from pages.ui.shared.html_blocks import make_code, make_note, make_words
from pages.ui.shared.number_format import interval, number, seconds
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.tables import PENDING
from pages.ui.shared.text import Markup, html, make_breakable, plain

_BEST = (
    "Best: significantly different from the runner-up (95% paired interval over the test rows, not over repeated "
    "training). A GAN's kNN accuracy is not ranked: it uses the discriminator's features."
)
_SHORT = {
    "squared_error": "Error",
    "unexplained_variance": "Unexplained variance",
    "category_accuracy": "Category accuracy",
    "knn_accuracy": "kNN accuracy",
    "retrieval_precision_15": "Precision at 15",
    "trustworthiness": "Trustworthiness",
    "seconds": "Training time",
}
_MAP_HELP = (
    "The same test rows in every map, one colour per class: the latent code if it has two dimensions, else its PCA "
    "projection; for a GAN the discriminator's features. Both axes have the same scale. Click a map to explore it."
)
# kind of data -> title and help of the last column
_LAST_COLUMN = {
    IMAGES: (
        "Test images and reconstructions",
        "Test images of each class in turn; each row below shows their reconstructions by one method. "
        "Click a strip to enlarge it.",
    ),
    DOCUMENTS: (
        "Test documents and predicted words",
        "Three test documents and their most frequent words; each row below shows the words that one method decodes "
        "from their latent codes. Words in bold and underlined are in the document.",
    ),
    TABLES: (
        "Test rows and reconstructions",
        "Test rows in original units; each row below shows their reconstructions by one method, for the features whose "
        f"errors differ most between the methods. {cell_tables.ABOUT_COLOURS} Click a table to see all features.",
    ),
}
_TOO_FEW_ROWS = 30  # for trustworthiness with 15 neighbours
# What a click enlarges: "map", "strip" or "samples", and the method.
Clicked = tuple[str, Line] | None


def list_ranked(entry: Entry) -> tuple[str, ...]:
    """The metrics of the table, in which a method may be best."""
    if entry.kind == TABLES:
        of_cells = [name for name, has_any in _find_cells(entry).items() if has_any]
        return *of_cells, "knn_accuracy" if entry.has_labels else "trustworthiness"
    if not entry.has_labels:
        return "squared_error", "trustworthiness"
    if entry.kind == DOCUMENTS:
        return "knn_accuracy", "retrieval_precision_15", "trustworthiness"
    return "squared_error", "knn_accuracy"


def _find_cells(entry: Entry) -> dict[str, bool]:
    """The metrics of a table's cells, and whether it has such cells."""
    sizes = entry.blocks[: len(entry.blocks) - entry.n_marks]
    return {"unexplained_variance": 1 in sizes, "category_accuracy": max(sizes) > 1}


def draw(view: View, winners: Mapping[str, str | None]) -> Clicked:
    """Draw header and rows; returns which picture was clicked, if any."""
    style = "docs" if view.entry.kind == DOCUMENTS else "cells" if len(list_ranked(view.entry)) > 2 else "images"
    # Reconstructions of another copy's rows do not belong below the originals of this one.
    alike = stored_runs.select_comparable(view.lines) or view.trained
    cells = rows.find_shown(alike) if view.entry.kind == TABLES else None
    with st.container(key=f"card-{style}", gap=None):
        _draw_header(view.entry, alike, cells)
        clicked = [_draw_row(view, line, winners, not line.run or line in alike, cells) for line in view.lines]
    return next(filter(None, clicked), None)


def _draw_header(entry: Entry, shown: Sequence[Line], cells: rows.Excerpt | None) -> None:
    with st.container(key="cardhead", gap=None):
        with st.container(key="headnumbers", gap=None):
            st.markdown("Method")
            for metric in (*list_ranked(entry), "seconds"):
                definition = definitions.get_definition(metric, entry.kind)
                st.markdown(_SHORT[metric], help=plain(f"{definition.title}: {definition.help}"))
        if not shown:
            return
        st.markdown("Map", help=plain(_MAP_HELP))
        with st.container(key="headstrip", gap=None):
            title, about = _LAST_COLUMN[entry.kind]
            st.markdown(title, help=plain(about))
            if entry.kind == TABLES:
                st.html(cells.make_originals() if cells else make_note(rows.NOT_HERE))
            else:
                st.html(_make_documents(shown) if entry.kind == DOCUMENTS else _make_originals(shown))


def _make_originals(shown: Sequence[Line]) -> str:
    for line in shown:
        if "originals" in line.run.views:
            return images.image(images.strip_png(line, "originals"), "Original test images", "hg-strip")
    return make_note("The licence does not allow these runs to contain their original images.")


def _make_documents(shown: Sequence[Line]) -> str:
    documents = next((line.run.notes["documents"] for line in shown if line.run.notes.get("documents")), [])
    cells = [
        f'<div><div class="hg-title">{make_breakable(d["title"])}</div>{make_note(d["class"])}'
        f"{make_words((word, f'{count} times', False) for word, count in d['has'])}</div>"
        for d in documents
    ]
    return f'<div class="hg-docs">{"".join(cells)}</div>'


def _draw_row(
    view: View, line: Line, winners: Mapping[str, str | None], has_same_rows: bool, cells: rows.Excerpt | None
) -> Clicked:
    with st.container(key=f"row-{line.name}", gap=None):
        st.html(_make_numbers(view, line, winners))
        if line.run is None:
            with st.container(key=f"absent-{line.name}", gap=None):
                _offer_training(view.entry.name, view.size, line)
            return None
        clicked = None
        if "map" in line.run.views:
            about = f"Map of {line.run.notes['map']}"
            picture = images.image(images.map_png(line, header.get_theme()), about, "hg-map")
            clicked = draw_picture("map", line, f"Explore the map of {line.label}", picture)
        if not has_same_rows:
            st.html(make_note("Not shown: these reconstructions are of other rows."))
        elif "reconstructions" in line.run.views and (view.entry.kind != TABLES or cells):
            picture = cells.make_reconstructions(line) if cells else _make_strip(line)
            clicked = draw_picture("strip", line, f"Enlarge the reconstructions of {line.label}", picture) or clicked
        elif view.entry.kind == DOCUMENTS:
            st.html(_make_predicted(line))
        elif "reconstructions" not in line.run.views:
            reason = f"has no encoder, so it cannot reconstruct a given {ROW_NAMES[view.entry.kind]}"
            st.html(make_note(f"A {line.label} {reason}. Its map and kNN accuracy use its discriminator's features."))
    return clicked


def _make_strip(line: Line) -> Markup:
    about = f"The same images reconstructed by {line.label}"
    return images.image(images.strip_png(line, "reconstructions"), about, "hg-strip")


def _offer_training(dataset: str, size: int, line: Line) -> None:
    if line.problem:
        st.html(f'<div class="hg-note hg-problem">{html(line.problem)}</div>')
        return
    if _is_requested(dataset, size, line):
        st.html(make_note("Training requested: this row fills once it ends."))
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"train-{line.name}"):
        st.html('<div class="hg-note"><b>Not trained yet</b></div>', width="content")
        stored_runs.link_missing(dataset, size, line)
        st.html(make_note("or run:"), width="content")
    default = cli_commands.format_default_fit(dataset, line.method, size)
    st.html(make_code(cli_commands.format_fit(line.missing) if line.missing else default))


def _is_requested(dataset: str, size: int, line: Line) -> bool:
    live = [task.spec for task in training_queue.list_tasks() if training_queue.is_live(task)]
    if line.missing:
        return line.missing.key in {spec.key for spec in live}
    return any(selection.fits_view(spec, dataset, line.method, size) for spec in live)


def draw_picture(kind: str, line: Line, label: str, picture: Markup) -> Clicked:
    """Draw a picture of a line below a transparent button; returns kind and line if that was clicked."""
    name = f"open-{kind}-{line.name}"
    with st.container(key=name, gap=None):
        st.html(picture)
        return (kind, line) if st.button(label, key=f"compare:{name}", type="tertiary") else None


def _make_predicted(line: Line) -> str:
    cells = [
        make_words((word, f"{value:.3g}", is_inside) for word, value, is_inside in document["expects"])
        for document in line.run.notes.get("documents", [])
    ]
    return f'<div class="hg-docs">{"".join(cells)}</div>'


def _make_numbers(view: View, line: Line, winners: Mapping[str, str | None]) -> str:
    cells = [_make_name(view.size, line)]
    cells += [_make_value(line, metric, winners.get(metric)) for metric in list_ranked(view.entry)]
    fitted = html(seconds(line.run.metrics["seconds"].value)) if line.run else '<span class="hg-none">–</span>'
    cells.append(f'<div><span class="hg-label">{_SHORT["seconds"]}</span><span class="hg-value">{fitted}</span></div>')
    return f'<div class="hg-numbers">{"".join(cells)}</div>'


def _make_name(size: int, line: Line) -> str:
    spec = line.run.spec if line.run else line.missing
    notes = [f"{size}-D code"]
    if line.entry.has_own_code_size:
        notes = [f"{spec.param('n_components')}-D prior" if spec else "no encoder"]
    if run := line.run:
        notes += [*summary.list_costs(run), run.environment["budget"] if selection.is_best_effort(run) else ""]
        notes += ["" if store.is_shipped(run) else "own run"]
        notes += ["" if run.is_verified else "not verified: scores from a loaded file"]
        notes += [stored_runs.describe_origin(run)]
    return f'<div class="hg-method">{html(line.title)}{"".join(map(make_note, filter(None, notes)))}</div>'


def _make_value(line: Line, metric: str, winner: str | None) -> str:
    label = f'<span class="hg-label">{_SHORT[metric]}</span>'
    if line.run is None or metric not in line.run.metrics:
        why = PENDING if line.run and metric in line.run.pending else "–"
        is_too_few = metric == "trustworthiness" and line.run and line.run.environment["n_test"] <= _TOO_FEW_ROWS
        note = make_note(f"needs more than {_TOO_FEW_ROWS} test rows") if is_too_few else ""
        return f'<div>{label}<span class="hg-value hg-none">{why}</span>{note}</div>'
    value, style, mark = number(line.run.metrics[metric].value), "hg-value", ""
    if winner == line.run.key:
        style, mark = "hg-value hg-won", f'<span class="hg-best" title="{html(_BEST)}">best</span>'
    ends = "<br>".join(filter(None, (interval(line.run.metrics, metric), line.entry.not_ranked)))
    return f'<div>{label}<span class="{style}">{value}</span>{mark}<div class="hg-note">{ends}</div></div>'
