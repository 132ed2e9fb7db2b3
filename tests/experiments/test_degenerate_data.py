"""Rows that hold next to nothing: every method is refused before its fit, or gives figures that are finite."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array

from core import datasets, methods
from core.datasets.own.preparation import Feature
from core.errors import BadInput
from core.experiments import fit
from core.runs import specs
from core.types import DOCUMENTS, IMAGES, TABLES, Dataset, Form

SMALL = {"epochs": 1, "batch_size": 8, "width": 8, "layers": 1, "max_iter": 300, "perplexity": 5.0, "n_components": 2}
TSNE = {"n_components": 2, "max_iter": 300, "perplexity": 5.0}
PAIRS = [(name, kind) for name in methods.names() for kind in methods.entry(name).kinds]
DRAWN = np.random.default_rng(0).integers(0, 16, (80, 64))


FEATURES = tuple(Feature(f"f{k}", "number", k) for k in range(64))
TABLE = datasets.Entry("toy-table", "Toy table", TABLES, __name__, (40, 40), "", blocks=(1,) * 64, embedded=True)
NAMES = {IMAGES: "digits", DOCUMENTS: "docstrings", TABLES: TABLE.name}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(datasets.REGISTRY, TABLE.name, TABLE)


def data_set(kind, train, test):
    """Of given rows, of two classes that take turns."""
    y = [np.arange(len(X)) % 2 for X in (train, test)]
    if kind == IMAGES:
        train, test = (np.asarray(X * 16, np.uint8) for X in (train, test))
        return Dataset("digits", kind, train, y[0], test, y[1], ("a", "b"), "", "", (8, 8), usual_classes=False)
    if kind == TABLES:
        train, test = (np.asarray(X, np.float32) for X in (train, test))
        told = {"blocks": TABLE.blocks, "table": SimpleNamespace(features=FEATURES)}
        return Dataset(TABLE.name, kind, train, y[0], test, y[1], ("a", "b"), "", "", **told)
    train, test = (csr_array(np.asarray(X, np.int32)) for X in (train, test))
    told = {f"titles_{split}": ("t",) * len(each) for split, each in zip(("train", "test"), y, strict=True)}
    told["vocabulary"] = tuple(f"w{k}" for k in range(train.shape[1]))
    return Dataset("docstrings", kind, train, y[0], test, y[1], ("a", "b"), "", "", **told)


def spec_of(method, kind):
    declared = methods.get(method).params_of(kind)
    params = {p.name: max(SMALL[p.name], p.bounds[0]) for p in declared if p.name in SMALL}
    return specs.make(NAMES[kind], method, params)


ZEROS, ONES = np.zeros((40, 64), int), np.ones((40, 64), int)
REFUSED = {
    "all black": (ZEROS, ZEROS, "all its train rows are equal"),
    "all equal": (np.repeat(DRAWN[:1], 40, 0), DRAWN[40:], "all its train rows are equal"),
    "one train row": (DRAWN[:1], DRAWN[40:], "has too few rows, 1 to train on"),
    "no train row": (DRAWN[:0], DRAWN[40:], "has no train row"),
    "no test row": (DRAWN[:40], DRAWN[:0], "has no test row"),
}
FITTED = {
    "two rows, each many times": (np.repeat(DRAWN[:2], 20, 0), np.repeat(DRAWN[:2], 20, 0)),
    "empty rows among others": (np.vstack([DRAWN[:20], ZEROS[:20]]), np.vstack([DRAWN[20:30], ZEROS[:10]])),
    "test rows all equal": (DRAWN[:40], ONES),
    "six rows of either split": (DRAWN[:6], DRAWN[40:46]),
}


@pytest.mark.parametrize(("method", "kind"), PAIRS)
def test_equal_or_too_few_rows_are_refused_and_others_give_finite_metrics(method, kind):
    for *rows, why in REFUSED.values():
        with pytest.raises(BadInput, match=why):
            fit.fit(spec_of(method, kind), data_set(kind, *rows), on_stage=pytest.fail)
    for case, rows in FITTED.items():
        run, _ = fit.fit(spec_of(method, kind), data_set(kind, *rows))
        values = {name: [measured.value, *(measured.interval or ())] for name, measured in run.metrics.items()}
        values |= {f"{name} by class": list(shares.values()) for name, shares in run.by_class.items()} | run.views
        assert [name for name, array in values.items() if not np.isfinite(array).all()] == [], case


def test_tsne_refuses_equal_rows_and_maps_documents_of_a_word_each():
    tsne = methods.get("tsne").estimator(TSNE, Form(DOCUMENTS), 0)
    with pytest.raises(BadInput, match="All rows are equal"):
        tsne.fit(csr_array(np.full((40, 64), 3, np.float32)))
    assert np.isfinite(tsne.fit(csr_array(np.eye(40, dtype=np.float32))).embedding_).all()
