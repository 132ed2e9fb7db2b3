"""The app with a room, as ``python -m core workshop`` serves it."""

import streamlit as st

from pages.ui.room import server

app = st.App(server.APP, lifespan=server.open_room, routes=server.ROUTES)
