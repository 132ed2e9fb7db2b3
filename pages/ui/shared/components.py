"""JavaScript components of assets/components, each registered once."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parents[3] / "assets" / "components"
# Their files follow those of this name.
_COMMON, _ON_COMMON = "common", ("maps", "latent", "confusion", "formula")


@st.cache_resource(show_spinner=False)
def get_component(name: str, is_isolated: bool = True) -> ComponentRenderer:
    """Register ``<name>.js`` and ``<name>.css``; without isolation the page's styles apply too."""
    script, style = read_source(name, "js"), read_source(name, "css")
    return st.components.v2.component(f"hourglass_{name}", js=script, css=style, isolate_styles=is_isolated)


def read_source(name: str, suffix: str) -> str:
    """The script ("js") or the style ("css") of a component, after what it shares with others."""
    names = (_COMMON, name) if name in _ON_COMMON else (name,)
    return "\n".join((FOLDER / f"{stem}.{suffix}").read_text("utf-8") for stem in names)


def do_nothing() -> None:
    """Serve as the callback that a component's state value with a default needs."""
