from __future__ import annotations
import streamlit as st
def draw(view, positions):
    st.write(len(positions), view.rows.y[positions][:20])
