"""Doors to the queue of trainings. What is read is shared by all sessions for a moment, and again when it changes."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

import streamlit as st

from core import datasets, jobs, recipes, replay, store
from core.jobs import Job
from core.replay import Replay
from core.types import BadInput, HourglassError, Spec
from pages.ui import choices, links, runs
from pages.ui.runs import Stamp

_PERSON, _PROBLEM, _WATCHED = "hourglass.person", "hourglass.problem", "run"
_XSRF = "_streamlit_xsrf"
_SECONDS = 0.4


def attach() -> None:
    """Have the queue looked after for as long as this app runs."""
    _attach(str(jobs.root()))


@st.cache_resource(max_entries=1, show_spinner=False)
def _attach(root: str) -> None:
    jobs.attach()


def workshop() -> bool:
    """Whether many people share this app: nothing is deleted, each has one training waiting, none takes long."""
    return bool(os.environ.get("HOURGLASS_WORKSHOP"))


def person() -> str:
    """Who asks: the same for all tabs of a browser, and after a refresh."""
    if _PERSON not in st.session_state:
        token = _xsrf_token(st.context.cookies.get(_XSRF, "")) or uuid.uuid4().hex
        st.session_state[_PERSON] = hashlib.sha256(token.encode()).hexdigest()[:16]
    return st.session_state[_PERSON]


def _xsrf_token(cookie: str) -> str:
    """The part of Streamlit's cookie that stays: the rest is masked anew with every answer of the server."""
    try:
        _, mask, masked, _ = cookie.split("|")
        key, data = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(b ^ key[k % len(key)] for k, b in enumerate(data)).hex()
    except (ValueError, ZeroDivisionError):
        return ""


def listed() -> list[Job]:
    """Every training there is, see `core.jobs.jobs`."""
    return _listed(str(jobs.root()))


@st.cache_resource(ttl=_SECONDS, max_entries=2, show_spinner=False)
def _listed(root: str) -> list[Job]:
    return jobs.jobs()


def find(key: str) -> Job | None:
    return next((job for job in listed() if job.key == key), None)


def is_live(job: Job | None) -> bool:
    return job is not None and job.state in (jobs.RUNNING, jobs.QUEUED)


def label(spec: Spec) -> str:
    """``"VAE on MNIST, 10-D"``; a folder may hold a training of what this program does not know."""
    dataset = datasets.entry(spec.dataset).label if spec.dataset in datasets.names() else spec.dataset
    return f"{runs.label(spec)} on {dataset}, {spec.param('n_components')}-D"


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
        return str(path), found.st_mtime_ns + found.st_size
    except OSError:
        return str(path), 0


def history(job: Job) -> list[dict[str, Any]]:
    """Rows of a training so far: of parts of an epoch while there are few, and the last of the epoch under way."""
    rows = _history(_stamp(job.folder / "progress.jsonl"), job.folder)
    if job.within:
        return [*(row for row in rows if row["epoch"] < job.within[0]["epoch"]), *job.within]
    # A row of an epoch's very start holds no losses yet.
    under_way = "rows_per_second" in job.row and (not rows or job.row["epoch"] > rows[-1]["epoch"])
    return [*rows, job.row] if under_way else rows


@st.cache_resource(max_entries=8, show_spinner=False)
def _history(stamp: Stamp, _folder: Path) -> list[dict[str, Any]]:
    return jobs.history(_folder)


def pictures(folder: Path) -> tuple[Replay | None, Stamp]:
    """The pictures of a training in its folder, or of a run in its place; and what keys what is cached of them."""
    stamp = _stamp(folder / replay.FILE)
    return _pictures(stamp, folder), stamp


@st.cache_resource(max_entries=16, show_spinner=False)
def _pictures(stamp: Stamp, _folder: Path) -> Replay | None:
    if not stamp[1]:
        return None
    if (_folder / "run.json").exists():
        return replay.parse(store.replay(_folder))
    return replay.read(_folder)


# What people ask for: callbacks of buttons, so that the page is drawn after them.


def train(spec: Spec) -> None:
    watch(spec)
    with _told():
        if workshop():
            recipes.check_workshop(spec)
        jobs.request(spec, person(), one_a_person=workshop())


def ask(key: str, what: str) -> None:
    with _told():
        jobs.ask(key, what)


def leave(key: str) -> None:
    """Leave a training to those who share it."""
    with _told():
        jobs.withdraw(key, person())


class _told:
    """A problem of what was asked for is kept for the page that is drawn next, see `problem`."""

    def __enter__(self) -> None:
        st.session_state.pop(_PROBLEM, None)

    def __exit__(self, kind, error, trace) -> bool:
        _listed.clear()
        if isinstance(error, HourglassError):
            st.session_state[_PROBLEM] = str(error)
            return True
        return False


def problem() -> str | None:
    """Why what was asked for last could not be done, once."""
    return st.session_state.pop(_PROBLEM, None)


def tell(sentence: str) -> None:
    st.session_state[_PROBLEM] = sentence


def watch(spec: Spec | None) -> None:
    """Show this training or run on the page Training from now on."""
    choices.keep(_WATCHED, spec, text=links.encode(spec) if spec else None)


def unwatch() -> None:
    """Let go of what is watched, unless it is under way: another choice asks for another picture."""
    spec = remembered()
    if spec is not None and not is_live(find(spec.key)):
        watch(None)


def remembered() -> Spec | None:
    return choices.remembered(_WATCHED)


def watched(problems: list[str]) -> Spec | None:
    """The training or run that is shown: a link's, or the one chosen last."""
    spec = choices.remembered(_WATCHED)
    if (token := choices.asked(_WATCHED)) is not None:
        try:
            spec = runs.known(links.decode(token))
        except BadInput as problem:
            problems.append(str(problem))
    watch(spec)
    return spec
