"""The section Retrieval of Documents: precision by the number of documents retrieved."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import streamlit as st

from core import datasets, methods
from core.datasets import checksums
from core.figures import words
from core.figures.words import PrecisionCurve
from core.metrics.definitions import DEFINITIONS
from core.runs import presets, selection, specs
from core.types import DOCUMENTS, Run, Spec
from pages.ui.shared import charts, header, page_state, stored_runs, tables, training_offers
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import join_words, plain

_MEASURES = ("retrieval_precision_1", "retrieval_precision_15", "retrieval_precision_63")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    curves = _find_curves(view, stored, problems)
    _offer_missing(view, stored)
    if not any(run.spec.dataset == view.entry.name for run in stored):
        st.markdown(plain(f"No method is trained on {view.entry.label} yet."))
        return
    if not curves:
        needed = "it needs documents of at least two classes and a run of this version."
        st.markdown(plain(f"No run on {view.entry.label} has a precision curve: {needed}"))
        return
    st.markdown(
        "Each test document is a query; the other test documents are its answers, by decreasing cosine similarity of "
        "the latent codes (Hinton and Salakhutdinov 2006). Thick line: plain tf-idf.",
        help=plain(DEFINITIONS["retrieval_precision"].help),
    )
    charts.draw(words.plot_precision(curves, header.get_theme(), view.size), "retrieved")
    counts = [line.run.metrics[_MEASURES[0]].n for line in view.trained if _MEASURES[0] in line.run.metrics]
    n = next(filter(None, counts), None)
    st.caption(f"Bands: 95% intervals at {view.size}-D, over resampled queries" + (f" (n = {n:,})." if n else "."))
    _draw_table(curves)
    if view.trained:
        st.header(plain(f"At {view.size}-D"), anchor=False)
        tables.draw_measures(view.trained, _MEASURES, "retrieval-measures")


def _find_curves(view: View, stored: Sequence[Run], problems: list[str]) -> list[PrecisionCurve]:
    """The curve of each method and size, and the tf-idf baseline."""
    curves, baseline = [], []
    shown = {line.method: line for line in view.lines}
    copy = checksums.choose_checksum(line.run for line in view.trained)
    sizes = stored_runs.list_code_sizes(stored, view.entry.name)
    for method, size in product(methods.compared(DOCUMENTS), sizes):
        line = shown[method]
        if size != view.size:
            candidates = selection.select_runs(list(stored), view.entry.name, method, size)
            line = stored_runs.make_line(method, candidates, candidates[0].spec if candidates else None)
        problems += [line.problem] if line.problem else []
        run = line.run
        if run is None or "retrieval.precision" not in run.views:
            continue
        copy = copy or run.environment["data_checksum"]
        if not checksums.is_of(run.environment, copy):
            continue
        at, label = run.views["retrieval.at"], f"{stored_runs.label_run(run.spec)} {size}-D"
        curves.append(PrecisionCurve(label, at, run.views["retrieval.precision"], method, size))
        if not baseline and "retrieval.tfidf" in run.views:
            baseline.append(PrecisionCurve("tf-idf vectors", at, run.views["retrieval.tfidf"]))
    return curves + baseline


def _offer_missing(view: View, stored: Sequence[Run]) -> None:
    """Draw a button that trains the missing curves, and their progress."""
    lacking = [
        (method, size)
        for method in presets.RETRIEVED
        for size in presets.DOCUMENT_SIZES
        if not any(map(checksums.is_here, selection.select_runs(list(stored), view.entry.name, method, size)))
    ]
    dataset = view.entry.name
    training_offers.show_progress(lambda t: t.spec.dataset == dataset and t.spec.method in presets.RETRIEVED)
    if not lacking:
        return
    named = join_words([f"{methods.label(method)} {size}-D" for method, size in lacking])
    st.markdown(plain(f"Not trained yet: {named}."))
    wanted = training_offers.find_missing([_make_spec(view, method, size) for method, size in lacking], stored)
    if wanted and datasets.is_available(dataset):
        label = "Train it" if len(wanted) == 1 else "Train them"
        training_offers.draw_button(label, wanted, "curves", "An AE takes about a minute.", primary=False)


def _make_spec(view: View, method: str, size: int) -> Spec:
    preset = presets.list_presets(view.entry.name, method, size).get(presets.BEST, {})
    return specs.make(view.entry.name, method, {**preset, "n_components": size}, 0, dict(view.dataset_params))


def _draw_table(curves: Sequence[PrecisionCurve]) -> None:
    drawer = st.expander("Table of the curves", key=page_state.key("curves"), on_change="rerun")
    if not drawer.open:
        return
    at = np.unique(np.concatenate([curve.at for curve in curves]))
    rows = []
    for curve in curves:
        precision = dict(zip(curve.at.tolist(), curve.precision.tolist(), strict=True))
        cells = [Cell(number(precision[n][0]), *precision[n]) if n in precision else tables.EMPTY for n in at.tolist()]
        rows.append([tables.text(curve.label), *cells])
    with drawer:
        tables.draw(["Documents retrieved", *(f"{n:,}" for n in at)], rows, "retrieval", kind="hg-sampled")
