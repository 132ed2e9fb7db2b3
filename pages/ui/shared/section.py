"""A page of sections on one view, each with an explanation and missing methods."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.analysis.rows import Rows, check_same_data
from core.errors import BadInput, HourglassError
from core.metrics.reconstruction_error import ErrorMeasure, choose_measure
from core.runs import selection
from core.types import ROW_NAMES
from pages.ui.shared import cli_commands, header, page_state, run_picker, stored_runs, training_offers
from pages.ui.shared.cached import DEFAULT_COUNT, find_rows, load_errors, load_estimator
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.run_picker import View, warn_of_other_copies
from pages.ui.shared.text import join_words, plain

RECONSTRUCTS = "method that reconstructs {row}s"


class _EndOfSection(Exception):
    """Leaves the block of `begin_section`."""


@dataclass
class Section:
    """A section that is being drawn, see `begin_section`."""

    view: View
    _place: DeltaGenerator
    refused: dict[str, str] = field(default_factory=dict)  # label of a method -> why its run is not shown

    @property
    def row(self) -> str:
        """What a row of the data set is called: ``"image"``."""
        return ROW_NAMES[self.view.entry.kind]

    @property
    def measure(self) -> ErrorMeasure:
        """The error by which methods are compared."""
        return choose_measure(self.view.entry.form)

    def explain(self, text: str, help: str | None = None) -> None:
        """Write the explanation of at most two sentences above the section; details in `help`."""
        draw_text(text, self._place, help)

    def explain_none_trained(self, what: str = "method") -> None:
        """Write, as the explanation, that no such method is trained in this view; ``{row}`` is what a row is called."""
        what = what.format(row=self.row)
        self.explain(f"No {what} is trained on {self.view.entry.label} at {self.view.size}-D yet.")

    def end(self, text: str) -> NoReturn:
        """End the section with this explanation."""
        self.explain(text)
        raise _EndOfSection

    def require(self, found: Any, what: str = "method") -> None:
        """End the section unless such a method was found in this view."""
        if not found:
            self.explain_none_trained(what)
            raise _EndOfSection

    def find_rows(self, problems: list[str], otherwise: str = "", n: int = DEFAULT_COUNT) -> Rows:
        """Test rows of the view's data set; without them the section ends with the sentence `otherwise`."""
        rows = find_rows(self.view.entry, self.view.dataset_params, problems, n=n)
        if rows is None:
            self.end(otherwise or f"This section needs the test {self.row}s, which are not on this machine yet.")
        return rows

    def find_reconstructors(self, rows: Rows) -> list[Reconstructor]:
        """The methods that reconstruct `rows`; the others are named when the section ends."""
        methods: list[Reconstructor] = []
        for line in self.view.lines:
            if line.problem:
                self.refused[line.label] = line.problem
            if line.run is None or not line.entry.reconstructs:
                continue
            try:
                check_same_data(line.run, rows)
                errors = load_errors(line.stamp, rows.key, line.run, rows)
                if errors is None:
                    raise BadInput("Its errors are not stored: train again.")
                load_estimator(line.stamp)
                methods.append(Reconstructor(line, errors))
            except HourglassError as problem:
                self.refused[line.label] = str(problem)
        return methods


@contextmanager
def begin_section(view: View) -> Iterator[Section]:
    """Begin a section, and end it with the methods that are not shown, and why, also after a `return` inside."""
    section = Section(view, st.empty())
    with suppress(_EndOfSection):
        yield section
    for label, why in section.refused.items():
        st.warning(plain(f"{label} is not shown: {why}"))
    _offer_missing(view)


def _offer_missing(view: View) -> None:
    """Draw links to train the methods without a run in this view, and trainings under way."""
    warn_of_other_copies(view)
    missing = [line for line in view.lines if line.run is None and not line.problem]
    if not missing:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="not-trained"):
        labels = join_words([line.label for line in missing])
        st.markdown(plain(f"Not trained yet at {view.size}-D: {labels}."), width="content")
        for line in missing:
            stored_runs.link_missing(view.entry.name, view.size, line)
    training_offers.show_progress(
        lambda task: any(selection.fits_view(task.spec, view.entry.name, line.method, view.size) for line in missing)
    )


def show_tabs(
    title: str, sections: Mapping[str, Mapping[str, tuple[str, Callable]]], sizes: Sequence[int] = ()
) -> None:
    """Draw the choices and the chosen section.

    Parameters
    ----------
    sections : kind of data set -> name in the address -> label, and the function that draws the section from view,
        stored runs and problems. Data sets of other kinds are not offered.
    sizes : see `run_picker.choose`.
    """
    stored, problems = stored_runs.list_runs()
    problems = list(problems)
    st.title(title, anchor=False)
    view = run_picker.choose(stored, problems, tuple(sections), sizes)
    of_kind = sections[view.entry.kind]
    labels = {name: label for name, (label, _) in of_kind.items()}
    options = {"memory": page_state.key("section"), "label_visibility": "collapsed"}
    chosen = page_state.choose("section", "Section", labels, problems, **options)
    notices = st.container()
    if not view.trained:
        Section(view, st.empty()).explain_none_trained()
        training_offers.draw_missing(view, stored)
    with header.show_errors():
        of_kind[chosen][1](view, stored, problems)
    with notices:
        page_state.show_problems(problems)
    header.end_page(*cli_commands.describe_view(view))
