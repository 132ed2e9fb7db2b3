"""Linear AE and PCA: the loss surface of a linear autoencoder with tied weights."""

import numpy as np
import streamlit as st

from core.figures.mechanisms import linear_ae_loss as figures
from core.mechanisms import linear_ae_loss
from pages.ui.shared import experiment, header, tables
from pages.ui.shared.experiment import Controls
from pages.ui.shared.tables import Cell

_LARGE = 2.0
_STEPS = 300
_AXIS = np.linspace(-1.5, 1.5, 81)
_STUCK_DEGREES, _STUCK_SHARE = 80, 0.9


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The loss of a linear autoencoder with tied weights and one latent dimension, x̂ = w wᵀx, has minima at plus "
        "and minus the first principal direction, saddle points at the second, and a maximum at 0. From almost every "
        "start gradient descent reaches PCA's solution, though it can stall at a saddle point.",
        r"L(w) = \mathbb{E}\,\|x - w w^\top x\|^2 = \mathrm{tr}\,C - 2\,w^\top C w + \|w\|^2\,w^\top C w",
        r"{L(\pm u_1) = \lambda_2,}\quad\allowbreak{L(\pm u_2) = \lambda_1,}\quad\allowbreak"
        r"{L(0) = \lambda_1 + \lambda_2}",
    )
    with experiment.make_controls_row():
        help = "At 1 both principal directions are equivalent."
        ratio = controls.choose_value(
            "ratio", "Variance ratio λ₂ / λ₁", (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0), 0.25, help
        )
        angle = controls.choose_value("angle", "First principal direction (degrees)", tuple(range(0, 91, 15)), 30)
        help = "At 90 degrees to the first principal direction, descent leads to a saddle point."
        start_angle = controls.choose_value("from", "Start angle (degrees)", tuple(range(0, 360, 15)), 105, help)
        help, rates = "0 is the maximum, without gradient.", (0.01, 0.05, 0.1, 0.3, 1.0)
        radius = controls.choose_value("radius", "Start length of w", (0.0, 0.05, 0.3, 0.8, 1.2), 0.3, help)
        rate = controls.choose_value("rate", "Step size", rates, 0.05, "Factor on the gradient divided by λ₁.")
    charts, finding, rows = _descend(ratio, angle, start_angle, radius, rate, header.get_theme())
    experiment.draw_charts(*charts, key="linear")
    experiment.state_finding(finding)
    if rows:
        tables.draw(("Quantity", f"After {_STEPS} steps", "At the minimum"), rows, "linear")
    experiment.show_details(
        f"λ₁ = {_LARGE:g}. At most {_STEPS} steps of gradient descent; Play animates them, slowly at first. Baldi and "
        "Hornik 1989."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _descend(
    ratio: float, angle: int, start_angle: int, radius: float, rate: float, theme: str
) -> tuple[list, str, list[list[Cell]]]:
    """Charts, the finding, and rows of the table, none where the descent diverged."""
    C, least = linear_ae_loss.make_covariance(_LARGE, _LARGE * ratio, angle), _LARGE * ratio
    direction = np.radians(start_angle)
    start = radius * np.array([np.cos(direction), np.sin(direction)])
    path, points = linear_ae_loss.descend(C, start, rate, _STEPS), linear_ae_loss.find_stationary_points(C)
    w, loss = path[-1], float(linear_ae_loss.compute_loss(C, path[-1]))
    plane = np.stack(np.meshgrid(_AXIS, _AXIS, indexing="ij"), -1)
    losses = np.maximum(linear_ae_loss.compute_loss(C, plane), 1e-3)
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), C, 400)
    charts = [
        figures.plot_loss_surface(_AXIS, losses, points, path, theme),
        figures.plot_reconstructions(X, w, points[0].w, theme),
    ]
    if (steps := len(path) - 1) < _STEPS:
        finding = f"Gradient descent diverged after {steps} steps with step size {rate:g}. Choose a smaller one."
        return charts, finding, []
    length, offset = float(np.linalg.norm(w)), None
    if length < 1e-6:
        finding = "The start is the maximum, where the gradient is 0."
    elif ratio == 1:
        finding = "Both variances are equal, so every direction is optimal."
    else:
        offset = float(np.degrees(np.arccos(np.clip(abs(w @ points[0].w) / length, 0, 1))))
        if offset > _STUCK_DEGREES and loss > least + _STUCK_SHARE * (_LARGE - least):
            finding = "Gradient descent is stuck at a saddle point."
        elif loss - least < 5e-5:
            finding = f"After {_STEPS} steps w is at a minimum: plus or minus the first principal direction."
        else:
            finding = f"After {_STEPS} steps the loss is {loss - least:.4f} above its minimum."
    offset_cell = tables.EMPTY if offset is None else Cell(f"{offset:.2f}", offset)
    rows = [
        [tables.text("Loss L(w)"), Cell(f"{loss:.4f}", loss), Cell(f"{least:.4f}", least)],
        [tables.text("Length of w"), Cell(f"{length:.4f}", length), tables.text(1)],
        [tables.text("Angle to the first principal direction (degrees)"), offset_cell, tables.text(0)],
    ]
    return charts, finding, rows
