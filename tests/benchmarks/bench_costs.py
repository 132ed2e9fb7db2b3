"""Predicted seconds and memory of trainings of tables against what they take.

Each training runs in a process of its own, on one thread, and its processor time counts: it hardly depends on other
processes. ``python -m tests.benchmarks.bench_costs [ROWSxCOLUMNS ...]``
"""

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

SHAPES = ((200, 4), (2000, 20), (10_000, 50), (30_000, 100), (100_000, 200))
_ROOT = Path(__file__).parents[2]


def make_table(n: int, n_columns: int, seed: int = 0) -> bytes:
    """A Parquet file of correlated numbers, a quarter of them cut into four categories, and three classes."""
    random = np.random.default_rng(seed)
    factors = random.standard_normal((n, 8))
    X = factors @ random.standard_normal((8, n_columns)) + random.standard_normal((n, n_columns))
    frame = pd.DataFrame(X.astype(np.float32)).rename(columns="f{}".format)
    for k in range(0, n_columns, 4):
        frame[f"f{k}"] = pd.Categorical.from_codes(np.digitize(X[:, k], (-2, 0, 2)), list("abcd"))
    frame["class"] = pd.Categorical.from_codes(np.digitize(factors[:, 0], (-0.5, 0.5)), list("xyz"))
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def train(dataset: str, method: str, preset: str, size: int) -> None:
    """Train once in this process, and print what it took."""
    from core import datasets, methods
    from core.experiments import fit
    from core.runs import presets, specs

    if "epochs" in {param.name for param in methods.get(method).params}:
        from core.nn import training  # noqa: F401 - a worker imports torch once
    settings = presets.list_presets(dataset, method, size).get(preset, {})
    spec = specs.make_at_size(dataset, method, size, settings)
    import sklearn.compose
    import sklearn.manifold  # noqa: F401

    stages = [("load", time.process_time())]
    data = datasets.load(dataset)
    fit.fit_and_store(spec, data, first_only=True, on_stage=lambda stage: stages.append((stage, time.process_time())))
    ends = [*(when for _, when in stages[1:]), time.process_time()]
    seconds: dict[str, float] = {}
    for (stage, start), end in zip(stages, ends, strict=True):
        seconds[stage or "Describing"] = seconds.get(stage or "Describing", 0) + end - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps({"megabytes": peak * 1.024, "seconds": seconds}))


def measure(dataset: str, method: str, preset: str = "quick", size: int = 2) -> dict:
    """What `train` prints, from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_costs", "--train", dataset, method, preset, str(size)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    from core import datasets
    from core.datasets.own import recipe, store
    from core.runs import presets
    from core.tasks import training_cost, training_time

    training_time.measure_speed()
    while (speed := training_time.read_speed()) is None:
        time.sleep(1)
    print(f"{'rows x columns':>14}  {'method':9}  {'s':>6} predicted  ratio  {'MB':>6} predicted  ratio")
    for n, n_columns in [tuple(map(int, shape.split("x"))) for shape in sys.argv[1:]] or SHAPES:
        content = make_table(n, n_columns)
        brought = store.read_file(content, "table.parquet")
        made = recipe.make_recipe(brought.columns, brought.table.format)
        dataset = store.add(content, "table.parquet", brought.table, made)
        del brought
        expected = training_cost.predict_table(datasets.entry(dataset), 2, presets.SECONDS, speed)
        for method, cost in expected.items():
            took = measure(dataset, method)
            seconds, megabytes = sum(took["seconds"].values()), took["megabytes"]
            print(
                f"{n:7,} x {n_columns:4}  {method:9}  {seconds:6.1f} {cost.seconds:9.1f}  {seconds / cost.seconds:5.2f}"
                f"  {megabytes:6.0f} {cost.megabytes:9.0f}  {megabytes / cost.megabytes:5.2f}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(*sys.argv[2:5], int(sys.argv[5]))
    elif "HOURGLASS_RUNS" in os.environ:
        main()
    else:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HOURGLASS_RUNS"] = folder
            main()
