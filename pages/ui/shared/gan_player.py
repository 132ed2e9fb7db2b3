"""The game that the browser plays: what it is sent of a game of `core.mechanisms`."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.frontend import game as messages
from core.frontend.game import Thumbnail
from core.mechanisms import finished_games
from core.mechanisms.fixed_opponent import DENSITY
from core.mechanisms.gan_game import DISCRIMINATOR, PRESETS, Settings
from core.mechanisms.gaussian_mixtures import TARGETS
from pages.ui.shared.components import do_nothing, get_component

OWN = "own"
_SENT = ("momentum", "width", "waves", "penalty", "batch", "noise", "seed")
_N_SHOWN = 90  # points of a thumbnail


def draw_finished(
    name: str,
    key: str,
    *,
    opens: int = -1,
    teacher: str = "",
    look: str = messages.FULL,
    on_preset: Callable[[], None] | None = None,
    on_round: Callable[[], None] | None = None,
) -> None:
    """Draw a shipped game, one of `finished_games.GAMES`, at its last frame or at the round `opens`.

    `look` is one of `core.frontend.game.LOOKS`. With another `teacher` the generator learns from that when it is
    played on. The callbacks are called when a preset is clicked, and when another round is looked at.
    """
    message = _make_finished_message(name, opens, teacher, look, on_preset is not None)
    _mount(key, message, on_preset=on_preset, on_round=on_round)


def draw_new(
    settings: Settings,
    name: str,
    key: str,
    *,
    teacher: str = DISCRIMINATOR,
    on_preset: Callable[[], None] | None = None,
    on_rates: Callable[[], None] | None = None,
) -> None:
    """Draw a game at its beginning; the browser begins anew when `name`, of at most 99 letters, changes."""
    thumbnails = _list_thumbnails() if on_preset else ()
    frames: dict[str, np.ndarray] = {}
    message = _make_message(name, settings, teacher, frames, thumbnails, OWN)
    _mount(key, message, on_preset=on_preset, on_rates=on_rates)


def _mount(key: str, message: bytes, **callbacks: Callable[[], None] | None) -> None:
    names = ("on_preset", "on_round", "on_rates")
    get_component("game")(
        key=key, data=message, **{f"{name}_change": callbacks.get(name) or do_nothing for name in names}
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _make_finished_message(name: str, opens: int, teacher: str, look: str, has_presets: bool) -> bytes:
    settings, _, own_teacher = finished_games.GAMES[name]
    game = finished_games.read_finished(name)
    frames = {"rounds": game.rounds, "generator": game.generator, "discriminator": game.discriminator}
    frames["coverage"] = game.coverage
    frames |= {f"history.{key}": values for key, values in game.history.items()}
    thumbnails = _list_thumbnails() if has_presets else ()
    key, teacher = f"{name}/{teacher}", teacher or own_teacher
    return _make_message(key, settings, teacher, frames, thumbnails, name, look, opens)


def _make_message(
    key: str,
    settings: Settings,
    teacher: str,
    frames: dict[str, np.ndarray],
    thumbnails: Sequence[Thumbnail],
    chosen: str,
    look: str = messages.FULL,
    opens: int = -1,
) -> bytes:
    mixture = settings.mixture
    is_frozen = teacher == DENSITY
    sent = {
        "loss": settings.loss,
        "teacher": teacher,
        "rates": {"G": settings.generator_rate, "D": settings.discriminator_rate},
        "steps": settings.discriminator_steps,
        "top": float(mixture.log_density(mixture.mode[None])[0]) if is_frozen else 0.0,
        **{name: getattr(settings, name) for name in _SENT},
    }
    arrays = {"weights": mixture.weights, "means": mixture.means, "deviations": mixture.deviations}
    mode = mixture.mode.tolist() if is_frozen and mixture.has_highest_mode else ()
    options = {"thumbnails": thumbnails, "chosen": chosen, "opens": opens, "mode": mode, "look": look}
    return messages.make_game_message(key, sent, arrays, frames, **options)


@st.cache_resource(max_entries=1, show_spinner=False)
def _list_thumbnails() -> list[Thumbnail]:
    """Data and samples of each preset's last frame, and some data for a game of one's own."""
    thumbnails = []
    for name, preset in PRESETS.items():
        mixture, samples = preset.settings.mixture, finished_games.read_finished(name).samples[:_N_SHOWN]
        real = mixture.sample(_N_SHOWN, np.random.default_rng(0))
        if mixture.dimension == 1:
            # Histograms, side by side, stand for densities.
            real, samples = (_stack(values[:, 0]) for values in (real, samples.astype(np.float64)))
        thumbnails.append(Thumbnail(name, preset.label, real, samples))
    spiral = TARGETS["spiral"][1].sample(_N_SHOWN, np.random.default_rng(0))
    return [*thumbnails, Thumbnail(OWN, "Custom", spiral, np.zeros((0, 2)))]


def _stack(values: np.ndarray) -> np.ndarray:
    """Points (n, 2), those of close values one above the other."""
    cells = np.rint(values / 0.25)
    heights = [(cells[:k] == cell).sum() for k, cell in enumerate(cells)]
    return np.column_stack([cells * 0.25, 0.4 * np.array(heights) - 3])
