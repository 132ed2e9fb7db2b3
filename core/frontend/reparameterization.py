"""The message of the live reparameterization; assets/components/reparameterization.js is the other side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.figures import palette
from core.frontend.maps import make_class_header, pack


def make_message(
    message_id: str,
    encoder: Sequence[Any],
    decoder: Sequence[Any],
    codes: np.ndarray,
    labels: np.ndarray,
    digits: np.ndarray,
    digit_rows: np.ndarray,
    digit_labels: np.ndarray,
    names: Sequence[str],
    shape: tuple[int, int],
    log_variance_range: tuple[float, float],
    limits: tuple[float, int, int],
) -> bytes:
    """All that the browser computes and draws.

    Parameters
    ----------
    message_id : changes with the networks and the rows.
    encoder, decoder : `core.analysis.decoder_export.Layer`s; the encoder gives means and log variances.
    codes : (n, 2) of the map's rows; labels : (n,) int, indices into `names`.
    digits : (m, height * width) uint8 that are offered; digit_rows, digit_labels : (m,) int.
    log_variance_range : ends that the encoder's log variance is clipped to.
    limits : the pen's width as a share of the pad's side, most points, and most strokes of a drawing.
    """
    arrays = {f"encoder.{name}": a for name, a in _list_arrays(encoder)}
    arrays |= {f"decoder.{name}": a for name, a in _list_arrays(decoder)}
    arrays |= {"codes": np.asarray(codes, np.float32), "labels": np.asarray(labels, np.int16)}
    arrays |= {"digits": digits, "digitRows": np.asarray(digit_rows, np.int32)}
    arrays["digitLabels"] = np.asarray(digit_labels, np.int16)
    brush, most_points, most_strokes = limits
    header = {
        "id": message_id,
        "encoder": [layer.activation for layer in encoder],
        "decoder": [layer.activation for layer in decoder],
        "names": list(map(str, names)),
        "shape": list(map(int, shape)),
        "range": list(log_variance_range),
        "brush": brush,
        "mostPoints": most_points,
        "mostStrokes": most_strokes,
        "none": palette.NO_CLASS,
        **make_class_header(len(names)),
    }
    return pack(header, arrays)


def _list_arrays(layers: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    return [
        (f"{part}{k}", getattr(layer, part)) for k, layer in enumerate(layers) for part in ("weight", "scale", "bias")
    ]
