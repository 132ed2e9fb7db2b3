"""All benchmarks in turn; with ``--long`` also the GAN, which takes five minutes a seed."""

import importlib
import sys

IMAGES = "training faces compare opening tour embeddings latent inversion"
OTHERS = "documents tables labelled mechanisms measuring live load room"

for name in f"{IMAGES} {OTHERS}".split():
    main = importlib.import_module(f"tests.benchmarks.bench_{name}").main
    main(["--long"] if name == "training" and "--long" in sys.argv else [])
