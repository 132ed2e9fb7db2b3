"""Compare's rows: one a method, numbers, map and strip; each picture opens larger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core import store
from core.datasets import Entry
from core.metrics import DEFINITIONS
from core.types import DOCUMENTS, IMAGES
from pages.ui import commands, links, nav, pictures
from pages.ui.numbers import interval, number, seconds
from pages.ui.runs import NOT_RANKED_AGAINST_CODES, Line
from pages.ui.text import html, plain

_BEST = (
    "Best: the paired 95 % interval of the difference to the runner-up, on the same test rows, excludes 0. "
    "A GAN's neighbours are not ranked: they are those of its discriminator's many features."
)
_RANKED = {
    IMAGES: ("squared_error", "knn_accuracy"),
    DOCUMENTS: ("knn_accuracy", "retrieval_precision_15", "trustworthiness"),
}
_RANKED_UNLABELLED = ("squared_error", "trustworthiness")
_SHORT = {
    "squared_error": "Error",
    "knn_accuracy": "kNN accuracy",
    "retrieval_precision_15": "Precision at 15",
    "trustworthiness": "Trustworthiness",
    "seconds": "Seconds to fit",
}
_MAP_HELP = (
    "The same test rows in every map, one colour a class: the code itself where it has two dimensions, else its "
    "projection by PCA; a GAN's are its discriminator's features. Both axes are to one scale. "
    "Click a map to explore it."
)
_STRIP_HELP = (
    "The first of the shown test images, the classes in turn; under each stands what a method rebuilds from its code. "
    "Click a strip to see more of them, larger."
)
_WORDS_HELP = (
    "Three test documents and the words they hold most often; under each the words a method expects from its code "
    "alone. Words in bold and underlined are in the document."
)
# What a click opens: "map" or "strips", and the method clicked.
Opened = tuple[str, Line] | None


def ranked(entry: Entry) -> tuple[str, ...]:
    """The measures of the first screen that may have a best."""
    return _RANKED[entry.kind] if entry.has_labels else _RANKED_UNLABELLED


def draw(entry: Entry, size: int, lines: Sequence[Line], winners: Mapping[str, str | None]) -> Opened:
    """Draw header and rows; returns what was clicked, if anything was."""
    shown = [line for line in lines if line.run]
    kind = "docs" if entry.kind == DOCUMENTS else "images"
    with st.container(key=f"card-{kind}", gap=None):
        _header(entry, shown)
        clicked = [_row(entry, size, line, winners) for line in lines]
    return next((opened for opened in clicked if opened), None)


def _header(entry: Entry, shown: Sequence[Line]) -> None:
    with st.container(key="cardhead", gap=None):
        with st.container(key="headnumbers", gap=None):
            st.markdown("Method")
            for metric in (*ranked(entry), "seconds"):
                definition = DEFINITIONS[metric]
                unit = f" ({definition.unit}.)" if definition.unit not in ("", "s") else ""
                st.markdown(_SHORT[metric], help=plain(f"{definition.label}{unit} {definition.help}"))
        if not shown:
            return
        st.markdown("Map", help=plain(_MAP_HELP))
        with st.container(key="headstrip", gap=None):
            if entry.kind == DOCUMENTS:
                st.markdown("Documents, and the words each method expects", help=plain(_WORDS_HELP))
                st.html(_documents(shown))
            else:
                st.markdown("Originals, and what each method rebuilds", help=plain(_STRIP_HELP))
                st.html(_originals(shown))


def _originals(shown: Sequence[Line]) -> str:
    line = next((line for line in shown if "originals" in line.run.views), None)
    if line is None:
        return '<div class="hg-note">These originals may not be passed on, so the runs do not hold them.</div>'
    return pictures.image(pictures.strip_png(line, "originals"), "Original test images", "hg-strip")


def _documents(shown: Sequence[Line]) -> str:
    documents = next((line.run.notes["documents"] for line in shown if line.run.notes.get("documents")), [])
    cells = [
        f'<div><div class="hg-title">{html(d["title"])}</div><div class="hg-note">{html(d["class"])}</div>'
        f'<div class="hg-words">{" ".join(_word(word, f"{count} times") for word, count in d["has"])}</div></div>'
        for d in documents
    ]
    return f'<div class="hg-docs">{"".join(cells)}</div>'


def _word(word: object, about: str, style: str = "") -> str:
    return f'<span class="{style}" title="{html(about)}">{html(word)}</span>'


def _row(entry: Entry, size: int, line: Line, winners: Mapping[str, str | None]) -> Opened:
    with st.container(key=f"row-{line.method}", gap=None):
        st.html(_numbers(entry, size, line, winners))
        if line.run is None:
            with st.container(key=f"absent-{line.method}", gap=None):
                _absent(entry.name, size, line)
            return None
        opened = None
        if "map" in line.run.views and picture(
            f"map-{line.method}", f"Explore the map of {line.label}", lambda: _map(line)
        ):
            opened = "map", line
        if "reconstructions" in line.run.views:
            label = f"Enlarge the reconstructions of {line.label}"
            if picture(f"strip-{line.method}", label, lambda: _strip(line)):
                opened = "strips", line
        else:
            st.html(_expected(line) if entry.kind == DOCUMENTS else _no_encoder(line))
    return opened


def _absent(dataset: str, size: int, line: Line) -> None:
    if line.problem:
        st.html(f'<div class="hg-note hg-problem">{html(line.problem)}</div>')
        return
    command = commands.fit(line.missing) if line.missing else commands.fit_default(dataset, line.method, size)
    query = {"data": dataset, "method": line.method}
    query |= (
        {"spec": links.encode(line.missing)} if line.missing else {"size": str(size)} if line.method != "gan" else {}
    )
    with st.container(horizontal=True, vertical_alignment="center", key=f"train-{line.method}"):
        st.html('<div class="hg-note"><b>Not trained yet.</b></div>', width="content")
        st.page_link("pages/training.py", label="Train it here", icon=":material/model_training:", query_params=query)
        st.html('<div class="hg-note">or with this line:</div>', width="content")
    st.code(command, language=None, wrap_lines=True)


def picture(name: str, label: str, draw: Callable[[], None]) -> bool:
    """A picture under a transparent button that covers it, so that it is reached by pointer and by keyboard."""
    with st.container(key=f"open-{name}", gap=None):
        draw()
        return st.button(label, key=f"compare:open-{name}", type="tertiary")


def _map(line: Line) -> None:
    st.html(pictures.image(pictures.map_png(line, nav.theme()), f"Map of {line.run.notes['map']}", "hg-map"))


def _strip(line: Line) -> None:
    png = pictures.strip_png(line, "reconstructions")
    st.html(pictures.image(png, f"The same images rebuilt by {line.label}", "hg-strip"))


def _no_encoder(line: Line) -> str:
    return (
        f'<div class="hg-note">{html(line.label)} has no encoder, so it rebuilds no given image. '
        "Its samples are below; its map and neighbours are those of its discriminator's features.</div>"
    )


def _expected(line: Line) -> str:
    cells = [
        "<div class='hg-words'>"
        + " ".join(_word(w, f"{value:.3g}", "hg-in" if there else "") for w, value, there in document["expects"])
        + "</div>"
        for document in line.run.notes.get("documents", [])
    ]
    return f'<div class="hg-docs">{"".join(cells)}</div>'


def _numbers(entry: Entry, size: int, line: Line, winners: Mapping[str, str | None]) -> str:
    cells = [_name(size, line)]
    cells += [_figure(line, metric, winners.get(metric) == line.method) for metric in ranked(entry)]
    fitted = html(seconds(line.run.metrics["seconds"])) if line.run else '<span class="hg-none">–</span>'
    cells.append(f'<div><span class="hg-label">{_SHORT["seconds"]}</span><span class="hg-value">{fitted}</span></div>')
    return f'<div class="hg-numbers">{"".join(cells)}</div>'


def _name(size: int, line: Line) -> str:
    spec = line.run.spec if line.run else line.missing
    if line.method == "gan":
        about = f"{spec.param('n_components')}-D prior" if spec else "no encoder"
    else:
        about = f"{size}-D code"
    own = '<div class="hg-note">own run</div>' if line.run and not store.is_shipped(line.run.key) else ""
    return f'<div class="hg-method">{html(line.label)}<div class="hg-note">{html(about)}</div>{own}</div>'


def _figure(line: Line, metric: str, is_best: bool) -> str:
    label = f'<span class="hg-label">{_SHORT[metric]}</span>'
    if line.run is None or metric not in line.run.metrics:
        return f'<div>{label}<span class="hg-value hg-none">–</span></div>'
    value = number(float(line.run.metrics[metric]))
    mark = f'<span class="hg-best" title="{html(_BEST)}">best</span>' if is_best else ""
    style = "hg-value hg-won" if is_best else "hg-value"
    ends = interval(line.run.metrics, metric)
    if line.method in NOT_RANKED_AGAINST_CODES:
        ends += "<br>features, not ranked"
    return f'<div>{label}<span class="{style}">{value}</span>{mark}<div class="hg-note">{ends}</div></div>'
