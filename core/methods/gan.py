"""Generative adversarial network: a generator and a discriminator trained against each other."""

from __future__ import annotations

import copy

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from core.methods import base, params
from core.nn import compute_cost, losses
from core.nn.averaging import update_average
from core.types import Param

_WASSERSTEIN_PENALTY = 10.0
# The R1 penalty costs as much as a step: it is taken at one step in 16 on average, 16 times as heavy
# (Karras et al. 2020).
_R1_SHARE = 1 / 16


_NETWORK = "conv: convolutions. mlp: two fully connected layers. mirrored: an autoencoder's decoder and encoder."


class GAN(base.NetworkEstimator):
    """Generative adversarial network on images; samples come from a running average of the generator.

    Parameters
    ----------
    n_components to validation : see the help of each in `PARAMS`. ``network="conv"`` is a small DCGAN, ``"mirrored"``
        the decoder and the encoder of a fully connected autoencoder with the same `width` and `layers`. `r1` weighs the
        R1 penalty of every objective but wasserstein-gp, which has its own. With `validation`, a
        ``validation_score_real`` below ``score_real`` in `history_` says that the discriminator has memorized its rows.
    kind, image_shape, random_state : as in `core.methods.ae.Autoencoder`.

    References
    ----------
    Goodfellow et al. 2014, Generative adversarial nets. Radford et al. 2016, Unsupervised representation learning with
    deep convolutional GANs. Mescheder et al. 2018, Which training methods for GANs do actually converge?, eq. 9.
    Yazici et al. 2019, The unusual effectiveness of averaging in GAN training.
    """

    PARAMS = (
        params.n_components(16),
        Param("objective", "non-saturating", losses.GAN_OBJECTIVES, "Losses of the two players."),
        Param("network", "conv", ("conv", "mlp", "mirrored"), _NETWORK),
        Param("width", 256, (32, 4096), "Units of the widest layer; a convolution has an eighth as many channels."),
        Param("layers", 3, (1, 4), "Hidden layers of each player, for network=mirrored.", implied=True),
        Param("r1", 0.1, (0.0, 100.0), "Weight of the gradient penalty that keeps the discriminator smooth."),
        Param("average", 0.999, (0.0, 0.9999), "Decay per step of the generator's running average."),
        *params.training_params(epochs=20, learning_rate=0.002, batch_size=64),
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def _plan(self):
        return {"weight_decay": 0.0, "betas": (0.5, 0.99), "warmup": 0.02}

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.networks import Discriminator, Generator, MirroredDiscriminator, mirrored_generator

        if self.network == "mirrored":
            generator = mirrored_generator(self.n_components, n_features, self.width, self.layers)
            discriminator = MirroredDiscriminator(n_features, self.width, self.layers)
        else:
            image_shape = self.image_shape if self.network == "conv" else None
            generator = Generator(self.n_components, n_features, self.width, image_shape)
            discriminator = Discriminator(n_features, self.width, image_shape)
        networks = {"generator": generator, "averaged": copy.deepcopy(generator), "discriminator": discriminator}
        return nn.ModuleDict(networks)

    def workload(self, n_features):
        if self.network == "mirrored":
            hidden = compute_cost.hidden_sizes(self.width, self.layers)
            generator = compute_cost.mlp([self.n_components, *hidden[::-1], n_features])
            discriminator = compute_cost.mirrored_discriminator(n_features, self.width, self.layers)
        else:
            image_shape = self.image_shape if self.network == "conv" else None
            generator = compute_cost.generator(self.n_components, n_features, self.width, image_shape)
            discriminator = compute_cost.discriminator(n_features, self.width, image_shape)
        # A gradient penalty differentiates the gradient by the input once more.
        penalty = 1.0 if self.objective == "wasserstein-gp" else _R1_SHARE * bool(self.r1)
        return (
            compute_cost.passes(generator, 2)
            + compute_cost.passes(discriminator, 3, 2, 2)
            + compute_cost.passes(discriminator, 0, 0, 1, first=True)
            + compute_cost.passes(discriminator, penalty, 2 * penalty, 2 * penalty, first=True)
            + compute_cost.optimizer(n_features, compute_cost.weights(generator))
            + compute_cost.optimizer(n_features, compute_cost.weights(discriminator))
        )

    def train_step(self, networks, player, x, generator, progress):
        """One step of either player on a batch of real rows and as many generated ones."""
        import torch

        z = torch.randn((len(x), self.n_components), generator=generator).to(x.device)
        if player == "generator":
            fake = networks["discriminator"](networks["generator"](z).sigmoid()).float()
            return {"loss": losses.generator_loss(self.objective, fake)}
        with torch.no_grad():
            made = networks["generator"](z).sigmoid().float()
        real, fake = networks["discriminator"](torch.cat([x, made])).float().chunk(2)
        loss = losses.discriminator_loss(self.objective, real, fake)
        discriminator = networks["discriminator"]
        if self.objective == "wasserstein-gp":
            share = torch.rand((len(x), 1), generator=generator).to(x.device)
            loss = loss + _WASSERSTEIN_PENALTY * losses.wasserstein_penalty(discriminator, x, made, share)
        elif self.r1 and float(torch.rand(1, generator=generator)) < _R1_SHARE:
            loss = loss + self.r1 / _R1_SHARE * losses.r1_penalty(discriminator, x)
        return {"loss": loss, "score_real": real.sigmoid().mean(), "score_generated": fake.sigmoid().mean()}

    def validation_terms(self, networks, x, generator):
        """The discriminator's mean score of real rows."""
        return {"score_real": networks["discriminator"](x).sigmoid().mean()}

    def after_step(self, networks, step):
        update_average(networks["averaged"], networks["generator"], self.average, step)

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
        """The discriminator's last hidden layer for the rows of X: (n_samples, n_units)."""
        check_is_fitted(self)
        return self._map(self.networks_["discriminator"].features, self._validated(X, reset=False))

    def arrays(self):
        # Only the averaged generator is ever used again.
        return {name: value for name, value in super().arrays().items() if not name.startswith("generator.")}

    def restore(self, arrays):
        averaged = {name.removeprefix("averaged."): a for name, a in arrays.items() if name.startswith("averaged.")}
        return super().restore({**arrays, **{f"generator.{name}": a for name, a in averaged.items()}})


METHOD = base.declare(
    GAN,
    summary="Generative adversarial network: a generator learns by fooling a discriminator; it has no encoder.",
    version=1,
)
