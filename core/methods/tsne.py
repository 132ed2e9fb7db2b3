"""t-SNE: scikit-learn's own, told how far it is. It maps the rows it is given, and learns no function of other rows."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from core.types import DOCUMENTS, IMAGES, BadInput, Diverged, HourglassError, Method, Param

_COMPONENTS = 2
# Where scikit-learn starts: a standard deviation of this much along the first component.
_START = 1e-4
_ITERATION = re.compile(r"\[t-SNE\] Iteration (\d+): error = (\d+\.\d+), gradient norm = (\d+\.\d+)")
_EXAGGERATED = re.compile(r"\[t-SNE\] KL divergence after \d+ iterations with early exaggeration")
_UNIT = "nats of KL divergence"


class TSNEMap(BaseEstimator):
    """A map of given rows by t-distributed stochastic neighbour embedding, Barnes and Hut's approximation.

    Images are near by Euclidean distance. Documents are near by cosine distance of their tf-idf vectors, with the
    inverse document frequencies of the mapped rows. The map starts at the first two principal components (documents:
    singular vectors), so that little is left to chance.

    It has no `transform`: where another row belongs, t-SNE does not say.

    Parameters
    ----------
    n_components : 2
    perplexity : about how many neighbours each row attends to, below the number of rows.
    max_iter : gradient steps, each over all rows; in the first 250 attraction is exaggerated twelvefold.
    kind : {"images", "documents"}
    random_state : int, RandomState or None

    Attributes
    ----------
    embedding_ : (n_samples, 2) float32, any values.
    kl_divergence_ : of the map's similarities from the rows', in nats.
    rows_train_, rows_test_ : numbers of the mapped rows in their split of a data set, ascending; see `fit_splits`.
    history_ : one row every 50 iterations, an epoch being an iteration; ``loss`` is the KL divergence in nats. While
        attraction is exaggerated another objective is minimised, so those rows have no loss.
    environment_ : threads of the fit, since sums in another order make another map.
    n_features_in_ : int

    References
    ----------
    van der Maaten and Hinton 2008, Visualizing data using t-SNE, JMLR 9, equation 2 with q of section 3.3.
    van der Maaten 2014, Accelerating t-SNE using tree-based algorithms, JMLR 15.
    Kobak and Berens 2019, The art of using t-SNE for single-cell transcriptomics, Nature Communications 10.
    """

    def __init__(self, n_components=_COMPONENTS, *, perplexity=30.0, max_iter=1000, kind=IMAGES, random_state=None):
        self.n_components = n_components
        self.perplexity = perplexity
        self.max_iter = max_iter
        self.kind = kind
        self.random_state = random_state

    def fit(self, X, y=None, *, on_epoch=None, on_tick=None, checkpoint=None):
        """Map the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), array or sparse; images as floats in [0, 1], documents as word counts.
        y : ignored.
        on_epoch : called with each row of the history.
        on_tick : called with a row as of `core.training.train`, at the start and after each of the history.
        checkpoint : ignored, nothing can be gone on from.

        Raises
        ------
        BadInput
            If `perplexity` is not below the number of rows.
        HourglassError
            If a callback returns True: a map half-way is none.
        Diverged
            If the map is no longer finite.
        """
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_info

        X = validate_data(self, X, accept_sparse="csr", dtype=np.float32, ensure_min_samples=2)
        n = X.shape[0]
        if self.perplexity >= n:
            raise BadInput(
                f"perplexity={self.perplexity:g} must be below {n}, the number of rows: choose a smaller perplexity, "
                "or more rows."
            )
        settings = {"perplexity": self.perplexity, "max_iter": self.max_iter, "random_state": self.random_state}
        tsne = TSNE(self.n_components, verbose=2, **settings)
        if self.kind == DOCUMENTS:
            X = _weighted(X)
            tsne.set_params(metric="cosine", init=_first_singular_vectors(X, self.n_components, self.random_state))
        progress = _Progress(n, self.max_iter, on_epoch, on_tick)
        progress.tick()
        with redirect_stdout(progress):
            self.embedding_ = tsne.fit_transform(X).astype(np.float32)
        if not np.isfinite(self.embedding_).all():
            raise Diverged("t-SNE left the finite numbers: choose another perplexity or seed.")
        self.kl_divergence_ = float(tsne.kl_divergence_)
        self.history_ = progress.history(tsne.n_iter_ + 1, self.kl_divergence_)
        threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"]
        self.environment_ = {"threads": max(threads, default=1)}
        self.rows_train_, self.rows_test_ = np.arange(n), np.arange(0)
        return self

    def fit_splits(self, X_train, X_test, rows_train: np.ndarray, rows_test: np.ndarray, **watches):
        """Map rows of both splits of a data set together, and keep which they are.

        Parameters
        ----------
        X_train, X_test : (n_train, n_features), (n_test, n_features), as for `fit`.
        rows_train, rows_test : (n_train,), (n_test,) int, their numbers in the splits.
        watches : the callbacks of `fit`.
        """
        from scipy import sparse

        both = [X_train, X_test]
        self.fit(sparse.vstack(both, "csr") if sparse.issparse(X_train) else np.concatenate(both), **watches)
        self.rows_train_, self.rows_test_ = rows_train, rows_test
        return self

    @property
    def train_embedding_(self) -> np.ndarray:
        """(n_train, 2), positions of `rows_train_`."""
        check_is_fitted(self)
        return self.embedding_[: len(self.rows_train_)]

    @property
    def test_embedding_(self) -> np.ndarray:
        """(n_test, 2), positions of `rows_test_`."""
        check_is_fitted(self)
        return self.embedding_[len(self.rows_train_) :]

    @property
    def about(self) -> str:
        """What the map is of, in a few words."""
        return f"t-SNE of the {'tf-idf vectors, cosine distance' if self.kind == DOCUMENTS else 'raw rows'}"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "embedding_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _weighted(counts):
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True).fit_transform(counts)


def _first_singular_vectors(X, n_components: int, random_state) -> np.ndarray:
    """Where a map of sparse rows starts: (n_samples, n_components) float32, scaled as scikit-learn does dense rows'."""
    from sklearn.decomposition import TruncatedSVD

    Z = TruncatedSVD(n_components, random_state=random_state).fit_transform(X).astype(np.float32)
    return Z / np.std(Z[:, 0]) * _START


class _Progress(io.TextIOBase):
    """Takes what scikit-learn prints of its iterations, the only word it gives of them, and passes it on as rows."""

    def __init__(self, n_rows: int, max_iter: int, on_epoch: Callable | None, on_tick: Callable | None):
        super().__init__()
        self.n_rows, self.max_iter = n_rows, max_iter
        self.on_epoch, self.on_tick = on_epoch, on_tick
        self.rows: list[dict[str, Any]] = []
        self.started = time.perf_counter()
        self.done, self.exaggerates, self.line = 0, True, ""
        self.outside = sys.stdout

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            self._read(line)
        return len(text)

    def tick(self) -> None:
        row = self._row(self.done) | {"rows_per_second": 0.0, "share": self.done / self.max_iter, "within": 0}
        self._tell(self.on_tick, row)

    def history(self, iterations: int, kl_divergence: float) -> list[dict[str, Any]]:
        """The rows, the last being of the map as it came out, after so many iterations."""
        before = [row for row in self.rows if row["epoch"] < iterations]
        return [*before, self._row(iterations) | {"loss": kl_divergence}]

    def _read(self, line: str) -> None:
        if _EXAGGERATED.match(line):
            self.exaggerates = False
        if found := _ITERATION.match(line):
            row = self._row(int(found[1]))
            if not self.exaggerates:
                row["loss"] = float(found[2])
            self.done = row["epoch"]
            self.rows.append(row)
            self._tell(self.on_epoch, row)
        # Before the first iteration and between two, each line is a moment to look whether to go on.
        self.tick()

    def _tell(self, watch: Callable | None, row: dict[str, Any]) -> None:
        if watch is None:
            return
        # What it prints is not for here.
        with redirect_stdout(self.outside):
            stopped = watch(row)
        if stopped:
            raise HourglassError(
                "t-SNE has no map before its last iteration, so one that is stopped can't be kept: let it come to its "
                "end, with fewer rows or a lower max_iter where that takes too long."
            )

    def _row(self, iterations: int) -> dict[str, Any]:
        seconds = time.perf_counter() - self.started
        before = self.rows[-1] if self.rows else {"epoch": 0, "seconds": 0.0, "rows_per_second": 0.0}
        steps, spent = iterations - before["epoch"], seconds - before["seconds"]
        return {
            "epoch": iterations,
            "step": iterations,
            "seconds": round(seconds, 3),
            "rows_per_second": round(steps * self.n_rows / spent, 1) if steps else before["rows_per_second"],
        }


def _build(params, kind, image_shape, seed) -> TSNEMap:
    own = {name: value for name, value in params.items() if name != "rows"}
    return TSNEMap(**own, kind=kind, random_state=seed)


def _arrays(tsne: TSNEMap) -> dict[str, np.ndarray]:
    return {
        # As one long row, which is stored as it is: in a matrix rounded to float16 near neighbours would coincide.
        "embedding_": tsne.embedding_.ravel(),
        "rows_train_": np.asarray(tsne.rows_train_, np.int32),
        "rows_test_": np.asarray(tsne.rows_test_, np.int32),
        "kl_divergence_": np.array(tsne.kl_divergence_),
        "n_features_in": np.array(tsne.n_features_in_),
    }


def _restore(tsne: TSNEMap, arrays: Mapping[str, np.ndarray]) -> TSNEMap:
    tsne.embedding_ = np.asarray(arrays["embedding_"], np.float32).reshape(-1, _COMPONENTS)
    tsne.rows_train_, tsne.rows_test_ = (np.asarray(arrays[name]) for name in ("rows_train_", "rows_test_"))
    if len(tsne.embedding_) != len(tsne.rows_train_) + len(tsne.rows_test_):
        raise ValueError(f"{len(tsne.embedding_)} positions are not those of its rows")
    tsne.kl_divergence_ = np.asarray(arrays["kl_divergence_"]).item()
    tsne.n_features_in_ = np.asarray(arrays["n_features_in"]).item()
    return tsne


METHOD = Method(
    name="tsne",
    label="t-SNE",
    kinds=(IMAGES, DOCUMENTS),
    summary="A map of the rows themselves that keeps neighbours together: no code, but a map to hold a code's against.",
    params=(
        Param("n_components", _COMPONENTS, (_COMPONENTS, _COMPONENTS), "Numbers in a row's position: the map is flat."),
        Param("perplexity", 30.0, (5.0, 100.0), "About how many neighbours each row attends to."),
        # Up to 250 iterations all would be exaggerated, and scikit-learn gives no divergence.
        Param(
            "max_iter",
            1000,
            (300, 5000),
            "Gradient steps, each over all rows: an epoch is one. In the first 250 attraction is exaggerated.",
        ),
        Param("rows", 2000, (2000, 10_000), "Rows of each split that are mapped at most."),
    ),
    version=1,
    estimator=_build,
    arrays=_arrays,
    restore=_restore,
    # Positions are what comes out; no number is learned that would place another row.
    n_weights=lambda tsne: 0,
    loss_unit={IMAGES: _UNIT, DOCUMENTS: _UNIT},
    maps_rows=True,
)
