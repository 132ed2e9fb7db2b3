"""The sentences of Compare; one that names a winner takes it from the paired intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.datasets import Entry
from core.metrics import DEFINITIONS
from core.types import IMAGES
from pages.ui.numbers import number
from pages.ui.runs import NOT_RANKED_AGAINST_CODES, OF_CODES, Line
from pages.ui.text import listed

_SPELLED = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def compared(entry: Entry, size: int, lines: Sequence[Line]) -> str:
    """What is being compared."""
    coders = [line.label for line in lines if line.method != "gan"]
    numbers = "one number" if size == 1 else f"{size} numbers"
    what = "each image" if entry.kind == IMAGES else "the words of each document"
    ways = _SPELLED[len(coders)] if len(coders) < len(_SPELLED) else str(len(coders))
    sentence = f"{ways} ways to squeeze {what} of {entry.label} through {numbers} and rebuild it: {listed(coders)}"
    return sentence + ("; and a GAN, which only makes new ones." if len(coders) < len(lines) else ".")


def made(entry: Entry, lines: Sequence[Line]) -> str:
    """How the numbers were made."""
    runs = [line.run for line in lines if line.run]
    if not runs:
        return ""
    rows = "images" if entry.kind == IMAGES else "documents"
    shown = max(len(run.views["shown_rows"]) for run in runs)
    n_test = _span([run.environment["n_test"] for run in runs])
    chosen = f"the same {shown:,} of them" + (" in every row, stratified by class" if entry.has_labels else "")
    maps = "them all" if n_test == f"{shown:,}" else chosen
    return (
        f"Trained on {_span([run.environment['n_train'] for run in runs])} {rows}, measured on {n_test} test {rows} "
        f"no method had seen; the maps show {maps}."
    )


def changed(entry: Entry, libraries: Sequence[str]) -> str:
    """That the data on this machine are no longer those of the runs, and what to do."""
    return (
        f"{entry.label} are taken from installed libraries, and {listed(libraries)} had another release when these "
        "runs were made: a fit on this machine learns from other documents. The lines under “Each run again”, in “All "
        "measures”, fit the methods anew."
    )


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def verdict(lines: Sequence[Line], winners: Mapping[str, str | None]) -> str:
    """Who is best at what, where the rows can tell."""
    unranked = any(line.run and line.method in NOT_RANKED_AGAINST_CODES for line in lines)
    won: dict[str, list[str]] = {}
    for metric, method in winners.items():
        if method:
            name = DEFINITIONS[metric].label
            value = number(_value(lines, method, metric))
            superlative = "the best" if DEFINITIONS[metric].higher_is_better else "the least"
            among = " of the codes" if unranked and metric in OF_CODES else ""
            won.setdefault(method, []).append(f"{superlative} {_lowered(name)}{among} ({value})")
    labels = {line.method: line.label for line in lines}
    parts = [f"{labels[method]} has {listed(names)}" for method, names in won.items()]
    rivals = {metric: sum(line.run is not None and metric in line.run.metrics for line in lines) for metric in winners}
    open_ones = [_lowered(DEFINITIONS[m].label) for m, method in winners.items() if not method and rivals[m] > 1]
    if open_ones:
        parts.append(f"no method is told from its runner-up in {listed(open_ones)}")
    sentence = "; ".join(parts)
    return f"On these rows, {sentence}." if sentence else ""


def _lowered(label: str) -> str:
    return label if label[:1] == "k" else label[:1].lower() + label[1:]


def _value(lines: Sequence[Line], method: str, metric: str) -> float:
    return next(line.run.metrics[metric] for line in lines if line.method == method)
