"""Reparameterization: two unbiased gradients of the same mean, and their variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.mechanisms import reparameterization
from core.mechanisms.reparameterization import REPARAMETERIZED, SCORE, Cost, Quadratic, Sines
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls
from pages.ui.text import Markup

_DIMENSIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SIGMAS = (0.1, 0.2, 0.5, 1.0, 2.0)
_TARGETS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_FREQUENCIES = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
_COUNTS = (1, 10, 100, 1000)
_MU = 1.0
_REPEATS = 400
# So many normal numbers are drawn within the blink that a control may take.
_MOST_NUMBERS = 2_000_000
_LEAST_DRAWS = 4000
_QUADRATIC, _SINES = "quadratic", "sines"


def draw(controls: Controls) -> None:
    frame.begin(
        "Two ways to estimate the same gradient, both right on average. With f(z) = |z − a|² the score function's "
        "variance outgrows the other's with every number in z; with fast sines it can be the smaller one.",
        r"\nabla_\mu \mathbb{E}_{z \sim \mathcal{N}(\mu, \sigma^2 I)} f(z) = "
        r"\mathbb{E}\,\underbrace{f(z)\,\frac{z - \mu}{\sigma^2}}_{\text{score function}} = "
        r"\mathbb{E}_{\epsilon}\,\underbrace{f'(\mu + \sigma \epsilon)}_{\text{reparameterized}},\quad "
        r"\epsilon \sim \mathcal{N}(0, I)",
    )
    st.html(_graphs(frame.theme()))
    with frame.controls():
        kind = controls.segments("f", "f(z)", {_QUADRATIC: "|z − a|²", _SINES: "Σ sin(w z)"})
        if kind == _QUADRATIC:
            cost: Cost = Quadratic(controls.slide("a", "a, in every place", _TARGETS, 0.0, "μ is 1 in every place."))
        else:
            cost = Sines(controls.slide("w", "w", _FREQUENCIES, 1.0, "How fast the sine goes."))
        d = controls.slide("size", "Numbers in z", _DIMENSIONS, 16)
        sigma = controls.slide("sigma", "σ", _SIGMAS, 1.0, "Standard deviation of z in every place.")
        size = controls.slide("draws", "Draws an estimate", _COUNTS, 10, "An estimate is the mean of so many draws.")
        seed = controls.seed()
    found = _found(cost, d, sigma, size, seed)
    frame.charts(*_figures(cost, d, sigma, size, seed, frame.theme()), key="gradients")
    frame.settle(_verdict(found, cost, d))
    st.caption(
        "μ is 1 in every place. Exact gradients and variances are closed; a variance is that of one draw, summed over "
        "the numbers of the gradient."
    )


@dataclass(frozen=True)
class _Found:
    """By estimator, means of `size` draws of the gradient's first number, and variances of one draw."""

    n: int
    means: dict[str, np.ndarray]
    exact: float
    deviations: dict[str, float]
    closed: dict[str, float]
    measured_ratio: float


@st.cache_resource(max_entries=64, show_spinner=False)
def _found(cost: Cost, d: int, sigma: float, size: int, seed: int) -> _Found:
    mu = np.full(d, _MU)
    n = max(_LEAST_DRAWS, min(_MOST_NUMBERS // d, _REPEATS * size * 4))
    draws = reparameterization.draw(cost, mu, sigma, n, np.random.default_rng(seed))
    both = (SCORE, REPARAMETERIZED)
    return _Found(
        n=n,
        means={name: reparameterization.means_of(draws.of(name)[:, 0], size) for name in both},
        exact=float(draws.exact[0]),
        deviations={name: float(draws.deviations(name)[0]) for name in both},
        closed={name: cost.variance(name, mu, sigma) for name in both},
        measured_ratio=draws.ratio,
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(cost: Cost, d: int, sigma: float, size: int, seed: int, theme: str):
    from core.figures.mechanisms import estimators as figures  # plotly

    found = _found(cost, d, sigma, size, seed)
    exact = [cost.ratio(np.full(each, _MU), sigma) for each in _DIMENSIONS]
    return (
        figures.histograms(found.means, found.exact, size, theme),
        figures.ratios(_DIMENSIONS, exact, d, found.measured_ratio, theme),
        figures.errors(np.array([1, 10, 100, 1000, 10_000]), found.closed, theme),
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def _graphs(theme: str) -> Markup:
    from core.figures.mechanisms import estimators as figures  # plotly

    return Markup(f'<div class="hg-graphs">{"".join(f"<div>{svg}</div>" for svg in figures.graphs(theme))}</div>')


def _verdict(found: _Found, cost: Cost, d: int) -> str:
    ratio = found.closed[SCORE] / found.closed[REPARAMETERIZED] if found.closed[REPARAMETERIZED] > 1e-12 else np.inf
    off = [abs(found.deviations[name]) for name in (SCORE, REPARAMETERIZED)]
    both = "within chance of both" if max(off) <= 3 else "further than chance explains"
    text = (
        f"Over {found.n:,} draws the means are {off[0]:.1f} and {off[1]:.1f} standard errors from the exact gradient "
        f"{found.exact:.4g}, {both}: neither is biased. "
    )
    if not np.isfinite(ratio):
        return text + "Reparameterization has no variance at all here."
    winner = (
        "the score function needs that many times the draws for the same error"
        if ratio >= 1
        else "here the score function has the smaller variance"
    )
    return text + (
        f"With {d} {'number' if d == 1 else 'numbers'} in z the variance of the score function is {ratio:,.3g} times "
        f"the other's (measured {found.measured_ratio:,.3g}): {winner}."
    )
