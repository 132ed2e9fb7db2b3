"""The section Linear AE = PCA: how near gradient descent comes to PCA's subspace, and why its axes are others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import linear_maps, recipes, specs, spectrum, store
from core.figures import differences, rasters
from core.linear_maps import LinearPair, Turning
from core.maps import Rows
from core.types import BadInput, BrokenRun, Run
from pages.ui import choices, columns, loaded, nav, offers, runs
from pages.ui.compare import View
from pages.ui.numbers import number
from pages.ui.pictures import image
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, html, plain, shortened

_AXES = 10
_IN_BLOCK, _BLOCKS = 5, 2
_STEP = 5
_SHARES = tuple(range(0, 101, _STEP))
_CHART = {"displaylogo": False, "displayModeBar": False}
_TOLD = ("largest_angle", "mean_angle", "excess_error")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    line = _line(view)
    if line is None or line.run is None:
        _offer_first(view, stored)
        return
    st.markdown(plain(_explanation(view, line)))
    _way(view, line, stored)
    st.subheader("Same span, other axes", anchor=False)
    pca = _pca(view, stored, line.run)
    if pca is None:
        _offer_pca(view, stored)
        return
    _turning(view, line, pca, problems)


# --- The way to PCA -----------------------------------------------------------------------------------------------


def _line(view: View) -> Line | None:
    """The linear AE of the view; where it was made before angles were recorded, another at this size that has them."""
    line = next((line for line in view.lines if line.method == "linear_ae"), None)
    if line is None or line.run is None or _told(line.run):
        return line
    for run in line.candidates:
        if _told(run) and store.same_rows([run, line.run]):
            try:
                found, stamp = runs.read(run.key)
            except BrokenRun:
                continue
            return replace(line, run=found, stamp=stamp)
    return line


def _told(run: Run) -> list[dict[str, Any]]:
    """The rows of a run's history that tell how far it is from PCA."""
    return [row for row in run.history if all(name in row for name in _TOLD)]


def _explanation(view: View, line: Line) -> str:
    text = (
        "The best a linear encoder and decoder can do is PCA's subspace (Baldi and Hornik 1989). Gradient descent is "
        "told nothing of variances or right angles, and ends up there all the same: look for angles and error falling "
        "together."
    )
    rows = _told(line.run)
    if not rows:
        return text
    last = rows[-1]
    share = _share_of_pca(view, last)
    above = f", {share} of PCA's error" if share else ""
    return (
        f"{text} After {last['epoch']:g} epochs the subspaces of the {view.size}-D linear AE on {view.entry.label} and "
        f"of PCA agree to the tolerance reached: the largest of their {view.size} principal angles is "
        f"{_degrees(last['largest_angle'])}, the mean {_degrees(last['mean_angle'])}, and the error on the "
        f"training images is {_small(last['excess_error'])} above the least possible{above}."
    )


def _share_of_pca(view: View, last: dict[str, Any]) -> str:
    """The excess as a percentage of PCA's error on the test rows, which is near that on the training rows."""
    pca = next((line.run for line in view.lines if line.method == "pca" and line.run), None)
    error = float(pca.metrics["squared_error"]) if pca and "squared_error" in pca.metrics else 0.0
    if error <= 0:
        return ""
    percent = 100 * max(0.0, last["excess_error"]) / error
    return "less than 0.001 %" if percent < 0.001 else f"{_small(percent)} %"


def _small(value: float) -> str:
    """Two digits of a small number, without powers of ten down to a millionth."""
    if abs(value) < 1e-6:
        return "less than 0.000001"
    return number(value) if abs(value) >= 0.1 else f"{value:.{int(1 - np.floor(np.log10(abs(value))))}f}"


def _degrees(value: float) -> str:
    return f"{_small(value)}°"


def _way(view: View, line: Line, stored: Sequence[Run]) -> None:
    rows = _told(line.run)
    if not rows and line.run.environment["n_features"] > spectrum.MOST_FEATURES:
        most = spectrum.MOST_FEATURES
        st.info(f"Its angles to PCA are not written down: above {most:,} pixels an image that would take minutes.")
        return
    if not rows:
        st.info("This run was made before its angles to PCA were written down after each epoch.")
        spec = replace(line.run.spec, seed=(line.run.spec.seed + 1) % 2**31)
        _offer(view, stored, spec, "Train it again", f"With the same settings and seed {spec.seed}.")
        return
    from core.figures import sizes  # plotly: most visits open no figure

    with st.container(key="to-pca"):
        for k, figure in enumerate(sizes.to_pca(rows, nav.theme())):
            st.plotly_chart(figure, key=choices.key(f"to-pca-{k}"), config=_CHART)
    st.caption(
        plain(
            "Principal angles between the space that the decoder's columns span and that of the first "
            f"{view.size} principal components of the training images, and the linear AE's squared error an image "
            "less PCA's on these images; both after each epoch, in float64 from the covariance of the training images, "
            "before the weights are rounded for storing. The learning rate falls to 0 at the end, which takes the last "
            "wobble out."
        )
    )


def _offer_first(view: View, stored: Sequence[Run]) -> None:
    st.markdown(plain(f"No linear AE of {view.entry.label} is trained at this code size yet."))
    preset = recipes.presets(view.entry.name, "linear_ae", view.size).get(recipes.BEST, {})
    try:
        spec = specs.make(view.entry.name, "linear_ae", {**preset, "n_components": view.size}, 0, _data(view))
    except BadInput as problem:
        st.error(plain(problem))
        return
    _offer(view, stored, spec, f"Train Linear AE {view.size}-D", f"For {spec.param('epochs')} epochs, as shipped ones.")


def _offer_pca(view: View, stored: Sequence[Run]) -> None:
    pixels = int(np.prod(view.entry.image_shape))
    if view.size > pixels:
        st.markdown(plain(f"A code of {view.size} has more numbers than the {pixels} pixels: no PCA has as many."))
        return
    st.markdown(plain(f"The axes are compared with those of a PCA with at least {view.size} numbers: none is stored."))
    spec = specs.make(view.entry.name, "pca", {"n_components": view.size}, 0, _data(view))
    _offer(view, stored, spec, f"Train PCA {view.size}-D", "Solved at once, then measured.")


def _offer(view: View, stored: Sequence[Run], spec, label: str, about: str) -> None:
    if offers.missing([spec], stored):
        offers.button(label, [spec], f"linear-{spec.method}", about)
    offers.progress(lambda job: job.key == spec.key)


def _data(view: View) -> dict[str, Any]:
    return dict(next((line.run.spec.dataset_params for line in view.there), ()))


# --- Turning the code ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Axes:
    """A linear AE, the principal components of its size, and the way from its axes to them."""

    pair: LinearPair
    components: np.ndarray
    turning: Turning


def _pca(view: View, stored: Sequence[Run], of: Run) -> Stamp | None:
    """A stored PCA of the same rows with at least as many components, the smallest such."""
    fitting = [
        run
        for run in stored
        if (run.spec.dataset, run.spec.method) == (view.entry.name, "pca")
        and store.code_size(run) >= view.size
        and store.same_rows([run, of])
    ]
    for run in sorted(fitting, key=store.code_size):
        try:
            return runs.read(run.key)[1]
        except BrokenRun:
            continue
    return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _axes(ae: Stamp, pca: Stamp) -> _Axes:
    # The stored arrays themselves: networks would bring torch for two matrices.
    pair = LinearPair.of(store.arrays(Path(ae[0])))
    components = np.asarray(store.arrays(Path(pca[0]))["components_"], np.float64)[: len(pair.encoder)]
    turning = Turning.between(pair.decoder, components)
    return _Axes(pair, components * turning.signs[:, None], turning)


def _turning(view: View, line: Line, pca: Stamp, problems: list[str]) -> None:
    axes = _axes(line.stamp, pca)
    rows = loaded.rows_here(view.entry, view.dataset_params, problems)
    st.markdown(
        plain(
            "Each number of the code multiplies one axis, a picture: a column of the decoder. Squared error fixes the "
            "space that the axes span and not the axes: turn and stretch the code and let the decoder undo it, and "
            "every image is rebuilt as before. PCA alone orders its axes, at right angles, by variance. Move the "
            "slider: the axes become PCA's, the error stays."
        )
    )
    st.fragment(_turned)(view, line, axes, rows, _share_asked(problems))


def _share_asked(problems: list[str]) -> str:
    """Gives the slider its value; returns its key."""
    refused: list[str] = []
    widget = choices.seed("turn", _SHARES, 0, refused, parse=choices.whole)
    if refused:
        asked = shortened(choices.asked("turn"))
        problems.append(f"The link asks for a turn of “{asked}” %: choose from 0 to 100, in steps of {_STEP}.")
    return widget


def _turned(view: View, line: Line, axes: _Axes, rows: Rows | None, widget: str) -> None:
    turning = axes.turning
    with st.container(key="turning", horizontal=True, vertical_alignment="center"):
        share = st.slider(
            "Turned towards PCA's axes",
            0,
            100,
            step=_STEP,
            format="%d %%",
            key=widget,
            help="0 %: the linear AE as it was trained. 100 %: PCA's axes. Between: each plane of the code turned, and "
            "each direction stretched, by that share.",
        )
        choices.keep("turn", share)
        st.html(_facts(axes, share / 100, line, rows))
    turned = _at(line.stamp, share, axes)
    st.html(columns.grid(_strips(view, turned, axes), _n_blocks(view)))
    st.html(_matrices(turning, share / 100, _about(rows)))


@st.cache_resource(max_entries=64, show_spinner=False)
def _at(stamp: Stamp, share: int, _axes: _Axes) -> LinearPair:
    return linear_maps.turned(_axes.pair, _axes.turning.at(share / 100))


def _facts(axes: _Axes, share: float, line: Line, rows: Rows | None) -> Markup:
    largest = axes.turning.angles[0] if len(axes.turning.angles) else 0.0
    where = "" if len(axes.turning.angles) < 2 else ", in the plane of the code that is turned farthest"
    facts = [(f"{share * largest:.0f}° of {largest:.0f}°", f"turned so far{where}")]
    if rows is not None and rows.image_shape is not None:
        error = _error(line.stamp, rows.key, round(100 * share), axes, rows)
        facts.insert(0, (f"{error:.6f}", f"squared error, mean over {len(rows):,} test images"))
    cells = "".join(f'<div><b>{html(value)}</b><div class="hg-note">{html(note)}</div></div>' for value, note in facts)
    return Markup(f'<div class="hg-turn-facts">{cells}</div>')


@st.cache_data(max_entries=256, show_spinner=False)
def _error(stamp: Stamp, rows_key: str, share: int, _axes: _Axes, _rows: Rows) -> float:
    """The squared error of the turned autoencoder itself, computed anew."""
    return linear_maps.squared_error(_at(stamp, share, _axes), _rows.floats())


def _n_blocks(view: View) -> int:
    return _BLOCKS if view.size > _IN_BLOCK else 1


def _strips(view: View, turned: LinearPair, axes: _Axes) -> list[columns.Strip]:
    shown = min(_AXES, view.size)
    of = f"the first {shown} of {view.size}" if view.size > shown else ""
    own = turned.decoder.T[:shown]
    apart = linear_maps.angles_between(own, axes.components[:shown])
    blocks = [slice(start, start + _IN_BLOCK) for start in range(0, shown, _IN_BLOCK)]
    return [
        columns.Strip(
            columns.named("Linear AE, turned", "the decoder's columns", of), [_axis(view, own[b]) for b in blocks]
        ),
        columns.Strip(
            '<div class="hg-note">angle to the component below</div>',
            [columns.captions([f"{angle:.1f}°" for angle in apart[b]], _IN_BLOCK) for b in blocks],
        ),
        columns.Strip(columns.named("PCA", "its components", of), [_axis(view, axes.components[b]) for b in blocks]),
    ]


def _axis(view: View, vectors: np.ndarray) -> str:
    """Axes as signed pictures, each to its own largest value."""
    if len(vectors) == 0:
        return ""
    scaled = vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
    picture = differences.montage(scaled, view.entry.image_shape, _IN_BLOCK, 1.0, nav.theme())
    return image(rasters.png(picture), "Axes of the code as images, negative and positive", "hg-columns-image")


def _matrices(turning: Turning, share: float, about: str) -> Markup:
    """What takes the code to PCA's: as trained, and as turned so far."""
    k = len(turning.matrix)
    cells = []
    for matrix, title in ((turning.matrix, "R as trained"), (turning.left(share), "R of the turned code")):
        scaled = matrix / np.abs(matrix).max()
        picture = differences.montage(scaled.reshape(1, -1), (k, k), 1, 1.0, nav.theme(), cell=160)
        png = image(rasters.png(picture), f"{title}: {k} by {k} matrix", "hg-turn-matrix")
        cells.append(f"<figure>{png}<figcaption>{html(title)}</figcaption></figure>")
    return Markup(f'<div class="hg-turn-matrices">{"".join(cells)}<div class="hg-note">{html(about)}</div></div>')


def _about(rows: Rows | None) -> str:
    error = (
        f"The error is computed anew at each position by the turned encoder and decoder, over {rows.drawn}. "
        if rows is not None
        else ""
    )
    return (
        "R is the matrix that takes the linear AE's code, but for a constant, to PCA's: turned all the way it is the "
        "identity. A linear AE that has not quite converged ends that much beside PCA's axes. Colours go from negative "
        "(blue) over 0 to positive (orange), in each axis and matrix to its own largest value. A component's sign is "
        f"free, and taken so that there is least to turn. {error}"
    )
