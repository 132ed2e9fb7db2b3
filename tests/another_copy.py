"""Small copies of data sets that are full elsewhere: the same names, other rows."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from core.datasets import file_formats, sources


def images(folder: Path, n_train: int = 60, n_test: int = 30, first: int = 0) -> Path:
    """A copy of MNIST in `folder`: scikit-learn's digits from the one at `first`, three times as large, in a frame."""
    source = load_digits()
    small = np.round(source.images * (255 / 16)).astype(np.uint8)
    X = np.pad(small.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    rows = {"train": slice(first, first + n_train), "test": slice(first + n_train, first + n_train + n_test)}
    arrays = {f"x_{split}": X[of_split] for split, of_split in rows.items()}
    arrays |= {f"y_{split}": source.target[of_split].astype(np.uint8) for split, of_split in rows.items()}
    folder.mkdir(exist_ok=True)
    file_formats.write(folder / sources.REMOTE["mnist"].stored, arrays)
    return folder


def documents(folder: Path, seed: int = 0) -> Path:
    """A copy of 20 Newsgroups in `folder`: 80 documents of two subjects, each with its own words."""
    random = np.random.RandomState(seed)
    rows = []
    for k in range(80):
        subject = k % 2
        words = [f"{'ab'[subject]}{'abcdefghij'[i]}word" for i in random.randint(0, 10, 30)]
        common = [f"all{'abcdefghij'[i]}" for i in random.randint(0, 10, 15)]
        split = "test" if k % 4 < 2 else "train"
        rows.append({"split": split, "label": f"subject.{'ab'[subject]}", "text": " ".join([*words, *common])})
    folder.mkdir(exist_ok=True)
    file_formats.write(folder / sources.REMOTE["newsgroups"].stored, rows)
    return folder
