"""Reparameterization, live in the browser: a digit, its q(z|x), z = mu + sigma * eps, and the decoded image."""

import numpy as np
import streamlit as st

from core import cache, datasets
from core.analysis import decoder_export, posterior_width
from core.datasets import embedded_samples, user_image
from core.frontend import reparameterization
from core.methods.params import LOG_VARIANCE_RANGE
from core.runs import reader
from core.types import Run
from pages.ui.shared import stored_runs
from pages.ui.shared.components import get_component
from pages.ui.shared.stored_runs import Stamp

_DATASET = "mnist"


def draw() -> str:
    """Draw the component, and return how wide q(z|x) is over stored test images, and what that does to the image."""
    run = stored_runs.find_shipped(_DATASET, "vae", 2)
    message, finding = _make_message(stored_runs.make_stamp(run.place), run)
    get_component("reparameterization")(data=message, key="reparameterization")
    return finding


@st.cache_resource(max_entries=2, show_spinner=False)
def _make_message(stamp: Stamp, _run: Run) -> tuple[bytes, str]:
    weights = reader.read_weights(_run.place)
    encoder = decoder_export.export_stored_layers(_run, weights, "encoder")
    decoder = decoder_export.export_stored_decoder(_run, weights)
    views = _run.views
    labels = views["labels"][np.searchsorted(views["shown_rows"], views["strip_rows"])]
    message = reparameterization.make_message(
        cache.make_key("reparameterization", *stamp),
        encoder,
        decoder,
        views["codes"],
        views["labels"],
        views["originals"],
        views["strip_rows"],
        labels,
        _run.notes["target_names"],
        _run.environment["image_shape"],
        LOG_VARIANCE_RANGE,
        (user_image.BRUSH, user_image.MOST_POINTS, user_image.MOST_STROKES),
    )
    X = datasets.load(next(name for name, full in embedded_samples.FULL.items() if full == _DATASET)).floats("test")
    width = posterior_width.measure_width(encoder, decoder, X)
    deviations = " and ".join(f"{deviation:.3f} in z{'₁₂'[k]}" for k, deviation in enumerate(width.deviations))
    return message, (
        f"Over {width.n:,} test images the median standard deviation of q(z|x) is {deviations}; that of p(z) is 1. A "
        f"throw of ε changes the decoded image by a mean squared error per image of {width.change:.2f}; the image "
        f"decoded at μ differs from x by {width.error:.1f}."
    )
