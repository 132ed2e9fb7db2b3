"""The evidence lower bound: its two terms, its gap to log p(x), and posterior collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import datasets, spectrum
from core.mechanisms import elbo, linear_gaussian
from core.mechanisms.elbo import Bound, LinearVAE
from core.mechanisms.estimates import Estimate
from core.mechanisms.naive_sampling import Encoder
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls

_SIZE, _NOISE = 4, 0.5
_SPREADS = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
_SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_REPEATS = 100
_BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 100.0)
_NOISES = (0.05, 0.1, 0.2, 0.3, 0.5)
_DATA = "digits"
_BOUND, _COLLAPSE = "bound", "collapse"
_VIEWS = {_BOUND: "The bound and its gap", _COLLAPSE: "β and posterior collapse"}


def draw(controls: Controls) -> None:
    frame.begin(
        "The loss of a VAE is a bound: it misses −log p(x) by exactly how far the encoder's q(z|x) is from the true "
        "posterior. Spoil the encoder and the gap grows; draw k codes instead of one and the bound tightens towards "
        "log p(x).",
        r"-\mathrm{ELBO} = \underbrace{-\mathbb{E}_{q_\phi(z|x)} \log p_\theta(x|z)}_{\text{reconstruction}} + "
        r"\mathrm{KL}(q_\phi(z|x)\,\|\,p(z)) = -\log p_\theta(x) + \mathrm{KL}(q_\phi(z|x)\,\|\,p_\theta(z|x))",
    )
    with frame.controls():
        view = controls.segments("show", "What to look at", _VIEWS)
    (_show_bound if view == _BOUND else _show_collapse)(controls)


def _show_bound(controls: Controls) -> None:
    with frame.controls(2):
        spread = controls.slide(
            "spread",
            "Encoder's spread",
            _SPREADS,
            1.5,
            "Standard deviations of q(z|x), times those of the true posterior p(z|x).",
        )
        shift = controls.slide(
            "shift",
            "Encoder's mean is off by",
            _SHIFTS,
            0.5,
            "In standard deviations of the true posterior, in every number of the code.",
        )
        seed = controls.seed()
    frame.charts(*_bound_figures(spread, shift, seed, frame.theme()), key="bound")
    frame.settle(_verdict(_bound(spread, shift, seed)))
    st.caption(
        f"A linear generator with Normal output, {_SIZE} code numbers and 16 features, so all terms are closed; bands "
        f"are two standard errors over {_REPEATS} repeats."
    )


def _show_collapse(controls: Controls) -> None:
    st.markdown(
        "Weigh the KL divergence with β and the code gives up its dimensions one by one: the best linear VAE codes "
        "a principal component only if its variance exceeds β times the output's variance, and all others collapse "
        "to the prior."
    )
    st.latex(
        r"{\mathrm{KL}_i = \tfrac12 \max\!\left(0, \log \frac{\lambda_i}{\beta \sigma^2}\right)}\qquad\allowbreak"
        r"{\text{squared error}_i = \min(\lambda_i, \beta \sigma^2)}"
    )
    with frame.controls(2):
        beta = controls.slide("beta", "β", _BETAS, 1.0, "Factor on the KL divergence; 1 is the VAE.", "{:g}".format)
        noise = controls.slide(
            "noise", "Output's standard deviation σ", _NOISES, 0.2, "Of p(x|z), the same for every pixel."
        )
        seed = controls.seed()
    frame.charts(*_collapse_figures(beta, noise, frame.theme()), key="collapse")
    frame.settle(_collapse_verdict(*_collapse(beta, noise, seed)))


@dataclass(frozen=True)
class _Found:
    exact: Bound
    drawn: Estimate
    tightened: list[Estimate]


@st.cache_resource(max_entries=64, show_spinner=False)
def _bound(spread: float, shift: float, seed: int) -> _Found:
    model = linear_gaussian.example(_SIZE, _NOISE)
    rng = np.random.default_rng([seed, 0])
    x = model.sample(1, rng)[0][0]
    encoder = Encoder(spread, shift)
    return _Found(
        elbo.bound(model, x, encoder),
        elbo.drawn(model, x, encoder, 10_000, rng),
        elbo.tightened(model, x, encoder, _COUNTS, _REPEATS, rng),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _bound_figures(spread: float, shift: float, seed: int, theme: str):
    from core.figures.mechanisms import bound as figures  # plotly

    found = _bound(spread, shift, seed)
    exact = found.exact
    return (
        figures.parts(exact.reconstruction, exact.kl, exact.gap, exact.log_marginal, theme),
        figures.tightening(_COUNTS, found.tightened, exact.elbo, exact.log_marginal, theme),
    )


def _verdict(found: _Found) -> str:
    exact, drawn, last = found.exact, found.drawn, found.tightened[-1]
    elbo_exactly, log_marginal = (frame.written(each, drawn.error) for each in (exact.elbo, exact.log_marginal))
    return (
        f"ELBO from {drawn.n:,} draws: {frame.spelled(drawn, 'nats')}; exactly {elbo_exactly}, "
        f"{frame.agreement(drawn, exact.elbo)}. The gap to log p(x) = {log_marginal} is {exact.gap:.4f} nats, which is "
        f"KL(q(z|x) ‖ p(z|x)). With k = {_COUNTS[-1]:,} the bound is {frame.spelled(last, 'nats')}."
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _rows() -> tuple[np.ndarray, np.ndarray]:
    """Variances (64,) of the digits along their principal components, and the rows (n, 64) in those coordinates."""
    X = datasets.load(_DATA).floats("train")
    found = spectrum.decompose(X)
    return found.variances, (X - found.mean) @ found.components.T


@st.cache_resource(max_entries=64, show_spinner=False)
def _collapse(beta: float, noise: float, seed: int) -> tuple[LinearVAE, Estimate]:
    variances, rows = _rows()
    vae = LinearVAE(variances, noise, beta)
    return vae, vae.drawn(rows, np.random.default_rng([seed, 1]))


@st.cache_resource(max_entries=64, show_spinner=False)
def _collapse_figures(beta: float, noise: float, theme: str):
    from core.figures.mechanisms import bound as figures  # plotly

    variances, _ = _rows()
    all_betas = [LinearVAE(variances, noise, each) for each in _BETAS]
    now = _BETAS.index(beta)
    kl, error = (np.array([getattr(each, name).sum() for each in all_betas]) for name in ("kl", "error"))
    return (
        figures.collapsed(all_betas[now].kl, beta, theme),
        figures.traded(kl, error, np.asarray(_BETAS), now, theme),
    )


def _collapse_verdict(vae: LinearVAE, drawn: Estimate) -> str:
    exact = vae.reconstruction + vae.beta * vae.kl.sum()
    return (
        f"On {datasets.entry(_DATA).label}, {int(vae.active.sum())} of {len(vae.variances)} components are coded, the "
        f"others have collapsed: KL {vae.kl.sum():.2f} nats, squared error {vae.error.sum():.3f}. Reconstruction + "
        f"β KL with one draw a row: {frame.spelled(drawn, 'nats')}; exactly {frame.written(exact, drawn.error)}, "
        f"{frame.agreement(drawn, exact)}."
    )
