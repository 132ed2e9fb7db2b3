"""A method is one module and one entry, and so is a data set: two of each are added here, and every page takes them."""

import ast
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from core import datasets, methods
from core.__main__ import main
from core.experiments.fit import fit_and_store
from core.methods.params import n_components
from core.runs import layout, specs
from core.types import DOCUMENTS, IMAGES, Dataset, Method
from tests.pages.conftest import hostile_documents, nobody_looks_after_the_queue, opened, opened_on, read_whole  # noqa: F401

ROOT = Path(__file__).parent.parent
NAMES = {*methods.names(), *datasets.names()}

# --- A method and a data set of this file -------------------------------------------------------------------------


class RandomProjection(TransformerMixin, BaseEstimator):
    """An orthonormal basis drawn at random; the code is the projection onto it."""

    def __init__(self, n_components=10, random_state=0):
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        directions = np.random.default_rng(self.random_state).normal(size=(X.shape[1], self.n_components))
        self.basis_ = np.linalg.qr(directions)[0].astype(np.float32)
        return self

    def transform(self, X):
        return np.asarray(X @ self.basis_)

    def inverse_transform(self, Z):
        return np.asarray(Z, np.float32) @ self.basis_.T


def restore(projection, arrays):
    projection.basis_ = np.asarray(arrays["basis"], np.float32)
    return projection


METHOD = Method(
    summary="Projection onto random directions.",
    params=(n_components(),),
    version=1,
    estimator=lambda params, kind, image_shape, seed: RandomProjection(**params, random_state=seed),
    arrays=lambda projection: {"basis": projection.basis_},
    restore=restore,
    n_weights=lambda projection: projection.basis_.size,
)
PROJECTION = methods.Entry(
    name="random_projection",
    label="Random projection",
    kinds=(IMAGES, DOCUMENTS),
    style=6,
    is_linear=True,
    samplers=(methods.GAUSSIAN,),
    module=__name__,
)
STRIPES = datasets.Entry(
    name="stripes",
    label="Stripes 6x6",
    kind=IMAGES,
    module=__name__,
    rows=(240, 90),
    has_labels=True,
    embedded=True,
    summary="Stripes at three angles, with noise.",
    image_shape=(6, 6),
)


def load(name, *, progress=None):
    """Images whose brightness waves to the right, downwards or along the diagonal."""
    rng = np.random.default_rng(0)

    def drawn(n):
        y = np.arange(n) % 3
        down, right = np.mgrid[:6, :6]
        way = np.stack([right, down, right + down])[y]
        waves = np.sin(way + rng.uniform(0, 6, (n, 1, 1))) + rng.normal(0, 0.1, (n, 6, 6))
        return (waves.clip(-1, 1) * 127 + 128).astype(np.uint8).reshape(n, 36), y.astype(np.int64)

    (X, y), (X_test, y_test) = (drawn(n) for n in STRIPES.rows)
    names = ("upright", "level", "diagonal")
    return Dataset(name, IMAGES, X, y, X_test, y_test, names, "none", "none", image_shape=STRIPES.image_shape)


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """Both are registered and trained: the method on stripes, digits and documents, other methods on stripes."""
    folder = tmp_path_factory.mktemp("toys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(methods.REGISTRY, PROJECTION.name, PROJECTION)
        patch.setitem(datasets.REGISTRY, STRIPES.name, STRIPES)
        patch.setattr(layout, "SHIPPED", folder / "none")
        stripes, few = datasets.load("stripes"), {"epochs": 2, "width": 32}
        for dataset in (stripes, datasets.load("digits"), hostile_documents()):
            train(folder, dataset, PROJECTION.name, n_components=2)
        for method, params in (("pca", {}), ("linear_ae", {"epochs": 2}), ("ae", few), ("vae", few)):
            train(folder, stripes, method, n_components=2, **params)
        train(folder, stripes, "gan", network="mlp", epochs=1, width=32)
        yield folder


def train(folder, dataset, method, **params):
    return fit_and_store(specs.make(dataset.name, method, params), dataset, folder, first_only=True)


@pytest.fixture
def runs(added, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(added))


def everything_on(app) -> str:
    """All text, and the labels and options of all widgets."""
    parts = [element.proto.body for element in (*app.get("html"), *app.markdown)]
    parts += [str(element.proto) for kind in ("selectbox", "multiselect", "button_group") for element in app.get(kind)]
    parts += [str(element.proto) for element in app.get("bidi_component")]
    return "\n".join(parts)


def opened_pages():
    """Page, link, and whether the method is named there: not on pages that are about other methods or about none."""
    striped = {"data": "stripes", "size": "2"}
    for query in (striped, {"data": "digits", "size": "2"}):
        yield "app.py", query, True
    yield "pages/embeddings.py", striped, True
    for name in ("images", "classes", "size", "depth", "linear", "damage"):
        yield "pages/reconstructions.py", {**striped, "section": name}, name not in ("depth", "linear")
    for name in ("samples", "manifold", "sliders", "between", "arithmetic"):
        yield "pages/generation.py", {**striped, "section": name}, True
    for name in ("maps", "axes", "retrieval", "query", "numbers"):
        yield "pages/documents.py", {"data": "docstrings", "size": "2", "section": name, "query": "bbword"}, True
    yield "pages/training.py", {"data": "stripes", "method": PROJECTION.name}, True
    yield "pages/labelled_fraction.py", {"data": "stripes"}, False


@pytest.mark.usefixtures("runs", "nobody_looks_after_the_queue", "read_whole")
def test_every_page_takes_a_new_method_and_a_new_dataset(monkeypatch):
    documents = hostile_documents()
    genuine = datasets.load
    monkeypatch.setattr(datasets, "load", lambda n, **kw: documents if n == documents.name else genuine(n, **kw))
    for page, query, is_named in opened_pages():
        app = opened_on(page, **query) if page != "app.py" else opened(**query)
        assert not app.exception, (page, query)
        text = everything_on(app)
        assert ("Random projection" in text) == is_named, (page, query)
        assert datasets.entry(query["data"]).label in text, (page, query)


def test_command_line_lists_both(added, capsys):
    for listing, name in (("methods", PROJECTION.name), ("datasets", STRIPES.name)):
        assert main([listing]) == 0
        assert name in capsys.readouterr().out


# --- Names --------------------------------------------------------------------------------------------------------


def has_name(node: ast.AST) -> bool:
    """Whether a method's or a data set's name is written in an expression."""
    return any(isinstance(part, ast.Constant) and part.value in NAMES for part in ast.walk(node))


def lines_that_ask(tree: ast.AST) -> list[int]:
    """Lines that ask whether something is a certain method or data set, or look something up by its name."""
    lines = []
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
        if (
            (isinstance(node, ast.Compare) and has_name(node))
            or (isinstance(node, ast.match_case) and has_name(node.pattern))
            or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and has_name(node.slice))
            or (called in ("startswith", "endswith", "index", "count") and has_name(node))
        ):
            lines.append(node.lineno)
    return lines


def test_no_file_asks_whether_something_is_a_certain_method_or_dataset():
    for path in [ROOT / "app.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("core/methods/", "core/datasets/")):
            assert lines_that_ask(ast.parse(path.read_text())) == [], name
