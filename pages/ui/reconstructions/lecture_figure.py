"""The lecture figure after Hinton and Salakhutdinov (2006): reconstructions by AE and PCA from 30 dimensions."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from core import datasets, methods
from core.datasets import checksums
from core.errors import HourglassError
from core.runs import selection, specs
from core.runs.presets import BEST, EFFORT, FACES, list_presets
from core.types import Run, Spec
from pages.ui.reconstructions import images
from pages.ui.shared import cached, image_grid, page_state, stored_runs, training_offers
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.run_picker import View
from pages.ui.shared.text import join_words, plain

SIZE = 30
METHODS = ("ae", "pca")
SUBJECTS = {"mnist": "MNIST digits", "frey": "Frey faces", "olivetti": "Olivetti faces"}
# Published squared errors by method, of MNIST on the same test images, of faces on 25 x 25 patches of Olivetti.
_OF_DIGITS, _OF_FACES = {"ae": "3.00", "pca": "13.87"}, {"ae": "126", "pca": "135"}
PUBLISHED = {"mnist": _OF_DIGITS, "olivetti": _OF_FACES}
PAPER = "G. E. Hinton, R. R. Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313, 2006"
_FACES = "autoencoder {ae}, PCA {pca}, on 25 × 25 patches of face photographs".format(**_OF_FACES)
ABOUT_PUBLISHED = {
    "mnist": "Published errors on the same test images: autoencoder {ae} (layers of 1000, 500, 250 and 30 units, "
    "pretrained one by one), PCA {pca}.".format(**_OF_DIGITS),
    "frey": f"The paper has no Frey faces. Published errors: {_FACES}; the scale differs, so compare only the order.",
    "olivetti": f"Published errors: {_FACES} (Olivetti); the scale differs, so compare only the order.",
}
_SOURCE = (
    f"Published errors: {PAPER}, figure 2. Our errors: squared error summed over the pixels in [0, 1] without "
    "clipping, mean over the test images with 95% bootstrap interval."
)


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    """Draw the figure in an expander, which computes only when it is open."""
    title = f"Lecture figure: reconstructions from {SIZE} dimensions (Hinton and Salakhutdinov 2006)"
    drawer = st.expander(title, key=page_state.key("thirty"), on_change="rerun", icon=":material/image:")
    if not drawer.open:
        return
    with drawer:
        subject = page_state.choose("thirty-of", "Images", SUBJECTS, problems, label_visibility="collapsed")
        runs = {spec: _find_run(stored, spec) for spec in (make_spec(subject, method) for method in METHODS)}
        if missing := training_offers.find_missing([spec for spec, run in runs.items() if run is None], stored):
            names = join_words([methods.label(spec.method) for spec in missing])
            st.markdown(plain(f"{SUBJECTS[subject]}, {SIZE}-D: {names} not trained yet."))
            download = "" if datasets.is_available(subject) else " The images are downloaded first."
            about = f"PCA is fitted in closed form; the AE trains for minutes on one core.{download}"
            training_offers.draw_button(f"Train {names}", missing, "thirty", about)
        training_offers.show_progress(lambda task: task.key in {spec.key for spec in runs})
        if trained := [stored_runs.read_run(run.key)[0] for run in runs.values() if run is not None]:
            _draw_figure(subject, trained)


def make_spec(dataset: str, method: str) -> Spec:
    """Make the Spec of the published comparison: a recipe for faces, else a best effort where there is one."""
    for name, by, data_params, params in FACES:
        if (name, by, params["n_components"]) == (dataset, method, SIZE):
            return specs.make(dataset, method, params, 0, data_params)
    presets = list_presets(dataset, method, SIZE)
    settings = presets.get(EFFORT) or presets.get(BEST, {})
    return specs.make(dataset, method, {**settings, "n_components": SIZE}, 0, {})


def _find_run(stored: Sequence[Run], spec: Spec) -> Run | None:
    """Return the run of `spec`, else another one of its method and size on the same data."""
    alike = [run for run in stored if run.spec.dataset_params == spec.dataset_params and checksums.is_here(run)]
    fitting = selection.select_runs(alike, spec.dataset, spec.method, SIZE)
    return min(fitting, key=lambda run: run.spec != spec, default=None)


def _draw_figure(subject: str, runs: Sequence[Run]) -> None:
    if not selection.have_same_rows(runs):
        st.caption("The two runs were trained on different copies of the data: do not compare their errors.")
    originals = images.make_originals(runs[0]) or _read_originals(runs[0])
    strips = []
    for run in runs:
        label, error = f"{methods.label(run.spec.method)} {SIZE}-D", run.metrics["squared_error"]
        about = f"squared error {number(error.value)} ({interval(run.metrics, 'squared_error')})"
        strips.append(images.make_strip(run, "reconstructions", label, about, f"n = {error.n:,} test images"))
    st.html(image_grid.make_grid([*originals, *strips], 2))
    if not originals:
        st.caption("The original images may not be redistributed; they are shown once they are on this machine.")
    st.markdown(plain(ABOUT_PUBLISHED[subject]))
    st.caption(plain(_SOURCE))


def _read_originals(run: Run) -> list[image_grid.Strip]:
    """Return a strip of the test images behind the run's reconstructions; none where they are not on this machine."""
    with suppress(HourglassError):
        if datasets.is_available(run.spec.dataset):
            dataset = cached.load_dataset(run.spec.dataset, run.spec.dataset_params)
            if checksums.is_of(run.environment, dataset.checksum):
                shape, originals = tuple(run.environment["image_shape"]), dataset.X_test[run.views["strip_rows"]]
                return [image_grid.make_strip(image_grid.make_name("Originals"), originals, shape, "Originals")]
    return []
