"""GAN inversion: a regressor predicts the code of an image, and gradient steps refine it."""

import copy
import math
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from core.errors import BadInput
from core.methods import base
from core.methods.params import check_hyperparameters
from core.types import IMAGES, Param

_N_GENERATED = 2000  # generated images that replace real ones if there are none
# Of the regressor's training: real images in a step, and as many generated ones; the highest learning rate.
_BATCH_SIZE, _LEARNING_RATE = 64, 0.004
# Adam's learning rate of the gradient steps, in standard deviations of the code, and the step at which it has halved.
# It does not depend on the number of steps, so fewer are the first of more.
_STEP_SIZE, _HALF_STEP = 0.1, 50


@dataclass(frozen=True)
class Inversion:
    """Codes of images, (n_samples, n_components) float32, with their errors and cost.

    `errors` : (n_samples,) float32, squared error of the images generated from `codes`, summed over the pixels;
    `regressed_errors` : that of the regressor's codes; `seconds` for all images; gradient `steps`, fewer if stopped.
    """

    codes: np.ndarray
    errors: np.ndarray
    regressed_errors: np.ndarray
    seconds: float
    steps: int


class GANInverter(base.NetworkTransformer):
    """Codes from which a fitted GAN generates the images most similar to given ones.

    A regressor R is trained on the squared error of G(R(x)) over the pixels, for generated and real images x in equal
    parts, plus that of R(G(z)) to z. From its code, Adam lowers the squared error of each image separately; the best
    code of all steps is the result, so more steps are never worse. `gan` is a fitted `core.methods.gan.GAN`; it is not
    changed, and a clone of this estimator shares it.

    References
    ----------
    Zhu et al. 2016, Generative visual manipulation on the natural image manifold: a regressor's code, then
    gradient steps. Creswell and Bharath 2018, Inverting the generator of a generative adversarial network. Zhu et al.
    2020, In-domain GAN inversion for real image editing: the regressor is trained through the generator on real images.
    """

    PARAMS = (
        Param("n_steps", 50, (0, 100_000), "Gradient steps for each image; 0: the regressor alone."),
        Param("width", 512, (2, 8192), "Units of the regressor's first hidden layer; its second has half as many."),
        Param("fit_steps", 2000, (1, 10_000_000), "Steps of the regressor's training, rounded up to whole epochs."),
    )
    CONTEXT = {"gan": None, "random_state": 0}
    FIRST = "gan"
    players = {"regressor": ("regressor",)}
    kind, accepts_sparse = IMAGES, False

    @property
    def n_components(self) -> int:
        return self.gan.n_components

    def fit(self, X=None, y=None, *, on_tick=None):
        """Train the regressor on images, (n_samples, n_features) in [0, 1]; None: on generated images alone.

        `on_tick` : see `core.nn.training.train`. Raises BadInput for parameters out of their bounds, or X that are no
        images of the GAN's size.
        """
        from core.nn import training

        check_hyperparameters(self)
        generator = self._generator()
        self.n_features_in_ = self.gan.n_features_in_
        random = check_random_state(self.random_state)
        seed = int(random.randint(2**31 - 1))
        X = self.gan.sample(_N_GENERATED, random) if X is None else self._validated(X, reset=False)
        self.networks_ = self._networks(self.n_features_in_, seed)
        epochs = math.ceil(self.fit_steps / max(1, len(X) // _BATCH_SIZE))
        plan = training.Plan(epochs, 0.0, _BATCH_SIZE, _LEARNING_RATE, warmup=0.05, seed=seed)
        step = partial(self._train_through, generator.to(training.best_device()))
        self.history_, self.environment_ = training.train(self.networks_, self.players, step, X, plan, on_tick=on_tick)
        return self

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.networks import mlp

        return nn.ModuleDict({"regressor": mlp([n_features, self.width, self.width // 2, self.n_components])})

    def _train_through(self, generator, networks, player, x, random, progress):
        import torch

        z = torch.randn((len(x), self.n_components), generator=random).to(x.device)
        with torch.no_grad():
            made = generator(z).sigmoid().float()
        images = torch.cat([made, x])
        codes = networks["regressor"](images).float()
        pixels = (generator(codes).sigmoid().float() - images).square().sum(1).mean()
        code = (codes[: len(z)] - z).square().sum(1).mean()
        return {"loss": pixels + code, "squared_error": pixels, "code_error": code}

    def regress(self, X) -> np.ndarray:
        """Codes of images by the regressor alone: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(self.networks_["regressor"], self._validated(X, reset=False))

    def invert(self, X, *, on_step=None) -> Inversion:
        """Codes of images, (n_samples, n_features) floats in [0, 1], with their errors and cost.

        Parameters
        ----------
        on_step : called before each gradient step with ``step``, ``share`` of the work done, and ``error``, the mean
            lowest squared error so far. If it returns True, the best codes so far are the result.

        Raises BadInput if X are no images of the GAN's size in [0, 1].
        """
        import torch

        started = time.perf_counter()
        check_hyperparameters(self)
        generator, regressed = self._generator(), self.regress(X)
        x, z = torch.tensor(self._validated(X, reset=False)), torch.tensor(regressed, requires_grad=True)
        adam = torch.optim.Adam([z], betas=(0.9, 0.99))
        best, lowest, first = z.detach().clone(), torch.full((len(z),), math.inf), None
        for step in range(self.n_steps + 1):
            errors = (generator(z).sigmoid() - x).square().sum(1)
            with torch.no_grad():
                first = errors.clone() if first is None else first
                better = errors < lowest
                best[better], lowest[better] = z[better], errors[better]
            if step == self.n_steps:
                break
            if on_step and on_step({"step": step, "share": step / self.n_steps, "error": float(lowest.mean())}):
                break
            adam.param_groups[0]["lr"] = _STEP_SIZE / (1 + step / _HALF_STEP)
            (z.grad,) = torch.autograd.grad(errors.sum(), z)
            adam.step()
        return Inversion(best.numpy(), lowest.numpy(), first.numpy(), time.perf_counter() - started, step)

    def inverse_transform(self, Z) -> np.ndarray:
        """Images generated from codes: (n_samples, n_features) in [0, 1]."""
        return self.gan.inverse_transform(self._codes(Z))

    def _generator(self):
        """A copy of the averaged generator without gradients; codes -> logits."""
        check_is_fitted(self.gan)
        return copy.deepcopy(self.gan.networks_["averaged"]).eval().requires_grad_(False)

    def _validated(self, X, *, reset: bool) -> np.ndarray:
        X, n_pixels = np.asarray(X, np.float32), self.gan.n_features_in_
        if X.ndim != 2 or X.shape[1] != n_pixels or not len(X):
            raise BadInput(f"Images of this GAN have shape (n, {n_pixels}), not {X.shape}.")
        if not 0 <= X.min() <= X.max() <= 1:
            raise BadInput(f"Pixels are in [0, 1], and these go from {X.min():g} to {X.max():g}: scale them.")
        return X

    def __sklearn_clone__(self):
        # A plain clone would hold an unfitted clone of the GAN.
        return type(self)(**self.get_params(deep=False))
