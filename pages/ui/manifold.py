"""The plane of a two-dimensional code, to be dragged in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import cache, portable, store
from core.figures.latent import Axis, Gaussian, Scene, State
from core.maps import Rows
from core.types import BrokenRun, Run
from pages.ui import choices, latent, runs
from pages.ui.compare import View
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, html, plain

_NAMES = {"code": "z", "behind": "behind"}


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    """Choose a method that has a two-dimensional code, and drag in it."""
    latent.forget(["code", "pad", "frozen"])
    offered = _lines(view, stored)
    if not offered:
        st.info(plain(f"Not trained yet: no method has a two-dimensional code of {view.entry.label}."))
        latent.to_training("vae", view.entry, 2)
        return
    named = {line.method: line.label for line in offered}
    method = choices.segments(
        "plane", "Method, with a two-dimensional code", named, problems, "Whatever code size is chosen above."
    )
    line = next(each for each in offered if each.method == method)
    if line.run is None:
        raise BrokenRun(line.problem or "This run can't be read: choose another method.")
    rows = latent.rows_of(view.entry, line, problems)
    scene = _scene(line.stamp, rows.key if rows is not None else "", line.run, rows)
    st.markdown(_explanation(line))
    latent.show(line.stamp, scene, _first(scene), problems, _NAMES)
    st.html(Markup(f'<div class="hg-note">{html(_note(line, scene, rows))}</div>'))
    if "vae" not in named:
        st.caption(plain(f"The lecture's plane is a VAE's: of {view.entry.label} none is trained yet."))
        latent.to_training("vae", view.entry, 2)
    latent.send_pictures(rows)


def _lines(view: View, stored: Sequence[Run]) -> list[Line]:
    """The two-dimensional run of each method that has one: the one chosen where that is of two dimensions too."""
    chosen = {line.method: line for line in view.lines}
    found = []
    for method in latent.ORDER:
        fitting = [r for r in store.pick(list(stored), view.entry.name, method, 2) if store.code_size(r) == 2]
        if not fitting:
            continue
        line = chosen.get(method)
        if line is None or line.run is None or store.code_size(line.run) != 2:
            line = runs.line(method, fitting, None, fitting[0].key)
        found.append(line)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _scene(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows | None) -> Scene:
    has_prior = _run.spec.method in latent.WITH_PRIOR
    coded = latent.coded(stamp, _run, _rows)
    return Scene(
        id=cache.key("manifold", *stamp, rows_key),
        kind="manifold",
        decoder=latent.decoder_id(stamp),
        shape=tuple(_run.environment["image_shape"]),
        axes=_axes(coded.codes, has_prior),
        codes=coded.codes,
        labels=coded.labels,
        numbers=coded.numbers,
        names=coded.names,
        gaussian=Gaussian(True, np.zeros(2), np.eye(2)) if has_prior else None,
        pictures=rows_key if coded.pictures else "",
        by_server=latent.decoder(stamp) is None,
    )


def _axes(codes: np.ndarray, has_prior: bool) -> tuple[Axis, ...]:
    if has_prior or len(codes) == 0:
        return (Axis(-latent.FARTHEST, latent.FARTHEST),) * 2
    low, middle, high = portable.middle_and_ends(codes)
    return tuple(Axis(float(a), float(b), float(m)) for a, m, b in zip(low, middle, high, strict=True))


def _first(scene: Scene) -> State:
    return State(tuple(axis.start for axis in scene.axes), behind="images")


def _explanation(line: Line) -> str:
    if line.method in latent.WITH_PRIOR:
        return (
            "Each place of the square is a code of two numbers, and the decoder makes an image of it. Drag: watch one "
            "thing turn into another, and look for what lies between two kinds."
        )
    return (
        "Each place of the square is a code of two numbers, and the decoder makes an image of it. Drag to where test "
        "rows lie, then to where none does: nothing taught this decoder what to make of the gaps."
    )


def _note(line: Line, scene: Scene, rows: Rows | None) -> str:
    if line.method in latent.WITH_PRIOR:
        spacing = (
            "Both axes are in standard deviations of the prior and spaced through the inverse normal distribution "
            "(Kingma and Welling 2014, figure 4): equal areas of the square are equal shares of the prior, up to "
            f"{latent.FARTHEST:g} standard deviations on each axis."
        )
    else:
        spacing = "Without a prior, each axis spans the codes from their 1st to their 99th percentile."
    parts = [spacing, _about_rows(line, scene, rows)]
    if scene.by_server:
        parts.append(latent.BY_SERVER)
    return " ".join(filter(None, parts))


def _about_rows(line: Line, scene: Scene, rows: Rows | None) -> str:
    if line.method == "gan":
        return "A GAN has no encoder, so there are no codes of rows to draw."
    if not len(scene.codes):
        return ""
    low, high = (np.array([getattr(axis, end) for axis in scene.axes]) for end in ("low", "high"))
    n = portable.beyond(scene.codes, low, high)
    drawn = rows.drawn if rows is not None else f"{len(scene.codes):,} test rows, whose images are not here"
    what = "posterior means" if line.method == "vae" else "codes"
    return f"The test rows are {drawn}, at their {what}" + (f"; {n:,} beyond the axes stand at the edge." if n else ".")
