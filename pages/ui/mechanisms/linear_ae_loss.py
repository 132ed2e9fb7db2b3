"""Linear AE and PCA: the loss surface of a linear autoencoder with tied weights in the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.figures.mechanisms import linear_ae_loss as figures
from core.mechanisms import linear_ae_loss
from core.mechanisms.linear_ae_loss import Descent
from pages.ui.mechanisms import experiment
from pages.ui.mechanisms.experiment import Controls
from pages.ui.shared import header, tables
from pages.ui.shared.tables import Cell

_LARGE = 2.0
_RATIOS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_ANGLES = (0, 15, 30, 45, 60, 75, 90)
_START_ANGLES = tuple(range(0, 360, 15))
_RADII = (0.0, 0.05, 0.3, 0.8, 1.2)
_RATES = (0.01, 0.05, 0.1, 0.3, 1.0)
_STEPS = 300
_AXIS = np.linspace(-1.5, 1.5, 81)
_ROWS = 400
_TOO_SHORT = 1e-6
_AT_MINIMUM = 5e-5
_STUCK_DEGREES, _STUCK_SHARE = 80, 0.9


@dataclass(frozen=True)
class _Setting:
    """Data (ratio of variances, angle in degrees), start of the descent (angle in degrees, length) and step size."""

    ratio: float
    angle: int
    start_angle: int
    radius: float
    rate: float

    @property
    def covariance(self) -> np.ndarray:
        return linear_ae_loss.make_covariance(_LARGE, _LARGE * self.ratio, self.angle)

    @property
    def least_loss(self) -> float:
        return _LARGE * self.ratio


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The loss of a linear autoencoder with tied weights and one latent dimension, x̂ = w wᵀx, has minima at plus "
        "and minus the first principal direction, saddle points at the second, and a maximum at 0. From almost every "
        "start gradient descent reaches PCA's solution, though it can stall at a saddle point.",
        r"L(w) = \mathbb{E}\,\|x - w w^\top x\|^2 = \mathrm{tr}\,C - 2\,w^\top C w + \|w\|^2\,w^\top C w",
        r"{L(\pm u_1) = \lambda_2,}\quad\allowbreak{L(\pm u_2) = \lambda_1,}\quad\allowbreak"
        r"{L(0) = \lambda_1 + \lambda_2}",
    )
    with experiment.controls_row():
        help = "At 1 both principal directions are equivalent."
        ratio = controls.choose_value("ratio", "Variance ratio λ₂ / λ₁", _RATIOS, 0.25, help)
        angle = controls.choose_value("angle", "First principal direction (degrees)", _ANGLES, 30)
        help = "At 90 degrees to the first principal direction, descent leads to a saddle point."
        start_angle = controls.choose_value("from", "Start angle (degrees)", _START_ANGLES, 105, help)
        radius = controls.choose_value(
            "radius", "Start length of w", _RADII, 0.3, "0 is the maximum, without gradient."
        )
        rate = controls.choose_value("rate", "Step size", _RATES, 0.05, "Factor on the gradient divided by λ₁.")
    setting = _Setting(ratio, angle, start_angle, radius, rate)
    charts, descent = _descend(setting, header.get_theme())
    experiment.draw_charts(*charts, key="linear")
    _show_result(setting, descent)
    experiment.show_details(
        f"λ₁ = {_LARGE:g}. At most {_STEPS} steps of gradient descent; Play animates them, slowly at first. Baldi and "
        "Hornik 1989."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _descend(setting: _Setting, theme: str) -> tuple[list, Descent]:
    C, angle = setting.covariance, np.radians(setting.start_angle)
    start = setting.radius * np.array([np.cos(angle), np.sin(angle)])
    descent = linear_ae_loss.descend(C, start, setting.rate, _STEPS)
    plane = np.stack(np.meshgrid(_AXIS, _AXIS, indexing="ij"), -1)
    losses = np.maximum(linear_ae_loss.compute_loss(C, plane), 1e-3)
    points = linear_ae_loss.find_stationary_points(C)
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), C, _ROWS)
    surface = figures.plot_loss_surface(_AXIS, losses, points, descent.path, theme)
    return [surface, figures.plot_reconstructions(X, descent.path[-1], points[0].w, theme)], descent


def _show_result(setting: _Setting, descent: Descent) -> None:
    steps = len(descent.path) - 1
    if steps < _STEPS:
        experiment.state_finding(
            f"Gradient descent diverged after {steps} steps with step size {setting.rate:g}. Choose a smaller one."
        )
        return
    w, loss = descent.path[-1], float(descent.losses[-1])
    length, angle = float(np.linalg.norm(w)), _angle_to_first(setting, w)
    experiment.state_finding(_describe_end(setting, length, angle, loss))
    angle_cell = tables.EMPTY if angle is None else Cell(f"{angle:.2f}", angle)
    rows = [
        [tables.text("Loss L(w)"), Cell(f"{loss:.4f}", loss), Cell(f"{setting.least_loss:.4f}", setting.least_loss)],
        [tables.text("Length of w"), Cell(f"{length:.4f}", length), tables.text(1)],
        [tables.text("Angle to the first principal direction (degrees)"), angle_cell, tables.text(0)],
    ]
    tables.draw(("Quantity", f"After {steps} steps", "At the minimum"), rows, "linear")


def _angle_to_first(setting: _Setting, w: np.ndarray) -> float | None:
    """Degrees between w and the first principal direction; None where either is not defined."""
    length = float(np.linalg.norm(w))
    if length < _TOO_SHORT or setting.ratio == 1:
        return None
    u = linear_ae_loss.find_stationary_points(setting.covariance)[0].w
    return float(np.degrees(np.arccos(np.clip(abs(w @ u) / length, 0, 1))))


def _describe_end(setting: _Setting, length: float, angle: float | None, loss: float) -> str:
    least = setting.least_loss
    if length < _TOO_SHORT:
        return "The start is the maximum, where the gradient is 0."
    if angle is None:
        return "Both variances are equal, so every direction is optimal."
    if angle > _STUCK_DEGREES and loss > least + _STUCK_SHARE * (_LARGE - least):
        return "Gradient descent is stuck at a saddle point."
    if loss - least < _AT_MINIMUM:
        return f"After {_STEPS} steps w is at a minimum: plus or minus the first principal direction."
    return f"After {_STEPS} steps the loss is {loss - least:.4f} above its minimum."
