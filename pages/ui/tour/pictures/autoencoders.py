"""Pictures of autoencoders: reconstructions from 30 dimensions beside those of PCA."""

import streamlit as st

from core import methods
from core.metrics import bootstrap
from core.runs import layout
from core.types import Run
from pages.ui.reconstructions import lecture_figure
from pages.ui.shared import html_blocks, images, stored_runs
from pages.ui.shared.experiment import Controls
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.text import Markup, plain

_SHOWN = 10
_ERROR = "squared_error"


def draw_reconstructions(controls: Controls) -> str:
    """Test images, and what an AE and PCA reconstruct from 30 dimensions; the control chooses the images."""
    shipped = {name: label for name, label in lecture_figure.SUBJECTS.items() if _is_shipped(name)}
    subject = controls.choose_segment("of", "Images", shipped)
    strips, finding = _make_figure(subject)
    st.html(strips)
    st.caption(plain(f"Published errors: {lecture_figure.PAPER}, figure 2."))
    return finding


def _is_shipped(subject: str) -> bool:
    specs = (lecture_figure.make_spec(subject, method) for method in lecture_figure.METHODS)
    return all(layout.place_of(layout.SHIPPED, spec).exists() for spec in specs)


@st.cache_resource(max_entries=4, show_spinner=False)
def _make_figure(subject: str) -> tuple[Markup, str]:
    """The strips of the figure, and what their errors say."""
    runs = {m: stored_runs.read_shipped(lecture_figure.make_spec(subject, m)) for m in lecture_figure.METHODS}
    n = runs["ae"].metrics[_ERROR].n
    strips = [_make_strip("Test images", f"the first of {n:,}", runs["ae"], "originals")]
    for method, run in runs.items():
        published = lecture_figure.PUBLISHED[subject][method]
        about = f"squared error {number(run.metrics[_ERROR].value)} ({interval(run.metrics, _ERROR)}); "
        strips.append(_make_strip(methods.label(method), f"{about} in the paper {published}", run, "reconstructions"))
    return Markup("".join(strips)), _compare_errors(runs["ae"], runs["pca"])


def _make_strip(title: str, about: str, run: Run, view: str) -> str:
    shape = tuple(run.environment["image_shape"])
    picture = images.montage(run.views[view][:_SHOWN], shape, _SHOWN, f"{title}: {about}", "hg-strip")
    return html_blocks.make_caption(title, about) + picture


def _compare_errors(ae: Run, pca: Run) -> str:
    ours, linear = (run.metrics[_ERROR] for run in (ae, pca))
    rows = {"ae": ae.views[f"rows.{_ERROR}"], "pca": pca.views[f"rows.{_ERROR}"]}
    of = f"From {lecture_figure.SIZE} dimensions an image, the AE has a squared error of {number(ours.value)} and PCA"
    text = f"{of} one of {number(linear.value)}, mean over {ours.n:,} test images"
    if bootstrap.find_best(rows, higher_is_better=False) is None:
        return f"{text}: they are not significantly different."
    ratio = linear.value / ours.value
    return f"{text}: {ratio:.1f} times as much."
