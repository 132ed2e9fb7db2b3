"""Which similarity? One Gaussian fitted to several modes by KL(p || q), KL(q || p) and a weighted Jensen-Shannon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.mechanisms import divergences
from core.mechanisms.divergences import FORWARD, FULL, ISOTROPIC, JENSEN_SHANNON, REVERSE, Fit, Target, Values
from pages.ui.mechanisms import frame, handles
from pages.ui.mechanisms.frame import Controls
from pages.ui.numbers import number
from pages.ui.text import Markup, html

_LINE, _PLANE = "1", "2"
# Where the modes are until somebody moves them.
_MEANS = {_LINE: ((-2.0,), (2.0,)), _PLANE: ((-2.0, 0.0), (2.0, 0.0), (0.0, 2.0))}
_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_WIDTHS = (0.3, 0.5, 0.8, 1.2)
_PIS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
_RESTARTS = (1, 2, 4, 8)
_NAMES = {FORWARD: "KL(p ‖ q)", JENSEN_SHANNON: "JS with weight π", REVERSE: "KL(q ‖ p)"}
_COLOURS = {FORWARD: 0, JENSEN_SHANNON: 3, REVERSE: 2}


@dataclass(frozen=True)
class _Setting:
    """What is chosen."""

    dimension: str
    means: tuple[tuple[float, ...], ...]
    weight: float
    width: float
    shape: str
    pi: float
    restarts: int
    seed: int

    def target(self) -> Target:
        widths, weights = [self.width, 0.6, 0.5], [self.weight, 1 - self.weight, 0.4]
        n = len(self.means)
        return divergences.target(self.means, widths[:n], weights[:n])

    def starts(self) -> np.ndarray:
        d = int(self.dimension)
        return np.random.default_rng(self.seed).uniform(-4, 4, (max(_RESTARTS), d))[: self.restarts]


def draw(controls: Controls) -> None:
    frame.begin(
        "One Gaussian q can't be like a target p of several modes, and the similarity decides how it fails. Maximum "
        "likelihood, KL(p ‖ q), covers all modes and puts weight where nothing is between them; KL(q ‖ p) seeks one "
        "mode and misses the rest, which one hanging on the start. Slide π from one to the other.",
        r"\mathrm{JS}_\pi = \pi\,\mathrm{KL}(p\,\|\,m) + (1-\pi)\,\mathrm{KL}(q\,\|\,m)",
        r"m = \pi p + (1-\pi) q",
        r"\frac{\mathrm{JS}_\pi}{\pi(1-\pi)} \to \begin{cases} \mathrm{KL}(p\,\|\,q) & \pi \to 0 \\ "
        r"\mathrm{KL}(q\,\|\,p) & \pi \to 1 \end{cases}",
    )
    left, right = st.columns([1, 3], gap="medium")
    with left:
        dimension = controls.segments("in", "Data", {_LINE: "On a line", _PLANE: "In the plane"})
        means = handles.places(controls, f"modes-{dimension}", "The target's modes", _MEANS[dimension])
    with right, frame.controls():
        weight = controls.slide("weight", "Weight of mode 1", _WEIGHTS, 0.6)
        width = controls.slide("width", "Width of mode 1", _WIDTHS, 0.8, "Its standard deviation.")
        shape = FULL
        if dimension == _PLANE:
            shape = controls.segments("shape", "Covariance of q", {FULL: "Full", ISOTROPIC: "Isotropic"})
        pi = controls.slide("pi", "π", _PIS, 0.5, "Weight of p in the mixture m: 0 is KL(p ‖ q), 1 is KL(q ‖ p).")
        restarts = controls.slide(
            "starts", "Starts", _RESTARTS, 4, "Means that the fit begins at; the best end is shown."
        )
        seed = controls.seed("Other starts")
    setting = _Setting(dimension, tuple(map(tuple, means.tolist())), weight, width, shape, pi, restarts, seed)
    fits, table, moments_gap = _fitted(setting)
    frame.charts(*_figures(setting, frame.theme()), key="similarity")
    st.html(_table(fits, table))
    frame.settle(_verdict(setting, fits, table, moments_gap))
    st.caption(
        "Fits minimise sums over a grid by L-BFGS-B from each start, with standard deviations from 0.2 to 5; the best "
        "end is the full line. After Huszár 2015. JS is divided by π (1 − π) in the table."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _fitted(setting: _Setting) -> tuple[dict[str, list[Fit]], dict[str, Values], float]:
    """Fits by divergence, the values of the best ones, and how far the first is from matching the moments."""
    target, points = setting.target(), _grid(int(setting.dimension))
    fits = {
        name: divergences.fit(target, name, setting.starts(), points=points, shape=setting.shape, pi=setting.pi)
        for name in _NAMES
    }
    p = target.density(points.points)
    table = {name: divergences.values(p, own[0].gaussian, points, setting.pi) for name, own in fits.items()}
    covering, moments = fits[FORWARD][0].gaussian, target.moments
    covariance = moments.covariance
    if setting.shape == ISOTROPIC:
        covariance = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    gap = max(np.abs(covering.mean - moments.mean).max(), np.abs(covering.covariance - covariance).max())
    return fits, table, float(gap)


@st.cache_resource(max_entries=2, show_spinner=False)
def _grid(dimension: int) -> divergences.Grid:
    return divergences.grid(dimension)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(setting: _Setting, theme: str):
    from core.figures.mechanisms import similarity as figures  # plotly

    fits, _, _ = _fitted(setting)
    points = _grid(int(setting.dimension))
    p = setting.target().density(points.points)
    made = []
    for name, own in fits.items():
        title = _NAMES[name] if name != JENSEN_SHANNON else f"JS, π = {setting.pi:g}"
        if setting.dimension == _LINE:
            shown = np.abs(points.axes[0]) <= 6
            x, best = points.points[shown], np.exp(own[0].gaussian.log_density(points.points[shown]))
            made.append(figures.on_line(x[:, 0], p[shown], own, best, title, _COLOURS[name], theme))
        else:
            square = p.reshape([len(axis) for axis in points.axes])
            outlines = [each.gaussian.outline() for each in own]
            made.append(figures.in_plane(points.axes[0], square, own, outlines, title, _COLOURS[name], theme))
    return tuple(made)


def _table(fits: dict[str, list[Fit]], table: dict[str, Values]) -> Markup:
    head = (
        "Fitted by",
        "Mean",
        "Standard deviations",
        "KL(p ‖ q), nats",
        "KL(q ‖ p), nats",
        "JS, nats",
        "Optima found",
    )
    rows = []
    for name, own in fits.items():
        best = own[0].gaussian
        mean = ", ".join(f"{value:.2f}" for value in best.mean)
        deviations = ", ".join(f"{value:.2f}" for value in np.sqrt(np.linalg.eigvalsh(best.covariance)[::-1]))
        values = table[name]
        cells = [mean, deviations, *(number(each) for each in (values.forward, values.reverse, values.js_scaled))]
        cells.append(_optima(own))
        rows.append(
            f'<tr><th scope="row">{html(_NAMES[name])}</th>'
            + "".join(f"<td>{html(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    return Markup(
        '<div class="hg-wide"><table class="hg-table"><thead><tr>'
        + "".join(f'<th scope="col">{html(text)}</th>' for text in head)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _optima(own: list[Fit]) -> str:
    """How many different ends the starts led to."""
    found: list[Fit] = []
    for each in own:
        if all(np.abs(each.gaussian.mean - other.gaussian.mean).max() > 0.05 for other in found):
            found.append(each)
    return f"{len(found)} from {len(own)} {'start' if len(own) == 1 else 'starts'}"


def _verdict(setting: _Setting, fits: dict[str, list[Fit]], table: dict[str, Values], gap: float) -> str:
    near = "matches" if gap < 1e-3 else "should match, and misses,"
    covering, seeking = fits[FORWARD][0].gaussian, fits[REVERSE][0].gaussian
    wide, narrow = (np.sqrt(np.linalg.eigvalsh(each.covariance)[-1]) for each in (covering, seeking))
    return (
        f"KL(p ‖ q) {near} the target's mean and covariance: the largest difference is {gap:.1e}. Its widest standard "
        f"deviation is {wide:.2f}, that of KL(q ‖ p) {narrow:.2f}. Each is better by its own measure: KL(p ‖ q) is "
        f"{number(table[FORWARD].forward)} against {number(table[REVERSE].forward)} nats, KL(q ‖ p) "
        f"{number(table[REVERSE].reverse)} against {number(table[FORWARD].reverse)}."
    )
