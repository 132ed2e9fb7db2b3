"""The space that samples are compared in: a classifier's features, or 50 PCA components."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core import datasets, files
from core.errors import HourglassError
from core.types import TABLES, Dataset

FOLDER = Path(__file__).parents[2] / "assets" / "features"
_PCA_FEATURES = 50
_WHITENED_SHARE = 0.99
_MANY_PIXELS = 1000  # above that a whole decomposition takes minutes, and its first components seconds
_ROWS_AT_ONCE = 500  # few enough for a processor's cache: nearly twice as fast as 2,000


@dataclass(frozen=True)
class FeatureSpace:
    """A space in which generated images are compared with real ones.

    Attributes
    ----------
    features : maps images (n, height * width) in [0, 1] to their features (n, n_features).
    head : maps features to classes (n,), or None without a classifier.
    digest : SHA-256 of the classifier's file, in hexadecimal; empty where the training rows make the space.
    """

    description: str
    features: Callable[[Any], np.ndarray]
    head: Callable[[np.ndarray], np.ndarray] | None = None
    digest: str = ""

    def classes(self, X: Any) -> np.ndarray:
        """Predict the classes (n,) of images, for a space with a head."""
        return self.head(self.features(X))


def get_feature_space(dataset: Dataset) -> FeatureSpace:
    """The space that generated images are measured in; HourglassError if it can't be read."""
    if not has_classifier(dataset.name):
        return _fit_pca_space(dataset)
    space = load_classifier_space(dataset.name, dataset.image_shape)
    # The classes it knows are the published ones.
    return space if dataset.usual_classes else replace(space, head=None)


def has_classifier(name: str) -> bool:
    """Whether images of a data set have a classifier that names their class."""
    return bool(datasets.entry(name).classifier)


def load_classifier_space(name: str, image_shape: tuple[int, int]) -> FeatureSpace:
    """The space of a data set's classifier; HourglassError if it can't be read."""
    path = get_classifier_path(name)
    try:
        with safe_open(path, "np") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, this file can't be iterated
            error = float(file.metadata()["test_error"])
        space = _make_classifier_space(arrays, error, image_shape)
        return replace(space, digest=hashlib.sha256(path.read_bytes()).hexdigest())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as problem:
        raise HourglassError(
            f"The classifier that samples are measured with can't be read from {path} ({problem}): "
            f"make it again with python -m core ship {datasets.entry(name).classifier}."
        ) from None


def get_classifier_path(dataset: str) -> Path:
    """The file of the classifier for a data set that has one."""
    return FOLDER / f"{datasets.entry(dataset).classifier}.safetensors"


def _fit_pca_space(dataset: Dataset) -> FeatureSpace:
    from sklearn.decomposition import PCA

    X = dataset.floats("train")
    n_components = min(_PCA_FEATURES, *X.shape)
    solver = "arpack" if X.shape[1] > _MANY_PIXELS and n_components < min(X.shape) else "full"
    pca = PCA(n_components, svd_solver=solver, random_state=0).fit(X)
    if dataset.kind == TABLES:
        # The last directions are differences of nearly equal features, and rounding. Whitened, they would weigh as much
        # as the first, and the independent noise of a probabilistic decoder would alone make up the distance.
        shares = np.cumsum(pca.explained_variance_ratio_)
        kept = int(np.searchsorted(shares, _WHITENED_SHARE * shares[-1])) + 1
        spread = np.sqrt(pca.explained_variance_[:kept])
        whiten = lambda rows: pca.transform(rows)[:, :kept] / spread
        about = f"{shares[kept - 1]:.0%} of their variance"
        return FeatureSpace(f"{kept} whitened principal components of the training rows, with {about}", whiten)
    return FeatureSpace(f"{n_components} principal components of the training rows", pca.transform)


def _make_classifier_space(arrays: Mapping, error: float, image_shape: tuple[int, int]) -> FeatureSpace:
    import torch

    from core.nn.networks import image_classifier

    networks = image_classifier(image_shape, len(arrays["head.bias"]))
    state = networks.state_dict()
    networks.load_state_dict({name: torch.tensor(arrays[name]).to(state[name].dtype) for name in state})
    networks.eval()

    def run(network, X) -> np.ndarray:
        with torch.inference_mode():
            parts = torch.as_tensor(np.asarray(X, np.float32)).split(_ROWS_AT_ONCE)
            return torch.cat([network(part) for part in parts]).numpy()

    return FeatureSpace(
        f"last hidden layer (64 units) of a small classifier, fitted on training rows only, test error {error:.1%}",
        lambda X: run(networks["features"], X),
        lambda features: run(networks["head"], features).argmax(1),
    )


def fit_classifier(dataset: Dataset, *, epochs: int, seed: int = 0) -> float:
    """Fit the classifier of `dataset`, write it into `FOLDER`, and return its test error."""
    import torch
    from torch.nn import functional as F

    from core.nn.augment import move_images
    from core.nn.networks import image_classifier
    from core.nn.training import Plan, train

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = image_classifier(dataset.image_shape, len(dataset.target_names))

    def step(networks, player, x, generator, progress, y):
        x = move_images(x, dataset.image_shape, 0.5, generator)
        logits = networks["head"](networks["features"](x)).float()
        return {"loss": F.cross_entropy(logits, y, label_smoothing=0.05)}

    plan = Plan(epochs=epochs, batch_size=256, learning_rate=0.003, weight_decay=0.05, seed=seed)
    names = {"classifier": ("features", "head")}
    train(networks, names, step, dataset.floats("train"), plan, y=dataset.y_train.astype(np.int64))
    arrays = {name: value.numpy() for name, value in networks.state_dict().items()}
    # safetensors writes memory as it lies, and the loop leaves convolutions with their channels last.
    arrays = {name: np.ascontiguousarray(a.astype(np.float16) if a.ndim > 1 else a) for name, a in arrays.items()}
    space = _make_classifier_space(arrays, 0.0, dataset.image_shape)
    error = float((space.classes(dataset.floats("test")) != dataset.y_test).mean())
    path = get_classifier_path(dataset.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replace_file(path) as aside:
        save_file(arrays, aside, metadata={"test_error": repr(error)})
    return error
