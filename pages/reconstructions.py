"""Reconstructions: what each code keeps of an image."""

from __future__ import annotations

from pages.ui import by_class, by_depth, by_size, damaged, linear, nav, rebuilt, sections

# section -> (what people read, what draws it)
SECTIONS = {
    "images": ("Images", rebuilt.draw),
    "classes": ("Error by class", by_class.draw),
    "size": ("Code size", by_size.draw),
    "depth": ("Depth", by_depth.draw),
    "linear": ("Linear AE = PCA", linear.draw),
    "damage": ("Broken input", damaged.draw),
}

nav.header("pages/reconstructions.py")
sections.show("Reconstructions", SECTIONS)
nav.settle()
