"""t-SNE by openTSNE: a 2-D map of given rows, in which new rows can be placed."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from core.errors import BadInput, Diverged, HourglassError
from core.methods.params import build_constructor
from core.types import DOCUMENTS, IMAGES, KINDS, TABLES, Method, Param

_COMPONENTS = 2
_EXAGGERATION = 12
_TICK_STEPS = 50
_PLACING_PERPLEXITY = 5
_START = 1e-4  # standard deviation of the initial map along the first component
_MAX_ITER = "Gradient steps over all rows; attraction is exaggerated in the first 250."


class TSNEMap(BaseEstimator):
    """A 2-D map by t-distributed stochastic neighbour embedding with the Barnes-Hut approximation.

    Images are compared by Euclidean distance, documents by the cosine distance of tf-idf vectors with the inverse
    document frequencies of the mapped rows. Neighbours are exact. The map starts at the first two principal components
    (documents: singular vectors).

    Parameters
    ----------
    perplexity : effective number of neighbours of each row, below the number of rows.
    max_iter : gradient steps, each over all rows; attraction is exaggerated twelvefold in the first 250.
    kind : {"images", "documents"}

    Attributes
    ----------
    embedding_ : (n_samples, 2) float32.
    kl_divergence_ : KL divergence of the map's similarities from the rows', in nats.
    rows_train_, rows_test_ : indices of the mapped rows in their splits, ascending; see `fit_splits`.
    history_ : one row every 50 steps (an epoch is one step); ``loss`` is the KL divergence in nats.
    environment_ : threads of the fit.

    References
    ----------
    van der Maaten and Hinton 2008, Visualizing data using t-SNE, JMLR 9, equation 2 with q of section 3.3.
    van der Maaten 2014, Accelerating t-SNE using tree-based algorithms, JMLR 15.
    Kobak and Berens 2019, The art of using t-SNE for single-cell transcriptomics, Nature Communications 10.
    Poličar, Stražar and Zupan 2024, openTSNE: a modular Python library for t-SNE, Journal of Statistical Software 109.
    """

    __init__ = build_constructor(
        {"n_components": 2, "perplexity": 30.0, "max_iter": 750, "kind": IMAGES, "random_state": None}
    )

    def fit(self, X, y=None, *, on_epoch=None, on_tick=None, checkpoint=None):
        """Map the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), array or sparse; images as floats in [0, 1], documents as word counts.
        on_epoch, on_tick : called after each row of the history, see `core.nn.training.train`.
        y, checkpoint : ignored; a fit cannot be resumed.

        Raises BadInput if `perplexity` is not below the number of rows or all rows are equal, HourglassError if a
        callback returns True, since an unfinished map is useless, and Diverged if the map is not finite.
        """
        from openTSNE import TSNEEmbedding
        from threadpoolctl import threadpool_info

        X = validate_data(self, X, accept_sparse="csr", dtype=np.float32, ensure_min_samples=2, ensure_min_features=2)
        n = X.shape[0]
        _check_perplexity(self.perplexity, n)
        vectors = _weigh(X, X, self.kind)[0]
        if _are_equal(vectors):
            raise BadInput("All rows are equal, so there is no map of them: give rows that differ.")
        threads = max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"), default=1)
        progress = _Progress(n, self.max_iter, on_epoch, on_tick)
        progress.tick()
        similarities = _find_similarities(vectors, self.kind, self.perplexity, threads)
        start = _choose_start(vectors, self.kind, self.random_state)
        # scikit-learn's learning rate: its gradient has a factor of 4.
        how = {"negative_gradient_method": "bh", "dof": 1, "theta": 0.5, "max_step_norm": 5, "n_jobs": threads}
        how |= {"learning_rate": max(n / _EXAGGERATION, 200.0), "random_state": self.random_state}
        how |= {"callbacks": [progress], "callbacks_every_iters": _TICK_STEPS}
        found = TSNEEmbedding(start, similarities, **how)
        found.optimize(250, True, exaggeration=_EXAGGERATION, momentum=0.5, propagate_exception=True)
        progress.before = 250
        found.optimize(self.max_iter - 250, True, exaggeration=1, momentum=0.8, propagate_exception=True)
        self.embedding_ = np.asarray(found, np.float32)
        if not np.isfinite(self.embedding_).all():
            raise Diverged("t-SNE left the finite numbers: choose another perplexity or seed.")
        self.kl_divergence_ = float(found.kl_divergence)
        self.history_ = progress.finish(self.kl_divergence_)
        self.environment_ = {"threads": threads}
        self.rows_train_, self.rows_test_ = np.arange(n), np.arange(0)
        return self

    def fit_splits(self, X_train, X_test, rows_train: np.ndarray, rows_test: np.ndarray, **watches):
        """Map rows of both splits together, with their indices in the splits, and the callbacks of `fit`."""
        from scipy import sparse

        both = [X_train, X_test]
        self.fit(sparse.vstack(both, "csr") if sparse.issparse(X_train) else np.concatenate(both), **watches)
        self.rows_train_, self.rows_test_ = rows_train, rows_test
        return self

    @property
    def train_embedding_(self) -> np.ndarray:
        """(n_train, 2), positions of `rows_train_`."""
        return self.embedding_[: len(self.rows_train_)]

    @property
    def test_embedding_(self) -> np.ndarray:
        """(n_test, 2), positions of `rows_test_`."""
        return self.embedding_[len(self.rows_train_) :]

    @property
    def about(self) -> str:
        """A short description of the map."""
        rows = {IMAGES: "raw rows", DOCUMENTS: "tf-idf vectors, cosine distance", TABLES: "rows"}
        return f"t-SNE of the {rows[self.kind]}"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def place_rows(X, mapped, embedding: np.ndarray, kind: str = IMAGES) -> np.ndarray:
    """Place new rows in a t-SNE map by their similarities to the mapped rows: (n_samples, 2) float32.

    `X` and `mapped` are rows as for `TSNEMap.fit`, and `embedding`, (n_mapped, 2), the positions of the mapped ones.
    Each row starts at the median position of its nearest mapped rows and takes 250 gradient steps, independently of
    the others. Poličar, Stražar and Zupan 2023, Embedding to reference t-SNE space addresses batch effects in
    single-cell classification, Machine Learning 112.
    """
    from openTSNE import TSNEEmbedding

    new, vectors = _weigh(X, mapped, kind)
    middle = (embedding.max(axis=0) + embedding.min(axis=0)) / 2
    # openTSNE centres a copy of the map and answers in that frame.
    similarities = _find_similarities(vectors, kind, _PLACING_PERPLEXITY)
    reference = TSNEEmbedding(embedding.astype(np.float64), similarities, negative_gradient_method="bh", n_jobs=1)
    return (np.asarray(reference.transform(new, _PLACING_PERPLEXITY)) + middle).astype(np.float32)


def _weigh(X, mapped, kind: str) -> tuple:
    """Rows and mapped rows, as tf-idf vectors with the mapped rows' frequencies for documents."""
    if kind != DOCUMENTS:
        return X, mapped
    from sklearn.feature_extraction.text import TfidfTransformer

    weighting = TfidfTransformer(sublinear_tf=True).fit(mapped)
    return weighting.transform(X), weighting.transform(mapped)


def _find_similarities(X, kind: str, perplexity: float, threads: int = 1):
    """Similarities from exact neighbours; openTSNE's own index is approximate and has no cosine of sparse rows."""
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import KNNIndex
    from sklearn.neighbors import NearestNeighbors

    class Exact(KNNIndex):
        VALID_METRICS = ("cosine", "euclidean")

        def build(self):
            self.index = NearestNeighbors(metric=self.metric, n_jobs=self.n_jobs).fit(self.data)
            return self.index.kneighbors(n_neighbors=self.k)[::-1]

        def query(self, query, k):
            return self.index.kneighbors(query, n_neighbors=k)[::-1]

    k, metric = min(X.shape[0] - 1, int(3 * perplexity)), "cosine" if kind == DOCUMENTS else "euclidean"
    index = Exact(X, k, metric=metric, n_jobs=threads)
    return PerplexityBasedNN(perplexity=perplexity, knn_index=index, n_jobs=threads)


def _choose_start(X, kind: str, random_state) -> np.ndarray:
    """Initial positions, (n_samples, 2), with standard deviation `_START` along the first component."""
    from openTSNE import initialization

    if kind != DOCUMENTS:
        return initialization.pca(X, _COMPONENTS, random_state=random_state, add_jitter=False)
    from sklearn.decomposition import TruncatedSVD

    if X.shape[1] < 2:
        raise BadInput("t-SNE of documents needs at least 2 words: choose a larger vocabulary, or other documents.")
    Z = TruncatedSVD(_COMPONENTS, random_state=random_state).fit_transform(X).astype(np.float64)
    spread = np.std(Z[:, 0])
    # Different documents may have equal first coordinates, for example if each contains one word of its own.
    return Z / (spread if spread > 1e-6 else 1.0) * _START


def _check_perplexity(perplexity: float, n: int) -> None:
    if perplexity >= n:
        limit = f"must be below {n}, the number of rows"
        raise BadInput(f"perplexity={perplexity:g} {limit}: choose a smaller perplexity, or more rows.")


def _check_rows(params, n_train: int, n_test: int, n_features: int) -> None:
    _check_perplexity(params["perplexity"], min(n_train, params["rows"]) + min(n_test, params["rows"]))


def _are_equal(X) -> bool:
    from scipy import sparse

    return not (abs(X - X[[0] * X.shape[0]]).nnz if sparse.issparse(X) else np.ptp(X, axis=0).any())


class _Progress:
    """Reports openTSNE's steps as rows of a history, and ends the fit if a callback asks for it."""

    def __init__(self, n_rows: int, max_iter: int, on_epoch: Callable | None, on_tick: Callable | None):
        self.n_rows, self.max_iter, self.on_epoch, self.on_tick = n_rows, max_iter, on_epoch, on_tick
        self.rows: list[dict[str, Any]] = []
        self.started = time.perf_counter()
        self.before = 0  # steps of the phases that are over; openTSNE counts each phase from 1

    def __call__(self, iteration: int, error: float, embedding: np.ndarray) -> None:
        self.rows.append(self._row(self.before + iteration) | {"loss": float(error)})
        self._tell(self.on_epoch, self.rows[-1])
        self.tick()

    def tick(self) -> None:
        done = self.rows[-1]["epoch"] if self.rows else 0
        seconds = round(time.perf_counter() - self.started, 3)
        row = {"epoch": done, "step": done, "seconds": seconds, "rows_per_second": 0.0}
        self._tell(self.on_tick, row | {"share": done / self.max_iter, "within": 0})

    def finish(self, kl_divergence: float) -> list[dict[str, Any]]:
        """The history, whose last row is of the finished map."""
        if self.rows[-1]["epoch"] < self.max_iter:
            self.rows.append(self._row(self.max_iter))
        self.rows[-1]["loss"] = kl_divergence
        return self.rows

    def _tell(self, watch: Callable | None, row: dict[str, Any]) -> None:
        if watch is not None and watch(row):
            raise HourglassError(
                "t-SNE has no map before its last iteration, so one that is stopped can't be kept: let it come to its "
                "end, with fewer rows or a lower max_iter if that takes too long."
            )

    def _row(self, iterations: int) -> dict[str, Any]:
        seconds, last = time.perf_counter() - self.started, self.rows[-1] if self.rows else {"epoch": 0, "seconds": 0.0}
        rate = (iterations - last["epoch"]) * self.n_rows / (seconds - last["seconds"])
        row = {"epoch": iterations, "step": iterations, "seconds": round(seconds, 3)}
        return row | {"rows_per_second": round(rate, 1)}


def _build(params, form, seed) -> TSNEMap:
    own = {name: value for name, value in params.items() if name != "rows"}
    return TSNEMap(**own, kind=form.kind, random_state=seed)


def _arrays(tsne: TSNEMap) -> dict[str, np.ndarray]:
    return {
        # As a vector, which is stored exactly: in a matrix rounded to float16, near neighbours would coincide.
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
    summary="A 2-D map of the rows themselves in which neighbours stay close. It has no latent code.",
    params=(
        Param("n_components", _COMPONENTS, (_COMPONENTS, _COMPONENTS), "Dimensions of the map; always 2."),
        Param("perplexity", 30.0, (5.0, 100.0), "Effective number of neighbours of each row."),
        Param("max_iter", 750, (300, 5000), _MAX_ITER),
        Param("rows", 2000, (2000, 10_000), "At most this many rows of each split are mapped."),
    ),
    version=2,
    estimator=_build,
    arrays=_arrays,
    restore=_restore,
    # Positions are the result; no weights are learned.
    n_weights=lambda tsne: 0,
    loss_unit=dict.fromkeys(KINDS, "nats of KL divergence"),
    check_rows=_check_rows,
)
