"""Protocol of the comparison: rows, settings, budgets, and the tuning of each approach."""

import json

import numpy as np
import streamlit as st

from core import semi_supervised
from core.semi_supervised import settings
from core.types import DOCUMENTS, IMAGES, TABLES
from pages.ui.labelled_fraction.curve import CHOICES, View
from pages.ui.shared import cli_commands, tables
from pages.ui.shared.number_format import seconds
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, plain

_PRETRAINING = "Pre-training uses all training rows and no labels, once per method and seed for all numbers of labels."
_OF_IMAGES = (
    "The network from scratch has the architecture, the number of steps, the noise and the learning rate of the "
    "fine-tuned AE, and at least as many settings were tried for it. No approach uses augmentation or convolutions.",
    "The test error is that of all test rows; no approach is fitted to them. M1 and label spreading are transductive "
    "in the training rows: they use the unlabelled ones. A test row then gets the mean of its nearest training rows.",
)
_OF_DOCUMENTS = (
    "Word weights of the logistic regression come from its labelled documents alone, those of LSA, AE and VAE from all "
    "train documents. The test error is that of all test documents; no approach is fitted to them.",
)

_OF_TABLES = (
    "Every approach gets the same features: numbers scaled, a column for each category, missing cells filled, and "
    "further features that say which were missing. Scales and categories come from all train rows, without labels. AE, "
    "VAE and M2 leave filled cells out of their loss; gradient boosting sees the filled values too.",
    "Gradient boosting and logistic regression see the labelled rows only. The baseline is the mean of their "
    "probabilities, which had fewer errors than either where the settings were chosen.",
    *_OF_IMAGES,
)
_RULES = {IMAGES: _OF_IMAGES, DOCUMENTS: _OF_DOCUMENTS, TABLES: _OF_TABLES}
_ALIKE = {IMAGES: "images alike in number", DOCUMENTS: "collections of documents", TABLES: "tables"}

_HEAD = ("Approach", "What it is", "Unlabelled rows", "Settings tried", "Fit time (s)", "Pre-training (s)", "Settings")


def _settings(view: View) -> str:
    return (
        f"Settings were chosen once on {settings.get_chosen(view.entry.name).on}. They are the same for all numbers of "
        f"labels and seeds, and for all {_ALIKE[view.entry.kind]}. “Settings tried” is the number compared there; 1 "
        "means not tuned. No choice used test rows: an automated test permutes the test labels, and only the score "
        "changes."
    )


def draw(view: View, problems: list[str]) -> None:
    choice = (
        f"A seed chooses the labelled rows: {CHOICES[view.entry.kind]}, the same for every approach, nested subsets."
    )
    for rule in (choice, _PRETRAINING, _settings(view), *_RULES[view.entry.kind]):
        st.markdown(f"- {plain(rule)}")
    tables.draw(_HEAD, _rows(view), "settings")


def list_commands(view: View) -> list[str]:
    """The command lines that compute the results of a view, one for approaches with the same labels and seeds."""
    groups: dict[tuple, list[str]] = {}
    for name, of_count in view.errors.items():
        of_seeds: dict[int, list[int]] = {}
        for n, of_seed in sorted(of_count.items()):
            of_seeds.setdefault(1 + max(of_seed), []).append(n)
        for seeds, counts in of_seeds.items():
            groups.setdefault((tuple(counts), seeds), []).append(name)
    format_command = cli_commands.format_labelled_fraction
    return [format_command(view.entry.name, names, *choice) for choice, names in groups.items()]


def _rows(view: View) -> list[list[Cell]]:
    rows, tried = [], settings.get_chosen(view.entry.name).tried
    for name in semi_supervised.names(view.entry.kind):
        approach = semi_supervised.get(name)
        own = [row for row in view.rows if row["method"] == name]
        used, spelled = "used" if approach.sees_unlabelled else "not used", _spell_settings(name, view)
        texts = (approach.label, approach.summary, used, tried.get(name, "M1’s"))
        before = [row["pretraining_seconds"] for row in own if row["pretraining_seconds"]]
        spent = _median([row["seconds"] for row in own]), _median(before)
        note = Cell(f'<span class="hg-note">{html(spelled)}</span>', spelled)
        rows.append([*map(tables.text, texts), *spent, note])
    return rows


def _median(spent: list[float]) -> Cell:
    return Cell(seconds(float(np.median(spent))), float(np.median(spent)), n=len(spent)) if spent else tables.EMPTY


def _spell_settings(name: str, view: View) -> str:
    """An approach's settings, after those of its pre-training: ``"pre-training: width 512; n_steps 4000"``."""
    before = settings.get_pretraining(view.entry.name, semi_supervised.get(name).pretrained)
    groups = (("pre-training: ", before), ("", settings.get_settings(name, view.entry.name)))
    spelled = [(title, ", ".join(f"{k} {json.dumps(v)}" for k, v in group.items())) for title, group in groups]
    return "; ".join(f"{title}{text}" for title, text in spelled if text)
