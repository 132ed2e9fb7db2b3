"""Glossary: the terms of the lecture, each with a definition of one sentence."""

import streamlit as st

from core.lecture import glossary
from pages.ui.shared import header, page_state
from pages.ui.shared.text import Markup, html, plain

header.begin_page(header.GLOSSARY)
st.title("Glossary", anchor=False)
terms = glossary.read_terms()
linked = page_state.read_link("term")
chosen = next((term for term in terms if term.slug == linked), None)
if linked is not None and chosen is None:
    st.warning(plain(f"The link asks for the term “{linked[:40]}”, which is not in the glossary."))
if chosen is not None:
    st.html(Markup(f'<p class="hg-look-for"><b>{html(chosen.name)}</b>: {html(chosen.definition)}</p>'))
if not terms:
    st.error("The glossary can't be shown: assets/glossary.toml is missing or damaged.")
rows = [f"<dt>{html(term.name)}</dt><dd>{html(term.definition)}</dd>" for term in terms]
st.html(Markup(f'<dl class="hg-glossary">{"".join(rows)}</dl>'))
header.end_page()
