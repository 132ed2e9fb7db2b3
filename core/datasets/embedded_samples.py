"""The shipped samples of MNIST and Fashion-MNIST, and the test rows of maps.

``python -m core.datasets.embedded_samples`` builds the samples from the full sets.
"""

from pathlib import Path

import numpy as np

from core import datasets
from core.datasets import file_formats, mnist, subsets
from core.types import Dataset

FOLDER = Path(__file__).parents[2] / "assets" / "data"
FULL = {"mnist-sample": "mnist", "fashion-sample": "fashion-mnist"}
N_ROWS = 2000
SEED = 0
SHAPES = {**mnist.SHAPES, "rows_train": (), "rows_test": ()}


def get_path(name: str) -> Path:
    """The shipped file of a sample."""
    return FOLDER / f"{name.replace('-', '_')}.npz"


def make_sample(name: str) -> dict[str, np.ndarray]:
    """The arrays of a sample: 200 rows a class of each split of its full set.

    Returns x_train, x_test: (2000, 28, 28) uint8; y_train, y_test: (2000,) uint8; and rows_train, rows_test: (2000,)
    uint16, increasing indices into the full set's splits.
    """
    full = datasets.load(FULL[name])
    arrays = {}
    for split, X, y in (("train", full.X_train, full.y_train), ("test", full.X_test, full.y_test)):
        random = np.random.RandomState(SEED)
        chosen = [random.permutation(np.flatnonzero(y == c))[: N_ROWS // 10] for c in range(10)]
        rows = np.sort(np.concatenate(chosen))
        arrays |= {f"x_{split}": X[rows].reshape(-1, 28, 28), f"y_{split}": y[rows].astype(np.uint8)}
        arrays[f"rows_{split}"] = rows.astype(np.uint16)
    return arrays


def read_sample(name: str) -> dict[str, np.ndarray]:
    """The shipped arrays of a sample, as `make_sample` returns them."""
    return file_formats.read_arrays(get_path(name), SHAPES)


def load(name: str, *, progress: object = None) -> Dataset:
    return mnist.make_dataset(name, get_path(name), FULL[name])


def sample_rows(dataset: Dataset) -> np.ndarray:
    """The at most 2,000 test rows of every map of a data set: (n,) int64, increasing.

    For MNIST and Fashion-MNIST these are the shipped sample's rows, so that its images illustrate a map if the full
    set is absent; for other sets, and other copies of these, they are chosen in proportion to the classes.
    """
    sample = {full: name for name, full in FULL.items()}.get(dataset.name)
    if sample is not None and len(dataset.y_test) == datasets.entry(dataset.name).rows[1]:
        return read_sample(sample)["rows_test"].astype(np.int64)
    return subsets.choose_stratified(dataset.y_test, N_ROWS, SEED)


def first_rows(dataset: Dataset, split: str, n: int) -> np.ndarray:
    """At most `n` rows of ``"train"`` or ``"test"``: those of `sample_rows` first, then in proportion to the classes.

    Returns (min(n, n_rows),) int64, increasing; a smaller `n` returns a subset of the same rows.
    """
    y, leading = (dataset.y_train, None) if split == "train" else (dataset.y_test, sample_rows(dataset))
    return np.sort(subsets.order_by_share(y, SEED, leading)[:n])


if __name__ == "__main__":
    for sample in FULL:
        np.savez_compressed(get_path(sample), **make_sample(sample))
        print(f"{get_path(sample)}: {get_path(sample).stat().st_size:,} bytes")
