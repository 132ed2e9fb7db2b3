"""What inverting the shipped MNIST GAN reaches and costs: ``python -m tests.benchmarks.bench_inversion``.

The first 100 MNIST test images together: squared error an image, summed over its 784 pixels, and seconds of wall clock,
for the regressor alone and with gradient steps; loading the regressor is not in it.
"""

from __future__ import annotations

import statistics

import torch

from core import datasets, shipped
from core.runs import layout, reader
from core.tasks import inverter_training

TIMES = 3
N_IMAGES = 100


def main() -> None:
    spec = next(shipped.shipped_specs(["mnist/gan"]))
    inverter = inverter_training.load_inverter(spec.key, reader.read_estimator(layout.place_of(layout.SHIPPED, spec)))
    X = datasets.load("mnist").floats("test")[:N_IMAGES]
    default, threads = inverter.n_steps, torch.get_num_threads()
    print(f"{f'MNIST GAN, {N_IMAGES} test images, at most 30 in 20 s':52} {'error':>7} {'median s':>9}   each")
    try:
        for n_threads in sorted({1, threads}):
            torch.set_num_threads(n_threads)
            for n_steps in (0, 25, default, 2 * default):
                inverter.set_params(n_steps=n_steps)
                inverter.invert(X[:10])  # the first call prepares kernels for the later ones
                found = [inverter.invert(X) for _ in range(TIMES)]
                seconds = [each.seconds for each in found]
                name = f"regressor and {n_steps} gradient steps" if n_steps else "regressor alone"
                print(
                    f"{f'{name}, {n_threads} thread' + 's' * (n_threads > 1):52} {found[0].errors.mean():7.2f} "
                    f"{statistics.median(seconds):9.2f}   {', '.join(f'{s:.2f}' for s in seconds)}",
                    flush=True,
                )
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
