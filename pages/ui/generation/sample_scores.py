"""Scores of the samples: findings in sentences, a table, predicted classes, and distances to training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np
import streamlit as st

from core import methods
from core.analysis import samplers
from core.metrics.definitions import get_definition
from core.types import ROW_NAMES, TABLES, Measurement
from pages.ui.generation.run_samplers import NO_TRUNCATION, Draw, RunSampler, find_floor
from pages.ui.shared import charts, header, page_state, tables
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.number_format import counted, interval, number
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, join_words, plain

_MEASURES = ("frechet", "precision", "recall", "coverage", "copies")


def draw(usable: Sequence[RunSampler], how: Draw) -> None:
    st.header("Sample quality", anchor=False)
    counts = _shared_counts(usable)
    st.html('<div class="hg-sideways hg-note">Scroll the table sideways for all measures.</div>')
    definitions = [get_definition(name, _kind(usable)) for name in _MEASURES]
    head = ["Samples", *(definition.label for definition in definitions)]
    tables.draw(head, _rows(usable, counts), "samples", kind="hg-sampled")
    st.caption(plain(_about_table(usable, how, counts)))
    with st.expander("How these are computed"):
        for definition in definitions:
            st.markdown(f"**{plain(definition.label)}.** {plain(definition.help)}")
    methods_by_label = {sampler.label: sampler.line.method for sampler in usable}
    _draw_classes(usable, methods_by_label)
    _draw_distances(usable, methods_by_label)


def _kind(usable: Sequence[RunSampler]) -> str:
    return usable[0].line.run.environment["kind"]


def describe_findings(usable: Sequence[RunSampler], size: int) -> str:
    """Say which sampler has the lowest Fréchet distance, whether a fitted prior pays, and who repeats training rows.

    Latent dimensions other than `size` are written behind a sampler's name.
    """
    ranking = samplers.rank_samplers({sampler.label: sampler.scores for sampler in usable})
    findings = [_lowest(usable, ranking, size), _mixture_or_prior(usable, ranking)] if len(ranking.order) > 1 else []
    return " ".join(filter(None, [*findings, _below_floor(usable), _near_duplicates(usable)]))


def _below_floor(usable: Sequence[RunSampler]) -> str:
    """What a distance below that of training rows means."""
    floor = find_floor(usable).get("frechet_floor")
    if floor is None or all(s.scores["frechet"].value >= floor.value for s in usable if "frechet" in s.scores):
        return ""
    rows = f"{ROW_NAMES[_kind(usable)]}s"
    return f"Training {rows} in their place have {number(floor.value)}: a distance below that is no better."


def _lowest(usable: Sequence[RunSampler], ranking: samplers.Ranking, size: int) -> str:
    by_label = {sampler.label: sampler for sampler in usable}
    first = [by_label[label] for label in (ranking.order[0], *ranking.tied)]
    names = join_words([s.label + ("" if s.size == size else f" {s.size}-D") for s in first])
    values = " to ".join(dict.fromkeys(number(s.scores["frechet"].value) for s in (first[0], first[-1])))
    if ranking.is_significant:
        return f"Lowest Fréchet distance: {names} ({values}), significantly lower than all others."
    return f"Lowest Fréchet distances: {names} ({values}), not significantly different."


def _mixture_or_prior(usable: Sequence[RunSampler], ranking: samplers.Ranking) -> str:
    """Compare a mixture fitted to an AE's codes with a VAE's prior, unless both are tied for the lowest distance."""
    names = {}
    for sampler in usable:
        if sampler.kind == methods.MIXTURE:
            names[sampler.label] = f"{sampler.line.entry.label} with a mixture fitted after training"
        elif sampler.is_prior and sampler.line.entry.encodes:
            names[sampler.label] = f"{sampler.line.entry.label} with its prior"
    scores = {sampler.label: sampler.scores for sampler in usable if sampler.label in names}
    pair = samplers.rank_samplers(scores)
    if len(pair.order) < 2 or {*names} <= {ranking.order[0], *ranking.tied}:
        return ""
    verb = "is significantly better than" if pair.is_significant else "is not significantly different from"
    values = " against ".join(number(scores[label]["frechet"].value) for label in pair.order)
    return f"The {names[pair.order[0]]} {verb} the {names[pair.order[1]]} ({values})."


def _near_duplicates(usable: Sequence[RunSampler]) -> str:
    floor = next(filter(None, (sampler.line.run.metrics.get("copies_floor") for sampler in usable)), None)
    if floor is None or not any("copies" in sampler.scores for sampler in usable):
        return ""
    flagged = [s.label for s in usable if samplers.has_excess_copies(s.scores, floor)]
    who = f"Memorisation: {join_words(flagged)}" if flagged else "No method"
    rows = f"{ROW_NAMES[_kind(usable)]}s"
    return f"{who} produces near-duplicates of training {rows} more often than test {rows} do."


def _shared_counts(usable: Sequence[RunSampler]) -> dict[str, int]:
    """Return the number of samples of each measure that has the same number in every row of the table."""
    floor, counts = find_floor(usable), {}
    for name in _MEASURES:
        measured = [*(sampler.scores.get(name) for sampler in usable), floor.get(f"{name}_floor")]
        numbers = {scores.n for scores in measured if scores and scores.n}
        counts |= {name: numbers.pop()} if len(numbers) == 1 else {}
    return counts


def _rows(usable: Sequence[RunSampler], counts: Mapping[str, int]) -> list[list[Cell]]:
    rows = []
    for s in usable:
        cells = (_cell(s.scores, name, name in counts, s.line.run.pending) for name in _MEASURES)
        rows.append([tables.text(s.label), *cells])
    if floor := find_floor(usable):
        noun, copies = ROW_NAMES[_kind(usable)], get_definition("copies", _kind(usable)).label.lower()
        name, note = f"Training {noun}s", f"reference: a perfect sampler; {copies}: of test {noun}s"
        first = Cell(html(name) + make_note(note), name)
        rows.append([first, *(_cell(floor, f"{name}_floor", name in counts) for name in _MEASURES)])
    return rows


def _cell(scores: Mapping[str, Measurement], name: str, is_shared_count: bool, pending: Sequence[str] = ()) -> Cell:
    if name not in scores:
        return tables.text(tables.PENDING) if name in pending else tables.EMPTY
    notes = (interval(scores, name), "" if is_shared_count else counted(scores, name))
    below = "".join(map(make_note, filter(None, notes)))
    return Cell(f"{number(scores[name].value)}{below}", *astuple(scores[name]))


def _about_table(usable: Sequence[RunSampler], how: Draw, counts: Mapping[str, int]) -> str:
    parts = ["Estimates with 95% intervals"]
    for n in dict.fromkeys(counts.values()):
        names = [get_definition(name, _kind(usable)).label for name in counts if counts[name] == n]
        parts[0] += f"; n = {n:,}{'' if len(names) == len(counts) else f' ({join_words(names)})'}"
    if spaces := sorted({s.line.run.notes["features"] for s in usable if "features" in s.line.run.notes}):
        parts.append(f"Feature space: {' and '.join(spaces)}")
    if _kind(usable) == TABLES:
        drawn = "Numbers of a VAE and all categories are draws from p(x|z), independent of one another given z"
        parts.append(f"{drawn}; other numbers are the decoder's output")
    else:
        parts.append("Images are the means of p(x|z), not draws")
    if (how.temperature, how.truncation) != (1, NO_TRUNCATION):
        parts.append("Scores are for temperature 1 without truncation, independent of the choice above")
    unmeasured = [s.label for s in usable if "frechet" not in s.scores and "frechet" not in s.line.run.pending]
    if unmeasured:
        parts.append(f"Not measured: {join_words(unmeasured)}")
    return f"{'. '.join(parts)}."


def _draw_classes(usable: Sequence[RunSampler], methods_by_label: Mapping[str, str]) -> None:
    shares = {s.label: samplers.select_class_shares(s.line.run, s.kind) for s in usable}
    shares = {label: by_class for label, by_class in shares.items() if by_class}
    if not shares:
        return
    drawer = st.expander("Classes of the samples", key=page_state.key("classes"), on_change="rerun")
    if not drawer.open:
        return
    from core.figures import generated_samples  # plotly: most visits open no figure

    with drawer:
        st.markdown("Class of each sample, predicted by the shipped classifier. A class without samples: a lost mode.")
        run = usable[0].line.run
        labels, names = run.views.get("labels", np.empty(0, int)), run.notes.get("target_names", [])
        data = {name: float((labels == k).mean()) for k, name in enumerate(names)} if len(labels) else {}
        charts.draw(
            generated_samples.plot_class_shares(shares, data, methods_by_label, header.get_theme()), "class-shares"
        )


def _draw_distances(usable: Sequence[RunSampler], methods_by_label: Mapping[str, str]) -> None:
    noun = ROW_NAMES[_kind(usable)]
    label = f"Memorisation check: distances to the training {noun}s"
    drawer = st.expander(label, key=page_state.key("memory"), on_change="rerun")
    if not drawer.open:
        return
    from core.figures import generated_samples

    with drawer:
        views = [(sampler, sampler.line.run.views) for sampler in usable]
        distances = {s.label: held[f"nearest.{s.kind}"] for s, held in views if f"nearest.{s.kind}" in held}
        of_test = next((held["nearest.test"] for _, held in views if "nearest.test" in held), None)
        if not distances or of_test is None:
            st.markdown("These runs hold no distances: train them again.")
            return
        blurred = "rows near the mean" if noun == ROW_NAMES[TABLES] else "blurred images"
        st.markdown(
            f"Distance of up to 1,000 samples to the nearest training {noun}; a copy has distance 0. A curve left of "
            f"the test {noun}s' does not prove copying: {blurred} are close to everything."
        )
        theme = header.get_theme()
        figure = generated_samples.plot_nearest_distances(distances, of_test, methods_by_label, theme, noun)
        charts.draw(figure, "distances")
