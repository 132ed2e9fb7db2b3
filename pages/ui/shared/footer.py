"""The end of every page: a closed drawer with the link and command line of the view."""

from __future__ import annotations

import streamlit as st

from pages.ui.shared import page_state
from pages.ui.shared.html_blocks import make_code

LINK, LINK_AND_COMMAND = "Link to this view", "Link and command line"


def draw(command: str = "", about: str = "") -> None:
    """Draw the drawer at the end of a page, with commands of the view, and what these do."""
    label = LINK_AND_COMMAND if command else LINK
    drawer = st.expander(label, key=page_state.key("footer"), on_change="rerun", icon=":material/link:")
    if not drawer.open:
        return
    with drawer:
        if command:
            st.markdown("**Link**")
        st.html(make_code(page_state.make_permalink()))
        if command:
            st.markdown(f"**Command line**. {about}" if about else "**Command line**")
            st.html(make_code(command))
