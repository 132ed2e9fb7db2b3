"""Terms of the glossary, marked where they first stand on a page: their definition on hover, focus or tap."""

from html import escape
from typing import Any

import streamlit as st

from core.lecture import glossary
from core.lecture.glossary import Term
from pages.ui.shared.text import Markup, plain

_SEEN = "hourglass.terms"


def begin_page() -> None:
    """Forget which terms were marked: a page begins."""
    st.session_state[_SEEN] = {}


def draw_text(text: object, place: Any = st, help: str | None = None) -> None:
    """Draw a text in a place, with the terms that first stand here marked; with `help` beside it they are not."""
    if help:
        place.markdown(plain(text), help=help)
    else:
        # Not as Markdown with HTML, for which a page loads a parser.
        place.html(Markup(f'<p class="hg-explanation">{mark_html(text)}</p>'))


def mark_html(text: object) -> str:
    """`text` escaped for HTML, with the terms that first stand here marked."""
    plain_text = " ".join(str(text).split())
    seen: dict[str, str] = st.session_state.setdefault(_SEEN, {})
    parts, marked, is_after_term = [], set(), False
    for part, term in glossary.find_terms(plain_text):
        if is_after_term:
            # What follows without a space, such as a full stop, stays on the line of the term.
            glued = part.split(" ", 1)[0]
            parts[-1] = parts[-1].removesuffix("</span>") + escape(glued, quote=False) + "</span>"
            part = part.removeprefix(glued)
        is_after_term = False
        # A fragment that is drawn again marks the same terms again.
        if term is None or term.name in marked or seen.setdefault(term.name, plain_text) != plain_text:
            parts.append(escape(part, quote=False))
        else:
            marked.add(term.name)
            parts.append(_make_markup(escape(part, quote=False), term))
            is_after_term = True
    return "".join(parts)


def _make_markup(shown: str, term: Term) -> str:
    """The term as a button, and the definition that it shows."""
    name = f"hg-term-{term.slug}"
    link = f'<a href="glossary?term={term.slug}" target="_blank">Glossary</a>'
    return (
        f'<span class="hg-term"><button type="button" aria-describedby="{name}">{shown}</button>'
        f'<span class="hg-definition" role="tooltip" id="{name}"><b>{escape(term.name)}</b>: '
        f"{escape(term.definition)} {link}</span></span>"
    )
