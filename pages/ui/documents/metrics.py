"""The section Measures of Documents: all methods, and LSA by word weighting."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import methods
from core.runs import selection, specs
from core.types import Run
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
        section.require(view.trained)
        section.explain(
            "Each cell: estimate, 95% interval, sample size n; open a measure to read how it is computed. kNN "
            "accuracy of tf-idf, unigram and cache perplexity are baselines without a latent code.",
            help="Best: the paired 95% interval of the difference from the runner-up excludes 0. Lower perplexity is "
            "better; LSA has no word probabilities, so no perplexity.",
        )
        tables.draw_measures(view.trained, _MEASURES, "measures")
        _draw_weightings(view, stored, problems)


def _draw_weightings(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    st.header("LSA by word weighting", anchor=False)
    st.markdown(
        "LSA depends on how words are weighted: by raw counts, their logarithm, or tf-idf, which gives less weight to "
        "words that are in many documents. Elsewhere LSA uses tf-idf, unless another run is chosen."
    )
    weighting = next(param for param in methods.get("lsa").params if param.name == "weighting")
    params = [{"n_components": view.size, "weighting": name} for name in weighting.bounds]
    wanted = [specs.make(view.entry.name, "lsa", chosen, 0, dict(view.dataset_params)) for chosen in params]
    complete = [spec for spec in wanted if stored_runs.is_complete(stored, spec)]
    lines = [stored_runs.make_line("lsa", [run for run in stored if run.spec == spec], spec) for spec in complete]
    problems += [line.problem for line in lines if line.problem]
    if lines := [replace(line, label=_name_weighting(line)) for line in lines if line.run]:
        tables.draw_measures(lines, _OF_WEIGHTINGS, "weightings")
    if missing := training_offers.find_missing(wanted, stored):
        training_offers.draw_button("Fit the missing ones", missing, "weightings", "Each takes seconds.")
    keys = {spec.key for spec in wanted}
    training_offers.show_progress(lambda task: task.key in keys)


def _name_weighting(line: Line) -> str:
    is_usual = line.run.spec.param("weighting") == selection.USUAL_WEIGHTING
    return "LSA (tf-idf)" if is_usual else line.label
