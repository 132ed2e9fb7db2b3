"""A result of the curve: confusion matrix, misclassified and labelled rows, and the map of codes."""

import numpy as np
import streamlit as st

from core import datasets, semi_supervised
from core.datasets import checksums
from core.datasets.own.columns import IGNORED, LABEL
from core.semi_supervised import experiment, results
from core.types import IMAGES, TABLES, Dataset
from pages.ui.labelled_fraction.curve import View
from pages.ui.shared import cached, charts, header, images, page_state, tables
from pages.ui.shared.number_format import seconds
from pages.ui.shared.text import plain, shorten

_MOST_WRONG = 40
_MOST_LABELLED = 100


def draw(view: View, problems: list[str]) -> None:
    if not view.rows:
        st.caption("No result to inspect yet.")
        return
    row = _choose(view, problems)
    st.markdown(plain(_about(row)))
    if not charts.is_near("point", 620):
        return
    from core.figures import error_by_labels as figures  # plotly

    is_here = datasets.is_available(view.entry.name)
    dataset = cached.load_dataset(view.entry.name, view.entry.default_params) if is_here else None
    names = _class_names(dataset, len(row["confusion"]))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Confusion matrix**", help="Row: class; column: predicted class. Colour: share of the class.")
        confusion = np.array(row["confusion"])
        cells = np.ndenumerate(confusion)
        counts = [{"class": names[k], "predicted": names[j], "rows": int(count)} for (k, j), count in cells]
        charts.draw(figures.plot_confusion(confusion, names, header.get_theme()), "confusion", data=counts)
    with right:
        about = (
            "First two principal components of the classifier's code or last hidden layer. "
            f"{results.MAPPED} test rows spread evenly over all, and at most as many of the labelled rows."
        )
        st.markdown("**Codes, labelled rows marked**", help=about)
        charts.draw(figures.plot_codes(*results.read_map(row), names, header.get_theme()), "codes")
    if dataset is None:
        cached.offer_download(view.entry, problems, " Then the misclassified and labelled rows are shown too.")
    elif checksums.is_of(row, dataset.checksum):
        _draw_misclassified(dataset, row, names)
        _draw_labelled(dataset, row, names)
    else:
        st.caption(plain("Measured on another copy of the data, so no rows are shown."))


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


def _about(row: dict) -> str:
    wrong = round(row["error"] * row["n_test"])
    text = (
        f"{semi_supervised.get(row['method']).label} with {row['labels']:,} labels, seed {row['seed']}: {wrong:,} of "
        f"{row['n_test']:,} test rows are misclassified, {row['error']:.2%}. The fit took {seconds(row['seconds'])}"
    )
    if row["pretraining_seconds"]:
        text += f"; pre-training, shared by all numbers of labels, took {seconds(row['pretraining_seconds'])}"
    text += f", on {row.get('threads', 1)} {'thread' if row.get('threads', 1) == 1 else 'threads'}."
    n_classes = len(row["confusion"])
    if unknown := n_classes - row["classes_known"]:
        text += f" {unknown} of {n_classes} classes have no labelled row and are never predicted."
    return text


def _class_names(dataset: Dataset | None, n: int) -> list[str]:
    """The classes' names, where the data are here; else their numbers."""
    if dataset is None or len(dataset.target_names) != n:
        return [str(k) for k in range(n)]
    return [shorten(name, 24) for name in dataset.target_names]


def _draw_misclassified(dataset: Dataset, row: dict, names: list[str]) -> None:
    wrong, predicted = results.read_misclassified(row)
    is_images, n = dataset.kind == IMAGES, min(_MOST_WRONG, len(wrong))
    if not n:
        st.markdown("No test row is misclassified.")
        return
    below = "; below each: class → predicted class" if is_images else ""
    st.markdown(f"**Misclassified**, {n:,} of {len(wrong):,}{below}")
    shown = np.unique(np.linspace(0, len(wrong) - 1, n).astype(int))
    rows = wrong[shown]
    classes, guesses = [names[k] for k in dataset.y_test[rows]], [names[k] for k in predicted[shown]]
    if is_images:
        titles = [f"{name} → {guess}" for name, guess in zip(classes, guesses, strict=True)]
        st.html(images.tiles(dataset.X_test[rows], dataset.image_shape, titles))
    elif dataset.kind == TABLES:
        _draw_rows(dataset, "test", rows, {"Class": classes, "Predicted class": guesses}, "wrong")
    else:
        titles = [dataset.titles_test[k] for k in rows]
        _draw_table({"Document": titles, "Class": classes, "Predicted class": guesses}, "wrong")


def _draw_labelled(dataset: Dataset, row: dict, names: list[str]) -> None:
    chosen = experiment.select_labelled_rows(dataset.y_train, row["labels"], row["seed"], dataset.kind)
    rows = chosen[:_MOST_LABELLED]
    counts = f"{len(rows):,} of {len(chosen):,}"
    if dataset.kind == IMAGES:
        st.markdown(f"**Labelled rows** of seed {row['seed']}, {counts}")
        rows = rows[np.argsort(dataset.y_train[rows], kind="stable")]
        st.html(images.tiles(dataset.X_train[rows], dataset.image_shape, [names[k] for k in dataset.y_train[rows]]))
    elif dataset.kind == TABLES:
        st.markdown(f"**Labelled rows** of seed {row['seed']}, {counts}")
        _draw_rows(dataset, "train", rows, {"Class": [names[k] for k in dataset.y_train[rows]]}, "labelled")
    else:
        st.markdown(f"**Labelled documents**, {counts}")
        titles, classes = [dataset.titles_train[k] for k in rows], [names[k] for k in dataset.y_train[rows]]
        _draw_table({"Document": titles, "Class": classes}, "labelled")


def _draw_rows(dataset: Dataset, split: str, rows: np.ndarray, classes: dict[str, list[str]], name: str) -> None:
    """Draw rows of a table in original units after their classes; the column of the label is among these."""
    columns = [column.name for column in dataset.table.recipe.columns if column.role not in (IGNORED, LABEL)]
    frame = (dataset.table.frame_train if split == "train" else dataset.table.frame_test)[columns].iloc[rows]
    for place, (title, values) in enumerate(classes.items()):
        frame.insert(place, f"{title} (label)" if title in frame else title, values)
    tables.draw_frame(frame, name)


def _draw_table(columns: dict[str, list[str]], name: str) -> None:
    import pandas as pd

    tables.draw_frame(pd.DataFrame(columns), name)
