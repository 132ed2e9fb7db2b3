"""Signs that a training failed in a known way, read from what its run stores."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.analysis.decoder_export import ACTIVE_UNIT
from core.types import Run

# A share of the samples below this part of a class's share in the data counts as none.
_LOST_SHARE = 0.1
# A dimension of a deterministic code is constant where it varies by less than this part of the widest one.
_CONSTANT_DEVIATION = 1e-3
# While a VAE trains: from this share of the training on, a KL term of fewer nats counts as collapsed.
_EARLY_SHARE, _LOW_KL = 0.1, 0.1

COLLAPSE, DEAD_DIMENSIONS = "posterior collapse", "dead dimensions"
LOST_CLASSES, DIVERGENCE = "lost classes", "divergence"


@dataclass(frozen=True)
class Finding:
    """A sign of a failed training, its remedy, and whether the run is of little use."""

    kind: str
    sentence: str
    is_severe: bool = True


def diagnose(run: Run) -> list[Finding]:
    """Find signs of posterior collapse, dead dimensions, lost classes and divergence in a run."""
    posterior = _find_collapse(run)
    if posterior and posterior.is_severe:
        return [posterior]  # a collapsed code explains everything else
    describe = {
        DEAD_DIMENSIONS: _describe_constant_dimensions,
        LOST_CLASSES: _describe_lost_classes,
        DIVERGENCE: _describe_divergence,
    }
    findings = [Finding(kind, sentence) for kind, function in describe.items() if (sentence := function(run))]
    return [posterior, *findings] if posterior else findings


def _find_collapse(run: Run) -> Finding | None:
    """Find posterior collapse: half of the dimensions are inactive; severe where all are."""
    if "kl" not in run.metrics or "codes" not in run.views:
        return None
    active = run.views["codes"].astype(np.float64).var(axis=0) > ACTIVE_UNIT
    unused, size, kl = int((~active).sum()), len(active), run.metrics["kl"].value
    if not unused or 2 * unused < size:
        return None
    begin, scale, remedy = "Partial posterior collapse", "", "lower beta, or use fewer dimensions"
    if unused == size:
        begin, remedy = "Posterior collapse", "lower beta"
        scale = "kNN accuracy and the map ignore scale, so they still show the small differences between the means. "
    return Finding(
        COLLAPSE,
        f"{begin}: the KL term is {kl:.2f} nats and {unused} of {size} latent dimensions are unused (their "
        f"posterior mean has a variance of at most {ACTIVE_UNIT:g}). {scale}To use more, {remedy}.",
        is_severe=unused == size,
    )


def find_early_collapse(row: Mapping[str, float]) -> Finding | None:
    """Find posterior collapse under way in the latest row of a training's history."""
    if row.get("share", 0.0) < _EARLY_SHARE or row.get("kl", _LOW_KL) >= _LOW_KL:
        return None
    return Finding(
        COLLAPSE,
        f"the KL term is {row['kl']:.2f} nats, so the posterior is collapsing to the prior and the latent dimensions "
        "carry almost nothing: lower beta.",
    )


def _describe_constant_dimensions(run: Run) -> str:
    if "kl" in run.metrics or "codes" not in run.views:
        return ""
    deviations = run.views["codes"].astype(np.float64).std(axis=0)
    constant = int((deviations <= _CONSTANT_DEVIATION * deviations.max(initial=0)).sum())
    sentence = (
        f"{constant} of {len(deviations)} latent dimensions are constant on the test rows, so they carry nothing: "
        "lower the learning rate, or train with another seed."
    )
    return sentence if constant else ""


def _describe_lost_classes(run: Run) -> str:
    """Of a network that was trained to sample: one with a generator, or with a prior."""
    shares = run.by_class.get("class_shares")
    trained_to_sample = "kl" in run.metrics or (run.history and "generator_loss" in run.history[-1])
    if not shares or not trained_to_sample:
        return ""
    labels = run.views.get("labels", np.arange(len(shares)))
    expected = np.bincount(labels[labels >= 0], minlength=len(shares)) / max(1, (labels >= 0).sum())
    usual = dict(zip(shares, expected, strict=True))
    lost = [f"{name} ({share:.1%})" for name, share in shares.items() if share < _LOST_SHARE * usual[name]]
    classes = "class" if len(lost) == 1 else "classes"
    sentence = (
        f"The samples have lost {len(lost)} of {len(shares)} classes: a classifier assigns less than a "
        f"tenth of the data's share to {classes} {', '.join(lost)}. Train longer, or change the learning rate."
    )
    return sentence if lost else ""


def _describe_divergence(run: Run) -> str:
    """Of a loss that ends above where it began; adversarial losses do not count."""
    losses = [row["loss"] for row in run.history if "loss" in row]
    if len(losses) < 2 or losses[-1] <= losses[0]:
        return ""
    rise = f"from {losses[0]:.3g} in the first epoch to {losses[-1]:.3g} in the last"
    return f"The training loss rose {rise}: lower the learning rate."
