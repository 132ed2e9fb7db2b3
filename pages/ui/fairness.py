"""What makes the comparison fair: rows, settings, budgets, and how each approach was tuned."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st

from core import approaches
from core.approaches import settings
from core.types import DOCUMENTS
from pages.ui import commands
from pages.ui.error_by_labels import View
from pages.ui.numbers import seconds
from pages.ui.text import Markup, html, plain

_SAME_ROWS = (
    "A seed chooses the labelled rows: equally many of each class, the same for every approach, those of a smaller "
    "number among those of a larger.",
    "Pre-training sees all training rows and no label. It is done once a method and seed, for all numbers of labels.",
)
_OF_IMAGES = (
    "The network from scratch has the architecture, the number of steps, the noise and the learning rate of the "
    "fine-tuned AE, and at least as many settings were tried for it. No image is augmented anywhere, and no network "
    "knows that pixels are neighbours.",
    "The test error is that of all test rows; no approach is fitted to them. M1 and label spreading are transductive "
    "in the training rows: unlabelled ones take part. Then a test row is given the mean of its nearest training rows.",
)
_OF_DOCUMENTS = (
    "Word weights of the logistic regression come from its labelled documents alone, those of LSA, AE and VAE from all "
    "train documents. The test error is that of all test documents; no approach is fitted to them.",
)


def _settings(view: View) -> str:
    alike = "collections of documents" if view.entry.kind == DOCUMENTS else "images alike in number"
    return (
        f"Settings were chosen once on {settings.chosen(view.entry.name).on}. They are the same for all numbers of "
        f"labels and seeds, and for all {alike}. “Settings tried” counts those that were held against one "
        "another there; 1 is one that was not tuned. No choice was made on test rows: a test of the "
        "project permutes the test labels, and nothing changes but the score."
    )


def draw(view: View, problems: list[str]) -> None:
    rules = _OF_DOCUMENTS if view.entry.kind == DOCUMENTS else _OF_IMAGES
    for rule in (*_SAME_ROWS, _settings(view), *rules):
        st.markdown(f"- {plain(rule)}")
    st.html(_table(view))
    if view.rows:
        st.caption("The commands that make these results; what is there is not computed again.")
        st.code("\n".join(_commands(view)), language=None, wrap_lines=True)


def _commands(view: View) -> list[str]:
    """A line for each group of approaches that were measured at the same numbers of labels over as many seeds."""
    groups: dict[tuple, list[str]] = {}
    for name, of_count in view.errors.items():
        of_seeds: dict[int, list[int]] = {}
        for n, of_seed in sorted(of_count.items()):
            of_seeds.setdefault(1 + max(of_seed), []).append(n)
        for seeds, counts in of_seeds.items():
            groups.setdefault((seeds, tuple(counts)), []).append(name)
    return [
        commands.labelled_fraction(view.entry.name, names, counts, seeds) for (seeds, counts), names in groups.items()
    ]


def _table(view: View) -> Markup:
    head = ("Approach", "What it is", "Unlabelled rows", "Settings tried", "Seconds a fit", "Pre-training", "Settings")
    rows, tried = [], settings.chosen(view.entry.name).tried
    for name in approaches.names(view.entry.kind):
        approach = approaches.get(name)
        own = [row for row in view.rows if row["method"] == name]
        spent = seconds(float(np.median([row["seconds"] for row in own]))) if own else "–"
        before = [row["pretraining_seconds"] for row in own if row["pretraining_seconds"]]
        rows.append(
            f"<tr><th scope='row'>{html(approach.label)}</th><td>{html(approach.summary)}</td>"
            f"<td>{'take part' if approach.sees_unlabelled else 'not seen'}</td>"
            f"<td>{tried.get(name, 'M1’s')}</td><td>{spent}</td>"
            f"<td>{seconds(float(np.median(before))) if before else '–'}</td>"
            f"<td class='hg-note'>{html(_spelled(name, view))}</td></tr>"
        )
    return Markup(
        '<div class="hg-wide"><table class="hg-table"><thead><tr>'
        + "".join(f'<th scope="col">{html(text)}</th>' for text in head)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _spelled(name: str, view: View) -> str:
    own = settings.of(name, view.entry.name)
    text = ", ".join(f"{key} {json.dumps(value)}" for key, value in own.items())
    if method := approaches.get(name).pretrained:
        before = ", ".join(f"{key} {json.dumps(v)}" for key, v in settings.pretraining(view.entry.name, method).items())
        text = f"pre-training: {before}; {text}" if text else f"pre-training: {before}"
    return text
