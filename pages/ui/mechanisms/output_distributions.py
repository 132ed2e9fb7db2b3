"""Output distributions: a decoder's output as the parameters of Bernoulli or Normal pixels."""

import numpy as np
import streamlit as st

from core.figures.mechanisms import codes as figures
from core.mechanisms import output_distributions
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.output_distributions import BERNOULLI, FIXED, NORMAL, SIDE, Spot
from pages.ui.shared import experiment, header
from pages.ui.shared.experiment import Controls

_N_SHOWN, _N_CODES = 8, 400
_OUTPUTS = {BERNOULLI: "Bernoulli", NORMAL: "Normal, mean and σ", FIXED: "Normal, mean alone"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "Latent codes z from N(0, I) are decoded into the parameters of a distribution over images of a spot (first "
        "rows): the probability of white of every pixel, or a mean and a standard deviation. Samples x of that "
        "distribution are black and white with Bernoulli pixels and noisy with Normal pixels.",
        r"z \sim p(z) = \mathcal{N}(0, I)",
        r"{x \sim p_\theta(x|z) = \prod_i \mathrm{Bernoulli}(x_i;\, m_i(z))}\quad\allowbreak"
        r"{\text{or}\quad \prod_i \mathcal{N}(x_i;\, m_i(z), \sigma_i(z)^2)}",
    )
    with experiment.make_controls_row():
        output = controls.choose_segment("output", "Output distribution", _OUTPUTS)
        help = "As a share of half the image's side."
        radius = controls.choose_value("radius", "Spot radius", (0.1, 0.15, 0.25, 0.4, 0.6), 0.25, help)
        noise = 0.0
        if output != BERNOULLI:
            label, noises = "Largest σ of a pixel", (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
            about = "Black is 0, white is 1. From the generator σ is largest at the edge of the spot."
            noise = controls.choose_value("noise", label, noises, 0.2, about)
        n = controls.choose_value("draws", "Samples for the means", (100, 1000, 10_000), 1000)
        seed = controls.choose_seed()
    spot = Spot(output, radius, noise)
    strips, brightness, explained = _sample(spot, n, seed)
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        experiment.draw_charts(figures.plot_prior(_sample_codes(seed), _N_SHOWN, header.get_theme()), key="prior")
    with right:
        experiment.draw_strips(strips, (SIDE, SIDE), _N_SHOWN, cell=64)
    exact = output_distributions.compute_explained_variance(spot)
    experiment.state_finding(
        f"The latent code explains {exact:.1%} of the variance of the images; the output distribution adds the rest."
    )
    checks = {
        "Variance explained by the code (%)": (experiment.to_percent(explained), 100 * exact),
        "Mean sum of the pixels": (brightness, float(spot.mean.sum())),
    }
    experiment.draw_checks("generator", checks)
    experiment.show_details(
        "Variances are summed over the 256 pixels. The explained variance is estimated from pairs of samples with the "
        "same code (law of total variance). Grey values outside 0 to 1 are clipped in the pictures only."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _sample(spot: Spot, n: int, seed: int) -> tuple[dict[str, np.ndarray], Estimate, Estimate]:
    """Images by title, mean sum of their pixels, and variance explained by the code."""
    parameters = spot.compute_parameters(_sample_codes(seed)[:_N_SHOWN])
    rng = np.random.default_rng([seed, 1])
    images = spot.draw(spot.compute_parameters(rng.standard_normal((n, 2))), rng)
    strips = {
        f"Means m(z) of codes 1 to {_N_SHOWN}": parameters,
        **({} if spot.output == BERNOULLI else {"Standard deviations σ(z)": spot.compute_deviations(parameters)}),
        "Samples x ~ p(x|z)": spot.draw(parameters, rng),
        "New samples, same codes": spot.draw(parameters, rng),
        # Means are dark: both are brightened by the same factor.
        f"Mean of {n:,} samples; exact mean (both brightened)": np.stack([images.mean(0), spot.mean])
        / max(float(spot.mean.max()), 1e-9),
    }
    greys = {title: np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8) for title, pixels in strips.items()}
    explained = output_distributions.estimate_explained_variance(spot, n, rng)
    # Exact: few images of a small spot may all be alike, and their own deviation says nothing.
    error = float(np.sqrt(spot.variance_of_sum / n))
    return greys, Estimate(float(images.sum(1).mean()), error, n), explained


def _sample_codes(seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 0]).standard_normal((_N_CODES, 2))
