"""A generator and its distribution: a known one pushed through a decoder, with Bernoulli or Normal output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.figures import rasters
from core.mechanisms import output_distributions
from core.mechanisms.estimates import Estimate
from core.mechanisms.output_distributions import BERNOULLI, NORMAL, SIDE, Spot
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls
from pages.ui.pictures import image
from pages.ui.text import Markup, html

_RADII = (0.1, 0.15, 0.25, 0.4, 0.6)
_NOISES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
_SHOWN, _CODES = 8, 400
_DRAWS = (10, 100, 1000, 10_000)


def draw(controls: Controls) -> None:
    frame.begin(
        "An easy known distribution, N(0, I), is pushed through a decoder that places a spot. Its output is no image "
        "but the parameters of a distribution over images: compare them (first row) with draws (below), which "
        "Bernoulli pixels make black and white and Normal pixels make noisy.",
        r"z \sim p(z) = \mathcal{N}(0, I)",
        r"{x \sim p_\theta(x|z) = \prod_i \mathrm{Bernoulli}(x_i;\, m_i(z))}\quad\allowbreak"
        r"{\text{or}\quad \prod_i \mathcal{N}(x_i;\, m_i(z), \sigma^2)}",
    )
    with frame.controls():
        output = controls.segments("output", "Output", {BERNOULLI: "Bernoulli", NORMAL: "Normal"})
        radius = controls.slide("radius", "Radius of the spot", _RADII, 0.25, "As a share of half the image's side.")
        noise = 0.0
        if output == NORMAL:
            noise = controls.slide("noise", "σ of a pixel", _NOISES, 0.1, "Black is 0, white is 1.")
        n = controls.slide("draws", "Draws for the averages", _DRAWS, 1000)
        seed = controls.seed()
    spot = Spot(output, radius, noise)
    found = _found(spot, n, seed)
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        frame.chart(_prior(seed, frame.theme()), "prior")
    with right:
        st.html(_rows(found))
    frame.settle(_verdict(spot, found))
    st.caption(
        "Shares of variance are summed over the 256 pixels: two draws of the same code agree in what the code explains "
        "and in nothing else (law of total variance). Greys outside 0 to 1 are clipped in the pictures alone."
    )


@dataclass(frozen=True)
class _Found:
    """Pictures (n, 256) and numbers."""

    parameters: np.ndarray
    draws: tuple[np.ndarray, np.ndarray]
    average: np.ndarray
    mean: np.ndarray
    brightness: Estimate
    explained: Estimate


@st.cache_resource(max_entries=64, show_spinner=False)
def _found(spot: Spot, n: int, seed: int) -> _Found:
    parameters = spot.parameters(_codes(seed)[:_SHOWN])
    rng = np.random.default_rng([seed, 1])
    images = spot.draw(spot.parameters(rng.standard_normal((n, 2))), rng)
    return _Found(
        parameters=parameters,
        draws=(spot.draw(parameters, rng), spot.draw(parameters, rng)),
        average=images.mean(0),
        mean=spot.mean,
        brightness=output_distributions.drawn_brightness(images),
        explained=output_distributions.drawn_explained(spot, n, rng),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _codes(seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 0]).standard_normal((_CODES, 2))


@st.cache_resource(max_entries=16, show_spinner=False)
def _prior(seed: int, theme: str):
    from core.figures.mechanisms import codes as figures  # plotly

    return figures.prior(_codes(seed), _SHOWN, theme)


def _rows(found: _Found) -> Markup:
    strips = [
        ("Parameters m(z), of codes 1 to 8", found.parameters),
        ("A draw x ~ p(x|z)", found.draws[0]),
        ("Another draw of the same codes", found.draws[1]),
    ]
    made = [_strip(name, pixels, _SHOWN) for name, pixels in strips]
    # Averages are dark: both are brightened by the same factor.
    factor = 1 / max(float(found.mean.max()), 1e-9)
    both = np.stack([found.average, found.mean]) * factor
    made.append(_strip(f"Average of {found.brightness.n:,} draws, and E x exactly (brightened)", both, _SHOWN))
    return Markup(f'<div class="hg-mechanism-strips">{"".join(made)}</div>')


def _strip(name: str, pixels: np.ndarray, columns: int) -> str:
    grey = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    png = rasters.png(rasters.montage(grey, (SIDE, SIDE), columns, cell=64))
    return f"<figure><figcaption>{html(name)}</figcaption>{image(png, name, 'hg-strip')}</figure>"


def _verdict(spot: Spot, found: _Found) -> str:
    share, exact = found.explained, output_distributions.explained(spot)
    bright, sum_exact = found.brightness, output_distributions.brightness(spot)
    percent = Estimate(100 * share.value, 100 * share.error, share.n)
    return (
        f"The code explains {frame.spelled(percent, '%')} of the images' variance over {share.n:,} codes; exactly "
        f"{100 * exact:.2f} %, {frame.agreement(share, exact)}. The rest is the output distribution's. Mean sum of an "
        f"image's pixels: {frame.spelled(bright)}; exactly {sum_exact:.3f}, {frame.agreement(bright, sum_exact)}."
    )
