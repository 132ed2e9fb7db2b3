"""Documents: what LSA and autoencoders make of the words of documents."""

from __future__ import annotations

from core import recipes
from core.types import DOCUMENTS
from pages.ui import asked, axes, document_numbers, linked, nav, retrieved, sections, topics

# section -> (what people read, what draws it)
SECTIONS = {
    "maps": ("Maps", topics.draw),
    "axes": ("What an axis means", axes.draw),
    "retrieval": ("Retrieval", retrieved.draw),
    "query": ("Your query", asked.draw),
    "numbers": ("Numbers", document_numbers.draw),
}

nav.header("pages/documents.py")
linked.prepare()
sections.show("Documents", SECTIONS, DOCUMENTS, recipes.DOCUMENT_SIZES)
nav.settle()
