"""A GAN reconstructs by inversion: a learned regressor guesses an image's code, bounded gradient steps improve it.

Fitting the regressor takes about a minute. Those of the shipped runs are in `FOLDER`; another run's is fitted once in a
process of its own, see `core.computing`: ``python -m core.inversion FOLDER``. Imports torch on use.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.utils import check_random_state

from core import cache, computing, datasets, store
from core.methods import base
from core.methods.gan import GAN
from core.types import IMAGES, BadInput, HourglassError

FOLDER = Path(__file__).parent.parent / "assets" / "inverters"
# Another form or another training of the regressor is another number: what was kept by the old one is not found.
_VERSION = 1
_ROWS_AT_ONCE = 500
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
    of each image by itself; of all codes on the way the best is kept, the regressor's included, so that more steps are
    never worse.

    Parameters
    ----------
    gan : a fitted `core.methods.gan.GAN`; it is not changed, and a clone of this estimator shares it.
    n_steps : gradient steps an image and start; 0: the regressor alone.
    n_starts : codes that the steps begin at: the regressor's, and further ones around it.
    step_size : Adam's learning rate at the first step, in standard deviations of the code.
    code_weight : weight of the code's squared error in the regressor's loss.
    width : units of the regressor's first hidden layer; its second has half as many.
    fit_steps : steps of the regressor's training, rounded up to whole passes over the images.
    max_seconds : seconds of the regressor's training instead; 0: by `fit_steps`.
    batch_size : real images in one of these steps, and as many generated ones.
    learning_rate : highest learning rate of the regressor's training.
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

    players = {"regressor": ("regressor",)}
    kind = IMAGES

    def __init__(
        self,
        gan=None,
        *,
        n_steps=50,
        n_starts=1,
        step_size=0.1,
        code_weight=1.0,
        width=512,
        fit_steps=2000,
        max_seconds=0.0,
        batch_size=64,
        learning_rate=0.004,
        random_state=0,
    ):
        self.gan = gan
        self.n_steps = n_steps
        self.n_starts = n_starts
        self.step_size = step_size
        self.code_weight = code_weight
        self.width = width
        self.fit_steps = fit_steps
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    @property
    def n_components(self) -> int:
        return self.gan.n_components

    def fit(self, X=None, y=None, *, on_tick=None):
        """Train the regressor.

        Parameters
        ----------
        X : (n_samples, n_features) training images in [0, 1]; None: images from the GAN alone, of which a regressor
            learns less about real ones.
        y : ignored.
        on_tick : takes a row with the ``share`` that is done a few times a second; training ends when it returns True.

        Raises
        ------
        BadInput
            If `gan` is no fitted GAN, or X are no images of its size.
        """
        from core import training

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

        from core.networks import mlp

        return nn.ModuleDict({"regressor": mlp([n_features, self.width, self.width // 2, self.n_components])})

    def _train_step(self, generator):
        """The step of `core.training.train` that moves the regressor of a generator."""

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
        self._check_fitted()
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
            mean squared error so far of the images under way. When it returns True the steps end, and the best codes
            so far are the result.

        Raises
        ------
        BadInput
            If this is not fitted, or X are no images of the GAN's size in [0, 1].
        """
        started = time.perf_counter()
        if self.n_steps < 0 or self.n_starts < 1:
            raise BadInput(
                f"n_steps={self.n_steps} and n_starts={self.n_starts} are not allowed: n_steps is at least 0, n_starts "
                "at least 1."
            )
        generator = self._generator()
        regressed = self.regress(X)
        X = self._validated(X, reset=False)
        at_once = max(1, _ROWS_AT_ONCE // self.n_starts)
        parts, n_steps, steps, passes = [], self.n_steps, 0, 0
        for first in range(0, len(X), at_once):
            x, guess = X[first : first + at_once], regressed[first : first + at_once]
            watch = on_step and _of_part(on_step, first / len(X), len(x) / len(X))
            *found, taken = self._descent(generator, x, guess, n_steps, watch)
            parts.append(found)
            if taken < n_steps:
                n_steps = 0  # stopped: the other images keep the regressor's code
            steps = max(steps, taken)
            passes += len(x) * self.n_starts * (1 + taken)
        codes, errors, regressed_errors = map(np.concatenate, zip(*parts, strict=True))
        seconds = time.perf_counter() - started
        return Inversion(codes, errors, regressed, regressed_errors, seconds, steps, passes)

    def inverse_transform(self, Z) -> np.ndarray:
        """Images generated from codes: (n_samples, n_features) in [0, 1]."""
        self._generator()
        return self.gan.inverse_transform(self._codes(Z))

    def _descent(self, generator, X, regressed, n_steps: int, on_step):
        """Lower the squared error of each image by itself, from its regressor's code on.

        Returns
        -------
        codes (n, n_components) and errors (n,), the best of all starts and steps; errors of `regressed` (n,); steps.
        """
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
            if step == n_steps or (on_step and on_step(self._row(step, n_steps, lowest))):
                break
            adam.param_groups[0]["lr"] = self.step_size / (1 + step / _HALF_STEP)
            (z.grad,) = torch.autograd.grad(errors.sum(), z)
            adam.step()
        lowest = lowest.view(self.n_starts, len(X))
        start = lowest.argmin(0)
        codes = best.view(self.n_starts, len(X), -1)[start, torch.arange(len(X))]
        return codes.numpy(), lowest.amin(0).numpy(), first.numpy(), step

    def _row(self, step: int, n_steps: int, lowest) -> dict[str, Any]:
        error = lowest.view(self.n_starts, -1).amin(0).mean()
        return {"step": step, "share": step / n_steps, "error": float(error)}

    def _offsets(self):
        """Where the starts lie around the regressor's code, the same for every image: (n_starts, n_components)."""
        import torch

        random = torch.Generator().manual_seed(int(check_random_state(self.random_state).randint(2**31 - 1)))
        offsets = _SPREAD * torch.randn((self.n_starts, self.n_components), generator=random)
        offsets[0] = 0
        return offsets

    def _generator(self):
        """The generator's logits as a function of codes, whose weights take no gradient."""
        if not isinstance(self.gan, GAN):
            raise BadInput(f"Only a GAN can be inverted, and {type(self.gan).__name__} is none: give a fitted GAN.")
        if not hasattr(self.gan, "networks_"):
            raise BadInput("This GAN is not fitted, so it generates nothing that could be inverted: fit it first.")
        return copy.deepcopy(self.gan.networks_["averaged"]).eval().requires_grad_(False)

    def _check_fitted(self) -> None:
        if not hasattr(self, "networks_"):
            raise BadInput("This inverter is not fitted: call fit first, which trains its regressor.")

    def _validated(self, X, *, reset: bool) -> np.ndarray:
        size = self.gan.n_features_in_
        try:
            X = np.asarray(X, np.float32)
        except (TypeError, ValueError):
            raise BadInput(f"Images are an array of numbers of shape (n, {size}), not {type(X).__name__}.") from None
        if X.ndim != 2 or X.shape[1] != size or not len(X):
            raise BadInput(f"This GAN makes images of {size} pixels: give them as (n, {size}), not {X.shape}.")
        if not np.isfinite(X).all():
            raise BadInput("These images have pixels that are no finite numbers: leave such images out.")
        if X.min() < 0 or X.max() > 1:
            raise BadInput(f"Pixels are in [0, 1], and these go from {X.min():g} to {X.max():g}: scale them.")
        return X

    def _codes(self, Z) -> np.ndarray:
        try:
            Z = np.asarray(Z, np.float32)
        except (TypeError, ValueError):
            raise BadInput(f"Codes are an array of numbers, not {type(Z).__name__}.") from None
        if Z.ndim != 2 or Z.shape[1] != self.n_components:
            raise BadInput(f"This GAN's codes have shape (n, {self.n_components}), not {Z.shape}.")
        if not np.isfinite(Z).all():
            raise BadInput("These codes are not all finite numbers: leave such codes out.")
        return Z

    def __sklearn_clone__(self):
        # A plain clone would clone the GAN too, and leave it unfitted.
        return type(self)(**self.get_params(deep=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


def _of_part(on_step, done: float, weight: float):
    """As `on_step`, for a part of the images: `done` of all are before it, `weight` are in it."""
    return lambda row: on_step(row | {"share": done + weight * row["share"]})


def key(gan: GAN) -> str:
    """Names the regressor of this fitted GAN: another generator, or another version of the training, has another."""
    weights = gan.networks_["averaged"].state_dict()
    return cache.key(_VERSION, *(part for name in sorted(weights) for part in (name, weights[name].numpy())))


def path_of(run_key: str) -> Path:
    """The file of the regressor that came with the project for a shipped run."""
    return FOLDER / f"{run_key}.safetensors"


def load(run_key: str, gan: GAN) -> GANInverter | None:
    """The fitted inverter of a run's GAN, shipped or kept in the user's cache; None where there is none of this one."""
    return shipped(run_key, gan) or _restored(gan, cache.find(WORK.kept_as(key(gan))))


def shipped(run_key: str, gan: GAN) -> GANInverter | None:
    """The fitted inverter of a shipped run; None where its file is missing, damaged or of another generator."""
    try:
        with safe_open(path_of(run_key), "np") as file:
            if (file.metadata() or {}).get("generator") != key(gan):
                return None
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, this file can't be iterated
    except (OSError, SafetensorError):
        return None
    return _restored(gan, arrays)


def _restored(gan: GAN, arrays: Mapping[str, np.ndarray] | None) -> GANInverter | None:
    try:
        return None if arrays is None else GANInverter(gan).restore(arrays)
    except (KeyError, RuntimeError, TypeError, ValueError):
        return None


def write(run_key: str, gan: GAN, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a regressor, as `GANInverter.arrays` returned it, for the project to come with."""
    path = path_of(run_key)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    save_file({name: np.array(a, order="C") for name, a in arrays.items()}, aside, metadata={"generator": key(gan)})
    os.replace(aside, path)
    return path


def state(name: str) -> computing.State:
    """How the fit of the regressor with this `key` stands; once it has `arrays`, `load` finds it."""
    return computing.state(WORK, name)


def start(place: Path, gan: GAN) -> None:
    """Have the regressor of the run in `place` fitted, whose GAN this is; takes about a minute.

    Raises
    ------
    HourglassError
        If that can't be begun, for example on a full disk.
    """
    run = os.fsencode(place.absolute())
    computing.start(WORK, key(gan), lambda folder: (folder / "run").write_bytes(run))


def stop(name: str) -> None:
    """Let go of the fit of the regressor with this `key`."""
    computing.stop(WORK, name)


def _fit(folder: Path, tick: Callable[[float], None]) -> dict[str, np.ndarray]:
    place = Path(os.fsdecode((folder / "run").read_bytes()))
    gan, spec = store.estimator(place), store.read(place).spec
    if key(gan) != folder.name:
        raise HourglassError("This run was trained anew meanwhile: fit its regressor again.")
    X = None
    if datasets.available(spec.dataset):
        X = datasets.load(spec.dataset, **dict(spec.dataset_params)).floats("train")
    return GANInverter(gan).fit(X, on_tick=lambda row: tick(row["share"])).arrays()


WORK = computing.Work("core.inversion", "inverters", "inverter", "regressor", _fit)


if __name__ == "__main__":
    computing.main(WORK)
