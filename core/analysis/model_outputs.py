"""Small arrays that pages show of a fitted estimator: codes, 2-D positions, images and predicted words."""

from __future__ import annotations

import numpy as np

from core.types import Dataset

STRIP = 20


def codes_of(estimator, X_train, X_test) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """Encode two sets of rows, and name the codes; a GAN's are its discriminator's features. None without an encoder.

    Parameters
    ----------
    X_train, X_test : (n, n_features), as `core.types.Dataset.floats` gives them
    """
    if hasattr(estimator, "transform"):
        return estimator.transform(X_train), estimator.transform(X_test), "code"
    if hasattr(estimator, "discriminator_features"):
        features = estimator.discriminator_features
        return features(X_train), features(X_test), "discriminator's features"
    return None, None, ""


def plane(Z: np.ndarray, Z_train: np.ndarray, are: str) -> tuple[np.ndarray, str]:
    """Project codes to the plane, and describe how.

    Parameters
    ----------
    Z : (n, n_components)
    Z_train : (m, n_components), what a projection is fitted to
    are : what the codes are, see `codes_of`

    Returns
    -------
    (n, 2) float32, and a few words
    """
    size = Z.shape[1]
    if size == 2:
        return Z.astype(np.float32), f"the 2-D {are}"
    if size == 1:
        return np.column_stack([Z, np.zeros(len(Z))]).astype(np.float32), f"the 1-D {are}, on a line"
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="covariance_eigh").fit(Z_train)
    return pca.transform(Z).astype(np.float32), f"the {size}-D {are}, projected by PCA"


def strip_of(dataset: Dataset, shown: np.ndarray) -> np.ndarray:
    """Select `STRIP` of the `shown` test rows, the classes in turn."""
    if not dataset.has_labels:
        return shown[np.linspace(0, len(shown) - 1, min(STRIP, len(shown))).astype(int)]
    y = dataset.y_test[shown]
    turn = np.zeros(len(y), int)
    for label in np.unique(y):
        turn[y == label] = np.arange((y == label).sum())
    return shown[np.lexsort((y, turn))[:STRIP]]


def pixels(X: np.ndarray) -> np.ndarray:
    """Convert images to pixels: floats, clipped to [0, 1], to uint8 in 0..255."""
    return np.rint(np.clip(X, 0, 1) * 255).astype(np.uint8)


def expected_words(estimator, dataset: Dataset, shown: np.ndarray, codes: np.ndarray, n_words: int = 12) -> list[dict]:
    """Select three test documents of different classes: their most frequent words beside those the method predicts.

    Parameters
    ----------
    shown : (n,) test rows to choose from
    codes : (n_test, n_components), of all test rows
    """
    vocabulary = np.array(dataset.vocabulary)
    lengths = np.asarray(dataset.X_test.sum(axis=1)).ravel()
    chosen: dict[int, int] = {}
    for row in shown:
        if lengths[row] >= 40 and len(chosen) < 3:
            chosen.setdefault(int(dataset.y_test[row]), int(row))
    documents = []
    for label, row in chosen.items():
        counts = dataset.X_test[[row]].toarray().ravel()
        expected = estimator.inverse_transform(codes[[row]]).ravel()
        has, expects = (np.argsort(-v, kind="stable")[:n_words] for v in (counts, expected))
        documents.append(
            {
                "title": dataset.titles_test[row],
                "class": dataset.target_names[label] if label >= 0 else "",
                "has": [[str(vocabulary[i]), int(counts[i])] for i in has if counts[i] > 0],
                "expects": [[str(vocabulary[i]), round(float(expected[i]), 5), bool(counts[i] > 0)] for i in expects],
            }
        )
    return documents
