"""Divergences: one Gaussian fitted to several modes by KL(p || q), KL(q || p) and a weighted Jensen-Shannon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.mechanisms import divergences
from core.mechanisms.divergences import FORWARD, FULL, ISOTROPIC, JENSEN_SHANNON, REVERSE, Divergences, Fit, Target
from pages.ui.mechanisms import draggable_points, experiment
from pages.ui.mechanisms.experiment import Controls
from pages.ui.shared import header, tables
from pages.ui.shared.tables import Cell

_LINE, _PLANE = "1", "2"
# Initial positions of the modes.
_MEANS = {_LINE: ((-2.0,), (2.0,)), _PLANE: ((-2.0, 0.0), (2.0, 0.0), (0.0, 2.0))}
_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_WIDTHS = (0.3, 0.5, 0.8, 1.2)
_PIS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
_RESTARTS = (1, 2, 4, 8)
_HEAD = (
    "Fit by",
    "Mean",
    "Standard deviations",
    "KL(p ‖ q), nats",
    "KL(q ‖ p), nats",
    "JS / (π(1 − π)), nats",
    "Local optima",
)
_NAMES = {FORWARD: "KL(p ‖ q)", JENSEN_SHANNON: "JS with weight π", REVERSE: "KL(q ‖ p)"}
_COLOURS = {FORWARD: 0, JENSEN_SHANNON: 3, REVERSE: 2}
# Means of two fits that are closer are the same optimum.
_SAME = 0.05
_MATCH = 1e-3


@dataclass(frozen=True)
class _Setting:
    """Target p, shape of q, weight of the divergence and restarts of the fit."""

    dimension: str
    means: tuple[tuple[float, ...], ...]
    weight: float
    width: float
    shape: str
    pi: float
    restarts: int
    seed: int

    def make_target(self) -> Target:
        widths, weights = [self.width, 0.6, 0.5], [self.weight, 1 - self.weight, 0.4]
        n = len(self.means)
        return divergences.make_target(self.means, widths[:n], weights[:n])

    def draw_starts(self) -> np.ndarray:
        d = int(self.dimension)
        return np.random.default_rng(self.seed).uniform(-4, 4, (max(_RESTARTS), d))[: self.restarts]


def draw(controls: Controls) -> None:
    experiment.introduce(
        "A single Gaussian q cannot match a target p with several modes; the divergence determines how it fails. "
        "Maximum likelihood, KL(p ‖ q), covers all modes and the space between them; KL(q ‖ p) covers one mode, which "
        "one depending on initialisation.",
        r"\mathrm{JS}_\pi = \pi\,\mathrm{KL}(p\,\|\,m) + (1-\pi)\,\mathrm{KL}(q\,\|\,m)",
        r"m = \pi p + (1-\pi) q",
        r"\frac{\mathrm{JS}_\pi}{\pi(1-\pi)} \to \begin{cases} \mathrm{KL}(p\,\|\,q) & \pi \to 0 \\ "
        r"\mathrm{KL}(q\,\|\,p) & \pi \to 1 \end{cases}",
    )
    left, right = st.columns([1, 3], gap="medium")
    with left:
        dimension = controls.choose_segment("in", "Data", {_LINE: "1-D", _PLANE: "2-D"})
        means = draggable_points.choose_points(controls, f"modes-{dimension}", "Modes of the target", _MEANS[dimension])
    with right, experiment.controls_row():
        weight = controls.choose_value("weight", "Weight of mode 1", _WEIGHTS, 0.6)
        width = controls.choose_value("width", "Standard deviation of mode 1", _WIDTHS, 0.8)
        shape = FULL
        if dimension == _PLANE:
            shape = controls.choose_segment("shape", "Covariance of q", {FULL: "Full", ISOTROPIC: "Isotropic"})
        help = "Weight of p in the mixture m: 0 gives KL(p ‖ q), 1 gives KL(q ‖ p)."
        pi = controls.choose_value("pi", "π", _PIS, 0.5, help)
        restarts = controls.choose_value("starts", "Restarts", _RESTARTS, 4, "Initial means; the best fit is shown.")
        seed = controls.choose_seed(experiment.RESTART)
    setting = _Setting(dimension, tuple(map(tuple, means.tolist())), weight, width, shape, pi, restarts, seed)
    fits, values, moments_gap = _fit(setting)
    experiment.draw_charts(*_figures(setting, header.get_theme()), key="similarity")
    experiment.state_finding(_describe_fits(fits, moments_gap))
    tables.draw(_HEAD, _table_rows(fits, values), "similarity")
    experiment.show_details(
        "Each divergence is summed over a grid and minimised by L-BFGS-B from each initial mean, with standard "
        "deviations from 0.2 to 5. Solid line: the best fit. After Huszár 2015."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _fit(setting: _Setting) -> tuple[dict[str, list[Fit]], dict[str, Divergences], float]:
    """Fits by divergence, the best first; their values; largest difference of the forward fit's moments from p's."""
    target, points = setting.make_target(), _make_grid(int(setting.dimension))
    fits = {
        name: divergences.fit_gaussian(
            target, name, setting.draw_starts(), points=points, shape=setting.shape, pi=setting.pi
        )
        for name in _NAMES
    }
    p = target.density(points.points)
    values = {
        name: divergences.compute_divergences(p, own[0].gaussian, points, setting.pi) for name, own in fits.items()
    }
    forward, moments = fits[FORWARD][0].gaussian, target.moments
    covariance = moments.covariance
    if setting.shape == ISOTROPIC:
        covariance = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    gap = max(np.abs(forward.mean - moments.mean).max(), np.abs(forward.covariance - covariance).max())
    return fits, values, float(gap)


@st.cache_resource(max_entries=2, show_spinner=False)
def _make_grid(dimension: int) -> divergences.Grid:
    return divergences.make_grid(dimension)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(setting: _Setting, theme: str):
    from core.figures.mechanisms import divergences as figures  # plotly

    fits, _, _ = _fit(setting)
    points = _make_grid(int(setting.dimension))
    p = setting.make_target().density(points.points)
    charts = []
    for name, own in fits.items():
        title = _NAMES[name] if name != JENSEN_SHANNON else f"JS, π = {setting.pi:g}"
        if setting.dimension == _LINE:
            shown = np.abs(points.axes[0]) <= 6
            x, best = points.points[shown], np.exp(own[0].gaussian.log_density(points.points[shown]))
            charts.append(figures.plot_in_1d(x[:, 0], p[shown], own, best, title, _COLOURS[name], theme))
        else:
            square = p.reshape([len(axis) for axis in points.axes])
            outlines = [fit.gaussian.compute_outline() for fit in own]
            charts.append(figures.plot_in_2d(points.axes[0], square, own, outlines, title, _COLOURS[name], theme))
    return tuple(charts)


def _table_rows(fits: dict[str, list[Fit]], values: dict[str, Divergences]) -> list[list[Cell]]:
    rows = []
    for name, own in fits.items():
        best, value = own[0].gaussian, values[name]
        texts = (_NAMES[name], _format(best.mean), _format(_standard_deviations(best)))
        numbers = (tables.estimate(float(v)) for v in (value.forward, value.reverse, value.js_scaled))
        rows.append([*map(tables.text, texts), *numbers, tables.text(_count_optima(own))])
    return rows


def _standard_deviations(gaussian) -> np.ndarray:
    """Along the principal axes, the largest first."""
    return np.sqrt(np.linalg.eigvalsh(gaussian.covariance)[::-1])


def _format(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in values).replace("-", "−")


def _count_optima(fits: list[Fit]) -> str:
    """``"2 in 4 starts"``."""
    optima: list[np.ndarray] = []
    for fit in fits:
        if all(np.abs(fit.gaussian.mean - mean).max() > _SAME for mean in optima):
            optima.append(fit.gaussian.mean)
    return f"{len(optima)} in {len(fits)} {'start' if len(fits) == 1 else 'starts'}"


def _describe_fits(fits: dict[str, list[Fit]], gap: float) -> str:
    forward, reverse = (_standard_deviations(fits[name][0].gaussian)[0] for name in (FORWARD, REVERSE))
    matches = f"differ from the target's by up to {gap:.3f}" if gap >= _MATCH else "match the target's"
    return (
        f"Mean and covariance of the fit by KL(p ‖ q) {matches}. Its largest standard deviation is {forward:.2f}, that "
        f"of the fit by KL(q ‖ p) {reverse:.2f}."
    )
