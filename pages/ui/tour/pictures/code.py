"""The code of the lecture's notebooks: its text, its networks, its curves and its images, all of one stored run."""

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from core.figures import svg
from core.lecture import notebooks
from core.lecture.notebooks import Layer, Results
from core.runs import presets, specs
from pages.ui.shared import header, images, permalinks, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.html_blocks import make_caption, make_note, make_program
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.text import Markup, html, plain

_SHOW = {"code": "Code", "network": "Networks", "curves": "Curves", "images": "Images"}
_IN_ROW = 10
_ARROW = ":material/arrow_forward:"
_PUBLISHED = "89.9 nats (the VAE of Rezende and Mohamed 2015, Variational inference with normalizing flows)"


def draw_autoencoder(controls: Controls) -> str:
    return _draw(controls, "autoencoder", "squared error per image")


def draw_vae(controls: Controls) -> str:
    finding = _draw(controls, "vae", "nats per image", {"beta": ("vae-beta", "Images, β = 8")})
    about, spec = _compare_bound()
    st.caption(plain(about))
    query = {"spec": spec}
    st.page_link("pages/training.py", label="The VAE of binary MNIST", icon=_ARROW, query_params=query)
    return finding


def draw_gan(controls: Controls) -> str:
    return _draw(controls, "gan", "nats per image")


def _draw(
    controls: Controls, name: str, unit: str, variants: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> str:
    """Draw a part of a notebook, in ``assets/code``; returns what its last epoch says.

    `variants`: choice -> a variant of the notebook, whose images it shows, and the label.
    """
    labels = {choice: label for choice, (_, label) in variants.items()}
    shown = controls.choose_segment("show", "Show", _SHOW | labels)
    name = variants[shown][0] if shown in variants else name
    results = _read_results(name)
    if shown == "code":
        st.html(make_program(notebooks.read_code(name)))
        st.html(make_note("It runs as it stands, with PyTorch and scikit-learn, and downloads nothing."))
    elif shown == "network":
        st.html(_make_networks(results))
    elif shown == "curves":
        pictures = svg.render_progress(results.history, "epoch", unit, header.get_theme())
        st.html(Markup(f'<div class="hg-sketches">{"".join(images.vector(*picture) for picture in pictures)}</div>'))
    else:
        st.html(_make_images(results))
    return _describe_losses(results, unit)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_results(name: str) -> Results:
    return notebooks.read_results(name)


def _describe_losses(results: Results, unit: str) -> str:
    """``"After 100 epochs …"``, from the last row of the history."""
    last, weights = results.history[-1], f"{results.n_weights:,} weights"
    if "test_loss" not in last:
        scores, losses = (
            [number(last[key]) for key in keys]
            for keys in (
                ("score_real", "test_score_real", "score_generated"),
                ("discriminator_loss", "generator_loss"),
            )
        )
        return (
            f"After {last['epoch']:,} epochs, D(x) is {scores[0]} on training images, {scores[1]} on test images and "
            f"{scores[2]} on generated images, on average. The loss of D is {losses[0]} and that of G {losses[1]}, in "
            f"{unit} ({weights})."
        )
    return (
        f"After {last['epoch']:,} epochs, the loss is {number(last['loss'])} on the {results.n_train:,} training "
        f"images and {number(last['test_loss'])} on the {results.n_test:,} test images, in {unit} ({weights})."
    )


def _make_networks(results: Results) -> Markup:
    """A bar for each layer, as wide as the root of its number of units."""
    most = max(_count_units(layer) for layers in results.networks.values() for layer in layers)
    parts = ""
    for network, layers in results.networks.items():
        rows = "".join(_make_layer(layer, (_count_units(layer) / most) ** 0.5) for layer in layers)
        parts += f'{make_caption(network.capitalize())}<ol class="hg-layers">{rows}</ol>'
    return Markup(parts)


def _count_units(layer: Layer) -> int:
    n = 1
    for size in layer.shape:
        n *= size
    return n


def _make_layer(layer: Layer, share: float) -> str:
    shape = " × ".join(map(str, layer.shape))
    units = f"{_count_units(layer):,}" if len(layer.shape) == 1 else f"{shape} = {_count_units(layer):,}"
    name = layer.name or "input"
    return f'<li><span>{html(name)}</span><i style="width:{100 * share:.1f}%"></i><span>{units}</span></li>'


def _make_images(results: Results) -> Markup:
    parts = (
        make_caption(title) + images.montage(pixels, results.image_shape, _IN_ROW, title, _choose_style(len(pixels)))
        for title, pixels in results.pictures.items()
    )
    return Markup("".join(parts))


def _choose_style(n: int) -> str:
    return "hg-strip" if n <= _IN_ROW else "hg-strip hg-plane"


@st.cache_resource(max_entries=1, show_spinner=False)
def _compare_bound() -> tuple[str, str]:
    """The bound of the shipped VAE of binary MNIST beside the published one, and its Spec for a link."""
    run = stored_runs.read_shipped(specs.make_from_settings(*presets.LIKELIHOOD[0]))
    bound = run.metrics["iw_bound"]
    text = (
        f"For a larger VAE of MNIST with pixels drawn in the same way, the importance-weighted bound on −log p(x) is "
        f"{number(bound.value)} nats an image (95% interval {interval(run.metrics, 'iw_bound')}, n = {bound.n:,} test "
        f"images, stored run); published: {_PUBLISHED}."
    )
    return text, permalinks.encode(run.spec)
