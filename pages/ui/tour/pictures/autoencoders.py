"""Pictures of autoencoders: all methods on one image, its way through a code, and the figure of the paper."""

import numpy as np
import streamlit as st

from core import datasets, methods
from core.datasets import embedded_samples
from core.errors import BadInput
from core.figures import montages, palette
from core.metrics import bootstrap
from core.runs import layout, selection
from core.types import Run
from pages.ui.reconstructions import lecture_figure
from pages.ui.shared import header, html_blocks, images, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.number_format import interval, number, seconds
from pages.ui.shared.text import Markup, html, join_words, plain
from pages.ui.tour.pictures import pipeline

_DATA, _SAMPLE = "mnist", "mnist-sample"
_SHAPE = (28, 28)
_DIGITS = {str(digit): str(digit) for digit in range(10)}
_ENCODE, _GENERATE = ("pca", "ae", "vae"), "gan"
_GAN_SIZE = 16
_MAP = 300  # pixels
_ERROR = "squared_error"
_CODE, _NEAREST = 10, 10
_SHOWN = 10
_FIGURE = ("ae", "linear_ae", "pca")


def draw_methods(controls: Controls) -> str:
    """One test image through all methods, and their maps; the control chooses the image."""
    digit = int(controls.choose_segment("digit", "Test image", _DIGITS))
    cards, finding = _make_cards(digit, header.get_theme())
    st.html(cards)
    return finding


@st.cache_resource(max_entries=20, show_spinner=False)
def _make_cards(digit: int, theme: str) -> tuple[Markup, str]:
    runs = {name: stored_runs.find_shipped(_DATA, name, 2) for name in _ENCODE}
    cards = []
    for name, run in runs.items():
        error, pixels = number(_read_error(run, digit)), run.views["reconstructions"][_find_digit(run, digit)]
        cards.append(_make_card(name, _make_map(run, digit, theme), pixels, f"recon\u00adstruction, error {error}"))
    generated = stored_runs.find_shipped(_DATA, _GENERATE, _GAN_SIZE, is_best=True).views["samples"]
    picture = images.montage(generated[:16], _SHAPE, 4, "Images that the GAN generates", "hg-method-map", cell=56)
    cards.append(_make_card(_GENERATE, picture, None, "no encoder, so no code: it generates images"))
    first = next(iter(runs.values()))
    original = first.views["originals"][_find_digit(first, digit)]
    about = (
        f"The test image. Each map shows {len(first.views['map']):,} test images at their two-dimensional codes, "
        "coloured by digit; no method saw the labels."
    )
    x = (
        f'<figure class="hg-method-x">{_make_image(original, f"The test image, a {digit}")}'
        f"<figcaption>{html(about)}{_make_legend(theme)}</figcaption></figure>"
    )
    errors = [f"{number(_read_error(run, digit))} with {methods.label(name)}" for name, run in runs.items()]
    means = [number(run.metrics[_ERROR].value) for run in runs.values()]
    finding = (
        f"Reconstructed from two dimensions, this image has a squared error of {join_words(errors)}; the mean over "
        f"{first.metrics[_ERROR].n:,} test images is {join_words(means)}."
    )
    return Markup(f'<div class="hg-methods">{x}{"".join(cards)}</div>'), finding


def _make_legend(theme: str) -> str:
    """The colours of the digits."""
    colours = {digit: palette.get_class_style(int(digit), theme).colour for digit in _DIGITS}
    parts = (f'<span><i style="background:{colour}"></i>{digit}</span>' for digit, colour in colours.items())
    return f'<div class="hg-digits">{"".join(parts)}</div>'


def _make_card(name: str, picture: str, pixels: np.ndarray | None, about: str) -> str:
    label = methods.label(name)
    below = "" if pixels is None else _make_image(pixels, f"{label}: {about}")
    return (
        f'<div class="hg-method"><b>{html(label)}</b>{picture}<div class="hg-method-out">{below}'
        f"{html_blocks.make_note(about)}</div></div>"
    )


def _make_image(pixels: np.ndarray, alt: str) -> Markup:
    return images.montage(pixels[None], _SHAPE, 1, alt, "hg-flow-image", cell=112)


def _make_map(run: Run, digit: int, theme: str) -> str:
    """The codes of 2,000 test images as a small map, with the chosen one marked."""
    points = run.views["map"]
    png = montages.encode_png(montages.make_thumbnail(points, run.views["labels"], theme, _MAP))
    alt = f"Map of {methods.label(run.spec.method)}: the codes of {len(points):,} test images, coloured by digit"
    row = run.views["strip_rows"][_find_digit(run, digit)]
    x, y = montages.place_points(points, _MAP)[np.searchsorted(run.views["shown_rows"], row)] / _MAP * 100
    mark = f'<i style="left:{x:.1f}%;top:{y:.1f}%"></i>'
    return f'<div class="hg-method-map">{images.image(png, alt, "")}{mark}</div>'


def _find_digit(run: Run, digit: int) -> int:
    """Position of the first image of a class among those whose reconstructions are stored."""
    at = np.searchsorted(run.views["shown_rows"], run.views["strip_rows"])
    return int(np.flatnonzero(run.views["labels"][at] == digit)[0])


def _read_error(run: Run, digit: int) -> float:
    return float(run.views[f"rows.{_ERROR}"][run.views["strip_rows"][_find_digit(run, digit)]])


def draw_code(controls: Controls) -> str:
    """An image, its code, its reconstruction, and the images with the nearest codes; the control chooses the image."""
    digit = int(controls.choose_segment("digit", "Test image", _DIGITS))
    flow, finding = _make_flow(digit)
    st.html(flow)
    return finding


@st.cache_resource(max_entries=10, show_spinner=False)
def _make_flow(digit: int) -> tuple[Markup, str]:
    run = stored_runs.find_shipped(_DATA, "ae", _CODE)
    position, error = _find_digit(run, digit), _read_error(run, digit)
    row = run.views["strip_rows"][position]
    codes, labels = run.views["codes"].astype(np.float32), run.views["labels"]
    at = int(np.searchsorted(run.views["shown_rows"], row))
    nearest = _find_nearest(codes, at)
    reach = float(np.quantile(np.abs(codes), 0.995))
    flow = pipeline.make_flow(
        pipeline.make_images(run.views["originals"][[position]], _SHAPE, 1, "x, 784 pixels", "x_i"),
        pipeline.make_network(pipeline.ENCODER, "encoder", r"\text{enc}_\phi"),
        pipeline.make_code(codes[at], reach, f"z, {_CODE} dimensions"),
        pipeline.make_network(pipeline.DECODER, "decoder", r"\text{dec}_\theta"),
        pipeline.make_images(
            run.views["reconstructions"][[position]], _SHAPE, 1, f"recon\u00adstruction, squared error {number(error)}"
        ),
    )
    about = f"of {len(codes):,} test images, nearest first"
    caption = html_blocks.make_caption("Images with the nearest codes", about)
    alt = f"The {_NEAREST} test images whose codes are nearest to that of the {digit}"
    pixels = embedded_samples.read_sample(_SAMPLE)["x_test"].reshape(len(codes), -1)[nearest]
    strip = images.montage(pixels, _SHAPE, _NEAREST, alt, "hg-strip")
    same = int((labels[nearest] == digit).sum())
    mean = run.metrics[_ERROR]
    finding = (
        f"Reconstructed from {_CODE} dimensions, this image has a squared error of {number(error)}; the mean over "
        f"{mean.n:,} test images is {number(mean.value)}. Of the {_NEAREST} images with the nearest codes, {same} "
        "have the same digit."
    )
    return Markup(flow + caption + strip), finding


def _find_nearest(codes: np.ndarray, at: int) -> np.ndarray:
    """Positions of the nearest codes, (`_NEAREST`,), by Euclidean distance, without the one at `at`."""
    distances = np.square(codes - codes[at]).sum(axis=1)
    return np.argsort(distances, kind="stable")[1 : _NEAREST + 1]


def draw_reconstructions(controls: Controls) -> str:
    """Test images, and what AEs and PCA reconstruct from 30 dimensions; the control chooses the images."""
    shipped = {name: label for name, label in lecture_figure.SUBJECTS.items() if _read_shipped(name)}
    if not shipped:
        raise BadInput("The images can't be shown: their runs in assets/runs are missing.")
    subject = controls.choose_segment("of", "Images", shipped)
    strips, finding = _make_figure(subject)
    st.html(strips)
    licence = f"Images: {datasets.entry(subject).licence}."
    st.caption(plain(f"{lecture_figure.ABOUT_PUBLISHED[subject]} {lecture_figure.PAPER}, figure 2. {licence}"))
    return finding


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_shipped(subject: str) -> dict[str, Run]:
    """The shipped runs of the figure by method; empty unless both of the figure's methods are there."""
    specs = {method: lecture_figure.make_spec(subject, method) for method in _FIGURE}
    shipped = {method: spec for method, spec in specs.items() if layout.place_of(layout.SHIPPED, spec).exists()}
    if not shipped.keys() >= set(lecture_figure.METHODS):
        return {}
    return {method: stored_runs.read_shipped(spec) for method, spec in shipped.items()}


@st.cache_resource(max_entries=4, show_spinner=False)
def _make_figure(subject: str) -> tuple[Markup, str]:
    """The strips of the figure, and what their errors say."""
    runs = _read_shipped(subject)
    ae, pca = (runs[method] for method in lecture_figure.METHODS)
    of = " of people who are in no training image" if pca.spec.dataset_params else ""
    strips = [_make_strip("Test images", f"{_SHOWN} of {pca.metrics[_ERROR].n:,}{of}", pca, "originals")]
    for method, run in runs.items():
        published = lecture_figure.PUBLISHED[subject].get(method)
        about = f"squared error {number(run.metrics[_ERROR].value)} ({interval(run.metrics, _ERROR)})"
        about += f"; published {published}" if published else ""
        if run.history and selection.is_best_effort(run):
            about += f"; trained for {run.history[-1]['epoch']:.0f} epochs, {seconds(run.environment['seconds'])}"
        strips.append(_make_strip(methods.label(method), about, run, "reconstructions"))
    finding = f"From {lecture_figure.SIZE} dimensions, {_compare_errors(ae, pca)}."
    for run in runs.values():
        if methods.entry(run.spec.method).converges_to:
            error, of_pca = (number(shown.metrics[_ERROR].value) for shown in (run, pca))
            finding += f" The {methods.label(run.spec.method)} has {'as much as PCA' if error == of_pca else error}."
    return Markup("".join(strips)), finding


def _make_strip(title: str, about: str, run: Run, view: str) -> str:
    shape = tuple(run.environment["image_shape"])
    picture = images.montage(run.views[view][:_SHOWN], shape, _SHOWN, f"{title}: {about}", "hg-strip")
    return html_blocks.make_caption(title, about) + picture


def _compare_errors(ae: Run, pca: Run) -> str:
    ours, linear = (run.metrics[_ERROR] for run in (ae, pca))
    text = f"the AE has a squared error of {number(ours.value)} per image and PCA {number(linear.value)}"
    rows = {"ae": ae.views[f"rows.{_ERROR}"], "pca": pca.views[f"rows.{_ERROR}"]}
    if bootstrap.find_best(rows, higher_is_better=False) is None:
        return f"{text}, which is not significantly different (n = {ours.n:,} test images)"
    return f"{text}, {linear.value / ours.value:.1f} times as much (n = {ours.n:,} test images)"
