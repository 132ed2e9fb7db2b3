"""The section 2-D manifold: the plane of a 2-D code, with the image decoded at each point."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from core import methods
from core.analysis import decoder_export
from core.analysis.rows import Rows
from core.errors import BrokenRun
from core.frontend.latent import Axis, Gaussian, Scene
from core.runs import selection
from core.types import Run
from pages.ui.generation import latent_component
from pages.ui.shared import header, stored_runs
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import plain


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    lines = {line.method: line for line in find_lines(view, stored)}
    help_text = "Methods with a 2-D code, independent of the latent dimensions chosen above."
    line = latent_component.choose_line("plane", lines, view.entry, 2, problems, help_text)
    if line is None:
        return
    if line.run is None:
        raise BrokenRun(line.problem or "This run can't be read: choose another method.")
    rows = latent_component.find_rows(view.entry, line, problems)
    scene = make_scene(line.stamp, rows.key if rows is not None else "", line.run, rows)
    where = "between the classes" if scene.gaussian else "where no test rows are: the decoder was not trained there"
    about = f"Each point of the square is a 2-D code, which the decoder turns into an image. Drag to look {where}."
    # In large type below, so that the controls and the whole plane are in one view.
    explanation = None if header.is_large() else st.markdown(about)
    latent_component.draw(line.stamp, scene, rows, describe(line, scene, rows), problems)
    if explanation is None:
        st.markdown(about)
    if not any(line.entry.has_posterior for line in lines.values()):
        st.caption(plain(f"The lecture shows this plane for a VAE; none is trained on {view.entry.label} yet."))
        latent_component.link_training(view.entry, 2)


def find_lines(view: View, stored: Sequence[Run]) -> list[Line]:
    """Return the 2-D run of each method that has one: the run chosen on the page where that is 2-D too."""
    chosen = {line.method: line for line in view.lines if line.run and selection.code_size(line.run) == 2}
    lines = []
    for method in latent_component.list_methods(view.entry.kind):
        runs = selection.select_runs(list(stored), view.entry.name, method, 2)
        if runs := [run for run in runs if selection.code_size(run) == 2]:
            lines.append(chosen.get(method) or stored_runs.make_line(method, runs, runs[0].spec))
    return lines


@st.cache_resource(max_entries=16, show_spinner=False)
def make_scene(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows | None) -> Scene:
    has_prior = methods.entry(_run.spec.method).has_prior
    scene = latent_component.make_scene("manifold", stamp, rows_key, _run, _rows)
    axes = (Axis(-latent_component.FARTHEST, latent_component.FARTHEST),) * 2
    if not has_prior and len(scene.codes):
        ends = zip(*decoder_export.find_code_range(scene.codes), strict=True)
        axes = tuple(Axis(float(low), float(high), float(middle)) for low, middle, high in ends)
    gaussian = Gaussian(True, np.zeros(2), np.eye(2)) if has_prior else None
    return replace(scene, axes=axes, gaussian=gaussian)


def describe(line: Line, scene: Scene, rows: Rows | None) -> list[str]:
    parts = ["Without a prior, each axis spans the 1st to 99th percentile of the codes."]
    if scene.gaussian:
        parts = [
            "Axes: standard deviations of the prior, spaced by the inverse normal distribution (Kingma and Welling "
            "2014, figure 4), so that equal areas have equal probability; shown up to "
            f"{latent_component.FARTHEST:g} standard deviations."
        ]
    return [*parts, describe_points(line, scene, rows)]


def describe_points(line: Line, scene: Scene, rows: Rows | None) -> str:
    """Say which rows the points are; "" without any."""
    if not line.entry.encodes:
        return f"A {line.entry.label} has no encoder, so there are no codes of test rows."
    if len(scene.codes):
        low, high = (np.array([getattr(axis, end) for axis in scene.axes]) for end in ("low", "high"))
        n_beyond = int(((scene.codes < low) | (scene.codes > high)).any(axis=1).sum())
        which = rows.summary if rows is not None else f"{len(scene.codes):,} test rows (their images are not here)"
        codes = "posterior means" if line.entry.has_posterior else "codes"
        beyond = f"; {n_beyond:,} beyond the axes are drawn at the edge" if n_beyond else ""
        return f"Points: {codes} of {which}{beyond}."
    return ""
