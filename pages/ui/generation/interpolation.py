"""The section Interpolation: images decoded from the path between the codes of two test images."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis import error_comparison, interpolation
from core.analysis.codes import to_pixels
from core.analysis.rows import Rows
from core.types import Run, as_floats
from pages.ui.generation.encoded_rows import (
    N_OFFERED,
    EncodedRows,
    choose_row,
    encode_rows,
    has_classifier,
    make_strips,
)
from pages.ui.reconstructions import gan_inversion
from pages.ui.shared import image_grid, page_state, reconstructors
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Line

_N_STEPS = 11
PATHS = {"line": "Straight line", "arc": "Arc"}
PATHS_HELP = (
    "Arc: spherical interpolation around the origin. Codes drawn from N(0, I) lie near a sphere, whose inside a "
    "straight line crosses (White 2016)."
)
FUNCTIONS = {"line": interpolation.lerp, "arc": interpolation.slerp}


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        rows = section.find_rows(problems)
        methods, gan = section.find_reconstructors(rows), reconstructors.find_gan(view)
        section.require(methods or gan)
        section.explain(
            "Each method encodes two test images, and decodes points on the path between the two codes. In a good "
            "latent space the images in between look like data; mixed pixels show both images at once."
        )
        _draw_paths(methods, gan, rows, problems)


def _draw_paths(methods: Sequence[Reconstructor], gan: Line | None, rows: Rows, problems: list[str]) -> None:
    offered = error_comparison.draw_by_class(rows.y, N_OFFERED, page_state.read_seed(problems))
    ends = [choose_row(name, name.capitalize(), rows, offered, k, problems) for name, k in (("from", 2), ("to", 7))]
    icon = ":material/casino:"
    st.button("Resample", key=page_state.key("others"), on_click=_resample, icon=icon, help="Draw other rows.")
    path = page_state.choose("path", "Path between the two codes", PATHS, problems, PATHS_HELP)
    X = as_floats(rows.X[ends], rows.kind)
    encoded = [encode_rows(method, rows, ends) for method in methods]
    inversion = gan_inversion.read_inversion(gan, X) if gan else None
    if inversion:
        encoded.append(EncodedRows(gan, inversion.codes, inversion.note))
    shares = np.linspace(0, 1, _N_STEPS)
    mixed = to_pixels(interpolation.lerp(*X, shares))
    strips = make_strips(mixed, rows, "Mixed pixels", "no method", is_classified=False)
    for each in encoded:
        images = each.decode(FUNCTIONS[path](*each.codes, shares))
        strips += make_strips(images, rows, each.line.label, f"{each.codes.shape[1]}-D code", each.note)
    st.html(image_grid.make_grid(strips, 1))
    if has_classifier(rows):
        st.caption("Below each image: the class that the shipped classifier predicts.")
    if gan and not inversion:
        if gan_inversion.is_wanted():
            gan_inversion.invert(gan, X)
            st.rerun()
        gan_inversion.offer(gan)


def _resample() -> None:
    page_state.advance_seed()
    for name in ("from", "to"):
        page_state.keep(name, None, text=None)
