"""Lines on axes as SVG, black on white: charts for print, whose lines differ by their dashes."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from core.figures.svg import choose_ticks, format_number

_DASHES = ("", "7 4", "2 3", "9 3 2 3", "1 5")
_WIDTH, _HEIGHT = 430, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 420, 40, 205
_N_TICKS = 5


def render_lines(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_axis: str,
    y_axis: str,
    *,
    is_log: bool = False,
    has_log_y: bool = False,
    from_zero: bool = True,
) -> str:
    """An SVG document of lines by name, each (x, y).

    Parameters
    ----------
    is_log, has_log_y : whether the axis is logarithmic; its values must then be above 0.
    from_zero : whether a linear y axis includes 0.
    """
    x, y = (np.concatenate([np.asarray(line[k], float) for line in lines.values()]) for k in (0, 1))
    y = y if has_log_y or not from_zero else np.append(y, 0.0)
    across, down = _Scale(x, _LEFT, _RIGHT, is_log), _Scale(y, _BOTTOM, _TOP, has_log_y)
    parts = []
    for value in down.ticks:
        at = down.place(value)
        parts.append(f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{format_number(value)}</text>')
    for value in across.ticks:
        parts.append(
            f'<text x="{across.place(value):.1f}" y="{_BOTTOM + 17}" text-anchor="middle">{format_number(value)}</text>'
        )
    start = _LEFT
    for (name, (xs, ys)), dash in zip(lines.items(), _DASHES, strict=False):
        places = zip(across.place(np.asarray(xs, float)), down.place(np.asarray(ys, float)), strict=True)
        look = f'fill="none" stroke="#000" stroke-width="1.8" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in places)}" {look}/>')
        parts.append(f'<line x1="{start}" x2="{start + 24}" y1="26" y2="26" {look}/>')
        parts.append(f'<text x="{start + 29}" y="30">{escape(name)}</text>')
        start += 42 + 7.2 * len(name)
    label = f"{y_axis} against {x_axis}: {', '.join(lines)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}" font-family="sans-serif" font-size="13" fill="#000">'
        f'<text x="0" y="12">{escape(y_axis)}</text>{"".join(parts)}'
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}" stroke="#000"/>'
        f'<text x="{(_LEFT + _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_axis)}</text></svg>'
    )


class _Scale:
    """Values to places on an axis from `start` to `end`, in pixels."""

    def __init__(self, values: np.ndarray, start: float, end: float, is_log: bool):
        self._start, self._end, self._is_log = start, end, is_log
        self._low, self._high = (float(limit) for limit in (values.min(), values.max()))
        if self._low == self._high:
            self._high = self._low + 1.0
        self.ticks = self._choose_ticks()

    def place(self, value: np.ndarray | float) -> np.ndarray | float:
        low, high, value = (np.log(v) if self._is_log else v for v in (self._low, self._high, value))
        return self._start + (value - low) / (high - low) * (self._end - self._start)

    def _choose_ticks(self) -> list[float]:
        low, high = self._low, self._high
        if self._is_log:
            powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
            ticks = [float(m * power) for power in powers for m in (1, 2, 5) if low <= m * power <= high * 1.0001]
            return ticks if len(ticks) <= 7 else [tick for tick in ticks if f"{tick:e}"[0] == "1"]
        return choose_ticks(low, high, _N_TICKS)
