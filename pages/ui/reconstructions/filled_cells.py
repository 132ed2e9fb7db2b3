"""The section Hidden cells: known cells are hidden and filled by each method, against the median."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

from core import cache
from core.analysis import hidden_cells
from core.analysis.rows import Rows
from core.analysis.table_cells import Cells
from core.metrics import bootstrap
from core.metrics.tables import CellErrors
from core.tasks import imputation
from pages.ui.reconstructions import feature_errors
from pages.ui.shared import cached, header, tables
from pages.ui.shared.number_format import number
from pages.ui.shared.reconstructors import Reconstructor, find_gan, to_phrase
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, begin_section
from pages.ui.shared.task_progress import Task, follow_tasks
from pages.ui.shared.text import join_words, plain

_ROWS = 500
_IMPUTER = "IterativeImputer"
# (has numbers, has categories) -> what fills a cell without a model
_BASELINES = {
    (True, False): "Median",
    (False, True): "Most frequent category",
    (True, True): "Median or most frequent category",
}
_HEADS = {
    True: ("Numbers: error", "Difference from the median"),
    False: ("Categories: share wrong", "Difference from the most frequent"),
}


def draw(view: View, stored: object, problems: list[str]) -> None:
    with begin_section(view) as section:
        rows = section.find_rows(problems, n=_ROWS)
        methods = section.find_reconstructors(rows)
        section.require(methods, RECONSTRUCTS)
        cells = Cells(cached.load_dataset(view.entry.name, view.dataset_params), rows.numbers)
        hidden = hidden_cells.hide(cells)
        errors = _measure(cells, rows, hidden, methods)
        differences = _compare(errors)
        _draw_table(errors, differences)
        section.explain(_explain(next(iter(errors)), differences, [method.label for method in methods]))
        once = "each is hidden once" if hidden.n_rounds * hidden_cells.SHARE > 0.99 else f"{hidden.n_rounds} times"
        about = (
            f"Error of {int(hidden.cells.sum()):,} hidden cells of {rows.summary}: numbers by squared error as a share "
            "of the feature's variance; mean over features, with 95% interval over rows. "
            f"{hidden_cells.SHARE:.0%} of the known cells are hidden at a time, {once}. {_IMPUTER}: scikit-learn's "
            "regressions of each column on all others, fitted to the training rows."
        )
        st.caption(plain(about))
        by_method = {method.label: method.line.method for method in methods}
        st.header("Error by feature", anchor=False)
        names = [feature.name for feature in rows.features]
        feature_errors.draw(
            errors, names, by_method | {next(iter(errors)): "", _IMPUTER: _IMPUTER}, "hidden cells by feature"
        )
        if gan := find_gan(view):
            st.caption(f"The {gan.label} is not included: without an encoder, it cannot reconstruct a given row.")


def _measure(
    cells: Cells, rows: Rows, hidden: hidden_cells.Hidden, methods: list[Reconstructor]
) -> dict[str, CellErrors]:
    """Return the errors of the hidden cells by label, those without a model first; each is computed only once."""
    bar = st.empty()
    median = hidden_cells.compute_errors(cells, hidden, hidden_cells.fill_by_median(cells, hidden))
    errors = {_BASELINES[median.by_row(True) is not None, median.by_row(False) is not None]: median}
    imputed = imputation.WORK.find_result(imputation.errors_key(cells))
    if imputed is None and sum(cells.dataset.blocks) <= imputation.QUICK_COLUMNS:
        name = f"{imputation.WORK.result}-{imputation.errors_key(cells)}"
        imputed = cache.get_or_compute(name, partial(imputation.compute_errors, cells))
    if imputed is not None:
        errors[_IMPUTER] = CellErrors(imputed["errors"], median.is_number)
    else:
        _offer_imputer(cells)
    for k, method in enumerate(methods):

        def show(step: int, k: int = k, label: str = method.label) -> None:
            bar.progress((k + step / hidden_cells.STEPS) / len(methods), f"Filling cells with {label} …")

        def compute(method: Reconstructor = method, show=show) -> dict[str, np.ndarray]:
            filled = hidden_cells.fill(method.reconstruct, cells, hidden, show)
            return {"errors": hidden_cells.compute_errors(cells, hidden, filled).errors}

        arrays = cache.get_or_compute(f"filled-{cache.make_key(method.line.stamp, rows.key)}", compute)
        errors[method.label] = CellErrors(arrays["errors"], median.is_number)
    bar.empty()
    return errors


def _offer_imputer(cells: Cells) -> None:
    task = Task(
        name="imputer",
        title=_IMPUTER,
        label=f"Compare with {_IMPUTER}",
        work=imputation.WORK,
        key=imputation.errors_key(cells),
        start=partial(imputation.start, cells),
        about="Regressions of each column on the others, by scikit-learn: seconds to a minute.",
    )
    with header.show_errors():
        follow_tasks([task])


# (label, whether of numbers) -> mean, difference from the baseline, ends of its interval, n
_Differences = Mapping[tuple[str, bool], tuple[float, float, float, float, int]]


def _compare(errors: Mapping[str, CellErrors]) -> _Differences:
    compared = {}
    for of_numbers in (True, False):
        median = next(iter(errors.values())).by_row(of_numbers)
        for label, cells in errors.items() if median is not None else ():
            scores = cells.by_row(of_numbers)
            difference = scores - median
            ends = bootstrap.mean_interval(difference)
            compared[label, of_numbers] = float(scores.mean()), float(difference.mean()), *ends, len(scores)
    return compared


def _draw_table(errors: Mapping[str, CellErrors], differences: _Differences) -> None:
    rows, baseline = [], next(iter(errors))
    parts = [of_numbers for of_numbers in (True, False) if (baseline, of_numbers) in differences]
    for label, cells in errors.items():
        row = [tables.text(label)]
        for of_numbers in parts:
            mean, difference, low, high, n = differences[label, of_numbers]
            row.append(tables.estimate(mean, *bootstrap.mean_interval(cells.by_row(of_numbers)), n))
            row.append(tables.EMPTY if label == baseline else _make_difference(difference, low, high, n))
        rows.append(row)
    tables.draw(
        ["Filled by", *(title for part in parts for title in _HEADS[part])], rows, "hidden cells", kind="hg-depths"
    )


def _make_difference(value: float, low: float, high: float, n: int) -> tables.Cell:
    shown, *ends = (f"{'−' if x < 0 else '+'}{number(abs(x))}" for x in (value, low, high))
    verdict = "lower" if high < 0 else "higher" if low > 0 else "not significantly different"
    return tables.Cell(f'{shown}<div class="hg-note">{" to ".join(ends)}, {verdict}</div>', value, low, high, n)


def _explain(baseline: str, differences: _Differences, labels: list[str]) -> str:
    text = (
        f"Each method fills {hidden_cells.SHARE:.0%} hidden cells of test rows: they start at the training rows' "
        f"{baseline.lower()} and are replaced by their reconstruction {hidden_cells.STEPS} times."
    )
    findings = []
    for of_numbers, what, baseline in ((True, "numbers", "median"), (False, "categories", "most frequent category")):
        found = {label: differences[label, of_numbers] for label in labels if (label, of_numbers) in differences}
        better = [to_phrase(label) for label, (_, _, _, high, _) in found.items() if high < 0]
        if found:
            verb = "is" if len(better) == 1 else "are"
            who = (
                f"{join_words(better)} {verb} significantly better"
                if better
                else "none of the trained methods is significantly better"
            )
            findings.append(f"for {what}, {who} than the {baseline}")
    return f"{text} {_begin('; '.join(findings))}."


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
