"""The lecture's picture, after Hinton and Salakhutdinov 2006: originals, and what AE and PCA make of 30 numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import datasets, methods, recipes, specs, store
from core.types import HourglassError, Run, Spec
from pages.ui import choices, columns, loaded, offers, runs
from pages.ui.compare import View
from pages.ui.numbers import interval, number
from pages.ui.text import listed, plain

_SIZE = 30
_METHODS = ("ae", "pca")
_IN_BLOCK, _BLOCKS = 5, 2
_SUBJECTS = {"mnist": "MNIST digits", "frey": "Frey faces", "olivetti": "Olivetti faces"}
_FACES = "126 for the autoencoder and 135 for PCA, on 25 × 25 patches cut from photographs of faces"
_PUBLISHED = {
    "mnist": "In the paper, on these test images and counted in the same way: autoencoder 3.00 (layers of 1000, 500, "
    "250 and 30 units, pretrained one by one), PCA 13.87.",
    "frey": f"The paper has no Frey faces. It reports {_FACES}: another scale, so compare only which is lower.",
    "olivetti": f"The paper reports {_FACES}, Olivetti's: smaller images on another scale, so compare only which is "
    "lower.",
}
_SOURCE = (
    "Published figures: G. E. Hinton, R. R. Salakhutdinov, Reducing the dimensionality of data with neural networks, "
    "Science 313, 2006, figure 2. Ours: squared error summed over the pixels of an image, which are in [0, 1], mean "
    "over the test images with its 95 % bootstrap interval, before pixels are clipped to be shown."
)


@dataclass(frozen=True)
class _Wanted:
    """A method's training, and the run that stands for it, where one is stored."""

    method: str
    spec: Spec
    run: Run | None


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    """The picture, in a drawer: only an open one computes."""
    drawer = st.expander(
        f"The lecture's picture: {_SIZE} numbers, after Hinton and Salakhutdinov 2006",
        key=choices.key("thirty"),
        on_change="rerun",
        icon=":material/image:",
    )
    if not drawer.open:
        return
    with drawer:
        subject = choices.segments("thirty-of", "Images", _SUBJECTS, problems, label_visibility="collapsed")
        wanted = [_wanted(stored, subject, method) for method in _METHODS]
        keys = {each.spec.key for each in wanted}
        missing = offers.missing([each.spec for each in wanted if each.run is None], stored)
        if missing:
            names = listed([methods.label(spec.method) for spec in missing])
            st.markdown(plain(f"{_SUBJECTS[subject]} with {_SIZE} numbers: {names} not trained yet."))
            offers.button(f"Train {names}", missing, "thirty", _budget(subject))
        offers.progress(lambda job: job.key in keys)
        there = [each for each in wanted if each.run is not None]
        if there:
            _picture(subject, there, problems)


def _wanted(stored: Sequence[Run], dataset: str, method: str) -> _Wanted:
    of_data, params = next(
        ((of_data, params) for name, by, of_data, params in recipes.FACES if _is(name, by, params, dataset, method)),
        ({}, {**recipes.presets(dataset, method, _SIZE).get(recipes.BEST, {}), "n_components": _SIZE}),
    )
    spec = specs.make(dataset, method, params, 0, of_data)
    alike = [run for run in stored if run.spec.dataset_params == spec.dataset_params]
    fitting = [run for run in store.pick(alike, dataset, method, _SIZE) if "squared_error" in run.metrics]
    exact = [run for run in fitting if run.spec == spec]
    return _Wanted(method, spec, next(iter([*exact, *fitting]), None))


def _is(name: str, by: str, params: dict, dataset: str, method: str) -> bool:
    return (name, by, params.get("n_components")) == (dataset, method, _SIZE)


def _budget(subject: str) -> str:
    fetched = "" if datasets.available(subject) else " The images are fetched first."
    return f"PCA is solved at once; the AE takes minutes on one core.{fetched}"


def _picture(subject: str, there: Sequence[_Wanted], problems: list[str]) -> None:
    lines = [(each, runs.read(each.run.key)[0]) for each in there]
    if not store.same_rows(run for _, run in lines):
        st.caption("The two were trained on different copies of the data: do not compare their errors.")
    strips = []
    if (originals := _originals(lines[0][1])) is not None:
        strips.append(_strip("Originals", [], originals, lines[0][1]))
    for each, run in lines:
        metrics = run.metrics
        error = f"squared error {number(float(metrics['squared_error']))} ({interval(metrics, 'squared_error')})"
        n = f"n = {int(metrics['squared_error_n']):,} test images"
        strips.append(_strip(f"{methods.label(each.method)} {_SIZE}-D", [error, n], run.views["reconstructions"], run))
    st.html(columns.grid(strips, _BLOCKS))
    if originals is None:
        st.caption("The originals may not be passed on with a run: they are shown once the images are on this machine.")
    st.markdown(plain(_PUBLISHED[subject]))
    st.caption(plain(_SOURCE))


def _strip(name: str, about: Sequence[str], images: np.ndarray, run: Run) -> columns.Strip:
    shape = tuple(run.environment["image_shape"])
    blocks = [images[start : start + _IN_BLOCK] for start in range(0, _IN_BLOCK * _BLOCKS, _IN_BLOCK)]
    return columns.Strip(
        columns.named(name, *about), [columns.pictures(block, shape, _IN_BLOCK, name) for block in blocks]
    )


def _originals(run: Run) -> np.ndarray | None:
    """The test images that the run's reconstructions are of, where they are here."""
    if "originals" in run.views:
        return run.views["originals"]
    if not datasets.available(run.spec.dataset):
        return None
    try:
        dataset = loaded.dataset(run.spec.dataset, run.spec.dataset_params)
    except HourglassError:
        return None
    if dataset.checksum != run.environment["data_checksum"]:
        return None
    return dataset.X_test[run.views["strip_rows"]]
