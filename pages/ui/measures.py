"""All measures: the whole scorecard as a table, error by class, losses, and what made each run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import streamlit as st

from core.metrics import DEFINITIONS, Definition
from pages.ui import commands, nav, runs
from pages.ui.numbers import counted, interval, number, seconds
from pages.ui.runs import Line
from pages.ui.text import Markup, html, plain, shortened


def draw(lines: Sequence[Line]) -> None:
    from core.figures import curves  # plotly: most visits open no figure

    shown = [line for line in lines if line.run]
    if not shown:
        st.markdown("No method is trained on this view yet, so there is nothing to measure.")
        return
    st.markdown(
        "Under a number stand its 95 % interval and n, the rows or samples behind it. "
        "Open a measure to read how it is computed."
    )
    st.html(table(shown, DEFINITIONS, _FACTS))
    errors = {
        line.label: line.run.metrics["squared_error_per_class"]
        for line in shown
        if line.run.metrics.get("squared_error_per_class")
    }
    if errors:
        definition = DEFINITIONS["squared_error_per_class"]
        st.markdown("#### Error by class", help=plain(definition.help))
        figure = curves.per_class(errors, f"{definition.label.split()[0]} error {definition.unit}", nav.theme())
        st.plotly_chart(figure, key="compare:per-class", config={"displaylogo": False})
    histories = {line.label: line.run.history for line in shown if curves.terms(line.run.history)}
    if histories:
        st.markdown(
            "#### Loss while training",
            help="Each method minimises its own loss, in its own unit, so the panels have their own scales.",
        )
        st.plotly_chart(curves.losses(histories, nav.theme()), key="compare:losses", config={"displaylogo": False})
    st.markdown("#### Each run again")
    for line in shown:
        st.markdown(f"{plain(line.label)}, run `{line.run.key}`")
        st.code(commands.fit(line.run.spec), language=None, wrap_lines=True)


def table(
    shown: Sequence[Line], keys: Iterable[str], facts: Mapping[str, Callable[[Line], str]] | None = None
) -> Markup:
    """A row a measure of `keys` that any of the runs has, then a row a fact; a column a run."""
    head = "".join(f"<th scope='col'>{html(line.label)}</th>" for line in shown)
    # Where a method stands twice, its name alone does not say which of its runs is best.
    ranked = shown if len({line.method for line in shown}) == len(shown) else ()
    rows = [
        _measure(DEFINITIONS[key], shown, runs.best(ranked, key))
        for key in keys
        if any(isinstance(line.run.metrics.get(key), int | float) for line in shown)
    ]
    rows += [_fact(name, [fact(line) for line in shown]) for name, fact in (facts or {}).items()]
    return Markup(
        f'<div class="hg-wide"><table class="hg-table hg-measures" style="--columns:{len(shown)}">'
        f'<thead><tr><th scope="col">Measure</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _measure(definition: Definition, shown: Sequence[Line], best: str | None) -> str:
    unit = f' <span class="hg-note">{html(definition.unit)}</span>' if definition.unit else ""
    cells = [f"<td>{_cell(definition.key, line, line.method == best)}</td>" for line in shown]
    return (
        f'<tr><th scope="row"><details><summary>{html(definition.label)}{unit}</summary>'
        f'<div class="hg-help">{html(definition.help)}</div></details></th>{"".join(cells)}</tr>'
    )


def _cell(key: str, line: Line, is_best: bool) -> str:
    metrics = line.run.metrics
    if key not in metrics:
        return '<span class="hg-none">–</span>'
    value = html(seconds(metrics[key])) if key == "seconds" else number(metrics[key])
    value = f'<b>{value}</b><span class="hg-best">best</span>' if is_best else value
    unranked = runs.NOT_RANKED_AGAINST_CODES.get(line.method, "") if key in runs.OF_CODES else ""
    n = f'<span class="hg-whole">{html(counted(metrics, key))}</span>' if counted(metrics, key) else ""
    about = ", ".join(part for part in (html(interval(metrics, key)), n, html(unranked)) if part)
    return f'{value}<div class="hg-note">{about}</div>'


def _fact(name: str, values: Sequence[str]) -> str:
    cells = "".join(f"<td>{html(value)}</td>" for value in values)
    return f'<tr><th scope="row">{html(name)}</th>{cells}</tr>'


def _of_environment(name: str):
    return lambda line: shortened(line.run.environment.get(name, "–"))


_FACTS = {
    "Trained in precision": _of_environment("precision"),
    "Threads": _of_environment("threads"),
    "Device": _of_environment("device"),
    "Train rows": lambda line: f"{line.run.environment['n_train']:,}",
    "Feature space of the samples": lambda line: line.run.notes.get("features", "–"),
    "Date": lambda line: str(line.run.environment["date"])[:10],
}
