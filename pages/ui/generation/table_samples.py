"""The section Samples of a table: generated rows in the units of the file, their scores, and the nearest train rows."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.analysis import table_rows
from core.datasets import checksums
from core.datasets.own.columns import NUMBER
from core.errors import BadInput
from core.metrics import memorization
from core.types import Dataset, Run
from pages.ui.generation import sample_scores
from pages.ui.generation.run_samplers import Draw, RunSampler, find_samplers, select_lines
from pages.ui.generation.samples import choose_draw
from pages.ui.shared import export, page_state, tables, task_progress
from pages.ui.shared.cached import load_dataset
from pages.ui.shared.number_format import number
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import Section, begin_section
from pages.ui.shared.text import plain, shorten

_SHOWN, _PAIRS = 100, 10
_MOST_NAMED = 5  # columns with numbers outside the range
_COUNTS = (100, 1000, 10_000)


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    view = select_lines(view)
    with begin_section(view) as section:
        dataset = load_table(section, problems)
        usable, how = find_usable(section, problems)
        section.explain(
            "Each decoder receives random codes and makes rows from them, in the units of the file. Look for values "
            "that do not go together, and for rows that are missing."
        )
        sampler = _choose_sampler(usable, problems)
        _draw_rows(sampler, how, view, dataset)
        task_progress.show_measurements(view.trained)
        st.markdown(plain(sample_scores.describe_findings(usable, view.size)))
        sample_scores.draw(usable, how)
        _draw_nearest(sampler, how, dataset)


def load_table(section: Section, problems: list[str]) -> Dataset:
    """The data set of the view; without it the section ends."""
    section.find_rows(problems, "This section needs the data set, which is not on this machine.")
    return load_dataset(section.view.entry.name, section.view.dataset_params)


def find_usable(section: Section, problems: list[str]) -> tuple[list[RunSampler], Draw]:
    """The samplers of the view, and how codes are drawn; without a sampler the section ends."""
    usable: list[RunSampler] = []
    how = Draw(0, 1.0, 0.0)
    if any(line.run or line.problem for line in section.view.lines):
        how = choose_draw(problems)
        with st.spinner("Decoding random codes …"):
            usable, section.refused = find_samplers(section.view.lines, how)
    section.require(usable, "method that draws samples")
    return usable, how


def check_rows(sampler: RunSampler, dataset: Dataset) -> None:
    """Raise BadInput if the run of a sampler was trained on other rows than those of `dataset`."""
    if not checksums.is_of(sampler.line.run.environment, dataset.checksum):
        raise BadInput(f"{sampler.label} was trained on another copy of the data, with other rows: train it again.")


def _choose_sampler(usable: Sequence[RunSampler], problems: list[str]) -> RunSampler:
    samplers = {sampler.key: sampler for sampler in usable}
    labels = {key: sampler.label for key, sampler in samplers.items()}
    default = next((sampler.key for sampler in usable if sampler.is_prior), usable[0].key)
    look = {"format_func": labels.get, "width": 260}
    return samplers[page_state.choose_with(st.selectbox, "of", "Rows of", list(samplers), default, problems, **look)]


def _draw_rows(sampler: RunSampler, how: Draw, view: View, dataset: Dataset) -> None:
    cells = to_cells(sampler, how, _SHOWN, dataset)
    _draw_cells(cells, "rows", dataset, is_saved=False, height=320)
    with st.container(horizontal=True, vertical_alignment="bottom", key="samples-download"):
        count = st.selectbox("Rows to save", _COUNTS, key=page_state.key("save"), width=130, format_func="{:,}".format)
        parts = [view.entry.label, f"{sampler.size}d", sampler.key, sampler.line.run.key[:6], f"seed{how.seed}"]
        name = re.sub(r"[^a-z0-9]+", "-", f"samples-{'-'.join(parts)}".lower()).strip("-")[:120]
        data = partial(_to_csv, sampler, how, count, dataset)
        st.download_button("Save CSV", data, f"{name}.csv", "text/csv", key=page_state.key("csv"), on_click="ignore")
    about = f"{sampler.about}; seed {how.seed}; the first {_SHOWN} rows of the file that “Save CSV” saves"
    st.caption(plain(f"{sampler.label}: {about}.{_describe_outside(cells, dataset)}"))


def _describe_outside(cells: pd.DataFrame, dataset: Dataset) -> str:
    """How many of the samples have numbers that no training row has, and in which columns."""
    names = [feature.name for feature in table_rows.list_features(dataset.table) if feature.type == NUMBER]
    train, numbers = dataset.table.frame_train[names], cells[names].astype(float)
    outside = (numbers < train.min()) | (numbers > train.max())
    counts = outside.sum().sort_values(ascending=False, kind="stable")
    columns = [f"{shorten(name)} {count:,}" for name, count in counts[counts > 0][:_MOST_NAMED].items()]
    rows = f" {outside.any(axis=1).sum():,} of these {len(cells):,} rows have a number outside the training rows' range"
    return f"{rows}{': ' * bool(columns)}{', '.join(columns)}." if names else ""


def _draw_cells(cells: pd.DataFrame, name: str, dataset: Dataset, **options: Any) -> None:
    days = [feature.name for feature in dataset.table.features if feature.is_daily]
    tables.draw_frame(cells, name, column_config=dict.fromkeys(days, st.column_config.DateColumn()), **options)


def to_cells(sampler: RunSampler, how: Draw, count: int, dataset: Dataset) -> pd.DataFrame:
    """Samples as cells of the file."""
    check_rows(sampler, dataset)
    return table_rows.to_cells(dataset.table, sampler.draw_samples(how, count)[1])


def _to_csv(sampler: RunSampler, how: Draw, count: int, dataset: Dataset) -> bytes:
    return export.frame_to_csv(to_cells(sampler, how, count, dataset)).encode()


def _draw_nearest(sampler: RunSampler, how: Draw, dataset: Dataset) -> None:
    label = f"Nearest training rows of {sampler.label}"
    drawer = st.expander(plain(label), key=page_state.key("nearest"), on_change="rerun")
    if not drawer.open:
        return
    with drawer:
        X = sampler.draw_samples(how, _SHOWN)[1]
        found = memorization.nearest_training_rows(X, dataset.X_train)
        order = np.argsort(found.distances[:, 0], kind="stable")[:_PAIRS]
        rows, known = found.rows[order], dataset.known_train
        parts = [
            table_rows.to_cells(dataset.table, X[order]),
            table_rows.to_cells(dataset.table, dataset.X_train[rows], None if known is None else known[rows]),
        ]
        for part, names in zip(parts, ("sample {}", "train row {}"), strict=True):
            part.insert(0, "row", [names.format(k) for k in (order + 1 if part is parts[0] else rows)])
        distances = [number(distance) for distance in found.distances[order, 0]]
        parts[0].insert(
            1, "distance", [f"{d}*" if c else d for d, c in zip(distances, found.is_copy[order], strict=True)]
        )
        parts[1].insert(1, "distance", "")
        pairs = pd.concat(parts).iloc[np.arange(2 * len(order)).reshape(2, -1).T.ravel()]
        _draw_cells(pairs, "nearest-rows", dataset)
        n_copies = int(found.is_copy.sum())
        st.caption(
            f"The {len(order)} of {len(X)} samples that are nearest to a training row, each above it. Distance: "
            "Euclidean, of prepared rows. Near-duplicate (*): at most a third of the distance to the second nearest "
            f"(Yoon et al. 2023); {n_copies} of {len(X)}."
        )
