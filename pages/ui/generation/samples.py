"""The section Samples: images decoded from random codes by each method, and the distance to the data."""

import io
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core import datasets
from core.analysis import samplers
from core.datasets import checksums
from core.errors import BadInput
from core.figures import montages
from core.metrics import memorization
from core.types import Run
from pages.ui.generation import sample_scores
from pages.ui.generation.run_samplers import COUNT, NO_TRUNCATION, Draw, RunSampler, find_samplers, select_lines
from pages.ui.shared import header, page_state, task_progress
from pages.ui.shared.cached import load_dataset, offer_download
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.images import image, montage
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import Markup, html, plain

_COLUMNS, _COUNT_ALONE = 8, 64


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    view = select_lines(view)
    usable, opened = [], None
    with begin_section(view) as section:
        if any(line.run or line.problem for line in view.lines):
            how = choose_draw(problems)
            with st.spinner("Decoding random codes …"):
                usable, section.refused = find_samplers(view.lines, how)
        section.require(usable, "method that draws samples")
        section.explain(
            "Each decoder receives random codes; the caption names their distribution. Look for images that could be "
            f"from {view.entry.label}, for variety, and for images that could not."
        )
        opened = _draw_cards(usable, how, view.size)
        _offer_files(usable, how, view)
        task_progress.show_measurements(view.trained)
        st.markdown(plain(sample_scores.describe_findings(usable, view.size)))
        sample_scores.draw(usable, how)
    if opened is not None:
        _draw_enlarged(opened, how, view, problems)


def choose_draw(problems: list[str]) -> Draw:
    with st.container(key="prior", horizontal=True, vertical_alignment="bottom"):
        look = {"width": 130, "help": "The same seed draws the same codes."}
        seed = choose_number(st.number_input, "seed", "Seed", 0, page_state.LARGEST_SEED, 0, problems, **look)
        help_text = "Draw codes with the next seed."
        st.button("Resample", key=page_state.key("others"), on_click=_advance_seed, help=help_text)
        look = {"step": 0.05, "width": 200}
        look["help"] = (
            "Factor of every deviation from the mean: below 1 codes stay near the middle, where decoders are surest; "
            "above 1 they leave the region that was trained."
        )
        ends = samplers.TEMPERATURES
        temperature = choose_number(st.slider, "temperature", "Temperature", *ends, 1.0, problems, **look)
        off, label = NO_TRUNCATION, f"Truncation ({NO_TRUNCATION:g}: off)"
        about = "A normal number beyond so many deviations is drawn again (Brock et al. 2019); at 5 it is off."
        look |= {"step": 0.1, "help": about}
        truncation = choose_number(st.slider, "truncation", label, 0.5, off, off, problems, **look)
    return Draw(seed, temperature, truncation)


def _advance_seed() -> None:
    widget = page_state.key("seed")
    st.session_state[widget] = (int(st.session_state[widget]) + 1) % (page_state.LARGEST_SEED + 1)


def choose_number(
    draw: Callable, name: str, label: str, low: float, high: float, default: float, problems: list[str], **look: Any
) -> float:
    """Draw the widget of a number with the link's value, else its own, else that of an earlier visit."""
    widget = page_state.key(name)
    value = st.session_state.get(widget, page_state.recall(name))
    if (text := page_state.read_link(name)) is not None:
        value = math.nan
        with suppress(ValueError):
            value = float(text)
        if not low <= value <= high:
            given = f"a {name} that is no number from {low:g} to {high:g}"
            problems.append(f"The link asks for {given}: {default:g} is used.")
            value = default
    st.session_state[widget] = type(default)(default if value is None else round(value, 2))
    chosen = draw(label, low, high, key=widget, **look)
    page_state.keep(name, chosen, text=None if chosen == default else f"{chosen:g}")
    return chosen


def _draw_cards(usable: Sequence[RunSampler], how: Draw, size: int) -> RunSampler | None:
    """Draw a sheet of samples per sampler; return the one that was clicked, if any."""
    opened = None
    with st.container(key="sampled", gap=None):
        for sampler in usable:
            with st.container(key=f"sampled-{sampler.key}", gap=None):
                st.html(_caption(sampler, size))
                with st.container(key=f"open-sampled-{sampler.key}", gap=None):
                    png = _sheet(sampler.line.stamp, sampler.kind, how, sampler)
                    st.html(image(png, f"{COUNT} samples: {sampler.label}", "hg-strip"))
                    label = f"Enlarge: {sampler.label}, with the nearest training images"
                    if st.button(label, key=page_state.key(f"open-{sampler.key}"), type="tertiary"):
                        opened = sampler
    return opened


@st.cache_data(max_entries=256, show_spinner=False)
def _sheet(stamp: Stamp, kind: str, how: Draw, _sampler: RunSampler) -> bytes:
    images = _sampler.draw_samples(how)[1]
    return montages.encode_png(montages.make_montage(images, _sampler.image_shape, _COLUMNS, cell=56, gap=3))


def _caption(sampler: RunSampler, size: int) -> str:
    scores, distance = sampler.scores, ""
    if "frechet" in scores:
        ends = f'<span class="hg-note">({interval(scores, "frechet")})</span>'
        distance = f"<div>Fréchet {number(scores['frechet'].value)} {ends}</div>"
    own_size = "" if sampler.size == size else f"; {sampler.size}-D, independent of the size chosen above"
    about = make_note(sampler.about + own_size)
    return f'<div class="hg-caption"><b>{html(sampler.label)}</b>{distance}{about}</div>'


@st.dialog("Samples and nearest training images", width="large")
def _draw_enlarged(sampler: RunSampler, how: Draw, view: View, problems: list[str]) -> None:
    images = sampler.draw_samples(how)[1]
    st.markdown(f"**{plain(sampler.label)}**, {plain(sampler.about)}; seed {how.seed}.")
    if not datasets.is_available(view.entry.name):
        st.html(montage(images, sampler.image_shape, _COLUMNS, f"Samples: {sampler.label}", "hg-strip"))
        offer_download(view.entry, problems, " Each sample is then shown with its nearest training image.")
        return
    with header.show_errors(), st.spinner("Searching the nearest training images …"):
        nearest, near = _find_nearest(sampler.line.stamp, sampler.kind, how, sampler)
        n_copies = int(nearest.is_copy.sum())
        st.markdown(
            f"Below each sample: its nearest training image and their distance. Near-duplicates: {n_copies} of "
            f"{len(images)}."
        )
        pairs = (_pair(k, images[k], near[k], nearest, sampler.image_shape) for k in range(len(images)))
        st.html(Markup(f'<div class="hg-pairs">{"".join(pairs)}</div>'))
        st.caption(
            "Distance: Euclidean, pixels in [0, 1]. Near-duplicate: closer to a training image than a third of the "
            "distance to the second nearest (Yoon et al. 2023)."
        )


def _pair(k: int, sample: np.ndarray, near: np.ndarray, nearest: memorization.Nearest, shape: tuple[int, int]) -> str:
    distance = nearest.distances[k, 0]
    mark = " <b>near-duplicate</b>" if nearest.is_copy[k] else ""
    alt = f"Sample {k + 1} above training row {nearest.rows[k]}, distance {distance:.2f}"
    picture = montage(np.stack([sample, near]), shape, 1, alt, "hg-pair-image", cell=84)
    return f'<div class="hg-pair">{picture}{distance:.2f}{mark}</div>'


@st.cache_resource(max_entries=32, show_spinner=False)
def _find_nearest(stamp: Stamp, kind: str, how: Draw, _sampler: RunSampler) -> tuple[memorization.Nearest, np.ndarray]:
    """Return the training rows nearest to the samples, and their images."""
    run = _sampler.line.run
    dataset = load_dataset(run.spec.dataset, run.spec.dataset_params)
    if not checksums.is_of(run.environment, dataset.checksum):
        raise BadInput("It was trained on another copy of the data, which has other rows: train it again.")
    images = _sampler.draw_samples(how)[1] / np.float32(255)
    nearest = memorization.nearest_training_rows(images, dataset.X_train)
    return nearest, dataset.X_train[nearest.rows]


def _offer_files(usable: Sequence[RunSampler], how: Draw, view: View) -> None:
    alone = {f"{_COUNT_ALONE} of {sampler.label}": sampler for sampler in usable}
    with st.container(horizontal=True, vertical_alignment="bottom", key="samples-download"):
        options = [f"The {COUNT} shown of each", *alone]
        chosen = st.selectbox("Samples to save", options, key=page_state.key("save"), width=260)
        saved, count, size, infix = (usable, COUNT, view.size, "")
        if sampler := alone.get(chosen):
            # The key of the run tells two runs of one method apart.
            infix = f"{sampler.key}-{sampler.line.run.key[:6]}-"
            saved, count, size = [sampler], _COUNT_ALONE, sampler.size
        name = f"samples-{view.entry.name}-{size}d-{infix}seed{how.seed}"
        for kind, make, mime, help_text in (
            ("png", _to_png, "image/png", "A grid of images."),
            ("npz", _to_npz, "application/octet-stream", "Codes (float32) and images (uint8), for numpy.load."),
        ):
            data = partial(make, saved, how, count)
            look = {"key": page_state.key(kind), "on_click": "ignore", "help": help_text}
            st.download_button(f"Save {kind.upper()}", data, f"{name}.{kind}", mime, **look)


def _to_png(saved: Sequence[RunSampler], how: Draw, count: int) -> bytes:
    shape = saved[0].image_shape
    if len(saved) == 1:
        return montages.encode_png(montages.make_montage(saved[0].draw_samples(how, count)[1], shape, _COLUMNS))
    sheets = [(f"{sampler.label}: {sampler.about}", sampler.draw_samples(how, count)[1]) for sampler in saved]
    return montages.encode_png(montages.make_titled_montage(sheets, shape, 2 * _COLUMNS))


def _to_npz(saved: Sequence[RunSampler], how: Draw, count: int) -> bytes:
    truncation = np.inf if how.truncation == NO_TRUNCATION else how.truncation
    settings = {"seed": how.seed, "temperature": how.temperature, "truncation": truncation}
    arrays = {name: np.array(value) for name, value in (settings | {"image_shape": saved[0].image_shape}).items()}
    for sampler in saved:
        codes, images = sampler.draw_samples(how, count)
        name = f"{sampler.line.method}_{sampler.kind}"
        arrays |= {f"{name}_codes": codes, f"{name}_images": images, f"{name}_run": np.array(sampler.line.run.key)}
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()
