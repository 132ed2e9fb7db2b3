import numpy as np
import pytest
from scipy.sparse import csr_array

from core import datasets
from core.experiments import fit
from core.runs import specs
from core.types import DOCUMENTS, Dataset

SMALL = {"epochs": 3, "width": 32, "n_components": 3}


def spec_of(method):
    return specs.make("digits", method, {"n_components": 3} if method == "pca" else SMALL)


def list_metrics(run):
    """Names of a run's metrics, those by class among them."""
    return {*run.metrics, *run.by_class}


@pytest.fixture(scope="session")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="session")
def runs(digits):
    """method -> a small run on images."""
    return {method: fit.fit(spec_of(method), digits)[0] for method in ("pca", "ae", "vae", "gan")}


def make_documents(n_train=120, n_test=80, n_words=30, classes=2):
    """Documents of `classes` subjects, each of which prefers words of its own; of the test ones 5 know no word."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(n_words, 0.2), classes)
    y = np.arange(n_train + n_test) % classes
    X = np.array([rng.multinomial(rng.integers(1, 40), shares[k]) for k in y], np.int32)
    X[n_train + 10 : n_train + 15] = 0
    spell = lambda letter, n: tuple(f"{letter}{k}" for k in range(n))
    splits = csr_array(X[:n_train]), y[:n_train], csr_array(X[n_train:]), y[n_train:]
    of_rows = {
        "titles_train": spell("t", n_train),
        "titles_test": spell("t", n_test),
        "vocabulary": spell("w", n_words),
    }
    return Dataset("docstrings", DOCUMENTS, *splits, spell("s", classes), "none", "none", **of_rows)


@pytest.fixture(scope="session")
def documents():
    return make_documents()


@pytest.fixture(scope="session")
def runs_on_documents(documents):
    """method -> a run on documents."""
    network = {"epochs": 30, "batch_size": 16, "width": 32, "n_components": 2}
    params = {"lsa": {"n_components": 2}, "ae": network, "vae": network}
    return {method: fit.fit(specs.make("docstrings", method, p), documents)[0] for method, p in params.items()}
