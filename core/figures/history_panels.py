"""What of a training's history is drawn: which terms share a panel, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.types import spread_indices

# What stands in one panel of `progress`, and its title.
_PANELS = (
    ("Loss", ("loss", "validation_loss")),
    ("Reconstruction", ("reconstruction", "validation_reconstruction")),
    ("KL divergence", ("kl", "validation_kl")),
    ("Losses of the players", ("discriminator_loss", "generator_loss")),
    ("Discriminator's mean score", ("score_real", "score_generated", "validation_score_real")),
)
NAMES = {
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "score_real": "real",
    "score_generated": "generated",
    "validation_score_real": "set aside",
    **dict.fromkeys(("loss", "reconstruction", "kl"), "training"),
    **dict.fromkeys(("validation_loss", "validation_reconstruction", "validation_kl"), "set aside"),
}
AXES = {"epoch": "epoch", "seconds": "seconds of training"}
_MOST_POINTS = 600


def list_panels(histories: Mapping[str, Sequence[Mapping[str, Any]]], unit: str) -> list[tuple[str, list[str]]]:
    """The titles of the panels that histories fill, with the unit, and the terms in each.

    Parameters
    ----------
    histories : label -> rows, one an epoch
    unit : of the loss and its terms; scores are probabilities
    """
    known = {term for rows in histories.values() for row in rows for term in row}
    found = []
    for title, terms in _PANELS:
        of = "probability" if terms[0].startswith("score") else unit
        if there := [term for term in terms if term in known]:
            found.append((f"{title}, {of}" if of else title, there))
    return found


def thin_rows(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """At most about 600 of the rows, the last one included: a line has no more pixels."""
    return [rows[k] for k in spread_indices(len(rows), _MOST_POINTS)]
