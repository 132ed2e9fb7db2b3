"""A page of sections on one view, of which only the chosen one computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.types import IMAGES
from pages.ui.shared import (
    cli_commands,
    footer,
    header,
    page_state,
    reconstructors,
    run_picker,
    stored_runs,
    train_missing,
)


def show(
    title: str, sections: Mapping[str, tuple[str, Callable]], kind: str = IMAGES, sizes: Sequence[int] = ()
) -> None:
    """Draw the choices and the chosen section.

    Parameters
    ----------
    sections : name in the address -> label, and the function that draws it from the view, the stored runs and the
        list of problems.
    kind : of the data sets offered.
    sizes : latent dimensions that are offered even if not trained, the default first.
    """
    stored, problems = stored_runs.list_runs()
    problems = list(problems)
    st.header(title, anchor=False)
    view = run_picker.choose(stored, problems, kind, sizes)
    chosen = page_state.choose(
        "section",
        "Section",
        {name: label for name, (label, _) in sections.items()},
        problems,
        memory=page_state.key("section"),
        label_visibility="collapsed",
    )
    notices = st.container()
    if not view.trained:
        st.markdown(reconstructors.describe_none_trained(view))
        train_missing.draw(view.entry, view.size, stored, train_missing.find_lacking(view.lines))
    with header.show_errors():
        sections[chosen][1](view, stored, problems)
    with notices:
        page_state.show_problems(problems)
    footer.draw(
        cli_commands.format_view(view.entry.name, view.lines, view.size),
        "Trains what is missing and evaluates these methods on the same rows.",
    )
