"""Places that a person moves, on a line or in a plane; they stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.ui import choices
from pages.ui.components import component, nothing
from pages.ui.mechanisms.frame import Controls

REACH = 4.0


def places(controls: Controls, name: str, label: str, default: Sequence[Sequence[float]]) -> np.ndarray:
    """Handles at places, and where they are now: (n, d) in [-4, 4], to a tenth, as many as `default` has.

    Parameters
    ----------
    name : of the choice, in the address as ``x1,y1;x2,y2``.
    label : what is moved, in a screen reader's words.
    """
    own = f"{controls.experiment}.{name}"
    widget, start = choices.key(own), np.asarray(default, float)
    flat = start.shape[1] == 1
    candidates = [st.session_state.get(widget, {}).get("places"), choices.remembered(own), start]
    if (asked := choices.asked(own)) is not None:
        linked = _places([part.split(",") for part in asked.split(";")], start.shape)
        if linked is None:
            ends = f"from −{REACH:g} to {REACH:g}"
            controls.problems.append(
                f"The link asks for places that are no {len(start)} of {'x' if flat else 'x,y'} {ends}."
            )
        else:
            st.session_state.pop(widget, None)
            candidates.insert(0, linked)
    found = next(place for each in candidates if (place := _places(each, start.shape)) is not None)
    choices.keep(own, found, text=";".join(",".join(f"{value:g}" for value in place) for place in found))
    padded = np.zeros((len(found), 2))
    padded[:, : found.shape[1]] = found
    data = {"places": padded.tolist(), "reach": REACH, "flat": flat, "label": label}
    component("handles")(key=widget, data=data, default={"places": padded.tolist()}, on_places_change=nothing)
    return found


def _places(given: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """What a browser or a link gave, as places; None where it is none."""
    try:
        found = np.asarray(given, float)[:, : shape[1]]
    except (TypeError, ValueError, IndexError):
        return None
    if found.shape != shape or not (np.abs(found) <= REACH).all():
        return None
    return np.round(found, 1) + 0.0
