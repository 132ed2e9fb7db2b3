"""Base classes of the network methods: scikit-learn's interface around the training loop. Imports torch on use."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from core.errors import BadInput
from core.methods import params
from core.metrics.embedding import stratified_rows
from core.nn import augment, compute_cost, losses
from core.nn.compute_cost import Workload
from core.types import CONTINUOUS_BERNOULLI, DOCUMENTS, IMAGES, TABLES, Form, Method, Param


class NetworkEstimator(BaseEstimator):
    """An estimator whose model is a set of torch networks trained by `core.nn.training.train`.

    A subclass defines `_build` (its networks), `players`, `train_step` and `workload`, and `validation_terms` if it has
    the parameter `validation`. Its constructor is made from `PARAMS` and `CONTEXT`.

    Attributes
    ----------
    PARAMS : declarations of the hyper-parameters.
    CONTEXT : defaults of the other arguments of the constructor; FIRST : the argument that may be positional.
    PLAN : further fields of `core.nn.training.Plan`.
    networks_ : torch.nn.ModuleDict, in evaluation mode after `fit`.
    history_, environment_ : what `core.nn.training.train` returns; with `validation`, also ``n_validation``.
    n_features_in_ : int
    """

    PARAMS: tuple[Param, ...] = ()
    CONTEXT: Mapping[str, Any] = {"kind": IMAGES, "image_shape": None, "blocks": (), "random_state": None}
    FIRST = "n_components"
    PLAN: Mapping[str, Any] = {}
    players: Mapping[str, tuple[str, ...]]
    after_step = None
    validation = weight_decay = 0.0
    accepts_sparse = True
    # Whether the loss leaves out the cells that `fit` is told are missing.
    masks_missing = False
    # Whether `fit` takes grey values, from which the pixels of each batch are drawn.
    redraws_pixels = False
    _is_redrawn = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "PARAMS" in vars(cls):
            declared = {p.name: p.default for p in cls.PARAMS} | cls.CONTEXT
            cls.__init__ = params.build_constructor({cls.FIRST: declared[cls.FIRST]} | declared)

    def fit(self, X, y=None, *, known=None, grey=None, **watches):
        """Train on the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), array or sparse; images as floats in [0, 1], documents as word counts, tables
            prepared by `core.datasets.own.preparation`.
        y : (n_samples,) int classes that stratify the validation rows; None: at random.
        known : for tables, (n_samples, n_features) bool, False where a cell is missing and X holds a substitute.
        grey : for binary images, (n_samples, n_features) in [0, 1], the probabilities of white that each batch is drawn
            from, in place of X.
        watches : on_epoch, on_tick, on_note and checkpoint of `core.nn.training.train`.

        Raises BadInput for hyper-parameters or values of X that are not allowed, Diverged if the loss is not finite.
        """
        from core.nn import training

        params.check_hyperparameters(self)
        X = self._validated(X, reset=True)
        vars(self).pop("_blocks", None)  # of an earlier fit
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.networks_ = self._networks(X.shape[1], seed)
        self._is_redrawn = grey is not None
        X = np.asarray(grey, np.float32) if self._is_redrawn else X
        X = self._with_known(X, known if self.masks_missing else None)
        X, held = self._split(X, y)
        self._prepare(X)
        X = self._inputs(X)
        measures = self.measures(X)
        if held is not None:
            measures.append(training.measure_validation(self._inputs(held), self.validation_terms))
        names = "epochs", "max_seconds", "batch_size", "learning_rate", "weight_decay"
        plan = training.Plan(**{name: getattr(self, name) for name in names}, **self.PLAN, seed=seed)
        watches |= {"after_step": self.after_step, "measures": measures}
        self.history_, self.environment_ = training.train(
            self.networks_, self.players, self.train_step, X, plan, **watches
        )
        if held is not None:
            self.environment_["n_validation"] = held.shape[0]
        return self

    def _split(self, X, y) -> tuple[Any, Any]:
        """The training rows, and the validation rows: the same for every method and seed."""
        if not self.validation:
            return X, None
        n = X.shape[0]
        n_held = max(1, round(self.validation * n))
        if n - n_held < 2:
            raise BadInput(f"validation={self.validation:g} leaves {n - n_held} of {n} rows to train on: lower it.")
        held = stratified_rows(np.zeros(n, int) if y is None else y, n_held)
        return X[np.setdiff1d(np.arange(n), held)], X[held]

    @staticmethod
    def _with_known(X, known):
        """Rows with `known` beside them, which the loss takes apart; without it as they are."""
        return X if known is None else np.hstack([X, np.asarray(known, np.float32)])

    @cached_property
    def _blocks(self):
        from core.nn.blocks import Blocks

        return Blocks(self.blocks or (1,) * self.n_features_in_)

    def _inputs(self, X):
        """The networks' input."""
        return X

    def _prepare(self, X) -> None:
        """Compute statistics of the rows that the networks need and training does not learn."""

    def measures(self, X) -> list:
        """Each a `core.nn.training.Measure` of the networks on these rows."""
        return []

    def _networks(self, n_features: int, seed: int = 0):
        import torch

        if getattr(self, "kind", IMAGES) == IMAGES and getattr(self, "network", "") == "conv" and not self.image_shape:
            raise BadInput("network=conv needs images: give image_shape, or choose network=mlp.")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._build(n_features).eval()

    def _validated(self, X, *, reset: bool):
        how = {"accept_sparse": "csr" if self.accepts_sparse else False, "dtype": np.float32}
        X = validate_data(self, X, reset=reset, ensure_min_samples=2 if reset else 1, **how)
        if getattr(self, "kind", None) == DOCUMENTS and (X.data if hasattr(X, "tocsr") else X).min(initial=0) < 0:
            raise BadInput("Documents are word counts, which can't be negative: give the counts themselves.")
        return X

    def _draw_pixels(self, x, generator):
        """Black and white pixels drawn from grey ones, if `fit` was given these; else as they are."""
        return augment.draw_pixels(x, generator) if self._is_redrawn else x

    def _map(self, function, X) -> np.ndarray:
        """Apply `function` (batch -> tensor) to the rows of X in float32, block by block."""
        import torch

        from core.nn.training import Rows

        self.networks_.eval()
        with torch.inference_mode():
            blocks = Rows(X, next(self.networks_.parameters()).device).blocks()
            return np.concatenate([function(x).cpu().numpy() for x in blocks])

    def _codes(self, Z) -> np.ndarray:
        check_is_fitted(self)
        Z = np.asarray(Z, np.float32)
        if Z.ndim != 2 or Z.shape[1] != self.n_components:
            raise ValueError(f"Codes have shape (n, {self.n_components}), not {Z.shape}.")
        return Z

    def arrays(self) -> dict[str, np.ndarray]:
        """The fitted networks as named arrays."""
        state = {name: value.numpy() for name, value in self.networks_.state_dict().items()}
        return {**state, "n_features_in": np.array(self.n_features_in_)}

    def restore(self, arrays: Mapping[str, np.ndarray]):
        """Inverse of `arrays`; floats may have been rounded."""
        import torch

        self.n_features_in_ = int(np.asarray(arrays["n_features_in"]).item())
        self.networks_ = self._networks(self.n_features_in_)
        state = self.networks_.state_dict()
        restored = {name: torch.tensor(np.asarray(arrays[name])).to(state[name].dtype) for name in state}
        self.networks_.load_state_dict(restored)
        return self

    def n_weights(self) -> int:
        """Number of trained weights."""
        trained = {name for names in self.players.values() for name in names}
        return sum(p.numel() for name in trained for p in self.networks_[name].parameters())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "networks_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.accepts_sparse
        return tags


class NetworkTransformer(TransformerMixin, NetworkEstimator):
    """A network method with an encoder and a decoder, whose latent codes have `n_components` dimensions."""

    # Outputs of the encoder for each latent dimension, and of the decoder for each feature.
    n_outputs = 1, 1
    masks_missing = redraws_pixels = True
    players = {"autoencoder": ("encoder", "decoder")}
    noise = 0.0

    def _encoder_and_decoder(self, library, n_features: int) -> tuple:
        """Modules if `library` is `core.nn.networks`, lists of layers if it is `core.nn.compute_cost`."""
        of_code, planes = self.n_outputs
        n_out, hidden = of_code * self.n_components, compute_cost.hidden_sizes(self.width, self.layers)
        if self.network == "conv":
            encoder = library.conv_encoder(self.image_shape, n_out, self.width, self.layers)
            sizes = self.image_shape, planes, self.width, self.layers
            return encoder, library.conv_decoder(self.n_components, *sizes)
        encoder = library.mlp([n_features, *hidden, n_out], self.activation)
        return encoder, library.mlp([self.n_components, *hidden[::-1], planes * n_features], self.activation)

    def workload(self, n_features: int) -> Workload:
        """The computations of a training step on rows with `n_features`, known before `fit`."""
        encoder, decoder = self._encoder_and_decoder(compute_cost, n_features)
        layers, n_augmented = encoder + decoder, self.augment * n_features if self.image_shape else 0.0
        return compute_cost.count_passes(layers) + compute_cost.count_optimizer(n_features, layers, n_augmented)

    def _build(self, n_features: int):
        from torch import nn

        from core.nn import networks

        encoder, decoder = self._encoder_and_decoder(networks, n_features)
        if self.kind == DOCUMENTS:
            encoder = nn.Sequential(networks.WordWeights(n_features, self.weighting), *encoder)
        return nn.ModuleDict({"encoder": encoder, "decoder": decoder})

    def _prepare(self, X) -> None:
        import torch

        if self.kind == DOCUMENTS and self.weighting == "tfidf":
            idf = TfidfTransformer(**params.WEIGHTINGS["tfidf"]).fit(X).idf_
            self.networks_["encoder"][0].idf.copy_(torch.as_tensor(idf))

    def n_weights(self) -> int:
        """Number of trained weights and, as for LSA, of inverse document frequencies."""
        of_words = self.n_features_in_ if self.kind == DOCUMENTS and self.weighting == "tfidf" else 0
        return super().n_weights() + of_words

    def train_step(self, networks, player, x, generator, progress):
        """Terms of the loss of a batch, whose encoder input has noise or dropped words.

        A share of images is augmented, except in the last tenth of the training.
        """
        if self.augment and self.image_shape and progress < 0.9:
            x = augment.move_images(x, self.image_shape, self.augment, generator)
        x = self._draw_pixels(x, generator)
        if self.kind == DOCUMENTS:
            return self._terms(networks, x, augment.drop_words(x, self.word_dropout, generator), generator)
        return self._terms(networks, x, augment.add_noise(self._seen(x), self.noise, generator), generator)

    def validation_terms(self, networks, x, generator):
        """Terms as in `train_step`, without augmentation, noise and word dropout."""
        x = self._draw_pixels(x, generator)
        return self._terms(networks, x, self._seen(x), generator)

    def _seen(self, x):
        """What the encoder sees of rows with the cells that are known beside them."""
        return self._blocks.split_known(x)[0] if self.kind == TABLES else x

    def inverse_transform(self, Z) -> np.ndarray:
        """Rows reconstructed from codes: (n_samples, n_features), pixels, word probabilities, or cells of a table."""
        return self._map(lambda z: self._mean(self.networks_["decoder"](z)), self._codes(Z))

    def _mean(self, out):
        """Pixels, word probabilities, or numbers and probabilities of categories, from the decoder's output."""
        if self.kind == DOCUMENTS:
            return out.softmax(1)
        if self.kind == TABLES:
            return self._blocks.to_means(out[:, : self._blocks.n_columns])
        if self.output == "normal":
            return losses.split_normal(out)[0]
        if self.output == CONTINUOUS_BERNOULLI:
            return losses.continuous_bernoulli_mean(out)
        return out if self.output == "linear" else out.sigmoid()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are float32, whatever came in
        return tags


def sample_prior(self, n_samples: int = 1, random_state=None) -> np.ndarray:
    """Rows decoded from codes drawn from N(0, I): (n_samples, n_features); a method of estimators with a prior."""
    Z = check_random_state(random_state).standard_normal((n_samples, self.n_components))
    return self.inverse_transform(Z)


def declare(cls: type[NetworkEstimator], summary: str, loss_unit: Mapping[str, str] | None = None) -> Method:
    """The declaration of a network method with the parameters of its estimator."""

    def build(params, form: Form, seed):
        return cls(**params, **vars(form), random_state=seed)

    return Method(summary, cls.PARAMS, 1, build, cls.arrays, cls.restore, cls.n_weights, loss_unit or {})
