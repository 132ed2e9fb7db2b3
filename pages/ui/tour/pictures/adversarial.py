"""Pictures of adversarial networks: the game, its arrows, D frozen or learning, covering and seeking, both losses."""

import math

import streamlit as st

from core.errors import BadInput
from core.figures.mechanisms import vae_vs_gan as figures
from core.frontend.game import PICTURE, SMALL
from core.mechanisms import finished_games, vae_vs_gan
from core.mechanisms.finished_games import HILLS, STILL, UNSATURATED
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import DISCRIMINATOR, PRESETS
from core.mechanisms.vae_vs_gan import GAN, VAE
from core.tasks import vae_vs_gan_training
from pages.ui.shared import gan_findings, gan_player, header, images, page_state
from pages.ui.shared.experiment import Controls
from pages.ui.shared.text import Markup

_EARLY = 1  # a frame whose samples don't lie on the data yet
_LAST_ROUNDS = 0.1  # share of a game


def draw_game(controls: Controls) -> str:
    """The game on two moons, and two that fail."""
    names = {name: PRESETS[name].label for name in ("works", "mode_collapse", "oscillation")}
    name = controls.choose_segment("game", "Game", names)
    gan_player.draw_finished(name, page_state.key("gan-tour"), look=PICTURE)
    return gan_findings.describe_preset(name)


def draw_gradients(controls: Controls) -> str:
    """The same samples with the gradients of a discriminator, and of maximum likelihood by naive sampling."""
    teachers = {DISCRIMINATOR: "Discriminator", LIKELIHOOD: "Maximum likelihood"}
    teacher = controls.choose_segment("measure", "The generator learns from", teachers)
    game = finished_games.read_finished("works")
    opens = int(game.rounds[_EARLY])
    gan_player.draw_finished("works", page_state.key("gan-tour"), opens=opens, teacher=teacher, look=PICTURE)
    batch = PRESETS["works"].settings.batch
    return (
        f"At round {opens}, {game.pulled[_EARLY]:.0%} of the {batch} codes z of a step have a gradient longer than 1% "
        f"of the longest with a discriminator, and {game.pulled_by_likelihood[_EARLY]:.0%} by maximum likelihood "
        "(means of 20 steps)."
    )


def draw_opponents(controls: Controls) -> str:
    """The generator on two modes of unequal height, against D frozen to the density and against D that learns."""
    opponents = {DENSITY: "D frozen to the density", HILLS: "D learns, as in a GAN"}
    name = controls.choose_segment("opponent", "Discriminator", opponents)
    gan_player.draw_finished(name, page_state.key("gan-tour"), look=PICTURE)
    return gan_findings.describe_opponents()


def draw_objective(controls: Controls) -> str:
    """Both losses of a game by round, beside the value that they have if q equals p."""
    games = {"works": "Non-saturating, moons", UNSATURATED: "Non-saturating, ring", STILL: "Minimax, ring"}
    name = controls.choose_segment("loss", "Loss of G", games)
    gan_player.draw_finished(name, page_state.key("gan-tour"), look=SMALL)
    game = finished_games.read_finished(name)
    history = game.history
    last = slice(-math.ceil(_LAST_ROUNDS * len(history["round"])), None)
    means = (history[key][last].astype(float).mean() for key in ("D", "nonSaturating", "minimax"))
    # A small negative mean is 0.
    of_d, non_saturating, minimax = (f"{round(mean, 3) + 0.0:.3f}".replace("-", "−") for mean in means)
    return (
        f"In the last tenth of the rounds the loss of D is {of_d} nats (2 log 2 is {2 * math.log(2):.3f}). The "
        f"generator's −log D(G(z)) is {non_saturating} nats (log 2 is {math.log(2):.3f}), and log(1 − D(G(z))) is "
        f"{minimax}. The gradient of the loss that is played has a mean length of "
        f"{gan_findings.format_length(game.slope[-1])} at a sample."
    )


def draw_models(controls: Controls) -> str:
    """Samples of a VAE and of a GAN on the same data."""
    planes = vae_vs_gan_training.list_planes()
    name = controls.choose_segment("data", "Data", {name: planes[name] for name in ("ring", "grid", "moons", HILLS)})
    pictures, finding = _compare_models(name, planes[name], header.get_theme())
    st.html(pictures)
    return finding


@st.cache_resource(max_entries=8, show_spinner=False)
def _compare_models(name: str, label: str, theme: str) -> tuple[Markup, str]:
    settings = vae_vs_gan.Settings(name)
    comparison = vae_vs_gan_training.find_comparison(vae_vs_gan_training.comparison_key(settings))
    if comparison is None:
        raise BadInput(
            f"This comparison can't be shown: its file for {label} in assets/mechanisms is missing or damaged."
        )
    pictures = Markup()
    for model, (title, colour) in {VAE: ("VAE", 0), GAN: ("GAN", 2)}.items():
        svg = figures.draw_samples(comparison.real, comparison.samples[model], colour, theme)
        about = f"{label}: data, discs, and samples of a {title}, crosses"
        caption = f"{title}: samples ×, data ●"
        pictures += Markup(f"<figure><figcaption>{caption}</figcaption>{images.vector(svg, about)}</figure>")
    vae, gan = comparison.scores[VAE], comparison.scores[GAN]
    finding = (
        f"KL(p ‖ q), missed data: {vae.missing:.2f} ± {vae.missing_error:.2f} nats for the VAE, {gan.missing:.2f} ± "
        f"{gan.missing_error:.2f} for the GAN. KL(q ‖ p), samples off the data: {vae.straying:.2f} ± "
        f"{vae.straying_error:.2f} and {gan.straying:.2f} ± {gan.straying_error:.2f} (± one standard error)."
    )
    return Markup(f'<div class="hg-pair">{pictures}</div>'), finding
