"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def number(value: float) -> str:
    """About three digits, never in powers of ten: ``7.32``, ``0.953``, ``12,300``."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def interval(metrics: Mapping[str, Any], name: str) -> str:
    """``"7.25 to 7.40"``, or nothing where the number has no interval."""
    ends = metrics.get(f"{name}_interval")
    return f"{number(float(ends[0]))} to {number(float(ends[1]))}" if ends else ""


def counted(metrics: Mapping[str, Any], name: str) -> str:
    """``"n = 10,000"``, or nothing where it is not known."""
    n = metrics.get(f"{name}_n")
    return f"n = {n:,}" if n else ""


def seconds(value: float) -> str:
    if value < 0.01:
        return "< 0.01 s"
    return f"{value:,.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"
