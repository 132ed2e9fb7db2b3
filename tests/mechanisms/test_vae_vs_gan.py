"""A VAE and a GAN on the same data: the bound's terms, what each does to the data, arrays there and back."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from core.mechanisms import vae_vs_gan
from core.mechanisms.gaussian_mixtures import TARGETS, Mixture
from core.mechanisms.vae_vs_gan import GAN, VAE, Comparison, Settings, SmallVAE
from core.metrics.generation import RealRows
from tests.mechanisms.helpers import linear

QUICK = Settings("ring", steps=24, width=16, batch=32, n_samples=100)


def test_the_vaes_terms_are_scipys():
    vae = SmallVAE(QUICK)
    x, eps = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0))
    reconstruction, kl = (float(term.detach()) for term in vae.compute_terms(x, eps))
    with torch.no_grad():
        mean, log_variance = vae.networks["encoder"](x).chunk(2, 1)
        centre = vae.networks["decoder"](mean + (0.5 * log_variance).exp() * eps).numpy()
    assert reconstruction == pytest.approx(-norm(centre, vae.generator.noise).logpdf(x.numpy()).sum(1).mean(), rel=1e-4)
    # The mean of log q - log p over many z of q.
    q = norm(mean.numpy(), (0.5 * log_variance).exp().numpy())
    z = q.rvs((100_000, 5, 2), random_state=0)
    assert kl == pytest.approx((q.logpdf(z) - norm.logpdf(z)).sum(2).mean(), abs=0.02)


def test_the_vae_strays_and_covers_and_the_gan_is_sharper():
    compared = vae_vs_gan.train(Settings("ring", steps=1200, n_samples=600))
    vae, gan = compared.scores[VAE], compared.scores[GAN]
    assert vae.straying > gan.straying + 2 * np.hypot(vae.straying_error, gan.straying_error)
    assert vae.precision < gan.precision
    assert vae.recall > gan.recall
    assert vae.inside < gan.inside
    assert compared.floor["precision"] > 0.9
    again = Comparison.from_arrays(compared.to_arrays())
    assert (again.scores, again.floor, again.noise) == (compared.scores, compared.floor, compared.noise)
    np.testing.assert_array_equal(again.frames[GAN], compared.frames[GAN])


def test_a_model_that_is_the_data_reaches_all_of_them_and_one_of_a_single_mode_few():
    ring, rng = TARGETS["ring"][1], np.random.default_rng(0)
    rows = RealRows(ring.sample(1000, rng))
    same = vae_vs_gan.score(ring, ring, rows, ring.sample(1000, rng))
    assert (same.inside, same.reached) == pytest.approx((0.99, 0.99), abs=0.012)
    assert (same.missing, same.straying, same.jensen_shannon) == pytest.approx((0, 0, 0), abs=1e-9)
    one = Mixture.from_means(ring.means[:1], 0.15)
    single = vae_vs_gan.score(ring, one, rows, one.sample(1000, rng))
    assert single.reached == pytest.approx(1 / 8, abs=0.03)
    assert single.modes == 1 / 8
    # Its samples are an eighth as likely under the data; of what it misses, each mode's rows are so far away.
    assert single.straying == pytest.approx(np.log(8), abs=1e-3)
    squared = ((ring.means - ring.means[0]) ** 2).sum(axis=1).mean()
    assert single.missing == pytest.approx(0.5 * squared / 0.15**2 - np.log(8), abs=4 * single.missing_error)


@pytest.mark.parametrize("away", [0.5, 3.0, 5.0])
def test_divergences_of_a_density_over_codes_err_by_what_is_stated(away):
    """q is N(0.5, 0.26 I), but as a mean over codes, hardly any of which lie near rows far away."""
    generator, rng = linear(0.5, 0.1, dimension=2), np.random.default_rng(0)
    data = Mixture.from_means([[away, 0.5]], 0.3)
    found = vae_vs_gan.score(data, generator, RealRows(data.sample(300, rng)), generator.sample(300, rng))
    variance = 0.25 + 0.01
    missing = 0.09 / variance - 1 - np.log(0.09 / variance) + (away - 0.5) ** 2 / (2 * variance)
    assert found.missing == pytest.approx(missing, abs=4 * found.missing_error)
    assert found.missing_error < 0.1 * missing + 0.05


def test_training_is_reproducible_and_reports_progress():
    shares = []
    found = vae_vs_gan.train(QUICK, shares.append)
    assert (len(shares), shares[-1]) == (vae_vs_gan.N_FRAMES, 1)
    np.testing.assert_array_equal(found.samples[GAN], vae_vs_gan.train(QUICK).samples[GAN])
    assert vae_vs_gan.train(QUICK, lambda share: True) is None
