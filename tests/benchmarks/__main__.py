"""All benchmarks in turn; with ``--long`` also the GAN, which takes five minutes a seed."""

import importlib
import sys

NAMES = "training faces opening documents topics embeddings latent inversion labelled mechanisms measuring live load"

for name in NAMES.split():
    main = importlib.import_module(f"tests.benchmarks.bench_{name}").main
    main(["--long"] if name == "training" and "--long" in sys.argv else [])
