"""AE as a generator: where the codes of an autoencoder live, and what random codes decode to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import datasets, generating, samplers
from core.figures import rasters
from core.mechanisms import random_codes
from core.mechanisms.random_codes import Region
from core.types import IMAGES, Run
from core.views import pixels
from pages.ui import loaded, runs
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls
from pages.ui.pictures import image
from pages.ui.runs import Stamp
from pages.ui.text import Markup, html, plain

_METHOD, _SIZE, _FIRST = "ae", 2, "mnist"
_SHOWN, _DRAWS = 16, 2000
_SAMPLERS = {
    samplers.NORMAL: "N(0, I), naive",
    samplers.GAUSSIAN: "One Gaussian, fitted",
    samplers.MIXTURE: "Mixture, fitted",
}


def draw(controls: Controls) -> None:
    frame.begin(
        "An autoencoder learns to rebuild, and nothing tells its codes where to lie. Draw z from N(0, I), and much of "
        "the codes' own region goes unseen or draws fall where no row ever was; draw from a distribution fitted to the "
        "codes and the images become data-like.",
        r"{\hat{x} = \mathrm{dec}_\theta(z),}\quad\allowbreak{z \sim \mathcal{N}(0, I)}\quad\allowbreak"
        r"{\text{or }\ z \sim \mathcal{N}(\bar{z}, \Sigma_z)\ }\allowbreak"
        r"{\text{with } \bar{z}, \Sigma_z \text{ of the codes } z_n = \mathrm{enc}_\phi(x_n)}",
    )
    there = _runs()
    if not there:
        st.info("No autoencoder with a 2-D code is stored here: train one on the page Training.")
        return
    with frame.controls():
        name = controls.segments("data", "Data set", {each: datasets.entry(each).label for each in there})
        kind = controls.segments("codes", "Codes are drawn from", _SAMPLERS)
        seed = controls.seed()
    run, stamp = runs.read(there[name].spec.key)
    with st.spinner("Decoding random codes …"):
        found = _found(stamp, kind, seed, run)
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        frame.chart(_figure(stamp, kind, seed, frame.theme(), run), "codes")
    with right:
        st.html(_decoded(found, run))
    frame.settle(_verdict(found, kind))
    st.caption(
        plain(
            f"AE with a 2-D code on {datasets.entry(name).label}, the stored run. The dashed ellipse holds 95 % of one "
            f"Gaussian fitted to the codes of its test rows; shares of {_DRAWS:,} draws. Larger codes: see the page "
            "Generation."
        )
    )


def _runs() -> dict[str, Run]:
    """Data set of images -> a stored AE with a 2-D code."""
    stored, _ = runs.stored()
    found: dict[str, Run] = {}
    for name in sorted(datasets.names(), key=lambda name: name != _FIRST):
        if datasets.entry(name).kind != IMAGES:
            continue
        own = [
            run
            for run in stored
            if (run.spec.dataset, run.spec.method) == (name, _METHOD) and run.spec.param("n_components") == _SIZE
        ]
        if own:
            found[name] = own[0]
    return found


@dataclass(frozen=True)
class _Found:
    """Codes of rows (n, 2) with their classes (n,), drawn codes (m, 2), what the first decode to, and the region."""

    codes: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    drawn: np.ndarray
    decoded: np.ndarray
    region: Region


@st.cache_resource(max_entries=32, show_spinner=False)
def _found(stamp: Stamp, kind: str, seed: int, _run: Run) -> _Found:
    codes, labels, names = _codes(stamp, _run)
    estimator = loaded.estimator(stamp)
    drawn = generating.sampler_of(_run, kind, estimator).sample(_DRAWS, seed)
    decoded = pixels(estimator.inverse_transform(drawn[:_SHOWN].astype(np.float32)))
    return _Found(codes, labels, names, drawn, decoded, Region.of(codes))


def _codes(stamp: Stamp, run: Run) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Codes of the rows that the run itself holds, and their classes where it holds these."""
    codes = np.asarray(run.views["map"], np.float64)
    known = np.isfinite(codes).all(axis=1)
    labels = np.asarray(run.views["labels"]) if "labels" in run.views else np.full(len(codes), -1)
    names = tuple(run.environment.get("target_names", ())) or tuple(str(k) for k in range(int(labels.max()) + 1))
    return codes[known], labels[known], names


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(stamp: Stamp, kind: str, seed: int, theme: str, _run: Run):
    from core.figures.mechanisms import codes as figures  # plotly

    found = _found(stamp, kind, seed, _run)
    return figures.lived(found.codes, found.labels, found.names, found.drawn, found.region.outline(), _SHOWN, theme)


def _decoded(found: _Found, run: Run) -> Markup:
    shape = tuple(run.environment["image_shape"])
    name = f"What codes 1 to {_SHOWN} decode to, in order"
    png = rasters.png(rasters.montage(found.decoded, shape, 4, cell=84))
    return Markup(
        f'<div class="hg-mechanism-strips"><figure><figcaption>{html(name)}</figcaption>'
        f"{image(png, name, 'hg-strip')}</figure></div>"
    )


def _verdict(found: _Found, kind: str) -> str:
    region = found.region
    naive = random_codes.share_inside(region, np.random.default_rng(0).standard_normal((_DRAWS, 2)))
    exact = region.share_of_normal()
    own = random_codes.share_inside(region, found.drawn)
    text = (
        f"{_percent(naive)} of the codes of N(0, I) lie in the codes' region; exactly {100 * exact:.2f} %, "
        f"{frame.agreement(naive, exact)}. "
    )
    if kind != samplers.NORMAL:
        text += f"Of the draws shown it is {_percent(own)}. "
    area = float(np.sqrt(np.linalg.det(region.covariance)))
    reached = Region(np.zeros(2), np.eye(2)).holds(found.codes).mean()
    return text + (
        f"The other way round, {100 * reached:.1f} % of the rows' own codes lie where 95 % of N(0, I) does. "
        f"The codes' Gaussian covers {area:.3g} times the area of N(0, I), and its KL divergence from it is "
        f"{region.kl_to_normal:.2f} nats: where both agree these are 1 and 0."
    )


def _percent(share) -> str:
    return f"{100 * share.value:.1f} ± {100 * share.error:.1f} %"
