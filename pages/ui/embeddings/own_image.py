"""The visitor's own image, drawn or uploaded, embedded in every map."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis import neighbourhoods
from core.analysis.codes import encode, to_pixels
from core.analysis.rows import BY_TSNE, Rows
from core.datasets import user_image
from core.errors import BadInput
from core.metrics.reconstruction import squared_error
from core.types import IMAGES, as_floats
from pages.ui.embeddings import neighbours
from pages.ui.embeddings.map_state import MapView, RunMap
from pages.ui.shared import drawing_pad, header, page_state
from pages.ui.shared.cached import load_dataset
from pages.ui.shared.html_blocks import make_named_rows
from pages.ui.shared.images import montage
from pages.ui.shared.number_format import number
from pages.ui.shared.text import plain

_DRAW, _UPLOAD = "Draw", "Upload"
_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp"]


@dataclass(frozen=True)
class OwnPoint:
    """The visitor's image in one map: latent code and (2,) position, None without one."""

    run_map: RunMap
    code: np.ndarray | None = None
    point: np.ndarray | None = None


def draw(view: MapView) -> dict[str, OwnPoint]:
    """Draw the input and each method's results; returns key of a map -> point of the image."""
    if view.rows.kind != IMAGES or not view.drawable:
        return {}
    can_draw = view.entry.is_handwritten
    title = f"Embed your own image: {'draw a digit or ' if can_draw else ''}upload"
    drawer = st.expander(title, key=page_state.key("own"), on_change="rerun", icon=":material/star:")
    if not drawer.open:
        return {}
    with drawer, st.container(key="own-point"):
        with st.container(key="own-input"):
            row = _read_input(view, can_draw)
        with st.container(key="own-result"):
            if row is None:
                about = "The image is preprocessed like the data and shown as a star in the maps. "
                st.markdown(f"{about}Each method's reconstruction and the nearest rows appear here.")
                return {}
            points: dict[str, OwnPoint] = {}
            with header.show_errors(), st.spinner("Embedding your image …", show_time=False):
                points = {run_map.choice.key: _embed(run_map, row) for run_map in view.drawable}
                _draw_results(view, row, list(points.values()))
            return points


def _read_input(view: MapView, can_draw: bool) -> np.ndarray | None:
    """Draw the pad or the upload; returns the image as (n_features,) uint8."""
    source = _UPLOAD
    if can_draw:
        look = {"key": page_state.key("own-how"), "required": True, "label_visibility": "collapsed"}
        source = st.segmented_control("Input", [_DRAW, _UPLOAD], default=_DRAW, **look)
    try:
        if source == _DRAW:
            strokes = drawing_pad.read_points(page_state.key("own-pad"), "Draw one digit")
            picture = user_image.rasterise_strokes(strokes) if strokes else None
        else:
            label, key = "PNG or JPG of one object on a plain background", page_state.key("own-file")
            about = "Converted to grey, cropped to its content and scaled like the data. Not stored."
            file = st.file_uploader(label, _TYPES, key=key, help=about)
            picture = user_image.read_image(file.getvalue()) if file else None
        return None if picture is None else user_image.to_row(picture, view.entry.name, view.rows.image_shape)
    except BadInput as problem:
        st.warning(plain(problem))
        return None


def _embed(run_map: RunMap, row: np.ndarray) -> OwnPoint:
    codes, _ = encode(run_map.estimator(), as_floats(row[None], IMAGES))
    code = None if codes is None else codes[0]
    return OwnPoint(run_map, code, _find_position(run_map.points_key, row, code, run_map))


@st.cache_data(max_entries=64, show_spinner=False)
def _find_position(points_key: str, row: np.ndarray, code: np.ndarray | None, _run_map: RunMap) -> np.ndarray | None:
    """(2,) position of the image in a map; None if the method has no code for it."""
    from core.methods.tsne import place_rows  # scikit-learn

    estimator, spec = _run_map.estimator(), _run_map.choice.spec
    if hasattr(estimator, "embedding_"):
        dataset = load_dataset(spec.dataset, spec.dataset_params)
        mapped = np.concatenate([dataset.X_train[estimator.rows_train_], dataset.X_test[estimator.rows_test_]])
        return place_rows(as_floats(row[None], IMAGES), as_floats(mapped, IMAGES), estimator.embedding_)[0]
    if code is None:
        return None
    if _run_map.choice.projection == BY_TSNE:
        mapped = np.isfinite(_run_map.points).all(axis=1)
        return place_rows(code[None], _run_map.codes[mapped], _run_map.points[mapped])[0]
    return _run_map.plane.points(code[None])[0]


def _draw_results(view: MapView, row: np.ndarray, points: list[OwnPoint]) -> None:
    rows = view.rows
    lines = [("Your image", "as preprocessed", neighbours.make_strip(rows, [], first=_make_picture(row, rows)))]
    for point in {point.run_map.choice.spec.key: point for point in points}.values():
        if point.code is None:
            continue
        which, _ = neighbourhoods.find_nearest(point.code, point.run_map.codes, neighbours.NEAREST)
        picture, note, estimator = "", "nearest rows", point.run_map.estimator()
        if hasattr(estimator, "transform"):
            reconstruction = estimator.inverse_transform(point.code[None])
            error = squared_error(as_floats(row[None], IMAGES), reconstruction)[0]
            picture = _make_picture(to_pixels(reconstruction)[0], rows)
            note = f"reconstruction (squared error {number(error)}); nearest rows"
        lines.append((point.run_map.name, note, neighbours.make_strip(rows, which, first=picture)))
    st.html(make_named_rows(lines))


def _make_picture(row: np.ndarray, rows: Rows) -> str:
    return montage(row[None], rows.image_shape, 1, "your image", "hg-own-image", 84)
