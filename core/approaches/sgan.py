"""Semi-supervised GAN: a discriminator that names the class of real rows and tells generated ones from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.approaches.base import SemiSupervisedClassifier

# Gaussian noise on the discriminator's input and on its hidden layers (Salimans et al. 2016, authors' code).
_INPUT_NOISE, _HIDDEN_NOISE = 0.3, 0.5
# Agreeing with the running average sooner would make lasting what it errs on early; it counts fully from the second.
_AGREE_FROM, _AGREE_FULLY = 0.5, 0.6
# Fresh normal numbers for every activation would take longer than the networks: steps read a pool at random offsets.
_POOL = 1 << 22
_ROWS_TO_SCALE = 500


def discriminator_loss(labelled, classes, unlabelled, generated):
    """Cross entropy of K + 1 classes, the last one, "generated", with logit 0 (Salimans et al. 2016, section 5).

    Parameters
    ----------
    labelled, unlabelled, generated : (batch, K) logits of the K classes.
    classes : (batch,) int64 in 0..K-1, of the labelled rows.

    Returns
    -------
    supervised : mean nats of the class among the K, given that the row is real.
    unsupervised : half the mean nats of "real" for unlabelled rows, half that of "generated" for generated ones.
    """
    from torch.nn.functional import cross_entropy, softplus

    real, fake = unlabelled.logsumexp(1), generated.logsumexp(1)
    return cross_entropy(labelled, classes), 0.5 * (softplus(-real).mean() + softplus(fake).mean())


class SemiSupervisedGAN(SemiSupervisedClassifier):
    """Classifier trained as the discriminator of a GAN with feature matching, on labelled and unlabelled rows.

    The discriminator has Gaussian noise on every layer and weight normalisation, whose scales, but the last layer's,
    stay as they are set on the first rows, on which each unit starts with mean 0 and variance 1. The generator is to
    match the mean of its last hidden layer. In the second half of the training its noisy answers on the unlabelled rows
    are to agree with those of its running average without noise, which ends the game sooner.

    Parameters
    ----------
    n_components : int, size of the generator's code z, uniform in [0, 1].
    width : units of the discriminator's first hidden layer; the next has half, three more a quarter.
    generator_width : units of each of the generator's two hidden layers.
    labelled_batch : labelled rows in one step, at most all of them.
    consistency : weight of the cross entropy between the answers of the running average and of the discriminator on
        the unlabelled rows; 0: as in Salimans et al.
    average : decay per step of the running average of the discriminator's weights that rows are classified with.
    epochs, max_seconds, batch_size, learning_rate, random_state : as in `core.methods.ae.Autoencoder`; batch_size
        is that of the unlabelled rows, and of the generated ones.

    Attributes
    ----------
    classes_ : (n_classes,) those with a labelled row.

    References
    ----------
    Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen 2016, Improved techniques for training GANs, sections 3.1
    and 5. Salimans and Kingma 2016, Weight normalization. Tarvainen and Valpola 2017, Mean teachers are better role
    models; Wei, Gong, Liu, Lu and Wang 2018, Improving the improved training of Wasserstein GANs, section 3, join the
    two.
    """

    averages = "discriminator"
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}

    def __init__(
        self,
        n_components=100,
        *,
        width=600,
        generator_width=500,
        labelled_batch=50,
        consistency=1.0,
        average=0.998,
        epochs=40,
        max_seconds=0.0,
        batch_size=100,
        learning_rate=0.004,
        random_state=None,
    ):
        self.n_components = n_components
        self.width = width
        self.generator_width = generator_width
        self.labelled_batch = labelled_batch
        self.consistency = consistency
        self.average = average
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X, y, *, on_epoch=None, on_tick=None):
        try:
            return super().fit(X, y, on_epoch=on_epoch, on_tick=on_tick)
        finally:
            vars(self).pop("_pool", None)

    def _plan(self):
        # The gradient of matched means is small, and Adam's usual eps lets it take steps that lose the generator.
        return {"weight_decay": 0.0, "betas": (0.5, 0.99), "eps": 1e-4, "warmup": 0.0, "hold": 0.7}

    def _build(self, n_features: int):
        from torch import nn

        from core.networks import WeightNormalised as normalised

        w = self.width
        sizes = [n_features, w, w // 2, w // 4, w // 4, w // 4]

        def names_classes():
            last = normalised(w // 4, len(self.classes_), learns_scale=True)
            return nn.Sequential(*map(normalised, sizes, sizes[1:]), last)

        discriminator, averaged = names_classes(), names_classes()
        g = self.generator_width
        generator = nn.Sequential(
            *(nn.Linear(self.n_components, g, bias=False), nn.BatchNorm1d(g), nn.Softplus()),
            *(nn.Linear(g, g, bias=False), nn.BatchNorm1d(g), nn.Softplus()),
            *(nn.Linear(g, n_features), nn.Sigmoid()),
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
        """`h` with normal noise of standard deviation `size` added."""
        import torch

        if not hasattr(self, "_pool"):
            pool = torch.randn(_POOL, generator=generator)
            dtype = torch.bfloat16 if torch.is_autocast_enabled(h.device.type) else torch.float32
            self._pool = {size: (pool * size).to(h.device, dtype) for size in (_INPUT_NOISE, _HIDDEN_NOISE)}
        start = int(torch.randint(_POOL - h.numel(), (1,), generator=generator))
        return h + self._pool[size][start : start + h.numel()].view_as(h)

    def _features(self, discriminator, x, generator):
        """The discriminator's last hidden layer in training, before its noise: (batch, width // 4)."""
        h = self._noisy(x, _INPUT_NOISE, generator)
        for layer in discriminator[:-2]:
            h = self._noisy(layer(h).relu(), _HIDDEN_NOISE, generator)
        return discriminator[-2](h).relu()

    def train_step(self, networks, player, x, generator, progress):
        """One step of either player on a batch of real rows and as many generated ones."""
        import torch
        from torch.nn.functional import cross_entropy

        n, discriminator = len(x), networks["discriminator"]
        z = torch.rand((n, self.n_components), generator=generator).to(x.device)
        if player == "generator":
            # The real rows anew: the discriminator has just moved, and their mean in it has moved by as much.
            with torch.no_grad():
                real = self._features(discriminator, x, generator).float().mean(0)
            made = self._features(discriminator, networks["generator"](z), generator).float().mean(0)
            return {"loss": (made - real).square().mean()}
        rise = (progress - _AGREE_FROM) / (_AGREE_FULLY - _AGREE_FROM)
        agreeing = self.consistency * min(1.0, max(0.0, rise))
        with torch.no_grad():
            made = networks["generator"](z)
            expected = self._class_logits(x).float().softmax(1) if agreeing else None
        rows = self._labelled_rows(generator)
        x = torch.cat([self._labelled[rows].to(made), x.to(made.dtype), made])
        features = self._features(discriminator, x, generator)
        logits = discriminator[-1](self._noisy(features, _HIDDEN_NOISE, generator)).float()
        labelled, unlabelled, generated = logits.split([len(rows), n, n])
        supervised, unsupervised = discriminator_loss(
            labelled, self._classes[rows].to(logits.device), unlabelled, generated
        )
        disagreement = cross_entropy(unlabelled, expected) if agreeing else torch.zeros(())
        loss = supervised + unsupervised + agreeing * disagreement.to(supervised.device)
        return {"loss": loss, "supervised": supervised, "unsupervised": unsupervised, "disagreement": disagreement}

    def _class_logits(self, x):
        """Of the averaged discriminator, without noise: (batch, n_classes)."""
        return self.networks_["averaged"][-1](self._hidden(x))

    def _hidden(self, x):
        for layer in self.networks_["averaged"][:-1]:
            x = layer(x).relu()
        return x

    def predict_proba(self, X) -> np.ndarray:
        """Probabilities of the classes, given that the rows are real: (n_samples, n_classes), rows sum to 1."""
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        return self._map(lambda x: self._class_logits(x).double().softmax(1), X)

    def codes(self, X) -> np.ndarray:
        """The discriminator's last hidden layer: (n_samples, width // 4) float32, non-negative."""
        check_is_fitted(self)
        return self._map(self._hidden, self._validated(X, reset=False))


def _sgan(settings: Mapping[str, Any], pretrained: Any, seed: int) -> SemiSupervisedGAN:
    return SemiSupervisedGAN(**settings, random_state=seed)


BUILDERS = {"sgan": _sgan}
