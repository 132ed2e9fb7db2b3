"""Text for Markdown and HTML, escaped and shortened."""

import re
from collections.abc import Collection
from html import escape

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


class Markup(str):
    """HTML that `st.html` takes as it is; in a plain string it would search for indents."""

    def _repr_html_(self) -> str:
        return self


def plain(text: object) -> str:
    """`text` escaped for Streamlit's Markdown, with its HTML, LaTeX, icons and colours."""
    return escape_markdown(" ".join(str(text).split()))


def escape_markdown(text: str) -> str:
    """`text` escaped for Streamlit's Markdown, with its white space."""
    return _MARKDOWN.sub(r"\\\1", text)


def html(text: object) -> str:
    """`text` escaped for HTML."""
    return escape(" ".join(str(text).split()))


def mark_words(text: object, words: Collection[str]) -> str:
    """`text` escaped for HTML with its white space, and these lower-case words marked."""
    if not words:
        return escape(str(text))
    parts = re.split(r"([a-zß-öø-ÿ]{2,})", str(text), flags=re.IGNORECASE)
    return "".join(f"<mark>{part}</mark>" if part.lower() in words else escape(part) for part in parts)


def make_breakable(text: object) -> str:
    """`text` escaped for HTML, with line breaks allowed after dots and underscores."""
    return allow_breaks(html(text))


def allow_breaks(markup: str) -> str:
    """HTML with line breaks allowed after dots and underscores of long names."""
    return re.sub(r"([._])(?=[\w<])", r"\1<wbr>", markup)


def to_file_name(text: str) -> str:
    """A label as a part of a file's name: ``"breast-cancer"``."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


def shorten(text: object, length: int = 40) -> str:
    """`text` cut to `length` letters, the last of them "…"."""
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def join_words(words: list[str]) -> str:
    """``["a", "b", "c"]`` -> ``"a, b and c"``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
