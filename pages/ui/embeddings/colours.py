"""Values that colour the maps instead of the class."""

import numpy as np

from core.frontend.maps import Values
from core.types import IMAGES
from pages.ui.embeddings import controls, neighbours
from pages.ui.embeddings.map_state import MapView, RunMap
from pages.ui.shared import header
from pages.ui.shared.number_format import number

# The scale ignores outliers.
_QUANTILES = (0.01, 0.99)


def compute_values(view: MapView, pair: tuple[RunMap, RunMap] | None, problems: list[str]) -> Values | None:
    """The value of each row by which it is coloured; None for the class."""
    rows = view.rows
    if view.colour == controls.OVERLAP and pair is not None:
        label = f"Disagreement of {pair[0].name} and {pair[1].name}"
        return _scaled(label, 1 - neighbours.compute_overlap(*pair))
    if view.colour == controls.ERROR:
        return _choose_errors(view, problems)
    if view.colour == controls.SPLIT:
        return Values("Split", rows.is_test.astype(float), 0.0, 1.0, ("train", "test"), is_binary=True)
    if view.colour == controls.LENGTH:
        return _scaled("Known words", np.asarray(rows.X.sum(axis=1), np.float64).ravel())
    return None


def _choose_errors(view: MapView, problems: list[str]) -> Values | None:
    offered = [run_map for run_map in view.one_per_run if run_map.reconstructs]
    if not offered:
        problems.append("No method shown reconstructs its input, so there is no error to colour by.")
        return None
    chosen = offered[0]
    if len(offered) > 1:
        chosen = neighbours.choose_run("error-of", "Reconstruction error of", offered, problems)
    with header.show_errors():
        unit = "squared error" if view.rows.kind == IMAGES else "1 − cosine"
        return _scaled(f"{chosen.name}, {unit}", chosen.errors)
    return None


def _scaled(label: str, values: np.ndarray) -> Values:
    if not np.isfinite(values).any():
        return Values(label, values, 0.0, 1.0, ("0", "1"))
    low, high = (float(end) for end in np.nanquantile(values, _QUANTILES))
    if np.array_equal(values, np.rint(values)):
        low, high = round(low), round(high)
    return Values(label, values, low, high, (f"{number(low)} or less", f"{number(high)} or more"))
