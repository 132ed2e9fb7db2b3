"""Codes projected by t-SNE: made on request, beside the app, with progress and a way to stop."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import projecting
from core.maps import Rows
from core.types import HourglassError, Run
from pages.ui import choices
from pages.ui.loaded import codes
from pages.ui.runs import Stamp
from pages.ui.shown import Pick, Shown, View
from pages.ui.text import plain

_SECONDS = 0.7
_KEPT, _MOST_KEPT = "hourglass.projected", 8
_PROBLEM = "hourglass.projected-problem"


def shown(pick: Pick, rows: Rows, run: Run, stamp: Stamp) -> Shown:
    """The t-SNE map of a run's code, or why there is none yet."""
    Z, are = codes(stamp, rows.key, run, rows)
    found = _kept(projecting.key(Z))
    note = f"the {Z.shape[1]}-D {are}, projected by t-SNE"
    if found is None:
        nowhere = np.full((len(rows), 2), np.nan, np.float32)
        return Shown(pick, rows, nowhere, note, run, stamp, problem="This map is not made yet: see below.")
    return Shown(pick, rows, found, note, run, stamp)


def _kept(name: str) -> np.ndarray | None:
    kept = st.session_state.setdefault(_KEPT, {})
    if name not in kept:
        found = projecting.state(name).points
        if found is None:
            return None
        kept[name] = found
        while len(kept) > _MOST_KEPT:
            kept.pop(next(iter(kept)))
    return kept[name]


def offer(view: View) -> None:
    """For each t-SNE map that is missing: a button that makes it, or how far it is."""
    missing = [each for each in view.shown if each.problem and each.run and each.pick.projection == "tsne"]
    if missing:
        with st.container(key="projecting"):
            _watch([(each.pick.label, each.codes) for each in missing])


@st.fragment(run_every=_SECONDS)
def _watch(missing: list[tuple[str, np.ndarray]]) -> None:
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))
    for label, Z in missing:
        name = projecting.key(Z)
        now = projecting.state(name)
        if now.points is not None:
            st.rerun(scope="app")
        with st.container(horizontal=True, vertical_alignment="center"):
            if now.share is None:
                if now.problem:
                    st.error(plain(now.problem))
                st.button(
                    f"Make the t-SNE map of {label.split(',')[0]}",
                    key=choices.key(f"project/{name}"),
                    on_click=_start,
                    args=(Z,),
                    type="primary",
                )
                st.caption(f"{len(Z):,} rows: {_guess(len(Z))}. It is kept, for everybody who uses this computer.")
            else:
                st.progress(
                    now.share,
                    f"t-SNE of {label.split(',')[0]}"
                    + (", waits for another map" if now.waits else f", {now.share:.0%}"),
                )
                st.button("Stop", key=choices.key(f"unproject/{name}"), on_click=projecting.stop, args=(name,))


def _guess(n: int) -> str:
    seconds = 1 + n / 150  # on one thread of an idle machine
    return f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"


def _start(Z: np.ndarray) -> None:
    try:
        projecting.start(Z)
    except HourglassError as problem:
        st.session_state[_PROBLEM] = str(problem)
