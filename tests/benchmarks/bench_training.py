"""What a given time of training on full MNIST reaches: ``python -m tests.benchmarks.bench_training [--long]``.

Squared error is per test image, nats per test image; the median of three seeds, all three beside it.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import linalg
from sklearn.decomposition import PCA

from core import datasets, methods, shipped
from core.analysis.feature_space import get_feature_space
from core.metrics import generation, reconstruction
from core.runs import reader, store
from core.types import Form, check_params
from tests.benchmarks.serving import show_median


def main(arguments: list[str]) -> None:
    mnist = datasets.load("mnist")
    for name, measure in _rows(mnist, mnist.floats("train"), mnist.floats("test"), "--long" in arguments):
        show_median(name, [measure(seed) for seed in range(3)])
    for spec in shipped.shipped_specs(["mnist"]):
        place = store.find_place(spec.key)
        metrics = reader.read_run(place).metrics if place else {}
        names = [name for name in ("squared_error", "neg_elbo", "frechet") if name in metrics]
        figures = "  ".join(f"{name} {metrics[name].value:.4g}" for name in names)
        print(f"shipped {methods.label(spec.method)} {spec.param('n_components')}-D: {figures}")


def _fit(method: str, X: np.ndarray, seed: int, **params):
    declared = methods.get(method)
    params = check_params(declared.params_of("images"), params, method)
    return declared.estimator(params, Form("images", (28, 28)), seed).fit(X)


def _error(estimator, test: np.ndarray) -> float:
    return float(reconstruction.squared_error(test, estimator.inverse_transform(estimator.transform(test))).mean())


def _rows(mnist, X, test, long: bool) -> Iterator[tuple[str, Callable[[int], float]]]:
    pca = PCA(10).fit(X)
    best = _error(pca, test)
    linear = [_fit("linear_ae", X, seed, n_components=10) for seed in range(3)]

    def angle(seed: int) -> float:
        decoder = linear[seed].networks_["decoder"].weight.detach().numpy().astype(float)
        return float(np.degrees(linalg.subspace_angles(decoder, pca.components_.T.astype(float)).max()))

    def error(seed: int, **params) -> float:
        return _error(_fit("ae", X, seed, **params), test)

    def nats(seed: int, max_seconds: int) -> float:
        vae = _fit("vae", X, seed, n_components=2, max_seconds=max_seconds)
        return float(sum(vae.elbo_terms(test, at_mean=True)).mean())

    yield "linear AE, 10-D: error above PCA's, %", lambda seed: 100 * (_error(linear[seed], test) / best - 1)
    yield "linear AE, 10-D: largest angle to PCA's subspace, degrees", angle
    for seconds in (6, 15):
        measure = partial(error, n_components=10, max_seconds=seconds, learning_rate=0.02)
        yield f"AE, 10-D: squared error after {seconds} s (lecture: 9.43)", measure
    for seconds in (25, 60):
        measure = partial(error, n_components=30, max_seconds=seconds, width=1000, activation="silu")
        yield f"AE, 30-D, 1000-500-250: squared error after {seconds} s (3.00)", measure
    for seconds in (3, 5):
        yield f"VAE, 2-D: nats at the mean after {seconds} s (lecture: 152.4)", partial(nats, max_seconds=seconds)
    if long:
        yield "GAN, 5 minutes: Fréchet distance", lambda seed: _gan(mnist, X, test, seed)


def _gan(mnist, X, test, seed: int) -> float:
    samples = _fit("gan", X, seed, max_seconds=300).sample(len(test), random_state=0)
    space = get_feature_space(mnist)
    shares = generation.class_shares(space.classes(samples), 10)
    print(f"  classes, %: {', '.join(f'{100 * share:.1f}' for share in shares)}")
    return generation.frechet_distance(space.features(test), space.features(samples))


if __name__ == "__main__":
    main(sys.argv[1:])
