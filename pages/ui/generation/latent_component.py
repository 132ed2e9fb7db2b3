"""The front end that decodes while a person drags: what it is sent, and the code that comes back."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, methods
from core.analysis import decoder_export
from core.analysis.codes import to_pixels
from core.analysis.rows import Rows, check_same_data, has_shipped_rows
from core.errors import BadInput, HourglassError
from core.figures import montages
from core.frontend import latent, maps
from core.frontend.latent import Scene, State
from core.runs import layout, reader
from core.types import Run
from pages.ui.shared import cached, header, page_state, stored_runs
from pages.ui.shared.components import get_component
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import plain, shorten

_STATES, _SEEN, _PLACED = "hourglass.latent", "hourglass.latent-seen", "hourglass.latent-placed"
FARTHEST = 3.0  # standard deviations to the edge of a plane with a prior
# Kind of scene -> field of its state -> name in the address
_IN_ADDRESS = {
    "manifold": {"code": "z", "behind": "behind"},
    "sliders": {"code": "code", "pad": "pad", "frozen": "frozen"},
}


def list_methods(kind: str) -> list[str]:
    """Return the methods that decode rows of this kind: those that encode first, among them those with a prior."""
    entries = [entry for entry in map(methods.entry, methods.names(kind)) if entry.decodes]
    return [e.name for e in sorted(entries, key=lambda e: (not e.encodes, not e.has_prior, e.is_linear))]


def choose_line(
    name: str, lines: Mapping[str, Line], entry: datasets.Entry, size: int, problems: list[str], help: str = ""
) -> Line | None:
    """Draw the choice of a method; None, after a link to train one, where there is no line."""
    if not lines:
        st.info(plain(f"No method is trained on {entry.label} at {size} latent dimensions yet."))
        link_training(entry, size)
        return None
    labels = {method: lines[method].label for method in list_methods(entry.kind) if method in lines}
    return lines[page_state.choose(name, "Method", labels, problems, help)]


def find_rows(entry: datasets.Entry, line: Line, problems: list[str]) -> Rows | None:
    """Return the rows whose codes are shown; None, after a sentence, where there are none."""
    is_here = datasets.is_available(entry.name) or has_shipped_rows(entry.name)
    if not is_here and "codes" in line.run.views:
        st.caption(plain(f"{entry.label} is not on this machine: the points are codes stored with the run."))
        return None
    try:
        rows = cached.find_rows(entry, line.run.spec.dataset_params, problems)
        if rows is not None:
            check_same_data(line.run, rows)
        return rows
    except HourglassError as problem:
        problems.append(f"{line.label} is shown without test rows. {problem}")
        return None


def make_scene(kind: str, stamp: Stamp, rows_key: str, run: Run, rows: Rows | None) -> Scene:
    """Make a scene of a run's decoder without axes, with the rows' codes; without the data those that it stores."""
    shape, by_server = tuple(run.environment["image_shape"] or ()), read_decoder(stamp) is None
    scene_id, decoder = cache.make_key(kind, *stamp, rows_key), cache.make_key("decoder", *stamp)
    codes, numbers = np.zeros((0, run.spec.param("n_components")), np.float32), np.zeros(0, int)
    if rows is None and "codes" in run.views:
        codes, numbers = run.views["codes"].astype(np.float32), run.views["shown_rows"]
    labels = np.full(len(codes), -1)
    scene = Scene(scene_id, kind, decoder, shape, (), codes, labels, numbers, by_server=by_server)
    if rows is None or not methods.entry(run.spec.method).encodes:
        return scene
    codes, _ = cached.load_codes(stamp, rows.key, run, rows)
    names = rows.target_names if rows.has_labels else ()
    return replace(scene, codes=codes, labels=rows.y, numbers=rows.numbers, names=names, pictures=rows.key)


def link_training(entry: datasets.Entry, size: int) -> None:
    """Link to the training of the first method on the page."""
    method = list_methods(entry.kind)[0]
    query = {"data": entry.name, "method": method, "size": str(size)}
    stored_runs.link_training(f"Train {methods.label(method)} {size}-D", query)


def draw(
    stamp: Stamp, scene: Scene, rows: Rows | None, about: Sequence[str], problems: list[str], prefix: str = ""
) -> None:
    """Draw a scene and the sentences about it, in the state that a link asks for, else in the last one.

    `prefix` of the state's names in the address.
    """
    # Of the other section.
    others = (name for kind, names in _IN_ADDRESS.items() if kind != scene.kind for name in names.values())
    page_state.forget(prefix + name for name in others)
    decoder = read_decoder(stamp)
    if decoder is not None:
        _mount("weights", latent.make_decoder_message(scene.decoder, decoder), "latent-weights")
    state = _read_state(scene, problems, prefix)
    placed = f"{scene.id}:{st.session_state.get(_PLACED, 0)}"
    # Without a callback Streamlit would not keep the state.
    _mount(scene.kind, latent.make_scene_message(scene, state, placed), on_view_change=lambda: None)
    if scene.by_server:
        if scene.kind == "manifold":
            _mount("weights", _grid(stamp, scene.id, scene), "latent-weights")
        _answer(stamp, scene.decoder, len(scene.axes))
        about = [*about, "This decoder is convolutional, so the server computes each image."]
    if about:
        st.html(make_note(" ".join(about)))
    if rows is not None:
        # After what is seen first.
        _mount("pictures", _images(rows.key, rows), "latent-pictures")


def _mount(name: str, data: bytes, container: str = "", **callbacks: Any) -> None:
    """Send a message of its own; one that does not change is not sent again."""
    with st.container(key=container) if container else nullcontext():
        get_component("latent")(data=data, key=f"latent:{name}", **callbacks)


@st.cache_resource(max_entries=8, show_spinner="Exporting the decoder …")
def read_decoder(stamp: Stamp) -> decoder_export.Decoder | None:
    """Return what the browser can compute of a run; None for a convolutional decoder."""
    place = Path(stamp[0])
    if place.is_relative_to(layout.SHIPPED):  # known to be whole, and read without torch
        return decoder_export.export_stored_decoder(reader.read_run(place), reader.read_weights(place))
    return decoder_export.export_decoder(cached.load_estimator(stamp))


@st.cache_resource(max_entries=6, show_spinner=False)
def _images(key: str, _rows: Rows) -> bytes:
    return maps.make_pictures_message(key, sprite=montages.make_sprite(_rows.X, _rows.image_shape))


@st.cache_resource(max_entries=8, show_spinner="Decoding the grid …")
def _grid(stamp: Stamp, scene_id: str, _scene: Scene) -> bytes:
    """Make the message with the images of the plane, which the browser cannot decode."""
    counts = latent.choose_grid_shape(_scene.shape)
    is_prior = bool(_scene.gaussian and _scene.gaussian.is_prior)
    pairs = zip(counts, _scene.axes, strict=True)
    places = [decoder_export.place_grid_columns(n, axis.low, axis.high, is_prior) for n, axis in pairs]
    images = to_pixels(cached.load_estimator(stamp).inverse_transform(decoder_export.make_grid(*places)))
    return latent.make_grid_message(_scene.decoder, images, counts[0])


@st.fragment
def _answer(stamp: Stamp, decoder: str, size: int) -> None:
    """Send the image that the browser asks for, where the decoder is convolutional; only this part runs again."""
    key, answer = f"latent:answer-{decoder}", ()
    asked = (st.session_state.get(key) or {}).get("asked")
    with header.show_errors():
        if asked is not None and (question := latent.parse_question(asked, decoder, size)) is not None:
            turn, code = question
            answer = turn, to_pixels(decoder_export.decode_one(cached.load_estimator(stamp), code))
    with st.container(key="latent-answer"):
        data = latent.make_answer_message(decoder, *answer)
        get_component("answer")(data=data, key=key, on_asked_change=lambda: None)


def _read_state(scene: Scene, problems: list[str], prefix: str) -> State:
    """Return the link's state, else what the browser sent last, else the scene's last one; write it to the address."""
    pad = tuple(map(int, scene.order[:2])) if scene.kind == "sliders" and len(scene.axes) > 1 else ()
    behind = "images" if scene.kind == "manifold" else ""
    default = State(tuple(axis.start for axis in scene.axes), pad, behind=behind)
    states: dict[str, State] = st.session_state.setdefault(_STATES, {})
    state = _read_sent(scene, problems) or states.get(scene.id, default)
    states[scene.id] = state = _read_linked(scene, state, problems, prefix)
    written, first = latent.format_state(state), latent.format_state(default)
    for field, name in _IN_ADDRESS[scene.kind].items():
        page_state.keep(prefix + name, written[field], text=None if written[field] == first[field] else written[field])
    return state


def _read_sent(scene: Scene, problems: list[str]) -> State | None:
    text = (st.session_state.get(f"latent:{scene.kind}") or {}).get("view")
    seen = st.session_state.setdefault(_SEEN, {})
    if text is not None and text != seen.get(scene.kind):
        seen[scene.kind] = text
        with page_state.append_error(problems):
            return latent.parse_state(text, scene.id, len(scene.axes))
    return None


def _read_linked(scene: Scene, state: State, problems: list[str], prefix: str) -> State:
    linked = {}
    for field, name in _IN_ADDRESS[scene.kind].items():
        if (text := page_state.read_link(prefix + name)) is None:
            continue
        try:
            linked[field] = _parse(field, text, scene, problems)
        except BadInput as problem:
            problems.append(f"The link asks for {prefix}{name}={shorten(text, 30)}. {problem}")
    if linked:
        st.session_state[_PLACED] = st.session_state.get(_PLACED, 0) + 1
    return replace(state, **linked)


def _parse(field: str, text: str, scene: Scene, problems: list[str]) -> Any:
    size = len(scene.axes)
    if field == "behind":
        if text not in latent.BEHIND:
            raise BadInput(f"Choose from {', '.join(latent.BEHIND)}.")
        return text
    if field == "code":
        code = latent.parse_code(text, size)
        clipped = tuple(float(np.clip(z, axis.low, axis.high)) for z, axis in zip(code, scene.axes, strict=True))
        if clipped == code or scene.kind == "sliders":  # which show any code
            return code
        text = shorten(latent.format_code(code), 30)
        problems.append(f"The link asks for the code {text}, outside this plane: the nearest point is shown.")
        return clipped
    dimensions = latent.parse_dimensions(text, size, 2 if field == "pad" else size)
    if field == "pad" and len(dimensions) != 2:
        raise BadInput("The pad has two dimensions, such as 1_2.")
    return dimensions
