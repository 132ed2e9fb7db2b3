"""Messages of the game that the browser plays; assets/components/game.js is the other side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.figures import palette
from core.frontend.maps import pack

# All of it; smaller, beside an explanation; that without losses and the table of numbers.
LOOKS = FULL, SMALL, PICTURE = "full", "small", "picture"
_LARGEST_RATE = 0.1
_COLOURS = {"real": 8, "generated": 2, "learned": 4, "optimal": 1}  # of `palette.CLASSES`


@dataclass(frozen=True)
class Thumbnail:
    """A preset that can be clicked: real and generated points (n, 2), within 4 of 0."""

    name: str
    label: str
    real: np.ndarray
    generated: np.ndarray


def make_game_message(
    key: str,
    settings: Mapping[str, Any],
    mixture: Mapping[str, np.ndarray],
    frames: Mapping[str, np.ndarray],
    *,
    thumbnails: Sequence[Thumbnail] = (),
    chosen: str = "",
    opens: int = -1,
    mode: Sequence[float] = (),
    look: str = FULL,
) -> bytes:
    """A game to play.

    Parameters
    ----------
    key : the browser begins anew when it changes.
    settings : of `Game` in assets/components/game_engine.js.
    mixture : weights and deviations (k,), means (k, d) of the data.
    frames : rounds (m,), generator and discriminator (m, weights), coverage (m,), and the history; or none.
    opens : the round that is shown first, if not the last one.
    mode : the highest mode of the data's density, if there is one.
    look : one of `LOOKS`.
    """
    arrays = {name: values.astype(np.float32) for name, values in mixture.items()}
    rounds = frames.get("rounds", np.zeros(0, np.int32)).tolist()
    arrays |= {name: values for name, values in frames.items() if name != "rounds"}
    colours = {theme: {name: own[k] for name, k in _COLOURS.items()} for theme, own in palette.CLASSES.items()}
    for theme, own in colours.items():
        own |= {"ink": palette.INK[theme], "soft": palette.SOFT[theme], "ground": palette.GROUND[theme]}
    header = {
        "key": key,
        "settings": dict(settings),
        "rounds": rounds,
        "presets": [
            {"name": each.name, "label": each.label, "points": _round_points(each.real, each.generated)}
            for each in thumbnails
        ],
        "preset": chosen,
        "opens": opens,
        "mode": list(mode),
        "look": look,
        "colours": colours,
    }
    return pack(header, arrays)


def _round_points(real: np.ndarray, generated: np.ndarray) -> dict[str, list[float]]:
    rows = {"real": real, "generated": generated}
    return {name: np.round(points, 2).ravel().tolist() for name, points in rows.items()}


def parse_rates(value: Any) -> dict[str, float] | None:
    """Learning rates of "G" and "D" from the browser; None where they are malformed."""
    try:
        rates = {player: float(value[player]) for player in ("G", "D")}
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        return None
    return rates if all(0 < rate <= _LARGEST_RATE for rate in rates.values()) else None
