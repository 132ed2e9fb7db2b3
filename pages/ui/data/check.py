"""The check page: how a file was read, its columns, what is wrong with it, and the buttons that add it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core import methods
from core.datasets.own import columns, encodings, readers, store
from core.datasets.own.checks import Finding
from core.datasets.own.columns import Column
from core.tasks import own_datasets, training_cost
from core.types import TABLES
from pages.ui.data import costs, draft, preparation
from pages.ui.data.draft import Draft, Rows
from pages.ui.shared import header, html_blocks, own_data, page_state, tables, training_queue
from pages.ui.shared.text import html, plain, shorten

_FIRST_ROWS, _FIRST_COLUMNS, _LONGEST_CELL = 5, 200, 200
_MOST_LISTED = 300  # columns in the editor
_EXAMPLES = 3  # values that the editor names
_ROLE_HELP = (
    "feature: the methods learn from it. label: the class, which no method learns from. id: identifies a row. group: "
    "rows of one group stay in one split. split: says train or test. title: names a row. ignored: shown only."
)
_TYPE_HELP = (
    "Numbers are scaled, dates become days, and categories are one-hot encoded. Text is encoded as a category if it is "
    "a feature."
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar |", " ": "spaces", ":": "colon", "^": "caret ^"}
_DELIMITERS |= {"~": "tilde ~", "\x1f": "unit separator"}
_QUOTES = {'"': 'double "', "'": "single '", "": "none"}
_DECIMALS = {".": "point", ",": "comma"}
_TRAIN_HELP = "Adds the data set and trains the methods with the preset Quick. Compare shows each as it ends."


def draw(found: Draft) -> bool:
    """Draw the check of a file, and add it if that was asked for; False, after an error, if it can't be read at all."""
    with st.spinner("Reading the file …"):
        found.read()
    if found.brought is None:
        draft.discard()
        st.error(plain(f"{shorten(found.file, 60)}: {found.problem}"))
        return False
    with st.container(horizontal=True, vertical_alignment="center", key="data-head"):
        st.header(plain(f"Check {shorten(found.file, 60)}"), anchor=False, width="content")
        key = page_state.key("discard")
        st.button("Discard", key, "Nothing of this file is kept.", draft.discard, icon=":material/close:")
    table = found.brought.table
    n_rows, n_columns = table.frame.shape
    facts = f"{n_rows:,} rows and {n_columns:,} columns, {own_data.format_bytes(len(found.content))}"
    st.markdown(plain(f"{'. '.join([facts, *_describe_format(table)])}. Nothing is kept before you add it."))
    _draw_first_rows(table)
    _draw_format(found, table)
    with st.spinner("Checking the table …"):
        problems, refusal = found.find_problems()
    _draw_problems(problems, refusal)
    _draw_columns(found)
    preparation.draw(found)
    # After a failure the page shows the file as it was read before.
    _draw_actions(found, found.problem or refusal)
    return True


def _describe_format(table: readers.Table) -> list[str]:
    """How the file was read; empty if there is nothing to choose."""
    about, form = [], table.format
    if form is not None:
        header = "column names in the first line" if form.has_header else "no column names"
        skipped = f", {form.n_skipped} lines skipped" if form.n_skipped else ""
        signs = f"delimiter {_name_sign(form.delimiter, _DELIMITERS)}, decimal {_DECIMALS[form.decimal]}"
        about.append(f"Read as {form.encoding} text, {signs}, {header}{skipped}")
    if len(table.parts) > 1:
        about.append(f"Read from {shorten(table.part)}, one of {len(table.parts)} tables in the file")
    return about


def _draw_format(found: Draft, table: readers.Table) -> None:
    """Draw the choices of how the file is read, in a drawer."""
    form = table.format
    if form is None and len(table.parts) < 2:
        return
    drawer = st.expander("Change how the file is read", key=page_state.key("format"), on_change="rerun")
    if not drawer.open:
        return
    with drawer, st.container(key="data-format"):
        if len(table.parts) > 1:
            parts = list(table.parts)
            take_part = lambda part: setattr(found, "part", part)
            about = "Sheet, array or file that is read."
            _choose(found, "part", "Table", parts, found.part or table.part, take_part, about, format_func=shorten)
        if form is not None:
            _draw_text_format(found, found.form or form)


def _name_sign(sign: str, names: Mapping[str, str]) -> str:
    return names.get(sign, repr(sign))


def _draw_text_format(found: Draft, form: readers.TextFormat) -> None:
    def choose(name: str, label: str, options: Sequence[Any], help: str, names: Mapping[Any, str]) -> None:
        value = getattr(form, name)
        options = [*options, *([] if value in options else [value])]
        take = lambda chosen: setattr(found, "form", replace(found.form or form, **{name: chosen}))
        _choose(found, name, label, options, value, take, help, format_func=lambda sign: _name_sign(sign, names))

    names = {name: name for name in encodings.ENCODINGS}
    choose("encoding", "Encoding", list(names), "How bytes become letters. Try another if names look wrong.", names)
    choose("delimiter", "Delimiter", list(_DELIMITERS), "The sign between two cells.", _DELIMITERS)
    choose("decimal", "Decimal mark", list(_DECIMALS), "The sign before the decimals of a number.", _DECIMALS)
    headers = {True: "names of columns", False: "first row"}
    choose("has_header", "First line", list(headers), "Whether the first line names the columns.", headers)
    choose("quote", "Quote", list(_QUOTES), "The sign around cells that hold a delimiter or a line end.", _QUOTES)
    lines = {n: str(n) for n in range(21)}
    choose("n_skipped", "Lines to skip", list(lines), "Lines before the table, such as a title.", lines)


def _choose(
    found: Draft, name: str, label: str, options: list[Any], value: Any, take: Callable, help: str, **look: Any
) -> None:
    """Draw a choice of how the file is read; a change reads it again."""
    widget = page_state.key(f"{found.key}/{name}")
    st.session_state[widget] = value
    change = lambda: take(st.session_state[widget])
    st.selectbox(label, options, key=widget, help=help, on_change=change, **look)


def _draw_first_rows(table: readers.Table) -> None:
    frame = table.frame.iloc[:_FIRST_ROWS, :_FIRST_COLUMNS]
    # As text, so that nothing is shown otherwise than it is in the file.
    frame = frame.map(lambda cell: "" if _is_empty(cell) else shorten(cell, _LONGEST_CELL))
    tables.draw_frame(frame, "first-rows", is_saved=False, height=38 + 35 * len(frame))
    hidden = table.frame.shape[1] - _FIRST_COLUMNS
    if hidden > 0:
        st.caption(f"The first {_FIRST_ROWS} rows, without the last {hidden:,} columns.")


def _is_empty(cell: Any) -> bool:
    return cell is None or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _draw_problems(problems: Sequence[Finding], refusal: str) -> None:
    if refusal:
        return  # it stands beside the buttons
    if not problems:
        st.success("Nothing is wrong with this table.")
    else:
        st.markdown("**What to know about this table**")
        st.html(html_blocks.make_list([html(problem.text) for problem in problems], "hg-problems"))


def _draw_columns(found: Draft) -> None:
    st.markdown("**Columns**")
    names = [column.name for column in found.columns]
    label, widget = found.find_label(), page_state.key(f"{found.key}/classes")
    st.session_state[widget] = label

    def take_label() -> None:
        chosen = st.session_state[widget]
        if chosen is not None:
            found.change(chosen, role=columns.LABEL)
        elif label is not None:
            found.release(label)
        found.version += 1

    about = "The column with the classes. It colours maps and serves for scores; no method learns from it."
    look = {"placeholder": "No label", "format_func": shorten, "width": 320}
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-label"):
        st.selectbox("Label", [None, *names], key=widget, help=about, on_change=take_label, **look)
        preparation.draw_bins(found)
    shown = found.columns[:_MOST_LISTED]
    editor = page_state.key(f"{found.key}/columns-{found.version}")
    tables.edit_frame(
        _describe_columns(shown, len(found.brought.table.frame)),
        editor,
        disabled=["Column", "Histogram", "Values", "Missing", "Distinct"],
        column_config=_configure_columns(),
        height=min(38 + 35 * len(shown), 500),
        on_change=_take_edits,
        args=(found, editor, shown),
    )
    if len(found.columns) > len(shown):
        st.caption(
            f"The first {len(shown):,} of {len(found.columns):,} columns are listed. The others keep their roles."
        )


def _describe_columns(shown: Sequence[Column], n_rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Column": [column.name for column in shown],
            "Role": [column.role for column in shown],
            "Type": [column.type for column in shown],
            "Histogram": [list(column.counts) for column in shown],
            "Values": [_list_values(column) for column in shown],
            "Missing": [round((column.n_missing + column.n_stray) / n_rows, 3) for column in shown],
            "Distinct": [column.n_distinct for column in shown],
        }
    )


def _list_values(column: Column) -> str:
    if column.type in (columns.NUMBER, columns.DATE) and column.labels:
        return " to ".join(dict.fromkeys((column.labels[0], column.labels[-1])))
    return ", ".join(shorten(label, 24) for label in column.labels[:_EXAMPLES])


def _configure_columns() -> dict[str, Any]:
    of = st.column_config
    return {
        "Column": of.TextColumn(pinned=True, width="medium"),
        "Role": of.SelectboxColumn(options=columns.ROLES, required=True, help=_ROLE_HELP, width="small"),
        "Type": of.SelectboxColumn(options=columns.TYPES, required=True, help=_TYPE_HELP, width="small"),
        "Histogram": of.BarChartColumn(
            help="Rows by value: 12 bins, or the most frequent values.", y_min=0, width="small"
        ),
        "Values": of.TextColumn(help="The lowest and the highest value, or the most frequent ones."),
        "Missing": of.NumberColumn(format="percent", help="Cells without a value of this type.", width="small"),
        "Distinct": of.NumberColumn(format="localized", help="Different values.", width="small"),
    }


def _take_edits(found: Draft, editor: str, shown: Sequence[Column]) -> None:
    """Take what was changed in the editor; draw it anew if other cells changed with it."""
    edited = {shown[at].name: cells for at, cells in st.session_state[editor]["edited_rows"].items()}
    for name, cells in edited.items():
        column, type, role = found.find_column(name), cells.get("Type", ""), cells.get("Role", "")
        if type != column.type or role != column.role:
            found.change(name, type, role)
    for column in found.columns[:_MOST_LISTED]:
        cells = edited.get(column.name, {})
        before = next(other for other in shown if other.name == column.name)
        if (column.type, column.role) != (cells.get("Type", before.type), cells.get("Role", before.role)):
            found.version += 1
            return


def _draw_actions(found: Draft, refusal: str) -> None:
    """Draw the name, the latent dimensions and the buttons; add the data set when one is pressed."""
    sizes = preparation.list_sizes(found)
    with st.container(key="data-name", horizontal=True, vertical_alignment="bottom"):
        about = "What all pages call the data set. It can be renamed later."
        _draw_kept(st.text_input, found, "label", "Name", help=about, max_chars=store.LONGEST_LABEL, width=320)
        found.sizes = found.sizes if found.sizes in sizes else sizes[0]
        about = "Length of the latent vectors. Other lengths can be trained on the page Compare."
        look = {"format_func": lambda some: " and ".join(map(str, some)), "required": True, "help": about}
        _draw_kept(st.segmented_control, found, "sizes", "Latent dimensions", sizes, **look)
        look = {"selection_mode": "multi", "format_func": methods.label, "wrap": True}
        look["help"] = "Methods that are trained at once, with the preset Quick."
        _draw_kept(st.segmented_control, found, "methods", "Methods", methods.names(TABLES), **look)
    rows, too_large = Rows(), ""
    if not refusal:
        with st.spinner("Preparing the rows …"):
            rows = found.count_rows()
        refusal = rows.problem
    if not refusal:
        entry = training_cost.describe_table((rows.n_train, rows.n_test), rows.blocks)
        too_large = costs.find_refusal(entry, found.sizes, found.methods)
        costs.draw(entry, found.sizes, found.methods)
    with st.container(key="data-actions", horizontal=True, vertical_alignment="center"):
        is_all = len(found.methods) == len(methods.names(TABLES))
        label, cannot_train = f"Add and train {'all' if is_all else len(found.methods)}", refusal or too_large
        look = {"disabled": bool(cannot_train) or not found.methods, "icon": ":material/model_training:"}
        trains = st.button(label, page_state.key("add-all"), _TRAIN_HELP, type="primary", **look)
        is_added = st.button("Add only", page_state.key("add"), disabled=bool(refusal))
        if cannot_train:
            st.error(plain(cannot_train))
        else:
            n_features, n_columns = len(rows.blocks), sum(rows.blocks)
            encoded = f", encoded in {n_columns:,} columns" if n_columns > n_features else ""
            features = f"{n_features:,} feature{'s' if n_features > 1 else ''}{encoded}"
            counts = f"{rows.n_train:,} train and {rows.n_test:,} test rows, {features}."
            st.caption(plain(" ".join([counts, *rows.notes])))
        place = st.container()
    if trains or is_added:
        with place, st.spinner("Adding the data set …"):
            _add(found, trains)


def _draw_kept(draw: Callable, found: Draft, name: str, label: str, *args: Any, **look: Any) -> None:
    """Draw a widget whose value is an attribute of the draft."""
    widget = page_state.key(f"{found.key}/{name}")
    st.session_state[widget] = getattr(found, name)
    draw(label, *args, key=widget, on_change=lambda: setattr(found, name, st.session_state[widget]), **look)


def _add(found: Draft, trains: bool) -> None:
    """Add the data set, and train all methods or show it on this page; an error is drawn and keeps the draft."""
    with header.show_errors():
        table, made = found.brought.table, found.make_recipe()
        name = store.add(found.content, found.file, table, made, found.label, own_data.get_owner())
        draft.discard()
        page_state.keep("data", name)
        if trains:
            training_queue.train_all(own_datasets.list_trainings(name, found.sizes, found.methods))
            page_state.keep("size", found.sizes[0], text=None)
            st.switch_page("app.py", query_params={"data": name, "size": str(found.sizes[0])})
        own_data.keep_added(name)
        st.rerun()
