"""What inverting the shipped MNIST GAN reaches and costs: ``python -m tests.benchmarks.bench_inversion``.

The first 100 MNIST test images together: squared error an image, summed over its 784 pixels, and seconds of wall clock,
for the regressor alone and with gradient steps; loading the regressor is not in it.
"""

import torch

from core import datasets, shipped
from core.runs import layout, reader
from core.tasks import inverter_training
from tests.benchmarks.serving import show_median

TIMES = 3
N_IMAGES = 100


def main(arguments: list[str]) -> None:
    spec = next(shipped.shipped_specs(["mnist/gan"]))
    inverter = inverter_training.load_inverter(spec.key, reader.read_estimator(layout.place_of(layout.SHIPPED, spec)))
    X = datasets.load("mnist").floats("test")[:N_IMAGES]
    default, threads = inverter.n_steps, torch.get_num_threads()
    print(f"MNIST GAN, {N_IMAGES} test images, at most 30 in 20 s")
    try:
        for n_threads in sorted({1, threads}):
            torch.set_num_threads(n_threads)
            for n_steps in (0, 25, default, 2 * default):
                inverter.set_params(n_steps=n_steps)
                inverter.invert(X[:10])  # the first call prepares kernels for the later ones
                found = [inverter.invert(X) for _ in range(TIMES)]
                name = f"{n_threads} threads, regressor and {n_steps} steps: error {found[0].errors.mean():.2f}"
                show_median(f"{name}, s", [each.seconds for each in found])
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    main([])
