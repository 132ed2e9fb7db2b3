"""Naive sampling: few pairs (z, x) contribute to the gradient, and what an encoder changes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.figures.mechanisms import naive_sampling as figures
from core.mechanisms import linear_gaussian, naive_sampling
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.naive_sampling import Encoder, EstimateError, Objectives
from pages.ui.shared import experiment, header, tables
from pages.ui.shared.experiment import Controls
from pages.ui.shared.tables import Cell

_ROWS, _ROWS_SHOWN, _CODES_SHOWN = 64, 16, 64
_COUNTS = (1, 3, 10, 30, 100, 300, 1000, 3000)
_MOST = max(_COUNTS)
_REPEATS = 100
_SCALES = np.linspace(0, 1.6, 17)
_N_CODES = 256
# The charts of shares have fewer values than can be chosen, and at most so many codes.
_SIZES_SWEPT, _NOISES_SWEPT, _MOST_SWEPT = (1, 2, 4, 8, 16), (0.1, 0.2, 0.5, 1.0, 2.0), 256
_KNOWN = "The generator is linear, x = W z + Normal noise in 16 dimensions, so log p(x) is known exactly."
_PAIRS, _ESTIMATE, _OBJECTIVES = "pairs", "estimate", "trap"
_VIEWS = {_PAIRS: "Contributing pairs", _ESTIMATE: "Estimate of log p(x)", _OBJECTIVES: "Averaging log p(x|z)"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "With codes z from the prior, few pairs (z, x) contribute to the gradient: the more latent dimensions and the "
        "smaller the output variance, the fewer. An encoder proposes codes near the posterior p(z|x), and more pairs "
        "contribute.",
        r"\log p_\theta(x) \approx \log \frac1K \sum_k p_\theta(x|z_k),\ z_k \sim p(z)",
        r"{\nabla_\theta \log p_\theta(x) \approx \sum_k w_k \nabla_\theta \log p_\theta(x|z_k),}\quad\allowbreak"
        r"{w_k = \frac{p_\theta(x|z_k)}{\sum_j p_\theta(x|z_j)}}",
    )
    with experiment.make_controls_row():
        view = controls.choose_segment("show", "View", _VIEWS)
    with experiment.make_controls_row(2):
        size = controls.choose_value("size", "Latent dimensions", (1, 2, 3, 4, 6, 8, 12, 16), 4)
        help = "Standard deviation of p(x|z); a step of 1 in a latent dimension moves x by 1."
        noises = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
        noise = controls.choose_value("noise", "Output standard deviation", noises, 0.3, help)
        if view == _PAIRS:
            k = controls.choose_value("codes", "Codes per step", (16, 64, 256, 1024), 256)
        if view != _OBJECTIVES:
            help = "Standard deviation of q(z|x), relative to that of the posterior p(z|x): 1 is a perfect encoder."
            spreads = (0.8, 1.0, 1.1, 1.3, 1.6, 2.0)
            spread = controls.choose_value("spread", "Encoder standard deviation", spreads, 1.3, help)
        seed = controls.choose_seed()
    if view == _PAIRS:
        _show_pairs(size, noise, k, spread, seed)
    elif view == _ESTIMATE:
        _show_estimate(size, noise, spread, seed)
    else:
        _show_objectives(size, noise, seed)


def _show_pairs(size: int, noise: float, k: int, spread: float, seed: int) -> None:
    experiment.draw_charts(*_plot_pairs(size, noise, k, spread, seed, header.get_theme()), key="pairs")
    pairs = _compute_pairs(size, noise, k, spread, seed)
    prior, encoder = pairs.share
    experiment.state_finding(
        f"99% of the gradient comes from {prior:.2%} of the pairs with codes from the prior "
        f"({pairs.effective[0] * k:.1f} of {k:,} effective samples), and from {encoder:.1%} with codes from the "
        f"encoder ({pairs.effective[1] * k:.0f} of {k:,})."
    )
    experiment.show_details(
        f"{_KNOWN} Shares are over {_ROWS} data points with {k:,} codes each; the first picture shows the first of "
        "them. The gradient is that with respect to W and the bias. Effective samples: 1 / sum of squared weights "
        f"(Kong 1992). The other two charts vary one setting, with at most {_MOST_SWEPT} codes."
    )


@dataclass(frozen=True)
class _Pairs:
    """Shares of contributing pairs and effective samples of prior and encoder; pairs to show."""

    share: tuple[float, float]
    effective: tuple[float, float]
    weights: np.ndarray
    contributing: np.ndarray


@st.cache_resource(max_entries=512, show_spinner=False)
def _compute_pairs(size: int, noise: float, k: int, spread: float, seed: int) -> _Pairs:
    model, rng = linear_gaussian.make_example(size, noise), np.random.default_rng([seed, 0])
    X, _ = model.sample(_ROWS, rng)
    by_prior = naive_sampling.weigh_pairs(model, X, rng.standard_normal((k, size)))
    by_encoder = naive_sampling.weigh_pairs(model, X, *Encoder(spread).propose(model, X, k, rng))
    shown = slice(_ROWS_SHOWN), slice(_CODES_SHOWN)
    return _Pairs(
        share=(by_prior.share, by_encoder.share),
        effective=(by_prior.effective_samples / k, by_encoder.effective_samples / k),
        weights=by_prior.weights[shown].copy(),  # not a view, which would hold all of them
        contributing=by_prior.contributing[shown].copy(),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _plot_pairs(size: int, noise: float, k: int, spread: float, seed: int, theme: str) -> list:
    pairs, swept = _compute_pairs(size, noise, k, spread, seed), min(k, _MOST_SWEPT)
    charts = [figures.plot_pairs(pairs.weights, pairs.contributing, theme)]
    for name, now, settings in (
        ("latent dimensions", size, {value: (value, noise) for value in _SIZES_SWEPT}),
        ("output standard deviation", noise, {value: (size, value) for value in _NOISES_SWEPT}),
    ):
        points = [_compute_pairs(*setting, swept, spread, seed) for setting in settings.values()]
        lines = [([p.share[j] for p in points], [p.effective[j] for p in points]) for j in (0, 1)]
        charts.append(figures.plot_shares(list(settings), *lines, now, name, theme))
    return charts


def _show_estimate(size: int, noise: float, spread: float, seed: int) -> None:
    marginal = _estimate_marginal(size, noise, spread, seed, header.get_theme())
    experiment.draw_charts(marginal.chart, key="estimate")
    prior, encoder = marginal.errors.values()
    spreads = [experiment.format_error(error.deviation) for error in (prior, encoder)]
    finding = (
        f"With {_MOST:,} codes from the prior, the estimate has a bias of {_format(prior.bias)} nats and a standard "
        f"deviation of {spreads[0]} nats; with codes from the encoder, {_format(encoder.bias)} and {spreads[1]} nats."
    )
    if marginal.n_needed > _MOST:
        needed = experiment.format_power(marginal.n_needed)
        finding += f" A mean over {needed} codes from the prior would still have a standard error as large as p(x)."
    experiment.state_finding(finding)
    rows = [
        [
            tables.text(name),
            experiment.make_cell(error.bias),
            *(Cell(experiment.format_error(value), value) for value in (error.deviation, error.root_mean_square)),
        ]
        for name, error in marginal.errors.items()
    ]
    head = ("Codes from", "Bias ± standard error, nats", "Standard deviation, nats", "Root mean square error, nats")
    tables.draw(head, rows, "marginal")
    experiment.show_details(
        f"{_KNOWN} Here it is {marginal.exact:.3f} nats. The table has the errors of {_MOST:,} codes over {_REPEATS} "
        f"repeats; bands contain 90% of the repeats."
    )


def _format(bias: Estimate) -> str:
    return experiment.format_value(bias.value, bias.error)


@dataclass(frozen=True)
class _Marginal:
    """log p(x) of a data point: exact, a chart of estimates, and their errors by what the codes are from.

    `n_needed` codes of the prior make a mean whose standard error is p(x).
    """

    exact: float
    n_needed: float
    errors: dict[str, EstimateError]
    chart: Any


@st.cache_resource(max_entries=64, show_spinner=False)
def _estimate_marginal(size: int, noise: float, spread: float, seed: int, theme: str) -> _Marginal:
    model, rng = linear_gaussian.make_example(size, noise), np.random.default_rng([seed, 1])
    x = model.sample(1, rng)[0][0]
    exact, quantiles, errors = float(model.log_marginal(x[None])[0]), {}, {}
    for name, encoder in (("prior", None), ("encoder", Encoder(spread))):
        log_weights = naive_sampling.sample_log_weights(model, x, (_REPEATS, _MOST), rng, encoder)
        quantiles[name] = naive_sampling.compute_quantiles(log_weights, _COUNTS)
        errors[name] = naive_sampling.measure_error(log_weights, exact)
    needed = naive_sampling.compute_relative_variance(model, x)
    return _Marginal(exact, needed, errors, figures.plot_estimates(_COUNTS, quantiles, exact, theme))


def _show_objectives(size: int, noise: float, seed: int) -> None:
    experiment.introduce(
        "The mean of log p(x|z) over codes from the prior is a different objective: any weight of the decoder lowers "
        "it, so its best decoder ignores z."
    )
    objectives = _compare_objectives(size, noise, seed)
    experiment.draw_charts(figures.plot_objectives(objectives, header.get_theme()), key="trap")
    best = [_SCALES[int(np.argmax(curve))] for curve in (objectives.log_of_mean, objectives.mean_of_log)]
    experiment.state_finding(
        f"The log of the mean is largest at {best[0]:.1f} times the true weights, the mean of the log at "
        f"{best[1]:.1f} times, where z has no effect."
    )
    true = int(np.argmin(np.abs(_SCALES - 1)))
    curves = objectives.mean_of_log_sampled, objectives.mean_of_log_error, objectives.mean_of_log
    sampled, error, exact = (float(curve[true]) for curve in curves)
    name = f"Mean of log p(x|z) at the true weights, nats per data point ({_N_CODES} codes)"
    experiment.draw_checks("trap", {name: (Estimate(sampled, error, _N_CODES), exact)})


@st.cache_resource(max_entries=64, show_spinner=False)
def _compare_objectives(size: int, noise: float, seed: int) -> Objectives:
    model, rng = linear_gaussian.make_example(size, noise), np.random.default_rng([seed, 2])
    X, Z = model.sample(512, rng)[0], rng.standard_normal((_N_CODES, size))
    return naive_sampling.compare_objectives(model, X, Z, _SCALES)
