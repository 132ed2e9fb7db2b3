"""Generation: what each decoder can make."""

from __future__ import annotations

from pages.ui import between, manifold, morph, nav, sampled, sections

# section -> (what people read, what draws it)
SECTIONS = {
    "samples": ("Samples", sampled.draw),
    "manifold": ("2-D manifold", manifold.draw),
    "sliders": ("Sliders", morph.draw),
    "between": ("Between two images", between.interpolate),
    "arithmetic": ("Arithmetic", between.add),
}

nav.header("pages/generation.py")
sections.show("Generation", SECTIONS)
nav.settle()
