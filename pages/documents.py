"""Documents: what LSA and autoencoders learn from the words of documents."""

from core.runs import presets
from core.types import DOCUMENTS
from pages.ui.documents import latent_traversal, maps, metrics, query_answers, retrieval
from pages.ui.shared import header
from pages.ui.shared.section import show_tabs

# name in the address -> label, and the function that draws the section
SECTIONS = {
    "maps": ("Maps", maps.draw),
    "axes": ("Latent dimensions", latent_traversal.draw),
    "retrieval": ("Retrieval", retrieval.draw),
    "query": ("Your query", query_answers.draw),
    "numbers": ("Measures", metrics.draw),
}

header.begin_page("pages/documents.py")
show_tabs("Documents", {DOCUMENTS: SECTIONS}, presets.DOCUMENT_SIZES)
