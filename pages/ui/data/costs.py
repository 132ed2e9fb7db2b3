"""What training on a table that is not added yet costs: predicted time and memory."""

from collections.abc import Sequence

import streamlit as st

from core import config, methods
from core.datasets import Entry
from core.errors import BadInput
from core.runs import presets
from core.tasks import training_cost
from core.types import TABLES, Spec
from pages.ui.shared import page_state, tables, training_offers
from pages.ui.shared.text import plain
from pages.ui.shared.training_offers import format_seconds

_PRESETS = (presets.SECONDS, presets.MINUTE, presets.BEST)
_MEASURED_SECONDS = 1.0


def _list_specs(entry: Entry, sizes: Sequence[int], chosen: Sequence[str]) -> list[Spec]:
    made = [training_cost.make_spec(entry, name, size, presets.SECONDS) for size in sizes for name in chosen]
    return list(dict.fromkeys(made))


def find_refusal(entry: Entry, sizes: Sequence[int], chosen: Sequence[str]) -> str:
    """Why a training would not fit into the memory; "" if all do."""
    try:
        for spec in _list_specs(entry, sizes, chosen):
            training_cost.check_fits(spec, entry)
    except BadInput as problem:
        return str(problem)
    return ""


def draw(entry: Entry, sizes: Sequence[int], chosen: Sequence[str]) -> None:
    """Say what the trainings take, and draw a drawer with each method and preset."""
    is_measuring = training_offers.measure_speed()
    st.fragment(_draw, run_every=_MEASURED_SECONDS if is_measuring else None)(entry, sizes, chosen, is_measuring)


def _draw(entry: Entry, sizes: Sequence[int], chosen: Sequence[str], was_measuring: bool) -> None:
    speed = training_offers.read_speed()
    if was_measuring and speed is not None:
        st.rerun()
    found = [training_cost.predict_cost(spec, speed, entry=entry) for spec in _list_specs(entry, sizes, chosen)]
    if found:
        most = f"up to {max(cost.megabytes for cost in found):,.0f} MB of memory"
        if speed is None:
            text = f"Training takes {most}; its time is not known before this machine's speed is measured."
        else:
            text = f"Training takes {format_seconds(sum(cost.seconds for cost in found))} and {most}."
        st.markdown(plain(text))
    drawer = st.expander("Time and memory of each method", key=page_state.key("costs"), on_change="rerun")
    if not drawer.open:
        return
    with drawer:
        names = presets.SHORT if config.is_workshop() else _PRESETS
        by_preset = {name: training_cost.predict_table(entry, sizes[-1], name, speed) for name in names}
        rows = []
        for method in methods.names(TABLES):
            costs = [by_preset[name][method] for name in names]
            times = ["unknown" if cost.seconds is None else format_seconds(cost.seconds) for cost in costs]
            rows.append([*map(tables.text, (methods.label(method), f"{costs[-1].megabytes:,.0f} MB", *times))])
        head = ["Method", "Memory", *(name.capitalize() for name in names)]
        tables.draw(head, rows, "costs")
        st.caption(f"Predicted for {sizes[-1]} latent dimensions, on an otherwise idle machine.")
