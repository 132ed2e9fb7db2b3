"""A method is one module and one entry, and so is a data set: two of each are added here, and every page takes them."""

import ast
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from core import datasets, methods
from core.__main__ import main
from core.experiments.fit import fit_and_store
from core.methods.params import n_components
from core.runs import layout, specs
from core.types import DOCUMENTS, IMAGES, Dataset, Method
from tests.pages.conftest import hostile_documents, nobody_looks_after_the_queue, read_whole  # noqa: F401
from tests.pages.driver import opened_on

ROOT = Path(__file__).parent.parent
NAMES = {*methods.names(), *datasets.names()}

# --- A method and a data set of this file -------------------------------------------------------------------------


def restore(svd, arrays):
    svd.components_ = np.asarray(arrays["components"], np.float32)
    return svd


METHOD = Method(
    summary="A truncated SVD of the rows, not centred.",
    params=(n_components(),),
    version=1,
    estimator=lambda params, kind, image_shape, seed: TruncatedSVD(**params, random_state=seed),
    arrays=lambda svd: {"components": svd.components_},
    restore=restore,
    n_weights=lambda svd: svd.components_.size,
)
TOY = methods.Entry(
    "toy_svd", "Toy SVD", (IMAGES, DOCUMENTS), 6, is_linear=True, samplers=(methods.GAUSSIAN,), module=__name__
)
CROPS = datasets.Entry(
    name="crops",
    label="Crops 6x6",
    kind=IMAGES,
    module=__name__,
    rows=(240, 90),
    has_labels=True,
    embedded=True,
    summary="The middle of some digits.",
    image_shape=(6, 6),
)


def load(name, *, progress=None):
    digits = datasets.load("digits")

    def crop(X, n):
        return X[:n].reshape(n, 8, 8)[:, 1:7, 1:7].reshape(n, 36)

    X, X_test = crop(digits.X_train, 240), crop(digits.X_test, 90)
    y, y_test, classes = digits.y_train[:240] % 3, digits.y_test[:90] % 3, ("a", "b", "c")
    return Dataset(name, IMAGES, X, y, X_test, y_test, classes, "none", "none", image_shape=CROPS.image_shape)


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """Both are registered and trained: the method on crops, digits and documents, other methods on crops."""
    folder = tmp_path_factory.mktemp("toys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(methods.REGISTRY, TOY.name, TOY)
        patch.setitem(datasets.REGISTRY, CROPS.name, CROPS)
        patch.setattr(layout, "SHIPPED", folder / "none")
        crops, few = datasets.load("crops"), {"epochs": 2, "width": 32}
        for dataset in (crops, datasets.load("digits"), hostile_documents()):
            train(folder, dataset, TOY.name, n_components=2)
        for method, params in (("pca", {}), ("linear_ae", {"epochs": 2}), ("ae", few), ("vae", few)):
            train(folder, crops, method, n_components=2, **params)
        train(folder, crops, "gan", network="mlp", epochs=1, width=32)
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
    cropped = {"data": "crops", "size": "2"}
    for query in (cropped, {"data": "digits", "size": "2"}):
        yield "app.py", query, True
    yield "pages/embeddings.py", cropped, True
    for name in ("images", "classes", "size", "depth", "linear", "damage"):
        yield "pages/reconstructions.py", {**cropped, "section": name}, name not in ("depth", "linear")
    for name in ("samples", "manifold", "sliders", "between", "arithmetic"):
        yield "pages/generation.py", {**cropped, "section": name}, True
    for name in ("maps", "axes", "retrieval", "query", "numbers"):
        yield "pages/documents.py", {"data": "docstrings", "size": "2", "section": name, "query": "bbword"}, True
    yield "pages/training.py", {"data": "crops", "method": TOY.name}, True
    yield "pages/labelled_fraction.py", {"data": "crops"}, False


@pytest.mark.usefixtures("runs", "nobody_looks_after_the_queue", "read_whole")
def test_every_page_takes_a_new_method_and_a_new_dataset(monkeypatch):
    documents = hostile_documents()
    genuine = datasets.load
    monkeypatch.setattr(datasets, "load", lambda n, **kw: documents if n == documents.name else genuine(n, **kw))
    for page, query, is_named in opened_pages():
        app = opened_on(page, **query)
        text = everything_on(app)
        assert ("Toy SVD" in text) == is_named, (page, query)
        assert datasets.entry(query["data"]).label in text, (page, query)


def test_command_line_lists_both(added, capsys):
    for listing, name in (("methods", TOY.name), ("datasets", CROPS.name)):
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
