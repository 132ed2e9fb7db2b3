"""VAE v. GAN: the same generator trained as either, on the same data in the plane."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from core.figures.mechanisms import vae_vs_gan as figures
from core.mechanisms import vae_vs_gan
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.vae_vs_gan import GAN, VAE, Comparison, Scores, Settings
from core.tasks import vae_vs_gan_training
from pages.ui.shared import experiment, header, page_state, tables
from pages.ui.shared.experiment import Controls
from pages.ui.shared.tables import Cell
from pages.ui.shared.task_progress import Task, follow_tasks

_NAMES = {VAE: "VAE", GAN: "GAN"}
_COLOURS = {VAE: 0, GAN: 2}
_TERMS = {VAE: ("reconstruction", "KL"), GAN: ("discriminator", "generator")}
# score -> label, and format; divergences have standard errors
_SCORES = {
    "precision": ("Precision: share of samples close to data", ".3f"),
    "recall": ("Recall: share of data close to samples", ".3f"),
    "inside": ("Samples in the 99% region of the data", ".1%"),
    "reached": ("Data in the 99% region of the samples", ".1%"),
    "modes": ("Components of the data covered", ".0%"),
    "missing": ("Missed modes: KL(p ‖ q), nats", ""),
    "straying": ("Off-data samples: KL(q ‖ p), nats", ""),
    "jensen_shannon": ("Jensen-Shannon divergence, nats", ""),
}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The same generator is trained as a VAE and as a GAN, and can fail in two ways: it misses data, or its samples "
        "lie off the data. Maximum likelihood (VAE) penalises missed data most, the discriminator (GAN) samples off "
        "the data.",
        r"\mathrm{KL}(p\,\|\,q) = \mathbb{E}_{x \sim p} \log \frac{p(x)}{q(x)}\ \text{(missed modes)}",
        r"\mathrm{KL}(q\,\|\,p) = \mathbb{E}_{x \sim q} \log \frac{q(x)}{p(x)}\ \text{(off-data samples)}",
    )
    with experiment.make_controls_row():
        data = {**vae_vs_gan_training.list_planes(), **experiment.DRAWN}
        target = controls.choose_segment("data", "Data", data)
        steps = controls.choose_value("steps", "Training steps", (500, 1000, 2000, 4000), 2000)
        seed = controls.choose_seed(experiment.RESTART)
    settings, points = Settings(steps=steps, seed=seed), None
    if target not in experiment.DRAWN:
        settings = replace(settings, target=target)
    elif (points := controls.choose_drawing()) is None:
        return
    name = vae_vs_gan_training.comparison_key(settings, points)
    comparison, theme = vae_vs_gan_training.find_comparison(name), header.get_theme()
    if comparison is None:
        about = "Not trained yet. Training takes a few seconds in the background; the result is kept on this computer."
        start = partial(vae_vs_gan_training.start_comparison, settings, points)
        work = vae_vs_gan_training.WORK
        follow_tasks([Task("versus", "Training both", "Train both", work=work, key=name, start=start, about=about)])
        return
    experiment.draw_charts(*_sample_figures(name, steps, theme, comparison), key="versus")
    off_data, missed = (_compare(comparison.scores, name) for name in ("straying", "missing"))
    experiment.state_finding(f"Off-data samples: {off_data}. Missed modes: {missed}.")
    tables.draw(("Quantity", *_NAMES.values()), _make_rows(comparison), "versus")
    drawer = st.expander("Losses", key=page_state.key("versus-losses"), on_change="rerun")
    if drawer.open:
        with drawer:
            losses = [(f"{label} losses", comparison.history[k], _TERMS[k]) for k, label in _NAMES.items()]
            charts = [figures.plot_losses(*of_model, theme) for of_model in losses]
            experiment.draw_charts(*charts, key="versus-losses")
    experiment.show_details(
        "Both generators are x = G(z) + noise with 2 latent dimensions and two hidden layers. The standard deviation "
        f"of the noise is {comparison.noise[VAE]:.2f} for the VAE, which learns it, and {comparison.noise[GAN]:.2f} "
        f"for the GAN. Precision and recall: Kynkäänniemi et al. 2019, k = 3, n = {len(comparison.real):,} each; other "
        f"real data have {comparison.floor['precision']:.2f} and {comparison.floor['recall']:.2f}. Densities are means "
        "over many codes; ± is one standard error, with what more codes would change."
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _sample_figures(name: str, steps: int, theme: str, _comparison: Comparison) -> list:
    names = [f"{count:,}" for count in np.linspace(0, steps, vae_vs_gan.N_FRAMES + 1).astype(int)]
    real, frames = _comparison.real, _comparison.frames
    return [figures.plot_samples(_NAMES[k], real, frames[k], names, _COLOURS[k], theme) for k in _NAMES]


def _make_rows(comparison: Comparison) -> list[list[Cell]]:
    rows = []
    for name, (label, number_format) in _SCORES.items():
        estimates = [_estimate(comparison.scores[model], name) for model in _NAMES]
        cells = [Cell(f"{estimate.value:{number_format}}", estimate.value) for estimate in estimates]
        rows.append([tables.text(label), *(cells if number_format else map(experiment.make_cell, estimates))])
    return rows


def _estimate(scores: Scores, name: str) -> Estimate:
    return Estimate(getattr(scores, name), getattr(scores, f"{name}_error", 0.0), 0)


def _compare(scores: Mapping[str, Scores], name: str) -> str:
    """Which model has the larger divergence, where that is significant."""
    vae, gan = (_estimate(scores[model], name) for model in (VAE, GAN))
    values = f"{max(vae.value, gan.value):.2f} v. {min(vae.value, gan.value):.2f} nats"
    if abs(vae.value - gan.value) <= 2 * np.hypot(vae.error, gan.error):
        return f"not significantly different ({values})"
    return f"more with the {_NAMES[VAE if vae.value > gan.value else GAN]} ({values})"
