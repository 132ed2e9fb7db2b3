"""Data: bring a table, see what is in it and what is wrong with it, and look after the data sets there are."""

import streamlit as st

from pages.ui.data import catalogue, check, draft, upload
from pages.ui.shared import header, own_data, page_state, stored_runs

header.begin_page("pages/data.py")

stored, problems = stored_runs.list_runs()
problems = list(problems)

st.title("Data", anchor=False)
notices = st.container()
page_state.show_kept_error("data")
own_data.show_added()
found = draft.get()
if found is None or not check.draw(found):
    upload.draw()
    catalogue.draw(stored, problems)
with notices:
    page_state.show_problems(problems)

header.end_page("python -m core import FILE", "Adds a table from the command line; --check only looks at it.")
