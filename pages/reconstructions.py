"""Reconstructions: test rows encoded and decoded by each method, and the errors."""

from core.types import IMAGES, TABLES
from pages.ui.reconstructions import (
    code_size,
    corrupted_input,
    depth,
    error_by_class,
    filled_cells,
    images,
    linear_ae,
    table_rows,
)
from pages.ui.shared import header
from pages.ui.shared.section import show_tabs

# Kind of data -> name in the address -> label, and the function that draws the section
SECTIONS = {
    IMAGES: {
        "images": ("Images", images.draw),
        "classes": ("Error by class", error_by_class.draw),
        "size": ("Error by dimensions", code_size.draw),
        "depth": ("Depth", depth.draw),
        "linear": ("Linear AE and PCA", linear_ae.draw),
        "damage": ("Corrupted input", corrupted_input.draw),
    },
    TABLES: {
        "rows": ("Rows", table_rows.draw),
        "classes": ("Error by feature and class", error_by_class.draw),
        "size": ("Error by dimensions", code_size.draw),
        "depth": ("Depth", depth.draw),
        "linear": ("Linear AE and PCA", linear_ae.draw),
        "damage": ("Corrupted input", corrupted_input.draw),
        "hidden": ("Hidden cells", filled_cells.draw),
    },
}

header.begin_page("pages/reconstructions.py")
show_tabs("Reconstructions", SECTIONS)
