"""The sections Features and Correlations of a table: how samples differ from test rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis import table_rows
from core.datasets.own.cell_texts import format_cell
from core.datasets.own.columns import CATEGORY
from core.figures import feature_histograms
from core.figures.feature_histograms import Histogram
from core.figures.palette import MethodStyle
from core.metrics.table_samples import compare_correlations
from core.types import Dataset, Run
from pages.ui.generation.run_samplers import Draw, RunSampler, select_lines
from pages.ui.generation.table_samples import find_usable, load_table, to_cells
from pages.ui.shared import charts, export, header, images, page_state, tables
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import Section, begin_section
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import Markup, html, plain, shorten

_MOST_ROWS = 2000
_MOST_SHOWN, _FIRST = 100, 12
_MOST_CORRELATED = 40
_BETWEEN = "~"


@dataclass(frozen=True)
class _Rows:
    """Cells of rows, and the same as numbers, see `core.analysis.table_rows`."""

    cells: pd.DataFrame
    numbers: pd.DataFrame
    owners: np.ndarray

    @classmethod
    def make(cls, cells: pd.DataFrame, dataset: Dataset) -> "_Rows":
        return cls(cells, *table_rows.to_numbers(dataset.table, cells))


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_real(checksum: str, split: str, _dataset: Dataset) -> _Rows:
    X, known = getattr(_dataset, f"X_{split}"), getattr(_dataset, f"known_{split}")
    at = np.arange(len(X))
    if len(X) > _MOST_ROWS:
        at = np.sort(np.random.default_rng(0).choice(len(X), _MOST_ROWS, replace=False))
    cells = table_rows.to_cells(_dataset.table, X[at], None if known is None else known[at])
    return _Rows.make(cells, _dataset)


@st.cache_resource(max_entries=24, show_spinner=False)
def _generate(stamp: Stamp, kind: str, how: Draw, checksum: str, _sampler: RunSampler, _dataset: Dataset) -> _Rows:
    count = min(_MOST_ROWS, len(_dataset.X_train))
    return _Rows.make(to_cells(_sampler, how, count, _dataset), _dataset)


@dataclass(frozen=True)
class _Compared:
    """What both sections compare: test rows, train rows as a reference, and samples by label."""

    dataset: Dataset
    test: _Rows
    train: _Rows
    samples: dict[str, _Rows]
    methods: dict[str, str]

    @property
    def all(self) -> dict[str, _Rows]:
        return self.samples | {"Training rows": self.train}

    @property
    def counts(self) -> str:
        n_samples, *n_real = (len(rows.cells) for rows in (next(iter(self.samples.values())), self.test, self.train))
        return f"n = {n_real[0]:,} test rows, {n_samples:,} samples a method and {n_real[1]:,} training rows"


def _compare(section: Section, problems: list[str]) -> _Compared:
    dataset = load_table(section, problems)
    usable, how = find_usable(section, problems)
    real = [_read_real(dataset.checksum, split, dataset) for split in ("test", "train")]
    samples, methods = {}, {}
    for sampler in _choose_samplers(usable, problems):
        samples[sampler.label] = _generate(sampler.line.stamp, sampler.kind, how, dataset.checksum, sampler, dataset)
        methods[sampler.label] = sampler.line.method
    if not samples:
        section.end("Choose at least one method.")
    return _Compared(dataset, *real, samples, methods)


def _choose_samplers(usable: Sequence[RunSampler], problems: list[str]) -> list[RunSampler]:
    by_key = {sampler.key: sampler for sampler in usable}
    default = [sampler.key for sampler in usable if sampler.kind == sampler.line.entry.samplers[0]]
    widget = page_state.key("shown")
    chosen = st.session_state.get(widget, page_state.recall("shown"))
    if (text := page_state.read_link("shown")) is not None:
        chosen = text.split(_BETWEEN)
        if unknown := [key for key in chosen if key not in by_key]:
            problems.append(f"The link asks for samples of “{shorten(unknown[0])}”, which are not here.")
    known = [key for key in chosen or default if key in by_key]
    st.session_state[widget] = known or default
    label = "Samples of"
    chosen = st.multiselect(label, list(by_key), format_func=lambda key: by_key[key].label, key=widget)
    page_state.keep("shown", chosen, text=None if chosen == default else _BETWEEN.join(chosen))
    return [by_key[key] for key in chosen]


def draw_features(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(select_lines(view)) as section:
        compared = _compare(section, problems)
        section.explain(
            "Values of each feature among the test rows (grey) and among samples of each method. The features that "
            "differ most come first.",
            "Difference of numbers: the Kolmogorov-Smirnov statistic, the largest difference of the shares of rows up "
            "to a value. Of categories: the total variation distance, half the sum of the differences of their shares. "
            "Both are 0 for equal shares and 1 for values that never agree.",
        )
        table = compared.dataset.table
        features = table_rows.list_features(table)
        distances = {
            label: table_rows.measure_marginals(table, compared.test.cells, rows.cells)
            for label, rows in compared.all.items()
        }
        of_samples = np.array([distances[label] for label in compared.samples])
        order = np.argsort(-np.nan_to_num(of_samples).max(axis=0), kind="stable")
        means = "; ".join(f"{label}: {number(float(np.nanmean(values)))}" for label, values in distances.items())
        st.markdown(plain(f"Mean difference from the test rows over {len(features)} features. {means}."))
        from core.figures.generated_samples import get_styles  # plotly

        styles = get_styles(compared.methods, header.get_theme())
        _draw_legend(styles)
        shown = order[:_FIRST]
        if len(order) > _FIRST and st.toggle(f"All {min(len(order), _MOST_SHOWN)} features", key=page_state.key("all")):
            shown = order[:_MOST_SHOWN]
        histograms = [(features[k], _count(compared, features[k])) for k in shown]
        cards = [
            _make_card(feature, histogram, {label: distances[label][k] for label in compared.samples}, styles)
            for k, (feature, histogram) in zip(shown, histograms, strict=True)
        ]
        data = [row for feature, histogram in histograms for row in histogram.to_rows(feature.name)]
        text = export.to_csv(list(data[0]), ([row[name] for name in data[0]] for row in data))
        buttons = export.make_buttons("histograms", ("csv",), text)
        st.html(Markup(f'<div class="hg-features">{"".join(cards)}</div>{buttons}'))
        with st.expander("Differences as a table"):
            head = ["Feature", *distances]
            rows = [
                [tables.text(features[k].name), *(_make_cell(float(values[k])) for values in distances.values())]
                for k in order
            ]
            tables.draw(head, rows, "feature-differences", kind="hg-sampled")
        st.caption(plain(f"{compared.counts}. Training rows show what a perfect sampler would reach."))


def _make_cell(distance: float) -> Cell:
    return tables.EMPTY if np.isnan(distance) else tables.estimate(distance)


def _count(compared: _Compared, feature) -> Histogram:
    count, part = feature_histograms.count_numbers, "numbers"
    if feature.type == CATEGORY:
        count, part = feature_histograms.count_categories, "cells"
    read = lambda rows: getattr(rows, part)[feature.name]
    return count(read(compared.test), {label: read(rows) for label, rows in compared.samples.items()})


def _draw_legend(styles: dict[str, MethodStyle]) -> None:
    items = ['<span><i class="hg-real"></i>test rows</span>']
    items += [
        f'<span><i style="border-color:{style.colour}"></i>{html(label)}</span>' for label, style in styles.items()
    ]
    st.html(Markup(f'<div class="hg-feature-legend">{"".join(items)}</div>'))


def _make_card(feature, histogram: Histogram, distances: dict[str, float], styles: dict[str, MethodStyle]) -> str:
    ends = ("", "")
    if histogram.edges is not None:
        values = histogram.edges[[0, -1]]
        if feature.type != "number":
            values = pd.Timestamp(0) + pd.to_timedelta(values, "D").round("D")
        ends = tuple(format_cell(value) for value in values)
    svg = feature_histograms.render_histogram(histogram, ends, styles, header.get_theme())
    picture = images.vector(svg, f"Shares of the values of {feature.name}")
    measured = " · ".join(
        f'<span style="border-bottom: 2px solid {styles[label].colour}">{_make_cell(value).shown}</span>'
        for label, value in distances.items()
    )
    name = html(shorten(feature.name, 60))
    return f'<figure><figcaption><b>{name}</b><span class="hg-note">{measured}</span></figcaption>{picture}</figure>'


def draw_correlations(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(select_lines(view)) as section:
        compared = _compare(section, problems)
        section.explain(
            "Correlations among the test rows minus those among samples of each method. A pair that goes together in "
            "the data but not in the samples is coloured.",
            "Pearson correlation, of categories that of columns of 0 and 1. A column that does not vary among the "
            "samples counts as uncorrelated.",
        )
        names = list(compared.test.numbers)
        if len(names) < 2 or len({*compared.test.owners}) < 2:
            section.end("Correlations need at least two features.")
        differences = {
            label: compare_correlations(compared.test.numbers, rows.numbers, compared.test.owners)
            for label, rows in compared.all.items()
        }
        pairs = np.triu(np.ones((len(names), len(names)), bool), 1)
        if not np.isfinite(differences["Training rows"][pairs]).any():
            section.end("No two features vary together among the test rows, so they have no correlations.")
        means = {label: float(np.nanmean(np.abs(difference[pairs]))) for label, difference in differences.items()}
        n_pairs = int(np.isfinite(differences["Training rows"][pairs]).sum())
        head, cells = (
            ["Samples", "Mean absolute difference"],
            [[tables.text(k), tables.estimate(v)] for k, v in means.items()],
        )
        tables.draw(head, cells, "correlation-differences", kind="hg-sampled")
        st.caption(
            plain(f"Over {n_pairs:,} pairs; {compared.counts}. Training rows: what a perfect sampler would reach.")
        )
        _draw_heatmaps(compared, differences, names)


def _draw_heatmaps(compared: _Compared, differences: dict[str, np.ndarray], names: list[str]) -> None:
    sizes = np.abs(np.stack([differences[label] for label in compared.samples]))
    shown = np.arange(len(names))
    if len(names) > _MOST_CORRELATED:
        strength = np.nan_to_num(sizes).sum(axis=(0, 1))
        shown = np.sort(np.argsort(-strength, kind="stable")[:_MOST_CORRELATED])
        st.caption(f"The {_MOST_CORRELATED} of {len(names)} columns whose correlations differ most.")
    most = float(np.nanmax(sizes)) or 1.0
    for (label, difference), place in zip(differences.items(), make_places(len(differences)), strict=True):
        with place:
            st.html(Markup(f'<div class="hg-caption"><b>{html(label)}</b></div>'))
            part = [names[at] for at in shown]
            figure = feature_histograms.plot_correlations(
                difference[np.ix_(shown, shown)], part, most, header.get_theme()
            )
            charts.draw(figure, f"correlations-{label}")


def make_places(n: int) -> list[DeltaGenerator]:
    """Places for `n` charts, two in a line, in this order on a narrow screen too."""
    return [place for _ in range(0, n, 2) for place in st.columns(2)][:n]
