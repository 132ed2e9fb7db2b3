"""Predicted training times on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import streamlit as st

from core.errors import HourglassError
from core.runs import store
from core.tasks import training_time
from core.types import Spec
from pages.ui.shared import stored_runs


def predict_seconds(spec: Spec) -> float | None:
    """Predicted seconds of training of `spec`; None if not known (yet)."""
    own = [run for run in stored_runs.list_runs()[0] if not store.is_shipped(run)]
    return training_time.predict_seconds(spec, _speed(), own)


def is_predictable(spec: Spec) -> bool:
    """Whether a time can be predicted once this machine's speed is measured."""
    return spec.param("epochs") is not None


def measure_speed() -> bool:
    """Start measuring this machine's speed, once; returns whether that is under way."""
    if _speed() is not None:
        return False
    with suppress(HourglassError):
        training_time.measure_speed()
    return training_time.is_measuring()


def _speed() -> np.ndarray | None:
    speed = _read_speed()
    if speed is None:
        _read_speed.clear()
    return speed


@st.cache_resource(max_entries=1, show_spinner=False)
def _read_speed() -> np.ndarray | None:
    return training_time.read_speed()


def format_seconds(seconds: float) -> str:
    """``"about 8 s"``, ``"about 3 min"``, ``"about 2 h"``."""
    if seconds < 1:
        return "about a second"
    if seconds < 90:
        return f"about {_two_digits(seconds)} s"
    return f"about {_two_digits(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.2g} h"


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}" if value >= 10 else f"{value:.0f}"


def predict_total(specs: Sequence[Spec]) -> float | None:
    """Predicted seconds of all trainings; None if one can't be predicted yet."""
    times = [predict_seconds(spec) for spec in specs if is_predictable(spec)]
    return None if None in times else float(sum(times))
