"""Tour: the lecture in its order, one step a topic, each with a live picture."""

import streamlit as st

from pages.ui.shared import header, page_state
from pages.ui.tour import handout, steps, view

header.begin_page(header.TOUR)
problems: list[str] = []
number = view.choose_step(len(steps.STEPS), problems)
notices = st.container()
view.draw_step(steps.STEPS[number - 1], problems)
with notices:
    page_state.show_problems(problems)
handout.draw_button()
header.end_page()
