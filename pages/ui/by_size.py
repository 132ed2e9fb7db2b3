"""The section Code size: error against how many numbers a code has, PCA's for every size; missing runs trained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from core import methods, recipes, specs, spectrum, store
from core.jobs import Job
from core.types import BadInput, BrokenRun, Run, Spec
from pages.ui import choices, nav, offers, runs, thirty, trainings
from pages.ui.compare import View
from pages.ui.numbers import interval, number, seconds
from pages.ui.text import plain

METHODS = ("pca", "linear_ae", "ae", "vae")
# These end where PCA is.
_ON_PCA = ("linear_ae", "pca")
_LOG, _LINEAR = "log", "linear"
_USUAL_LARGEST, _SHOWN_LINEAR = 256, 64
_CHART = {"displaylogo": False, "displayModeBar": False}
_PRESETS = {
    recipes.SECONDS: "seconds",
    recipes.MINUTE: "a minute",
    recipes.BEST: "best",
}


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    explained = st.empty()
    found, left_out = _of_data(view, stored)
    exact = exact_errors(view, found)
    axis = choices.segments(
        "axis", "Axis of code sizes", {_LOG: "Logarithmic", _LINEAR: "Linear"}, problems, label_visibility="collapsed"
    )
    if exact is None and not found:
        st.markdown(plain(f"No method that rebuilds images of {view.entry.label} is trained yet: train one below."))
    else:
        explained.markdown(plain(_explanation(view, found, exact)))
        _chart(view, found, exact, axis == _LOG)
        st.caption(plain(_how(found, exact)))
        if kink := _kink(found):
            st.caption(plain(kink))
    if left_out:
        st.caption(plain(f"Left out: {left_out}, measured on another copy of the data."))
    _form(view, stored, exact, problems)
    offers.progress(lambda job: _concerns(job, view))
    thirty.draw(view, stored, problems)


def _concerns(job: Job, view: View) -> bool:
    return job.spec.dataset == view.entry.name and job.spec.method in METHODS


def _of_data(view: View, stored: Sequence[Run]) -> tuple[list[Run], str]:
    """Runs of the methods that rebuild, all measured on the same rows, and how many others there are, in words."""
    found = [
        run
        for run in stored
        if run.spec.dataset == view.entry.name and run.spec.method in METHODS and "squared_error" in run.metrics
    ]
    if not found:
        return [], ""
    shown = [line.run for line in view.there if line.method in METHODS]
    checksum = (shown or found)[0].environment["data_checksum"]
    same = [run for run in found if run.environment["data_checksum"] == checksum]
    n = len(found) - len(same)
    return same, f"{n} {'run' if n == 1 else 'runs'}" if n else ""


def exact_errors(view: View, found: Sequence[Run]) -> np.ndarray | None:
    """PCA's error at every code size, from any PCA among `found`; None where none holds it."""
    for run in found:
        if run.spec.method == "pca":
            try:
                errors = runs.read(run.key)[0].views.get("error_by_size")
            except BrokenRun:
                continue
            if errors is not None:
                return errors.astype(np.float64)
    return None


# --- What is said -------------------------------------------------------------------------------------------------


def _explanation(view: View, found: Sequence[Run], exact: np.ndarray | None) -> str:
    text = (
        f"The larger the code, the less is lost: squared error of the test images of {view.entry.label} by code size."
    )
    if exact is None:
        return text
    text += " The thin line is PCA at every size there is, exactly."
    best = [run for run in _best(found) if run.spec.method in ("ae", "vae")]
    at = [run for run in best if store.code_size(run) == view.size] or best
    at = sorted(at, key=lambda run: (METHODS.index(run.spec.method), store.code_size(run)))
    needs = []
    for run in at:
        size, error = store.code_size(run), float(run.metrics["squared_error"])
        enough = spectrum.size_for(exact, error)
        if enough is not None:
            label = methods.label(run.spec.method)
            needs.append(
                f"the {label}'s {size} numbers leave an error of {number(error)}, for which PCA needs {enough}"
            )
    if needs:
        text += f" Read it sideways: {'; '.join(needs[:3])}."
    return text


def _kink(found: Sequence[Run]) -> str:
    """Where a method's line rises although the code grows: what the two runs were given."""
    for method in ("ae", "vae"):
        best = sorted((run for run in _best(found) if run.spec.method == method), key=store.code_size)
        for smaller, larger in pairwise(best):
            if larger.metrics["squared_error"] > smaller.metrics["squared_error"]:
                label = methods.label(method)
                return (
                    f"{label} {store.code_size(larger)}-D leaves more than {label} {store.code_size(smaller)}-D, "
                    f"although its code is larger: it was trained for {seconds(float(larger.metrics['seconds']))}, the "
                    f"other for {seconds(float(smaller.metrics['seconds']))}; more time may help."
                )
    return ""


def _how(found: Sequence[Run], exact: np.ndarray | None) -> str:
    n = next((int(run.metrics["squared_error_n"]) for run in found), 0)
    parts = [
        f"Squared error: summed over the pixels, mean over {n:,} test images; bars are 95 % bootstrap intervals over "
        "these images. Filled marks are shipped runs, hollow ones your own; dotted lines join the best AEs and VAEs."
        if n
        else "",
        "PCA's line comes from one decomposition of the training images; a click on it, or on any mark, takes that "
        "size into the form below."
        if exact is not None
        else "PCA's line at every size is stored with each PCA run; there is none of this data set yet, or one made "
        "before it was: train any PCA below.",
    ]
    return " ".join(filter(None, parts))


# --- The chart ----------------------------------------------------------------------------------------------------


def _best(found: Sequence[Run]) -> list[Run]:
    """Of each method and code size the run with the least error."""
    least: dict[tuple[str, int], Run] = {}
    for run in found:
        at = run.spec.method, store.code_size(run)
        if at not in least or run.metrics["squared_error"] < least[at].metrics["squared_error"]:
            least[at] = run
    return list(least.values())


def _chart(view: View, found: Sequence[Run], exact: np.ndarray | None, is_log: bool) -> None:
    sizes = [store.code_size(run) for run in found]
    largest = max([_USUAL_LARGEST if is_log else _SHOWN_LINEAR, *sizes])
    told = tuple((run.key, run.environment["date"], store.is_shipped(run.key)) for run in found)
    figure = _figure(told, view.entry.name, is_log, largest, nav.theme(), found, exact)
    st.plotly_chart(
        figure,
        key=choices.key("by-size"),
        config=_CHART,
        on_select=_clicked,
        selection_mode="points",
        theme="streamlit",
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _figure(told: tuple, dataset: str, is_log: bool, largest: int, theme: str, _found: list[Run], _exact: Any) -> Any:
    from core.figures import sizes  # plotly: most visits open no figure

    best = {run.key for run in _best(_found)}
    shipped = {key for key, _, is_shipped in told if is_shipped}
    # PCA's small marks go over those of the linear AE, which stand in the same places.
    drawn = [*_ON_PCA, *(name for name in METHODS if name not in _ON_PCA)]
    order = sorted(_found, key=lambda run: (drawn.index(run.spec.method), store.code_size(run)))
    marks = [
        sizes.Mark(
            methods.label(run.spec.method),
            run.spec.method,
            store.code_size(run),
            float(run.metrics["squared_error"]),
            *map(float, run.metrics["squared_error_interval"]),
            about=_about(run, _exact, run.key in shipped),
            is_own=run.key not in shipped,
            is_small=run.spec.method == "pca",
            # A straight line between two sizes would seem to pass below PCA where it only cuts a corner.
            is_best=run.key in best and run.spec.method not in _ON_PCA,
        )
        for run in order
    ]
    return sizes.by_size(_exact, marks, theme, is_log=is_log, largest=largest)


def _about(run: Run, exact: np.ndarray | None, is_shipped: bool) -> tuple[str, ...]:
    size, error = store.code_size(run), float(run.metrics["squared_error"])
    lines = [
        f"{methods.label(run.spec.method)} {size}-D: {number(error)} ({interval(run.metrics, 'squared_error')})",
        f"n = {int(run.metrics['squared_error_n']):,} test images",
    ]
    if exact is not None:
        lines.append(f"leaves {spectrum.variance_left(exact, error):.1%} of the variance")
        if size < len(exact):
            lines[-1] += f", PCA {spectrum.variance_left(exact, exact[size]):.1%}"
    settings = [f"{name} {value}" for name, value in run.spec.params if name in ("epochs", "layers", "width", "beta")]
    origin = "shipped" if is_shipped else "own run"
    stopped = ", stopped early" if run.environment.get("stopped_early") else ""
    lines.append(f"{origin}{stopped}, trained in {seconds(float(run.metrics['seconds']))}")
    return (*lines, *([", ".join(settings)] if settings else []))


def _clicked() -> None:
    """Take the size of what was clicked into the form."""
    event = st.session_state.get(choices.key("by-size"))
    points = event["selection"]["points"] if event else []
    if points:
        choices.keep("train-size", round(points[0]["x"]), text=None)
        st.session_state.pop(choices.key("train-size"), None)


# --- Training what is missing -------------------------------------------------------------------------------------


def _form(view: View, stored: Sequence[Run], exact: np.ndarray | None, problems: list[str]) -> None:
    st.markdown("**Train a missing size.** It joins the chart when it is measured.")
    with st.container(key="by-size-form", horizontal=True, vertical_alignment="bottom"):
        names = [name for name in METHODS if name in methods.names(view.entry.kind)]
        widget = choices.seed("train-method", names, "ae", [])
        method = st.segmented_control("Method", names, format_func=methods.label, key=widget, required=True)
        choices.keep("train-method", method, text=None)
        size = _size(view, stored, method)
        preset = _preset(view, method)
    if size is None:
        return
    spec = _spec(view, method, size, preset, problems)
    if spec is None:
        return
    label = f"{methods.label(method)} {size}-D"
    if trainings.is_live(trainings.find(spec.key)):
        st.caption(plain(f"{label} with these settings is under way."))
    elif runs.is_whole(stored, spec):
        st.caption(plain(f"{label} with these settings is trained: it is in the chart."))
    else:
        offers.button(f"Train {label}", [spec], "size", _promise(spec))


def _promise(spec: Spec) -> str:
    budget = spec.param("max_seconds")
    if budget:
        return f"Trains for {budget:g} seconds on one core, then is measured on the test rows."
    if spec.param("epochs"):
        return f"Trains for {spec.param('epochs')} epochs, then is measured on the test rows."
    return "Solved at once, then measured on the test rows."


def _size(view: View, stored: Sequence[Run], method: str) -> int | None:
    """The code size typed or clicked; None, and a sentence, where it is not allowed."""
    param = next(p for p in methods.get(method).params if p.name == "n_components")
    widget = choices.key("train-size")
    if widget not in st.session_state:
        st.session_state[widget] = str(choices.remembered("train-size") or _next_size(view, stored, method))
    given = st.text_input("Code size", key=widget, width=110, help=plain(f"{param.help} It is {param.allowed}."))
    try:
        size = param.check(given)
    except BadInput as problem:
        st.error(plain(problem))
        return None
    choices.keep("train-size", size, text=None)
    return size


def _next_size(view: View, stored: Sequence[Run], method: str) -> int:
    """A usual size that the method has no run at."""
    there = {store.code_size(r) for r in stored if (r.spec.dataset, r.spec.method) == (view.entry.name, method)}
    return next((size for size in (5, 20, 3, 30, 50, 100) if size not in there), 7)


def _preset(view: View, method: str) -> str | None:
    found = recipes.presets(view.entry.name, method, view.size)
    if not found:
        return None
    names = [name for name in found if not (trainings.workshop() and name == recipes.BEST)]
    widget = choices.seed("train-preset", names, recipes.SECONDS, [])
    chosen = st.segmented_control(
        "For how long",
        names,
        format_func=_PRESETS.get,
        key=widget,
        required=True,
        help="best is how the shipped run was made, or one like it, and takes minutes. A short training is no fair "
        "match for a long one.",
    )
    choices.keep("train-preset", chosen, text=None)
    return chosen


def _spec(view: View, method: str, size: int, preset: str | None, problems: list[str]) -> Spec | None:
    params = recipes.presets(view.entry.name, method, size).get(preset, {}) if preset else {}
    try:
        if method == "pca":
            # It alone refuses more numbers than pixels, and that should not take a place in the queue.
            methods.get(method).estimator({"n_components": size}, view.entry.kind, view.entry.image_shape, 0)
        return specs.make(
            view.entry.name, method, {**_known(params, method, view.entry.kind), "n_components": size}, 0, _data(view)
        )
    except BadInput as problem:
        st.error(plain(problem))
        return None


def _known(params: dict[str, Any], method: str, kind: str) -> dict[str, Any]:
    declared = {p.name for p in methods.get(method).params_of(kind)}
    return {name: value for name, value in params.items() if name in declared}


def _data(view: View) -> dict[str, Any]:
    """The data set's parameters, those of the runs shown."""
    shown = next((line.run.spec.dataset_params for line in view.there), ())
    return dict(shown)
