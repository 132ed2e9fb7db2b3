"""How generated images compare with real ones, by each distribution that their codes are sampled from."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.analysis.codes import to_pixels
from core.analysis.samplers import MIXTURE, NORMAL, CodeSampler, describe_sampler
from core.analysis.table_rows import draw_rows
from core.datasets import subsets
from core.experiments.scores import Scores, Subject, compute_once
from core.metrics import bootstrap, generation, memorization
from core.types import TABLES, Dataset, as_floats, pack_metrics, unpack_metrics

_SHOWN_SAMPLES, _MOST_SAMPLES = 64, 10_000
# Samples, and test rows, whose nearest training rows are looked for.
REMEMBERED = 1_000
SAMPLED = ("frechet", "precision", "recall", "coverage")


def show_samples(subject: Subject) -> Scores:
    """Generate the images that pages show, and keep the distributions that are quick to fit."""
    first = subject.sampler_kinds[0]
    codes = subject.fit_sampler(first).sample(_SHOWN_SAMPLES, 0)
    is_table = subject.dataset.kind == TABLES
    samples = _generate(subject, codes) if is_table else to_pixels(subject.estimator.inverse_transform(codes))
    # A mixture takes longer: it comes with the scores of its samples.
    views = _pack_samplers([subject.fit_sampler(kind) for kind in subject.sampler_kinds if kind != MIXTURE])
    notes = {"samples": describe_sampler(subject.estimator, first)}
    return Scores(views={"samples": samples, **views}, notes=notes)


def _generate(subject: Subject, codes: np.ndarray) -> np.ndarray:
    """Rows of a table or binary images drawn from codes, or images in [0, 1]: (n, n_features)."""
    if subject.dataset.kind == TABLES:
        return draw_rows(subject.estimator, codes, subject.dataset.blocks)
    means = np.clip(subject.estimator.inverse_transform(codes), 0, 1)
    if not subject.dataset.is_binary:
        return means
    return (np.random.default_rng(0).random(means.shape, np.float32) < means).astype(np.float32)


def evaluate_samples(subject: Subject, on_stage: Callable[[str], None] = lambda stage: None) -> Scores:
    """Score as many samples as there are test rows of each distribution, and test rows in their place.

    Those of the first distribution have no prefix, the others' metrics are named ``<kind>.<name>``. The views are
    ``sampler.<kind>.<array>``, and ``nearest.<kind>`` and ``nearest.test``, the distances of samples and of test rows
    to their nearest training row.
    """
    from core.analysis.feature_space import get_feature_space

    dataset = subject.dataset
    space = get_feature_space(dataset)
    n = min(_MOST_SAMPLES, len(dataset.y_test), len(dataset.y_train))
    real, references = _measure_references(space, dataset, n)
    scores = Scores(views={"nearest.test": references.pop("nearest")}, notes={"features": space.description})
    samplers = {kind: subject.fit_sampler(kind) for kind in subject.sampler_kinds}
    first_samples = []
    for k, (kind, sampler) in enumerate(samplers.items()):
        prefix = f"{kind}." if k else ""
        on_stage(f"Measuring the samples, {k + 1} of {len(samplers)}")
        samples = _generate(subject, sampler.sample(n, 0))
        features = space.features(samples)
        _compare_with_real(scores, prefix, real, features)
        if space.head is not None:
            shares = generation.class_shares(space.head(features), len(dataset.target_names)).tolist()
            scores.by_class[f"{prefix}class_shares"] = dict(zip(dataset.target_names, shares, strict=True))
        first_samples.append(samples[:REMEMBERED])
    on_stage("Looking for the nearest training rows")
    # Of all samplers at once: the training rows are gone through once.
    found = memorization.nearest_training_rows(np.concatenate(first_samples), dataset.X_train)
    ends = np.cumsum([len(samples) for samples in first_samples])[:-1]
    distances, is_copy = np.split(found.distances[:, 0], ends), np.split(found.is_copy, ends)
    for k, kind in enumerate(samplers):
        scores.views[f"nearest.{kind}"] = distances[k].astype(np.float32)
        scores.add_share(f"{kind}.copies" if k else "copies", is_copy[k])
    scores.views |= _pack_samplers(samplers.values())
    scores.metrics.update(unpack_metrics(references))
    return scores


def _pack_samplers(samplers: Sequence[CodeSampler]) -> dict[str, np.ndarray]:
    fitted = [sampler for sampler in samplers if sampler.kind != NORMAL]
    return {f"sampler.{sampler.kind}.{name}": a for sampler in fitted for name, a in sampler.arrays().items()}


def _compare_with_real(scores: Scores, prefix: str, real: generation.RealRows, features: np.ndarray) -> None:
    distance = generation.frechet_distance(features, real.real)
    interval = generation.frechet_interval(features, real.real)
    scores.add(f"{prefix}frechet", distance, interval, len(features))
    for name, counts in real.scores(features).items():
        scores.add_share(f"{prefix}{name}", counts)


def _measure_references(space: Any, dataset: Dataset, n: int) -> tuple[generation.RealRows, dict[str, np.ndarray]]:
    """The test rows to compare with, and train and test rows scored in the place of samples, once for all methods."""
    from core.analysis import feature_space

    def compute() -> dict[str, np.ndarray]:
        X_test = dataset.floats("test")
        chosen, few = (subsets.choose_by_content(dataset.X_test, dataset.y_test, size) for size in (n, REMEMBERED))
        rows, scores = generation.RealRows(space.features(X_test[chosen])), Scores()
        # What a perfect sampler's rows would be like.
        drawn = np.random.default_rng(0).choice(len(dataset.y_train), n, replace=False)
        _compare_with_real(scores, "", rows, space.features(as_floats(dataset.X_train[drawn], dataset.kind)))
        nearest = memorization.nearest_training_rows(X_test[few], dataset.X_train)
        scores.add_share("copies", nearest.is_copy)
        floors = {f"{name}_floor": a for name, a in pack_metrics(scores.metrics).items()}
        distances = nearest.distances[:, 0].astype(np.float32)
        return {**floors, "nearest": distances, "real": rows.real, "squared_radii": rows.squared_radii}

    modules = feature_space, generation, bootstrap, memorization, subsets, __file__
    kept = compute_once("of-samples", modules, compute, dataset.checksum, space.description, space.digest, n)
    return generation.RealRows(kept.pop("real"), squared_radii=kept.pop("squared_radii")), kept
