"""The section Error by class: mean error of every class, the methods' order in each, and the errors' distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import combinations

import numpy as np
import streamlit as st

from core import cache, datasets, methods
from core.analysis import error_comparison
from core.analysis.error_comparison import ByClass, Ranking
from core.analysis.table_cells import Cells
from core.datasets import Entry, checksums
from core.metrics.reconstruction_error import ErrorMeasure, choose_measure
from core.types import TABLES, Measurement, Run
from pages.ui.reconstructions import feature_errors
from pages.ui.shared import cached, charts, header, page_state, reconstructors, tables
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, Section, begin_section
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import html, join_words, plain

_ALL = "all"
_PERCENTAGES = (5, 25, 50, 75, 95)
_PAIR_HEAD = ("Methods", "All classes", "Reversed in class", "Not significantly different in class")


@dataclass(frozen=True)
class _RowErrors:
    """Errors (n,) of the same test rows and method by label, and the rows' classes."""

    by_method: Mapping[str, np.ndarray]
    methods: Mapping[str, str]
    y: np.ndarray | None  # (n,) class; None where there are no labels
    class_names: tuple[str, ...]
    about: str  # which rows these are, in words
    measure: ErrorMeasure


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        measure = choose_measure(view.entry.form)
        lines = [line for line in view.trained if measure.find_rows(line.run) is not None]
        section.require(lines, RECONSTRUCTS)
        section.refused = {line.label: line.problem for line in view.lines if line.problem}
        errors = _read_errors(view.entry, _select_comparable(lines, problems), problems)
        if errors.y is None:
            means = join_words([f"{name} {number(values.mean())}" for name, values in errors.by_method.items()])
            mean = f"Mean {errors.measure.label.lower()}"
            section.explain(f"{view.entry.label} has no class labels. {mean} over {errors.about}: {means}.")
        else:
            key = cache.make_key(*errors.by_method, *errors.by_method.values(), errors.y)
            comparison = _compare(f"classes-{key}", errors)
            section.explain(f"{_hardest_class(errors, comparison)} {_order(errors, comparison.ranking)}")
            _draw_classes(errors, comparison, problems)
        _draw_distribution(errors, problems)
        if view.entry.kind == TABLES:
            _draw_features(section, problems)
        if reconstructors.find_gan(view):
            st.caption(f"A GAN has no encoder, so it cannot reconstruct a given {section.row}.")


def _draw_features(section: Section, problems: list[str]) -> None:
    """Draw the errors of each feature of a table, of the test rows loaded here."""
    rows = section.find_rows(problems)
    cells = Cells(cached.load_dataset(rows.dataset, section.view.dataset_params), rows.numbers)
    methods = section.find_reconstructors(rows)
    st.header("Error by feature", anchor=False)
    by_label = {method.label: cells.compare(method.reconstruct_rows(rows, range(len(rows)))) for method in methods}
    names = [feature.name for feature in rows.features]
    feature_errors.draw(by_label, names, {method.label: method.line.method for method in methods}, "error by feature")


def _select_comparable(lines: Sequence[Line], problems: list[str]) -> list[Line]:
    """Keep the runs of one copy of the data: the one on this machine where possible."""
    checksum = checksums.choose_checksum(line.run for line in lines)
    same = [line for line in lines if checksums.is_of(line.run.environment, checksum)]
    if others := [line.label for line in lines if line not in same]:
        copy = f"another copy, or other settings, of the data than {same[0].label}"
        problems.append(f"Left out: {join_words(others)}, measured on {copy}. Train again to compare.")
    return same


def _read_errors(entry: Entry, lines: Sequence[Line], problems: list[str]) -> _RowErrors:
    """Read the errors and classes of all test rows; without the data set, of the rows whose class the runs store."""
    by_label = {line.label: line.method for line in lines}
    measure = choose_measure(entry.form)
    errors = {line.label: measure.find_rows(line.run) for line in lines}
    run, n = lines[0].run, len(errors[lines[0].label])
    about, names = f"all {n:,} test rows", tuple(run.notes["target_names"]) if entry.has_labels else ()
    y = _read_labels(run, n, problems) if entry.has_labels else None
    if entry.has_labels and y is None:
        rows, y = run.views["shown_rows"], run.views["labels"].astype(int)
        about = f"the {len(rows):,} of {n:,} test rows whose class is stored with the runs (the data set is not here)"
        errors = {label: values[rows] for label, values in errors.items()}
    return _RowErrors(errors, by_label, y, names, about, measure)


def _read_labels(run: Run, n: int, problems: list[str]) -> np.ndarray | None:
    """Read the classes of the `n` test rows of a run; None if its copy of the data is not on this machine."""
    with page_state.append_error(problems):
        if datasets.is_available(run.spec.dataset):
            dataset = cached.load_dataset(run.spec.dataset, run.spec.dataset_params)
            if checksums.is_of(run.environment, dataset.checksum) and len(dataset.y_test) == n:
                return dataset.y_test
    return None


@st.cache_resource(max_entries=32, show_spinner="Resampling the errors …")
def _compare(name: str, _errors: _RowErrors) -> ByClass:
    resamples = cache.get_or_compute(name, lambda: error_comparison.resample_means(_errors.by_method, _errors.y))
    return error_comparison.compare_by_class(list(_errors.by_method), resamples)


def _draw_classes(errors: _RowErrors, comparison: ByClass, problems: list[str]) -> None:
    from core.figures import errors as figures  # plotly: most visits open no figure

    means = comparison.means
    first = next(iter(means))
    labels = list(means[first])
    if page_state.choose("order", "Sort", {"class": "By class", "hard": f"By error of {first}"}, problems) == "hard":
        labels = sorted(labels, key=lambda label: -means[first][label].value)
    bars = {name: [astuple(by_class[label])[:3] for label in labels] for name, by_class in means.items()}
    class_names = [errors.class_names[label] for label in labels]
    counts = [means[first][label].n for label in labels]
    look = header.get_theme(), errors.methods, errors.measure.axis
    charts.draw(figures.plot_by_class(bars, class_names, counts, *look), "error by class")
    n = f"{min(counts):,} to {max(counts):,}" if min(counts) < max(counts) else f"{counts[0]:,}"
    about = f"{_describe(errors.measure)}, over {errors.about}; {n} per class."
    network, linear, shares = _share_of_least(errors, comparison)
    gain = _compare_extremes(errors, network, linear, shares) if shares else ""
    st.caption(plain(f"{about} {gain}"))
    drawer = st.expander("Tables and how they are computed", key=page_state.key("class-table"), on_change="rerun")
    if drawer.open:
        rows = []
        for name, n, label in zip(class_names, counts, labels, strict=True):
            title = tables.Cell(f'{html(name)} <span class="hg-note">n = {n:,}</span>', name)
            rows.append([title, *(_mean_cell(by_class[label]) for by_class in means.values())])
        with drawer:
            tables.draw(["Class", *means], rows, "error-by-class")
            if len(comparison.ranking.order) > 1:
                tables.draw(_PAIR_HEAD, _pair_rows(errors, comparison.ranking), "order-by-class")
            st.caption(plain(_how_computed(errors, comparison, linear, shares)))


def _describe(measure: ErrorMeasure) -> str:
    return f"Mean per {measure.row}, with 95% bootstrap interval, of the {measure.about}"


def _hardest_class(errors: _RowErrors, comparison: ByClass) -> str:
    methods_by_label: dict[int, list[str]] = {}
    for name, by_class in comparison.means.items():
        hardest = max(by_class, key=lambda label, by_class=by_class: by_class[label].value)
        methods_by_label.setdefault(hardest, []).append(f"{name} {number(by_class[hardest].value)}")
    parts = [f"{errors.class_names[label]} ({join_words(values)})" for label, values in methods_by_label.items()]
    return f"Class with the highest mean error: {join_words(parts)}."


def _order(errors: _RowErrors, ranking: Ranking) -> str:
    """Name the methods from the lowest error to the highest, and say whether each class has the same order."""
    if len(ranking.order) < 2:
        return ""
    groups: list[list[str]] = []
    for name in ranking.order:
        if groups and all((other, name) in ranking.tied for other in groups[-1]):
            groups[-1].append(name)
        else:
            groups.append([name])
    order = ", ".join(" and ".join(group) + (" (tied)" if len(group) > 1 else "") for group in groups)
    n_classes = len({label for *_, label in (*ranking.reversed, *ranking.undecided)})
    by_class = (
        f"it differs in {n_classes} class{'' if n_classes == 1 else 'es'}, see the table"
        if n_classes
        else "the same in every class"
    )
    return f"Order by mean error, lowest first ({by_class}): {order}."


def _share_of_least(errors: _RowErrors, comparison: ByClass) -> tuple[str, str, dict[int, Measurement]]:
    """The best network, the method of least linear error, and the share of its error per class; none for one class."""
    entries = {name: methods.entry(errors.methods[name]) for name in comparison.ranking.order}
    networks = [name for name, entry in entries.items() if not entry.is_linear]
    linear = next((name for name, entry in entries.items() if entry.has_spectrum), "")
    shares = comparison.ratios[networks[0], linear] if networks and linear else {}
    return (networks[0], linear, shares) if len(shares) > 1 else ("", "", {})


def _compare_extremes(errors: _RowErrors, network: str, linear: str, shares: Mapping[int, Measurement]) -> str:
    """Say whether a network's gain on the least linear error is the same in every class."""
    by_share = sorted(shares, key=lambda label: shares[label].value)
    smallest, largest = shares[by_share[0]], shares[by_share[-1]]
    ends = " to ".join(
        f"{share.value:.0%} ({100 * share.low:.0f} to {100 * share.high:.0f}) in class {errors.class_names[label]}"
        for label, share in ((by_share[0], smallest), (by_share[-1], largest))
    )
    verdict = "" if smallest.high < largest.low else "not "
    whose = f"Error of {reconstructors.to_phrase(network)} as a share of {linear}'s"
    return f"{whose}: from {ends}, {verdict}significantly different."


def _how_computed(errors: _RowErrors, comparison: ByClass, linear: str, shares: Mapping[int, Measurement]) -> str:
    parts = []
    if n_intervals := comparison.ranking.n_intervals:
        parts.append(
            f"Tied or not significantly different: means within {error_comparison.TIE:.0%} of each other, or a "
            f"paired 95% interval of the difference that contains 0 ({n_intervals} intervals, one per class and pair, "
            "not corrected for their number)."
        )
    if shares:
        parts.append(
            f"Share of {linear}'s error: ratio of the two means of a class. Its interval uses the same resamples for "
            f"both and is Bonferroni-corrected for {len(shares)} classes, so that extreme classes can be compared."
        )
        if n_left_out := len(next(iter(comparison.means.values()))) - len(shares):
            least = f"fewer than {error_comparison.LEAST_ROWS} {errors.measure.row}s"
            parts.append(f"{n_left_out} classes with {least} are left out.")
    return " ".join(parts)


def _mean_cell(mean: Measurement) -> tables.Cell:
    if np.isfinite(mean.low):
        return tables.estimate(*astuple(mean))
    return tables.Cell(f'{number(mean.value)}<div class="hg-note">one row, no interval</div>', mean.value, n=mean.n)


def _pair_rows(errors: _RowErrors, ranking: Ranking) -> list[list[tables.Cell]]:
    """One row per pair of methods: their order over all classes, and the classes with another order."""
    rows = []
    for pair in combinations(ranking.order, 2):
        overall = "not significantly different" if pair in ranking.tied else f"{pair[0]} lower"
        row = [tables.text(" and ".join(pair)), tables.text(overall)]
        for triples in (ranking.reversed, ranking.undecided):
            names = [errors.class_names[label] for *of, label in triples if tuple(of) == pair]
            row.append(tables.text(", ".join(names)) if names else tables.EMPTY)
        rows.append(row)
    return rows


def _draw_distribution(errors: _RowErrors, problems: list[str]) -> None:
    from core.figures import errors as figures

    st.header("Distribution of errors", anchor=False)
    explanation = st.empty()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = _choose_class(errors, problems) if errors.y is not None else None
        axis = page_state.choose("axis", "Error axis", {"log": "Logarithmic", "linear": "Linear"}, problems)
    rows = slice(None) if label is None else errors.y == label
    by_method = {name: values[rows] for name, values in errors.by_method.items()}
    medians = []
    for name, values in by_method.items():
        low, median, high = map(number, np.quantile(values, (0.05, 0.5, 0.95)))
        medians.append(f"{name} {median} ({low} to {high})")
    row = errors.measure.row
    text = f"Share of the {row}s that a method reconstructs with at most this error: further left is better."
    draw_text(f"{text} Median (5% to 95% quantile): {join_words(medians)}.", explanation)
    quantiles = {name: error_comparison.compute_quantiles(values) for name, values in by_method.items()}
    about = {"is_log": axis == "log", "error": errors.measure.axis, "row": row}
    figure = figures.plot_distribution(quantiles, header.get_theme(), errors.methods, **about)
    charts.draw(figure, "distribution")
    in_class = "" if label is None else f", class {errors.class_names[label]}"
    n = len(next(iter(by_method.values())))
    st.caption(plain(f"Empirical distribution of the errors of {n:,} {row}s: {errors.about}{in_class}."))
    drawer = st.expander("Table of quantiles", key=page_state.key("quantile-table"), on_change="rerun")
    if drawer.open:
        head = [f"Error of this share of {row}s", *(f"{percentage}%" for percentage in _PERCENTAGES)]
        table = []
        for name, values in by_method.items():
            table.append([tables.text(name), *map(tables.estimate, np.percentile(values, _PERCENTAGES).tolist())])
        with drawer:
            tables.draw(head, table, "quantiles")


def _choose_class(errors: _RowErrors, problems: list[str]) -> int | None:
    names = {_ALL: "All classes"} | {str(k): errors.class_names[k] for k in np.unique(errors.y[errors.y >= 0])}
    look = {"format_func": names.get, "width": 200}
    chosen = page_state.choose_with(st.selectbox, "of-class", "Class", list(names), _ALL, problems, **look)
    return None if chosen == _ALL else int(chosen)
