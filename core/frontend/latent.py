"""What dragging in latent space is sent and sends back, as bytes; assets/components/latent.js is the other side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from core.errors import BadInput
from core.figures import palette
from core.frontend.maps import pack

BEHIND = ("images", "rows", "both")
# A drag sends more codes than anything else does text: what is longer is none.
_LONGEST = 6000
_LARGEST = 1e6
_NUMBER = re.compile(r"-?[0-9]{1,8}(\.[0-9]{1,8})?")
_ID = re.compile("[0-9a-f]{16}")
_DIGITS = 3
_SMALL = 16  # pixels; smaller images are told apart in a coarser grid alone


class Layer(Protocol):
    """As `core.analysis.decoder_export.Layer`."""

    weight: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    activation: str


@dataclass(frozen=True)
class Axis:
    """One number of the code.

    Attributes
    ----------
    low, high : the range that is shown.
    start : where it stands at first.
    note : a few words on how much it does.
    is_active : whether it does anything.
    """

    low: float
    high: float
    start: float = 0.0
    note: str = ""
    is_active: bool = True


@dataclass(frozen=True)
class Gaussian:
    """What codes are drawn from.

    Attributes
    ----------
    is_prior : N(0, I); else fitted to codes.
    mean : (k,); covariance : (k, k)
    """

    is_prior: bool
    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class State:
    """What a person did with a code.

    Attributes
    ----------
    code : the numbers; pad : the two dimensions on the pad; frozen : dimensions held; behind : one of `BEHIND`.
    """

    code: tuple[float, ...]
    pad: tuple[int, ...] = ()
    frozen: tuple[int, ...] = ()
    behind: str = ""


@dataclass(frozen=True)
class Scene:
    """One decoder to drag in.

    Attributes
    ----------
    id : changes with the decoder and the rows: what comes back names it.
    kind : {"manifold", "sliders"}
    decoder : id of the decoder's message.
    shape : (height, width) of an image.
    axes : one for each number of the code.
    codes : (n, k) of rows, labels : (n,) int, numbers : (n,) row numbers; none where the data are not here.
    gaussian : what codes are drawn from, None for a plane without a prior.
    pictures : id of the rows' pictures, see `core.frontend.maps.make_pictures_message`.
    starts : positions among the rows that are offered to start from.
    order : dimensions, the most active first; None: as they are.
    measure : what the axes' notes are, in a word.
    by_server : whether the server draws each picture.
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


def make_decoder_message(decoder_id: str, layers: Sequence[Layer]) -> bytes:
    """The weights: sent once, kept by the browser under `decoder_id`."""
    arrays = {}
    for k, layer in enumerate(layers):
        arrays |= {f"weight{k}": layer.weight, f"scale{k}": layer.scale, f"bias{k}": layer.bias}
    return pack({"kind": "decoder", "id": decoder_id, "activations": [each.activation for each in layers]}, arrays)


def make_grid_message(grid_id: str, images: np.ndarray, columns: int) -> bytes:
    """Images of a grid of codes that the server decoded: (n, height * width) uint8, row by row from the top."""
    return pack({"kind": "grid", "id": grid_id, "columns": columns}, {"images": images})


def make_answer_message(decoder_id: str, turn: str = "", image: np.ndarray | None = None) -> bytes:
    """The picture of the code that the browser asked for in its turn `turn`: (height * width,) uint8."""
    header = {"kind": "answer", "id": decoder_id, "turn": turn}
    return pack(header, {} if image is None else {"image": image})


def make_scene_message(scene: Scene, state: State, placed: str) -> bytes:
    """All else that is drawn.

    Parameters
    ----------
    placed : changes where the server means the state, as from a link; else what the browser shows stays.
    """
    labels = np.asarray(scene.labels, np.int16)
    gaussian, classes = scene.gaussian, range(len(scene.names))
    header: dict[str, Any] = {
        "kind": scene.kind,
        "id": scene.id,
        "decoder": scene.decoder,
        "shape": list(map(int, scene.shape)),
        "axes": list(map(_to_header, scene.axes)),
        "order": list(map(int, range(len(scene.axes)) if scene.order is None else scene.order)),
        "measure": scene.measure,
        "columns": choose_grid_shape(scene.shape),
        "prior": bool(gaussian and gaussian.is_prior),
        "gaussian": gaussian is not None,
        "names": list(map(str, scene.names)),
        "pictures": scene.pictures,
        "starts": list(map(int, scene.starts)),
        "server": scene.by_server,
        "lacking": scene.lacking,
        "placed": placed,
        "code": list(map(_round, state.code)),
        "pad": list(map(int, state.pad)),
        "frozen": list(map(int, state.frozen)),
        "behind": state.behind,
        "colours": {theme: [palette.get_class_style(k, theme).colour for k in classes] for theme in palette.CLASSES},
        "marks": [palette.get_class_style(k, "light").mark for k in classes],
        "none": palette.NO_CLASS if scene.names else palette.SINGLE,
    }
    arrays = {
        "codes": np.asarray(scene.codes, np.float16 if scene.kind == "sliders" else np.float32),
        "labels": labels,
        "rows": np.asarray(scene.numbers, np.int32),
    }
    if gaussian is not None and not gaussian.is_prior:
        arrays |= {
            "mean": np.asarray(gaussian.mean, np.float32),
            "covariance": np.asarray(gaussian.covariance, np.float32),
        }
    return pack(header, arrays)


def _to_header(axis: Axis) -> dict[str, Any]:
    low, high, start = map(_round, (axis.low, axis.high, axis.start))
    return {"low": low, "high": high, "start": start, "note": axis.note, "active": axis.is_active}


def _round(value: float) -> float:
    return float(f"{value:.6g}")


def choose_grid_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """How many images of this (height, width) stand side by side and below one another in about a square.

    >>> grid_columns((28, 28)), grid_columns((28, 20)), grid_columns((8, 8))
    ((20, 20), (20, 14), (12, 12))
    """
    most = 20 if max(shape) >= _SMALL else 12
    height, width = shape
    wide, high = (most, round(most * width / height)) if height >= width else (round(most * height / width), most)
    return max(1, wide), max(1, high)


def format_code(code: Sequence[float]) -> str:
    """A code as text for an address, each number to three digits: ``"0.52_-1.3"``."""
    return "_".join(map(_format_number, code))


def _format_number(value: float) -> str:
    rounded = float(f"{value:.{_DIGITS}g}")
    if rounded == 0 or abs(rounded) < 1e-4:
        return "0"
    return np.format_float_positional(rounded, trim="-")


def parse_code(text: str, size: int) -> tuple[float, ...]:
    """Inverse of `code_text`, for text that anybody may have written.

    Raises BadInput if it is no code of `size` numbers.
    """
    parts = text.split("_") if len(text) <= _LONGEST else []
    if not parts or not all(map(_NUMBER.fullmatch, parts)):
        raise BadInput(f"It is no code: a code is {size} numbers joined by _, such as {_make_example(size)}.")
    if len(parts) != size:
        raise BadInput(f"It has {len(parts):,} {'number' if len(parts) == 1 else 'numbers'}, the code here has {size}.")
    code = tuple(map(float, parts))
    if max(map(abs, code)) > _LARGEST:
        raise BadInput(f"A number of a code lies between -{_LARGEST:,.0f} and {_LARGEST:,.0f}.")
    return code


def _make_example(size: int) -> str:
    return "_".join(["0.5", "-1.3", "0"][:size]) + ("_…" if size > 3 else "")


def parse_dimensions(text: str, size: int, most: int) -> tuple[int, ...]:
    """Dimensions from text that anybody may have written, counted from 1 and joined by _; they come back from 0.

    Raises BadInput if they are not different dimensions of a code of `size` numbers, or more than `most`.
    """
    parts = text.split("_") if text else []
    if len(parts) > most or not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise BadInput(f"They are at most {most} whole numbers from 1 to {size}, joined by _.")
    found = tuple(int(part) - 1 for part in parts)
    if len(set(found)) < len(found) or not all(0 <= each < size for each in found):
        raise BadInput(f"They are different whole numbers from 1 to {size}, joined by _.")
    return found


def format_dimensions(dimensions: Sequence[int]) -> str:
    return "_".join(str(each + 1) for each in dimensions)


def format_state(state: State) -> dict[str, str]:
    """The state as it stands in an address."""
    return {
        "code": format_code(state.code),
        "pad": format_dimensions(state.pad),
        "frozen": format_dimensions(state.frozen),
        "behind": state.behind,
    }


def parse_state(text: object, scene_id: str, size: int) -> State | None:
    """What the browser sends once a drag ends; None where it is of another scene.

    Parameters
    ----------
    text : ``"<id>|<code>|<dimensions on the pad>|<frozen dimensions>|<what is behind>"``; anybody may have written it.

    Raises BadInput if it is none.
    """
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != 5 or not _ID.fullmatch(parts[0]):
        raise BadInput("What the page sent is no code: reload it.")
    if parts[0] != scene_id:
        return None
    behind = parts[4]
    if behind not in ("", *BEHIND):
        raise BadInput("What the page sent is no code: reload it.")
    pad, frozen = parse_dimensions(parts[2], size, 2), parse_dimensions(parts[3], size, size)
    return State(parse_code(parts[1], size), pad, frozen, behind)


def parse_question(text: object, decoder_id: str, size: int) -> tuple[str, tuple[float, ...]] | None:
    """Turn and code of a picture the browser asks for, ``"<id>|<turn>|<code>"``; None where it is of another decoder.

    Raises BadInput if it is none.
    """
    parts = text.split("|") if isinstance(text, str) else []
    if len(parts) != 3 or not _ID.fullmatch(parts[0]) or not (parts[1].isascii() and parts[1].isdecimal()):
        raise BadInput("What the page sent is no code: reload it.")
    if parts[0] != decoder_id or len(parts[1]) > 20:
        return None
    return parts[1], parse_code(parts[2], size)
