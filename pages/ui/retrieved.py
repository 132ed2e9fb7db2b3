"""The section Retrieval of Documents: how many of the documents found first are of the query's class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import datasets, methods, recipes, specs, store
from core.figures import wordings
from core.figures.wordings import Retrieved
from core.metrics import DEFINITIONS
from core.types import DOCUMENTS, BrokenRun, Run, Spec
from pages.ui import choices, measures, nav, offers, runs
from pages.ui.compare import View
from pages.ui.numbers import number
from pages.ui.text import Markup, html, listed, plain

_MEASURES = ("retrieval_precision_1", "retrieval_precision_15", "retrieval_precision_63")
_CHART = {"displaylogo": False, "displayModeBar": False}
_COMPARED = ("lsa", "ae")
_REFERENCE = "tf-idf vectors"


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    found = _curves(view, stored, problems)
    _offer(view, stored)
    if not any(run.spec.dataset == view.entry.name for run in stored):
        st.markdown(plain(f"No method is trained on {view.entry.label} yet."))
        return
    if not found:
        st.markdown(
            plain(
                f"No run on {view.entry.label} holds a curve of precision: it needs documents of two classes or more, "
                "and a run that was measured by this version of the program."
            )
        )
        return
    st.markdown(
        "Each test document is a query; the other test documents are its answers, by falling cosine of the codes "
        "(Hinton and Salakhutdinov 2006). A line high on the left: the first answers are of the query's own class. All "
        "lines end at the share that is found when everything is retrieved. The thick line: the tf-idf vectors, with "
        "every word of the vocabulary. Click a name below to hide its line.",
    )
    figure = wordings.retrieved(found, nav.theme(), view.size)
    st.plotly_chart(figure, key=choices.key("retrieved"), config=_CHART)
    st.caption(_bands(view))
    _numbers(found, view)
    if view.there:
        st.subheader(plain(f"At {view.size}-D"), anchor=False)
        st.html(measures.table(view.there, _MEASURES))
        st.caption(plain(DEFINITIONS[_MEASURES[1]].help))


def _curves(view: View, stored: Sequence[Run], problems: list[str]) -> list[Retrieved]:
    """A curve of each method and code size: of the run that the view shows, else of the default one."""
    found: list[Retrieved] = []
    reference: Retrieved | None = None
    shown = {line.method: line.run for line in view.there}
    copy = next((run.environment["data_checksum"] for run in shown.values()), None)
    for method in methods.compared(DOCUMENTS):
        for size in runs.code_sizes(stored, view.entry.name):
            run = shown.get(method) if size == view.size else _default(stored, view, method, size, problems)
            if run is None or "retrieval.precision" not in run.views:
                continue
            copy = copy or run.environment["data_checksum"]
            if run.environment["data_checksum"] != copy:
                continue
            at, label = run.views["retrieval.at"], f"{runs.label(run.spec)} {size}-D"
            found.append(Retrieved(label, at, run.views["retrieval.precision"], method, size))
            if reference is None and "retrieval.tfidf" in run.views:
                reference = Retrieved(_REFERENCE, at, run.views["retrieval.tfidf"])
    return [*found, *([reference] if reference else [])]


def _default(stored: Sequence[Run], view: View, method: str, size: int, problems: list[str]) -> Run | None:
    candidates = store.pick(list(stored), view.entry.name, method, size)
    if not candidates:
        return None
    try:
        return runs.read(candidates[0].key)[0]
    except BrokenRun as problem:
        problems.append(str(problem))
        return None


def _bands(view: View) -> str:
    n = next((line.run.metrics[f"{_MEASURES[0]}_n"] for line in view.there if _MEASURES[0] in line.run.metrics), None)
    queries = f", n = {n:,} queries" if n else ""
    return f"Bands: 95 % intervals at {view.size}-D, over resampled queries{queries}; other sizes are drawn without."


def _offer(view: View, stored: Sequence[Run]) -> None:
    """Which lines the comparison of code sizes lacks, and a way to train them where the documents are here."""
    lacking = [
        (method, size)
        for method in _COMPARED
        for size in recipes.DOCUMENT_SIZES
        if not store.pick(list(stored), view.entry.name, method, size)
    ]
    offers.progress(lambda job: job.spec.dataset == view.entry.name and job.spec.method in _COMPARED)
    if not lacking:
        return
    named = listed([f"{methods.label(method)} {size}-D" for method, size in lacking])
    st.markdown(plain(f"Not drawn, as not trained yet: {named}."))
    wanted = offers.missing([_best(view, method, size) for method, size in lacking], stored)
    if wanted and datasets.available(view.entry.name):
        offers.button("Train them", wanted, "curves", "One after the other; an AE takes about a minute.", primary=False)


def _best(view: View, method: str, size: int) -> Spec:
    preset = recipes.presets(view.entry.name, method, size).get(recipes.BEST, {})
    return specs.make(view.entry.name, method, {**preset, "n_components": size}, 0, dict(view.dataset_params))


def _numbers(found: Sequence[Retrieved], view: View) -> None:
    drawer = st.expander("The curves as numbers", key=choices.key("curves"), on_change="rerun")
    if not drawer.open:
        return
    at = np.unique(np.concatenate([curve.at for curve in found]))
    head = "".join(f'<th scope="col">{n:,}</th>' for n in at)
    lines = []
    for curve in found:
        known = dict(zip(curve.at.tolist(), curve.precision[:, 0].tolist(), strict=True))
        cells = "".join(f"<td>{number(known[n]) if n in known else '–'}</td>" for n in at.tolist())
        lines.append(f'<tr><th scope="row">{html(curve.label)}</th>{cells}</tr>')
    with drawer:
        st.html(
            Markup(
                '<div class="hg-wide"><table class="hg-table hg-sampled"><thead><tr><th scope="col">Documents '
                f"retrieved</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
            )
        )
        st.download_button(
            "Download as CSV",
            _csv(found),
            f"hourglass-{view.entry.name}-retrieval.csv",
            "text/csv",
            on_click="ignore",
            help="A line a method, code size and number of answers: mean precision and its 95 % interval.",
        )


def _csv(found: Sequence[Retrieved]) -> bytes:
    import pandas as pd

    lines = [
        {"code": curve.label, "retrieved": int(n), "precision": mean, "low": low, "high": high}
        for curve in found
        for n, (mean, low, high) in zip(curve.at, curve.precision.tolist(), strict=True)
    ]
    return pd.DataFrame(lines).to_csv(index=False).encode()
