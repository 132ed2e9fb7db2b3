"""Pictures of generators and their codes: output distributions, reparameterization, planes of codes, sliders."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from core import cache, datasets
from core.analysis import decoder_export, generator_outputs
from core.analysis.codes import to_pixels
from core.analysis.rows import Rows, load_shipped_rows
from core.frontend import latent
from core.frontend.latent import Scene
from core.runs import reader
from core.types import IMAGES, Run
from pages.ui.generation import latent_component, manifold, sliders
from pages.ui.shared import cached, header, html_blocks, images, reparameterization, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.number_format import number
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import Markup

_OUTPUTS = {"bernoulli": ("mnist", "Bernoulli: digits"), "normal": ("frey", "Normal: faces")}
_N_CODES, _SEED = 8, 1
_WHITE = 0.98  # share of the standard deviations below the white one
_N_STARTS = 8  # faces to start from, in one row on a projector
_REACHES = (0.5, 1.0, 1.5, 2.0, 2.5)  # standard deviations


def draw_output_distribution(controls: Controls) -> str:
    """The distribution over images that a VAE's decoder gives for random codes, and a sample of it."""
    output = controls.choose_segment("output", "Output", {name: label for name, (_, label) in _OUTPUTS.items()})
    rows, finding = _make_outputs(output)
    st.html(rows)
    return finding


@st.cache_resource(max_entries=2, show_spinner=False)
def _make_outputs(output: str) -> tuple[Markup, str]:
    run, weights = _read_vae(_OUTPUTS[output][0])
    shape = tuple(run.environment["image_shape"])
    Z = np.random.default_rng(_SEED).standard_normal((_N_CODES, 2)).astype(np.float32)
    mean, deviation = generator_outputs.decode_distribution(run, weights, Z)
    is_normal = output == "normal"
    # A few pixels at the edge have a far larger deviation than all others.
    white = float(np.quantile(deviation, _WHITE))
    strips = {
        "Mean": ("given by the generator", mean),
        "Standard deviation": (
            f"{'given by the generator' if is_normal else '√(p (1 − p)) of the mean p'}; white: "
            f"{number(white)}{' or more' if white < deviation.max() else ''}",
            np.minimum(deviation / white, 1),
        ),
        "Sample": (
            "x ~ p(x|z), a draw of every pixel",
            generator_outputs.sample_images(mean, deviation, output, _SEED),
        ),
    }
    parts = [
        html_blocks.make_caption(name, about)
        + images.montage(to_pixels(pixels), shape, _N_CODES, f"{name}: {about}", "hg-strip", cell=112)
        for name, (about, pixels) in strips.items()
    ]
    n = mean.shape[1]
    if is_normal:
        finding = (
            f"The generator gives {2 * n:,} numbers for {n:,} pixels, means and variances: in these {_N_CODES} images "
            f"the standard deviation of a pixel runs from {deviation.min():.3f} to {deviation.max():.3f}."
        )
    else:
        finding = (
            f"The generator gives {n:,} numbers for {n:,} pixels, the means: they fix the standard deviations, here "
            f"{deviation.mean():.2f} on average and at most {deviation.max():.2f}."
        )
    return Markup("".join(parts)), finding


def draw_reparameterization(controls: Controls) -> str:
    """A digit, its q(z|x) on the map of codes, z = mu + sigma * eps, and the decoded image."""
    return reparameterization.draw()


def draw_manifolds(controls: Controls) -> str:
    """The planes of a code of digits and of one of faces, decoded at steps of equal probability of the prior."""
    help = "Farthest code along an axis, in standard deviations of the prior."
    reach = controls.choose_value("reach", "Reach of the plane", _REACHES, 2.0, help, "± {:g} sd".format)
    columns, finding = _make_manifolds(reach, header.is_large())
    st.html(columns)
    return finding


@st.cache_resource(max_entries=2 * len(_REACHES), show_spinner=False)
def _make_manifolds(reach: float, is_large: bool) -> tuple[Markup, str]:
    """The planes and what their neighbours differ by; on a projector half as many codes along each axis."""
    columns, findings = [], []
    for name in ("mnist", "frey"):
        run, weights = _read_vae(name)
        label, shape = datasets.entry(name).label, tuple(run.environment["image_shape"])
        counts = tuple(n // (1 + is_large) for n in latent.choose_grid_shape(shape))
        plane = generator_outputs.decode_plane(decoder_export.export_stored_decoder(run, weights), *counts, reach)
        about = f"{counts[0]} by {counts[1]} codes, decoded"
        alt = f"{label}: {about}"
        picture = images.montage(to_pixels(plane.images), shape, plane.columns, alt, "hg-strip", cell=28, gap=0)
        columns.append((label, about, picture))
        findings.append(f"{number(plane.neighbours)} against {number(plane.pairs)} for {label}")
    text = (
        "The mean squared error per image between neighbours of the grid, against that between any two of its images, "
        f"is {' and '.join(findings)}."
    )
    return html_blocks.make_columns(columns), text


def draw_demos(controls: Controls) -> str:
    """A plane of digits to drag in, or a face with a slider for each of its 30 latent dimensions."""
    demos = {"plane": "Drag in the plane of digits", "sliders": "Sliders of a face"}
    if controls.choose_segment("demo", "Demo", demos) == "plane":
        run = stored_runs.find_shipped("mnist", "vae", 2)
        stamp, rows = stored_runs.make_stamp(run.place), _load_digits(run.spec.dataset)
        scene = manifold.make_scene(stamp, rows.key, run, rows)
        accuracy = run.metrics["knn_accuracy"]
        finding = (
            f"A nearest-neighbour classifier on the two-dimensional codes is right for {accuracy.value:.0%} of "
            f"{accuracy.n:,} test images."
        )
    else:
        run = stored_runs.find_shipped("olivetti", "ae", 30)
        stamp = stored_runs.make_stamp(run.place)
        scene, rows = _make_face_scene(stamp, run)
        n_active = sum(axis.is_active for axis in scene.axes)
        finding = (
            f"{n_active} of {len(scene.axes)} dimensions change the face: their effect is more than "
            f"{decoder_export.ACTIVE_EFFECT:.0%} of that of the most active one."
        )
    latent_component.draw(stamp, scene, rows, (), controls.problems, f"{controls.experiment}.")
    return finding


@st.cache_resource(max_entries=1, show_spinner=False)
def _load_digits(dataset: str) -> Rows:
    """The shipped test rows, on which the run was measured: another copy of the data set has other ones."""
    return load_shipped_rows(dataset, cached.DEFAULT_COUNT)


@st.cache_resource(max_entries=2, show_spinner=False)
def _make_face_scene(stamp: Stamp, _run: Run) -> tuple[Scene, Rows]:
    """The sliders of a run whose data set is not embedded, and the test images that it stores, to start from."""
    scene, views = sliders.make_scene(stamp, "", _run, None), _run.views
    at, numbers = np.searchsorted(views["shown_rows"], views["strip_rows"]), views["strip_rows"]
    labels, shape = scene.labels[at], tuple(_run.environment["image_shape"])
    rows = Rows(_run.spec.dataset, IMAGES, "test", numbers, len(numbers), views["originals"], labels, (), shape)
    # The Gaussian and the ranges of the axes stay those of all codes; the first image is where the sliders begin.
    axes = [replace(axis, start=float(value)) for axis, value in zip(scene.axes, scene.codes[at[0]], strict=True)]
    shown = {"codes": scene.codes[at], "labels": labels, "numbers": numbers, "pictures": rows.key, "axes": axes}
    return replace(scene, id=cache.make_key(scene.id, rows.key), starts=range(_N_STARTS), **shown), rows


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_vae(dataset: str) -> tuple[Run, Mapping[str, np.ndarray]]:
    """The shipped VAE with a 2-D code of a data set, and its arrays."""
    run = stored_runs.find_shipped(dataset, "vae", 2)
    return run, reader.read_weights(run.place)
