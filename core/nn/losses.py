"""Likelihoods, KL divergences, GAN objectives and gradient penalties, on torch tensors; torch is imported on use."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

GAN_OBJECTIVES = ("non-saturating", "minimax", "least-squares", "hinge", "wasserstein-gp")
# A Normal output's standard deviation stays above 0.02, about five of 256 grey levels: the density of constant pixels
# would otherwise be infinite.
LOWEST_LOG_VARIANCE = 2 * math.log(0.02)


def word_cross_entropy(counts: Tensor, logits: Tensor) -> Tensor:
    """-sum of p ln softmax(logits), in nats per word, p being a document's word shares: (n, n_words) -> (n,)."""
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    return -(shares * logits.log_softmax(1)).sum(1)


def word_log_likelihood(counts: Tensor, logits: Tensor) -> Tensor:
    """log p(document) up to its multinomial coefficient, in nats: (..., n_words) -> (...,)."""
    return (counts * logits.log_softmax(-1)).sum(-1)


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    """x log p + (1 - x) log(1 - p), in nats, summed over the last axis; x in [0, 1] is broadcast to the logits."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    return -binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(-1)


def continuous_bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """x log p + (1 - x) log(1 - p) + log C(p), in nats, summed over the last axis: a density of x in [0, 1].

    `bernoulli_log_likelihood` is not normalised for grey x; with C(p) = 2 artanh(1 - 2p) / (1 - 2p), 2 at p = 1/2, it
    is. Loaiza-Ganem and Cunningham 2019, eq. 6 and 7.
    """
    import torch

    # In logits, C = a / tanh(a / 2): 0 / 0 at p = 1/2, where the series of its logarithm is exact to 1e-7.
    half = 0.5 * logits
    is_near = half.abs() < 0.25
    square, far = half.square().clamp(max=0.0625), torch.where(is_near, torch.ones_like(half), half)
    series = math.log(2) + square / 3 - 7 * square.square() / 90 + 62 * square**3 / 2835
    log_constants = torch.where(is_near, series, (2 * far / far.tanh()).log())
    return bernoulli_log_likelihood(x, logits) + log_constants.sum(-1)


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    """Mean of the continuous Bernoulli distribution, 1 / (1 - exp(-a)) - 1 / a, 1/2 at a = 0: the same shape."""
    import torch

    is_near = logits.abs() < 0.5
    near, far = logits.clamp(-0.5, 0.5), torch.where(is_near, torch.ones_like(logits), logits)
    series = 0.5 + near / 12 - near**3 / 720 + near**5 / 30240
    return torch.where(is_near, series, -1 / torch.expm1(-far) - 1 / far)


def bernoulli_log_likelihoods(x: Tensor, logits: Tensor) -> Tensor:
    """`bernoulli_log_likelihood` of k outputs a row as a product of matrices: (n, 1, d), (n, k, d) -> (n, k)."""
    import torch
    from torch.nn.functional import softplus

    return (logits @ x.to(logits.dtype).mT).squeeze(-1).float() - softplus(logits).sum(-1, dtype=torch.float32)


def split_normal(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance of a Normal output, deviation at least 0.02: (..., 2 * d) -> (..., d) each."""
    from torch.nn.functional import softplus

    mean, raw = outputs.chunk(2, -1)
    return mean, LOWEST_LOG_VARIANCE + softplus(raw - LOWEST_LOG_VARIANCE)


def normal_log_density(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(x; mean, variance) in nats, summed over the last axis."""
    return normal_log_densities(x, mean, log_variance).sum(-1)


def normal_log_densities(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(x; mean, variance) in nats of each number."""
    return -0.5 * ((x - mean).square() / log_variance.exp() + log_variance + math.log(2 * math.pi))


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, I)) in nats: (..., k) -> (...,). Kingma and Welling 2014, eq. 10."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def discriminator_loss(objective: str, real: Tensor, generated: Tensor) -> Tensor:
    """The discriminator's loss, from its outputs on real and generated rows: (n,) each -> scalar mean.

    non-saturating, minimax : -log D(x) - log(1 - D(G(z))) in nats, outputs being logits. Goodfellow et al. 2014, eq. 1.
    least-squares : ((D(x) - 1)^2 + D(G(z))^2) / 2. Mao et al. 2017, eq. 2 with a = 0, b = 1.
    hinge : max(0, 1 - D(x)) + max(0, 1 + D(G(z))). Lim and Ye 2017.
    wasserstein-gp : D(G(z)) - D(x), without its penalty. Gulrajani et al. 2017, eq. 3.
    """
    from torch.nn.functional import softplus

    if objective == "least-squares":
        return 0.5 * ((real - 1).square().mean() + generated.square().mean())
    if objective == "hinge":
        return (1 - real).relu().mean() + (1 + generated).relu().mean()
    if objective == "wasserstein-gp":
        return generated.mean() - real.mean()
    return softplus(-real).mean() + softplus(generated).mean()


def generator_loss(objective: str, generated: Tensor) -> Tensor:
    """The generator's loss, from the discriminator's outputs on generated rows: (n,) -> scalar mean.

    minimax : log(1 - D(G(z))) in nats; non-saturating : -log D(G(z)). Goodfellow et al. 2014, eq. 1 and section 3.
    least-squares : (D(G(z)) - 1)^2 / 2. Mao et al. 2017, eq. 2 with c = 1.
    hinge, wasserstein-gp : -D(G(z)).
    """
    from torch.nn.functional import softplus

    if objective == "minimax":
        return -softplus(generated).mean()
    if objective == "least-squares":
        return 0.5 * (generated - 1).square().mean()
    if objective == "non-saturating":
        return softplus(-generated).mean()
    return -generated.mean()


def class_discriminator_loss(labelled, classes, unlabelled, generated) -> tuple[Tensor, Tensor]:
    """Supervised and unsupervised cross entropy of K + 1 classes, "generated" with logit 0 (Salimans et al. 2016, 5).

    From (n, K) logits and the classes, (n,) int64, of the labelled rows. Supervised: mean nats of the class among the
    K. Unsupervised: half the mean nats of "real" for unlabelled rows plus half those of "generated" for generated ones.
    """
    from torch.nn.functional import cross_entropy

    real, fake = unlabelled.logsumexp(1), generated.logsumexp(1)
    return cross_entropy(labelled, classes), 0.5 * discriminator_loss("non-saturating", real, fake)


def r1_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Half the mean squared length of the gradient on real rows. Mescheder et al. 2018, eq. 9."""
    return 0.5 * _input_gradient(discriminator, real).square().sum(1).mean()


def wasserstein_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, generated: Tensor, share: Tensor) -> Tensor:
    """Mean of (|grad D| - 1)^2 at share * real + (1 - share) * generated rows. Gulrajani et al. 2017, eq. 3.

    real, generated : (n, n_features); share : (n, 1) in [0, 1].
    """
    gradient = _input_gradient(critic, share * real + (1 - share) * generated)
    return (gradient.norm(dim=1) - 1).square().mean()


def _input_gradient(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Gradient of the output with respect to the input, in float32: (n, n_features)."""
    import torch

    x = x.detach().requires_grad_(True)
    with torch.autocast(x.device.type, enabled=False):
        (gradient,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gradient
