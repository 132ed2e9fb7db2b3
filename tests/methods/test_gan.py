import numpy as np
import pytest

from core.methods.gan import GAN
from core.nn.losses import GAN_OBJECTIVES


@pytest.mark.parametrize("objective", GAN_OBJECTIVES)
def test_gan_learns_where_the_data_are(objective):
    rng = np.random.default_rng(0)
    X = np.clip(rng.normal([0.2, 0.8], 0.05, (512, 2)), 0, 1).astype(np.float32)
    gan = GAN(2, objective=objective, network="mlp", width=64, epochs=50, random_state=0)
    samples = gan.fit(X).sample(500, random_state=0)
    # One critic step for each of the generator's leaves the Wasserstein game swinging more widely.
    assert samples.mean(0) == pytest.approx([0.2, 0.8], abs=0.22 if objective == "wasserstein-gp" else 0.12)
    assert {"generator_loss", "discriminator_loss", "score_real", "score_generated"} <= set(gan.history_[0])
