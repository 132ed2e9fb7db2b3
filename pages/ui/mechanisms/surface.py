"""Linear AE and PCA: the loss surface of tied weights in the plane."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.mechanisms import tied_weights
from core.mechanisms.tied_weights import Descent
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls

_LARGE = 2.0
_RATIOS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_ANGLES = (0, 15, 30, 45, 60, 75, 90)
_START_ANGLES = tuple(range(0, 360, 15))
_RADII = (0.0, 0.05, 0.3, 0.8, 1.2)
_RATES = (0.01, 0.05, 0.1, 0.3, 1.0)
_STEPS = 300
_AXIS = np.linspace(-1.5, 1.5, 81)
_ROWS = 400


def draw(controls: Controls) -> None:
    frame.begin(
        "A linear autoencoder with one number in its code and tied weights, x̂ = w wᵀx, in the plane: its loss has two "
        "minima, at plus and minus the first principal direction, saddles at the second, and a maximum at 0. Gradient "
        "descent can stall at a saddle, and ends at PCA's answer from almost anywhere.",
        r"L(w) = \mathbb{E}\,\|x - w w^\top x\|^2 = \mathrm{tr}\,C - 2\,w^\top C w + \|w\|^2\,w^\top C w",
        r"{L(\pm u_1) = \lambda_2,}\quad\allowbreak{L(\pm u_2) = \lambda_1,}\quad\allowbreak"
        r"{L(0) = \lambda_1 + \lambda_2}",
    )
    with frame.controls():
        ratio = controls.slide(
            "ratio", "Smaller variance over the larger", _RATIOS, 0.25, "λ₂ / λ₁; at 1 no direction is the first."
        )
        angle = controls.slide("angle", "First direction, degrees", _ANGLES, 30)
        start_angle = controls.slide(
            "from",
            "Start, degrees",
            _START_ANGLES,
            105,
            "At 90 degrees to the first direction it begins on a saddle's ridge.",
        )
        radius = controls.slide("radius", "Start, length of w", _RADII, 0.3, "0 is the maximum, where nothing moves.")
        rate = controls.slide("rate", "Step size", _RATES, 0.05, "Times the gradient over λ₁.")
    found = _descent(ratio, angle, start_angle, radius, rate)
    frame.charts(*_figures(ratio, angle, start_angle, radius, rate, frame.theme()), key="linear")
    frame.settle(_verdict(ratio, angle, rate, found))
    st.caption(
        f"λ₁ = {_LARGE:g}. At most {_STEPS} steps of plain gradient descent; Play shows them in the browser, slow at "
        "first. Baldi and Hornik 1989."
    )


def _covariance(ratio: float, angle: int) -> np.ndarray:
    return tied_weights.covariance(_LARGE, _LARGE * ratio, angle)


@st.cache_resource(max_entries=64, show_spinner=False)
def _descent(ratio: float, angle: int, start_angle: int, radius: float, rate: float) -> Descent:
    turn = np.radians(start_angle)
    start = radius * np.array([np.cos(turn), np.sin(turn)])
    return tied_weights.descend(_covariance(ratio, angle), start, rate, _STEPS)


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(ratio: float, angle: int, start_angle: int, radius: float, rate: float, theme: str):
    from core.figures.mechanisms import surface as figures  # plotly

    C, found = _covariance(ratio, angle), _descent(ratio, angle, start_angle, radius, rate)
    plane = np.stack(np.meshgrid(_AXIS, _AXIS, indexing="ij"), -1)
    losses = np.maximum(tied_weights.loss(C, plane), 1e-3)
    points = tied_weights.stationary(C)
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), C, _ROWS)
    return (
        figures.surface(_AXIS, losses, points, found.path, theme),
        figures.rows(X, found.path[-1], points[0].w, theme),
    )


def _verdict(ratio: float, angle: int, rate: float, found: Descent) -> str:
    steps = len(found.path) - 1
    least = _LARGE * ratio
    if steps < _STEPS:
        return (
            f"With the step size {rate:g} descent left the picture after {steps} steps: each overshoots by more than "
            "the one before. Choose a smaller one."
        )
    w, loss = found.path[-1], found.losses[-1]
    text = f"After {steps} steps L(w) = {loss:.4f}; the least there is, λ₂, is {least:.4f}. "
    length = float(np.linalg.norm(w))
    if length < 1e-6:
        return text + "It began at the maximum, where the gradient is 0, and stays there."
    if ratio == 1:
        return (
            text + f"Both variances are the same, so any direction is as good; w is {length:.4f} long, 1 at a minimum."
        )
    u = tied_weights.stationary(_covariance(ratio, angle))[0].w
    apart = float(np.degrees(np.arccos(np.clip(abs(w @ u) / length, 0, 1))))
    text += f"w is {apart:.2f} degrees from the first principal direction and {length:.4f} long, 1 at a minimum"
    if apart > 80 and loss > least + 0.9 * (_LARGE - least):
        return text + ": stuck at a saddle, where only a nudge along the first direction helps."
    return text + "."
