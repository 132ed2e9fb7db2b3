"""Hyper-parameters that several methods declare, and the constructor and the checks made from a declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

from core.types import DOCUMENTS, IMAGES, Param


def build_constructor(defaults: Mapping[str, Any], first: str) -> Callable[..., None]:
    """An ``__init__`` that only stores its arguments, as scikit-learn asks for; `first` may be given by position."""
    names = [first, *(name for name in defaults if name != first)]
    kinds = [inspect.Parameter.POSITIONAL_OR_KEYWORD] + [inspect.Parameter.KEYWORD_ONLY] * (len(names) - 1)
    arguments = [inspect.Parameter(n, kind, default=defaults[n]) for n, kind in zip(names, kinds, strict=True)]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *arguments])

    def __init__(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        estimator, *values = bound.arguments.values()
        vars(estimator).update(zip(names, values, strict=True))

    __init__.__signature__ = signature
    return __init__


def check_hyperparameters(estimator: Any) -> None:
    """Check each hyper-parameter in an estimator's `PARAMS`.

    Raises
    ------
    BadInput
        If one is not of its type or out of its bounds; the sentence names the value and what to choose.
    """
    for param in estimator.PARAMS:
        value = getattr(estimator, param.name)
        if not isinstance(value, {int: Integral, float: Real, str: str}[type(param.default)]):
            raise param.refusal(repr(value))
        param.check(value)


_BY_THE_CLOCK = "Ends by the clock: the same settings give another model on another machine. 0: ends by epochs."
_VALIDATION = "Share of the train rows that training does not use; the loss on them is measured after each epoch."
_AUGMENT = (
    "Share of each batch of images that is rotated, scaled and shifted at random, but for the last tenth of the "
    "training."
)
_WEIGHTING = "tf-idf: (1 + log count) x inverse document frequency, unit length. Log counts: 1 + log count."
_WORD_DROPOUT = "Fraction of words dropped from the encoder's input; the decoder predicts all of them."


def n_components(default: int = 10) -> Param:
    return Param("n_components", default, (1, 256), "Length of the latent vector.")


def training_params(epochs: int, learning_rate: float, batch_size: int = 512) -> tuple[Param, ...]:
    """The budget and the optimizer's settings, which every network method declares."""
    return (
        Param("epochs", epochs, (1, 1000), "Passes over the training rows, unless a time limit is set."),
        Param("max_seconds", 0.0, (0.0, 86400.0), _BY_THE_CLOCK),
        Param("batch_size", batch_size, (2, 8192), "Rows in one step of the optimizer."),
        Param("learning_rate", learning_rate, (1e-6, 1.0), "Highest learning rate of the schedule."),
        Param("validation", 0.0, (0.0, 0.5), _VALIDATION, implied=True),
    )


def architecture(width: int = 512, layers: int = 3) -> tuple[Param, ...]:
    """The shape of encoder and decoder."""
    return (
        Param("network", "mlp", ("mlp", "conv"), "Fully connected layers, or convolutions.", (IMAGES,)),
        Param("width", width, (8, 4096), "Units of the widest hidden layer; the others halve it inwards."),
        Param("layers", layers, (1, 4), "Hidden layers in the encoder, and as many in the decoder."),
        Param("activation", "relu", ("relu", "silu"), "ReLU learns faster; SiLU ends with a slightly lower error."),
    )


AUGMENT = Param("augment", 0.0, (0.0, 1.0), _AUGMENT, (IMAGES,))
# What TfidfTransformer does for each weighting of word counts.
WEIGHTINGS = {
    "tfidf": {"sublinear_tf": True},
    "log": {"use_idf": False, "norm": None, "sublinear_tf": True},
    "counts": {"use_idf": False, "norm": None},
}
WEIGHTING = Param("weighting", "tfidf", tuple(WEIGHTINGS), _WEIGHTING, (DOCUMENTS,))
WORD_DROPOUT = Param("word_dropout", 0.5, (0.0, 0.95), _WORD_DROPOUT, (DOCUMENTS,))
WEIGHT_DECAY = Param("weight_decay", 0.01, (0.0, 1.0), "AdamW's decoupled weight decay.")
