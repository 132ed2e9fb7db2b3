"""Generation: rows that each decoder makes of random codes, of codes on a path, and of codes chosen by hand."""

from core.types import IMAGES, TABLES
from pages.ui.generation import (
    arithmetic,
    interpolation,
    manifold,
    samples,
    sliders,
    table_codes,
    table_comparison,
    table_samples,
)
from pages.ui.shared import header
from pages.ui.shared.section import show_tabs

# Kind of data set -> name in the address -> label, and the function that draws the section
SECTIONS = {
    IMAGES: {
        "samples": ("Samples", samples.draw),
        "manifold": ("2-D manifold", manifold.draw),
        "sliders": ("Sliders", sliders.draw),
        "between": ("Interpolation", interpolation.draw),
        "arithmetic": ("Arithmetic", arithmetic.draw),
    },
    TABLES: {
        "samples": ("Samples", table_samples.draw),
        "features": ("Features", table_comparison.draw_features),
        "correlations": ("Correlations", table_comparison.draw_correlations),
        "manifold": ("2-D manifold", table_codes.draw_plane),
        "sliders": ("Sliders", table_codes.draw_sliders),
        "between": ("Interpolation", table_codes.draw_interpolation),
        "arithmetic": ("Arithmetic", table_codes.draw_arithmetic),
    },
}

header.begin_page("pages/generation.py")
show_tabs("Generation", SECTIONS)
