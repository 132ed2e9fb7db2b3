"""Every number in a sentence of the demos and of the tour, against a computation that shares no code with it."""

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.spatial import cKDTree
from scipy.special import digamma, softmax
from scipy.stats import multivariate_normal, norm
from sklearn.decomposition import PCA
from torch.distributions import Bernoulli

from core import datasets
from core.mechanisms import linear_gaussian, output_distributions
from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.output_distributions import BERNOULLI, Spot
from core.mechanisms.vae_vs_gan import Settings
from core.runs import reader
from core.tasks import vae_vs_gan_training
from pages.ui.shared import stored_runs
from pages.ui.tour import steps
from tests.pages.driver import opened_on

FINDING = re.compile(r'<p class="hg-settled[^"]*">(.*?)</p>', re.DOTALL)
RNG = np.random.default_rng(12)


def read_finding(app) -> str:
    return " ".join(FINDING.findall(app.read_html()))


def read_numbers(text: str) -> list[float]:
    """The numbers of a text in their order, percentages as shares."""
    found = re.findall(r"−?\d[\d,]*(?:\.\d+)?%?", text)
    return [float(n.strip("%").replace(",", "").replace("−", "-")) / (100 if n[-1] == "%" else 1) for n in found]


def make_model(size: int, noise: float):
    """W of the linear generator, and p(x) by scipy; x = W z + noise."""
    W = linear_gaussian.make_example(size, noise).weights
    return W, multivariate_normal(np.zeros(16), W @ W.T + noise**2 * np.eye(16))


def explain_spot() -> dict[int, tuple[float, float]]:
    """Law of total variance over a grid of codes: variance of the means over all variance of Bernoulli pixels."""
    axis = (np.arange(16) + 0.5) / 8 - 1
    z = RNG.standard_normal((10_000, 2)) * 0.4
    along = np.exp(-np.square(axis - z[:, :, None]) / (2 * 0.25**2))
    means = (along[:, 0, :, None] * along[:, 1, None, :]).reshape(len(z), -1)
    share = means.var(0).sum() / (means.mean(0) * (1 - means.mean(0))).sum()
    return {0: (share, 0.01)}


def count_pairs() -> dict[int, tuple[float, float]]:
    """Pairs with 99% of the gradient, from the gradients themselves by W and b; other draws than the page's."""
    W, _ = make_model(4, 0.3)
    shares, effective = [], []
    for is_prior in (True, False):
        x = RNG.standard_normal((256, 4)) @ W.T + 0.3 * RNG.standard_normal((256, 16))
        covariance = np.linalg.inv(np.eye(4) + W.T @ W / 0.09)
        means = x @ W @ covariance / 0.09
        eps = RNG.standard_normal((256, 256, 4))
        z = (
            np.broadcast_to(eps[0], eps.shape)
            if is_prior
            else means[:, None] + 1.3 * eps @ np.linalg.cholesky(covariance).T
        )
        log_ratio = norm.logpdf(z).sum(-1)
        proposal = log_ratio if is_prior else norm.logpdf(eps).sum(-1)
        residual = x[:, None] - z @ W.T
        logs = norm.logpdf(residual, scale=0.3).sum(-1) + log_ratio - proposal
        weights = np.exp(logs - logs.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        code = np.concatenate([z, np.ones((256, 256, 1))], -1)
        norms = weights * np.linalg.norm(residual, axis=-1) * np.linalg.norm(code, axis=-1)
        ordered = np.sort(norms.ravel())[::-1]
        shares.append((np.cumsum(ordered) < 0.99 * ordered.sum()).mean())
        effective.append((1 / np.square(weights).sum(1)).mean())
    # "99% of the gradient comes from a% of the pairs ... (b of 256 ...), and from c% ... (d of 256)"
    return {1: (shares[0], 0.25 * shares[0]), 2: (effective[0], 1.0), 4: (shares[1], 0.03), 5: (effective[1], 12)}


def repeat_estimates(size: int, n_codes: int = 3000, repeats: int = 60) -> tuple[float, float]:
    """Bias and standard deviation of the naive estimate for the page's data point, over other repeats."""
    W, marginal = make_model(size, 0.3)
    x, _ = linear_gaussian.make_example(size, 0.3).sample(1, np.random.default_rng([0, 1]))
    errors = []
    for _ in range(repeats):
        logs = norm.logpdf(x - RNG.standard_normal((n_codes, size)) @ W.T, scale=0.3).sum(1)
        errors.append(np.logaddexp.reduce(logs) - np.log(n_codes) - marginal.logpdf(x[0]))
    return float(np.mean(errors)), float(np.std(errors, ddof=1))


def err_at_four() -> dict[int, tuple[float, float]]:
    bias, deviation = repeat_estimates(4)
    return {1: (bias, 0.12), 2: (deviation, 0.07), 3: (0.0, 0.006), 4: (0.012, 0.005)}


def err_at_twelve() -> dict[int, tuple[float, float]]:
    bias, deviation = repeat_estimates(12)
    return {1: (bias, 3.0), 2: (deviation, 2.0), 3: (0.0, 0.02), 4: (0.025, 0.01)}


def find_best_scales() -> dict[int, tuple[float, float]]:
    """The likelihood is best for the true weights (to the grid's step), the mean of the log without the code."""
    return {0: (1.0, 0.11), 1: (0.0, 0.0)}


def measure_gap() -> dict[int, tuple[float, float]]:
    """log p(x) minus the ELBO, by draws from q(z|x)."""
    W, marginal = make_model(4, 0.5)
    x, _ = linear_gaussian.make_example(4, 0.5).sample(1, np.random.default_rng([0, 0]))
    covariance = np.linalg.inv(np.eye(4) + W.T @ W / 0.25)
    mean = x[0] @ W @ covariance / 0.25 + 0.5 * np.sqrt(np.diag(covariance))
    q = multivariate_normal(mean, 1.5**2 * covariance)
    z = q.rvs(200_000, random_state=3)
    weights = norm.logpdf(x - z @ W.T, scale=0.5).sum(1) + norm.logpdf(z).sum(1) - q.logpdf(z)
    return {0: (marginal.logpdf(x[0]) - weights.mean(), 0.02), 2: (marginal.logpdf(x[0]), 0.03)}


def count_components() -> dict[int, tuple[float, float]]:
    X = datasets.load("digits").floats("train")
    variances = PCA().fit(X).explained_variance_ * (len(X) - 1) / len(X)
    return {-2: ((variances > 0.2**2).sum(), 0), -1: (X.shape[1], 0)}


def measure_estimators() -> dict[int, tuple[float, float]]:
    """Variances of both estimators of the gradient of E |z|^2, z ~ N(1, I) in 16 dimensions."""
    eps = RNG.standard_normal((200_000, 16))
    z = 1 + eps
    score = (np.square(z).sum(1)[:, None] * eps).var(0).sum()
    ratio = score / (2 * z).var(0).sum()
    return {0: (ratio, 0.03 * ratio), 1: (ratio, 0.1 * ratio)}


def fit_both_divergences() -> dict[int, tuple[float, float]]:
    """Moments, and KL(q || p) minimised over mean and deviation on a grid of its own."""
    weights, means, deviations = np.array([0.6, 0.4]), np.array([-2.0, 2.0]), np.array([0.8, 0.6])
    variance = weights @ (np.square(means) + np.square(deviations)) - (weights @ means) ** 2
    x = np.linspace(-9, 9, 4001)
    log_p = np.log(norm.pdf(x[:, None], means, deviations) @ weights)

    def measure_reverse(q):
        log_q = norm.logpdf(x, q[0], np.exp(q[1]))
        return (np.exp(log_q) * (log_q - log_p)).sum() * (x[1] - x[0])

    fit = min((minimize(measure_reverse, (m, 0.0), method="Nelder-Mead") for m in (-2, 0, 2)), key=lambda r: r.fun)
    covered = [
        int((np.abs(means - m) <= 2 * s).sum())
        for m, s in ((weights @ means, variance**0.5), (fit.x[0], np.exp(fit.x[1])))
    ]
    # "a of 2 modes ... and b of 2 ..., whose largest standard deviations are c and d"
    return {0: (covered[0], 0), 2: (covered[1], 0), 4: (variance**0.5, 0.006), 5: (float(np.exp(fit.x[1])), 0.01)}


def descend() -> dict[int, tuple[float, float]]:
    """300 steps down the numerical gradient of the linear AE's loss."""
    angle, start = np.radians(30), np.radians(105)
    U = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    C, w = U @ np.diag([2.0, 1.8]) @ U.T, 0.3 * np.array([np.cos(start), np.sin(start)])

    def loss(w):
        residual = np.eye(2) - np.outer(w, w)
        return np.trace(residual @ C @ residual.T)

    for _ in range(300):
        slope = [(loss(w + h) - loss(w - h)) / 2e-5 for h in 1e-5 * np.eye(2)]
        w = w - 0.01 / 2.0 * np.array(slope)
    return {0: (300, 0), 1: (loss(w) - 1.8, 2e-4)}


def measure_divergences() -> dict[int, tuple[float, float]]:
    """KL divergences of the stored samples, with entropies by distances to nearest neighbours.

    Kozachenko and Leonenko 1987; Wang, Kulkarni and Verdú 2009, which sees the missed modes of the VAE alone.
    """
    compared = vae_vs_gan_training.find_comparison(vae_vs_gan_training.comparison_key(Settings("ring")))
    angles, k = np.arange(8) * np.pi / 4, 5
    means = 2 * np.column_stack([np.cos(angles), np.sin(angles)])

    def reach(rows, to, k):
        return np.log(cKDTree(to).query(rows, k)[0][:, -1])

    straying, missing = [], []
    for model in ("vae", "gan"):
        real, made = compared.real.astype(float), compared.samples[model].astype(float)
        entropy = digamma(len(made)) - digamma(k) + np.log(np.pi) + 2 * reach(made, made, k + 1).mean()
        log_p = np.log(norm.pdf(made[:, None], means, 0.15).prod(-1).mean(1))
        straying.append(-entropy - log_p.mean())
        missing.append(2 * (reach(real, made, k) - reach(real, real, k + 1)).mean())
    # "Off-data samples: more with the VAE (a v. b). Missed modes: more with the GAN (c v. d)."
    return {0: (straying[0], 0.3), 1: (straying[1], 0.3), 3: (missing[0], 0.2)}


SENTENCES: list[tuple[dict[str, str], Callable]] = [
    ({"experiment": "generator"}, explain_spot),
    ({"experiment": "naive"}, count_pairs),
    ({"experiment": "naive", "naive.show": "estimate"}, err_at_four),
    ({"experiment": "naive", "naive.show": "estimate", "naive.size": "12"}, err_at_twelve),
    ({"experiment": "naive", "naive.show": "trap"}, find_best_scales),
    ({"experiment": "elbo"}, measure_gap),
    ({"experiment": "elbo", "elbo.show": "collapse"}, count_components),
    ({"experiment": "gradients"}, measure_estimators),
    ({"experiment": "similarity"}, fit_both_divergences),
    ({"experiment": "versus", "versus.data": "ring"}, measure_divergences),
    ({"experiment": "linear", "linear.rate": "0.01", "linear.ratio": "0.9"}, descend),
]


@pytest.mark.parametrize(("query", "compute"), SENTENCES, ids=lambda value: getattr(value, "__name__", ""))
def test_numbers_of_a_demo(query, compute):
    text = read_finding(opened_on("pages/mechanisms.py", **query))
    numbers = read_numbers(text)
    for place, (expected, tolerance) in compute().items():
        assert numbers[place] == pytest.approx(expected, abs=tolerance), f"number {place} of: {text}"


def weigh_digits(is_prior: bool) -> dict[int, tuple[float, float]]:
    """Pairs of 32 digits with 64 codes of the stored VAE itself, other draws than the page's, in torch."""
    vae = reader.read_estimator(stored_runs.find_shipped("mnist", "vae", 10).place)
    X = (datasets.load("mnist-sample").floats("test")[:32] > 0.5).astype(np.float32)
    mean, deviation = np.zeros((32, 10)), np.ones((32, 10))
    if not is_prior:
        mean, deviation = vae.posterior(X)
    eps = RNG.standard_normal((64, 32, 10))
    Z = mean + deviation * (eps[:, :1] if is_prior else eps)  # one code for all images, or one an image
    with torch.inference_mode():
        logits = vae.networks_["decoder"](torch.tensor(Z.reshape(-1, 10), dtype=torch.float32)).reshape(64, 32, -1)
        logs = Bernoulli(logits=logits).log_prob(torch.tensor(X)).sum(-1).double().numpy()
    weights = softmax(logs + (norm.logpdf(Z) - norm.logpdf(Z, mean, deviation)).sum(-1), axis=0)
    ordered = np.sort(weights.ravel())[::-1]
    needed = int((np.cumsum(ordered) < 0.99 * 32).sum()) + 1
    losses = -logs
    return {0: (needed, 8 if is_prior else 120), 1: (2048, 0), 4: (losses.min(0).mean(), 20), 5: (losses.mean(), 40)}


def integrate_bound(t: float) -> dict[int, tuple[float, float]]:
    """KL divergences of the step's encoder by sums over a grid of codes."""
    W = np.array([[1.2, 0.9], [0.2, 1.0], [0.7, -0.1], [0.0, 0.3]])
    x = LinearGaussian(W, np.zeros(4), 0.8).sample(1, np.random.default_rng(3))[0][0]
    axis = np.linspace(-7, 7, 701)
    Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    log_prior, log_likelihood = norm.logpdf(Z).sum(1), norm.logpdf(x - Z @ W.T, scale=0.8).sum(1)
    step = np.log(axis[1] - axis[0]) * 2
    log_marginal = np.logaddexp.reduce(log_prior + log_likelihood) + step
    log_q = log_prior + t * log_likelihood
    log_q -= np.logaddexp.reduce(log_q) + step
    q = np.exp(log_q + step)
    kl, gap = (q @ (log_q - other) for other in (log_prior, log_prior + log_likelihood - log_marginal))
    return {0: (kl, 0.006), 1: (gap, 0.006), 2: (gap - log_marginal, 0.006), 3: (-log_marginal, 0.006)}


def measure_spots() -> dict[int, tuple[float, float]]:
    """Log-likelihood of spots of radius 0.25 under one of 0.4, by a mean over codes; a bound for the discriminator."""
    spot, Z = Spot(BERNOULLI, 0.4), RNG.standard_normal((10_000, 2))
    rows = [output_distributions.sample_images(Spot(BERNOULLI, radius), 200, 5) for radius in (0.25, 0.4)]
    means = spot.compute_parameters(Z).clip(1e-300, 1 - 1e-12)
    given_code = rows[0] @ np.log(means).T + (1 - rows[0]) @ np.log1p(-means).T
    log_likelihood = np.logaddexp.reduce(given_code, axis=1).mean() - np.log(len(Z))
    return {0: (0.4, 0), 1: (log_likelihood, 5), 3: (0.99, 0.011), 4: (0.25, 0)}


STEPS = [
    ("naive", {}, lambda: weigh_digits(True)),
    ("naive", {"from": "encoder"}, lambda: weigh_digits(False)),
    ("encoder", {}, lambda: integrate_bound(0.25)),
    ("encoder", {"t": "4"}, lambda: integrate_bound(4)),
    ("generative", {}, measure_spots),
]


@pytest.mark.parametrize(("name", "choices", "compute"), STEPS, ids=lambda value: "" if callable(value) else str(value))
def test_numbers_of_a_step(name, choices, compute):
    number = [step.name for step in steps.STEPS].index(name) + 1
    query = {f"{name}.{control}": value for control, value in choices.items()}
    text = read_finding(opened_on("pages/tour.py", step=str(number), **query))
    numbers = read_numbers(text)
    for place, (expected, tolerance) in compute().items():
        assert numbers[place] == pytest.approx(expected, abs=tolerance), f"number {place} of: {text}"
