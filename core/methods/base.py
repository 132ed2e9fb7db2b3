"""What the network methods share: scikit-learn's surface around the one training loop. Imports torch on use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from core.types import DOCUMENTS, IMAGES, BadInput, Method, Param

_ROWS_AT_ONCE = 2000


def n_components(default: int = 10) -> Param:
    return Param("n_components", default, (1, 256), "Numbers in a row's latent code.")


def training_params(epochs: int, learning_rate: float, batch_size: int = 512) -> tuple[Param, ...]:
    """The budget and the optimizer's settings, which every network method declares."""
    return (
        Param("epochs", epochs, (1, 1000), "Passes over the training rows, unless max_seconds is above 0."),
        Param(
            "max_seconds",
            0.0,
            (0.0, 86400.0),
            "Seconds to train; the learning rate falls over this time. 0: by epochs.",
        ),
        Param("batch_size", batch_size, (2, 8192), "Rows in one step of the optimizer."),
        Param("learning_rate", learning_rate, (1e-6, 1.0), "Highest learning rate of the schedule."),
    )


def architecture(width: int = 512, layers: int = 3) -> tuple[Param, ...]:
    """The shape of encoder and decoder."""
    return (
        Param("network", "mlp", ("mlp", "conv"), "mlp: fully connected layers. conv: convolutions.", (IMAGES,)),
        Param("width", width, (8, 4096), "Units of the widest hidden layer; the others halve it inwards."),
        Param("layers", layers, (1, 4), "Hidden layers in the encoder, and as many in the decoder."),
        Param("activation", "relu", ("relu", "silu"), "relu learns faster, silu ends a little lower."),
    )


AUGMENT = Param(
    "augment",
    0.0,
    (0.0, 1.0),
    "Share of each batch of images turned, scaled and shifted at random while training.",
    (IMAGES,),
)
# What TfidfTransformer does for each weighting of word counts.
WEIGHTINGS = {
    "tfidf": {"sublinear_tf": True},
    "log": {"use_idf": False, "norm": None, "sublinear_tf": True},
    "counts": {"use_idf": False, "norm": None},
}
WEIGHTING = Param(
    "weighting",
    "tfidf",
    tuple(WEIGHTINGS),
    "tfidf: (1 + log count) x inverse document frequency, unit length. log: 1 + log count. counts: raw counts.",
    (DOCUMENTS,),
)
WORD_DROPOUT = Param(
    "word_dropout",
    0.5,
    (0.0, 0.95),
    "Share of a document's words hidden at random from the encoder at each training step; all are to be foretold.",
    (DOCUMENTS,),
)
WEIGHT_DECAY = Param("weight_decay", 0.01, (0.0, 1.0), "AdamW's decoupled weight decay.")


class NetworkEstimator(BaseEstimator):
    """An estimator whose model is a set of torch networks trained by `core.training.train`.

    A subclass supplies `_build` (its networks), `players` and `train_step`; see `core.training.train`.

    Attributes
    ----------
    networks_ : torch.nn.ModuleDict, in evaluation mode after `fit`.
    history_ : list of dict, one row an epoch.
    environment_ : dict, device, precision, threads, seconds and steps of the fit.
    n_features_in_ : int
    """

    players: Mapping[str, tuple[str, ...]]
    after_step = None

    def fit(self, X, y=None, *, on_epoch=None, on_tick=None, checkpoint: Path | None = None):
        """Train on the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), array or sparse; images as floats in [0, 1], documents as word counts.
        y : ignored.
        on_epoch, on_tick : callables that take each history row, or the row of the epoch so far a few times a second;
            training ends when one returns True, see `core.training.train`.
        checkpoint : folder to resume from and to save the state of the training in.

        Raises
        ------
        Diverged
            When the loss is no longer finite.
        """
        from core import training

        X = self._validated(X, reset=True)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.networks_ = self._networks(X.shape[1], seed)
        self._prepare(X)
        plan = training.Plan(
            epochs=self.epochs,
            max_seconds=self.max_seconds,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=seed,
            **self._plan(),
        )
        self.history_, self.environment_ = training.train(
            self.networks_,
            dict(self.players),
            self.train_step,
            X,
            plan,
            after_step=self.after_step,
            measure=self._measure(X),
            on_epoch=on_epoch,
            on_tick=on_tick,
            checkpoint=checkpoint,
        )
        return self

    def _prepare(self, X) -> None:
        """Take from the rows what the networks need and training does not learn; nothing by default."""

    def _plan(self) -> dict[str, Any]:
        """Further fields of `core.training.Plan`."""
        return {}

    def _measure(self, X):
        """What `core.training.train` measures of the networks after each epoch on these rows; None: nothing."""
        return

    def _networks(self, n_features: int, seed: int = 0):
        import torch

        if getattr(self, "network", "mlp") == "conv" and self.image_shape is None:
            raise BadInput("network=conv needs images: give image_shape, or choose network=mlp.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._build(n_features).eval()

    def _validated(self, X, *, reset: bool):
        X = validate_data(
            self,
            X,
            reset=reset,
            accept_sparse="csr" if self.__sklearn_tags__().input_tags.sparse else False,
            dtype=np.float32,
            ensure_min_samples=2 if reset else 1,
        )
        if getattr(self, "kind", None) == DOCUMENTS and (X.data if hasattr(X, "tocsr") else X).min(initial=0) < 0:
            raise BadInput("Documents are word counts, which can't be negative: give the counts themselves.")
        return X

    def _map(self, function, X) -> np.ndarray:
        """Apply `function` (batch tensor -> tensor) to the rows of X in float32, a bounded number at once."""
        import torch

        from core.training import Rows

        self.networks_.eval()
        rows = Rows(X, next(self.networks_.parameters()).device)
        with torch.inference_mode():
            parts = [function(rows.batch(part)).cpu().numpy() for part in torch.arange(len(rows)).split(_ROWS_AT_ONCE)]
        return np.concatenate(parts)

    def _codes(self, Z) -> np.ndarray:
        check_is_fitted(self)
        Z = np.asarray(Z, np.float32)
        if Z.ndim != 2 or Z.shape[1] != self.n_components:
            raise ValueError(f"Codes have shape (n, {self.n_components}), not {Z.shape}.")
        return Z

    def arrays(self) -> dict[str, np.ndarray]:
        """The fitted networks as named arrays, for the store."""
        state = {name: value.numpy() for name, value in self.networks_.state_dict().items()}
        return {**state, "n_features_in": np.array(self.n_features_in_)}

    def restore(self, arrays: Mapping[str, np.ndarray]):
        """Become fitted from what `arrays` returned; floats may have been rounded."""
        import torch

        self.n_features_in_ = int(np.asarray(arrays["n_features_in"]).item())
        self.networks_ = self._networks(self.n_features_in_)
        state = self.networks_.state_dict()
        self.networks_.load_state_dict(
            {name: torch.tensor(np.asarray(arrays[name])).to(state[name].dtype) for name in state}
        )
        return self

    def n_weights(self) -> int:
        """How many weights the trained networks have."""
        trained = {name for names in self.players.values() for name in names}
        return sum(p.numel() for name in trained for p in self.networks_[name].parameters())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "networks_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class NetworkTransformer(TransformerMixin, NetworkEstimator):
    """A network method that gives every row a code of `n_components` numbers."""

    def _encoder(self, shape, n_features: int, n_out: int):
        """From rows, of word counts or of pixels, to `n_out` values."""
        from torch import nn

        from core.networks import WordWeights

        encoder = shape.encoder(n_features, n_out)
        return nn.Sequential(WordWeights(n_features, self.weighting), *encoder) if self.kind == DOCUMENTS else encoder

    def _prepare(self, X) -> None:
        import torch

        if self.kind == DOCUMENTS and self.weighting == "tfidf":
            idf = TfidfTransformer(**WEIGHTINGS["tfidf"]).fit(X).idf_
            self.networks_["encoder"][0].idf.copy_(torch.as_tensor(idf))

    def n_weights(self) -> int:
        """How many weights the trained networks have, and how many inverse document frequencies, as LSA's count."""
        of_words = self.n_features_in_ if self.kind == DOCUMENTS and self.weighting == "tfidf" else 0
        return super().n_weights() + of_words

    def _words_hidden(self, x, generator):
        """A batch of documents as the encoder sees it in training: each word absent with chance `word_dropout`."""
        import torch

        if self.kind != DOCUMENTS or not self.word_dropout:
            return x
        present = x.nonzero(as_tuple=True)  # few of the vocabulary: a draw for each word of it would take longer
        kept = torch.rand(len(present[0]), generator=generator) >= self.word_dropout
        return x.index_put(present, x[present] * kept.to(x.device))

    def _augmented(self, x, generator, progress: float):
        """A batch of images with a share of them moved a little, but for the last tenth of the training."""
        from core.networks import jitter

        if not (self.augment and self.image_shape and progress < 0.9):
            return x
        return jitter(x, self.image_shape, self.augment, generator)

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are float32, whatever came in
        return tags


def _restore(estimator: NetworkEstimator, arrays: Mapping[str, np.ndarray]) -> NetworkEstimator:
    return estimator.restore(arrays)


def declare(cls: type[NetworkEstimator], **declaration) -> Method:
    """The declaration of a network method: its estimator takes every declared parameter by name."""

    def build(params, kind, image_shape, seed):
        return cls(**params, kind=kind, image_shape=image_shape, random_state=seed)

    return Method(**declaration, estimator=build, arrays=cls.arrays, restore=_restore, n_weights=cls.n_weights)
