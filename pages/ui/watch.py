"""One training or run, watched: how far it is, its curves, and pictures of the same rows as they form."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import datasets, jobs, methods, store
from core.figures import rasters, sketches
from core.jobs import Job
from core.metrics import DEFINITIONS
from core.replay import Replay
from core.types import FITTING, IMAGES, BrokenRun, Run, Spec
from pages.ui import choices, nav, pictures, runs, trainings
from pages.ui.numbers import interval, number, seconds
from pages.ui.runs import Stamp
from pages.ui.text import Markup, html, plain

_LIVE_SECONDS = 1.0
_MAP = 320
_SAMPLES = 16
_SHOWN = ("squared_error", "neg_elbo", "knn_accuracy", "frechet")
_CONFIRM = "hourglass.confirm"
_EMPTY = (
    "Nothing is being trained. Choose settings and press Train: curves, reconstructions, samples and the map of the "
    "same test rows then form here, epoch by epoch."
)


def draw(spec: Spec | None, usual: Spec | None) -> None:
    """Draw what is watched, and the queue; again and again while anything in it moves.

    Parameters
    ----------
    spec : what a person chose to watch; where that is nothing, what is being trained is shown, or else `usual`.
    """
    live = any(trainings.is_live(job) for job in trainings.listed())
    # One fragment for all that moves, since each comes with a round trip of its own.
    st.fragment(_draw, run_every=_LIVE_SECONDS if live else None)(spec, usual, live)


def _draw(spec: Spec | None, usual: Spec | None, live: bool) -> None:
    found = trainings.listed()
    # What a button in here has changed, and what has ended, concerns the whole page.
    if any(trainings.is_live(job) for job in found) != live or trainings.remembered() != spec:
        st.rerun()
    if problem := trainings.problem():
        st.error(plain(problem))
    spec = spec or next((job.spec for job in found if job.state == jobs.RUNNING), None) or usual
    if spec is None:
        st.info(_EMPTY)
    else:
        with nav.in_words():
            _watched(spec, next((job for job in found if job.key == spec.key), None))
    _queue(found, spec)


def _watched(spec: Spec, job: Job | None) -> None:
    st.subheader(plain(trainings.label(spec)), anchor=False)
    if job is not None and job.state != jobs.STOPPED:
        _training(job)
        return
    place = store.find(spec.key)
    if place is not None:
        _run(*runs.read(spec.key), job)
        return
    st.markdown("**Not trained yet.** Its settings are in the link of this page.")
    st.button("Train it", on_click=trainings.train, args=(spec,), key=choices.key("train-linked"))


# A training that is not over.


def _training(job: Job) -> None:
    _status(job)
    _buttons(job)
    rows = trainings.history(job)
    if rows:
        by = choices.remembered("curves") or "epoch"
        st.html(_sketch((job.key, len(rows), rows[-1]["step"]), by, nav.theme(), job.spec, rows))
    if job.state == jobs.RUNNING and methods.get(job.spec.method).maps_rows and not any("loss" in row for row in rows):
        st.caption("The curve begins after iteration 250: until then attraction is exaggerated, another objective.")
    found, stamp = trainings.pictures(job.folder)
    if found is not None:
        st.html(_shown(found, len(found) - 1, stamp))
    elif job.state == jobs.RUNNING and "max_seconds" in dict(job.spec.params):
        st.caption("Pictures come with the first epoch.")


def _status(job: Job) -> None:
    if job.state == jobs.QUEUED:
        ahead = "it is next" if job.place == 1 else f"{job.place - 1} before it"
        st.info(f"Waiting: number {job.place} in the queue, {ahead}. One training runs at a time.")
    elif job.state == jobs.PAUSED:
        st.info("Paused. It goes on from its last checkpoint, where it has one." if job.has_checkpoint else "Paused.")
    elif job.state == jobs.FAILED:
        kept = (
            " What it had learned before is kept, and can be resumed or stored as it is." if job.has_checkpoint else ""
        )
        st.error(plain(job.message + kept))
    elif job.stopping:
        st.info({jobs.PAUSE: "Pausing …", jobs.KEEP: f"Stopping: {job.stage} …"}.get(job.stopping, "Cancelling …"))
    else:
        st.progress(float(job.row.get("share", 0.0)), text=_pace(job))


def _pace(job: Job) -> str:
    row = job.row
    if "rows_per_second" not in row or row["share"] >= 1 or job.stage != FITTING:
        return f"{job.stage} …"
    rows = "images" if datasets.entry(job.spec.dataset).kind == IMAGES else "documents"
    parts = [_how_far(job.spec, row["epoch"])]
    # Before the first steps there is no pace.
    if row["rows_per_second"]:
        parts.append(f"{row['rows_per_second']:,.0f} {rows} a second")
    if job.seconds_left is not None:
        parts.append(f"about {max(1, round(job.seconds_left)):,} s left")
    return " · ".join(parts)


def _how_far(spec: Spec, epoch: float) -> str:
    if steps := spec.param("max_iter"):
        return f"Iteration {epoch:,.0f} of {steps:,}"
    of = f" of {spec.param('epochs')}" if not spec.param("max_seconds") else ""
    return f"Epoch {epoch:.1f}{of}"


def _buttons(job: Job) -> None:
    others = [who for who in job.askers if who != trainings.person()]
    waiting = st.session_state.get(_CONFIRM)
    if waiting and waiting[0] == job.key:
        _confirm(job, waiting[1], len(others))
        return
    with st.container(horizontal=True, key="watch-buttons"):
        for text, what, about in _offers(job):
            press = _resume if what is None else _ask
            st.button(text, on_click=press, args=(job, what, len(others)), help=about, key=choices.key(f"do-{text}"))
    if others:
        people = "One other person watches" if len(others) == 1 else f"{len(others)} other people watch"
        st.caption(f"{people} this training too.")


def _offers(job: Job) -> list[tuple[str, str | None, str]]:
    pause = ("Pause", jobs.PAUSE, "Saves where it is, and lets the next in the queue go first.")
    keep = ("Stop and keep", jobs.KEEP, "Ends the training now; what it has learned is measured and stored.")
    cancel = ("Cancel", jobs.CANCEL, "Ends it and keeps nothing.")
    resume = ("Resume", None, "Goes on from its last checkpoint.")
    if job.state == jobs.RUNNING:
        # A map of rows has nothing before its end that could be kept or gone on from.
        under_way = job.row and job.stage == FITTING and not methods.get(job.spec.method).maps_rows
        return [] if job.stopping == jobs.CANCEL else [pause, keep, cancel] if under_way else [cancel]
    if job.state == jobs.QUEUED:
        return [pause, cancel]
    return [resume, *([keep] if job.has_checkpoint else []), ("Discard", jobs.CANCEL, "Deletes what it has.")]


def _ask(job: Job, what: str, others: int) -> None:
    if others:
        st.session_state[_CONFIRM] = job.key, what
    else:
        trainings.ask(job.key, what)


def _resume(job: Job, what: None, others: int) -> None:
    trainings.train(job.spec)


def _confirm(job: Job, what: str, others: int) -> None:
    people = "One other person has" if others == 1 else f"{others} other people have"
    verb = {jobs.PAUSE: "Pause", jobs.KEEP: "Stop and keep"}.get(what, "Cancel")
    st.warning(f"{people} asked for this training too. {verb} it for all?")

    def answer(act) -> None:
        st.session_state.pop(_CONFIRM, None)
        act()

    with st.container(horizontal=True, key="confirm-buttons"):
        for text, act in (
            (f"{verb} for all", lambda: trainings.ask(job.key, what)),
            ("Leave it to the others", lambda: trainings.leave(job.key)),
            ("Back", lambda: None),
        ):
            st.button(text, on_click=answer, args=(act,), key=choices.key(f"confirm-{text}"))


# A run that is stored.


def _run(run: Run, stamp: Stamp, job: Job | None) -> None:
    st.markdown(plain(_figures(run)))
    with st.container(horizontal=True, key="run-buttons", vertical_alignment="center"):
        if job is not None and job.has_checkpoint:
            st.button("Resume", on_click=_resume, args=(job, None, 0), help="Trains on to the end it was meant for.")
        if run.spec.method not in methods.REFERENCES:
            _link_to_compare(run)
    if runs_rows := [row for row in run.history if "epoch" in row]:
        _curves(run.spec, runs_rows, stamp)
    try:
        found, pictured = trainings.pictures(store.find(run.key))
    except BrokenRun as problem:
        st.warning(plain(problem))
        found = None
    if found is not None:
        _replayed(found, pictured, run.key)
        return
    st.html(_shown(_last(run), 0, stamp))
    if run.history and not methods.get(run.spec.method).maps_rows:
        st.caption("This run holds no pictures of its training: train it with another seed to see one form.")


def _link_to_compare(run: Run) -> None:
    query = {"data": run.spec.dataset}
    if run.spec.method != "gan":
        query["size"] = str(store.code_size(run))
    st.page_link("app.py", label="See it in Compare", icon=":material/compare_arrows:", query_params=query)


def _last(run: Run) -> Replay:
    """The pictures that a run shows elsewhere, as the only ones of its training."""

    def first(name: str, n: int | None = None):
        return run.views[name][None, :n] if name in run.views else None

    originals = run.views.get("originals")
    return Replay(
        epochs=np.array([run.history[-1].get("epoch", 0) if run.history else 0]),
        seconds=np.array([run.metrics["seconds"]]),
        map=first("map"),
        reconstructions=first("reconstructions", pictures.IN_STRIP),
        samples=first("samples", _SAMPLES),
        originals=None if originals is None else originals[: pictures.IN_STRIP],
        labels=run.views.get("labels"),
        rows=run.views["shown_rows"],
        about={
            **{name: run.notes[name] for name in ("map", "samples", "target_names") if name in run.notes},
            **({"documents": [run.notes["documents"]]} if run.notes.get("documents") else {}),
            "image_shape": run.environment.get("image_shape"),
        },
    )


def _figures(run: Run) -> str:
    parts = [
        f"{DEFINITIONS[name].label} {number(run.metrics[name])} ({interval(run.metrics, name)})"
        for name in _SHOWN
        if name in run.metrics
    ]
    stopped = ""
    if run.environment.get("stopped_early") and run.history:
        stopped = f"Stopped after epoch {run.history[-1]['epoch']:g}. "
    return f"{stopped}Trained in {seconds(run.metrics['seconds'])}. On the test rows: {'; '.join(parts)}."


def _replayed(found: Replay, stamp: Stamp, key: str) -> None:
    if len(found) == 1:
        st.html(_shown(found, 0, stamp))
        return
    widget = choices.key(f"epoch/{key}")
    options = list(range(len(found)))
    if st.session_state.get(widget) not in options:
        st.session_state[widget] = options[-1]
    k = st.select_slider(
        "Epoch",
        options,
        key=widget,
        format_func=lambda k: f"{found.epochs[k]:g}",
        help=f"Pictures of the same rows, taken {len(found)} times while it trained.",
    )
    st.html(_shown(found, k, stamp))


# Curves and pictures


def _curves(spec: Spec, rows: Sequence[dict[str, Any]], stamp: tuple) -> None:
    by = choices.remembered("curves") or "epoch"
    with st.container(key="curves"):
        for k, figure in enumerate(_figures_of(stamp, by, nav.theme(), spec, rows)):
            st.plotly_chart(figure, key=choices.key(f"curve-{k}"), config={"displayModeBar": False})


@st.cache_data(max_entries=32, show_spinner=False)
def _sketch(stamp: tuple, by: str, theme: str, _spec: Spec, _rows: Sequence[dict[str, Any]]) -> Markup:
    drawn = [
        f'<img alt="{html(about)}" src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}">'
        for svg, about in sketches.progress(_rows, by, _unit(_spec), theme)
    ]
    return Markup(f'<div class="hg-sketches">{"".join(drawn)}</div>')


def _unit(spec: Spec) -> str:
    return methods.get(spec.method).loss_unit.get(datasets.entry(spec.dataset).kind, "")


@st.cache_resource(max_entries=32, show_spinner=False)
def _figures_of(stamp: tuple, by: str, theme: str, _spec: Spec, _rows: Sequence[dict[str, Any]]):
    from core.figures import curves  # plotly: a visit that watches nothing opens no figure

    return curves.progress({trainings.label(_spec): _rows}, by, _unit(_spec), theme)


def _shown(found: Replay, k: int, stamp: Stamp) -> Markup:
    return _pictures_html(stamp, k, nav.theme(), found)


@st.cache_data(max_entries=256, show_spinner=False)
def _pictures_html(stamp: Stamp, k: int, theme: str, _replay: Replay) -> Markup:
    parts = []
    if _replay.map is not None:
        png = rasters.png(rasters.thumbnail(_replay.map[k], _replay.labels, theme, size=_MAP))
        about = f"{len(_replay.rows):,} test rows, {_replay.about.get('map', '')}"
        parts.append(_part("Map", about, pictures.image(png, f"Map of {about}", "hg-forming"), "hg-square"))
    shape = tuple(_replay.about.get("image_shape") or ())
    if _replay.reconstructions is not None:
        strips = [("Originals", _replay.originals)] if _replay.originals is not None else []
        strips.append(("Rebuilt", _replay.reconstructions[k]))
        images = "".join(
            f'<div class="hg-note">{name}</div>{pictures.image(_montage(x, shape, len(x)), name, "hg-strip")}'
            for name, x in strips
        )
        parts.append(_part("Reconstructions", "of test images", images))
    if _replay.samples is not None:
        about = _replay.about.get("samples", "")
        images = pictures.image(_montage(_replay.samples[k], shape, 8), "Samples", "hg-strip")
        parts.append(_part("Samples", about, images))
    if "documents" in _replay.about:
        parts.append(_part("Expected words", "of test documents; those in bold are in them", _words(_replay, k)))
    epoch = f"{_replay.epochs[k]:g}"
    return Markup(f'<div class="hg-forms" aria-label="After epoch {epoch}">{"".join(parts)}</div>')


def _part(title: str, about: str, body: str, style: str = "") -> str:
    caption = f'<div class="hg-caption"><b>{title}</b> <span class="hg-note">{html(about)}</span></div>'
    return f'<div class="{style}">{caption}{body}</div>'


def _montage(images, shape: tuple[int, int], columns: int) -> bytes:
    return rasters.png(rasters.montage(images, shape, columns, cell=56))


def _words(found: Replay, k: int) -> str:
    cells = []
    for document in found.about["documents"][k]:
        words = " ".join(
            f'<span class="{"hg-in" if there else ""}" title="{value:.3g}">{html(word)}</span>'
            for word, value, there in document["expects"]
        )
        cells.append(
            f'<div><div class="hg-title">{html(document["title"])}</div><div class="hg-words">{words}</div></div>'
        )
    return f'<div class="hg-docs">{"".join(cells)}</div>'


# The queue


def _queue(found: Sequence[Job], watched: Spec | None) -> None:
    others = [job for job in found if watched is None or job.key != watched.key]
    if not others:
        return
    st.markdown("**Queue**")
    for job in others:
        with st.container(horizontal=True, vertical_alignment="center", key=f"queue-{job.key}"):
            st.button("Watch", on_click=trainings.watch, args=(job.spec,), key=choices.key(f"watch-{job.key}"))
            st.markdown(f"{plain(trainings.label(job.spec))}: {plain(_state(job))}")


def _state(job: Job) -> str:
    mine = ", yours" if trainings.person() in job.askers else ""
    if job.state == jobs.QUEUED:
        return f"waiting, number {job.place}{mine}"
    if job.state == jobs.RUNNING:
        return f"{job.stage.lower()}, {job.row.get('share', 0.0):.0%}{mine}"
    return f"{job.state}{mine}"
