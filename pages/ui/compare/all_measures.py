"""All measures of Compare: table of metrics, error by class, training losses, commands."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.metrics.definitions import DEFINITIONS, GREY_BERNOULLI
from core.runs import specs
from core.types import Spec
from pages.ui.shared import charts, cli_commands, header, page_state, tables
from pages.ui.shared.html_blocks import make_code
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import plain, shorten

_MANY_FEATURES, _MOST_HEIGHT = 20, 640  # pixels


def draw(lines: Sequence[Line]) -> None:
    from core.figures import training_curves  # plotly: most visits open no figure

    shown = [line for line in lines if line.run]
    if not shown:
        st.markdown("No method of this view is trained yet.")
        return
    st.markdown("Each cell: estimate, 95% interval, sample size n. Open a measure to read how it is computed.")
    tables.draw_measures(shown, DEFINITIONS, "all-measures", _FACTS | _differing_settings(shown))
    if any("neg_elbo" in line.run.metrics and specs.has_unnormalised_likelihood(line.run.spec) for line in shown):
        st.caption(plain(GREY_BERNOULLI))
    by_class = "squared_error_per_class"
    if errors := {line.label: line.run.by_class[by_class] for line in shown if by_class in line.run.by_class}:
        st.markdown("## Error by class", help=plain(DEFINITIONS[by_class].help))
        unit = DEFINITIONS["squared_error"]
        figure = training_curves.plot_error_by_class(errors, f"{unit.label} {unit.unit}", header.get_theme())
        charts.draw(figure, "error by class")
    if with_features := [line for line in shown if "error_per_feature" in line.run.by_class]:
        st.markdown("## Error by feature", help=plain(DEFINITIONS["error_per_feature"].help))
        _draw_features(with_features)
    drawer = st.expander("Confusion matrices", key=page_state.key("confusion"), on_change="rerun")
    if drawer.open:
        from pages.ui.compare import confusion  # scipy

        with drawer:
            problems: list[str] = []
            confusion.draw(shown, problems)
            page_state.show_problems(problems)
    if histories := {line.label: line.run.history for line in shown if training_curves.list_terms(line.run.history)}:
        about = "Each method minimises its own loss, in its own unit, so each panel has its own scale."
        st.markdown("## Training loss", help=about)
        charts.draw(training_curves.plot_losses(histories, header.get_theme()), "loss while training")
    st.markdown("## Reproduce")
    for line in shown:
        st.markdown(f"{plain(line.label)}, run `{line.run.key}`")
        st.html(make_code(cli_commands.format_fit(line.run.spec)))


def _draw_features(shown: Sequence[Line]) -> None:
    """Draw the errors of all features, those with the largest mean error first."""
    errors = {line.label: line.run.by_class["error_per_feature"] for line in shown}
    names = list(dict.fromkeys(name for by_feature in errors.values() for name in by_feature))
    means = {name: sum(by_feature.get(name, 0.0) for by_feature in errors.values()) for name in names}
    rows = [
        [tables.text(name), *(tables.estimate(of[name]) if name in of else tables.EMPTY for of in errors.values())]
        for name in sorted(names, key=lambda name: -means[name])
    ]
    with st.container(height=_MOST_HEIGHT if len(rows) > _MANY_FEATURES else "content", border=False):
        tables.draw(["Feature", *errors], rows, "error-by-feature", kind="hg-depths")


def _differing_settings(shown: Sequence[Line]) -> dict[str, Callable[[Line], str]]:
    """The settings in which runs of one method differ; empty if each method has one run."""
    by_method: dict[str, list[Spec]] = {}
    for line in shown:
        by_method.setdefault(line.method, []).append(line.run.spec)
    names = dict.fromkeys(name for alike in by_method.values() if len(alike) > 1 for name in specs.differing(alike))

    def make_fact(name: str) -> Callable[[Line], str]:
        return lambda line: shorten(specs.settings(line.run.spec).get(name, "–"))

    return {f"Setting: {name.replace('_', ' ')}": make_fact(name) for name in names}


_FACTS = {
    "Precision of training": lambda line: shorten(line.run.environment.get("precision", "–")),
    "Threads": lambda line: shorten(line.run.environment.get("threads", "–")),
    "Device": lambda line: shorten(line.run.environment.get("device", "–")),
    "Training rows": lambda line: f"{line.run.environment['n_train']:,}",
    "Feature space of sample metrics": lambda line: line.run.notes.get("features", "–"),
    "Date": lambda line: str(line.run.environment["date"])[:10],
}
