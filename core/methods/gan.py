"""Generative adversarial network: a generator and a discriminator play against each other."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from core.methods import base
from core.types import IMAGES, Param

OBJECTIVES = ("non-saturating", "minimax", "least-squares", "hinge", "wasserstein-gp")
_WASSERSTEIN_PENALTY = 10.0
# The R1 penalty costs as much as a step: it is taken at one step in 16 on average, 16 times as heavy
# (Karras et al. 2020).
_R1_SHARE = 1 / 16


def discriminator_loss(objective: str, real, fake):
    """The discriminator's loss from its logits of real and generated rows: (batch,) each -> scalar.

    Binary cross entropy for ``"non-saturating"`` and ``"minimax"`` (Goodfellow et al. 2014, eq. 1), squared error
    (Mao et al. 2017), hinge (Lim and Ye 2017), or the critic's difference (Arjovsky et al. 2017) without its penalty.
    """
    from torch.nn.functional import softplus

    if objective == "least-squares":
        return 0.5 * ((real - 1).square().mean() + fake.square().mean())
    if objective == "hinge":
        return (1 - real).relu().mean() + (1 + fake).relu().mean()
    if objective == "wasserstein-gp":
        return fake.mean() - real.mean()
    return softplus(-real).mean() + softplus(fake).mean()


def generator_loss(objective: str, fake):
    """The generator's loss from the discriminator's logits of generated rows: (batch,) -> scalar.

    ``"minimax"`` minimises log(1 - D), ``"non-saturating"`` maximises log D (Goodfellow et al. 2014, section 3).
    """
    from torch.nn.functional import softplus

    if objective == "minimax":
        return -softplus(fake).mean()
    if objective == "least-squares":
        return 0.5 * (fake - 1).square().mean()
    if objective == "non-saturating":
        return softplus(-fake).mean()
    return -fake.mean()


def _input_gradient(discriminator, x):
    """Gradient of the logit by the input, in float32: (batch, n_features)."""
    import torch

    x = x.detach().requires_grad_(True)
    with torch.autocast(x.device.type, enabled=False):
        (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gradient


def _r1_penalty(discriminator, real):
    """Half the mean squared gradient norm on real rows. Mescheder et al. 2018, eq. 9."""
    return 0.5 * _input_gradient(discriminator, real).square().sum(1).mean()


def _wasserstein_penalty(discriminator, real, made, generator):
    """Mean of (|grad D| - 1)^2 between real and generated rows. Gulrajani et al. 2017, eq. 3."""
    import torch

    share = torch.rand((len(real), 1), generator=generator).to(real.device)
    gradient = _input_gradient(discriminator, share * real + (1 - share) * made)
    return (gradient.norm(dim=1) - 1).square().mean()


class GAN(base.NetworkEstimator):
    """Generative adversarial network on images; samples are drawn with a running average of the generator.

    Parameters
    ----------
    n_components : int, size of the generator's code z ~ N(0, I).
    objective : one of `OBJECTIVES`.
    network : {"conv", "mlp"}
    width : channels of the middle convolution times 8, or units of the widest layer.
    r1 : weight of the R1 gradient penalty on real rows (Mescheder et al. 2018, eq. 9), for every objective but
        wasserstein-gp, which has its own.
    average : decay per step of the running average of the generator's weights that samples are drawn with.
    epochs, max_seconds, batch_size, learning_rate, kind, image_shape, random_state : as in
        `core.methods.ae.Autoencoder`.

    References
    ----------
    Goodfellow et al. 2014, Generative adversarial nets. Radford et al. 2016, Unsupervised representation learning with
    deep convolutional GANs. Yazici et al. 2019, The unusual effectiveness of averaging in GAN training.
    """

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def __init__(
        self,
        n_components=16,
        *,
        objective="non-saturating",
        network="conv",
        width=256,
        r1=0.1,
        average=0.999,
        epochs=20,
        max_seconds=0.0,
        batch_size=64,
        learning_rate=0.002,
        kind=IMAGES,
        image_shape=None,
        random_state=None,
    ):
        self.n_components = n_components
        self.objective = objective
        self.network = network
        self.width = width
        self.r1 = r1
        self.average = average
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.kind = kind
        self.image_shape = image_shape
        self.random_state = random_state

    def _plan(self):
        return {"weight_decay": 0.0, "betas": (0.5, 0.99), "warmup": 0.02}

    def _build(self, n_features: int):
        from torch import nn

        from core.networks import Discriminator, Generator

        image_shape = self.image_shape if self.network == "conv" else None
        generator = Generator(self.n_components, n_features, self.width, image_shape)
        averaged = Generator(self.n_components, n_features, self.width, image_shape)
        averaged.load_state_dict(generator.state_dict())
        return nn.ModuleDict(
            {
                "generator": generator,
                "averaged": averaged,
                "discriminator": Discriminator(n_features, self.width, image_shape),
            }
        )

    def train_step(self, networks, player, x, generator, progress):
        """One step of either player on a batch of real rows and as many generated ones."""
        import torch

        z = torch.randn((len(x), self.n_components), generator=generator).to(x.device)
        if player == "generator":
            fake = networks["discriminator"](networks["generator"](z).sigmoid()).float()
            return {"loss": generator_loss(self.objective, fake)}
        with torch.no_grad():
            made = networks["generator"](z).sigmoid().float()
        real, fake = networks["discriminator"](torch.cat([x, made])).float().chunk(2)
        loss = discriminator_loss(self.objective, real, fake)
        discriminator = networks["discriminator"]
        if self.objective == "wasserstein-gp":
            loss = loss + _WASSERSTEIN_PENALTY * _wasserstein_penalty(discriminator, x, made, generator)
        elif self.r1 and float(torch.rand(1, generator=generator)) < _R1_SHARE:
            loss = loss + self.r1 / _R1_SHARE * _r1_penalty(discriminator, x)
        return {"loss": loss, "score_real": real.sigmoid().mean(), "score_generated": fake.sigmoid().mean()}

    def after_step(self, networks, step):
        """Move the averaged generator towards the trained one, faster at first so that its start is forgotten."""
        import torch

        decay = min(self.average, (1 + step) / (10 + step))
        with torch.no_grad():
            averages, currents = networks["averaged"].state_dict(), networks["generator"].state_dict()
            for name, averaged in averages.items():
                if averaged.is_floating_point():
                    averaged.lerp_(currents[name], 1 - decay)

    def inverse_transform(self, Z) -> np.ndarray:
        """Images generated from codes: (n_samples, n_features) in [0, 1]."""
        check_is_fitted(self)
        return self._map(lambda z: self.networks_["averaged"](z).sigmoid(), self._codes(Z))

    def sample(self, n_samples: int = 1, random_state=None) -> np.ndarray:
        """Images generated from codes drawn from N(0, I): (n_samples, n_features) in [0, 1]."""
        check_is_fitted(self)
        Z = check_random_state(random_state).standard_normal((n_samples, self.n_components))
        return self.inverse_transform(Z)

    def discriminator_features(self, X) -> np.ndarray:
        """The discriminator's last hidden layer for the rows of X: (n_samples, 128)."""
        check_is_fitted(self)
        return self._map(self.networks_["discriminator"].features, self._validated(X, reset=False))

    def arrays(self):
        # Only the averaged generator is ever used again.
        return {name: value for name, value in super().arrays().items() if not name.startswith("generator.")}

    def restore(self, arrays):
        copies = {
            name.replace("averaged.", "generator.", 1): value
            for name, value in arrays.items()
            if name.startswith("averaged.")
        }
        return super().restore({**arrays, **copies})


METHOD = base.declare(
    GAN,
    name="gan",
    label="GAN",
    kinds=(IMAGES,),
    summary="Generative adversarial network: a generator learns by fooling a discriminator; it has no encoder.",
    params=(
        base.n_components(16),
        Param("objective", "non-saturating", OBJECTIVES, "Losses of the two players."),
        Param("network", "conv", ("conv", "mlp"), "conv: convolutions. mlp: fully connected layers."),
        Param("width", 256, (32, 4096), "Units of the widest layer; a convolution has an eighth as many channels."),
        Param("r1", 0.1, (0.0, 100.0), "Weight of the gradient penalty that keeps the discriminator smooth."),
        Param("average", 0.999, (0.0, 0.9999), "Decay per step of the generator's running average."),
        *base.training_params(epochs=20, learning_rate=0.002, batch_size=64),
    ),
    version=1,
)
