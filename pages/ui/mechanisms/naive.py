"""Naive sampling: few pairs (z, x) matter, and what an encoder changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.mechanisms import linear_gaussian, naive_sampling
from core.mechanisms.estimates import Estimate
from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.naive_sampling import Encoder, Trap
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls

_SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
_NOISES = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0)
_CODES = (16, 64, 256, 1024)
_SPREADS = (0.8, 1.0, 1.1, 1.3, 1.6, 2.0)
_ROWS, _ROWS_SHOWN, _CODES_SHOWN = 64, 16, 64
_COUNTS = (1, 3, 10, 30, 100, 300, 1000, 3000)
_MOST = max(_COUNTS)
_REPEATS = 40
_SCALES = np.linspace(0, 1.6, 17)
_TRAP_CODES = 256
# Shares against one setting: fewer values than can be chosen, and at most so many codes.
_SIZES_SWEPT, _NOISES_SWEPT, _MOST_SWEPT = (1, 2, 4, 8, 16), (0.1, 0.2, 0.5, 1.0, 2.0), 256
_KNOWN = (
    "The generator is linear with Normal output, x = W z + noise in 16 dimensions, so that log p(x) is known exactly."
)
_PAIRS, _ESTIMATE, _TRAP = "pairs", "estimate", "trap"
_VIEWS = {_PAIRS: "Which pairs matter", _ESTIMATE: "log p(x) against K", _TRAP: "The trap"}


def draw(controls: Controls) -> None:
    frame.begin(
        "Draw codes from the prior and ask how likely each makes a row: almost all the gradient comes from a few lucky "
        "pairs, the fewer the larger the code and the smaller the output's variance. An encoder that proposes codes "
        "near the posterior p(z|x) makes nearly all of them count.",
        r"\log p(x) \approx \log \frac1K \sum_k p_\theta(x|z_k),\ z_k \sim p(z)",
        r"{\nabla_\theta = \sum_k w_k \nabla_\theta \log p_\theta(x|z_k),}\quad\allowbreak"
        r"{w_k = \frac{p(x|z_k)}{\sum_j p(x|z_j)}}",
    )
    with frame.controls():
        view = controls.segments("show", "What to look at", _VIEWS)
    with frame.controls(2):
        size = controls.slide("size", "Numbers in the code z", _SIZES, 4)
        noise = controls.slide(
            "noise", "Output's standard deviation", _NOISES, 0.3, "Of p(x|z); a code number moves the row by 1."
        )
        if view == _PAIRS:
            k = controls.slide("codes", "Codes drawn a step", _CODES, 256)
        if view != _TRAP:
            spread = controls.slide(
                "spread",
                "Encoder's spread",
                _SPREADS,
                1.3,
                "Standard deviations of q(z|x), times those of the true posterior p(z|x): 1 is a perfect encoder.",
            )
        seed = controls.seed()
    if view == _PAIRS:
        _show_pairs(size, noise, k, spread, seed)
    elif view == _ESTIMATE:
        _show_marginal(size, noise, spread, seed)
    else:
        _show_trap(size, noise, seed)


def _show_pairs(size: int, noise: float, k: int, spread: float, seed: int) -> None:
    frame.charts(*_pairs_figures(size, noise, k, spread, seed, frame.theme()), key="pairs")
    found = _pairs_verdict(_pairs(size, noise, k, spread, seed), k)
    frame.settle(f"{found} {_marginal_verdict(_marginal(size, noise, spread, seed))}")
    st.caption(
        f"{_KNOWN} Shares over {_ROWS} rows with {k:,} codes each, of which the first are drawn; norms are those of "
        f"the gradient by W and the bias. Effective samples: 1 / sum of squared weights (Kong 1992). Against one "
        f"setting, the others stay as chosen, with at most {_MOST_SWEPT} codes."
    )


def _show_marginal(size: int, noise: float, spread: float, seed: int) -> None:
    frame.charts(_estimate_figure(size, noise, spread, seed, frame.theme()), key="estimate")
    frame.settle(_marginal_verdict(_marginal(size, noise, spread, seed)))
    st.caption(f"{_KNOWN} Bands hold nine of ten estimates, over {_REPEATS} repeats.")


def _show_trap(size: int, noise: float, seed: int) -> None:
    st.markdown(
        "The mean of log p(x|z) over codes of the prior looks like the same thing, and is another objective: every "
        "weight of the decoder only costs, so its best decoder ignores z."
    )
    frame.charts(_trap_figure(size, noise, seed, frame.theme()), key="trap")
    frame.settle(_trap_verdict(_trap(size, noise, seed)))


@dataclass(frozen=True)
class _Marginal:
    """log p(x) of one row, in nats: exactly, from codes of the prior and the encoder, and the error of the former."""

    truth: float
    by_prior: Estimate
    by_encoder: Estimate
    expected_error: float


def _row(size: int, noise: float, seed: int) -> tuple[LinearGaussian, np.ndarray, np.random.Generator]:
    """The model, the row x whose log p(x) is sought, and what codes are drawn with."""
    model = linear_gaussian.example(size, noise)
    rng = np.random.default_rng([seed, 1])
    return model, model.sample(1, rng)[0][0], rng


@st.cache_resource(max_entries=64, show_spinner=False)
def _marginal(size: int, noise: float, spread: float, seed: int) -> _Marginal:
    model, x, rng = _row(size, noise, seed)
    by_prior, by_encoder = (
        naive_sampling.log_marginal(naive_sampling.log_weights(model, x, (_MOST,), rng, encoder))
        for encoder in (None, Encoder(spread))
    )
    expected_error = naive_sampling.expected_error(model, x, _MOST)
    return _Marginal(float(model.log_marginal(x[None])[0]), by_prior, by_encoder, expected_error)


@dataclass(frozen=True)
class _Pairs:
    """Which pairs matter in one setting.

    Attributes
    ----------
    share, effective : of the pairs, in (0, 1], from the prior and from the encoder.
    weights, carrying : of the pairs shown, from the prior.
    """

    share: tuple[float, float]
    effective: tuple[float, float]
    weights: np.ndarray
    carrying: np.ndarray


@st.cache_resource(max_entries=512, show_spinner=False)
def _pairs(size: int, noise: float, k: int, spread: float, seed: int) -> _Pairs:
    model = linear_gaussian.example(size, noise)
    rng = np.random.default_rng([seed, 0])
    X, _ = model.sample(_ROWS, rng)
    by_prior = naive_sampling.pairs(model, X, rng.standard_normal((k, size)))
    by_encoder = naive_sampling.pairs(model, X, *Encoder(spread).propose(model, X, k, rng))
    both = by_prior, by_encoder
    shown = slice(_ROWS_SHOWN), slice(_CODES_SHOWN)
    return _Pairs(
        share=tuple(each.share for each in both),
        effective=tuple(each.effective_samples / k for each in both),
        weights=by_prior.weights[shown].copy(),  # not a view, which would hold all of them
        carrying=by_prior.carrying[shown].copy(),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _pairs_figures(size: int, noise: float, k: int, spread: float, seed: int, theme: str):
    from core.figures.mechanisms import naive as figures  # plotly

    found = _pairs(size, noise, k, spread, seed)
    swept = min(k, _MOST_SWEPT)
    by_size = [_pairs(each, noise, swept, spread, seed) for each in _SIZES_SWEPT]
    by_noise = [_pairs(size, each, swept, spread, seed) for each in _NOISES_SWEPT]

    def lines(of):
        return [([each.share[j] for each in of], [each.effective[j] for each in of]) for j in (0, 1)]

    return (
        figures.pairs(found.weights, found.carrying, theme),
        figures.shares(_SIZES_SWEPT, *lines(by_size), size, "numbers in the code", theme),
        figures.shares(_NOISES_SWEPT, *lines(by_noise), noise, "output's standard deviation", theme),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _estimate_figure(size: int, noise: float, spread: float, seed: int, theme: str):
    from core.figures.mechanisms import naive as figures  # plotly

    model, x, rng = _row(size, noise, seed)
    spreads = {
        name: naive_sampling.spread(naive_sampling.log_weights(model, x, (_REPEATS, _MOST), rng, encoder), _COUNTS)
        for name, encoder in (("prior", None), ("encoder", Encoder(spread)))
    }
    return figures.estimates(spreads, _marginal(size, noise, spread, seed).truth, theme)


@st.cache_resource(max_entries=64, show_spinner=False)
def _trap(size: int, noise: float, seed: int) -> Trap:
    model = linear_gaussian.example(size, noise)
    rng = np.random.default_rng([seed, 2])
    return naive_sampling.trap(model, model.sample(512, rng)[0], rng.standard_normal((_TRAP_CODES, size)), _SCALES)


@st.cache_resource(max_entries=64, show_spinner=False)
def _trap_figure(size: int, noise: float, seed: int, theme: str):
    from core.figures.mechanisms import naive as figures  # plotly

    return figures.trap(_trap(size, noise, seed), theme)


def _pairs_verdict(found: _Pairs, k: int) -> str:
    prior, encoder = found.share
    return (
        f"{prior:.2%} of the pairs carry 99 % of the gradient with codes of the prior ({found.effective[0] * k:.1f} of "
        f"{k:,} samples effective), {encoder:.1%} with the encoder's ({found.effective[1] * k:.0f} effective)."
    )


def _marginal_verdict(found: _Marginal) -> str:
    return (
        f"With {_MOST:,} codes the encoder finds of one row log p(x) = {frame.spelled(found.by_encoder, 'nats')}; "
        f"exactly it is {frame.written(found.truth, found.by_encoder.error)}, "
        f"{frame.agreement(found.by_encoder, found.truth)}. The prior's {_MOST:,} codes give "
        f"{frame.written(found.by_prior.value, found.by_prior.error)}, with a standard error that should be "
        f"{_spelled_error(found.expected_error)} nats."
    )


def _trap_verdict(found: Trap) -> str:
    naive, averaged = (found.scales[int(np.argmax(each))] for each in (found.likelihood, found.averaged))
    true = int(np.argmin(np.abs(found.scales - 1)))
    drawn = Estimate(float(found.averaged_drawn[true]), float(found.averaged_error[true]), _TRAP_CODES)
    exact = float(found.averaged[true])
    return (
        f"The log of the mean is highest at weights × {naive:.1f}, the mean of the log at weights × {averaged:.1f}, "
        f"where z changes nothing. At the weights that made the rows the latter is {frame.spelled(drawn, 'nats')} a "
        f"row from {_TRAP_CODES} codes; exactly {frame.written(exact, drawn.error)}, {frame.agreement(drawn, exact)}."
    )


def _spelled_error(error: float) -> str:
    return f"{error:.2g}" if error < 1000 else "thousands of"
