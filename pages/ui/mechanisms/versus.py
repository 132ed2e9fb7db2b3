"""VAE against GAN: blurred covering against sharp missing, on the same data in the plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from core import comparing
from core.mechanisms import covering
from core.mechanisms.covering import GAN, VAE, Comparison, Settings
from core.mechanisms.estimates import Estimate
from core.types import HourglassError
from pages.ui import choices
from pages.ui.mechanisms import drawn, frame
from pages.ui.mechanisms.frame import Controls
from pages.ui.text import Markup, html, plain

_SECONDS = 0.7
_STEPS = (500, 1000, 2000, 4000)
_PROBLEM = "hourglass.mechanisms.versus-problem"
_NAMES = {VAE: "VAE", GAN: "GAN"}
_COLOURS = {VAE: 0, GAN: 2}


def draw(controls: Controls) -> None:
    frame.begin(
        "The same generator trained twice. The VAE maximises the likelihood of the data: it covers all of it, and puts "
        "samples between, where nothing is. The GAN's samples are punished wherever they stray: sharper, and it may "
        "leave out what it can do without.",
        r"\mathrm{KL}(p\,\|\,q) = \mathbb{E}_{x \sim p} \log \frac{p(x)}{q(x)}\ \text{(missing)}",
        r"\mathrm{KL}(q\,\|\,p) = \mathbb{E}_{x \sim q} \log \frac{q(x)}{p(x)}\ \text{(straying)}",
    )
    with frame.controls():
        target = controls.segments("data", "Data", {**comparing.planes(), drawn.NAME: drawn.LABEL})
        steps = controls.slide("steps", "Steps of each", _STEPS, 2000)
        seed = controls.seed("Another start")
    settings, points = Settings(steps=steps, seed=seed), None
    if target != drawn.NAME:
        settings = replace(settings, target=target)
    elif (points := drawn.points(controls)) is None:
        return
    name = comparing.key(settings, points)
    found = _comparison(name)
    if found is None:
        _watch(settings, points, name)
        return
    frame.charts(*_samples(name, steps, frame.theme(), found), key="versus")
    frame.settle(_verdict(found))
    st.html(_table(found))
    drawer = st.expander("Losses", key=choices.key("versus-losses"), on_change="rerun")
    if drawer.open:
        with drawer:
            frame.charts(*_losses(name, frame.theme(), found), key="versus-losses")
    st.caption(
        plain(
            f"Both generators are x = G(z) + noise with two numbers in the code and two hidden layers; the VAE learns "
            f"its noise ({found.noise[VAE]:.2f}), the GAN's is {found.noise[GAN]:.2f}. Precision and recall after "
            f"Kynkäänniemi et al. 2019, k = 3, n = {len(found.real):,} of each; other real rows reach "
            f"{found.floor['precision']:.2f} and {found.floor['recall']:.2f}. Densities are means over many codes."
        )
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _kept(name: str) -> Comparison | None:
    return comparing.state(name).comparison


def _comparison(name: str) -> Comparison | None:
    """What is shipped or was trained, read once."""
    found = _kept(name)
    if found is None:
        _kept.clear(name)
    return found


@st.fragment(run_every=_SECONDS)
def _watch(settings: Settings, points: np.ndarray | None, name: str) -> None:
    """A button that trains both, or how far that is."""
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))
    now = comparing.state(name)
    if now.comparison is not None:
        st.rerun(scope="app")
    if now.share is None:
        if now.problem:
            st.error(plain(now.problem))
        st.info("These are not trained yet. It takes some seconds, beside the app, and is kept on this computer.")
        st.button(
            "Train both", key=choices.key("versus-train"), on_click=_start, args=(settings, points), type="primary"
        )
        return
    st.progress(now.share, "Waits for another comparison" if now.waits else f"Training both: {now.share:.0%}")
    st.button("Stop", key=choices.key("versus-stop"), on_click=comparing.stop, args=(name,))


def _start(settings: Settings, points: np.ndarray | None) -> None:
    try:
        comparing.start(settings, points)
    except HourglassError as problem:
        st.session_state[_PROBLEM] = str(problem)


@st.cache_resource(max_entries=32, show_spinner=False)
def _samples(name: str, steps: int, theme: str, _found: Comparison):
    from core.figures.mechanisms import versus as figures  # plotly

    counts = np.linspace(0, steps, covering.N_FRAMES + 1).astype(int)
    names = [f"{count:,}" for count in counts]
    return tuple(
        figures.samples(_NAMES[model], _found.real, _found.frames[model], names, _COLOURS[model], theme)
        for model in (VAE, GAN)
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _losses(name: str, theme: str, _found: Comparison):
    from core.figures.mechanisms import versus as figures  # plotly

    return (
        figures.losses("Terms of the VAE's loss", _found.history[VAE], ("reconstruction", "KL"), theme),
        figures.losses("The GAN's losses", _found.history[GAN], ("discriminator", "generator"), theme),
    )


def _table(found: Comparison) -> Markup:
    rows = (
        ("Precision: samples that could be data", lambda s: f"{s.precision:.3f}"),
        ("Recall: data that could be samples", lambda s: f"{s.recall:.3f}"),
        ("Samples within the data's 99 % region", lambda s: f"{s.inside:.1%}"),
        ("Data within the samples' 99 % region", lambda s: f"{s.reached:.1%}"),
        ("Components of the data covered", lambda s: f"{s.modes:.0%}"),
        ("Missing: KL(p ‖ q), nats", lambda s: _nats(s.missing, s.missing_error)),
        ("Straying: KL(q ‖ p), nats", lambda s: _nats(s.straying, s.straying_error)),
        ("Jensen-Shannon divergence, nats", lambda s: _nats(s.jensen_shannon, s.jensen_shannon_error)),
    )
    body = "".join(
        f'<tr><th scope="row">{html(label)}</th>'
        + "".join(f"<td>{html(written(found.scores[model]))}</td>" for model in (VAE, GAN))
        + "</tr>"
        for label, written in rows
    )
    head = "".join(f'<th scope="col">{html(text)}</th>' for text in ("", *_NAMES.values()))
    table = f'<table class="hg-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return Markup(f'<div class="hg-wide">{table}</div>')


def _nats(value: float, error: float) -> str:
    return frame.spelled(Estimate(value, error, 0))


def _verdict(found: Comparison) -> str:
    """Which of the two strays and which misses more, as far as the errors tell."""
    vae, gan = found.scores[VAE], found.scores[GAN]
    straying = _more("strays", "straying", vae, gan)
    missing = _more("misses", "missing", vae, gan)
    return (
        f"{straying} {missing} Precision {vae.precision:.3f} (VAE) against {gan.precision:.3f} (GAN), recall "
        f"{vae.recall:.3f} against {gan.recall:.3f}."
    )


def _more(verb: str, name: str, vae, gan) -> str:
    values = {VAE: getattr(vae, name), GAN: getattr(gan, name)}
    error = float(np.hypot(getattr(vae, f"{name}_error"), getattr(gan, f"{name}_error")))
    apart = values[VAE] - values[GAN]
    what = f"{max(values.values()):.2f} against {min(values.values()):.2f} nats"
    if abs(apart) <= 2 * error:
        return f"Neither {verb} more than the other ({what})."
    return f"The {_NAMES[VAE if apart > 0 else GAN]} {verb} more ({what})."
