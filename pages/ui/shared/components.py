"""JavaScript components of assets/components, each registered once."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parents[3] / "assets" / "components"
# The files that stand before a component's own.
_BEFORE = {
    "maps": ("common",),
    "confusion": ("common",),
    "formula": ("common",),
    "latent": ("common", "network"),
    "game": ("common", "game_engine", "game_pictures"),
    "pad": ("drawing",),
    "reparameterization": ("common", "network", "drawing", "framing"),
}


@st.cache_resource(show_spinner=False)
def get_component(name: str, is_isolated: bool = True) -> ComponentRenderer:
    """Register ``<name>.js`` and ``<name>.css``; without isolation the page's styles apply too."""
    script, style = read_source(name, "js"), read_source(name, "css")
    if is_isolated:
        style = (FOLDER / "thumbs.css").read_text("utf-8") + style
    return st.components.v2.component(f"hourglass_{name}", js=script, css=style, isolate_styles=is_isolated)


def read_source(name: str, suffix: str) -> str:
    """The script ("js") or the style ("css") of a component, after what it shares with others."""
    files = [FOLDER / f"{stem}.{suffix}" for stem in (*_BEFORE.get(name, ()), name)]
    return "\n".join(file.read_text("utf-8") for file in files if file.exists())


def do_nothing() -> None:
    """Serve as the callback that a component's state value with a default needs."""
