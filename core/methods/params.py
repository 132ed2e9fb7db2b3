"""Hyper-parameters of several methods; constructors and checks from their declarations."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from core.types import DOCUMENTS, IMAGES, Param

# Ends that the log variance of a VAE's q(z|x) is clipped to.
LOG_VARIANCE_RANGE = -12.0, 8.0


def build_constructor(defaults: Mapping[str, Any]) -> Callable[..., None]:
    """An ``__init__`` that only stores its arguments, as in scikit-learn; only the first may be positional."""
    either, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    kinds = [either] + [keyword] * (len(defaults) - 1)
    arguments = [inspect.Parameter(n, kind, default=defaults[n]) for n, kind in zip(defaults, kinds, strict=True)]
    signature = inspect.Signature([inspect.Parameter("self", either), *arguments])

    def __init__(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        vars(bound.arguments.pop("self")).update(bound.arguments)

    __init__.__signature__ = signature
    return __init__


def check_hyperparameters(estimator: Any) -> None:
    """Check type and bounds of each hyper-parameter in an estimator's `PARAMS`; BadInput names the value."""
    for param in estimator.PARAMS:
        value = getattr(estimator, param.name)
        if not isinstance(value, {int: Integral, float: Real, str: str}[type(param.default)]):
            raise param.refusal(repr(value))
        param.check(value)


def read_attributes(estimator: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The named attributes of an estimator as arrays."""
    return {name: np.asarray(getattr(estimator, name)) for name in names}


def set_attributes(estimator: Any, arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    """Inverse of `read_attributes`."""
    for name in names:
        value = np.asarray(arrays[name])
        setattr(estimator, name, value if value.ndim else value.item())


_TIME_LIMIT = "Training stops after this time, so the result depends on the machine. 0: no limit, train for all epochs."
_VALIDATION = "Share of the training rows held out; their loss is measured after each epoch."
_AUGMENT = "Share of each batch that is randomly rotated, scaled and shifted, except in the last tenth of the training."
_WEIGHTING = "tf-idf: (1 + log count) x inverse document frequency, unit length. Log counts: 1 + log count."
_WORD_DROPOUT = "Fraction of words dropped from the encoder's input; the decoder predicts all of them."


def n_components(default: int = 10) -> Param:
    return Param("n_components", default, (1, 256), "Length of the latent vector.")


def training_params(epochs: int, learning_rate: float, batch_size: int = 512) -> tuple[Param, ...]:
    """The budget and optimizer settings of every network method."""
    return (
        Param("epochs", epochs, (1, 1000), "Passes over the training rows; ignored if a time limit is set."),
        Param("max_seconds", 0.0, (0.0, 86400.0), _TIME_LIMIT),
        Param("batch_size", batch_size, (2, 8192), "Rows in one step of the optimizer."),
        Param("learning_rate", learning_rate, (1e-6, 1.0), "Peak learning rate of the schedule."),
        Param("validation", 0.0, (0.0, 0.5), _VALIDATION, implied=True),
    )


ARCHITECTURE = (
    Param("network", "mlp", ("mlp", "conv"), "Fully connected or convolutional layers.", (IMAGES,)),
    Param("width", 512, (8, 4096), "Units of the widest hidden layer; towards the code, each has half as many."),
    Param("layers", 3, (1, 4), "Hidden layers of the encoder and of the decoder."),
    Param("activation", "relu", ("relu", "silu"), "ReLU trains faster; SiLU reaches a slightly lower error."),
    Param("augment", 0.0, (0.0, 1.0), _AUGMENT, (IMAGES,)),
)
# Arguments of TfidfTransformer for each weighting of word counts.
WEIGHTINGS = {
    "tfidf": {"sublinear_tf": True},
    "log": {"use_idf": False, "norm": None, "sublinear_tf": True},
    "counts": {"use_idf": False, "norm": None},
}
WEIGHTING = Param("weighting", "tfidf", tuple(WEIGHTINGS), _WEIGHTING, (DOCUMENTS,))
WORDS = WEIGHTING, Param("word_dropout", 0.5, (0.0, 0.95), _WORD_DROPOUT, (DOCUMENTS,))
WEIGHT_DECAY = Param("weight_decay", 0.01, (0.0, 1.0), "Weight decay of the optimizer AdamW.")
