"""The section Numbers of Documents: what each code keeps, what it predicts, what it cost; and LSA at its best."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import methods, specs, store
from core.types import BrokenRun, Run, Spec
from pages.ui import measures, offers, rebuilders, runs
from pages.ui.compare import View
from pages.ui.numbers import interval, number
from pages.ui.runs import Line
from pages.ui.text import plain

_MEASURES = (
    "knn_accuracy",
    "retrieval_precision_15",
    "tfidf_cosine",
    "completion_perplexity",
    "trustworthiness",
    "silhouette",
    "seconds",
    "weights",
)
# Not the cosine to tf-idf, which favours whoever rebuilds tf-idf weights.
_OF_WEIGHTINGS = ("knn_accuracy", "retrieval_precision_15", "seconds")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    rebuilders.absent(view)
    if not view.there:
        st.markdown(rebuilders.none_trained(view))
        return
    st.markdown(
        plain(
            f"What the {view.size}-D codes of {view.entry.label} keep; n under each number says on how many "
            "test documents. Open a measure to read how it is computed; best is said only where the paired 95 % "
            "interval of the difference to the runner-up excludes 0."
        )
    )
    st.html(measures.table(view.there, _MEASURES))
    if text := _references(view.there):
        st.markdown(plain(text))
    _weightings(view, stored, problems)


def _references(lines: Sequence[Line]) -> str:
    """What the figures are to be held against: no code at all, and no document at all."""
    metrics = next((line.run.metrics for line in lines if "unigram_perplexity" in line.run.metrics), {})
    parts = []
    if "tfidf_knn_accuracy" in metrics:
        parts.append(
            "Without any code, the 15 nearest tf-idf vectors by cosine name the right class for a share of "
            f"{_told(metrics, 'tfidf_knn_accuracy')} of the test documents; codes are compared by Euclidean distance."
        )
    if "unigram_perplexity" in metrics:
        parts.append(
            "The unigram model, which expects of every document the words of all, has a perplexity of "
            f"{_told(metrics, 'unigram_perplexity')}."
        )
    if "cache_perplexity" in metrics:
        parts.append(
            "Mixed with the words of the document's given half, it reaches "
            f"{_told(metrics, 'cache_perplexity')}: where it is below that, a code foretells more than repetition does."
        )
    if parts:
        parts.append("Perplexity is better where it is lower; LSA has no probabilities, so none.")
    return " ".join(parts)


def _told(metrics: dict, name: str) -> str:
    ends = interval(metrics, name)
    return number(metrics[name]) + (f" ({ends})" if ends else "")


# --- LSA under each weighting -------------------------------------------------------------------------------------


def _weightings(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    st.subheader("LSA at its best", anchor=False)
    st.markdown(
        "LSA is only as good as the weights it is given: raw counts, their logarithm, or tf-idf, which also weighs "
        "down words that are in many documents. Elsewhere LSA has tf-idf, unless another run is chosen above."
    )
    weighting = next(p for p in methods.get("lsa").params if p.name == "weighting")
    wanted = {name: _spec(view, name) for name in weighting.bounds}
    lines = [line for name, spec in wanted.items() if (line := _line(stored, name, spec, problems))]
    if lines:
        st.html(measures.table(lines, _OF_WEIGHTINGS))
    if missing := offers.missing(list(wanted.values()), stored):
        offers.button("Fit the missing ones", missing, "weightings", "Each takes seconds.")
    keys = {spec.key for spec in wanted.values()}
    offers.progress(lambda job: job.key in keys)


def _spec(view: View, weighting: str) -> Spec:
    params = {"n_components": view.size, "weighting": weighting}
    return specs.make(view.entry.name, "lsa", params, 0, dict(view.dataset_params))


def _line(stored: Sequence[Run], weighting: str, spec: Spec, problems: list[str]) -> Line | None:
    if not any(run.key == spec.key for run in stored):
        return None
    try:
        run, stamp = runs.read(spec.key)
    except BrokenRun as problem:
        problems.append(str(problem))
        return None
    # The method's name tells lines apart where the best is marked.
    label = "LSA (tf-idf)" if weighting == store.USUAL_WEIGHTING else runs.label(spec)
    return Line(f"lsa-{weighting}", label, run=run, stamp=stamp)
