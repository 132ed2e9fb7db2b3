"""Small runs of digits and of made-up documents."""

from unittest.mock import Mock

import numpy as np
import pytest

from core import config, datasets
from core.datasets import bag_of_words
from core.experiments import fit
from core.runs import layout, reader, specs


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Nothing is kept from one test to the next."""
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path)


@pytest.fixture(scope="session")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="session")
def corpus():
    """200 documents of two subjects, some of them longer than what is shown of a text."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(200):
        words = [f"{'ab'[k % 2]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 25 + k % 3 * 20)]
        text = "  \n".join([*words, *(f"all{'abcdefghij'[i]}" for i in rng.integers(0, 10, 10))])
        split = "test" if k % 4 == k // 4 % 2 else "train"
        rows.append({"split": split, "label": f"s{k % 2}", "title": f"t{k}", "text": text})
    return bag_of_words.build_dataset("docstrings", rows, 2000, licence="none", citation="none")


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


def make_run(place, dataset, method, size):
    spec = specs.make(dataset.name, method, {"n_components": size})
    fit.fit_and_store(spec, dataset, place)
    return reader.read_run(layout.place_of(place, spec))


@pytest.fixture(scope="session")
def pca10(place, digits):
    return make_run(place, digits, "pca", 10)


@pytest.fixture(scope="session")
def lsa(place, corpus):
    return make_run(place, corpus, "lsa", 4)


@pytest.fixture
def fitted(place):
    """The estimator of a run, as a mock that counts how often it is built."""
    return lambda run: Mock(return_value=reader.read_estimator(layout.place_of(place, run.spec)))
