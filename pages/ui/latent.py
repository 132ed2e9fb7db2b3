"""Dragging in latent space: what the front end is sent, and the code that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, maps, methods, portable
from core.figures import latent, linked, rasters
from core.figures.latent import Scene, State
from core.maps import Rows
from core.types import BadInput, HourglassError, Run
from core.views import pixels
from pages.ui import choices, loaded, nav
from pages.ui.components import component
from pages.ui.runs import Line, Stamp
from pages.ui.text import plain, shortened

_STATES, _SEEN, _PLACED = "hourglass.latent", "hourglass.latent-seen", "hourglass.latent-placed"
_MOST_STATES = 50
FARTHEST = 3.0  # standard deviations to the edge of a plane with a prior
# Methods in the order they are offered, those with a prior first: for them a code has a middle and an edge.
ORDER = ("vae", "ae", "pca", "linear_ae", "gan")
WITH_PRIOR = ("vae", "gan")
BY_SERVER = "This decoder is convolutional: the server draws each picture."
_ARTICLES = {"ae": "an"}


@dataclass(frozen=True)
class Coded:
    """Rows and where they lie under a method.

    Attributes
    ----------
    codes : (n, n_components) float32; numbers, labels : (n,)
    names : of the classes, none where the rows have none.
    pictures : whether the rows' images are here, in this order.
    """

    codes: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...] = ()
    pictures: bool = False


def rows_of(entry: datasets.Entry, line: Line, problems: list[str]) -> Rows | None:
    """The rows that the run's codes are shown of; None where they can't be had, which is said."""
    try:
        rows = loaded.rows_here(entry, line.run.spec.dataset_params, problems)
        if rows is not None:
            maps.check_same_data(line.run, rows)
        return rows
    except HourglassError as problem:
        problems.append(f"{line.label} is shown without rows of the data. {problem}")
        return None


def coded(stamp: Stamp, run: Run, rows: Rows | None) -> Coded:
    """The rows' codes; of a run whose data are not here those it holds itself; none of a method without an encoder."""
    if run.spec.method == "gan" or (rows is None and "codes" not in run.views):
        return Coded(np.zeros((0, run.spec.param("n_components")), np.float32), np.zeros(0, int), np.zeros(0, int))
    if rows is None:
        codes, numbers = run.views["codes"].astype(np.float32), run.views["shown_rows"]
        return Coded(codes, numbers, np.full(len(codes), -1))
    codes, _ = loaded.codes(stamp, rows.key, run, rows)
    known = np.isfinite(codes).all(axis=1)
    names = rows.target_names if rows.has_labels else ()
    return Coded(codes[known], rows.numbers[known], rows.y[known], names, bool(known.all()))


def to_training(method: str, entry: datasets.Entry, size: int) -> None:
    """The way to training what is missing."""
    st.page_link(
        "pages/training.py",
        label=plain(f"Train {_ARTICLES.get(method, 'a')} {methods.label(method)} with a {size}-D code"),
        icon=":material/model_training:",
        query_params={"data": entry.name, "method": method, "size": str(size)},
    )


def _mount(data: bytes, key: str, **callbacks: Any) -> Any:
    return component("latent")(data=data, key=key, **callbacks)


def decoder_id(stamp: Stamp) -> str:
    return cache.key("decoder", *stamp)


@st.cache_resource(max_entries=8, show_spinner="Taking the decoder out …")
def decoder(stamp: Stamp) -> portable.Decoder | None:
    """What the browser can compute of a run; None where its decoder is convolutional."""
    return portable.decoder_of(loaded.estimator(stamp))


@st.cache_resource(max_entries=8, show_spinner=False)
def _weights(stamp: Stamp, _decoder: portable.Decoder) -> bytes:
    return latent.decoder_message(decoder_id(stamp), _decoder.layers)


@st.cache_resource(max_entries=6, show_spinner=False)
def _pictures(key: str, _rows: Rows) -> bytes:
    return linked.pictures_message(key, sprite=rasters.sprite(_rows.X, _rows.image_shape))


def send_weights(stamp: Stamp) -> None:
    """Send the decoder: large, and the same while only the code changes, so it stands alone."""
    found = decoder(stamp)
    if found is not None:
        with st.container(key="latent-weights"):
            _mount(_weights(stamp, found), "latent:weights")


def send_pictures(rows: Rows | None) -> None:
    """Send what the rows look like, after what is seen first."""
    if rows is not None:
        with st.container(key="latent-pictures"):
            _mount(_pictures(rows.key, rows), "latent:pictures")


def show(stamp: Stamp, scene: Scene, default: State, problems: list[str], names: dict[str, str]) -> State:
    """Draw a scene, in the state that a link asks for, else in the last one; returns that.

    Parameters
    ----------
    default : how it is drawn at first.
    names : see `state`.
    """
    send_weights(stamp)
    current = state(scene, default, problems, names)
    _draw(scene, current)
    if scene.by_server:
        if scene.kind == "manifold":
            _send_grid(stamp, scene)
        _answer(stamp, len(scene.axes))
    return current


def _draw(scene: Scene, state: State) -> None:
    """Draw the scene in this state, unless the browser is ahead of it."""
    placed = f"{scene.id}:{st.session_state.get(_PLACED, 0)}"
    # Without a callback Streamlit would not keep the state.
    _mount(latent.scene_message(scene, state, placed), _key(scene.kind), on_view_change=lambda: None)


def _key(kind: str) -> str:
    return f"latent:{kind}"


def state(scene: Scene, default: State, problems: list[str], names: dict[str, str]) -> State:
    """What a link asks for, else what the browser sent last, else what this scene showed before; into the address.

    Parameters
    ----------
    names : what `code`, `pad`, `frozen` and `behind` are called in the address; those that are not there are left out.
    """
    states: dict[str, State] = st.session_state.setdefault(_STATES, {})
    current = _sent(scene, problems) or states.get(scene.id, default)
    current = _linked(scene, current, problems, names)
    states.pop(scene.id, None)
    states[scene.id] = current
    for old in list(states)[:-_MOST_STATES]:
        del states[old]
    _keep(current, default, names)
    return current


def _sent(scene: Scene, problems: list[str]) -> State | None:
    text = (st.session_state.get(_key(scene.kind)) or {}).get("view")
    seen = st.session_state.setdefault(_SEEN, {})
    if text is None or text == seen.get(scene.kind):
        return None
    seen[scene.kind] = text
    try:
        return latent.read_state(text, scene.id, len(scene.axes))
    except BadInput as problem:
        problems.append(str(problem))
        return None


def _linked(scene: Scene, current: State, problems: list[str], names: dict[str, str]) -> State:
    readers = {
        "code": lambda text: _within(scene, latent.read_code(text, len(scene.axes)), problems),
        "pad": lambda text: _two(latent.read_dimensions(text, len(scene.axes), 2)),
        "frozen": lambda text: latent.read_dimensions(text, len(scene.axes), len(scene.axes)),
        "behind": _behind,
    }
    found = {}
    for field, name in names.items():
        if (text := choices.asked(name)) is None:
            continue
        try:
            found[field] = readers[field](text)
        except BadInput as problem:
            problems.append(f"The link asks for {name}={shortened(text, 30)}. {problem}")
    if not found:
        return current
    st.session_state[_PLACED] = st.session_state.get(_PLACED, 0) + 1
    return State(**{**vars(current), **found})


def _within(scene: Scene, code: tuple[float, ...], problems: list[str]) -> tuple[float, ...]:
    """Only what the plane shows; sliders may stand at their ends."""
    if scene.kind != "manifold":
        return code
    held = tuple(float(np.clip(value, axis.low, axis.high)) for value, axis in zip(code, scene.axes, strict=True))
    if held != code:
        problems.append(
            f"The link asks for the code {shortened(latent.code_text(code), 30)}, which lies outside this plane: the "
            "nearest place on its edge is shown."
        )
    return held


def _two(found: tuple[int, ...]) -> tuple[int, ...]:
    if len(found) != 2:
        raise BadInput("The pad has two dimensions, such as 1_2.")
    return found


def _behind(text: str) -> str:
    if text not in latent.BEHIND:
        raise BadInput(f"Behind the handle may stand one of {', '.join(latent.BEHIND)}.")
    return text


def _keep(current: State, default: State, names: dict[str, str]) -> None:
    written, first = latent.as_texts(current), latent.as_texts(default)
    for field, name in names.items():
        choices.keep(name, written[field], text=None if written[field] == first[field] else written[field])


def forget(names: Sequence[str]) -> None:
    """Take another section's code out of the address."""
    for name in names:
        choices.keep(name, None, text=None)


@st.fragment
def _answer(stamp: Stamp, size: int) -> None:
    """Draw for the browser the picture it asks for, where the decoder is convolutional; only this part runs again."""
    name = decoder_id(stamp)
    key = f"latent:answer-{name}"
    asked = (st.session_state.get(key) or {}).get("asked")
    turn, image = "", None
    if asked is not None:
        with nav.in_words():
            question = latent.read_question(asked, name, size)
            if question is not None:
                turn, code = question
                image = pixels(portable.decode_one(loaded.estimator(stamp), code))
    with st.container(key="latent-answer"):
        message = latent.answer_message(name, turn, image)
        component("answer")(data=message, key=key, on_asked_change=lambda: None)


def _send_grid(stamp: Stamp, scene: Scene) -> None:
    """Send the pictures behind the handle, where the browser can't decode them."""
    with st.container(key="latent-weights"):
        _mount(_grid(stamp, scene.id, scene), "latent:weights")


@st.cache_resource(max_entries=8, show_spinner="Decoding the grid …")
def _grid(stamp: Stamp, scene_id: str, _scene: Scene) -> bytes:
    columns, lines = latent.grid_columns(_scene.shape)
    is_prior = bool(_scene.gaussian and _scene.gaussian.is_prior)
    across, up = (
        portable.grid_places(n, axis.low, axis.high, is_prior)
        for n, axis in zip((columns, lines), _scene.axes, strict=True)
    )
    images = pixels(loaded.estimator(stamp).inverse_transform(portable.grid(across, up)))
    return latent.grid_message(decoder_id(stamp), images, columns)
