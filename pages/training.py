"""Training: choose settings, train, watch the progress, and compare stored runs."""

import streamlit as st

from pages.ui.shared import cli_commands, header, page_state, stored_runs, training_offers, training_queue
from pages.ui.training import form, live, runs_table

header.begin_page("pages/training.py")

stored, problems = stored_runs.list_runs()
problems = list(problems)

st.title("Training", anchor=False)
watched, states = training_queue.choose_watched(problems), live.read_states()
with st.container(key="training"):
    with st.container(key="training-form"):
        spec = form.choose(stored, problems)
        form.draw_button(stored, spec)
        training_offers.draw_missing_beside(spec, stored)
    with st.container(key="training-watch"):
        live.draw(watched, spec, stored, states)
page_state.show_problems(problems)

runs_table.draw(stored, page_state.recall("data"))

header.end_page(cli_commands.format_fit(spec) if spec else "")
