"""Signs that a training failed in a known way, read from what its run stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.types import Run

# Burda et al. 2016, section 5.1: a dimension is active where the variance of its posterior mean over rows exceeds this.
ACTIVE_VARIANCE = 0.01
# A share of the samples below this part of a class's share in the data counts as none.
LOST_SHARE = 0.1
# A dimension of a deterministic code is constant where it varies by less than this part of the widest one.
CONSTANT_DEVIATION = 1e-3
# While a VAE trains: from this share of the training on, a KL term of fewer nats counts as collapsed.
LOW_KL, EARLY_SHARE = 0.1, 0.1

COLLAPSE, DEAD_DIMENSIONS, LOST_CLASSES, DIVERGENCE = (
    "posterior collapse",
    "dead dimensions",
    "lost classes",
    "divergence",
)


@dataclass(frozen=True)
class Finding:
    """One sign of a failed training.

    Attributes
    ----------
    kind : `COLLAPSE`, `DEAD_DIMENSIONS`, `LOST_CLASSES` or `DIVERGENCE`.
    sentence : what was found and what to do, with its numbers.
    is_severe : whether the run is of little use.
    """

    kind: str
    sentence: str
    is_severe: bool = True


def diagnose(run: Run) -> list[Finding]:
    """What a run shows of posterior collapse, dead dimensions, lost classes and divergence; empty where nothing.

    Parameters
    ----------
    run : with its views; what it does not hold is not judged.

    References
    ----------
    Burda, Grosse and Salakhutdinov 2016, Importance weighted autoencoders (active units).
    """
    has_posterior = "kl" in run.metrics and "codes" in run.views
    posterior = find_collapse(run.metrics["kl"], run.views["codes"]) if has_posterior else None
    if posterior and posterior.is_severe:
        return [posterior]  # a collapsed code explains everything else
    found = [posterior, _find_constant_dimensions(run), _find_lost_classes(run), _find_divergence(run)]
    return [finding for finding in found if finding]


def find_active_dimensions(codes: np.ndarray) -> np.ndarray:
    """Which dimensions of posterior means (n, n_components) are active: (n_components,) bool."""
    return np.asarray(codes, np.float64).var(axis=0) > ACTIVE_VARIANCE


def find_collapse(kl: float, codes: np.ndarray) -> Finding | None:
    """Posterior collapse: at least half of the dimensions are inactive; severe where all are.

    Parameters
    ----------
    kl : KL divergence of the posterior from the prior in nats, a mean over rows.
    codes : (n, n_components) posterior means.
    """
    active = find_active_dimensions(codes)
    unused, size = int((~active).sum()), len(active)
    if not unused or 2 * unused < size:
        return None
    if unused == size:
        begin, remedy = "Posterior collapse", "lower beta"
        scale = "kNN accuracy and the map ignore scale, so they still show the small differences between the means. "
    else:
        begin, remedy = "Partial posterior collapse", "lower beta, or use fewer dimensions"
        scale = ""
    return Finding(
        COLLAPSE,
        f"{begin}: the KL term is {kl:.2f} nats and {unused} of {size} latent dimensions are unused (their "
        f"posterior mean has a variance of at most {ACTIVE_VARIANCE:g}). {scale}To use more, {remedy}.",
        is_severe=unused == size,
    )


def find_early_collapse(row: Mapping[str, float]) -> Finding | None:
    """Posterior collapse under way, from the latest row of a training's history; see `core.nn.training.train`."""
    if row.get("share", 0.0) < EARLY_SHARE or row.get("kl", LOW_KL) >= LOW_KL:
        return None
    return Finding(
        COLLAPSE,
        f"the KL term is {row['kl']:.2f} nats, so the posterior is collapsing to the prior and the latent dimensions "
        "carry almost nothing: lower beta.",
    )


def _find_constant_dimensions(run: Run) -> Finding | None:
    if "kl" in run.metrics or "codes" not in run.views:
        return None
    deviations = run.views["codes"].astype(np.float64).std(axis=0)
    constant = int((deviations <= CONSTANT_DEVIATION * deviations.max(initial=0)).sum())
    if not constant:
        return None
    return Finding(
        DEAD_DIMENSIONS,
        f"{constant} of {len(deviations)} latent dimensions are constant on the test rows, so they carry nothing: "
        "lower the learning rate, or train with another seed.",
    )


def _find_lost_classes(run: Run) -> Finding | None:
    """Of a network that was trained to sample: one with a generator, or with a prior."""
    shares = run.metrics.get("class_shares")
    trained_to_sample = "kl" in run.metrics or (run.history and "generator_loss" in run.history[-1])
    if not shares or not trained_to_sample:
        return None
    labels = run.views.get("labels", np.arange(len(shares)))
    expected = np.bincount(labels[labels >= 0], minlength=len(shares)) / max(1, (labels >= 0).sum())
    lost = [
        f"{name} ({share:.1%})"
        for (name, share), usual in zip(shares.items(), expected, strict=True)
        if share < LOST_SHARE * usual
    ]
    if not lost:
        return None
    classes = "class" if len(lost) == 1 else "classes"
    return Finding(
        LOST_CLASSES,
        f"The samples have lost {len(lost)} of {len(shares)} classes: a classifier assigns less than a "
        f"tenth of the data's share to {classes} {', '.join(lost)}. Train longer, or change the learning rate.",
    )


def _find_divergence(run: Run) -> Finding | None:
    """One loss that ends above where it began. The losses of an adversarial game are no measure of progress."""
    losses = [row["loss"] for row in run.history if "loss" in row]
    if len(losses) < 2 or losses[-1] <= losses[0]:
        return None
    return Finding(
        DIVERGENCE,
        f"The training loss rose from {losses[0]:.3g} in the first epoch to {losses[-1]:.3g} in the last: lower the "
        "learning rate.",
    )
