import numpy as np
import pytest
import torch

from core.methods.gan import GAN, OBJECTIVES, _r1_penalty, _wasserstein_penalty, discriminator_loss, generator_loss


@pytest.fixture(scope="module")
def logits():
    return torch.randn(2, 50, generator=torch.Generator().manual_seed(0)).unbind(0)


def test_cross_entropy_losses_are_those_of_the_paper(logits):
    real, fake = logits
    d_real, d_fake = torch.sigmoid(real), torch.sigmoid(fake)
    value = d_real.log().mean() + (1 - d_fake).log().mean()
    for objective in ("minimax", "non-saturating"):
        assert float(discriminator_loss(objective, real, fake)) == pytest.approx(-float(value), rel=1e-5)
    assert float(generator_loss("minimax", fake)) == pytest.approx(float((1 - d_fake).log().mean()), rel=1e-5)
    assert float(generator_loss("non-saturating", fake)) == pytest.approx(-float(d_fake.log().mean()), rel=1e-5)


def test_other_losses_at_hand_computed_points():
    real, fake = torch.tensor([0.5]), torch.tensor([-2.0])
    assert float(discriminator_loss("least-squares", real, fake)) == pytest.approx(0.5 * (0.25 + 4))
    assert float(generator_loss("least-squares", fake)) == pytest.approx(4.5)
    assert float(discriminator_loss("hinge", real, fake)) == pytest.approx(0.5)
    assert float(discriminator_loss("wasserstein-gp", real, fake)) == pytest.approx(-2.5)
    assert float(generator_loss("hinge", fake)) == float(generator_loss("wasserstein-gp", fake)) == 2.0


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_generator_learns_by_making_the_discriminator_call_it_real(objective, logits):
    fake = logits[1].clone().requires_grad_(True)
    generator_loss(objective, fake).backward()
    assert (fake.grad[fake < 1] < 0).all()


class LinearCritic(torch.nn.Module):
    def forward(self, x):
        return x @ torch.tensor([2.0, 0.0, 0.0])


def test_gradient_penalties_are_exact_for_a_linear_critic():
    real, made = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0)).unbind(0)
    generator = torch.Generator().manual_seed(0)
    assert float(_wasserstein_penalty(LinearCritic(), real, made, generator)) == pytest.approx((2 - 1) ** 2)
    assert float(_r1_penalty(LinearCritic(), real)) == pytest.approx(0.5 * 2**2)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_it_learns_where_the_data_are(objective):
    rng = np.random.default_rng(0)
    X = np.clip(rng.normal([0.2, 0.8], 0.05, (512, 2)), 0, 1).astype(np.float32)
    gan = GAN(
        2, objective=objective, network="mlp", width=64, epochs=60, batch_size=64, learning_rate=0.002, random_state=0
    )
    samples = gan.fit(X).sample(500, random_state=0)
    # One critic step for each of the generator's leaves the Wasserstein game swinging more widely.
    assert samples.mean(0) == pytest.approx([0.2, 0.8], abs=0.22 if objective == "wasserstein-gp" else 0.12)
    assert {"generator_loss", "discriminator_loss", "score_real", "score_generated"} <= set(gan.history_[0])
