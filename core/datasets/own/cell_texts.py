"""Cells of a table as text."""

import math
from typing import Any

import pandas as pd


def format_cell(value: Any, spread: float = 0.0) -> str:
    """A cell as text: four digits of a number, the day of a date, "–" for a missing cell.

    A number has more digits where two digits of its column's standard deviation, `spread`, need them.
    """
    if value is None or value != value or value is pd.NaT:
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        decimals = max(0, 1 - math.floor(math.log10(spread))) if 0 < spread < math.inf else 0
        is_whole = (value == round(value) or (abs(value) >= 1000 and not decimals)) and abs(value) < 1e15
        # Four digits without a comma, since they may be a year.
        comma = "," if abs(value) >= 10_000 else ""
        n_digits = min(15, max(4, len(f"{abs(value):.0f}") + decimals)) if abs(value) >= 1 else 4
        return f"{value:{comma}.0f}" if is_whole else f"{value:{comma}.{n_digits}g}"
    return str(value)
