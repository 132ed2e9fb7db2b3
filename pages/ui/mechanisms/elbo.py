"""The evidence lower bound: its two terms, its gap to log p(x), and posterior collapse."""

import numpy as np
import streamlit as st

from core import datasets
from core.figures.mechanisms import elbo as figures
from core.mechanisms import elbo, linear_gaussian
from core.mechanisms.elbo import Bound, LinearVAE
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.naive_sampling import Encoder
from core.metrics import pca_spectrum
from pages.ui.shared import experiment, header
from pages.ui.shared.diagnoses import BETAS
from pages.ui.shared.experiment import Controls

_SIZE, _NOISE = 4, 0.5
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_REPEATS = 100
_DATA = "digits"
_VIEWS = {"bound": "Bound and gap", "collapse": "β and posterior collapse"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The negative ELBO, the loss of a VAE, exceeds −log p(x) by the gap KL(q(z|x) ‖ p(z|x)) between the encoder "
        "and the true posterior. A worse encoder widens the gap; k codes per data point instead of one narrow it.",
        r"-\mathrm{ELBO} = \underbrace{-\mathbb{E}_{q_\phi(z|x)} \log p_\theta(x|z)}_{\text{reconstruction}} + "
        r"\mathrm{KL}(q_\phi(z|x)\,\|\,p(z)) = -\log p_\theta(x) + \mathrm{KL}(q_\phi(z|x)\,\|\,p_\theta(z|x))",
    )
    with experiment.make_controls_row():
        view = controls.choose_segment("show", "View", _VIEWS)
    (_show_bound if view == "bound" else _show_collapse)(controls)


def _show_bound(controls: Controls) -> None:
    with experiment.make_controls_row(2):
        help = "Standard deviation of q(z|x), relative to that of the posterior p(z|x): 1 is exact."
        spreads = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
        spread = controls.choose_value("spread", "Encoder standard deviation", spreads, 1.5, help)
        help = "In standard deviations of the posterior, in every latent dimension."
        shifts = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
        shift = controls.choose_value("shift", "Error of the encoder mean", shifts, 0.5, help)
        seed = controls.choose_seed()
    charts, exact, estimate, tightest = _compute_bounds(spread, shift, seed, header.get_theme())
    experiment.draw_charts(*charts, key="bound")
    experiment.state_finding(
        f"The gap KL(q(z|x) ‖ p(z|x)) is {exact.gap:z.4f} nats. With k = {_COUNTS[-1]:,} codes the bound is "
        f"{experiment.format_estimate(tightest, 'nats')}."
    )
    name = f"ELBO, nats ({estimate.n:,} codes)"
    checks = {name: (estimate, exact.elbo), "log p(x), nats": (None, exact.log_marginal)}
    experiment.draw_checks("bound", checks)
    experiment.show_details(
        f"Linear generator with Normal output, {_SIZE} latent dimensions and 16 features: every exact value is in "
        f"closed form. Bands: two standard errors over {_REPEATS} repeats."
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _compute_bounds(spread: float, shift: float, seed: int, theme: str) -> tuple[list, Bound, Estimate, Estimate]:
    """Charts, exact values, the ELBO from samples, and the bound for the last of `_COUNTS`."""
    model = linear_gaussian.make_example(_SIZE, _NOISE)
    rng = np.random.default_rng([seed, 0])
    x = model.sample(1, rng)[0][0]
    encoder = Encoder(spread, shift)
    estimate = elbo.estimate_elbo(model, x, encoder, 10_000, rng)
    bounds = elbo.estimate_tighter_bounds(model, x, encoder, _COUNTS, _REPEATS, rng)
    exact = elbo.compute_bound(model, x, encoder)
    charts = [figures.plot_parts(exact, theme), figures.plot_bounds(_COUNTS, bounds, exact, theme)]
    return charts, exact, estimate, bounds[-1]


def _show_collapse(controls: Controls) -> None:
    experiment.introduce(
        "The larger the weight β of the KL divergence, the fewer latent dimensions are used. The best linear VAE "
        "encodes a principal component only if its variance λ exceeds β times the output variance σ²; the other "
        "dimensions collapse to the prior.",
        r"{\mathrm{KL}_i = \tfrac12 \max\!\left(0, \log \frac{\lambda_i}{\beta \sigma^2}\right)}\qquad\allowbreak"
        r"{\text{squared error}_i = \min(\lambda_i, \beta \sigma^2)}",
    )
    with experiment.make_controls_row(2):
        help = "Weight of the KL divergence; 1 is the standard VAE."
        beta = controls.choose_value("beta", "β", BETAS, 1.0, help, "{:g}".format)
        help = "Standard deviation of p(x|z), equal for all pixels."
        noise = controls.choose_value("noise", "Output standard deviation σ", (0.05, 0.1, 0.2, 0.3, 0.5), 0.2, help)
        seed = controls.choose_seed()
    charts, vae, loss = _compute_collapse(beta, noise, seed, header.get_theme())
    experiment.draw_charts(*charts, key="collapse")
    experiment.state_finding(
        f"On {datasets.entry(_DATA).label}, {int(vae.active.sum())} of {len(vae.variances)} components are encoded; "
        "the other latent dimensions have collapsed."
    )
    exact = vae.reconstruction + vae.beta * vae.kl.sum()
    checks = {
        "Reconstruction + β KL, nats per image (two samples each)": (loss, exact),
        "KL divergence, nats per image": (None, float(vae.kl.sum())),
        "Squared error per image": (None, float(vae.error.sum())),
    }
    experiment.draw_checks("collapse", checks)


@st.cache_resource(max_entries=64, show_spinner=False)
def _compute_collapse(beta: float, noise: float, seed: int, theme: str) -> tuple[list, LinearVAE, Estimate]:
    """Charts, the VAE, and its loss from samples."""
    X = datasets.load(_DATA).floats("train")
    spectrum = pca_spectrum.decompose(X)
    rows = (X - spectrum.mean) @ spectrum.components.T
    vaes = [LinearVAE(spectrum.variances, noise, value) for value in BETAS]
    chosen = BETAS.index(beta)
    kl, error = (np.array([getattr(vae, name).sum() for vae in vaes]) for name in ("kl", "error"))
    charts = [
        figures.plot_kl_by_component(vaes[chosen].kl, beta, theme),
        figures.plot_error_by_kl(kl, error, np.asarray(BETAS), chosen, theme),
    ]
    return charts, vaes[chosen], vaes[chosen].estimate_loss(rows, np.random.default_rng([seed, 1]))
