"""A table of metrics with intervals and sample sizes, one column a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.metrics.definitions import Definition, get_definition
from pages.ui.shared import measurement_progress, stored_runs, tables
from pages.ui.shared.number_format import counted, interval, number, seconds
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html


def draw_table(
    shown: Sequence[Line], keys: Iterable[str], name: str, facts: Mapping[str, Callable[[Line], str]] | None = None
) -> None:
    """Draw a row for each metric of `keys` that a run has, and for each of `facts`."""
    kind = shown[0].run.environment["kind"] if shown else ""
    rows = [
        _make_row(get_definition(key, kind), shown, stored_runs.find_best(shown, key))
        for key in keys
        if any(key in line.run.metrics or key in line.run.pending for line in shown)
    ]
    rows += [
        [tables.text(title), *(tables.text(fact(line)) for line in shown)] for title, fact in (facts or {}).items()
    ]
    tables.draw(["Measure", *(line.label for line in shown)], rows, name, kind="hg-measures")


def _make_row(definition: Definition, shown: Sequence[Line], best: str | None) -> list[Cell]:
    unit = f' <span class="hg-note">({html(definition.unit)})</span>' if definition.unit else ""
    name = Cell(
        f"<details><summary>{html(definition.label)}{unit}</summary>"
        f'<div class="hg-help">{html(definition.help)}</div></details>',
        definition.title,
    )
    return [name, *(_make_cell(definition.key, line, line.run.key == best) for line in shown)]


def _make_cell(key: str, line: Line, is_best: bool) -> Cell:
    metrics = line.run.metrics
    if key not in metrics:
        return measurement_progress.make_cell(line.run, key)
    # The unit of seconds is in the row's name.
    measured = metrics[key]
    value = html(seconds(measured.value).removesuffix(" s")) if key == "seconds" else number(measured.value)
    value = f'<b>{value}</b><span class="hg-best">best</span>' if is_best else value
    unranked = line.entry.not_ranked if key in stored_runs.OF_CODES else ""
    n = f'<span class="hg-whole">{html(counted(metrics, key))}</span>' if counted(metrics, key) else ""
    note = ", ".join(part for part in (html(interval(metrics, key)), n, html(unranked)) if part)
    return Cell(f'{value}<div class="hg-note">{note}</div>', measured.value, measured.low, measured.high, measured.n)
