"""Messages of dragging in latent space; assets/components/latent.js is the other side."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.figures import palette
from core.frontend.maps import make_class_header, pack

BEHIND = ("images", "rows", "both")
_LARGEST = 1e6
_NUMBER = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,8})?")
_ID = re.compile("[0-9a-f]{16}")
_NO_CODE = "What the page sent is no code: reload it."


@dataclass(frozen=True)
class Axis:
    """A latent dimension: range, initial value, a note on its activity, whether it is active."""

    low: float
    high: float
    start: float = 0.0
    note: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class Gaussian:
    """A distribution of codes, N(0, I) or fitted: mean (k,), covariance (k, k)."""

    is_prior: bool
    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class State:
    """A person's choices: code, dimensions on the pad, frozen dimensions, one of `BEHIND`."""

    code: tuple[float, ...]
    pad: tuple[int, ...] = ()
    frozen: tuple[int, ...] = ()
    behind: str = ""


@dataclass(frozen=True)
class Scene:
    """One decoder to drag in.

    Attributes
    ----------
    id : changes with the decoder and the rows; answers of the browser name it.
    kind : {"manifold", "sliders"}
    decoder : id of the decoder's message.
    shape : (height, width) of an image.
    axes : one for each latent dimension.
    codes : (n, k) of rows, labels : (n,) int, numbers : (n,) row numbers; none where the data are not here.
    gaussian : for sampling codes, None for a plane without a prior.
    pictures : id of the rows' pictures, see `core.frontend.maps.make_pictures_message`.
    starts : positions among the rows that are offered to start from.
    order : dimensions, the most active first; None: as they are.
    measure : name of the axes' activity.
    by_server : whether the server decodes each picture.
    lacking : why there are no rows to see, in words.
    """

    id: str
    kind: str
    decoder: str
    shape: tuple[int, int]
    axes: Sequence[Axis]
    codes: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray
    names: Sequence[str] = ()
    gaussian: Gaussian | None = None
    pictures: str = ""
    starts: Sequence[int] = ()
    measure: str = ""
    by_server: bool = False
    order: Sequence[int] | None = None
    lacking: str = ""


def make_decoder_message(decoder_id: str, layers: Sequence[Any]) -> bytes:
    """Weights of `decoder_export.Layer`s, which the browser keeps under `decoder_id`."""
    arrays = {}
    for k, layer in enumerate(layers):
        arrays |= {f"weight{k}": layer.weight, f"scale{k}": layer.scale, f"bias{k}": layer.bias}
    return pack({"kind": "decoder", "id": decoder_id, "activations": [layer.activation for layer in layers]}, arrays)


def make_grid_message(grid_id: str, images: np.ndarray, columns: int) -> bytes:
    """Decoded images of a grid of codes: (n, height * width) uint8, row by row from the top."""
    return pack({"kind": "grid", "id": grid_id, "columns": columns}, {"images": images})


def make_answer_message(decoder_id: str, turn: str = "", image: np.ndarray | None = None) -> bytes:
    """The picture that the browser asked for in its turn `turn`: (height * width,) uint8."""
    header = {"kind": "answer", "id": decoder_id, "turn": turn}
    return pack(header, {} if image is None else {"image": image})


def make_scene_message(scene: Scene, state: State, placed: str) -> bytes:
    """All else that is drawn; `placed` changes where the server sets the state, else the browser keeps its own."""
    gaussian = scene.gaussian
    order = range(len(scene.axes)) if scene.order is None else scene.order
    numbers = {"shape": scene.shape, "order": order, "starts": scene.starts, "pad": state.pad, "frozen": state.frozen}
    header: dict[str, Any] = {
        **{name: getattr(scene, name) for name in ("kind", "id", "decoder", "measure", "pictures", "lacking")},
        **{name: list(map(int, values)) for name, values in numbers.items()},
        "axes": list(map(_make_axis, scene.axes)),
        "columns": choose_grid_shape(scene.shape),
        "prior": bool(gaussian and gaussian.is_prior),
        "gaussian": gaussian is not None,
        "names": list(map(str, scene.names)),
        "server": scene.by_server,
        "placed": placed,
        "code": list(map(_round, state.code)),
        "behind": state.behind,
        **make_class_header(len(scene.names)),
        "none": palette.NO_CLASS if scene.names else palette.SINGLE,
    }
    arrays = {
        "codes": np.asarray(scene.codes, np.float16 if scene.kind == "sliders" else np.float32),
        "labels": np.asarray(scene.labels, np.int16),
        "rows": np.asarray(scene.numbers, np.int32),
    }
    if gaussian is not None and not gaussian.is_prior:
        arrays |= {name: np.asarray(getattr(gaussian, name), np.float32) for name in ("mean", "covariance")}
    return pack(header, arrays)


def _make_axis(axis: Axis) -> dict[str, Any]:
    ends = {"low": _round(axis.low), "high": _round(axis.high), "start": _round(axis.start)}
    return {**ends, "note": axis.note, "active": axis.is_active}


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def choose_grid_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Columns and lines of images of this (height, width) that fill about a square: (20, 14) for (28, 20)."""
    # Smaller images are told apart in a coarser grid alone.
    most = 20 if max(shape) >= 16 else 12
    columns, lines = (max(1, round(most * side / max(shape))) for side in shape)
    return columns, lines


def format_code(code: Sequence[float]) -> str:
    """A code as text for an address, each number to three digits: ``"0.52_-1.3"``."""
    rounded = [float(f"{value:.3g}") for value in code]
    return "_".join("0" if abs(value) < 1e-4 else np.format_float_positional(value, trim="-") for value in rounded)


def parse_code(text: str, size: int) -> tuple[float, ...]:
    """Inverse of `format_code`, for text that anybody may have written; BadInput if it is no code of `size` numbers."""
    parts = text.split("_") if len(text) <= 6000 else []
    if not parts or not all(map(_NUMBER.fullmatch, parts)):
        example = "_".join(["0.5", "-1.3", "0"][:size]) + ("_…" if size > 3 else "")
        raise BadInput(f"It is no code: a code is {size} numbers joined by _, such as {example}.")
    if len(parts) != size:
        raise BadInput(f"It has {len(parts):,} {'number' if len(parts) == 1 else 'numbers'}, the code here has {size}.")
    code = tuple(map(float, parts))
    if max(map(abs, code)) > _LARGEST:
        raise BadInput(f"A number of a code lies between -{_LARGEST:,.0f} and {_LARGEST:,.0f}.")
    return code


def parse_dimensions(text: str, size: int, most: int) -> tuple[int, ...]:
    """Dimensions, from 0, of text that anybody may have written: numbers from 1, joined by _.

    Raises BadInput if they are not different dimensions of a code of `size` numbers, or more than `most`.
    """
    parts = text.split("_") if text else []
    if len(parts) > most or not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise BadInput(f"They are at most {most} whole numbers from 1 to {size}, joined by _.")
    dimensions = tuple(int(part) - 1 for part in parts)
    if len(set(dimensions)) < len(dimensions) or not all(0 <= each < size for each in dimensions):
        raise BadInput(f"They are different whole numbers from 1 to {size}, joined by _.")
    return dimensions


def format_dimensions(dimensions: Sequence[int]) -> str:
    return "_".join(str(each + 1) for each in dimensions)


def format_state(state: State) -> dict[str, str]:
    """The state as in an address."""
    dimensions = {"pad": format_dimensions(state.pad), "frozen": format_dimensions(state.frozen)}
    return {"code": format_code(state.code), **dimensions, "behind": state.behind}


def _split(text: object, n_parts: int) -> list[str]:
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != n_parts or not _ID.fullmatch(parts[0]):
        raise BadInput(_NO_CODE)
    return parts


def parse_state(text: object, scene_id: str, size: int) -> State | None:
    """The state that the browser sends once a drag ends; None if it is of another scene, BadInput if malformed.

    Anybody may have written ``"<id>|<code>|<dimensions on the pad>|<frozen dimensions>|<behind>"``.
    """
    scene, code, pad, frozen, behind = _split(text, 5)
    if scene != scene_id:
        return None
    if behind not in ("", *BEHIND):
        raise BadInput(_NO_CODE)
    dimensions = parse_dimensions(pad, size, 2), parse_dimensions(frozen, size, size)
    return State(parse_code(code, size), *dimensions, behind)


def parse_question(text: object, decoder_id: str, size: int) -> tuple[str, tuple[float, ...]] | None:
    """Turn and code of ``"<id>|<turn>|<code>"``, a picture asked for; None: another decoder; BadInput if malformed."""
    decoder, turn, code = _split(text, 3)
    if not (turn.isascii() and turn.isdecimal()):
        raise BadInput(_NO_CODE)
    if decoder != decoder_id or len(turn) > 20:
        return None
    return turn, parse_code(code, size)
