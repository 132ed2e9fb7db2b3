"""Games that visitors have played: trained with a progress bar, and shared."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.mechanisms import fixed_opponent, gan_game
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD, SoloGenerator
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, Frame, Game, Settings
from pages.ui.shared import page_state
from pages.ui.shared.experiment import Controls

ROUNDS = (0, 20, 50, 100, 200, 300, 400, 600, 1000, 1500, 2000)
MOVES = {"D": DISCRIMINATOR, "G": GENERATOR}
MOST_MOVES = 40
_GAME = "game"
_LABELS = {_GAME: "Training", DENSITY: "Training with D fixed", LIKELIHOOD: "Training by maximum likelihood"}
# A frame is kept after so many rounds, so that a longer game has the frames of a shorter one.
_KEPT = sorted({*range(0, 20, 5), *range(20, 100, 20), *range(100, 500, 50), *range(500, 2001, 250), *ROUNDS})
_AT_ONCE = 20  # rounds between two looks at the stop button


@dataclass
class PlayedGame:
    """A game after some rounds and single steps, "D" or "G" each, with named snapshots; or a generator alone."""

    game: Game | SoloGenerator
    rounds: int = 0
    moves: str = ""
    frames: list[Frame] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def copy(self) -> PlayedGame:
        """A copy that can be played on while this one stays as it is."""
        return replace(self, game=copy.deepcopy(self.game), frames=[*self.frames], names=[*self.names])

    def advance(self, rounds: int) -> None:
        """Play rounds, and take a snapshot of a game if the last one is in `_KEPT`."""
        self.rounds += rounds
        if isinstance(self.game, SoloGenerator):
            fixed_opponent.train(self.game, rounds)
            return
        gan_game.play_rounds(self.game, rounds)
        if self.rounds in _KEPT:
            self.add_frame(str(self.rounds))

    def add_frame(self, name: str) -> None:
        self.frames.append(gan_game.take_snapshot(self.game))
        self.names.append(name)

    def compute_once(self, name: str, compute: Callable[[], Any]) -> Any:
        """What `compute` returned for this game, shared by all visitors who ask for the same game."""
        results = _get_shared(self.game.settings, self.rounds, self.moves)
        if name not in results:
            results[name] = compute()
        return results[name]


@st.cache_resource(max_entries=128, show_spinner=False)
def _get_shared(settings: Settings, rounds: int, moves: str = "") -> dict[str, Any]:
    """What all visitors share of a game: itself, generators trained alone, results by name."""
    return {}


def play(settings: Settings, rounds: int, controls: Controls) -> PlayedGame:
    """The game after so many rounds, one of `ROUNDS`, and the chosen single steps."""
    moves, played = _choose_moves(settings, rounds, controls), play_rounds(settings, rounds, _GAME)
    for k, letter in enumerate(moves, 1):
        shared = _get_shared(settings, rounds, moves[:k])
        if _GAME not in shared:
            played = replace(played.copy(), moves=moves[:k])
            gan_game.take_step(played.game, MOVES[letter])
            played.add_frame(f"{rounds} + {played.moves}")
            shared[_GAME] = played
        played = shared[_GAME]
    return played


def play_rounds(settings: Settings, rounds: int, kind: str) -> PlayedGame:
    """The game, or the generator alone of this objective, after so many rounds, one of `ROUNDS`.

    A longer one continues the longest shorter one that anybody has played, with a progress bar.
    """
    shared = {n: _get_shared(settings, n) for n in ROUNDS if n <= rounds}
    if kind in shared[rounds]:
        return shared[rounds][kind]
    if kind not in shared[0]:
        shared[0][kind] = PlayedGame(Game(settings) if kind == _GAME else SoloGenerator(settings, kind))
        shared[0][kind].advance(0)
    played = shared[_find_longest(shared, kind)][kind].copy()
    placeholder, label = st.empty(), _LABELS[kind]
    with placeholder.container():
        bar = st.progress(0.0, f"{label} …")
        # Rounds are remembered game by game.
        name = f"players.{page_state.recall('players.preset')}-rounds"
        st.button("Stop", key=f"mechanism-stop-{label}", on_click=_stop, args=(name, shared, kind))
    while played.rounds < rounds:
        upcoming = next(k for k in _KEPT if k > played.rounds)
        played.advance(min(_AT_ONCE, upcoming - played.rounds))
        if played.rounds in shared:
            shared[played.rounds][kind] = played.copy()
        bar.progress(played.rounds / rounds, f"{label}: {played.rounds:,} of {rounds:,}")
    placeholder.empty()
    return shared[rounds][kind]


def _find_longest(shared: dict[int, dict[str, Any]], kind: str) -> int:
    return max(n for n, results in shared.items() if kind in results)


def _stop(name: str, shared: dict[int, dict[str, Any]], kind: str) -> None:
    """Ask for no more rounds than are done."""
    page_state.keep(name, _find_longest(shared, kind))
    st.session_state.pop(page_state.key(name), None)


def _choose_moves(settings: Settings, rounds: int, controls: Controls) -> str:
    """Single steps of this game; another setting begins without any."""
    name, game = "players.moves", (settings, rounds)
    moves = page_state.read_link(name)
    if moves is None:
        moves = (page_state.recall(name) or "") if st.session_state.get(name) == game else ""
    elif set(moves) - set(MOVES) or len(moves) > MOST_MOVES:
        problem = f"The single steps in the link must be up to {MOST_MOVES} letters D and G: none is made."
        controls.problems.append(problem)
        moves = ""
    st.session_state[name] = game
    page_state.keep(name, moves, text=moves or None)
    return moves


def add_move(letter: str) -> None:
    """Add a single step: the callback of a button."""
    page_state.keep("players.moves", (page_state.recall("players.moves") or "") + letter)
