"""Pictures of slides 17 to 21: pairs of images and codes with their losses, and an encoder's distribution of codes."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import datasets
from core.analysis import decoder_export, pair_losses
from core.analysis.codes import to_pixels
from core.analysis.pair_losses import PairLosses
from core.figures import montages
from core.mechanisms import elbo
from core.mechanisms.divergences import Gaussian
from core.mechanisms.elbo import TemperedEncoder
from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.naive_sampling import Pairs
from core.runs import reader
from pages.ui.shared import experiment, header, images, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.text import Markup

_SAMPLE = "mnist-sample"
_PRIOR, _ENCODER = "prior", "encoder"
_SOURCES = {_PRIOR: "p(z), the prior", _ENCODER: "q(z|x), the encoder"}
_TEMPERATURES = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_N_IMAGES, _N_CODES, _IMAGES_SHOWN, _CODES_SHOWN = 32, 64, 3, 8


def draw_encoder(controls: Controls) -> str:
    """q(z|x) as an ellipse beside p(z) and p(z|x), and the bound's parts; the control moves q from one to the other."""
    help = "q(z|x) is proportional to p(z) times p(x|z) to this power."
    t = controls.choose_value("t", "q(z|x): 0 is p(z), 1 is p(z|x)", _TEMPERATURES, 0.25, help, "{:g}".format)
    charts, finding = _plot_encoder(t, header.get_theme(), 240 if header.is_large() else 280)
    for place, chart in zip(st.columns(2), charts, strict=True):
        place.html(chart)
    return finding


@st.cache_resource(max_entries=32, show_spinner=False)
def _plot_encoder(t: float, theme: str, width: int) -> tuple[list[Markup], str]:
    from core.figures.mechanisms import elbo as figures

    model = LinearGaussian(np.array([[1.2, 0.9], [0.2, 1.0], [0.7, -0.1], [0.0, 0.3]]), np.zeros(4), 0.8)
    x = model.sample(1, np.random.default_rng(3))[0]
    mean, factor = TemperedEncoder(t).encode(model, x)
    true_mean, true_covariance = model.posterior(x)
    bound = elbo.compute_bound(model, x[0], TemperedEncoder(t))
    ellipses = Gaussian(np.zeros(2), np.eye(2)), Gaussian(true_mean[0], true_covariance)
    charts = [
        figures.plot_encoder(*ellipses, Gaussian(mean[0], factor @ factor.T), theme),
        figures.plot_parts(bound, theme),
    ]
    return [experiment.render_still(chart, theme, width, 40 + width * 6 // 7) for chart in charts], (
        f"KL(q(z|x) ‖ p(z)) is {bound.kl:z.2f} nats, and the gap KL(q(z|x) ‖ p(z|x)) is {bound.gap:z.2f} nats: −ELBO "
        f"is {-bound.elbo:.2f} nats, −log p(x) is {-bound.log_marginal:.2f} nats."
    )


@dataclass(frozen=True)
class _Step:
    """The grid of some pairs of a training step, and what its pairs contribute."""

    grid: Markup
    finding: str


def draw_pairs(controls: Controls) -> str:
    """Pairs of test images with decoded codes, and their losses; the control chooses where the codes are from."""
    source = controls.choose_segment("from", "Codes z from", _SOURCES)
    # All at once: the control then answers from the cache.
    step = {each: _measure_step(each) for each in _SOURCES}[source]
    st.html(step.grid)
    return step.finding


@st.cache_resource(max_entries=4, show_spinner=False)
def _measure_step(source: str) -> _Step:
    run = stored_runs.find_shipped("mnist", "vae", 10)
    weights = reader.read_weights(run.place)
    decoder = decoder_export.export_stored_decoder(run, weights)
    X = (datasets.load(_SAMPLE).floats("test")[:_N_IMAGES] > 0.5).astype(np.float32)
    if source == _PRIOR:
        measured = pair_losses.measure_prior_pairs(decoder, X, _N_CODES)
    else:
        encoder = decoder_export.export_stored_layers(run, weights, "encoder")
        measured = pair_losses.measure_encoder_pairs(encoder, decoder, X, _N_CODES)
    return _Step(_make_grid(X, measured, tuple(run.environment["image_shape"])), _describe(measured, source))


def _describe(measured: PairLosses, source: str) -> str:
    n, needed = measured.losses.size, int(_find_contributing(measured).sum())
    return (
        f"With codes from {_SOURCES[source].split(',')[0]}, {needed:,} of {n:,} pairs ({needed / n:.1%}) have 99% of "
        f"the weight in the gradient. The smallest loss of an image is {measured.losses.min(1).mean():.0f} nats, the "
        f"mean loss of a pair {measured.losses.mean():.0f} nats (means over {len(measured.losses)} images)."
    )


def _find_contributing(measured: PairLosses) -> np.ndarray:
    """The fewest pairs with 99% of the weight, (n, k) bool, if the gradients of all pairs were equally long."""
    return Pairs(measured.weights, np.ones_like(measured.weights)).contributing


def _make_grid(X: np.ndarray, measured: PairLosses, shape: tuple[int, int]) -> Markup:
    """A row an image x, a column a code z: the decoded image with the loss and the weight of the pair.

    Among the codes are those with the least losses of the images.
    """
    contributing = _find_contributing(measured)
    best = np.unique(measured.losses[:_IMAGES_SHOWN].argmin(1))
    others = np.setdiff1d(np.arange(_N_CODES), best)
    columns = np.sort(np.concatenate([best, others])[:_CODES_SHOWN])
    head = f"{_CODES_SHOWN} of {_N_CODES} codes z, decoded; the losses in nats"
    cells = ['<div class="hg-pair-head">x</div>', f'<div class="hg-pair-head hg-wide">{head}</div>']
    for i in range(_IMAGES_SHOWN):
        cells.append(f"<div>{_draw(X[i], shape, f'Image {i + 1}')}</div>")
        for k in columns:
            loss, weight = measured.losses[i, k], measured.weights[i, k]
            used = "" if contributing[i, k] else " hg-unused"
            alt = f"Image {i + 1} with code {k + 1}: loss {loss:.0f} nats, weight {weight:.1%}"
            picture = _draw(measured.decoded[i, k], shape, alt)
            cells.append(f'<div class="hg-pair-loss{used}" title="{alt}">{picture}{loss:.0f}</div>')
    return Markup(f'<div class="hg-pair-grid" style="--codes: {_CODES_SHOWN}">{"".join(cells)}</div>')


def _draw(image: np.ndarray, shape: tuple[int, int], alt: str) -> Markup:
    return images.image(montages.encode_png(to_pixels(image[None])[0].reshape(shape)), alt, "")
