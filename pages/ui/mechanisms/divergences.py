"""Divergences: one Gaussian fitted to several modes by both KLs and Jensen-Shannon."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.figures.mechanisms import divergences as figures
from core.mechanisms import divergences
from core.mechanisms.divergences import FORWARD, FULL, ISOTROPIC, JENSEN_SHANNON, REVERSE, Fit, Gaussian
from core.mechanisms.gaussian_mixtures import Mixture
from pages.ui.shared import experiment, header, page_state, tables
from pages.ui.shared.components import do_nothing, get_component
from pages.ui.shared.experiment import Controls
from pages.ui.shared.tables import Cell

_LINE, _PLANE = "1", "2"
_MEANS = {_LINE: ((-2.0,), (2.0,)), _PLANE: ((-2.5, -1.5), (2.5, -1.5), (0.0, 2.5))}  # initial modes
_REACH = 4.0  # of the modes, either way from 0
_PIS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
_RESTARTS = (1, 2, 4, 8)
_COLUMNS = {FORWARD: "KL(p ‖ q), nats", REVERSE: "KL(q ‖ p), nats", JENSEN_SHANNON: "JS / (π(1 − π)), nats"}
_NAMES = {FORWARD: "KL(p ‖ q)", JENSEN_SHANNON: "JS with weight π", REVERSE: "KL(q ‖ p)"}
_COLOURS = {FORWARD: 0, JENSEN_SHANNON: 3, REVERSE: 2}
_SAME = 0.05  # means of fits that are closer are the same optimum
_MATCH = 1e-3


def draw(controls: Controls) -> None:
    experiment.introduce(
        "A single Gaussian q cannot match a target p with several modes; the divergence determines how it fails. With "
        "KL(p ‖ q), maximum likelihood, q needs density wherever p has some; with KL(q ‖ p) it must avoid places "
        "without p, and may leave modes out.",
        r"\mathrm{JS}_\pi = \pi\,\mathrm{KL}(p\,\|\,m) + (1-\pi)\,\mathrm{KL}(q\,\|\,m)",
        r"m = \pi p + (1-\pi) q",
        r"\frac{\mathrm{JS}_\pi}{\pi(1-\pi)} \to \begin{cases} \mathrm{KL}(p\,\|\,q) & \pi \to 0 \\ "
        r"\mathrm{KL}(q\,\|\,p) & \pi \to 1 \end{cases}",
    )
    with experiment.make_controls_row():
        dimension = controls.choose_segment("in", "Data", {_LINE: "1-D", _PLANE: "2-D"})
        means = _drag_modes(controls, f"modes-{dimension}", _MEANS[dimension])
        weight = controls.choose_value("weight", "Weight of mode 1", [k / 10 for k in range(11)], 0.6)
        width = controls.choose_value("width", "Standard deviation of mode 1", (0.3, 0.5, 0.8, 1.2), 0.8)
        shape = FULL
        if dimension == _PLANE:
            shape = controls.choose_segment("shape", "Covariance of q", {FULL: "Full", ISOTROPIC: "Isotropic"})
        help = "Weight of p in the mixture m: 0 gives KL(p ‖ q), 1 gives KL(q ‖ p)."
        pi = controls.choose_value("pi", "π", _PIS, 0.5, help)
        restarts = controls.choose_value("starts", "Restarts", _RESTARTS, 4, "Initial means; the best fit is shown.")
        seed = controls.choose_seed(experiment.RESTART)
    charts, rows, finding = _fit(means, weight, width, shape, pi, restarts, seed, header.get_theme())
    experiment.draw_charts(*charts, key="similarity")
    experiment.state_finding(finding)
    tables.draw(("Fit by", "Mean", "Standard deviations", *_COLUMNS.values(), "Local optima"), rows, "similarity")
    experiment.show_details(
        "Each divergence is summed over a grid and minimised by L-BFGS-B from each initial mean, with standard "
        "deviations from 0.2 to 5. Solid line: the best fit. After Huszár 2015."
    )


def _drag_modes(controls: Controls, name: str, default: Sequence[Sequence[float]]) -> np.ndarray:
    """Draw a handle for each mode, ``x1,y1;x2,y2`` in the address; returns the modes (k, d)."""
    full_name = f"{controls.experiment}.{name}"
    widget, start = page_state.key(full_name), np.asarray(default, float)
    is_flat = start.shape[1] == 1
    candidates = [st.session_state.get(widget, {}).get("places"), page_state.recall(full_name), start]
    if (text := page_state.read_link(full_name)) is not None:
        linked = _parse_modes([part.split(",") for part in text.split(";")], start.shape)
        if linked is None:
            form = f"{len(start)} points {'x' if is_flat else 'x,y'} from −{_REACH:g} to {_REACH:g}"
            controls.problems.append(f"The modes in the link must be {form}, separated by semicolons: ignored.")
        else:
            st.session_state.pop(widget, None)
            candidates.insert(0, linked)
    modes = next(modes for value in candidates if (modes := _parse_modes(value, start.shape)) is not None)
    page_state.keep(full_name, modes, text=";".join(",".join(f"{x:g}" for x in mode) for mode in modes))
    places = np.pad(modes, ((0, 0), (0, 2 - modes.shape[1]))).tolist()
    data = {"places": places, "reach": _REACH, "flat": is_flat, "label": "Modes of the target"}
    get_component("handles")(key=widget, data=data, default={"places": places}, on_places_change=do_nothing)
    return modes


def _parse_modes(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Points from a browser or a link; None where they are malformed."""
    try:
        points = np.asarray(value, float)[:, : shape[1]]
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if points.shape != shape or not (np.abs(points) <= _REACH).all():
        return None
    return np.round(points, 1) + 0.0


@st.cache_resource(max_entries=64, show_spinner=False)
def _fit(
    means: np.ndarray, weight: float, width: float, shape: str, pi: float, restarts: int, seed: int, theme: str
) -> tuple[list, list[list[Cell]], str]:
    """Charts, rows of the table, and the finding."""
    n, d = means.shape
    grid = divergences.make_grid(d)
    target = Mixture.from_means(means, [width, 0.6, 0.5][:n], [weight, 1 - weight, 0.4][:n])
    starts = np.random.default_rng(seed).uniform(-4, 4, (max(_RESTARTS), d))[:restarts]
    p, charts, rows, best_fits = np.exp(target.log_density(grid.points)), [], [], {}
    for name, label in _NAMES.items():
        fits = divergences.fit_gaussian(target, name, starts, shape=shape, pi=pi)
        best = best_fits[name] = fits[0].gaussian
        title = label if name != JENSEN_SHANNON else f"JS, π = {pi:g}"
        if d == 1:
            q = np.exp(best.log_density(grid.points))
            charts.append(figures.plot_in_1d(grid.axis, p, fits, q, title, _COLOURS[name], theme))
        else:
            outlines, square = [fit.gaussian.compute_outline() for fit in fits], p.reshape([len(grid.axis)] * 2)
            charts.append(figures.plot_in_2d(grid.axis, square, fits, outlines, title, _COLOURS[name], theme))
        values = [divergences.compute_divergence(column, p, best, pi) for column in _COLUMNS]
        texts = (label, _format(best.mean), _format(_compute_deviations(best)))
        cells = [*map(tables.text, texts), *(tables.estimate(value) for value in values)]
        rows.append([*cells, tables.text(_count_optima(fits))])
    return charts, rows, _describe_fits(shape, target, best_fits[FORWARD], best_fits[REVERSE])


def _compute_deviations(gaussian: Gaussian) -> np.ndarray:
    """Along the principal axes, the largest first."""
    return np.sqrt(np.linalg.eigvalsh(gaussian.covariance)[::-1])


def _format(values: np.ndarray) -> str:
    return ", ".join(f"{value:z.2f}" for value in values).replace("-", "−")


def _count_optima(fits: list[Fit]) -> str:
    """``"2 in 4 starts"``."""
    optima: list[np.ndarray] = []
    for fit in fits:
        if all(np.abs(fit.gaussian.mean - mean).max() > _SAME for mean in optima):
            optima.append(fit.gaussian.mean)
    return f"{len(optima)} in {len(fits)} {'start' if len(fits) == 1 else 'starts'}"


def _describe_fits(shape: str, target: Mixture, forward: Gaussian, reverse: Gaussian) -> str:
    moments, n = divergences.match_moments(target), len(target.means)
    covariance = moments.covariance
    if shape == ISOTROPIC:
        covariance = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    gap = max(np.abs(forward.mean - moments.mean).max(), np.abs(forward.covariance - covariance).max())
    matches = f"differ from the target's by up to {gap:.3f}" if gap >= _MATCH else "match the target's"
    covered = [int(fit.covers(target.means).sum()) for fit in (forward, reverse)]
    widest = [_compute_deviations(fit)[0] for fit in (forward, reverse)]
    return (
        f"{covered[0]} of {n} modes lie within two standard deviations of the fit by KL(p ‖ q) and {covered[1]} of {n} "
        f"within those of the fit by KL(q ‖ p), whose largest standard deviations are {widest[0]:.2f} and "
        f"{widest[1]:.2f}. Mean and covariance of the fit by KL(p ‖ q) {matches}."
    )
