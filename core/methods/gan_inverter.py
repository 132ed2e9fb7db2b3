"""GAN inversion: a regressor guesses the code of an image, and gradient steps improve the guess."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from core.errors import BadInput
from core.methods import base
from core.methods.gan import GAN
from core.methods.params import check_hyperparameters
from core.types import IMAGES, Param

ROWS_AT_ONCE = 500
# Generated images that stand in for real ones where a regressor is fitted without any.
_N_GENERATED = 2000
# The step size halves by this step and falls on, whatever the number of steps: fewer are the first of more.
_HALF_STEP = 50
# Distance, in standard deviations of the code, between the regressor's code and the further starts.
_SPREAD = 0.3


@dataclass(frozen=True)
class Inversion:
    """The codes of some images and what finding them cost.

    Attributes
    ----------
    codes : (n_samples, n_components) float32, after the gradient steps.
    errors : (n_samples,) float32, squared error of the images generated from `codes`, summed over the pixels.
    regressed, regressed_errors : the same of the regressor alone.
    seconds : of wall clock, for all images.
    steps : gradient steps that each image had, fewer than asked for where it was stopped.
    passes : images that went through the generator forwards; all but one an image and start also went back.
    """

    codes: np.ndarray
    errors: np.ndarray
    regressed: np.ndarray
    regressed_errors: np.ndarray
    seconds: float
    steps: int
    passes: int


class GANInverter(base.NetworkTransformer):
    """Codes from which a fitted GAN generates given images as nearly as it can.

    A regressor R is trained on the squared error of G(R(x)) over the pixels, for images x that are generated and real
    ones in equal parts, plus `code_weight` times that of R(G(z)) to z. From its code on, Adam lowers the squared error
    of each image separately. The best of all codes on the way is kept, so more steps are never worse.

    Parameters
    ----------
    gan : a fitted `core.methods.gan.GAN`; it is not changed, and a clone of this estimator shares it.
    n_steps to learning_rate : see the help of each in `PARAMS`.
    random_state : seed of the training and of the further starts.

    Attributes
    ----------
    networks_, history_, environment_, n_features_in_ : as in `core.methods.base.NetworkEstimator`.

    References
    ----------
    Zhu et al. 2016, Generative visual manipulation on the natural image manifold: a regressor's code, then
    gradient steps. Creswell and Bharath 2018, Inverting the generator of a generative adversarial network. Zhu et al.
    2020, In-domain GAN inversion for real image editing: the regressor is trained through the generator on real images.
    """

    PARAMS = (
        Param("n_steps", 50, (0, 100_000), "Gradient steps an image and start; 0: the regressor alone."),
        Param("n_starts", 1, (1, 1000), "Codes that the steps begin at: the regressor's, and further ones around it."),
        Param("step_size", 0.1, (1e-6, 10.0), "Adam's learning rate at the first step, in deviations of the code."),
        Param("code_weight", 1.0, (0.0, 1e6), "Weight of the code's squared error in the regressor's loss."),
        Param("width", 512, (2, 8192), "Units of the regressor's first hidden layer; its second has half as many."),
        Param("fit_steps", 2000, (1, 10_000_000), "Steps of the regressor's training, rounded up to whole epochs."),
        Param("max_seconds", 0.0, (0.0, 86400.0), "Seconds of the regressor's training instead; 0: by `fit_steps`."),
        Param("batch_size", 64, (1, 8192), "Real images in one of these steps, and as many generated ones."),
        Param("learning_rate", 0.004, (1e-6, 1.0), "Highest learning rate of the regressor's training."),
    )
    CONTEXT = {"gan": None, "random_state": 0}
    FIRST = "gan"
    players = {"regressor": ("regressor",)}
    kind = IMAGES

    @property
    def n_components(self) -> int:
        return self.gan.n_components

    def fit(self, X=None, y=None, *, on_tick=None):
        """Train the regressor.

        Parameters
        ----------
        X : (n_samples, n_features) training images in [0, 1]; None: images from the GAN alone, from which a regressor
            learns less about real ones.
        y : ignored.
        on_tick : see `core.nn.training.train`.

        Raises
        ------
        BadInput
            If `gan` is no fitted GAN, X are no images of its size, or a parameter is out of its bounds.
        """
        from core.nn import training

        check_hyperparameters(self)
        generator = self._generator()
        self.n_features_in_ = self.gan.n_features_in_
        rng = check_random_state(self.random_state)
        seed = int(rng.randint(2**31 - 1))
        X = self.gan.sample(_N_GENERATED, rng) if X is None else self._validated(X, reset=False)
        self.networks_ = self._networks(self.n_features_in_, seed)
        plan = training.Plan(
            epochs=math.ceil(self.fit_steps / max(1, len(X) // self.batch_size)),
            max_seconds=self.max_seconds,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup=0.05,
            seed=seed,
        )
        generator = generator.to(training.best_device())
        self.history_, self.environment_ = training.train(
            self.networks_, dict(self.players), self._train_step(generator), X, plan, on_tick=on_tick
        )
        return self

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.networks import mlp

        return nn.ModuleDict({"regressor": mlp([n_features, self.width, self.width // 2, self.n_components])})

    def _train_step(self, generator):
        def step(networks, player, x, random, progress):
            import torch

            z = torch.randn((len(x), self.n_components), generator=random).to(x.device)
            with torch.no_grad():
                made = generator(z).sigmoid().float()
            images = torch.cat([made, x])
            codes = networks["regressor"](images).float()
            pixels = (generator(codes).sigmoid().float() - images).square().sum(1).mean()
            code = (codes[: len(z)] - z).square().sum(1).mean()
            return {"loss": pixels + self.code_weight * code, "squared_error": pixels, "code_error": code}

        return step

    def regress(self, X) -> np.ndarray:
        """Codes of the images of X by the regressor alone: (n_samples, n_components) float32."""
        if not hasattr(self, "networks_"):
            raise BadInput("This inverter is not fitted: call fit first, which trains its regressor.")
        return self._map(self.networks_["regressor"], self._validated(X, reset=False))

    def transform(self, X, *, on_step=None) -> np.ndarray:
        """Codes of the images of X: (n_samples, n_components) float32; see `invert`."""
        return self.invert(X, on_step=on_step).codes

    def invert(self, X, *, on_step=None) -> Inversion:
        """Codes of the images of X, with their errors and their cost.

        Parameters
        ----------
        X : (n_samples, n_features) floats in [0, 1].
        on_step : takes a row before each gradient step: ``step``, ``share`` of the work that is done, ``error``, the
            mean squared error of the current images. When it returns True the best codes so far are the result.

        Raises
        ------
        BadInput
            If this is not fitted, a parameter is out of its bounds, or X are no images of the GAN's size in [0, 1].
        """
        started = time.perf_counter()
        check_hyperparameters(self)
        generator = self._generator()
        regressed = self.regress(X)
        X = self._validated(X, reset=False)
        at_once = max(1, ROWS_AT_ONCE // self.n_starts)
        parts, n_steps, steps, passes = [], self.n_steps, 0, 0
        for first in range(0, len(X), at_once):
            x, guess = X[first : first + at_once], regressed[first : first + at_once]
            watch = on_step and _watch_part(on_step, first / len(X), len(x) / len(X))
            *found, taken = self._descent(generator, x, guess, n_steps, watch)
            parts.append(found)
            n_steps = n_steps if taken == n_steps else 0  # stopped: the other images keep the regressor's code
            steps = max(steps, taken)
            passes += len(x) * self.n_starts * (1 + taken)
        codes, errors, regressed_errors = map(np.concatenate, zip(*parts, strict=True))
        return Inversion(codes, errors, regressed, regressed_errors, time.perf_counter() - started, steps, passes)

    def inverse_transform(self, Z) -> np.ndarray:
        """Images generated from codes: (n_samples, n_features) in [0, 1]."""
        self._generator()
        return self.gan.inverse_transform(self._codes(Z))

    def _descent(self, generator, X, regressed, n_steps: int, on_step):
        """Best codes and errors of all starts and steps, errors of `regressed`, and the number of steps taken."""
        import torch

        x = torch.tensor(X).repeat(self.n_starts, 1)
        z = torch.tensor(regressed).repeat(self.n_starts, 1)
        z += self._offsets().repeat_interleave(len(X), 0)
        z.requires_grad_(True)
        adam = torch.optim.Adam([z], betas=(0.9, 0.99))
        best, lowest, first = z.detach().clone(), torch.full((len(z),), math.inf), None
        for step in range(n_steps + 1):
            errors = (generator(z).sigmoid() - x).square().sum(1)
            with torch.no_grad():
                first = errors[: len(X)].clone() if first is None else first
                better = errors < lowest
                best[better], lowest[better] = z[better], errors[better]
            if step == n_steps:
                break
            error = float(lowest.view(self.n_starts, -1).amin(0).mean())
            if on_step and on_step({"step": step, "share": step / n_steps, "error": error}):
                break
            adam.param_groups[0]["lr"] = self.step_size / (1 + step / _HALF_STEP)
            (z.grad,) = torch.autograd.grad(errors.sum(), z)
            adam.step()
        lowest = lowest.view(self.n_starts, len(X))
        start = lowest.argmin(0)
        codes = best.view(self.n_starts, len(X), -1)[start, torch.arange(len(X))]
        return codes.numpy(), lowest.amin(0).numpy(), first.numpy(), step

    def _offsets(self):
        """Offsets of the starts from the regressor's code: (n_starts, n_components)."""
        import torch

        random = torch.Generator().manual_seed(int(check_random_state(self.random_state).randint(2**31 - 1)))
        offsets = _SPREAD * torch.randn((self.n_starts, self.n_components), generator=random)
        offsets[0] = 0
        return offsets

    def _generator(self):
        """A copy of the averaged generator without gradients; codes -> logits."""
        if not isinstance(self.gan, GAN):
            raise BadInput(f"{type(self.gan).__name__} is not a GAN: give a fitted GAN to invert.")
        if not hasattr(self.gan, "networks_"):
            raise BadInput("This GAN is not fitted: fit it first.")
        return copy.deepcopy(self.gan.networks_["averaged"]).eval().requires_grad_(False)

    def _validated(self, X, *, reset: bool) -> np.ndarray:
        X = _check_array(X, "Images", self.gan.n_features_in_)
        if not len(X):
            raise BadInput("There are no images here: give at least one.")
        if X.min() < 0 or X.max() > 1:
            raise BadInput(f"Pixels are in [0, 1], and these go from {X.min():g} to {X.max():g}: scale them.")
        return X

    def _codes(self, Z) -> np.ndarray:
        return _check_array(Z, "Codes", self.n_components)

    def __sklearn_clone__(self):
        # A plain clone would hold an unfitted clone of the GAN.
        return type(self)(**self.get_params(deep=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _check_array(values, noun: str, size: int) -> np.ndarray:
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise BadInput(f"{noun} are an array of numbers of shape (n, {size}), not {type(values).__name__}.") from None
    if array.ndim != 2 or array.shape[1] != size:
        raise BadInput(f"{noun} of this GAN have shape (n, {size}), not {array.shape}.")
    if not np.isfinite(array).all():
        raise BadInput(f"These {noun.lower()} are not all finite numbers: leave such rows out.")
    return array


def _watch_part(on_step, done: float, weight: float):
    """`on_step` for a part of the images: a share `done` of all precedes it, a share `weight` is in it."""
    return lambda row: on_step(row | {"share": done + weight * row["share"]})
