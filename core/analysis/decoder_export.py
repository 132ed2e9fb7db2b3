"""Export a fitted decoder as layers that a browser can compute; ranges and grids of codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from core import methods
from core.nn import quantization
from core.types import BERNOULLI, CONTINUOUS_BERNOULLI, IMAGES, Run

# A dimension of a VAE is active where the variance of its posterior mean is larger: Burda et al. 2016.
ACTIVE_UNIT = 0.01
# Share of the largest effect of a dimension on the image up to which an effect is not visible.
ACTIVE_EFFECT = 0.01
# Activation of the last layer by the distribution of a pixel.
_OUTPUTS = {
    **dict.fromkeys(("sigmoid", BERNOULLI), "sigmoid"),
    CONTINUOUS_BERNOULLI: CONTINUOUS_BERNOULLI,
    **dict.fromkeys(("linear", "normal"), "identity"),
}
_NORMALISATION = "running_mean", "running_var", "bias"
_EPSILON = 1e-5  # of batch norm
_get_threads = cache(ThreadpoolController)


@dataclass(frozen=True)
class Layer:
    """``activation((x @ weight) * scale + bias)``.

    Attributes
    ----------
    weight : (n_in, n_out), int8 of 8-bit weights, else float16 where that is exact, else float32.
    scale : (n_out,) float32, of batch norm or 8-bit weights: kept apart, since the product would be rounded.
    bias : (n_out,) float32
    activation : {"relu", "silu", "sigmoid", "continuous_bernoulli", "identity"}
    """

    weight: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    activation: str


Decoder = tuple[Layer, ...]


def decode(decoder: Decoder, Z: np.ndarray) -> np.ndarray:
    """Decode: (n, n_components) -> (n, n_features) float32, in [0, 1] after a sigmoid."""
    x = np.asarray(Z, np.float32)
    for layer in decoder:
        x = _ACTIVATIONS[layer.activation]((x @ layer.weight.astype(np.float32)) * layer.scale + layer.bias)
    return x


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.maximum(x, -80)))  # exp overflows below -88 in float32, where the sigmoid is 0 anyway


def _continuous_bernoulli(x: np.ndarray) -> np.ndarray:
    """See `core.nn.losses.continuous_bernoulli_mean`."""
    near, far = np.clip(x, -0.5, 0.5), np.where(np.abs(x) < 0.5, 1, np.maximum(x, -80))
    series = 0.5 + near / 12 - near**3 / 720 + near**5 / 30240
    return np.where(np.abs(x) < 0.5, series, -1 / np.expm1(-far) - 1 / far)


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * _sigmoid(x),
    "sigmoid": _sigmoid,
    CONTINUOUS_BERNOULLI: _continuous_bernoulli,
    "identity": lambda x: x,
}


def export_decoder(estimator: Any) -> Decoder | None:
    """Export the decoder of an estimator on images; None unless all layers are fully connected."""
    if not hasattr(estimator, "inverse_transform") or getattr(estimator, "kind", IMAGES) != IMAGES:
        return None
    if hasattr(estimator, "networks_"):
        output, activation = getattr(estimator, "output", "sigmoid"), getattr(estimator, "activation", "relu")
        return _of_networks(estimator.arrays(), output, activation)
    if hasattr(estimator, "components_") and hasattr(estimator, "mean_"):
        return (_layer(estimator.components_, estimator.mean_),)
    return None


def export_stored_decoder(run: Run, weights: Mapping[str, np.ndarray]) -> Decoder | None:
    """Export the decoder of a stored run from the arrays of its weights, as `export_decoder` does, without torch."""
    if run.environment["kind"] != IMAGES or not methods.entry(run.spec.method).decodes:
        return None
    arrays = quantization.to_floats(weights)
    if "components_" in arrays:
        return (_layer(arrays["components_"], arrays["mean_"]),)
    # An AE on images has a sigmoid; a linear one has none, and stores the mean that it adds.
    output = run.spec.param("output", "linear" if "mean_" in arrays else "sigmoid")
    return _of_networks(arrays, output, run.spec.param("activation", "relu"))


def export_stored_layers(run: Run, weights: Mapping[str, np.ndarray], network: str) -> Decoder | None:
    """Export the ``"encoder"`` or ``"decoder"`` of a stored run as it is, with the identity after its last layer.

    A VAE's encoder gives the means and then the unclipped log variances of q(z|x), its decoder logits, or what
    `core.nn.losses.split_normal` takes.
    """
    return _layers(quantization.to_floats(weights), network, run.spec.param("activation", "relu"))


def _of_networks(arrays: Mapping[str, np.ndarray], output: str, activation: str) -> Decoder | None:
    is_gan = any(name.startswith("averaged.") for name in arrays)
    layers = _layers(arrays, "averaged" if is_gan else "decoder", activation)
    last_activation = "sigmoid" if is_gan else _OUTPUTS.get(output)
    if layers is None or last_activation is None:
        return None
    *hidden, last = layers
    n = int(arrays["n_features_in"])
    # Of a Normal output's two planes the first is the mean.
    bias = last.bias[:n] + np.asarray(arrays.get("mean_", np.float32(0)), np.float32)
    return (*hidden, Layer(np.ascontiguousarray(last.weight[:, :n]), last.scale[:n], bias, last_activation))


def _layers(arrays: Mapping[str, np.ndarray], network: str, activation: str) -> Decoder | None:
    """The layers of a network of `core.nn.networks.mlp`, or of one linear layer, batch norm folded into the weights.

    None for other networks. Batch norm stands after each layer but the last, and before the activation.
    """
    named = {name.removeprefix(f"{network}."): a for name, a in arrays.items() if name.startswith(f"{network}.")}
    if any(array.ndim > 2 for array in named.values()):
        return None
    layers: list[Layer] = []
    for name in sorted((name for name in named if name.endswith("weight")), key=_get_index):
        at, weight = name.removesuffix("weight"), np.asarray(named[name], np.float64)
        if weight.ndim == 2:
            layers.append(_layer(weight.T, named.get(f"{at}bias", np.zeros(len(weight)))))
            continue
        mean, variance, bias = (np.asarray(named[at + part], np.float64) for part in _NORMALISATION)
        scale, before = weight / np.sqrt(variance + _EPSILON), layers[-1]
        bias = (before.bias - mean) * scale + bias
        scale = (before.scale * scale).astype(np.float32)
        layers[-1] = Layer(before.weight, scale, bias.astype(np.float32), activation)
    return tuple(layers) or None


def _get_index(name: str) -> int:
    """Position of a layer: of ``"9.weight"`` 9, of a network that is one layer 0."""
    return int(name.split(".")[0]) if "." in name else 0


def _layer(weight: np.ndarray, bias: np.ndarray) -> Layer:
    weight = np.ascontiguousarray(weight, np.float32)
    scale = np.ones(weight.shape[1], np.float32)
    # Of 8-bit weights, see `core.nn.quantization`: whole numbers times the scale of each output.
    step = np.maximum(np.abs(weight).max(axis=0, initial=0) / 127, np.finfo(np.float32).tiny)
    whole = np.round(weight / step)
    with np.errstate(over="ignore"):
        half = weight.astype(np.float16)
    if np.array_equal(half.astype(np.float32), weight):
        weight = half
    elif np.allclose(whole * step, weight, rtol=1e-5, atol=0):
        weight, scale = whole.astype(np.int8), step
    return Layer(weight, scale, np.asarray(bias, np.float32), "identity")


def decode_one(estimator: Any, code: np.ndarray) -> np.ndarray:
    """Decode one code on one thread, where a second would only cost time: (n_features,)."""
    with _get_threads().limit(limits=1):
        return estimator.inverse_transform(np.asarray(code, np.float32)[None])[0]


def compute_effects(decode: Callable[[np.ndarray], np.ndarray], Z: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Compute the effect of each latent dimension on the image, in squared error per image.

    A quarter of the squared difference between the images one standard deviation `spread` to either side of a code,
    summed over pixels, mean over the codes `Z`. Of a linear decoder it is the variance that the dimension contributes.
    """
    effects = np.empty(Z.shape[1])
    for dimension, step in enumerate(np.diag(spread)):
        # One at a time: all pictures at once would take a gigabyte.
        pictures = np.asarray(decode(np.concatenate([Z + step, Z - step]).astype(np.float32)), np.float64)
        after, before = np.split(pictures, 2)
        effects[dimension] = np.square(after - before).sum(axis=1).mean() / 4
    return effects


def make_grid(columns: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """The codes of a grid in the plane, row by row from the top: (n, 2) float32."""
    x, y = np.meshgrid(columns, lines[::-1])
    return np.column_stack([x.ravel(), y.ravel()]).astype(np.float32)


def place_grid_columns(n: int, low: float, high: float, is_prior: bool) -> np.ndarray:
    """Place the `n` columns of a grid: (n,), the middles of `n` equal parts of the range.

    For a prior N(0, 1) they are quantiles at equal steps of probability, as in Kingma and Welling 2014, figure 4.
    """
    shares = (np.arange(n) + 0.5) / n
    if not is_prior:
        return low + shares * (high - low)
    from scipy.special import ndtr, ndtri

    return ndtri(ndtr(low) + shares * (ndtr(high) - ndtr(low)))


def find_code_range(codes: np.ndarray, is_median: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first percentile, median or mean, and 99th percentile of each latent dimension."""
    low, median, high = np.percentile(np.asarray(codes, np.float64), [1, 50, 99], axis=0)
    middle = median if is_median else codes.mean(axis=0, dtype=np.float64)
    # A constant dimension still needs a range to be drawn in.
    return low, middle, np.maximum(high, low + 1e-3)
