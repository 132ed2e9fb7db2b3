"""Reparameterization: two unbiased estimators of the same gradient, and their variances."""

import numpy as np
import streamlit as st

from core.figures.mechanisms import gradient_estimators as figures
from core.mechanisms import gradient_estimators
from core.mechanisms.gradient_estimators import REPARAMETERIZED, SCORE, Cost, Quadratic, Sines, measure_variance
from core.mechanisms.monte_carlo import Estimate
from pages.ui.shared import experiment, header, images
from pages.ui.shared.experiment import Controls
from pages.ui.shared.text import Markup

_DIMENSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_MU = 1.0
_REPEATS = 400
_MOST_NUMBERS = 2_000_000  # are drawn in a fraction of a second
_LEAST_SAMPLES = 4000


def draw(controls: Controls) -> None:
    experiment.introduce(
        "Two unbiased estimators of the same gradient. With f(z) = |z − a|² the variance of the score function grows "
        "faster with the dimension of z; with high-frequency sines it can be the smaller one.",
        r"\nabla_\mu \mathbb{E}_{z \sim \mathcal{N}(\mu, \sigma^2 I)} f(z) = "
        r"\mathbb{E}\,\underbrace{f(z)\,\frac{z - \mu}{\sigma^2}}_{\text{score function}} = "
        r"\mathbb{E}_{\epsilon}\,\underbrace{f'(\mu + \sigma \epsilon)}_{\text{reparameterized}},\quad "
        r"\epsilon \sim \mathcal{N}(0, I)",
    )
    with experiment.make_controls_row():
        kind = controls.choose_segment("f", "f(z)", {"quadratic": "|z − a|²", "sines": "Σ sin(w z)"})
        if kind == "quadratic":
            help = "Equal in every dimension, as is μ = 1."
            cost: Cost = Quadratic(controls.choose_value("a", "a", (-2.0, -1.0, 0.0, 1.0, 2.0), 0.0, help))
        else:
            cost = Sines(controls.choose_value("w", "Frequency w", (0.5, 1.0, 2.0, 3.0, 5.0, 8.0), 1.0))
        d = controls.choose_value("size", "Latent dimensions", _DIMENSIONS, 16)
        label, sigmas, help = "Standard deviation σ", (0.1, 0.2, 0.5, 1.0, 2.0), "Of z, in every dimension."
        sigma = controls.choose_value("sigma", label, sigmas, 1.0, help)
        sizes, help = (1, 10, 100, 1000), "An estimate is their mean."
        size = controls.choose_value("draws", "Samples per estimate", sizes, 10, help)
        seed = controls.choose_seed()
    charts, finding, checks, n = _sample_gradients(cost, d, sigma, size, seed, header.get_theme())
    experiment.draw_charts(*charts, key="gradients")
    graphs = "".join(images.vector(svg, about) for about, svg in figures.render_graphs(header.get_theme()).items())
    st.html(Markup(f'<div class="hg-graphs">{graphs}</div>'))
    experiment.state_finding(finding)
    experiment.draw_checks("gradients", checks)
    experiment.show_details(
        f"Means over {n:,} samples; μ is 1 in every dimension. Exact values are in closed form. A variance is that of "
        "one sample, summed over the components of the gradient."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _sample_gradients(
    cost: Cost, d: int, sigma: float, size: int, seed: int, theme: str
) -> tuple[list, str, dict, int]:
    """Charts, the finding, checks of the gradient's first component, and the number of samples."""
    mu = np.full(d, _MU)
    n = max(_LEAST_SAMPLES, min(_MOST_NUMBERS // d, _REPEATS * size * 4))
    draws = gradient_estimators.sample_gradients(cost, mu, sigma, n, np.random.default_rng(seed))
    exact, variances = float(cost.gradient(mu, sigma)[0]), {name: cost.variance(name, mu, sigma) for name in draws}
    means = {name: gradient_estimators.average_in_groups(rows[:, 0], size) for name, rows in draws.items()}
    ratios, ratio = [cost.ratio(np.full(k, _MU), sigma) for k in _DIMENSIONS], cost.ratio(mu, sigma)
    measured = measure_variance(draws[SCORE]) / measure_variance(draws[REPARAMETERIZED])
    charts = [
        figures.plot_estimates(means, exact, size, theme),
        figures.plot_variance_ratios(_DIMENSIONS, ratios, d, measured, theme),
        figures.plot_errors(np.array([1, 10, 100, 1000, 10_000]), variances, theme),
    ]
    effect = "it needs that many times the samples for the same error" if ratio >= 1 else "here it needs fewer samples"
    finding = (
        f"The score function has {experiment.format_power(ratio)} times the variance of the reparameterized estimator "
        f"(measured: {experiment.format_power(measured)}): {effect}."
    )
    checks = {
        f"First component of the gradient, {figures.NAMES[name]}": (Estimate.from_draws(rows[:, 0]), exact)
        for name, rows in draws.items()
    }
    return charts, finding, checks, n
