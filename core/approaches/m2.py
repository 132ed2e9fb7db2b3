"""M2 of Kingma et al. 2014, a VAE whose code has a part for the class, on rows or on the codes of a VAE (M1+M2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.approaches.base import SemiSupervisedClassifier
from core.methods.vae import _LOWEST_LOG_VARIANCE, _kl_to_standard_normal, _log_normal
from core.types import BadInput


def unlabelled_bound(log_likelihood, kl, log_q, log_prior):
    """Lower bound of log p(x) with the class summed out, in nats. Kingma et al. 2014, eq. 7.

    Parameters
    ----------
    log_likelihood, kl : (batch, k), log p(x|y,z) and KL(q(z|x,y) || p(z)) for k classes y.
    log_q : (batch, k), log q(y|x), whose exponentials sum to 1.
    log_prior : scalar or (batch, k), log p(y).

    Returns
    -------
    (batch,)
    """
    return (log_q.exp() * (log_likelihood - kl + log_prior - log_q)).sum(1)


class M2(SemiSupervisedClassifier):
    """Semi-supervised VAE: p(x|y,z) with class y ~ uniform and code z ~ N(0, I), inferred by q(y|x) and q(z|x,y).

    The loss is the negative bound of the unlabelled rows of a step, where the class is summed out, plus
    `labelled_weight` times that of its labelled rows, plus `alpha` times the cross entropy of q(y|x) on these, each a
    mean over its rows. Rows are classified by a running average of q(y|x).

    Parameters
    ----------
    n_components : int, size of the code z.
    embedder : fitted VAE, or None. Given one, the rows are its codes, drawn anew from q(z1|x) at each step, and
        classified at the posterior mean: M1+M2, which needs normal output.
    output : {"bernoulli", "normal"}, p(x|y,z) has Bernoulli means, or a Normal mean and variance for every value.
    width : units of each hidden layer: two of the classifier, one each of q(z|x,y) and p(x|y,z).
    n_summed : classes summed over for an unlabelled row, those likeliest by q(y|x); others count as impossible,
        which leaves the bound a bound.
    alpha, labelled_weight : see above.
    noise : standard deviation of the normal noise that the classifier's input has in training.
    dropout : share of the classifier's hidden units dropped in training.
    ramp : share of the training over which the weight of the unlabelled rows rises from 0 to 1.
    labelled_batch : labelled rows in one step, at most all of them.
    average : decay per step of the running average of the classifier.
    epochs, max_seconds, batch_size, learning_rate, weight_decay, random_state : as in
        `core.methods.ae.Autoencoder`; batch_size is that of the unlabelled rows.

    Attributes
    ----------
    classes_ : (n_classes,), those with a labelled row.

    References
    ----------
    Kingma, Rezende, Mohamed and Welling 2014, Semi-supervised learning with deep generative models, eq. 6 to 9.
    """

    players = {"model": ("classifier", "encoder", "decoder")}

    def __init__(
        self,
        n_components=50,
        *,
        embedder=None,
        output="bernoulli",
        width=500,
        n_summed=3,
        alpha=10.0,
        labelled_weight=0.02,
        noise=0.5,
        dropout=0.2,
        ramp=0.1,
        labelled_batch=100,
        average=0.999,
        epochs=30,
        max_seconds=0.0,
        batch_size=200,
        learning_rate=0.003,
        weight_decay=0.01,
        random_state=None,
    ):
        self.n_components = n_components
        self.embedder = embedder
        self.output = output
        self.width = width
        self.n_summed = n_summed
        self.alpha = alpha
        self.labelled_weight = labelled_weight
        self.noise = noise
        self.dropout = dropout
        self.ramp = ramp
        self.labelled_batch = labelled_batch
        self.average = average
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.random_state = random_state

    def _plan(self):
        return {"weight_decay": self.weight_decay, "warmup": 0.05}

    def _build(self, n_features: int):
        from torch import nn

        from core.networks import mlp

        n_inputs = n_features // 2 if self.embedder is not None else n_features
        n_classes, planes = len(self.classes_), 2 if self.output == "normal" else 1

        def hidden_layer(n_in, n_out):
            """The parts of a network with one hidden layer, of values and a class."""
            parts = {"of_row": nn.Linear(n_in, self.width), "out": nn.Linear(self.width, n_out)}
            return nn.ModuleDict({**parts, "of_class": nn.Embedding(n_classes, self.width)})

        sizes = [n_inputs, self.width, self.width, n_classes]
        classifier, averaged = mlp(sizes), mlp(sizes)
        averaged.load_state_dict(classifier.state_dict())
        return nn.ModuleDict(
            {
                "classifier": classifier,
                "averaged": averaged,
                "encoder": hidden_layer(n_inputs, 2 * self.n_components),
                "decoder": hidden_layer(self.n_components, planes * n_inputs),
            }
        )

    def _validated(self, X, *, reset: bool):
        X = super()._validated(X, reset=reset)
        if self.embedder is not None:
            return _posterior(self.embedder, X)
        if self.output == "bernoulli" and reset and not 0 <= X.min() <= X.max() <= 1:
            raise BadInput(
                f"output=bernoulli needs values in [0, 1], these run from {X.min():g} to {X.max():g}: "
                "scale them, or choose output=normal."
            )
        return X

    def _drawn(self, x, generator):
        """A batch as the model is given it: the rows, or draws from q(z1|x): (batch, n_inputs)."""
        import torch

        if self.embedder is None:
            return x
        mean, deviation = x.chunk(2, 1)
        return mean + deviation * torch.randn(mean.shape, generator=generator).to(x.device)

    def _terms(self, networks, x, classes, generator):
        """log p(x|y,z), z being drawn from q(z|x,y), and KL(q(z|x,y) || p(z)), in nats.

        Parameters
        ----------
        x : (batch, n_inputs)
        classes : (batch, k), the classes y of each row.

        Returns
        -------
        (batch, k) each
        """
        import torch

        x = x[:, None]  # (batch, 1, n_inputs)
        mean, log_variance = _given_class(networks["encoder"], x, classes).float().chunk(2, -1)
        log_variance = log_variance.clamp(-12, 8)
        # The same draw for every class of a row: they are compared with each other.
        eps = torch.randn((len(x), 1, self.n_components), generator=generator).to(x.device)
        out = _given_class(networks["decoder"], mean + (0.5 * log_variance).exp() * eps, classes)
        return self._log_likelihood(x, out), _kl_to_standard_normal(mean, log_variance)

    def _log_likelihood(self, x, out):
        """log p(x|y,z) in nats: (batch, 1, n_inputs), (batch, k, planes * n_inputs) -> (batch, k)."""
        import torch
        from torch.nn.functional import softplus

        if self.output == "normal":
            mean, raw = out.float().chunk(2, -1)
            return _log_normal(x, mean, _LOWEST_LOG_VARIANCE + softplus(raw - _LOWEST_LOG_VARIANCE))
        # x log p + (1 - x) log(1 - p) by the logits, summed as a product of matrices: it is the costliest step.
        return (out @ x.to(out.dtype).mT).squeeze(-1).float() - softplus(out).sum(-1, dtype=torch.float32)

    def _logits(self, classifier, x, generator):
        """Logits of q(y|x) with noise and dropout: (batch, n_classes)."""
        import torch

        if self.noise:
            x = x + self.noise * torch.randn(x.shape, generator=generator).to(x.device)
        for layer in classifier:
            x = layer(x)
            if self.dropout and isinstance(layer, torch.nn.ReLU):
                kept = torch.rand(x.shape, generator=generator) >= self.dropout
                x = x * kept.to(x) / (1 - self.dropout)
        return x.float()

    def train_step(self, networks, player, x, generator, progress):
        """Negative bounds in nats a row and the cross entropy in nats. Kingma et al. 2014, eq. 6, 7 and 9."""
        import torch
        from torch.nn.functional import cross_entropy

        rows = self._labelled_rows(generator)
        n, codes = len(rows), self._classes[rows].to(x.device)
        x = self._drawn(torch.cat([self._labelled[rows].to(x.device), x]), generator)
        logits = self._logits(networks["classifier"], x, generator)
        n_summed = min(self.n_summed, len(self.classes_))
        likeliest, classes = logits[n:].topk(n_summed, 1)
        log_prior = -math.log(len(self.classes_))
        log_likelihood, kl = self._terms(networks, x[n:], classes, generator)
        log_q = likeliest.log_softmax(1)
        unlabelled = -unlabelled_bound(log_likelihood, kl, log_q, log_prior).mean()
        log_likelihood, kl = self._terms(networks, x[:n], codes[:, None], generator)
        labelled = (kl - log_likelihood).mean() - log_prior
        supervised = cross_entropy(logits[:n], codes)
        risen = min(1.0, progress / self.ramp) if self.ramp else 1.0
        loss = risen * unlabelled + self.labelled_weight * labelled + self.alpha * supervised
        return {"loss": loss, "unlabelled": unlabelled, "labelled": labelled, "supervised": supervised}

    def predict_proba(self, X) -> np.ndarray:
        """q(y|x) of each row: (n_samples, n_classes), rows sum to 1."""
        check_is_fitted(self)
        classifier = self.networks_["averaged"]
        return self._map(lambda x: classifier(self._centre(x)).double().softmax(1), self._validated(X, reset=False))

    def codes(self, X) -> np.ndarray:
        """The last hidden layer of q(y|x): (n_samples, width) float32, non-negative."""
        check_is_fitted(self)
        hidden = self.networks_["averaged"][:-1]
        return self._map(lambda x: hidden(self._centre(x)), self._validated(X, reset=False))

    def _centre(self, x):
        """A batch as it is classified: the rows, or the means of q(z1|x)."""
        return x if self.embedder is None else x.chunk(2, 1)[0]


def _given_class(network, x, classes):
    """(batch, 1 or k, n_in), (batch, k) -> (batch, k, n_out)."""
    return network["out"]((network["of_row"](x) + network["of_class"](classes)).relu())


def _posterior(vae, X) -> np.ndarray:
    """Mean and standard deviation of q(z1|x), side by side: (n_samples, 2 * vae.n_components) float32."""
    import torch

    def moments(x):
        mean, log_variance = vae._posterior(vae.networks_, x)
        return torch.cat([mean, (0.5 * log_variance).exp()], 1)

    return vae._map(moments, X)


def _m2(settings: Mapping[str, Any], pretrained: Any, seed: int) -> M2:
    return M2(**settings, embedder=pretrained, random_state=seed)


BUILDERS = {"m2": _m2, "m1_m2": _m2}
