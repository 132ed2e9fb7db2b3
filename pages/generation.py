"""Generation: images that each decoder makes of random codes, of codes on a path, and of codes chosen by hand."""

from core.types import IMAGES
from pages.ui.generation import arithmetic, interpolation, manifold, samples, sliders
from pages.ui.shared import header
from pages.ui.shared.section import show_tabs

# Name in the address -> label, and the function that draws the section
SECTIONS = {
    "samples": ("Samples", samples.draw),
    "manifold": ("2-D manifold", manifold.draw),
    "sliders": ("Sliders", sliders.draw),
    "between": ("Interpolation", interpolation.draw),
    "arithmetic": ("Arithmetic", arithmetic.draw),
}

header.begin_page("pages/generation.py")
show_tabs("Generation", {IMAGES: SECTIONS})
