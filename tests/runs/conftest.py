import itertools
import os
from dataclasses import replace

import numpy as np
import pytest

from core import datasets
from core.experiments import fit
from core.runs import layout, reader, specs, store

FILES = ["run.json", "views.safetensors", "weights.safetensors"]
SMALL = {"epochs": 2, "width": 32, "n_components": 2}


def spec_of(**params):
    return specs.make("digits", "ae", SMALL | params)


def with_spec(run, when=None, **params):
    """The run as one of other parameters, and of another date."""
    environment = run.environment | ({"date": f"{when}-01-01T00:00:00+00:00"} if when else {})
    return replace(run, spec=spec_of(**params), environment=environment)


def read_files(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def list_names(folder):
    return [place.name for place in layout.iterate_places(folder)]


def call_at(monkeypatch, number, do):
    """Call ``do(genuine, *paths)`` instead of the call of `os.replace` of this number, counted from 1."""
    genuine, numbers = os.replace, itertools.count(1)
    monkeypatch.setattr(
        os, "replace", lambda *paths: do(genuine, *paths) if next(numbers) == number else genuine(*paths)
    )


@pytest.fixture(scope="session")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="session")
def made(digits, tmp_path_factory):
    """A run of images as the fit gave it, and the folder where it is stored with the snapshots of its training."""
    folder = tmp_path_factory.mktemp("trained")
    return fit.fit_and_store(spec_of(), digits, folder), layout.place_of(folder, spec_of())


@pytest.fixture(scope="session")
def trained(made):
    return made[1]


@pytest.fixture
def no_shipped_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "shipped")


@pytest.fixture
def fitted(trained, no_shipped_runs):
    """A run and its weights."""
    return reader.read_run(trained), reader.read_weights(trained)


@pytest.fixture
def place(fitted):
    return store.write_run(*fitted)


PICTURES = {"map": np.zeros((2, 3, 2), np.float16), "epochs": np.array([0.5, 1.0], np.float32)}
