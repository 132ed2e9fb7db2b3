"""A method is one module and one entry, and so is a data set: two of each are added here, and every page takes them."""

import ast

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from core import datasets, methods
from core.__main__ import main
from core.methods.params import n_components
from core.runs import layout
from core.types import DOCUMENTS, IMAGES, Dataset, Method
from tests.pages import conftest
from tests.pages.driver import ROOT, opened_on

nobody_looks_after_the_queue, read_whole = conftest.nobody_looks_after_the_queue, conftest.read_whole
NAMES = {*methods.names(), *datasets.names()}


def restore(svd, arrays):
    svd.components_ = np.asarray(arrays["components"], np.float32)
    return svd


METHOD = Method(
    summary="A truncated SVD of the rows, not centred.",
    params=(n_components(),),
    version=1,
    estimator=lambda params, form, seed: TruncatedSVD(**params, random_state=seed),
    arrays=lambda svd: {"components": svd.components_},
    restore=restore,
    n_weights=lambda svd: svd.components_.size,
)
ABOUT = {"is_linear": True, "samplers": (methods.GAUSSIAN,), "module": __name__}
TOY = methods.Entry("toy_svd", "Toy SVD", (IMAGES, DOCUMENTS), 6, **ABOUT)
CROPS = datasets.Entry("crops", "Crops 6x6", IMAGES, __name__, (240, 90), "Middles.", (6, 6), embedded=True)


def load(name, *, progress=None):
    digits = datasets.load("digits")
    crop = lambda X: X.reshape(-1, 8, 8)[:, 1:7, 1:7].reshape(-1, 36)
    train = crop(digits.X_train[:240]), digits.y_train[:240] % 3
    test = crop(digits.X_test[:90]), digits.y_test[:90] % 3
    return Dataset(name, IMAGES, *train, *test, ("a", "b", "c"), "none", "none", image_shape=(6, 6))


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """Both are registered and trained: the method on crops, digits and documents, other methods on crops."""
    folder = tmp_path_factory.mktemp("toys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(methods.REGISTRY, TOY.name, TOY)
        patch.setitem(datasets.REGISTRY, CROPS.name, CROPS)
        patch.setattr(layout, "SHIPPED", folder / "none")
        crops, few = datasets.load("crops"), {"epochs": 2, "width": 32}
        for dataset in (crops, datasets.load("digits"), conftest.hostile_documents()):
            conftest.fit(folder, dataset, TOY.name, {"n_components": 2}, first_only=True)
        for method, params in (("pca", {}), ("linear_ae", {"epochs": 2}), ("ae", few), ("vae", few)):
            conftest.fit(folder, crops, method, {"n_components": 2, **params}, first_only=True)
        conftest.fit(folder, crops, "gan", {"network": "mlp", "epochs": 1, "width": 32}, first_only=True)
        yield folder


@pytest.fixture
def runs(added, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(added))


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
    conftest.clear_caches()
    documents, genuine = conftest.hostile_documents(), datasets.load
    monkeypatch.setattr(datasets, "load", lambda n, **kw: documents if n == documents.name else genuine(n, **kw))
    for page, query, is_named in opened_pages():
        app = opened_on(page, **query)
        widgets = [app.get(kind) for kind in ("selectbox", "multiselect", "button_group", "bidi_component")]
        text = app.read_html() + str([element.proto for elements in widgets for element in elements])
        assert ("Toy SVD" in text) == is_named, (page, query)
        assert datasets.entry(query["data"]).label in text, (page, query)


def test_command_line_lists_both(added, capsys):
    for listing, name in (("methods", TOY.name), ("datasets", CROPS.name)):
        assert main([listing]) == 0
        assert name in capsys.readouterr().out


def find_name_asked_for(node: ast.AST) -> ast.AST | None:
    """The part of an expression that may ask whether something is a certain method or data set, or look it up."""
    match node:
        case ast.Compare() | ast.Call(func=ast.Attribute(attr="startswith" | "endswith" | "index" | "count")):
            return node
        case ast.match_case(pattern=part) | ast.Subscript(slice=part, ctx=ast.Load()):
            return part
    return None


def test_no_file_asks_whether_something_is_a_certain_method_or_dataset():
    for path in [ROOT / "app.py", *(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("core/methods/", "core/datasets/")):
            asked = filter(None, map(find_name_asked_for, ast.walk(ast.parse(path.read_text()))))
            names = [part for node in asked for part in ast.walk(node) if isinstance(part, ast.Constant)]
            assert [(name, part.lineno) for part in names if part.value in NAMES] == []
