"""A result of the curve: confusion matrix, misclassified and labelled rows, and the map of codes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import datasets, semi_supervised
from core.datasets import checksums
from core.semi_supervised import experiment, results
from core.types import IMAGES, Dataset
from pages.ui.labelled_fraction.curve import View
from pages.ui.shared import cached, charts, header, images, page_state, tables
from pages.ui.shared.number_format import seconds
from pages.ui.shared.text import plain, shorten

_WRONG = 40
_MOST_LABELLED = 100


def draw(view: View, problems: list[str]) -> None:
    if not view.rows:
        st.caption("No result to inspect yet.")
        return
    row = _choose(view, problems)
    st.markdown(plain(_about(view, row)))
    if not charts.is_near("point", 620):
        return
    from core.figures import error_by_labels as figures  # plotly

    names = _class_names(view, row)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Confusion matrix**", help="Row: class; column: predicted class. Colour: share of the class.")
        confusion = np.array(row["confusion"])
        counts = [
            {"class": name, "predicted": other, "rows": int(confusion[k, j])}
            for k, name in enumerate(names)
            for j, other in enumerate(names)
        ]
        charts.draw(figures.plot_confusion(confusion, names, header.get_theme()), "confusion", data=counts)
    with right:
        st.markdown(
            "**Codes, labelled rows marked**",
            help="First two principal components of the classifier's code or last hidden layer. "
            f"{results.MAPPED} test rows spread evenly over all, and at most as many of the labelled rows.",
        )
        shown = results.read_map(row)
        figure = figures.plot_codes(
            shown.at_test, shown.y_test, shown.right, shown.at_labelled, shown.y_labelled, names, header.get_theme()
        )
        charts.draw(figure, "codes")
    _rows(view, row, names, problems)


def _choose(view: View, problems: list[str]) -> dict:
    measured = list(view.errors)
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-point"):

        def choose(name: str, label: str, options: list, **look):
            return page_state.choose_with(st.selectbox, name, label, options, options[0], problems, **look)

        name = choose("approach", "Approach", measured, format_func=lambda a: semi_supervised.get(a).label, width=280)
        whole = page_state.parse_integer
        n = choose("labels", "Labels", sorted(view.errors[name]), parse=whole, format_func="{:,}".format, width=140)
        seed = choose("seed", "Seed", sorted(view.errors[name][n]), parse=whole, width=110)
    return view.find_row(name, n, seed)


def _about(view: View, row: dict) -> str:
    wrong = round(row["error"] * row["n_test"])
    text = (
        f"{semi_supervised.get(row['method']).label} with {row['labels']:,} labels, seed {row['seed']}: {wrong:,} of "
        f"{row['n_test']:,} test rows are misclassified, {row['error']:.2%}. The fit took {seconds(row['seconds'])}"
    )
    if row["pretraining_seconds"]:
        text += f"; pre-training, shared by all numbers of labels, took {seconds(row['pretraining_seconds'])}"
    text += f", on {row.get('threads', 1)} {'thread' if row.get('threads', 1) == 1 else 'threads'}."
    n_classes = len(row["confusion"])
    if (known := row.get("classes_known", n_classes)) < n_classes:
        text += f" {n_classes - known} of {n_classes} classes have no labelled row and are never predicted."
    return text


def _class_names(view: View, row: dict) -> list[str]:
    """The classes' names, where the data are here; else their numbers."""
    if datasets.is_available(view.entry.name):
        dataset = cached.load_dataset(view.entry.name, tuple(sorted(row.get("dataset_params", {}).items())))
        if len(dataset.target_names) == len(row["confusion"]):
            return [shorten(name, 24) for name in dataset.target_names]
    return [str(k) for k in range(len(row["confusion"]))]


def _rows(view: View, row: dict, names: list[str], problems: list[str]) -> None:
    if not datasets.is_available(view.entry.name):
        cached.offer_download(view.entry, problems, " Then the misclassified and labelled rows are shown too.")
        return
    dataset = cached.load_dataset(view.entry.name, tuple(sorted(row.get("dataset_params", {}).items())))
    if not checksums.is_of(row, dataset.checksum):
        st.caption(plain("Measured on another copy of the data, so no rows are shown."))
        return
    wrong, predicted = results.read_misclassified(row)
    chosen = experiment.select_labelled_rows(dataset.y_train, row["labels"], row["seed"])
    if dataset.kind == IMAGES:
        _images(dataset, row, names, wrong, predicted, chosen)
    else:
        _documents(dataset, names, wrong, predicted, chosen)


def _images(
    dataset: Dataset, row: dict, names: list[str], wrong: np.ndarray, predicted: np.ndarray, chosen: np.ndarray
) -> None:
    if len(wrong):
        st.markdown(
            f"**Misclassified**, {min(_WRONG, len(wrong)):,} of {len(wrong):,}; below each: class → predicted class"
        )
        shown = np.unique(np.linspace(0, len(wrong) - 1, min(_WRONG, len(wrong))).astype(int))
        titles = [f"{names[dataset.y_test[wrong[k]]]} → {names[predicted[k]]}" for k in shown]
        st.html(images.tiles(dataset.X_test[wrong[shown]], dataset.image_shape, titles))
    else:
        st.markdown("No test row is misclassified.")
    first = chosen[:_MOST_LABELLED]
    st.markdown(f"**Labelled rows** of seed {row['seed']}, {len(first):,} of {len(chosen):,}")
    order = first[np.argsort(dataset.y_train[first], kind="stable")]
    st.html(images.tiles(dataset.X_train[order], dataset.image_shape, [names[k] for k in dataset.y_train[order]]))


def _documents(
    dataset: Dataset, names: list[str], wrong: np.ndarray, predicted: np.ndarray, chosen: np.ndarray
) -> None:
    import pandas as pd

    if len(wrong):
        st.markdown(f"**Misclassified**, {min(_WRONG, len(wrong)):,} of {len(wrong):,}")
        shown = np.unique(np.linspace(0, len(wrong) - 1, min(_WRONG, len(wrong))).astype(int))
        frame = pd.DataFrame(
            {
                "Document": [dataset.titles_test[wrong[k]] for k in shown],
                "Class": [names[dataset.y_test[wrong[k]]] for k in shown],
                "Predicted class": [names[predicted[k]] for k in shown],
            }
        )
        tables.draw_frame(frame, "wrong")
    first = chosen[:_MOST_LABELLED]
    st.markdown(f"**Labelled documents**, {len(first):,} of {len(chosen):,}")
    frame = pd.DataFrame(
        {"Document": [dataset.titles_train[k] for k in first], "Class": [names[k] for k in dataset.y_train[first]]}
    )
    tables.draw_frame(frame, "labelled")
