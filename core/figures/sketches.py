"""Curves that are drawn again every second for everyone who watches: as SVG, at a fraction of what plotly's cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.figures import palette
from core.figures.history_panels import AXES, NAMES, list_panels, thin_rows
from core.figures.style import escape_text

_WIDTH, _HEIGHT = 280, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 40, 38
_TICKS = 4
_DASHES = ("", "2 3", "6 3")


def render_progress(rows: Sequence[Mapping[str, Any]], by: str, unit: str, theme: str) -> list[tuple[str, str]]:
    """How one training goes, as `core.figures.training_curves.plot_progress` draws it.

    Parameters
    ----------
    rows, by, unit, theme : as there

    Returns An SVG document for each panel, and what it shows in words.
    """
    return [_render_panel(title, terms, thin_rows(rows), by, theme) for title, terms in list_panels({"": rows}, unit)]


def _render_panel(
    title: str, terms: Sequence[str], rows: Sequence[Mapping[str, Any]], by: str, theme: str
) -> tuple[str, str]:
    # Parts of an epoch have no loss on rows set aside.
    known = [[(row[by], row[term]) for row in rows if row.get(term) is not None] for term in terms]
    points = [np.array(each, float).reshape(-1, 2) for each in known]
    lines = [each[:, 1] for each in points]
    x = max((each[:, 0] for each in points), key=len)
    x_ticks = _choose_ticks(0.0, float(x.max(initial=1e-9)))
    low, high = (0.0, 1.0) if terms[0].startswith("score") else _choose_limits(np.concatenate(lines))
    y_ticks = _choose_ticks(low, high)

    def across(values):
        return _LEFT + np.asarray(values) / max(x.max(initial=0.0), 1e-9) * (_WIDTH - _LEFT - _RIGHT)

    def down(values):
        return _HEIGHT - _BOTTOM - (np.asarray(values) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    grid = "".join(
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{palette.GRID[theme]}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{_format_number(value)}</text>'
        for value, y in zip(y_ticks, down(y_ticks), strict=True)
    )
    grid += "".join(
        f'<text x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{_format_number(value)}</text>'
        for value, at in zip(x_ticks, across(x_ticks), strict=True)
    )
    colour = palette.SINGLE[theme]
    drawn = "".join(
        _render_line(across(each[:, 0]), down(each[:, 1]), colour, dash)
        for each, dash in zip(points, _DASHES, strict=False)
    )
    legend = _render_legend(terms, colour) if len(terms) > 1 else ""
    names = [NAMES.get(term, term) for term in terms] if len(terms) > 1 else terms
    now = ", ".join(f"{name} {y[-1]:.4g}" for name, y in zip(names, lines, strict=True) if len(y))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="13" fill="{palette.SOFT[theme]}"><text x="0" y="13" font-size="13" font-weight="600" '
        f'fill="{palette.INK[theme]}">{escape_text(title)}</text>{legend}{grid}{drawn}'
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 4}" text-anchor="middle">{AXES[by]}</text></svg>'
    )
    return svg, f"{title}, at {AXES[by]} {x[-1]:.4g}: {now}" if len(x) else title


def _render_line(x: np.ndarray, y: np.ndarray, colour: str, dash: str) -> str:
    style = f'stroke="{colour}" stroke-dasharray="{dash}"' if dash else f'stroke="{colour}"'
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    end = f'<circle cx="{x[-1]:.1f}" cy="{y[-1]:.1f}" r="2.5" fill="{colour}"/>' if len(x) else ""
    return f'<polyline points="{points}" fill="none" stroke-width="1.6" {style}/>{end}'


def _render_legend(terms: Sequence[str], colour: str) -> str:
    parts = []
    for k, (term, dash) in enumerate(zip(terms, _DASHES, strict=False)):
        left = _LEFT + 4 + 94 * k
        parts.append(
            f'<line x1="{left}" x2="{left + 18}" y1="26" y2="26" stroke="{colour}" stroke-width="1.6" '
            f'stroke-dasharray="{dash or "none"}"/>'
            f'<text x="{left + 23}" y="30.5" font-size="12">{NAMES.get(term, term)}</text>'
        )
    return "".join(parts)


def _choose_limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not math.isfinite(low + high):
        return 0.0, 1.0
    room = 0.04 * (high - low) or max(abs(high), 1e-9) * 0.1
    return low - room, high + room


def _choose_ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, about `_TICKS` of them."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
