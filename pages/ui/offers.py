"""Trainings that a section needs: a button that asks for all of them, and how far they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core import jobs, recipes
from core.jobs import Job
from core.types import FITTING, BadInput, Run, Spec
from pages.ui import choices, runs, trainings
from pages.ui.text import plain

_LIVE_SECONDS = 1.0


def missing(wanted: Sequence[Spec], stored: Sequence[Run]) -> list[Spec]:
    """Those whose whole run is not stored and whose training is not under way."""
    return [s for s in wanted if not runs.is_whole(stored, s) and not trainings.is_live(trainings.find(s.key))]


def button(label: str, wanted: Sequence[Spec], name: str, about: str = "", *, primary: bool = True) -> None:
    """A button that asks for all trainings of `wanted`, and a few words about what it does.

    Parameters
    ----------
    name : tells its key from those of the page's other buttons.
    """
    refused = _refused_by_workshop(wanted)
    with st.container(key=f"offer-{name}", horizontal=True, vertical_alignment="center"):
        st.button(
            label,
            key=choices.key(f"offer-{name}"),
            type="primary" if primary else "secondary",
            icon=":material/model_training:",
            on_click=_ask,
            args=(tuple(wanted),),
            disabled=bool(refused),
        )
        if refused or about:
            st.caption(plain(refused or about))


def _refused_by_workshop(wanted: Sequence[Spec]) -> str:
    if not trainings.workshop():
        return ""
    if len(wanted) > 1:
        return "In a workshop each person has one training waiting, so these are left to the command line."
    try:
        for spec in wanted:
            recipes.check_workshop(spec)
    except BadInput as problem:
        return str(problem)
    return ""


def _ask(wanted: Sequence[Spec]) -> None:
    for spec in wanted:
        trainings.train(spec)
        if problem := trainings.problem():
            trainings.tell(problem)
            return
    # The page Training shows the last of them; the address of this page is about other things.
    choices.keep("run", wanted[-1], text=None)


def progress(concerns: Callable[[Job], bool]) -> None:
    """How far the trainings are that concern this section; the page is drawn anew when one of them ends."""
    if problem := trainings.problem():
        st.error(plain(problem))
    found = [job for job in trainings.listed() if concerns(job)]
    live = frozenset(job.key for job in found if trainings.is_live(job))
    failed = [job for job in found if job.state == jobs.FAILED]
    for job in failed:
        st.error(plain(f"{trainings.label(job.spec)}: {job.message}"))
    if live:
        st.fragment(_progress, run_every=_LIVE_SECONDS)(live)


def _progress(live: frozenset[str]) -> None:
    found = [job for job in trainings.listed() if job.key in live]
    if {job.key for job in found if trainings.is_live(job)} != live:
        st.rerun()
    for job in found:
        share = float(job.row.get("share", 0.0)) if job.state == jobs.RUNNING else 0.0
        st.progress(min(1.0, share), plain(f"{trainings.label(job.spec)}: {_stage(job)}"))
    st.page_link("pages/training.py", label="Watch, pause or stop them on the page Training")


def _stage(job: Job) -> str:
    if job.state == jobs.QUEUED:
        return f"number {job.place} in the queue"
    left = job.seconds_left
    if job.stage == FITTING and left is not None:
        return f"training, about {max(1, round(left)):,} s left"
    return f"{job.stage or 'starting'} …"
