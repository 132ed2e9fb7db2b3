"""Blocks of HTML that several sections use: captions, figures, named rows and columns.

Names and notes are taken as text and escaped; pictures and contents are HTML. Draw the result with ``st.html``.
"""

from collections.abc import Iterable, Sequence
from html import escape

from pages.ui.shared.text import Markup, html

_COPY = '<button type="button" class="hg-copy" aria-live="polite">Copy</button>'


def make_note(text: str) -> Markup:
    """A remark in small letters."""
    return Markup(f'<div class="hg-note">{html(text)}</div>')


def make_caption(title: str, about: str = "") -> Markup:
    """A bold title above a picture or list, with a note after it."""
    note = f' <span class="hg-note">{html(about)}</span>' if about else ""
    return Markup(f'<div class="hg-caption"><b>{html(title)}</b>{note}</div>')


def make_figure(picture: str, caption: str) -> Markup:
    """A picture with its caption, placed by the style sheet above or below it."""
    return Markup(f"<figure>{picture}<figcaption>{html(caption)}</figcaption></figure>")


def make_named_rows(rows: Iterable[tuple[str, str, str]]) -> Markup:
    """Rows of name, note and content, the content at the right of the others."""
    parts = (
        f'<div class="hg-rebuilt"><div><b>{html(name)}</b>{make_note(about) if about else ""}</div>{content}</div>'
        for name, about, content in rows
    )
    return Markup(f'<div class="hg-rebuilds">{"".join(parts)}</div>')


def make_columns(columns: Iterable[tuple[str, str, str]]) -> Markup:
    """Columns of name, note and content, as many side by side as there is room for."""
    parts = (
        f'<div><b>{html(name)}</b> <span class="hg-note">{html(about)}</span>{content}</div>'
        for name, about, content in columns
    )
    return Markup(f'<div class="hg-answers">{"".join(parts)}</div>')


def make_list(items: Sequence[str], style: str = "") -> Markup:
    """A numbered list of HTML items."""
    return Markup(f'<ol class="{style}">{"".join(f"<li>{item}</li>" for item in items)}</ol>')


def make_words(words: Iterable[tuple[str, str, bool]]) -> Markup:
    """Words of (text, tooltip, whether bold and underlined)."""
    spans = (
        f'<span class="{"hg-in" if is_marked else ""}" title="{html(about)}">{html(word)}</span>'
        for word, about, is_marked in words
    )
    return Markup(f'<div class="hg-words">{" ".join(spans)}</div>')


def make_code(text: str) -> Markup:
    """A command line or link as it is, with a Copy button, which assets/theme/app.js handles."""
    return Markup(f'<div class="hg-code"><pre>{escape(text)}</pre>{_COPY}</div>')


def make_program(text: str) -> Markup:
    """A program of many lines, which scrolls, with a Copy button."""
    return Markup(f'<div class="hg-code hg-program"><pre tabindex="0">{escape(text)}</pre>{_COPY}</div>')
