"""Training curves: images while a training runs, charts of a stored run."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import datasets, methods
from core.figures import svg
from core.metrics.definitions import GREY_BERNOULLI
from core.runs import specs
from core.types import Spec
from pages.ui.shared import charts, header, images, page_state, training_queue
from pages.ui.shared.text import Markup, plain

History = Sequence[dict[str, Any]]


def draw(spec: Spec, rows: History, stamp: tuple, *, is_live: bool = False) -> None:
    """Draw the curves, as mere images while the training runs; `stamp` changes with the rows."""
    shown = stamp, page_state.recall("curves") or "epoch", header.get_theme(), spec, rows
    stills = _stills(*shown)
    if is_live:
        pictures = "".join(images.vector(still, about) for still, about in stills)
        st.html(Markup(f'<div class="hg-sketches">{pictures}</div>'))
    else:
        with st.container(key="curves"):
            for k, (figure, (still, about)) in enumerate(zip(_figures(*shown), stills, strict=True)):
                charts.draw(figure, f"curve-{k}", still=still, about=about)
    names = {name for row in rows for name in row}
    if spec.param("augment") and "loss" in names:
        st.caption("Augmentation is off in the last tenth of the training, so the training loss drops there.")
    if "kl" in names and specs.has_unnormalised_likelihood(spec):
        st.caption(plain(GREY_BERNOULLI))
    if "validation_loss" in names:
        st.caption(
            "The validation loss is measured without augmentation, noise or word dropout, so it can be below the "
            "training loss."
        )


@st.cache_data(max_entries=32, show_spinner=False)
def _stills(stamp: tuple, by: str, theme: str, _spec: Spec, _rows: History) -> list[tuple[str, str]]:
    return svg.render_progress(_rows, by, get_unit(_spec), theme)


@st.cache_resource(max_entries=32, show_spinner=False)
def _figures(stamp: tuple, by: str, theme: str, _spec: Spec, _rows: History) -> list:
    from core.figures import training_curves  # plotly: a visit that watches nothing opens no figure

    return training_curves.plot_progress({training_queue.label_training(_spec): _rows}, by, get_unit(_spec), theme)


def get_unit(spec: Spec) -> str:
    """Return the unit of the loss, "" for a method without one."""
    return methods.get(spec.method).loss_unit.get(datasets.entry(spec.dataset).kind, "")
