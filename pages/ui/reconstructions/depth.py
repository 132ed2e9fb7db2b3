"""The section Depth: a linear autoencoder, and three that differ only in their number of hidden layers."""

from collections.abc import Sequence
from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np
import streamlit as st

from core.errors import BadInput
from core.metrics import bootstrap
from core.metrics.reconstruction_error import ErrorMeasure, choose_measure
from core.runs import presets, selection, specs
from core.types import IMAGES, Form, Measurement, Run, Spec
from pages.ui.reconstructions import images, linear_ae
from pages.ui.shared import charts, header, image_grid, stored_runs, tables, training_offers
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import join_words, plain

_LABELS = ("Linear AE", "1 hidden layer", "2 hidden layers", "3 hidden layers")
_HEAD = ("Change", "Parameters", "Training time (s)")
# Label of a network -> change of error from the next shallower one, with the ends of its 95% interval.
_Changes = dict[str, tuple[float, float, float]]


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    try:
        wanted = _make_specs(view)
    except BadInput as problem:
        st.error(plain(problem))
        return
    lines = [_make_line(view, stored, spec, label) for spec, label in zip(wanted, _LABELS, strict=True)]
    trained = [line for line in lines if line.run]
    if trained and not selection.have_same_rows(line.run for line in trained):
        problems.append("Some of these were trained on another copy of the data: do not compare their errors.")
    changes = _compute_changes(trained)
    draw_text(_explanation(view, len(trained), changes))
    missing = [spec for spec, line in zip(wanted, lines, strict=True) if line.run is None]
    if offered := training_offers.find_missing(missing, stored):
        label = "Train all four" if len(offered) == len(_LABELS) else f"Train {len(offered)} missing"
        epochs = join_words(list(dict.fromkeys(str(spec.param("epochs")) for spec in offered)))
        takes = ", a few minutes on one core" if view.entry.kind == IMAGES else ""
        training_offers.draw_button(label, offered, "depth", f"{epochs} epochs{takes}.")
    training_offers.show_progress(lambda task: task.key in {spec.key for spec in missing})
    for problem in filter(None, (line.problem for line in lines)):
        st.warning(plain(problem))
    if not trained:
        return
    with st.container(key="depth"):
        _draw_chart(view, trained)
        head = ["Network", choose_measure(view.entry.form).label, *_HEAD]
        tables.draw(head, [_row(line, changes) for line in trained], "depth", kind="hg-depths")
    if view.entry.kind == IMAGES:
        _draw_images(trained)
    st.caption(plain(_about(wanted[-1], trained[0])))


def _draw_images(trained: Sequence[Line]) -> None:
    strips, rows = images.make_originals(trained[0].run), trained[0].run.views["strip_rows"]
    for line in trained:
        if np.array_equal(line.run.views["strip_rows"], rows):
            error = f"error {number(_error(line).value)}"
            strips.append(images.make_strip(line.run, "reconstructions", line.label, error))
    st.html(image_grid.make_grid(strips, 2))


def _make_specs(view: View) -> list[Spec]:
    """Make the Specs of the four networks, from no hidden layer to three."""
    name, data = view.entry.name, dict(view.dataset_params)
    deep = [specs.make(name, "ae", params, 0, data) for params in presets.depths(name, view.size)]
    return [linear_ae.make_spec(view, "linear_ae"), *deep]


def _make_line(view: View, stored: Sequence[Run], spec: Spec, label: str) -> Line:
    """Make the line of a network: the linear AE of the view, or the run of `spec` if it is stored."""
    if line := next((line for line in view.trained if line.entry.converges_to and line.method == spec.method), None):
        return replace(line, label=label)
    candidates = [run for run in stored if stored_runs.is_complete([run], spec)]
    return replace(stored_runs.make_line(spec.method, candidates, spec), label=label)


def _get_measure(line: Line) -> ErrorMeasure:
    return choose_measure(Form.from_json(line.run.environment))


def _error(line: Line) -> Measurement:
    return _get_measure(line).find_mean(line.run)


def _compute_changes(trained: Sequence[Line]) -> _Changes:
    changes = {}
    for shallow, deep in pairwise(trained):
        errors = [_get_measure(line).find_rows(line.run) for line in (shallow, deep)]
        if len(errors[0]) == len(errors[1]):
            ends = _interval(shallow.stamp, deep.stamp, *errors)
            changes[deep.label] = _error(deep).value - _error(shallow).value, *ends
    return changes


@st.cache_data(max_entries=64, show_spinner=False)
def _interval(shallow: Stamp, deep: Stamp, _shallow: np.ndarray, _deep: np.ndarray) -> tuple[float, float]:
    return bootstrap.paired_difference_interval(_deep, _shallow)


def _explanation(view: View, n_trained: int, changes: _Changes) -> str:
    is_lower = [high < 0 for _, _, high in changes.values()]
    finding = ": not every added layer lowers the error significantly" if changes else ""
    if is_lower and all(is_lower):
        finding = ": each added layer lowers the error significantly"
    elif is_lower and is_lower[0] and not any(is_lower[1:]):
        finding = ": the first added layer lowers the error significantly, further layers do not"
    missing = f" ({n_trained} of {len(_LABELS)} are trained)" if n_trained < len(_LABELS) else ""
    return (
        f"Does a deeper network reconstruct better? Autoencoders with {view.size} latent dimensions and 0 to 3 hidden "
        f"layers on {view.entry.label}{missing}{finding}."
    )


def _draw_chart(view: View, trained: Sequence[Line]) -> None:
    from core.figures import error_by_code_size  # plotly: most visits open no figure

    marks = [
        error_by_code_size.Mark(line.label, line.run.spec.method, _LABELS.index(line.label), *astuple(_error(line))[:3])
        for line in trained
    ]
    pca = next((line for line in view.trained if line.entry.has_spectrum), None)
    level = _error(pca).value if pca and selection.have_same_rows([pca.run, trained[0].run]) else None
    look = {"places": _LABELS, "title": _get_measure(trained[0]).axis}
    charts.draw(error_by_code_size.plot_by_depth(marks, header.get_theme(), level, **look), "by-depth")


def _row(line: Line, changes: _Changes) -> list[tables.Cell]:
    metrics, cell = line.run.metrics, tables.EMPTY
    if change := changes.get(line.label):
        value, low, high = (f"{'−' if x < 0 else '+'}{number(abs(x))}" for x in change)
        cell = tables.Cell(f'{value}<div class="hg-note">{low} to {high}</div>', *change)
    weights, time = metrics["weights"].value, metrics["seconds"].value
    error = tables.estimate(*astuple(_error(line)))
    return [tables.text(line.label), error, cell, tables.text(weights), tables.Cell(f"{time:.1f}", time)]


def _about(deepest: Spec, first: Line) -> str:
    params = dict(deepest.params)
    shared = [f"{params['epochs']} epochs", f"width {params['width']}", f"learning rate {params['learning_rate']:g}"]
    shared += [f"augmentation {params['augment']:g}"] if params.get("augment") else []
    measure = _get_measure(first)
    return (
        f"Error: {measure.about}; mean over {_error(first).n:,} test {measure.row}s with "
        "95% bootstrap interval; change: paired difference from the row above; line: PCA. Networks with hidden layers "
        f"share all other settings ({', '.join(shared)}; each layer half as wide as the one before); the linear AE has "
        "its own. One training each: the intervals do not include the variation across seeds."
    )
