"""Labelled fraction: test error by number of labels, with and without unlabelled rows."""

import streamlit as st

from core.semi_supervised import experiment
from pages.ui.labelled_fraction import curve, point, protocol, sweep
from pages.ui.shared import header, page_state
from pages.ui.shared.text import plain

# section -> (what people read, what draws it)
SECTIONS = {
    "point": ("Inspect a result", point.draw),
    "sweep": ("Run an experiment", sweep.draw),
    "fair": ("Protocol", protocol.draw),
}


def _draw(view: curve.View, problems: list[str]) -> None:
    top = st.container()
    with header.show_errors():
        curve.draw(view, problems)
    look = {"format_func": lambda name: SECTIONS[name][0], "required": True, "wrap": True}
    look["label_visibility"] = "collapsed"
    default = "point" if view.rows else "sweep"
    section = page_state.choose_with(st.segmented_control, "part", "Section", list(SECTIONS), default, problems, **look)
    # Beside the button that starts it, where that is shown.
    with st.container() if section == "sweep" else top, header.show_errors():
        sweep.draw_progress(view)
    with header.show_errors():
        SECTIONS[section][1](view, problems)


header.begin_page("pages/labelled_fraction.py")
problems: list[str] = []
st.title("Labelled fraction", anchor=False)
view = curve.choose(problems)
if view.entry.has_labels:
    _draw(view, problems)
else:
    st.info(plain(f"{view.entry.label} has no labels, so there is nothing to classify: {experiment.NO_CLASSES}."))
    st.page_link("pages/data.py", label="Data", icon=":material/database:")
page_state.show_problems(problems)
header.end_page(
    "\n".join(protocol.list_commands(view)), "Computes these results; stored results are not computed again."
)
