"""Small runs for the pages, made once a session: digits by four methods, documents with a hostile title by three."""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from core import cache, datasets
from core.datasets import bag_of_words, checksums
from core.experiments.fit import fit_and_store
from core.methods import gan_inverter
from core.runs import layout, reader, selection, specs, store
from core.tasks import inverter_training, training_time, worker_process
from core.types import Dataset
from pages.ui.shared import charts, page_state, training_offers

HOSTILE = "<img src=x onerror=alert(1)> $x^2$ **bold** :red[r]"


def hostile_documents():
    """300 documents of three subjects, a title of each being what a page must show letter by letter."""
    rng, rows = np.random.default_rng(0), []
    for k in range(300):
        words = [f"{'abc'[k % 3]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 60)]
        common = [f"all{'abcdefghij'[i]}" for i in rng.integers(0, 10, 20)]
        about = {"split": "test" if k % 4 == 0 else "train", "label": f"<b>subject {k % 3}</b>", "title": HOSTILE}
        rows.append({**about, "text": " ".join([*words, *common])})
    return bag_of_words.build_dataset("docstrings", rows, 2000, licence="none", citation="none")


def fit_small_runs(folder: Path, digits: Dataset) -> Path:
    """Fit digits at 2 and 10, a second AE at 10, a GAN, t-SNE; documents at 2."""
    texts, few = hostile_documents(), {"epochs": 2, "width": 32}
    for size, (method, params) in product((2, 10), (("pca", {}), ("linear_ae", {"epochs": 2}), ("ae", few))):
        fit(folder, digits, method, {"n_components": size, **params})
    fit(folder, digits, "ae", {"n_components": 10, "epochs": 1, "width": 32})
    fit(folder, digits, "gan", {"epochs": 1, "width": 32, "network": "mlp"})
    fit(folder, digits, "tsne", {"max_iter": 300})
    for method, params in (("lsa", {}), ("ae", few), ("vae", few)):
        fit(folder, texts, method, {"n_components": 2, **params})
    return folder


def fit(folder: Path, dataset, method: str, params: dict, *, first_only: bool = False):
    """Fit and store a run, with only the first metrics where a test needs no others."""
    return fit_and_store(specs.make(dataset.name, method, params), dataset, folder, first_only=first_only)


def weighted_lsa(folder: Path, weighting: str):
    """A run of LSA at 2 on the documents under another weighting than the usual, made after all others there are."""
    return fit(folder, hostile_documents(), "lsa", {"n_components": 2, "weighting": weighting})


@pytest.fixture(autouse=True)
def nobody_looks_after_the_queue(monkeypatch):
    """A page that is tested is no app, leaves no thread or process behind, and has no browser that could be late."""
    monkeypatch.setattr(worker_process, "attach_app", lambda: None)
    monkeypatch.setattr(training_time, "measure_speed", lambda: None)
    monkeypatch.setattr(page_state, "LATE_SECONDS", 0.0)


@pytest.fixture
def read_whole(monkeypatch):
    """The reader has scrolled through the page and pointed at every chart."""
    monkeypatch.setattr(charts, "is_shown", lambda name: True)


@pytest.fixture
def no_shipped_runs(tmp_path, monkeypatch):
    """Only the runs of `HOURGLASS_RUNS` are there."""
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "none")


@pytest.fixture
def runs(fitted, no_shipped_runs, monkeypatch) -> Path:
    """The fitted runs are this person's runs, and their data sets are the copies on this machine."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(fitted))
    # An earlier test may have read the genuine docstrings.
    kept_as = checksums.make_key("docstrings", datasets.entry("docstrings").default_params)
    monkeypatch.setitem(checksums.READ, kept_as, hostile_documents().checksum)
    return fitted


@pytest.fixture
def own_copy(runs, tmp_path, monkeypatch) -> Path:
    """A copy of the fitted runs that a test may change."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "runs"))
    return shutil.copytree(runs, tmp_path / "runs")


@pytest.fixture
def folder(fitted, no_shipped_runs, tmp_path, monkeypatch):
    """Links to the fitted runs, so that trainings asked for here do not stay; no worker ever starts."""
    for place in layout.iterate_places(fitted):
        (tmp_path / place.name).symlink_to(place)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    monkeypatch.setattr(training_offers, "measure_speed", lambda: False)
    clear_caches()
    return tmp_path


@pytest.fixture
def computed(monkeypatch, tmp_path_factory):
    """An empty folder for what is computed, and empty caches in memory."""
    folder = tmp_path_factory.mktemp("computed")
    monkeypatch.setattr(cache, "folder", lambda: folder)
    clear_caches()
    yield folder
    clear_caches()


def clear_caches() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


def invert_quickly(monkeypatch) -> None:
    """GANs have a regressor, fitted in a moment and followed by four gradient steps."""
    small = lambda run_key, gan: gan_inverter.GANInverter(gan, n_steps=4, fit_steps=4).fit()
    monkeypatch.setattr(inverter_training, "load_inverter", small)
    clear_caches()


def stored(method: str, size: int = 10):
    """The latest run of digits by `method`, with its views."""
    run = selection.select_runs(store.list_runs()[0], "digits", method, size)[0]
    return reader.read_run(store.find_place(run.key))
