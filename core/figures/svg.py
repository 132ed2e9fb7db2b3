"""Training curves as SVG: of a training that runs, and of a stored run until somebody points at them."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from core.figures import palette
from core.types import spread_indices

History = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[float, float]]

AXES = {"epoch": "epoch", "seconds": "seconds of training"}
NAMES = {
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "score_real": "real",
    "score_generated": "generated",
    "validation_score_real": "validation",
    **dict.fromkeys(("test_loss", "test_score_real"), "test"),
    **dict.fromkeys(("loss", "reconstruction", "kl"), "training"),
    **dict.fromkeys(("validation_loss", "validation_reconstruction", "validation_kl"), "validation"),
}
# title -> terms of the loss, or scores, that share a panel
_PANELS = {
    "Loss": ("loss", "validation_loss", "test_loss"),
    "Reconstruction": ("reconstruction", "validation_reconstruction"),
    "KL divergence": ("kl", "validation_kl"),
    "Losses of the players": ("discriminator_loss", "generator_loss"),
    "Discriminator's mean score": ("score_real", "score_generated", "validation_score_real", "test_score_real"),
}
_MOST_POINTS = 600  # of a line, which has no more pixels
_N_TICKS = 4


def list_panels(histories: Mapping[str, History], unit: str) -> list[tuple[str, list[str]]]:
    """Titles of the panels of some trainings' curves, and the terms in each.

    `unit` is that of the loss and its terms; scores are probabilities.
    """
    known = {term for rows in histories.values() for row in rows for term in row}
    panels = []
    for title, terms in _PANELS.items():
        panel_unit = "probability" if terms[0].startswith("score") else unit
        if shown := [term for term in terms if term in known]:
            panels.append((f"{title}, {panel_unit}" if panel_unit else title, shown))
    return panels


def thin_rows(rows: History) -> History:
    """At most about 600 of the rows, evenly spread, the last one included."""
    return [rows[k] for k in spread_indices(len(rows), _MOST_POINTS)]


def render_progress(rows: History, by: str, unit: str, theme: str) -> list[tuple[str, str]]:
    """The curves of `core.figures.training_curves.plot_progress` for one training.

    Returns an SVG document for each panel, and its alternative text.
    """
    return [_render_panel(title, terms, thin_rows(rows), by, theme) for title, terms in list_panels({"": rows}, unit)]


def _render_panel(title: str, terms: Sequence[str], rows: History, by: str, theme: str) -> tuple[str, str]:
    width, height, left, right, top, bottom = 280, 200, 46, 266, 40, 162
    # Rows within an epoch have no validation loss.
    known = [[(row[by], row[term]) for row in rows if row.get(term) is not None] for term in terms]
    lines = [np.array(points, float).reshape(-1, 2) for points in known]
    x = max((line[:, 0] for line in lines), key=len)
    is_score = terms[0].startswith("score")
    low, high = (0.0, 1.0) if is_score else _choose_limits(np.concatenate([line[:, 1] for line in lines]))

    def to_pixels(x_values: Any, y_values: Any) -> np.ndarray:
        across = left + np.asarray(x_values) / max(x.max(initial=0.0), 1e-9) * (right - left)
        down = bottom - (np.asarray(y_values) - low) / (high - low) * (bottom - top)
        return np.column_stack(np.broadcast_arrays(across, down))

    parts = []
    x_ticks, y_ticks = choose_ticks(0.0, float(x.max(initial=1e-9))), choose_ticks(low, high)
    for value, (_, y) in zip(y_ticks, to_pixels(0, y_ticks), strict=True):
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{palette.GRID[theme]}"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{format_number(value)}</text>')
    for value, (at, _) in zip(x_ticks, to_pixels(x_ticks, 0), strict=True):
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{format_number(value)}</text>')
    colour, names = palette.SINGLE[theme], [NAMES.get(term, term) for term in terms] if len(terms) > 1 else terms
    for k, (line, name, dash) in enumerate(zip(lines, names, ("", "2 3", "6 3"), strict=False)):
        points, start = to_pixels(*line.T), left + 4 + 94 * k
        parts.append(_render_line(points, colour, 1.6, dash))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points[-1:]]
        if len(terms) > 1:
            parts.append(_render_line([(start, 26), (start + 18, 26)], colour, 1.6, dash))
            parts.append(f'<text x="{start + 23}" y="30.5" font-size="12">{name}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13" fill="{palette.SOFT[theme]}"><text x="0" y="13" font-size="13" font-weight="600" '
        f'fill="{palette.INK[theme]}">{escape(title, quote=False)}</text>{"".join(parts)}'
        f'<text x="{(left + right) / 2}" y="{height - 4}" text-anchor="middle">{AXES[by]}</text></svg>'
    )
    last = ", ".join(f"{name} {line[-1, 1]:.4g}" for name, line in zip(names, lines, strict=True) if len(line))
    return svg, f"{title}, at {AXES[by]} {x[-1]:.4g}: {last}" if len(x) else title


def _choose_limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not math.isfinite(low + high):
        return 0.0, 1.0
    room = 0.04 * (high - low) or max(abs(high), 1e-9) * 0.1
    return low - room, high + room


def choose_ticks(low: float, high: float, n: int = _N_TICKS) -> list[float]:
    """About `n` round numbers from `low` to `high`."""
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def format_number(value: float) -> str:
    """The label of a tick, with a real minus: ``12,000``, ``−0.25``."""
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}").replace("-", "−")


def _render_line(points: Points, colour: str, width: float, dash: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
