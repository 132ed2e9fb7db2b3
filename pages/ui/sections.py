"""A page of sections on the same data set and code size, of which only the chosen one computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.types import IMAGES
from pages.ui import choices, compare, nav, runs


def show(
    title: str, sections: Mapping[str, tuple[str, Callable]], kind: str = IMAGES, sizes: Sequence[int] = ()
) -> None:
    """Draw the choices and the chosen section.

    Parameters
    ----------
    sections : name in the address -> what people read, and what draws it from the view, the stored runs and the list
        that takes problems.
    kind : of the data sets that are offered.
    sizes : code sizes that are offered whether they are trained or not, that of the first view leading.
    """
    stored, problems = runs.stored()
    problems = list(problems)
    st.header(title, anchor=False)
    view = compare.choose(stored, problems, kind, sizes)
    chosen = choices.segments(
        "section",
        "What to look at",
        {name: label for name, (label, _) in sections.items()},
        problems,
        memory=choices.key("section"),
        label_visibility="collapsed",
    )
    notices = st.container()
    with nav.in_words():
        sections[chosen][1](view, stored, problems)
    with notices:
        choices.show(problems)
    choices.share()
