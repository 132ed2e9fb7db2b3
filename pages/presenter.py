"""Presenter: the notes of a workshop's presenter, and what they tell the room."""

import streamlit as st

from core.room import room as rooms
from pages.ui.room import notes
from pages.ui.shared import header, room

header.begin_page(room.PAGE)
state = rooms.find_room()
if not room.is_presenter():
    st.title("Presenter", anchor=False)
if state is None:
    st.info("This page is for the presenter of a workshop. `make workshop` starts one.")
elif not room.is_presenter():
    st.info(
        "This page is for the presenter. The presenter's link is in the terminal in which this workshop was started; "
        "after a restart of the workshop it is a new one."
    )
else:
    notes.draw(state)
header.end_page()
