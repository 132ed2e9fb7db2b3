"""The data sets there are: a table of all, and what is known of the chosen one."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core import config, datasets, methods
from core.datasets import Entry
from core.datasets.own import catalogue, store
from core.tasks import own_datasets
from core.types import DOCUMENTS, IMAGES, TABLES, Run
from pages.ui.shared import (
    cached,
    header,
    images,
    own_data,
    page_state,
    run_picker,
    tables,
)
from pages.ui.shared.text import join_words, plain, to_file_name

_KINDS = {IMAGES: "images", DOCUMENTS: "documents", TABLES: "table"}
# Label and help of the switch, and in a workshop.
_SHARE = {
    False: ("Share in workshops", "Everybody in a workshop on this machine can see it."),
    True: ("Share with everybody here", "Otherwise only you see it, until 30 minutes after you close the app."),
}
_PREVIEW_ROWS, _PREVIEW_IMAGES = 10, 40


def draw(stored: Sequence[Run], problems: list[str]) -> None:
    """Draw the table of all data sets, and the chosen one."""
    st.header("Data sets", anchor=False)
    names = datasets.list_for_pages()
    trained = {name: _list_methods(name, stored) for name in names}
    frame = pd.DataFrame([_describe(datasets.entry(name), trained[name]) for name in names])
    number = st.column_config.NumberColumn(format="localized")
    look = {"Train rows": number, "Test rows": number, "Features": number, "Runs": number}
    height = min(38 + 35 * len(frame), 318)
    tables.draw_frame(frame, "data-sets", column_config=look, height=height)
    default = next((name for name in names if datasets.entry(name).is_own), datasets.DEFAULT)
    entry = datasets.entry(run_picker.draw_datasets(names, default, problems, format_func=_label, width=320))
    with st.container(border=True, key="data-set"):
        _draw_entry(entry, stored)


def _label(name: str) -> str:
    return datasets.entry(name).label


def _list_methods(name: str, stored: Sequence[Run]) -> dict[str, int]:
    """Label of a method -> its number of runs on a data set."""
    counts = dict.fromkeys(methods.REGISTRY, 0)
    for run in stored:
        if run.spec.dataset == name:
            counts[run.spec.method] += 1
    return {methods.label(method): count for method, count in counts.items() if count}


def _describe(entry: Entry, trained: dict[str, int]) -> dict[str, object]:
    params = dict(entry.default_params)
    return {
        "Data set": entry.label,
        "Kind": _KINDS[entry.kind],
        "Source": _describe_source(entry),
        "Train rows": entry.rows[0],
        "Test rows": entry.rows[1],
        "Features": entry.count_features(params),
        "Runs": sum(trained.values()),
        "Trained": ", ".join(trained),
        "Licence": entry.licence,
    }


def _describe_source(entry: Entry) -> str:
    if entry.is_own:
        return "yours" if own_data.is_owner(entry.name) else "shared here"
    if entry.embedded:
        return "built in"
    if datasets.is_available(entry.name):
        return "downloaded"
    return "to download" if datasets.can_fetch(entry.name) else "not here"


def _draw_entry(entry: Entry, stored: Sequence[Run]) -> None:
    n_features, (n_train, n_test) = entry.count_features(dict(entry.default_params)), entry.rows
    size = f"{n_train:,} train and {n_test:,} test rows of {n_features:,} features."
    if entry.image_shape:
        size = (
            f"{n_train:,} train and {n_test:,} test images of {entry.image_shape[0]} by {entry.image_shape[1]} pixels."
        )
    elif entry.kind == DOCUMENTS:
        size = f"{n_train:,} train and {n_test:,} test documents; the {n_features:,} most frequent words are counted."
    licence = f" Licence: {entry.licence}." if entry.licence else ""
    st.markdown(f"**{plain(entry.label)}**. {plain(f'{entry.summary} {size}{licence}')}")
    trained = _list_methods(entry.name, stored)
    runs = [f"{method} ({count})" if count > 1 else method for method, count in trained.items()]
    st.markdown(plain(f"Trained: {join_words(runs)}." if runs else "Nothing is trained on it yet."))
    own_data.draw_links(entry.name, "data-set")
    if entry.is_own and own_data.is_owner(entry.name):
        _draw_own(entry)
    drawer = st.expander("Preview", key=page_state.key(f"preview/{entry.name}"), on_change="rerun")
    if drawer.open:
        with drawer, header.show_errors():
            _draw_preview(entry)


def _draw_own(entry: Entry) -> None:
    """Draw what an owner can do: rename, download, share, delete."""
    name, about = entry.name, catalogue.read_about(entry.name)
    room, room_of_runs = own_datasets.measure_room(name)
    n_runs = len(own_datasets.list_run_places(name))
    of_runs = (
        f", its {n_runs:,} {'run' if n_runs == 1 else 'runs'} {own_data.format_bytes(room_of_runs)}" if n_runs else ""
    )
    st.caption(plain(f"Takes {own_data.format_bytes(room)}{of_runs}."))
    with st.container(horizontal=True, vertical_alignment="center", key="data-own"):
        with st.popover("Rename", icon=":material/edit:"):
            widget = page_state.key(f"rename/{name}")
            st.session_state.setdefault(widget, entry.label)
            st.text_input("Name", key=widget, max_chars=store.LONGEST_LABEL)
            st.button("Rename", page_state.key("rename"), on_click=_rename, args=(name, widget), type="primary")
        file, key = f"{to_file_name(entry.label) or name}.zip", page_state.key("pack")
        help = "The file and its recipe, to be added on another machine."
        st.download_button("Download", lambda: store.pack(name), file, "application/zip", key, help, "ignore")
        with st.popover("Delete", icon=":material/delete:"):
            runs = f" and its {n_runs:,} {'run' if n_runs == 1 else 'runs'}" if n_runs else ""
            st.markdown(plain(f"Deletes {entry.label}{runs} for good."))
            st.button("Delete for good", page_state.key("delete"), on_click=_delete, args=(name,), type="primary")
        widget = page_state.key(f"share/{name}")
        st.session_state[widget] = about["is_shared"]
        share = lambda: _share(name, st.session_state[widget])
        label, help = _SHARE[config.is_workshop()]
        st.toggle(label, key=widget, help=help, on_change=share)


def _share(name: str, is_shared: bool) -> None:
    with page_state.keep_error("data"):
        store.share(name, is_shared)


def _rename(name: str, widget: str) -> None:
    with page_state.keep_error("data"):
        store.rename(name, st.session_state[widget], own_data.get_owner())


def _delete(name: str) -> None:
    with page_state.keep_error("data"):
        own_data.delete(name)


def _draw_preview(entry: Entry) -> None:
    rows = cached.find_rows(entry, entry.default_params, [])
    if rows is None:
        return
    if entry.kind == TABLES:
        tables.draw_frame(rows.frame.iloc[:_PREVIEW_ROWS], "preview-rows", is_saved=False)
        st.caption(f"{_PREVIEW_ROWS} test rows.")
    elif entry.kind == DOCUMENTS:
        frame = pd.DataFrame(rows.texts[:_PREVIEW_ROWS], columns=["Title", "Begins"])
        tables.draw_frame(frame, "preview-documents", is_saved=False)
        st.caption(f"{_PREVIEW_ROWS} test documents.")
    else:
        alt = f"{_PREVIEW_IMAGES} test images of {entry.label}"
        st.html(images.montage(rows.X[:_PREVIEW_IMAGES], entry.image_shape, 10, alt, "hg-montage"))
        st.caption(f"{_PREVIEW_IMAGES} test images.")
