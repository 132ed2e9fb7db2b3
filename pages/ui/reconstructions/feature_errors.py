"""Errors of a table's features by each method: a chart of the largest, and a table of all."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from core.metrics import bootstrap
from core.metrics.tables import CellErrors
from pages.ui.shared import charts, header, page_state, tables
from pages.ui.shared.text import plain

_MOST_CHARTED = 20


def draw(errors: Mapping[str, CellErrors], names: Sequence[str], methods: Mapping[str, str], name: str) -> None:
    """Draw errors of the same cells by label; `names` are of the features, `methods` the method of each label."""
    from core.figures import errors as figures  # plotly: most visits open no figure

    by_label = {label: cells.by_feature() for label, cells in errors.items()}
    means = np.mean(list(by_label.values()), axis=0)
    order = [k for k in np.argsort(-means, kind="stable") if means[k] == means[k]]  # without constant features
    charted = order[:_MOST_CHARTED]
    known = {label: [_select_known(cells.errors[:, k]) for k in charted] for label, cells in errors.items()}
    bars = {label: [(of.mean(), *_get_interval(of)) for of in of_features] for label, of_features in known.items()}
    counts = [len(values) for values in next(iter(known.values()))]
    look = header.get_theme(), methods, "error (share)", "feature"
    charts.draw(figures.plot_by_class(bars, [names[k] for k in charted], counts, *look), name)
    shown = f" The {len(charted)} features with the largest errors are shown." if len(charted) < len(order) else ""
    about = "Numbers: squared error as a share of the feature's variance. Categories: share of wrong ones. "
    st.caption(plain(f"{about}Mean with 95% bootstrap interval.{shown}"))
    drawer = st.expander("Table of all features", key=page_state.key(f"{name}-table"), on_change="rerun")
    if drawer.open:
        rows = [[tables.text(names[k]), *(tables.estimate(float(of[k])) for of in by_label.values())] for k in order]
        with drawer:
            tables.draw(["Feature", *by_label], rows, f"{name} of all", kind="hg-depths")


def _select_known(errors: np.ndarray) -> np.ndarray:
    return errors[~np.isnan(errors)]


def _get_interval(errors: np.ndarray) -> tuple[float, float]:
    return bootstrap.mean_interval(errors) if len(errors) > 1 else (np.nan, np.nan)
