"""The section Measures of Documents: all methods, and LSA by word weighting."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import methods
from core.errors import BrokenRun
from core.runs import selection, specs
from core.types import Run, Spec
from pages.ui.shared import stored_runs, tables, training_offers
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Line

_MEASURES = (
    *("knn_accuracy", "tfidf_knn_accuracy", "retrieval_precision_15", "tfidf_cosine"),
    *("completion_perplexity", "unigram_perplexity", "cache_perplexity"),
    *("trustworthiness", "silhouette", "seconds", "weights"),
)
# Without the cosine to tf-idf, which favours LSA of tf-idf.
_OF_WEIGHTINGS = ("knn_accuracy", "retrieval_precision_15", "seconds")


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        if not view.trained:
            section.explain_none_trained()
            return
        section.explain(
            "Each cell: estimate, 95% interval, sample size n; open a measure to read how it is computed. kNN "
            "accuracy of tf-idf, unigram and cache perplexity are baselines without a latent code.",
            help="Best: the paired 95% interval of the difference from the runner-up excludes 0. Lower perplexity is "
            "better; LSA has no word probabilities, so no perplexity.",
        )
        tables.draw_measures(view.trained, _MEASURES, "measures")
        _draw_weightings(view, stored, problems)


def _draw_weightings(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    st.subheader("LSA by word weighting", anchor=False)
    st.markdown(
        "LSA depends on how words are weighted: by raw counts, their logarithm, or tf-idf, which gives less weight to "
        "words that are in many documents. Elsewhere LSA uses tf-idf, unless another run is chosen."
    )
    weighting = next(param for param in methods.get("lsa").params if param.name == "weighting")
    wanted = {name: _make_spec(view, name) for name in weighting.bounds}
    lines = list(filter(None, (_make_line(stored, name, spec, problems) for name, spec in wanted.items())))
    if lines:
        tables.draw_measures(lines, _OF_WEIGHTINGS, "weightings")
    if missing := training_offers.find_missing(list(wanted.values()), stored):
        training_offers.draw_button("Fit the missing ones", missing, "weightings", "Each takes seconds.")
    keys = {spec.key for spec in wanted.values()}
    training_offers.show_progress(lambda task: task.key in keys)


def _make_spec(view: View, weighting: str) -> Spec:
    params = {"n_components": view.size, "weighting": weighting}
    return specs.make(view.entry.name, "lsa", params, 0, dict(view.dataset_params))


def _make_line(stored: Sequence[Run], weighting: str, spec: Spec, problems: list[str]) -> Line | None:
    if not stored_runs.is_complete(stored, spec):
        return None
    try:
        run, stamp = stored_runs.read_run(spec.key)
    except BrokenRun as problem:
        problems.append(str(problem))
        return None
    label = "LSA (tf-idf)" if weighting == selection.USUAL_WEIGHTING else stored_runs.label_run(spec)
    return Line(spec.method, label, run=run, stamp=stamp)
