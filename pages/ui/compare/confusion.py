"""Confusion matrices of the runs in Compare, by the latent codes stored with them."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import datasets
from core.analysis.rows import Rows, has_shipped_rows
from core.types import ROW_NAMES, Run
from pages.ui.embeddings import confusion_matrices
from pages.ui.shared import cached
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import join_words, plain


def draw(lines: Sequence[Line], problems: list[str]) -> None:
    """Draw the matrices of the runs that store labelled codes of the same rows."""
    with_codes = [line for line in lines if line.run and {"codes", "labels"} <= line.run.views.keys()]
    if not with_codes:
        st.markdown("No run stores latent codes of labelled rows.")
        return
    first = with_codes[0].run
    checksum, numbers = first.environment["data_checksum"], first.views["shown_rows"]

    def is_alike(run: Run) -> bool:
        return run.environment["data_checksum"] == checksum and np.array_equal(run.views["shown_rows"], numbers)

    alike = [line for line in with_codes if is_alike(line.run)]
    note = "Neighbours are test rows here, so accuracies differ from the kNN accuracy in the table."
    if left_out := [line.label for line in lines if line.run and line not in alike]:
        note = f"{join_words(left_out)}: no codes of the same rows are stored. {note}"
    st.caption(plain(note))

    def find_rows() -> Rows | None:
        name = first.spec.dataset
        if not (datasets.is_available(name) or has_shipped_rows(name)):
            return None
        rows = cached.load_rows(name, first.spec.dataset_params, "test", len(numbers))
        is_same = (not rows.checksum or rows.checksum == checksum) and np.array_equal(rows.numbers, numbers)
        return rows if is_same else None

    data = confusion_matrices.ClassifiedRows(
        key="".join(line.run.key[:6] for line in alike),
        y=first.views["labels"].astype(int),
        names=first.notes["target_names"],
        numbers=numbers,
        codes={line.label: line.run.views["codes"].astype(np.float64) for line in alike},
        where="the latent code",
        row=ROW_NAMES[first.environment["kind"]],
        dataset=first.spec.dataset,
        find_rows=find_rows,
    )
    confusion_matrices.draw(data, problems)
