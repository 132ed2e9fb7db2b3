"""Names as plotly shows them."""

from __future__ import annotations

from html import escape


def as_text(name: object) -> str:
    """A name from outside that plotly, which reads a little HTML, shows letter by letter."""
    return escape(str(name), quote=False)
