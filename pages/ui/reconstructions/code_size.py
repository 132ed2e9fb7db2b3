"""The section Error by dimensions: error of each run against its latent dimensions, with PCA's exact error."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import streamlit as st

from core import config, methods
from core.datasets import checksums
from core.errors import BadInput, BrokenRun
from core.metrics import pca_spectrum
from core.metrics.reconstruction_error import ErrorMeasure, choose_measure
from core.runs import presets, selection, specs, store
from core.types import IMAGES, Form, Measurement, Run, Spec
from pages.ui.reconstructions import lecture_figure
from pages.ui.shared import charts, header, page_state, stored_runs, tables, training_offers
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.number_format import number, seconds
from pages.ui.shared.run_picker import View
from pages.ui.shared.text import join_words, plain

_CHART = "error by latent dimensions"
_USUAL_LARGEST, _SHOWN_LINEAR = 256, 64
# Rows that the table always has: PCA's error is known at every size.
_ALWAYS = (2, 10, 30)
_USUAL_SIZES = (5, 20, 3, 30, 50, 100)
_COLUMNS = ("series", "latent dimensions", "error", "low", "high", "n", "run")


def _list_methods(kind: str) -> list[str]:
    return [name for name in methods.names(kind) if methods.entry(name).reconstructs]


def _is_on_pca(method: str) -> bool:
    """Whether a method's error is PCA's, or approaches it; that of other networks may be lower."""
    return methods.entry(method).has_spectrum or bool(methods.entry(method).converges_to)


def _list_networks(kind: str) -> list[str]:
    return [name for name in _list_methods(kind) if not _is_on_pca(name)]


def _get_measure(run: Run) -> ErrorMeasure:
    return choose_measure(Form.from_json(run.environment))


def _error(run: Run) -> Measurement | None:
    return _get_measure(run).find_mean(run)


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    explanation, names, measure = st.empty(), _list_methods(view.entry.kind), choose_measure(view.entry.form)
    of_data = [run for run in stored if run.spec.dataset == view.entry.name and run.spec.method in names]
    runs, n_left_out = _select_comparable(view, [run for run in of_data if _error(run)])
    exact = _read_exact_errors(runs)
    axes = {"log": "Logarithmic", "linear": "Linear"}
    axis = page_state.choose("axis", "Axis of latent dimensions", axes, problems, label_visibility="collapsed")
    if exact is None and not runs:
        which = f"No method that reconstructs {measure.row}s"
        st.markdown(plain(f"{which} is trained on {view.entry.label} yet: train one below."))
    else:
        draw_text(_explanation(view, runs, exact), explanation)
        _draw_chart(runs, exact, axis == "log")
        _draw_table(runs, measure.metric, "error", "all-code-sizes-table", exact)
        st.caption(plain(_about_chart(runs, exact)))
        if warning := _warn_of_undertraining(runs):
            st.caption(plain(warning))
        drawer = st.expander("kNN accuracy of these runs", key=page_state.key("accuracy-by-size"), on_change="rerun")
        if drawer.open:
            with drawer:
                _draw_table(runs, "knn_accuracy", "kNN accuracy", "all-code-sizes-accuracy")
    if n_left_out:
        s = "" if n_left_out == 1 else "s"
        st.caption(f"Left out: {n_left_out} run{s}, measured on another copy of the data.")
    _draw_form(view, of_data, names)
    training_offers.show_progress(lambda task: task.spec.dataset == view.entry.name and task.spec.method in names)
    if view.entry.kind == IMAGES:
        lecture_figure.draw(view, stored, problems)


def _select_comparable(view: View, runs: Sequence[Run]) -> tuple[list[Run], int]:
    """Return the runs measured on the same rows as those of the view, and the number of all others."""
    checksum = checksums.choose_checksum([*(line.run for line in view.trained if line.entry.reconstructs), *runs])
    comparable = [run for run in runs if checksums.is_of(run.environment, checksum)]
    return comparable, len(runs) - len(comparable)


def _read_exact_errors(runs: Sequence[Run]) -> np.ndarray | None:
    """Read PCA's error at every number of dimensions, from any PCA in `runs` that can be read."""
    for run in runs:
        if methods.entry(run.spec.method).has_spectrum:
            with suppress(BrokenRun):
                return stored_runs.read_run(run.key)[0].views["error_by_size"].astype(np.float64)
    return None


def _best_runs(runs: Sequence[Run]) -> dict[tuple[str, int], Run]:
    """Return the run with the lowest error of each method and size."""
    best: dict[tuple[str, int], Run] = {}
    for run in sorted(runs, key=lambda run: _error(run).value):
        best.setdefault((run.spec.method, selection.code_size(run)), run)
    return best


def _best_of_networks(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the best run of each network at each size, the sizes increasing."""
    best = sorted(_best_runs(runs).values(), key=selection.code_size)
    return {
        name: [run for run in best if run.spec.method == name]
        for name in (_list_networks(runs[0].environment["kind"]) if runs else ())
    }


def _explanation(view: View, runs: Sequence[Run], exact: np.ndarray | None) -> str:
    measure = choose_measure(view.entry.form)
    text = f"{measure.label} of the test {measure.row}s of {view.entry.label} by number of latent dimensions."
    parts = []
    for method, best in _best_of_networks(runs).items() if exact is not None else ():
        matches = {selection.code_size(run): pca_spectrum.find_size(exact, _error(run).value) for run in best}
        if needed := {str(size): str(n) for size, n in matches.items() if n is not None}:
            components = join_words(list(needed.values()))
            at = f"{methods.label(method)} at {join_words(list(needed))} dimensions"
            parts.append(f"{components} components to match the {at}")
    return f"{text} PCA needs {', and '.join(parts)}." if parts else text


def _warn_of_undertraining(runs: Sequence[Run]) -> str:
    """Name a run with a higher error than a smaller code of its method, with the training time of both."""
    for method, best in _best_of_networks(runs).items():
        for pair in pairwise(best):
            if _error(pair[1]).value > _error(pair[0]).value:
                small, large = (f"{methods.label(method)} {selection.code_size(run)}-D" for run in pair)
                fast, slow = (seconds(run.metrics["seconds"].value) for run in pair)
                cause = f"It may be under-trained ({slow} of training, against {fast})"
                return f"{large} has a higher error than {small}. {cause}."
    return ""


def _about_chart(runs: Sequence[Run], exact: np.ndarray | None) -> str:
    line = "Solid line: exact PCA error. Click a point to put its size into the form below."
    if exact is None:
        line = "Train any PCA below to see the exact PCA error at every size."
    if not runs:
        return line
    measure = _get_measure(runs[0])
    return (
        f"Error: {measure.about}; mean over {_error(runs[0]).n:,} test {measure.row}s, with 95% bootstrap "
        f"interval. Filled marks: shipped runs; hollow marks: your own; dotted lines: best networks. {line}"
    )


def _draw_table(runs: Sequence[Run], metric: str, what: str, name: str, exact: np.ndarray | None = None) -> None:
    """Draw one row per size: the metric of each method's best run; of errors also `exact`, those of PCA."""
    best, is_error = (
        {at: run for at, run in _best_runs(runs).items() if metric in run.metrics},
        metric == _get_measure(runs[0]).metric,
    )
    n_exact, names = 0 if exact is None else len(exact), _list_methods(runs[0].environment["kind"])

    def cell(method: str, size: int) -> tables.Cell:
        if run := best.get((method, size)):
            return tables.estimate(*astuple(_error(run) if is_error else run.metrics[metric]))
        is_exact = size < n_exact and methods.entry(method).has_spectrum
        return tables.estimate(float(exact[size])) if is_exact else tables.EMPTY

    head = ["Latent dimensions", *(f"{methods.label(method)} {what}" for method in names)]
    sizes = sorted({size for _, size in best} | {size for size in _ALWAYS if size < n_exact})
    rows = [[tables.text(size), *(cell(method, size) for method in names)] for size in sizes]
    if is_error:
        network = _list_networks(runs[0].environment["kind"])[0]
        head.append(f"PCA components for {methods.label(network)} error")
        for size, row in zip(sizes, rows, strict=True):
            run = best.get((network, size)) if n_exact else None
            n_components = pca_spectrum.find_size(exact, _error(run).value) if run else None
            row.append(tables.EMPTY if n_components is None else tables.text(n_components))
    tables.draw(head, rows, name, kind="hg-depths", is_of_all_sizes=True)


def _draw_chart(runs: Sequence[Run], exact: np.ndarray | None, is_log: bool) -> None:
    from core.figures import error_by_code_size  # plotly: most visits open no figure

    largest = max([_USUAL_LARGEST if is_log else _SHOWN_LINEAR, *map(selection.code_size, runs)])
    of_pca = enumerate([] if exact is None else exact[: largest + 1].tolist())
    title = _get_measure(runs[0]).axis
    marks, data = [], [dict(zip(_COLUMNS, ("PCA (exact)", *point), strict=False)) for point in of_pca]
    best, names = {run.key for run in _best_runs(runs).values()}, _list_methods(runs[0].environment["kind"])
    for run in sorted(runs, key=lambda run: (names.index(run.spec.method), selection.code_size(run))):
        entry, size, error = methods.entry(run.spec.method), selection.code_size(run), _error(run)
        data.append(dict(zip(_COLUMNS, (entry.label, size, *astuple(error), run.key), strict=True)))
        look = {"about": _tooltip(run, exact), "is_own": not store.is_shipped(run), "is_small": entry.has_spectrum}
        # A straight line between two sizes would cross PCA's curve.
        look["is_best"] = run.key in best and not _is_on_pca(entry.name)
        marks.append(error_by_code_size.Mark(entry.label, entry.name, size, error.value, *error.interval, **look))
    # PCA's small marks lie over those of the linear AE, which are at the same points.
    marks.sort(key=lambda mark: (not _is_on_pca(mark.method), mark.is_small))
    figure = error_by_code_size.plot_by_size(
        exact, marks, header.get_theme(), is_log=is_log, largest=largest, title=title
    )
    charts.draw(figure, _CHART, data=data, on_select=_take_clicked_size, selection_mode="points", is_of_all_sizes=True)


def _tooltip(run: Run, exact: np.ndarray | None) -> tuple[str, ...]:
    size, mean, measure = selection.code_size(run), _error(run), _get_measure(run)
    error, ends = mean.value, " to ".join(map(number, mean.interval or ()))
    lines = [
        f"{methods.label(run.spec.method)} {size}-D: {number(error)} ({ends})",
        f"n = {mean.n:,} test {measure.row}s",
    ]
    if exact is not None and run.environment["kind"] == IMAGES:
        of_pca = f" (PCA {pca_spectrum.variance_left(exact, exact[size]):.1%})" if size < len(exact) else ""
        lines.append(f"unexplained variance {pca_spectrum.variance_left(exact, error):.1%}{of_pca}")
    origin = "shipped" if store.is_shipped(run) else "own run"
    stopped = ", stopped early" if run.environment.get("stopped_early") else ""
    lines.append(f"{origin}{stopped}, trained in {seconds(run.metrics['seconds'].value)}")
    settings = [f"{name} {value}" for name, value in run.spec.params if name in ("epochs", "layers", "width", "beta")]
    return (*lines, *([", ".join(settings)] if settings else []))


def _take_clicked_size() -> None:
    """Put the size of the point clicked in the chart into the form."""
    event = st.session_state.get(page_state.key(_CHART))
    if points := event["selection"]["points"] if event else []:
        page_state.keep("train-size", round(points[0]["x"]), text=None)
        st.session_state.pop(page_state.key("train-size"), None)


def _draw_form(view: View, stored: Sequence[Run], names: Sequence[str]) -> None:
    """Draw the form that trains a method at another size; `stored` are the runs on this data set."""
    st.markdown("**Train another size.** Its run is added to the chart.")
    with st.container(key="by-size-form", horizontal=True, vertical_alignment="bottom"):
        method = _choose("train-method", "Method", names, _list_networks(view.entry.kind)[0], format_func=methods.label)
        size = _choose_size(view, stored, method)
        about = "Reference: as the shipped runs, minutes of training. Runs of different presets are not comparable."
        available = presets.list_presets(view.entry.name, method, view.size)
        offered = [name for name in available if name in presets.SHORT or not config.is_workshop()]
        look = {"format_func": str.capitalize, "help": about}
        preset = _choose("train-preset", "Preset", offered, presets.SECONDS, **look) if offered else ""
    spec = None if size is None else _make_spec(view, method, size, preset)
    if spec is None:
        return
    label = f"{methods.label(method)} {size}-D"
    if training_offers.find_missing([spec], stored):
        budget = f"Trains for {epochs} epochs." if (epochs := spec.param("epochs")) else "Fitted in closed form."
        training_offers.draw_button(f"Train {label}", [spec], "size", budget)
    else:
        where = "in the chart" if stored_runs.is_complete(stored, spec) else "being trained"
        st.caption(plain(f"{label} with these settings is {where}."))


def _choose(name: str, label: str, options: Sequence[str], default: str, **look) -> str:
    """Draw a choice that is remembered, but is no part of the address."""
    widget = page_state.seed_widget(name, options, default, [])
    chosen = st.segmented_control(label, options, key=widget, required=True, **look)
    page_state.keep(name, chosen, text=None)
    return chosen


def _choose_size(view: View, stored: Sequence[Run], method: str) -> int | None:
    """Return the size typed or clicked in the chart; None, after an error message, where it is not allowed."""
    param = next(param for param in methods.get(method).params if param.name == "n_components")
    widget = page_state.key("train-size")
    if widget not in st.session_state:
        trained = {selection.code_size(run) for run in stored if run.spec.method == method}
        most = view.entry.count_features(dict(view.dataset_params)) - 1
        suggested = next((size for size in _USUAL_SIZES if size <= most and size not in trained), min(7, max(1, most)))
        st.session_state[widget] = str(page_state.recall("train-size") or suggested)
    text = st.text_input("Latent dimensions", key=widget, width=140, help=plain(f"{param.allowed.capitalize()}."))
    try:
        size = param.check(text)
    except BadInput as problem:
        st.error(plain(problem))
        return None
    page_state.keep("train-size", size, text=None)
    return size


def _make_spec(view: View, method: str, size: int, preset: str) -> Spec | None:
    settings = presets.list_presets(view.entry.name, method, size).get(preset, {})
    declared = {param.name for param in methods.get(method).params_of(view.entry.kind)}
    params = {name: value for name, value in settings.items() if name in declared} | {"n_components": size}
    try:
        spec = specs.make(view.entry.name, method, params, 0, dict(view.dataset_params))
        # PCA refuses more dimensions than features, and that must not take a place in the queue.
        methods.get(method).estimator(dict(spec.params), view.entry.form, 0)
        return spec
    except BadInput as problem:
        st.error(plain(problem))
        return None
