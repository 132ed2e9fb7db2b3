"""M2 of Kingma et al. 2014: a VAE with a latent class, on the rows or on the codes of a VAE (M1+M2)."""

import math

import numpy as np

from core.errors import BadInput
from core.nn import losses
from core.nn.augment import add_noise
from core.semi_supervised.base import SemiSupervisedClassifier


def compute_unlabelled_bound(log_likelihood, kl, log_q, log_prior):
    """Return the lower bound of log p(x) with the class summed out, (batch,) nats. Kingma et al. 2014, eq. 7.

    Parameters
    ----------
    log_likelihood, kl : (batch, k), log p(x|y,z) and KL(q(z|x,y) || p(z)) for k classes y.
    log_q, log_prior : (batch, k) log q(y|x), whose exponentials sum to 1, and log p(y).
    """
    return (log_q.exp() * (log_likelihood - kl + log_prior - log_q)).sum(1)


class M2(SemiSupervisedClassifier):
    """Semi-supervised VAE: p(x|y,z) with class y ~ uniform and code z ~ N(0, I), inferred by q(y|x) and q(z|x,y).

    The loss is the negative bound of the unlabelled rows of a step, with the class summed out, plus `labelled_weight`
    times that of its labelled rows, plus `alpha` times the cross entropy of q(y|x) on these, each a mean over its rows.
    A running average of q(y|x) classifies.

    Parameters
    ----------
    n_components : dimensions of the code z.
    embedder : fitted VAE, or None. Its codes replace the rows: drawn from q(z1|x) at each step, classified at the
        posterior mean. This is M1+M2 and needs normal output.
    output : {"bernoulli", "normal"}, p(x|y,z) has Bernoulli means, or a mean and a variance for every value.
    blocks : of a table, see `core.types.Form`: p(x|y,z) is that of `core.methods.vae.VAE`, whatever `output` is.
    width : units of each hidden layer: two of the classifier, one each of q(z|x,y) and p(x|y,z).
    n_summed : classes summed over for an unlabelled row, the most probable by q(y|x). This is still a bound.
    alpha, labelled_weight : see above.
    noise, dropout : normal noise on the classifier's input, and share of its hidden units dropped, in training.
    ramp : share of the training in which the weight of the unlabelled rows rises from 0 to 1.
    labelled_batch : labelled rows in a step, at most all of them.
    average : decay per step of the running average of the classifier.
    epochs, max_seconds, batch_size, learning_rate, weight_decay, random_state : as in `core.methods.ae.Autoencoder`;
        a step has batch_size unlabelled rows.

    References
    ----------
    Kingma, Rezende, Mohamed and Welling 2014, Semi-supervised learning with deep generative models, eq. 6 to 9.
    """

    PARAMS = ()
    CONTEXT = (
        {"n_components": 50, "embedder": None, "output": "bernoulli", "width": 500, "n_summed": 3, "alpha": 10.0}
        | {"labelled_weight": 0.02, "noise": 0.5, "dropout": 0.2, "ramp": 0.1, "labelled_batch": 100}
        | {"average": 0.999, "epochs": 30, "max_seconds": 0.0, "batch_size": 200, "learning_rate": 0.003}
        | {"weight_decay": 0.01, "blocks": (), "random_state": None}
    )
    PLAN = {"warmup": 0.05}
    players = {"model": ("classifier", "encoder", "decoder")}

    @property
    def _is_table(self) -> bool:
        return bool(self.blocks) and self.embedder is None

    @property
    def masks_missing(self) -> bool:
        return self._is_table

    def _build(self, n_features: int):
        from torch import nn

        from core.nn.blocks import FeatureVariance
        from core.nn.networks import mlp

        n_inputs = n_features // 2 if self.embedder is not None else n_features
        n_classes, planes = len(self.classes_), 2 if self.output == "normal" and not self._is_table else 1

        def hidden_layer(n_in, n_out):
            parts = {"of_row": nn.Linear(n_in, self.width), "out": nn.Linear(self.width, n_out)}
            return nn.ModuleDict({**parts, "of_class": nn.Embedding(n_classes, self.width)})

        sizes = [n_inputs, self.width, self.width, n_classes]
        classifier, averaged = mlp(sizes), mlp(sizes)
        averaged.load_state_dict(classifier.state_dict())
        coders = {"encoder": hidden_layer(n_inputs, 2 * self.n_components)}
        coders["decoder"] = hidden_layer(self.n_components, planes * n_inputs)
        if self._is_table:
            coders["decoder"]["out"] = nn.Sequential(coders["decoder"]["out"], FeatureVariance(n_inputs))
        return nn.ModuleDict({"classifier": classifier, "averaged": averaged, **coders})

    def _validated(self, X, *, reset: bool):
        X = super()._validated(X, reset=reset)
        if self.embedder is not None:
            return np.concatenate(self.embedder.posterior(X), 1)
        if self.output == "bernoulli" and not self._is_table and reset and not 0 <= X.min() <= X.max() <= 1:
            raise BadInput(
                f"output=bernoulli needs values in [0, 1], these run from {X.min():g} to {X.max():g}: "
                "scale them, or choose output=normal."
            )
        return X

    def draw_inputs(self, x, generator):
        """Return the rows, or draws from q(z1|x): (batch, n_inputs)."""
        import torch

        if self.embedder is None:
            return x
        mean, deviation = x.chunk(2, 1)
        return mean + deviation * torch.randn(mean.shape, generator=generator).to(x.device)

    def bound_terms(self, networks, x, classes, generator):
        """Return log p(x|y,z), z from q(z|x,y), and KL(q(z|x,y) || p(z)): (batch, k) nats, for (batch, k) classes."""
        import torch

        x = x[:, None]  # (batch, 1, n_inputs)
        mean, log_variance = _given_class(networks["encoder"], self._seen(x), classes).float().chunk(2, -1)
        log_variance = log_variance.clamp(-12, 8)
        # The same draw for every class of a row, so that they can be compared.
        eps = torch.randn((len(x), 1, self.n_components), generator=generator).to(x.device)
        out = _given_class(networks["decoder"], mean + (0.5 * log_variance).exp() * eps, classes)
        if self._is_table:
            log_likelihood = self._blocks.log_likelihood(x, out.float())
        elif self.output == "normal":
            log_likelihood = losses.normal_log_density(x, *losses.split_normal(out.float()))
        else:
            log_likelihood = losses.bernoulli_log_likelihoods(x, out)
        return log_likelihood, losses.kl_to_standard_normal(mean, log_variance)

    def _seen(self, x):
        """The rows without the columns that say which cells of a table are known."""
        return self._blocks.split_known(x)[0] if self._is_table else x

    def _logits(self, classifier, x, generator):
        """Return logits of q(y|x) with noise and dropout: (batch, n_classes)."""
        import torch

        x = add_noise(self._seen(x), self.noise, generator)
        for layer in classifier:
            x = layer(x)
            if self.dropout and isinstance(layer, torch.nn.ReLU):
                kept = torch.rand(x.shape, generator=generator) >= self.dropout
                x = x * kept.to(x) / (1 - self.dropout)
        return x.float()

    def train_step(self, networks, player, x, generator, progress):
        """Return negative bounds and cross entropy, in nats a row. Kingma et al. 2014, eq. 6, 7 and 9."""
        import torch
        from torch.nn.functional import cross_entropy

        rows = self._labelled_rows(generator)
        n, codes = len(rows), self._classes[rows].to(x.device)
        x = self.draw_inputs(torch.cat([self._labelled[rows].to(x.device), x]), generator)
        logits = self._logits(networks["classifier"], x, generator)
        n_summed = min(self.n_summed, len(self.classes_))
        likeliest, classes = logits[n:].topk(n_summed, 1)
        log_prior = -math.log(len(self.classes_))
        log_likelihood, kl = self.bound_terms(networks, x[n:], classes, generator)
        log_q = likeliest.log_softmax(1)
        unlabelled = -compute_unlabelled_bound(log_likelihood, kl, log_q, log_prior).mean()
        log_likelihood, kl = self.bound_terms(networks, x[:n], codes[:, None], generator)
        labelled = (kl - log_likelihood).mean() - log_prior
        supervised = cross_entropy(logits[:n], codes)
        risen = min(1.0, progress / self.ramp) if self.ramp else 1.0
        loss = risen * unlabelled + self.labelled_weight * labelled + self.alpha * supervised
        return {"loss": loss, "unlabelled": unlabelled, "labelled": labelled, "supervised": supervised}

    def _hidden(self, x):
        return super()._hidden(x if self.embedder is None else x.chunk(2, 1)[0])


def _given_class(network, x, classes):
    """(batch, 1 or k, n_in), (batch, k) -> (batch, k, n_out)."""
    return network["out"]((network["of_row"](x) + network["of_class"](classes)).relu())


BUILDERS = dict.fromkeys(
    ("m2", "m1_m2"), lambda settings, pretrained, seed: M2(**settings, embedder=pretrained, random_state=seed)
)
