"""Behind a point of the curve: confusion matrix, wrong test rows, labelled rows, and the map of codes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import approaches, datasets, labelled
from core.types import IMAGES, Dataset
from pages.ui import choices, loaded, nav, pictures
from pages.ui.error_by_labels import View
from pages.ui.numbers import seconds
from pages.ui.text import plain, shortened

_CHART = {"displaylogo": False, "displayModeBar": False}
_WRONG = 40
_MOST_LABELLED = 100


def draw(view: View, problems: list[str]) -> None:
    if not view.rows:
        st.caption("There is no point to look behind yet.")
        return
    row = _choose(view, problems)
    st.markdown(plain(_about(view, row)))
    from core.figures import fractions as figures  # plotly

    names = _class_names(view, row)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(
            "**Confusion matrix**", help="Row: the class; column: what it is named. Colour: share of the class."
        )
        st.plotly_chart(
            figures.confusion(np.array(row["confusion"]), names, nav.theme()),
            key=choices.key("confusion"),
            config=_CHART,
        )
    with right:
        st.markdown(
            "**Codes, labelled rows marked**",
            help="First two principal components of what the classifier sees last: its code, or its last hidden layer. "
            f"{labelled.MAPPED} test rows spread evenly over all, and at most as many of the labelled rows.",
        )
        shown = labelled.mapped(row)
        figure = figures.codes(
            shown.at_test, shown.y_test, shown.right, shown.at_labelled, shown.y_labelled, names, nav.theme()
        )
        st.plotly_chart(figure, key=choices.key("codes"), config=_CHART)
    _rows(view, row, names, problems)


def _choose(view: View, problems: list[str]) -> dict:
    there = list(view.errors)
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-point"):
        widget = choices.seed("approach", there, there[0], problems)
        name = st.selectbox("Approach", there, format_func=lambda a: approaches.get(a).label, key=widget, width=280)
        choices.keep("approach", name)
        counts = sorted(view.errors[name])
        widget = choices.seed("labels", counts, counts[0], problems, parse=choices.whole)
        n = st.selectbox("Labels", counts, format_func=lambda n: f"{n:,}", key=widget, width=140)
        choices.keep("labels", n)
        found = sorted(view.errors[name][n])
        widget = choices.seed("seed", found, found[0], problems, parse=choices.whole)
        seed = st.selectbox("Seed", found, key=widget, width=110)
        choices.keep("seed", seed)
    return view.row(name, n, seed)


def _about(view: View, row: dict) -> str:
    wrong = round(row["error"] * row["n_test"])
    text = (
        f"{approaches.get(row['method']).label} with {row['labels']:,} labels, seed {row['seed']}: {wrong:,} of "
        f"{row['n_test']:,} test rows are named wrongly, {row['error']:.2%}. Its fit took {seconds(row['seconds'])}"
    )
    if row["pretraining_seconds"]:
        text += f", its pre-training, shared by all numbers of labels, {seconds(row['pretraining_seconds'])}"
    text += f", on {row.get('threads', 1)} {'thread' if row.get('threads', 1) == 1 else 'threads'}."
    n_classes = len(row["confusion"])
    if (known := row.get("classes_known", n_classes)) < n_classes:
        text += f" {n_classes - known} of {n_classes} classes have no labelled row, so nothing is ever named so."
    return text


def _class_names(view: View, row: dict) -> list[str]:
    """The classes' names, where the data are here; else their numbers."""
    if datasets.available(view.entry.name):
        dataset = loaded.dataset(view.entry.name, tuple(sorted(row.get("dataset_params", {}).items())))
        if len(dataset.target_names) == len(row["confusion"]):
            return [shortened(name, 24) for name in dataset.target_names]
    return [str(k) for k in range(len(row["confusion"]))]


def _rows(view: View, row: dict, names: list[str], problems: list[str]) -> None:
    if not datasets.available(view.entry.name):
        loaded.offer_download(view.entry, problems, " Then the wrong and the labelled rows are shown here too.")
        return
    dataset = loaded.dataset(view.entry.name, tuple(sorted(row.get("dataset_params", {}).items())))
    if dataset.checksum != row["data_checksum"]:
        st.caption(plain("This copy of the data is another than the one measured, so single rows are not shown."))
        return
    wrong, named = labelled.wrong_rows(row)
    chosen = labelled.labelled_rows(dataset.y_train, row["labels"], row["seed"])
    if dataset.kind == IMAGES:
        _images(dataset, row, names, wrong, named, chosen)
    else:
        _documents(dataset, names, wrong, named, chosen)


def _images(
    dataset: Dataset, row: dict, names: list[str], wrong: np.ndarray, named: np.ndarray, chosen: np.ndarray
) -> None:
    if len(wrong):
        st.markdown(
            f"**Named wrongly**, {min(_WRONG, len(wrong)):,} of {len(wrong):,}; under each its class → its name"
        )
        shown = np.unique(np.linspace(0, len(wrong) - 1, min(_WRONG, len(wrong))).astype(int))
        titles = [f"{names[dataset.y_test[wrong[k]]]} → {names[named[k]]}" for k in shown]
        st.html(pictures.tiles(dataset.X_test[wrong[shown]], dataset.image_shape, titles))
    else:
        st.markdown("No test row is named wrongly.")
    first = chosen[:_MOST_LABELLED]
    st.markdown(f"**Labelled rows** of seed {row['seed']}, {len(first):,} of {len(chosen):,}")
    order = first[np.argsort(dataset.y_train[first], kind="stable")]
    st.html(pictures.tiles(dataset.X_train[order], dataset.image_shape, [names[k] for k in dataset.y_train[order]]))


def _documents(dataset: Dataset, names: list[str], wrong: np.ndarray, named: np.ndarray, chosen: np.ndarray) -> None:
    import pandas as pd

    if len(wrong):
        st.markdown(f"**Named wrongly**, {min(_WRONG, len(wrong)):,} of {len(wrong):,}")
        shown = np.unique(np.linspace(0, len(wrong) - 1, min(_WRONG, len(wrong))).astype(int))
        frame = pd.DataFrame(
            {
                "Document": [dataset.titles_test[wrong[k]] for k in shown],
                "Class": [names[dataset.y_test[wrong[k]]] for k in shown],
                "Named": [names[named[k]] for k in shown],
            }
        )
        st.dataframe(frame, hide_index=True, key=choices.key("wrong"))
    first = chosen[:_MOST_LABELLED]
    st.markdown(f"**Labelled documents**, {len(first):,} of {len(chosen):,}")
    frame = pd.DataFrame(
        {
            "Document": [dataset.titles_train[k] for k in first],
            "Class": [names[k] for k in dataset.y_train[first]],
        }
    )
    st.dataframe(frame, hide_index=True, key=choices.key("labelled"))
