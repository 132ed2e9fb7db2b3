"""Pictures of slides 10 to 14: a generator, two ways to measure it, and an autoencoder as a generator."""

import numpy as np
import streamlit as st

from core.mechanisms import output_distributions
from core.mechanisms.output_distributions import BERNOULLI, SIDE, Similarity, Spot
from core.runs import presets, specs
from pages.ui.mechanisms import random_codes
from pages.ui.shared import experiment, header
from pages.ui.shared.experiment import Controls
from pages.ui.shared.text import Markup

_THETAS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6)
_DATA = Spot(BERNOULLI, 0.25)
_N_SHOWN, _N_COMPARED = 8, 100


def draw_generator(controls: Controls) -> str:
    """Data beside generated images, and two measures of their similarity; the control moves the generator's theta."""
    theta = controls.choose_value("theta", "θ, the generator's radius", _THETAS, 0.4, None, "{:g}".format)
    images = _sample_images(theta)
    left, right = st.columns([1, 1.7])
    with left:
        experiment.draw_strips(images, (SIDE, SIDE), _N_SHOWN // 2, cell=64)
    with right:
        st.html(_plot_measures(theta, header.get_theme(), 320 if header.is_large() else 340))
    return _describe(theta, dict(zip(_THETAS, _compare(), strict=True)))


@st.cache_resource(max_entries=16, show_spinner=False)
def _sample_images(theta: float) -> dict[str, np.ndarray]:
    spots = {"Data x": (_DATA, 0), "Generated: x ~ p(x|z)": (Spot(BERNOULLI, theta), 1)}
    images = {name: output_distributions.sample_images(spot, _N_SHOWN, seed) for name, (spot, seed) in spots.items()}
    return {name: np.uint8(255 * rows) for name, rows in images.items()}


@st.cache_resource(max_entries=1, show_spinner=False)
def _compare() -> list[Similarity]:
    return output_distributions.compare_with_data(_DATA, [Spot(BERNOULLI, theta) for theta in _THETAS], _N_COMPARED)


@st.cache_resource(max_entries=16, show_spinner=False)
def _plot_measures(theta: float, theme: str, width: int) -> Markup:
    from core.figures.mechanisms import similarity as figures

    chart = figures.plot_two_measures(_THETAS, _compare(), _THETAS.index(theta), theme)
    return experiment.render_still(chart, theme, width)


def _describe(theta: float, found: dict[float, Similarity]) -> str:
    likeliest = max(found, key=lambda each: found[each].log_likelihood.value)
    hardest = min(found, key=lambda each: found[each].accuracy.value)
    best = f"Both are best at θ = {likeliest:g}"
    if likeliest != hardest:
        best = f"The likelihood is best at θ = {likeliest:g}, the discriminator is fooled most at {hardest:g}"
    likelihood = experiment.format_estimate(found[theta].log_likelihood, "nats")
    return (
        f"At θ = {theta:g} the data have a mean log-likelihood of {likelihood} an image, and the best discriminator "
        f"classifies {found[theta].accuracy.value:.1%} of real and generated images correctly. {best} of the values "
        f"here ({_N_COMPARED} images of each kind)."
    )


def draw_random_codes(controls: Controls) -> str:
    """The codes of an AE with 10 latent dimensions, and decoded random codes; the control chooses their source."""
    kind = controls.choose_segment("codes", "Sample codes from", random_codes.SAMPLERS)
    # All at once: the control then answers from the cache.
    drawn, picture = {each: _draw_codes(each, header.get_theme()) for each in random_codes.SAMPLERS}[kind]
    random_codes.draw_codes(drawn, picture)
    return drawn.failure


@st.cache_resource(max_entries=8, show_spinner=False)
def _draw_codes(kind: str, theme: str) -> tuple[random_codes.DrawnCodes, Markup]:
    params = presets.list_presets("mnist", "ae", 10)[presets.BEST]
    key = specs.make_at_size("mnist", "ae", 10, params).key
    drawn = random_codes.sample_codes(key, kind, seed=0, names_classes=False)
    return drawn, experiment.render_still(drawn.chart, theme, 320, 320)
