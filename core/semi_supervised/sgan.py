"""Semi-supervised GAN: a discriminator that predicts classes and separates real from generated rows."""

from core.methods.gan import TEMPERATURE
from core.nn import losses
from core.semi_supervised.base import SemiSupervisedClassifier

# Gaussian noise on the discriminator's input and on its hidden layers (Salimans et al. 2016, authors' code).
_INPUT_NOISE, _HIDDEN_NOISE = 0.3, 0.5
# Shares of the training from which the consistency term counts, and counts fully: earlier it would fix early errors.
_CONSISTENT_FROM, _CONSISTENT_FULLY = 0.5, 0.6
# Steps read normal numbers from a pool at random offsets: to draw them anew would take longer than the networks.
_POOL = 1 << 22
_ROWS_TO_SCALE = 500


class SemiSupervisedGAN(SemiSupervisedClassifier):
    """Discriminator of a GAN with feature matching, trained as a classifier on labelled and unlabelled rows.

    The discriminator has Gaussian noise on every layer and weight normalisation, whose scales, except the last layer's,
    are set on the first rows so that each unit starts with mean 0 and variance 1. The generator matches the mean of its
    last hidden layer. In the second half of the training, its noisy predictions for unlabelled rows are pulled towards
    those of its running average without noise, which ends the game sooner.

    Parameters
    ----------
    n_components : dimensions of the generator's code z, uniform in [0, 1].
    width : units of the discriminator's first hidden layer; the next has half, three more a quarter.
    generator_width : units of each of the generator's two hidden layers.
    labelled_batch : labelled rows in a step, at most all of them.
    blocks : of a table, see `core.types.Form`; without, rows are in [0, 1].
    consistency : weight of the cross entropy between the predictions of the running average and of the discriminator
        for unlabelled rows; 0: as in Salimans et al.
    average : decay per step of the running average of the discriminator, which classifies.
    epochs, max_seconds, batch_size, learning_rate, random_state : as in `core.methods.ae.Autoencoder`; a step has
        batch_size unlabelled rows, and as many generated ones.

    References
    ----------
    Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen 2016, Improved techniques for training GANs, sections 3.1
    and 5. Salimans and Kingma 2016, Weight normalization. Tarvainen and Valpola 2017, Mean teachers are better role
    models; Wei, Gong, Liu, Lu and Wang 2018, Improving the improved training of Wasserstein GANs, section 3, combine
    the two.
    """

    PARAMS = ()
    CONTEXT = (
        {"n_components": 100, "width": 600, "generator_width": 500, "labelled_batch": 50, "consistency": 1.0}
        | {"average": 0.998, "epochs": 40, "max_seconds": 0.0, "batch_size": 100, "learning_rate": 0.004}
        | {"blocks": (), "random_state": None}
    )
    # The gradient of matched means is small: with Adam's default eps the steps are so large that it diverges.
    PLAN = {"betas": (0.5, 0.99), "eps": 1e-4, "warmup": 0.0, "hold": 0.7}
    averages = "discriminator"
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.networks import WeightNormalised as normalised

        w = self.width
        sizes = [n_features, w, w // 2, w // 4, w // 4, w // 4]

        def build_discriminator():
            last = normalised(w // 4, len(self.classes_), learns_scale=True)
            return nn.Sequential(*map(normalised, sizes, sizes[1:]), last)

        discriminator, averaged = build_discriminator(), build_discriminator()
        g = self.generator_width
        generator = nn.Sequential(
            *(nn.Linear(self.n_components, g, bias=False), nn.BatchNorm1d(g), nn.Softplus()),
            *(nn.Linear(g, g, bias=False), nn.BatchNorm1d(g), nn.Softplus()),
            *(nn.Linear(g, n_features), nn.Identity() if self.blocks else nn.Sigmoid()),
        )
        return nn.ModuleDict({"discriminator": discriminator, "generator": generator, "averaged": averaged})

    def _prepare(self, X) -> None:
        """Scale each unit to mean 0 and variance 1 on the first rows (Salimans and Kingma 2016, section 3)."""
        import torch

        super()._prepare(X)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            h, size = torch.as_tensor(X[:_ROWS_TO_SCALE]), _INPUT_NOISE
            for layer in self.networks_["discriminator"]:
                h = h + size * torch.randn(h.shape, generator=generator)
                out = layer(h)
                mean, scale = out.mean(0), out.std(0).clamp(min=1e-3)
                layer.scale.div_(scale)
                layer.bias.copy_(-mean / scale)
                h, size = layer(h).relu(), _HIDDEN_NOISE
        self.networks_["averaged"].load_state_dict(self.networks_["discriminator"].state_dict())

    def _noisy(self, h, size: float, generator):
        """Add normal noise of standard deviation `size`."""
        import torch

        if not hasattr(self, "_pool"):
            pool = torch.randn(_POOL, generator=generator)
            dtype = torch.bfloat16 if torch.is_autocast_enabled(h.device.type) else torch.float32
            self._pool = {size: (pool * size).to(h.device, dtype) for size in (_INPUT_NOISE, _HIDDEN_NOISE)}
        start = int(torch.randint(_POOL - h.numel(), (1,), generator=generator))
        return h + self._pool[size][start : start + h.numel()].view_as(h)

    def _features(self, discriminator, x, generator):
        """Return the discriminator's last hidden layer in training, before its noise: (batch, width // 4)."""
        h = self._noisy(x, _INPUT_NOISE, generator)
        for layer in discriminator[:-2]:
            h = self._noisy(layer(h).relu(), _HIDDEN_NOISE, generator)
        return discriminator[-2](h).relu()

    def train_step(self, networks, player, x, generator, progress):
        """Return a player's loss on real and as many generated rows: nats a row, or distance of mean features."""
        import torch
        from torch.nn.functional import cross_entropy

        n, discriminator = len(x), networks["discriminator"]
        z = torch.rand((n, self.n_components), generator=generator).to(x.device)
        if player == "generator":
            # Computed again: the discriminator has changed since its own step.
            with torch.no_grad():
                real = self._features(discriminator, x, generator).float().mean(0)
            made = self._generate(networks, z, generator)
            fake = self._features(discriminator, made, generator).float().mean(0)
            return {"loss": (fake - real).square().mean()}
        rise = (progress - _CONSISTENT_FROM) / (_CONSISTENT_FULLY - _CONSISTENT_FROM)
        consistency = self.consistency * min(1.0, max(0.0, rise))
        with torch.no_grad():
            fake = self._generate(networks, z, generator)
            expected = self._class_logits(x).float().softmax(1) if consistency else None
        rows = self._labelled_rows(generator)
        x = torch.cat([self._labelled[rows].to(fake), x.to(fake.dtype), fake])
        features = self._features(discriminator, x, generator)
        logits = discriminator[-1](self._noisy(features, _HIDDEN_NOISE, generator)).float()
        labelled, unlabelled, generated = logits.split([len(rows), n, n])
        supervised, unsupervised = losses.class_discriminator_loss(
            labelled, self._classes[rows].to(logits.device), unlabelled, generated
        )
        disagreement = cross_entropy(unlabelled, expected) if consistency else torch.zeros(())
        loss = supervised + unsupervised + consistency * disagreement.to(supervised.device)
        return {"loss": loss, "supervised": supervised, "unsupervised": unsupervised, "disagreement": disagreement}

    def _generate(self, networks, z, generator):
        """Rows; categories of a table are nearly one-hot, as the real ones are."""
        out = networks["generator"](z)
        return self._blocks.draw_relaxed(out, generator, TEMPERATURE) if self.blocks else out

    def _hidden(self, x):
        for layer in self.networks_["averaged"][:-1]:
            x = layer(x).relu()
        return x


BUILDERS = {"sgan": lambda settings, pretrained, seed: SemiSupervisedGAN(**settings, random_state=seed)}
