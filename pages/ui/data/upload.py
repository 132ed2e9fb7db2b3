"""Add data: a file, an example or an exported data set."""

import math

import streamlit as st
from streamlit import config as server
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import config
from core.datasets.own import examples
from pages.ui.data import draft
from pages.ui.shared import page_state

_FORMATS = (
    "CSV, TSV and other text tables, Parquet, Feather, Excel, ODS, JSON lines, NPZ, NPY and ARFF, also in gz or zip "
    "files; or a data set that was exported from this page."
)
_VERSION = "hourglass.uploader"


def draw() -> None:
    """Draw the field for a file, and the examples."""
    st.header("Add data", anchor=False)
    st.markdown(
        "Bring a table: a row for each observation, a column for each feature. You see how it is read and what is "
        "wrong with it before anything is kept."
    )
    megabytes = math.ceil(config.upload_limit() / 1e6)
    if megabytes > server.get_option("server.maxUploadSize"):
        server.set_option("server.maxUploadSize", megabytes)
    # Another key empties the field.
    key = page_state.key(f"file-{st.session_state.get(_VERSION, 0)}")
    st.file_uploader(
        "A file with a table", key=key, help=_FORMATS, on_change=_take, args=(key,), max_upload_size=megabytes
    )
    page_state.show_kept_error("upload")
    with st.container(key="data-examples", horizontal=True, vertical_alignment="center"):
        st.markdown("Or look at an example:", width="content")
        for name, label in examples.LABELS.items():
            about = f"The file {name}.csv from scikit-learn."
            st.button(label, page_state.key(f"example-{name}"), about, _take_example, (name,), icon=":material/table:")


def _take(key: str) -> None:
    if (file := st.session_state.get(key)) is None:
        return
    content, context = file.getvalue(), get_script_run_ctx()
    if context is not None:  # else each file would be in memory until its session ends
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1
    with page_state.keep_error("upload"):
        draft.start(content, file.name)


def _take_example(name: str) -> None:
    file, content = examples.make_file(name)
    draft.start(content, file, examples.LABELS[name])
