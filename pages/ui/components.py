"""Front-end components of our own: what of theirs lies in assets/components, registered once."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parents[2] / "assets" / "components"


@st.cache_resource(show_spinner=False)
def component(name: str) -> ComponentRenderer:
    """What mounts the component of ``<name>.js`` and ``<name>.css``."""
    script, style = ((FOLDER / f"{name}.{suffix}").read_text() for suffix in ("js", "css"))
    return st.components.v2.component(f"hourglass_{name}", js=script, css=style)


def nothing() -> None:
    """The callback of a state value with a default, which needs one."""
