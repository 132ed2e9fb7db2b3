"""Compare: every method on the same rows of the same data set, side by side."""

import streamlit as st

from pages.ui.compare import all_measures, pictures, summary, table
from pages.ui.shared import (
    cli_commands,
    diagnoses,
    header,
    page_state,
    run_picker,
    stored_runs,
    task_progress,
    training_offers,
)
from pages.ui.shared.glossary import draw_text

header.begin_page("app.py")

stored, problems = stored_runs.list_runs()
problems = list(problems)

st.title("Compare", anchor=False)
explanation = st.empty()
view = run_picker.choose(stored, problems, several=True)
page_state.show_problems(problems)
draw_text(summary.explain(view), explanation)
summary.warn_of_copies(view)

winners = {metric: stored_runs.find_best(view.lines, metric) for metric in table.list_ranked(view.entry)}
training_offers.draw_missing(view, stored)
clicked = table.draw(view, winners)
summary.draw_findings(view, winners)
run_picker.link_next_questions(view)
for line in view.trained:
    diagnoses.draw(line.label, line.run)
task_progress.show_measurements(view.trained)
clicked = pictures.draw_samples(view.lines) or clicked

drawer = st.expander("All measures", key="compare:measures", on_change="rerun")
if drawer.open:
    with drawer, header.show_errors():
        all_measures.draw(view.lines)

header.end_page(*cli_commands.describe_view(view))

if clicked:
    pictures.open_dialog(*clicked, stored_runs.select_comparable(view.lines) or view.lines)
