"""The section Linear AE and PCA: convergence to PCA's subspace, and the rotation between the two sets of axes."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import methods
from core.analysis.rows import Rows
from core.errors import BadInput, BrokenRun
from core.metrics import linear_ae_vs_pca, pca_spectrum, reconstruction
from core.metrics.linear_ae_vs_pca import CodeRotation, LinearPair
from core.runs import presets, reader, selection, specs
from core.types import ROW_NAMES, TABLES, Run, Spec
from pages.ui.reconstructions.images import make_map
from pages.ui.shared import cached, charts, header, image_grid, page_state, stored_runs, tables, training_offers
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.html_blocks import make_figure, make_note
from pages.ui.shared.image_grid import Strip, make_name
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import Markup, plain

_MOST_AXES, _IN_BLOCK = 10, 5
_STEP = 5
_MOST_COLUMNS = 3  # axes of each method in a table


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    line = next((line for line in view.trained if line.entry.converges_to), None)
    if line is None:
        st.markdown(plain(f"No linear AE is trained on {view.entry.label} at {view.size}-D yet."))
        _offer(view, stored, "linear_ae")
        return
    rows = [row for row in line.run.history if "excess_error" in row]
    n_features = view.entry.count_features(dict(view.dataset_params))
    draw_text(_explanation(view, rows))
    if not rows and view.entry.kind == TABLES and n_features <= pca_spectrum.MOST_FEATURES:
        why = "leaves missing cells out of its loss, while PCA sees what they were filled with"
        st.info(f"This table has missing cells. The linear AE {why}, so the two need not have the same subspace.")
        return
    _draw_convergence(view, rows)
    st.header("Same subspace, different axes", anchor=False)
    if (pca := _find_pca(view, stored, line.run)) is not None:
        _draw_rotation(view, line, pca, problems)
    elif view.size > n_features:
        st.markdown(
            plain(f"PCA of {n_features} {_name_features(view)}s has no {view.size} components to compare with.")
        )
    else:
        st.markdown(plain(f"The axes are compared with PCA at {view.size}-D or more, which is not trained yet."))
        _offer(view, stored, "pca")


def _name_features(view: View) -> str:
    return "column" if view.entry.kind == TABLES else "pixel"


def _find_pca(view: View, stored: Sequence[Run], ae: Run) -> Stamp | None:
    """Return the smallest stored PCA of the same rows with at least as many components."""
    of_data = [run for run in stored if run.spec.dataset == view.entry.name and selection.code_size(run) >= view.size]
    spectra = [run for run in of_data if methods.entry(run.spec.method).has_spectrum]
    fitting = [run for run in spectra if selection.have_same_rows([run, ae])]
    for run in sorted(fitting, key=selection.code_size):
        with suppress(BrokenRun):
            return stored_runs.read_run(run.key)[1]
    return None


def make_spec(view: View, method: str) -> Spec:
    """Make the Spec of a linear method in a view, with the settings of the shipped runs."""
    settings = presets.list_presets(view.entry.name, method, view.size).get(presets.BEST, {})
    return specs.make(view.entry.name, method, {**settings, "n_components": view.size}, 0, dict(view.dataset_params))


def _offer(view: View, stored: Sequence[Run], method: str) -> None:
    try:
        spec = make_spec(view, method)
    except BadInput as problem:
        st.error(plain(problem))
        return
    if training_offers.find_missing([spec], stored):
        epochs = spec.param("epochs")
        about = f"{epochs} epochs, as the shipped runs." if epochs else "Fitted in closed form."
        training_offers.draw_button(f"Train {methods.label(method)} {view.size}-D", [spec], f"linear-{method}", about)
    training_offers.show_progress(lambda task: task.key == spec.key)


def _explanation(view: View, rows: Sequence[dict[str, Any]]) -> str:
    text = (
        "The best linear encoder and decoder span the subspace of PCA (Baldi and Hornik 1989); gradient descent finds "
        "it without computing variances or orthogonal axes."
    )
    if not rows:
        return text
    last, share = rows[-1], ""
    pca = next((line.run for line in view.trained if line.entry.has_spectrum), None)
    # PCA's error on the test rows is close to that on the training rows, of images the same sum.
    if pca and "squared_error" in pca.metrics and (error := pca.metrics["squared_error"].value) > 0:
        percent = 100 * max(0.0, last["excess_error"]) / error
        share = f" ({'less than 0.001' if percent < 0.001 else _small(percent)}% of PCA's error)"
    return (
        f"{text} After {last['epoch']:g} epochs on {view.entry.label}, the largest of the {view.size} principal angles "
        f"between the two subspaces is {_small(last['largest_angle'])}° (mean {_small(last['mean_angle'])}°), and "
        f"the training error is {_small(last['excess_error'])}{share} above the minimum."
    )


def _small(value: float) -> str:
    """Format with two digits, without powers of ten down to a millionth."""
    if abs(value) < 1e-6:
        return "less than 0.000001"
    return number(value) if abs(value) >= 0.1 else f"{value:.{int(1 - np.floor(np.log10(abs(value))))}f}"


def _draw_convergence(view: View, rows: Sequence[dict[str, Any]]) -> None:
    """Draw the angles to PCA and the excess error in the rows of a run's history."""
    if not rows:
        of = f"{ROW_NAMES[view.entry.kind]}s of up to {pca_spectrum.MOST_FEATURES:,} {_name_features(view)}s"
        st.info(f"Angles to PCA are computed only for {of}.")
        return
    from core.figures import error_by_code_size  # plotly: most visits open no figure

    row = ROW_NAMES[view.entry.kind]
    with st.container(key="to-pca"):
        for k, figure in enumerate(error_by_code_size.plot_convergence_to_pca(rows, header.get_theme(), row)):
            charts.draw(figure, f"to-pca-{k}")
    about = (
        f"After each epoch: principal angles between the span of the decoder's columns and the first {view.size} "
        f"principal components of the training {row}s, and squared error per training {row} minus PCA's. The learning "
        "rate falls to 0 at the end."
    )
    st.caption(plain(about))


def _draw_rotation(view: View, line: Line, pca: Stamp, problems: list[str]) -> None:
    about = (
        "Each dimension of the code multiplies one column of the decoder; squared error determines the span of these "
        "columns, but only PCA orders orthogonal axes by variance. Move the slider to rotate and rescale the axes to "
        "PCA's: the reconstructions and the error do not change."
    )
    st.markdown(plain(about))
    rows = cached.find_rows(view.entry, view.dataset_params, problems)
    shares = tuple(range(0, 101, _STEP))
    widget = page_state.seed_widget("turn", shares, 0, problems, parse=page_state.parse_integer)
    st.fragment(_draw_rotated)(view, *_read_axes(line.stamp, pca), rows, widget)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_axes(ae: Stamp, pca: Stamp) -> tuple[LinearPair, np.ndarray, CodeRotation]:
    """Read a linear AE, as many principal components, and the rotation from its axes to them."""
    # The stored arrays themselves: networks would bring torch for two matrices.
    pair = LinearPair.from_arrays(reader.read_weights(Path(ae[0])))
    components = np.asarray(reader.read_weights(Path(pca[0]))["components_"], np.float64)[: len(pair.encoder)]
    turning = CodeRotation.between(pair.decoder, components)
    return pair, components * turning.signs[:, None], turning


def _draw_rotated(
    view: View, pair: LinearPair, components: np.ndarray, turning: CodeRotation, rows: Rows | None, widget: str
) -> None:
    about = "0%: as trained. 100%: PCA's axes. Between: each plane rotated, each direction rescaled, by that share."
    with st.container(key="turning", horizontal=True, vertical_alignment="center"):
        label = "Rotation towards PCA's axes"
        percent = st.slider(label, 0, 100, step=_STEP, format="%d%%", key=widget, help=about)
        page_state.keep("turn", percent)
        rotated = linear_ae_vs_pca.rotate_code(pair, turning.at(percent / 100))
        facts = {}
        if rows is not None:
            X = rows.floats()
            error = reconstruction.squared_error(X, rotated.reconstruct(rotated.encode(X))).mean()
            facts[f"squared error, mean over {len(rows):,} test {ROW_NAMES[rows.kind]}s"] = f"{error:.6f}"
        largest = turning.angles[0] if len(turning.angles) else 0.0
        facts["rotation in the plane that rotates most"] = f"{percent / 100 * largest:.0f}° of {largest:.0f}°"
        cells = "".join(f"<div><b>{value}</b>{make_note(note)}</div>" for note, value in facts.items())
        st.html(Markup(f'<div class="hg-turn-facts">{cells}</div>'))
    if view.entry.kind == TABLES:
        _draw_loadings(rows, rotated.decoder.T[:_MOST_COLUMNS], components[:_MOST_COLUMNS])
    else:
        strips = _strips(view, rotated.decoder.T[:_MOST_AXES], components[:_MOST_AXES])
        st.html(image_grid.make_grid(strips, len(strips[0].cells)))
    st.html(_render_matrices(turning, percent / 100, rows))


def _draw_loadings(rows: Rows | None, own: np.ndarray, components: np.ndarray) -> None:
    """Draw the weight of each prepared column in the axes of both methods, as shares of each axis's largest."""
    if rows is None:
        return
    names = [
        f"{feature.name} = {category}" if category else feature.name
        for feature in rows.features
        for category in feature.categories or ("",)
    ]
    axes = [axis / max(np.abs(axis).max(), 1e-12) for axis in (*own, *components)]
    head = ["Feature", *(f"{name} {k}" for name in ("Linear AE", "PCA") for k in range(1, len(own) + 1))]
    body = [[tables.text(name), *map(tables.estimate, weights)] for name, *weights in zip(names, *axes, strict=True)]
    with st.container(height=640 if len(names) > 20 else "content", border=False):
        tables.draw(head, body, "axes", kind="hg-depths")


def _strips(view: View, own: np.ndarray, components: np.ndarray) -> list[Strip]:
    note = f"the first {len(own)} of {view.size}" if view.size > len(own) else ""
    angles = [f"{angle:.1f}°" for angle in np.degrees(np.arccos(reconstruction.cosine(own, components)))]
    blocks = [slice(start, start + _IN_BLOCK) for start in range(0, len(own), _IN_BLOCK)]

    def images(vectors: np.ndarray) -> list[str]:
        # Each axis is scaled to its own largest value.
        scaled = vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
        alt = "Axes of the code as images, negative and positive"
        return [make_map(scaled[block], view.entry.image_shape, _IN_BLOCK, 1.0, alt) for block in blocks]

    captions = [image_grid.make_captions(angles[block], _IN_BLOCK) for block in blocks]
    return [
        Strip(make_name("Linear AE, rotated", "columns of the decoder", note), images(own)),
        Strip(make_note("angle to the PCA component below"), captions),
        Strip(make_name("PCA", "components", note), images(components)),
    ]


def _render_matrices(turning: CodeRotation, share: float, rows: Rows | None) -> Markup:
    """Render the matrix that maps the code to PCA's, as trained and as rotated so far."""
    k, cells = len(turning.matrix), []
    for matrix, title in ((turning.matrix, "R as trained"), (turning.left(share), "R, rotated")):
        scaled, alt = (matrix / np.abs(matrix).max()).reshape(1, -1), f"{title}: {k} by {k} matrix"
        cells.append(make_figure(make_map(scaled, (k, k), 1, 1.0, alt, "hg-turn-matrix", cell=160), title))
    error = f" The error is computed from the rotated encoder and decoder over {rows.summary}." if rows else ""
    about = (
        "R maps the linear AE's code to PCA's, up to a constant; fully rotated it is the identity, up to the remaining "
        "error of training. Colours: negative (blue), 0, positive (orange), scaled to the largest value of each axis "
        f"and matrix; signs of components are chosen for the smallest rotation.{error}"
    )
    return Markup(f'<div class="hg-turn-matrices">{"".join(cells)}{make_note(about)}</div>')
