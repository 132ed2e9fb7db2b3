"""Generative adversarial network: a generator and a discriminator trained against each other."""

import copy

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.methods import base, params
from core.nn import compute_cost, losses
from core.nn.averaging import update_average
from core.types import IMAGES, TABLES, Param

_WASSERSTEIN_PENALTY = 10.0
# The R1 penalty is computed in one of 16 steps on average, with 16 times the weight (Karras et al. 2020).
_R1_SHARE = 1 / 16
_NETWORK = "A small DCGAN; two fully connected hidden layers; or the layers of an autoencoder's decoder and encoder."
TEMPERATURE = 0.2  # of generated categories, as in CTGAN (Xu et al. 2019)
_R1 = "Weight of the R1 gradient penalty on the discriminator; the Wasserstein objective has its own penalty."


class GAN(base.NetworkEstimator):
    """Generative adversarial network on images or tables; samples come from a running average of the generator.

    The parameters are those in `PARAMS` and those of `core.methods.ae.Autoencoder`. With `validation`, a
    ``validation_score_real`` below ``score_real`` in `history_` shows that the discriminator has memorized its rows.

    References
    ----------
    Goodfellow et al. 2014, Generative adversarial nets. Radford et al. 2016, Unsupervised representation learning with
    deep convolutional GANs. Mescheder et al. 2018, Which training methods for GANs do actually converge?, eq. 9.
    Yazici et al. 2019, The unusual effectiveness of averaging in GAN training.
    """

    PARAMS = (
        params.n_components(16),
        Param("objective", "non-saturating", losses.GAN_OBJECTIVES, "Loss functions of generator and discriminator."),
        Param("network", "conv", ("conv", "mlp", "mirrored"), _NETWORK, (IMAGES,)),
        Param("width", 256, (32, 4096), "Units of the widest layer; convolutions have an eighth as many channels."),
        Param("layers", 3, (1, 4), "Hidden layers of each network; for a mirrored autoencoder only.", implied=True),
        Param("r1", 0.1, (0.0, 100.0), _R1),
        Param("average", 0.999, (0.0, 0.9999), "Decay per step of the running average of the generator's weights."),
        *params.training_params(epochs=20, learning_rate=0.002, batch_size=64),
    )
    PLAN = {"betas": (0.5, 0.99), "warmup": 0.02}
    redraws_pixels = True
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def _generator_and_discriminator(self, library, n_features: int) -> tuple:
        """Modules if `library` is `core.nn.networks`, lists of layers if it is `core.nn.compute_cost`."""
        network = "mirrored" if self.kind == TABLES else self.network
        if network == "conv":
            generator = library.conv_generator(self.n_components, self.width, self.image_shape)
            return generator, library.conv_discriminator(self.width, self.image_shape)
        if network == "mlp":
            of_generator, of_discriminator = [self.width // 2, self.width], [self.width, compute_cost.N_SCORED]
        else:
            of_discriminator = compute_cost.hidden_sizes(self.width, self.layers)
            of_generator = of_discriminator[::-1]
        generator = library.mlp([self.n_components, *of_generator, n_features])
        return generator, library.mlp_discriminator([n_features, *of_discriminator])

    def _build(self, n_features: int):
        from torch import nn

        from core.nn import networks

        generator, discriminator = self._generator_and_discriminator(networks, n_features)
        if self.network == "mlp" and self.kind != TABLES:
            generator = nn.Sequential(generator)  # the names of its weights in stored runs
        players = {"generator": generator, "averaged": copy.deepcopy(generator), "discriminator": discriminator}
        return nn.ModuleDict(players)

    def workload(self, n_features):
        generator, discriminator = self._generator_and_discriminator(compute_cost, n_features)
        # A gradient penalty differentiates the gradient once more.
        penalty = 1.0 if self.objective == "wasserstein-gp" else _R1_SHARE * bool(self.r1)
        return (
            compute_cost.count_passes(generator, 2)
            + compute_cost.count_passes(discriminator, 3, 2, 2)
            + compute_cost.count_passes(discriminator, 0, 0, 1, first=True)
            + compute_cost.count_passes(discriminator, penalty, 2 * penalty, 2 * penalty, first=True)
            + compute_cost.count_optimizer(n_features, generator)
            + compute_cost.count_optimizer(n_features, discriminator)
        )

    def train_step(self, networks, player, x, generator, progress):
        """Loss of one player on a batch of real rows and as many generated ones."""
        import torch

        z = torch.randn((len(x), self.n_components), generator=generator).to(x.device)
        x = self._draw_pixels(x, generator)
        if player == "generator":
            fake = networks["discriminator"](self._generate(networks["generator"](z), generator)).float()
            return {"loss": losses.generator_loss(self.objective, fake)}
        with torch.no_grad():
            made = self._generate(networks["generator"](z), generator).float()
        real, fake = networks["discriminator"](torch.cat([x, made])).float().chunk(2)
        loss = losses.discriminator_loss(self.objective, real, fake)
        discriminator = networks["discriminator"]
        if self.objective == "wasserstein-gp":
            share = torch.rand((len(x), 1), generator=generator).to(x.device)
            loss = loss + _WASSERSTEIN_PENALTY * losses.wasserstein_penalty(discriminator, x, made, share)
        elif self.r1 and float(torch.rand(1, generator=generator)) < _R1_SHARE:
            loss = loss + self.r1 / _R1_SHARE * losses.r1_penalty(discriminator, x)
        return {"loss": loss, "score_real": real.sigmoid().mean(), "score_generated": fake.sigmoid().mean()}

    def _generate(self, out, generator):
        """Rows from the generator's output; categories of a table are nearly one-hot, as the real ones are."""
        return self._blocks.draw_relaxed(out, generator, TEMPERATURE) if self.kind == TABLES else out.sigmoid()

    def validation_terms(self, networks, x, generator):
        """The discriminator's mean score of real rows."""
        return {"score_real": networks["discriminator"](self._draw_pixels(x, generator)).sigmoid().mean()}

    def after_step(self, networks, step):
        update_average(networks["averaged"], networks["generator"], self.average, step)

    def inverse_transform(self, Z) -> np.ndarray:
        """Images generated from codes, (n_samples, n_features) in [0, 1]; or rows of a table."""
        to_rows = self._blocks.to_means if self.kind == TABLES else lambda out: out.sigmoid()
        return self._map(lambda z: to_rows(self.networks_["averaged"](z)), self._codes(Z))

    sample = base.sample_prior

    def discriminator_features(self, X) -> np.ndarray:
        """The discriminator's last hidden layer for the rows of X: (n_samples, n_units)."""
        check_is_fitted(self)
        return self._map(self.networks_["discriminator"].features, self._validated(X, reset=False))

    def arrays(self):
        return {name: value for name, value in super().arrays().items() if not name.startswith("generator.")}

    def restore(self, arrays):
        averaged = {name.removeprefix("averaged."): a for name, a in arrays.items() if name.startswith("averaged.")}
        return super().restore({**arrays, **{f"generator.{name}": a for name, a in averaged.items()}})


METHOD = base.declare(
    GAN,
    summary="Generative adversarial network: a generator learns by fooling a discriminator; it has no encoder.",
)
