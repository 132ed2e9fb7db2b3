"""Points that a person drags on a line or in a plane, kept in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.mechanisms.experiment import Controls
from pages.ui.shared import page_state
from pages.ui.shared.components import do_nothing, get_component

REACH = 4.0


def choose_points(controls: Controls, name: str, label: str, default: Sequence[Sequence[float]]) -> np.ndarray:
    """Draw a handle a point; returns the points, (n, d) in [-4, 4], to a tenth, as many as `default` has.

    Parameters
    ----------
    name : of the choice, in the address as ``x1,y1;x2,y2``.
    label : what is dragged, for screen readers.
    """
    full_name = f"{controls.experiment}.{name}"
    widget, start = page_state.key(full_name), np.asarray(default, float)
    is_flat = start.shape[1] == 1
    candidates = [st.session_state.get(widget, {}).get("places"), page_state.recall(full_name), start]
    if (text := page_state.read_link(full_name)) is not None:
        linked = _parse([part.split(",") for part in text.split(";")], start.shape)
        if linked is None:
            form = f"{len(start)} points {'x' if is_flat else 'x,y'} from −{REACH:g} to {REACH:g}"
            controls.problems.append(f"The modes in the link must be {form}, separated by semicolons: ignored.")
        else:
            st.session_state.pop(widget, None)
            candidates.insert(0, linked)
    points = next(points for value in candidates if (points := _parse(value, start.shape)) is not None)
    page_state.keep(full_name, points, text=";".join(",".join(f"{x:g}" for x in point) for point in points))
    padded = np.zeros((len(points), 2))
    padded[:, : points.shape[1]] = points
    data = {"places": padded.tolist(), "reach": REACH, "flat": is_flat, "label": label}
    get_component("handles")(key=widget, data=data, default={"places": padded.tolist()}, on_places_change=do_nothing)
    return points


def _parse(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """What a browser or a link gave, as points; None where it is not."""
    try:
        points = np.asarray(value, float)[:, : shape[1]]
    except (TypeError, ValueError, IndexError):
        return None
    if points.shape != shape or not (np.abs(points) <= REACH).all():
        return None
    return np.round(points, 1) + 0.0
