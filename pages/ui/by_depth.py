"""The section Depth: a linear autoencoder and three that differ in nothing but their number of hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import streamlit as st

from core import recipes, specs, store
from core.metrics import intervals
from core.types import BadInput, BrokenRun, Run, Spec
from pages.ui import choices, columns, nav, offers, runs
from pages.ui.compare import View
from pages.ui.numbers import interval, number, seconds
from pages.ui.runs import Stamp
from pages.ui.text import Markup, html, listed, plain

_IN_BLOCK, _BLOCKS = 5, 2
_CHART = {"displaylogo": False, "displayModeBar": False}
_LABELS = ("Linear AE", "1 hidden layer", "2 hidden layers", "3 hidden layers")
_ONLY = ("the linear one", "the one with one hidden layer", "the one with two", "the one with three")
_HIDDEN = ("no hidden layer", "one", "two", "three")

_OTHER_SETTINGS = ", where the settings of training change too"


@dataclass(frozen=True)
class _Deep:
    """An autoencoder of some depth.

    Attributes
    ----------
    layers : hidden layers of the encoder, and as many of the decoder; 0 is the linear one.
    spec : the training that is offered where `run` is None.
    """

    layers: int
    spec: Spec
    run: Run | None = None
    stamp: Stamp | None = None

    @property
    def label(self) -> str:
        return _LABELS[self.layers]

    @property
    def errors(self) -> np.ndarray:
        return self.run.views["rows.squared_error"]


@dataclass(frozen=True)
class _Step:
    """What a layer more does on the same test rows: error with it minus error without, and its 95 % interval."""

    change: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        return self.low > 0 or self.high < 0


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    try:
        every = _every(view, stored)
    except BadInput as problem:
        st.error(plain(problem))
        return
    there = [each for each in every if each.run is not None]
    if there and not store.same_rows(each.run for each in there):
        problems.append("Some of these were trained on another copy of the data: do not compare their errors.")
    steps = _steps(there)
    st.markdown(plain(_explanation(view, every, steps)))
    missing = [each.spec for each in every if each.run is None]
    if to_ask := offers.missing(missing, stored):
        count = (
            "all four" if len(to_ask) == 4 else f"the {len(to_ask)} missing" if len(to_ask) > 1 else "the missing one"
        )
        offers.button(f"Train {count}", to_ask, "depth", _budget(to_ask))
    keys = {spec.key for spec in missing}
    offers.progress(lambda job: job.key in keys)
    if not there:
        return
    with st.container(key="depth"):
        _chart(view, there)
        st.html(_table(there, steps))
    _strips(there)
    st.caption(plain(_how(every, there)))


def _every(view: View, stored: Sequence[Run]) -> list[_Deep]:
    """The four, with the runs that are stored."""
    line = next((line for line in view.lines if line.method == "linear_ae"), None)
    data = dict(next((line.run.spec.dataset_params for line in view.there), ()))
    preset = recipes.presets(view.entry.name, "linear_ae", view.size).get(recipes.BEST, {})
    linear = specs.make(view.entry.name, "linear_ae", {**preset, "n_components": view.size}, 0, data)
    found = [_Deep(0, linear, line.run, line.stamp) if line and line.run else _Deep(0, linear)]
    for params in recipes.depths(view.entry.name, view.size):
        spec = specs.make(view.entry.name, "ae", params, 0, data)
        found.append(_stored(params["layers"], spec, stored))
    return found


def _stored(layers: int, spec: Spec, stored: Sequence[Run]) -> _Deep:
    if runs.is_whole(stored, spec):
        try:
            return _Deep(layers, spec, *runs.read(spec.key))
        except BrokenRun as problem:
            st.warning(plain(problem))
    return _Deep(layers, spec)


def _budget(specs_: Sequence[Spec]) -> str:
    linear = [spec.param("epochs") for spec in specs_ if spec.method == "linear_ae"]
    others = [spec.param("epochs") for spec in specs_ if spec.method != "linear_ae"]
    if linear and others:
        epochs = f"{linear[0]} epochs the linear one, {others[0]} each of the others"
    else:
        epochs = f"{[*linear, *others][0]} epochs{' each' if len(specs_) > 1 else ''}"
    in_turn, in_all = ("One after the other, ", " in all") if len(specs_) > 1 else ("", "")
    return f"{in_turn}{epochs}: a few minutes on one core{in_all}."


# --- Numbers ------------------------------------------------------------------------------------------------------


def _steps(there: Sequence[_Deep]) -> dict[int, _Step]:
    """By number of layers, what they change against the next shallower one that is there."""
    found = {}
    for before, after in pairwise(there):
        if len(before.errors) == len(after.errors):
            change = float(after.run.metrics["squared_error"]) - float(before.run.metrics["squared_error"])
            found[after.layers] = _Step(change, *_interval(before.stamp, after.stamp, before.errors, after.errors))
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _interval(before: Stamp, after: Stamp, _shallow: np.ndarray, _deep: np.ndarray) -> tuple[float, float]:
    return intervals.paired_difference_interval(_deep, _shallow)


def _explanation(view: View, every: Sequence[_Deep], steps: dict[int, _Step]) -> str:
    text = (
        f"The lecture says that deeper networks rebuild better, since their basis is not linear. Here are four "
        f"autoencoders with {view.size} numbers on {view.entry.label}"
    )
    there = [each for each in every if each.run is not None]
    if len(there) < 2:
        return (
            f"{text}: they are not trained yet."
            if not there
            else f"{text}; {_ONLY[there[0].layers]} is trained so far."
        )
    so_far = f" {len(there)} of the four are trained so far." if len(there) < len(every) else ""
    return f"{text}.{so_far} {_verdict(there, steps)}"


def _verdict(there: Sequence[_Deep], steps: dict[int, _Step]) -> str:
    told = [(before, each, steps[each.layers]) for before, each in pairwise(there) if each.layers in steps]
    if not told:
        return "They can't be compared: their test rows differ."
    parts = [
        f"from {_HIDDEN[before.layers]} to {_HIDDEN[each.layers]} {_change(step)}"
        f"{_OTHER_SETTINGS if before.layers == 0 else ''}"
        for before, each, step in told
    ]
    falls = [step.tells and step.change < 0 for *_, step in told]
    whole = len(there) == len(_LABELS)
    if all(falls):
        begin = "Each layer more lowers the error" if whole else "The deeper of these has the lower error"
    elif falls[0] and not any(falls[1:]):
        begin = "The first hidden layer lowers the error, and more do not" if whole else "Not each lowers the error"
    else:
        begin = "Not each layer more lowers the error"
    return f"{begin}: {'; '.join(parts)}."


def _change(step: _Step) -> str:
    if not step.tells:
        return f"the difference is within the noise ({_signed(step.low)} to {_signed(step.high)})"
    verb = "by" if step.change < 0 else "it rises by"
    low, high = sorted((abs(step.low), abs(step.high)))
    return f"{verb} {number(abs(step.change))} ({number(low)} to {number(high)})"


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


# --- Pictures -----------------------------------------------------------------------------------------------------


def _chart(view: View, there: Sequence[_Deep]) -> None:
    from core.figures import sizes  # plotly: most visits open no figure

    pca = next((line.run for line in view.lines if line.method == "pca" and line.run), None)
    marks = [
        sizes.Depth(
            each.label,
            float(each.run.metrics["squared_error"]),
            *map(float, each.run.metrics["squared_error_interval"]),
            is_linear=each.layers == 0,
        )
        for each in there
    ]
    level = float(pca.metrics["squared_error"]) if pca and store.same_rows([pca, there[0].run]) else None
    st.plotly_chart(
        sizes.by_depth(marks, nav.theme(), level, places=_LABELS), key=choices.key("by-depth"), config=_CHART
    )


def _table(there: Sequence[_Deep], steps: dict[int, _Step]) -> Markup:
    heads = ("", "squared error", "change", "weights", "trained in")
    rows = []
    for each in there:
        metrics = each.run.metrics
        step = steps.get(each.layers)
        change = (
            f"{_signed(step.change)}<div class='hg-note'>{_signed(step.low)} to {_signed(step.high)}</div>"
            if step
            else ""
        )
        cells = (
            f"{number(float(metrics['squared_error']))}<div class='hg-note'>{interval(metrics, 'squared_error')}</div>",
            change,
            f"{int(metrics['weights']):,}",
            seconds(float(metrics["seconds"])),
        )
        rows.append(f'<tr><th scope="row">{html(each.label)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    head = "".join(f'<th scope="col">{html(name)}</th>' for name in heads)
    return Markup(
        f'<div class="hg-wide"><table class="hg-table hg-depths"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _strips(there: Sequence[_Deep]) -> None:
    held = [each for each in there if "reconstructions" in each.run.views]
    if not held:
        return
    first = held[0].run
    strips = []
    if "originals" in first.views:
        strips.append(_strip("Originals", "", first.views["originals"], first))
    for each in held:
        if np.array_equal(each.run.views["strip_rows"], first.views["strip_rows"]):
            error = number(float(each.run.metrics["squared_error"]))
            strips.append(_strip(each.label, f"error {error}", each.run.views["reconstructions"], each.run))
    st.html(columns.grid(strips, _BLOCKS))


def _strip(name: str, about: str, images: np.ndarray, run: Run) -> columns.Strip:
    shape = tuple(run.environment["image_shape"])
    blocks = [images[start : start + _IN_BLOCK] for start in range(0, _IN_BLOCK * _BLOCKS, _IN_BLOCK)]
    return columns.Strip(
        columns.named(name, about), [columns.pictures(block, shape, _IN_BLOCK, name) for block in blocks]
    )


def _how(every: Sequence[_Deep], there: Sequence[_Deep]) -> str:
    n = int(there[0].run.metrics["squared_error_n"])
    params = dict(every[-1].spec.params)
    shared = [
        f"{params['epochs']} epochs",
        f"widest layer {params['width']}",
        f"learning rate {params['learning_rate']:g}",
    ]
    if params.get("augment"):
        shared.append(f"augmentation {params['augment']:g}")
    return (
        f"Squared error summed over pixels, mean over {n:,} test images with its 95 % bootstrap interval; the change "
        "is that of the same images, against the row above. The three with hidden layers share everything but their "
        f"number ({listed(shared)}); each layer is half as wide as the one before, and the decoder mirrors the "
        f"encoder. The linear AE has settings of its own; the level line is PCA. Each was trained "
        "once: the intervals tell of other images, not of other trainings, where another seed moves the error too."
    )
