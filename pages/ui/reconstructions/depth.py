"""The section Depth: a linear autoencoder, and three that differ only in their number of hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import streamlit as st

from core.errors import BadInput, BrokenRun
from core.metrics import bootstrap
from core.runs import presets, selection, specs
from core.types import Measurement, Run, Spec
from pages.ui.reconstructions import images
from pages.ui.shared import charts, header, image_grid, stored_runs, tables, training_offers
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import join_words, plain

_LABELS = ("Linear AE", "1 hidden layer", "2 hidden layers", "3 hidden layers")
_HEAD = ("Network", "Squared error", "Change", "Parameters", "Training time (s)")


@dataclass(frozen=True)
class _Network:
    """An autoencoder with `layers` hidden layers in encoder and decoder; `spec` is trained where `run` is None."""

    layers: int
    spec: Spec
    run: Run | None = None
    stamp: Stamp | None = None

    @property
    def label(self) -> str:
        return _LABELS[self.layers]

    @property
    def error(self) -> Measurement:
        return self.run.metrics["squared_error"]


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    try:
        networks = _find_networks(view, stored)
    except BadInput as problem:
        st.error(plain(problem))
        return
    trained = [network for network in networks if network.run is not None]
    if trained and not selection.have_same_rows(network.run for network in trained):
        problems.append("Some of these were trained on another copy of the data: do not compare their errors.")
    changes = _compute_changes(trained)
    st.markdown(plain(_explanation(view, len(trained), list(changes.values()))))
    missing = [network.spec for network in networks if network.run is None]
    if offered := training_offers.find_missing(missing, stored):
        label = "Train all four" if len(offered) == len(_LABELS) else f"Train {len(offered)} missing"
        epochs = join_words(list(dict.fromkeys(str(spec.param("epochs")) for spec in offered)))
        training_offers.draw_button(label, offered, "depth", f"{epochs} epochs, a few minutes on one core.")
    training_offers.show_progress(lambda task: task.key in {spec.key for spec in missing})
    if not trained:
        return
    with st.container(key="depth"):
        _draw_chart(view, trained)
        rows = [_row(network, changes.get(network.layers)) for network in trained]
        tables.draw(_HEAD, rows, "depth", kind="hg-depths")
    _draw_images(trained)
    st.caption(plain(_about(networks[-1], trained[0])))


def _find_networks(view: View, stored: Sequence[Run]) -> list[_Network]:
    """Return the four networks, with the runs that are stored."""
    line = next((line for line in view.lines if line.entry.converges_to), None)
    data = dict(next((line.run.spec.dataset_params for line in view.trained), ()))
    preset = presets.list_presets(view.entry.name, "linear_ae", view.size).get(presets.BEST, {})
    linear = specs.make(view.entry.name, "linear_ae", {**preset, "n_components": view.size}, 0, data)
    networks = [_Network(0, linear, line.run, line.stamp) if line and line.run else _Network(0, linear)]
    for params in presets.depths(view.entry.name, view.size):
        spec = specs.make(view.entry.name, "ae", params, 0, data)
        networks.append(_Network(params["layers"], spec))
        if stored_runs.is_complete(stored, spec):
            try:
                networks[-1] = _Network(params["layers"], spec, *stored_runs.read_run(spec.key))
            except BrokenRun as problem:
                st.warning(plain(problem))
    return networks


def _compute_changes(trained: Sequence[_Network]) -> dict[int, tuple[float, float, float]]:
    """Return, by number of layers, the change of error from the next shallower network, with its 95% interval."""
    changes = {}
    for shallow, deep in pairwise(trained):
        errors = [network.run.views["rows.squared_error"] for network in (shallow, deep)]
        if len(errors[0]) == len(errors[1]):
            ends = _interval(shallow.stamp, deep.stamp, *errors)
            changes[deep.layers] = deep.error.value - shallow.error.value, *ends
    return changes


@st.cache_data(max_entries=64, show_spinner=False)
def _interval(shallow: Stamp, deep: Stamp, _shallow: np.ndarray, _deep: np.ndarray) -> tuple[float, float]:
    return bootstrap.paired_difference_interval(_deep, _shallow)


def _explanation(view: View, n_trained: int, changes: Sequence[tuple[float, float, float]]) -> str:
    is_lower = [high < 0 for _, _, high in changes]
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


def _draw_chart(view: View, trained: Sequence[_Network]) -> None:
    from core.figures import error_by_code_size  # plotly: most visits open no figure

    marks = [
        error_by_code_size.Depth(net.label, net.error.value, *net.error.interval, is_linear=net.layers == 0)
        for net in trained
    ]
    pca = next((line.run for line in view.trained if line.entry.has_spectrum), None)
    level = pca.metrics["squared_error"].value if pca and selection.have_same_rows([pca, trained[0].run]) else None
    charts.draw(error_by_code_size.plot_by_depth(marks, header.get_theme(), level, places=_LABELS), "by-depth")


def _row(network: _Network, change: tuple[float, float, float] | None) -> list[Cell]:
    metrics, error, cell = network.run.metrics, network.error, tables.EMPTY
    if change:
        value, low, high = (f"{'−' if x < 0 else '+'}{number(abs(x))}" for x in change)
        cell = Cell(f'{value}<div class="hg-note">{low} to {high}</div>', *change)
    time = metrics["seconds"].value
    return [
        tables.text(network.label),
        tables.estimate(error.value, error.low, error.high, error.n),
        cell,
        tables.text(metrics["weights"].value),
        Cell(f"{time:.1f}", time),
    ]


def _draw_images(trained: Sequence[_Network]) -> None:
    first = trained[0].run
    strips = images.make_originals(first)
    for network in trained:
        if np.array_equal(network.run.views["strip_rows"], first.views["strip_rows"]):
            error = f"error {number(network.error.value)}"
            strips.append(images.make_strip(network.run, "reconstructions", network.label, error))
    st.html(image_grid.make_grid(strips, 2))


def _about(deepest: _Network, first: _Network) -> str:
    params = dict(deepest.spec.params)
    shared = [f"{params['epochs']} epochs", f"width {params['width']}", f"learning rate {params['learning_rate']:g}"]
    shared += [f"augmentation {params['augment']:g}"] if params.get("augment") else []
    return (
        f"Squared error: sum over the pixels, mean over {first.error.n:,} test images with "
        "95% bootstrap interval; change: paired difference from the row above; line: PCA. Networks with hidden layers "
        f"share all other settings ({', '.join(shared)}; each layer half as wide as the one before); the linear AE has "
        "its own. One training each: the intervals do not include the variation across seeds."
    )
