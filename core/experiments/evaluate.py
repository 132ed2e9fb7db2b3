"""Measure a fitted estimator on a data set: each part of the measuring has evaluators, whose scores are merged."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from core.analysis.codes import select_strip, to_pixels
from core.analysis.table_cells import Cells
from core.experiments.evaluate_codes import evaluate_codes, evaluate_structure
from core.experiments.evaluate_documents import evaluate_documents
from core.experiments.evaluate_samples import SAMPLED, evaluate_samples, show_samples
from core.experiments.scores import Scores, Subject
from core.metrics import embedding, pca_spectrum, reconstruction
from core.metrics.definitions import DEFINITIONS, IW_ROWS, IW_SAMPLES
from core.types import DOCUMENTS, IMAGES, TABLES

ON_STAGE = Callable[[str], None]
# Parts of the measuring, in order: the first is what pages that compare runs need at once, the others take longer.
FIRST, STRUCTURE, BOUND, SAMPLING = "first", "structure", "bound", "sampling"
# The metrics of the later parts.
METRICS = {
    STRUCTURE: ("probe_accuracy", "trustworthiness", "continuity", "silhouette", "kmeans_ari", "kmeans_nmi"),
    BOUND: ("iw_bound",),
    SAMPLING: (*SAMPLED, "copies", "class_shares", *(f"{name}_floor" for name in (*SAMPLED, "copies"))),
}


def _describe_rows(subject: Subject) -> Scores:
    """The rows that pages show, with their classes and, of images, the originals."""
    dataset, scores = subject.dataset, Scores(views={"shown_rows": subject.shown.astype(np.int32)})
    if dataset.has_labels:
        scores.views["labels"] = dataset.y_test[subject.shown].astype(np.int16)
        scores.notes["target_names"] = list(dataset.target_names)
    if subject.generates:
        strip = select_strip(dataset, subject.shown)
        scores.views["strip_rows"] = strip.astype(np.int32)
        if dataset.redistributable:
            scores.views["originals"] = dataset.X_test[strip]
    return scores


def evaluate_images(subject: Subject) -> Scores:
    """Score the reconstructions of test images."""
    scores, dataset = Scores(), subject.dataset
    reconstructions = subject.estimator.inverse_transform(subject.codes.Z_test)
    errors = reconstruction.squared_error(subject.X_test, reconstructions)
    scores.add_mean("squared_error", errors)
    if dataset.has_labels:
        by_class = reconstruction.class_means(scores.rows["squared_error"], dataset.y_test, dataset.target_names)
        scores.by_class["squared_error_per_class"] = by_class
    scores.views["reconstructions"] = to_pixels(reconstructions[select_strip(dataset, subject.shown)])
    if subject.can("noise_variance_"):
        scores.views["error_by_size"] = pca_spectrum.pca_error_by_size(dataset).astype(np.float32)
    return scores


def evaluate_tables(subject: Subject) -> Scores:
    """Score the reconstructions of test rows of a table, cell by cell."""
    scores, dataset = Scores(), subject.dataset
    reconstructions = subject.estimator.inverse_transform(subject.codes.Z_test)
    cells = Cells(dataset, np.arange(len(dataset.y_test)))
    errors = cells.compare(reconstructions)
    if (unexplained := errors.by_row(of_numbers=True)) is not None:
        scores.add_mean("unexplained_variance", unexplained)
    if (wrong := errors.by_row(of_numbers=False)) is not None:
        scores.add_mean("category_accuracy", 1 - wrong)
    names = [feature.name for feature in dataset.table.features]
    by_feature = zip(names, errors.by_feature().tolist(), strict=True)
    scores.by_class["error_per_feature"] = {name: error for name, error in by_feature if error == error}
    scores.views["feature_variances"] = cells.variances.astype(np.float32)
    scores.views["reconstructions"] = reconstructions[select_strip(dataset, subject.shown)].astype(np.float32)
    if subject.can("noise_variance_"):
        scores.views["error_by_size"] = pca_spectrum.pca_table_error_by_size(dataset).astype(np.float32)
    return scores


def evaluate_bound(subject: Subject) -> Scores:
    """Score the bound that a VAE maximises, in nats a row: sampled codes, and at the posterior mean."""
    scores = Scores()
    if len(subject.dataset.y_test) > 1:
        how = subject.known_cells
        errors, kl = subject.estimator.elbo_terms(subject.X_test, random_state=0, **how)
        scores.add_mean("neg_elbo", errors + kl)
        scores.add_mean("kl", kl)
        scores.add_mean("neg_elbo_at_mean", sum(subject.estimator.elbo_terms(subject.X_test, at_mean=True, **how)))
    return scores


def evaluate_weighted_bound(subject: Subject) -> Scores:
    """Score the importance-weighted bound of a part of the test rows."""
    scores, y = Scores(), subject.dataset.y_test
    if len(y) > 1:
        at = embedding.stratified_rows(y, IW_ROWS)
        how = {name: known[at] for name, known in subject.known_cells.items()}
        bound = subject.estimator.score_samples(subject.X_test[at], IW_SAMPLES, random_state=0, **how)
        scores.add_mean("iw_bound", -bound)
    return scores


def evaluate(subject: Subject, parts: Sequence[str] | None = None, on_stage: ON_STAGE = lambda stage: None) -> Scores:
    """Measure what applies to a fitted estimator; of a map of given rows, on these rows.

    `parts` are of `FIRST`, `STRUCTURE`, `BOUND` and `SAMPLING`, by default all; `on_stage` is called with a few words
    before each step. The views include ``rows.<name>``, each test row's score of a metric that methods are ranked by;
    the note ``pending`` has the names of the metrics of the parts left out.
    """
    scores, pending, can = Scores(), [], subject.can
    has_codes, has_bound = can("transform", "embedding_", "discriminator_features"), can("elbo_terms")
    by_kind = {IMAGES: evaluate_images, DOCUMENTS: evaluate_documents, TABLES: evaluate_tables}
    evaluate_outputs = by_kind[subject.dataset.kind]
    evaluate_generated = partial(evaluate_samples, on_stage=on_stage)
    for part, stage, applies, evaluator in (
        (FIRST, "", True, _describe_rows),
        (FIRST, "Measuring the codes", has_codes, evaluate_codes),
        (FIRST, "Measuring the reconstructions", can("transform"), evaluate_outputs),
        (FIRST, "Measuring the bound", has_bound, evaluate_bound),
        (FIRST, "", subject.generates, show_samples),
        (STRUCTURE, "Measuring clusters and neighbourhoods", has_codes, evaluate_structure),
        (BOUND, "Measuring the importance-weighted bound", has_bound, evaluate_weighted_bound),
        (SAMPLING, "Measuring the samples", subject.generates, evaluate_generated),
    ):
        if not applies:
            continue
        if parts is not None and part not in parts:
            pending += METRICS.get(part, ())
            continue
        if stage:
            on_stage(stage)
        scores.update(evaluator(subject))
    # A map's rows may be others than those that methods are ranked on.
    for name, rows in () if can("embedding_") else scores.rows.items():
        if DEFINITIONS[name].higher_is_better is not None:
            scores.views[f"rows.{name}"] = rows.astype(np.uint8 if np.isin(rows, (0, 1)).all() else np.float32)
    if pending:
        scores.notes["pending"] = pending
    return scores
