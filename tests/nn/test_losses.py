"""Losses against scipy and their formulas; running averages and augmentation against what they say."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch.distributions import ContinuousBernoulli, Multinomial, Normal, kl_divergence

from core.nn import augment, losses
from core.nn.averaging import update_average


def seeded(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


REAL, FAKE = 2 * seeded(2, 50)


def test_densities_and_their_divergence_are_those_of_torchs_distributions():
    x, mean, log_variance = seeded(3, 4, 5).unbind(0)
    normal = Normal(mean, (0.5 * log_variance).exp())
    assert torch.allclose(losses.normal_log_density(x, mean, log_variance), normal.log_prob(x).sum(-1))
    divergence = kl_divergence(normal, Normal(0.0, 1.0)).sum(-1)
    assert torch.allclose(losses.kl_to_standard_normal(mean, log_variance), divergence)
    counts, words = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]), seeded(2, 3)
    # Without the coefficients 3! / (2! 1!) and 1.
    log_p = Multinomial(3, logits=words).log_prob(counts) - torch.tensor([3.0, 1.0]).log()
    assert torch.allclose(losses.word_log_likelihood(counts, words), log_p)
    assert torch.allclose(losses.word_cross_entropy(counts, words), -log_p / 3)


def test_bernoulli_likelihoods_of_grey_pixels_are_their_formula():
    x, mean = seeded(2, 4, 5).unbind(0)
    pixels, logits, p = x.sigmoid(), mean, expit(mean.numpy())
    shares = pixels.numpy()
    expected = (shares * np.log(p) + (1 - shares) * np.log(1 - p)).sum(1)
    assert losses.bernoulli_log_likelihood(pixels, logits).numpy() == pytest.approx(expected, rel=1e-4)
    of_two = losses.bernoulli_log_likelihoods(pixels[:, None], torch.stack([logits, logits], 1)).numpy()
    assert of_two == pytest.approx(np.stack([expected, expected], 1), rel=1e-4)


def test_continuous_bernoulli_is_that_of_torchs_distributions_also_near_one_half():
    logits = torch.tensor([-30.0, -9.0, -0.6, -0.5, -0.49, -1e-3, -1e-8, 0.0, 1e-6, 0.02, 0.3, 0.51, 2.0, 15.0, 20.0])
    pixels = torch.linspace(0, 1, 7)[:, None, None]
    exact = ContinuousBernoulli(logits=logits.double(), lims=(0.49999, 0.50001))
    of_pixels = logits[:, None].expand(7, 15, 1)
    found = losses.continuous_bernoulli_log_density(pixels, of_pixels)
    assert torch.allclose(found.double(), exact.log_prob(pixels[..., 0].double()), rtol=1e-5, atol=2e-6)
    means = losses.continuous_bernoulli_mean(logits).double()
    assert torch.allclose(means[1:-2], exact.mean[1:-2], rtol=1e-5, atol=1e-6)
    # The derivative of the log density is x minus the mean, also where both formulas are 0 / 0.
    learned = logits.clone().requires_grad_()
    losses.continuous_bernoulli_log_density(torch.full((15, 1), 0.3), learned[:, None]).sum().backward()
    assert torch.allclose(learned.grad.double(), 0.3 - means, atol=2e-6)
    # A density of x in [0, 1]: it integrates to 1, the Bernoulli likelihood of grey values does not.
    x = ((torch.arange(4000) + 0.5) / 4000)[:, None, None]
    moderate = logits[2:-2, None].expand(4000, 11, 1)
    assert losses.continuous_bernoulli_log_density(x, moderate).exp().mean(0).numpy() == pytest.approx(1, abs=1e-3)
    assert losses.bernoulli_log_likelihood(x, moderate).exp().mean(0).max() < 0.6


def test_normal_output_keeps_its_deviation_above_a_fiftieth():
    mean, log_variance = losses.split_normal(torch.tensor([[0.3, -1.0, -100.0, 3.0]]))
    assert mean.tolist() == [pytest.approx([0.3, -1.0])]
    assert (0.5 * log_variance).exp().tolist() == [pytest.approx([0.02, np.exp(1.5)], rel=1e-3)]


def test_gan_losses_are_their_formulas_and_push_the_generator_towards_real():
    real, fake = REAL.numpy(), FAKE.numpy()
    log_real, log_fake, log_not = (np.log(expit(v)).mean() for v in (real, fake, -fake))
    expected = {
        "non-saturating": (-log_real - log_not, -log_fake),
        "minimax": (-log_real - log_not, log_not),
        "least-squares": (((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, ((fake - 1) ** 2).mean() / 2),
        "hinge": (np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(), -fake.mean()),
        "wasserstein-gp": (fake.mean() - real.mean(), -fake.mean()),
    }
    assert tuple(expected) == losses.GAN_OBJECTIVES
    for objective, (of_discriminator, of_generator) in expected.items():
        generated = FAKE.clone().requires_grad_(True)
        loss = losses.generator_loss(objective, generated)
        assert float(loss.detach()) == pytest.approx(of_generator, rel=1e-5)
        assert float(losses.discriminator_loss(objective, REAL, FAKE)) == pytest.approx(of_discriminator, rel=1e-5)
        loss.backward()
        assert (generated.grad[generated < 1] < 0).all()


def test_class_discriminator_loss_is_the_cross_entropy_of_k_plus_one_classes():
    labelled, unlabelled, generated = seeded(3, 6, 4).unbind(0)
    classes = torch.tensor([0, 1, 2, 3, 0, 1])
    log_probabilities = lambda logits: torch.cat([logits, torch.zeros(len(logits), 1)], 1).log_softmax(1)
    given_real = log_probabilities(labelled)[:, :4].log_softmax(1)
    real = log_probabilities(unlabelled)[:, :4].logsumexp(1)
    fake = log_probabilities(generated)[:, 4]
    supervised, unsupervised = losses.class_discriminator_loss(labelled, classes, unlabelled, generated)
    assert torch.allclose(supervised, -given_real[torch.arange(6), classes].mean())
    assert torch.allclose(unsupervised, -0.5 * (real.mean() + fake.mean()))


def test_gradient_penalties_are_exact_for_known_critics():
    """3 x1 + 4 x2 has a gradient of length 5 everywhere; |x|^2 / 2 has the gradient x."""
    real, generated, share = seeded(8, 2), seeded(3, 8, 2)[2], torch.linspace(0, 1, 8)[:, None]
    linear, quadratic = lambda x: 3 * x[:, 0] + 4 * x[:, 1], lambda x: 0.5 * x.square().sum(1)
    assert float(losses.wasserstein_penalty(linear, real, generated, share)) == pytest.approx((5 - 1) ** 2)
    assert float(losses.r1_penalty(linear, real)) == pytest.approx(0.5 * 5**2)
    between = share * real + (1 - share) * generated
    assert torch.allclose(losses.r1_penalty(quadratic, real), 0.5 * real.square().sum(1).mean())
    found = losses.wasserstein_penalty(quadratic, real, generated, share)
    assert torch.allclose(found, (between.norm(dim=1) - 1).square().mean())


def test_running_average_forgets_its_start_and_then_decays_slowly():
    averaged, network = (torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1)) for _ in range(2))
    start = averaged[0].weight.item()
    network[1].running_mean.fill_(3.0)
    update_average(averaged, network, 0.9, 0)
    assert averaged[0].weight.item() == pytest.approx(0.1 * start + 0.9 * network[0].weight.item(), abs=1e-6)
    assert averaged[1].running_mean.item() == pytest.approx(0.9 * 3)
    before = averaged[0].weight.item()
    update_average(averaged, network, 0.9, 1000)
    assert averaged[0].weight.item() == pytest.approx(0.9 * before + 0.1 * network[0].weight.item())


def test_augmentation_changes_the_share_it_is_given():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(200, 64, generator=generator)
    moved = augment.move_images(images, (8, 8), 0.25, generator)
    assert torch.equal(moved[50:], images[50:])
    assert (moved[:50] != images[:50]).any(1).all()
    assert 0 <= moved.min() <= moved.max() <= 1
    noisy = augment.add_noise(images, 0.3, generator)
    assert float((noisy - images).std()) == pytest.approx(0.3, rel=0.05)
