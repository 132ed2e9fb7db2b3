"""Command lines and links with a copy button, without the 1.5 MB of `st.code`."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages.ui.shared.text import Markup


def draw(text: str) -> None:
    """Draw `text` as it is, with a Copy button, which assets/theme/app.js handles."""
    st.html(
        Markup(
            f'<div class="hg-code"><pre>{escape(text)}</pre>'
            '<button type="button" class="hg-copy" aria-live="polite">Copy</button></div>'
        )
    )
