"""Numbers as text, for people to read."""

from collections.abc import Mapping

from core.metrics.definitions import get_interval as metric_interval
from core.types import Measurement

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """About three digits, no powers of ten, a real minus: ``7.32``, ``−0.953``, ``12,300``."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    text = f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def cell(value: float) -> str:
    """A number in the units of somebody's table, as `number`; three digits where it is very large or small."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        # Four digits without a comma, since they may be a year.
        return number(value).replace(",", "") if abs(value) < 9999.5 else number(value)
    if 1e7 <= abs(value) < 1e12:
        return number(float(f"{value:.4g}"))
    digits, _, power = f"{value:.3g}".partition("e")
    return (f"{digits}e{int(power)}" if power else digits).replace("-", "−")


def compact(count: float) -> str:
    """A large count in three digits: ``704``, ``8.62 k``, ``1.14 M``."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:,.0f}"


def interval(metrics: Mapping[str, Measurement], name: str) -> str:
    """``"7.25 to 7.40"``; "" without an interval."""
    ends = metric_interval(metrics, name)
    return f"{number(ends[0])} to {number(ends[1])}" if ends else ""


def counted(metrics: Mapping[str, Measurement], name: str) -> str:
    """``"n = 10,000"``; "" if n is not known."""
    n = metrics[name].n if name in metrics else None
    return f"n = {n:,}" if n else ""


def seconds(value: float) -> str:
    """``"0.53 s"``, ``"152 s"``."""
    if value < 0.01:
        return "< 0.01 s"
    return f"{value:,.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def power_of_ten(value: float, places: int) -> str:
    """A positive number with this many decimal places and a power of ten: ``7.33 × 10⁸``, ``3.7 × 10⁻⁶``."""
    digits, _, power = f"{value:.{places}e}".partition("e")
    return f"{digits} × 10{str(int(power)).translate(_SUPERSCRIPTS)}"
