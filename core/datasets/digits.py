"""scikit-learn's 8x8 digits: 1,797 images, of which 500 in proportion to the classes are the test split."""

import numpy as np

from core import datasets
from core.datasets.subsets import choose_stratified
from core.types import IMAGES, Dataset

N_TEST = 500
SEED = 0


def load(name: str, *, progress: object = None) -> Dataset:
    """The levels 0..16 of the original become ``round(level * 255 / 16)``."""
    from sklearn.datasets import load_digits

    source = load_digits()
    X = np.round(source.data * (255 / 16)).astype(np.uint8)
    y = source.target.astype(np.int64)
    test = choose_stratified(y, N_TEST, SEED)
    train = np.setdiff1d(np.arange(len(y)), test)
    return Dataset(
        *(name, IMAGES, X[train], y[train], X[test], y[test], tuple("0123456789")),
        image_shape=(8, 8),
        licence=datasets.entry(name).licence,
        citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI, 1998.",
    )
