"""Text from outside, shown as text."""

from __future__ import annotations

import re
from html import escape

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


class Markup(str):
    """HTML that `st.html` takes as it is: in a plain string it looks for indents, slowly where pictures are in it."""

    def _repr_html_(self) -> str:
        return self


def plain(text: object) -> str:
    """`text` so that Streamlit's Markdown (HTML, LaTeX, icons, colours too) shows it letter by letter."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def html(text: object) -> str:
    """`text` so that HTML shows it letter by letter."""
    return escape(" ".join(str(text).split()))


def breakable(text: object) -> str:
    """As `html`, and a long dotted name may go on in the next line after a dot or underscore."""
    return re.sub(r"([._])(?=\w)", r"\1<wbr>", html(text))


def shortened(text: object, length: int = 40) -> str:
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def listed(words: list[str]) -> str:
    """``["a", "b", "c"]`` -> ``"a, b and c"``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
