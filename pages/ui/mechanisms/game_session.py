"""Games that visitors have played: trained with a progress bar, and shared."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.mechanisms import fixed_opponent, gan_game
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD, SoloGenerator
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, Frame, Game, Settings
from pages.ui.mechanisms.experiment import Controls
from pages.ui.shared import page_state

ROUNDS = (0, 20, 50, 100, 200, 300, 400, 600, 1000, 1500, 2000)
MOVES = {"D": DISCRIMINATOR, "G": GENERATOR}
MOST_MOVES = 40
_GAME, _SOLOS, _DONE, _LOCK = (f"hourglass.mechanisms.{name}" for name in ("game", "solos", "done", "lock"))
_TRAINING = {DENSITY: "Training with D fixed", LIKELIHOOD: "Training by maximum likelihood"}
# A frame is kept after so many rounds, so that a longer game has the frames of a shorter one.
_KEPT = sorted({*range(0, 20, 5), *range(20, 100, 20), *range(100, 500, 50), *range(500, 2001, 250), *ROUNDS})
_AT_ONCE = 20  # rounds between two looks at the stop button


@dataclass
class PlayedGame:
    """A game after some rounds and single steps, "D" or "G" each, with named snapshots."""

    settings: Settings
    game: Game
    rounds: int = 0
    moves: str = ""
    frames: list[Frame] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def copy(self) -> PlayedGame:
        """A copy that can be played on while this one stays as it is."""
        return replace(self, game=copy.deepcopy(self.game), frames=[*self.frames], names=[*self.names])

    def add_frame(self, name: str) -> None:
        self.frames.append(gan_game.take_snapshot(self.game))
        self.names.append(name)

    def compute_once(self, name: str, compute: Callable[[], Any]) -> Any:
        """What `compute` returned for this game, shared by all visitors who ask for the same game."""
        results = _get_shared(self.settings, self.rounds, self.moves)
        if name not in results:
            results[name] = compute()
        return results[name]


@st.cache_resource(max_entries=128, show_spinner=False)
def _get_shared(settings: Settings, rounds: int, moves: str = "") -> dict[str, Any]:
    """What all visitors share of a game: itself, generators trained alone, results by name."""
    return {}


def get_lock() -> threading.Lock:
    """Let one run of this session play: after a moved control, the run before ends later."""
    return st.session_state.setdefault(_LOCK, threading.Lock())


def play(settings: Settings, rounds: int, controls: Controls) -> PlayedGame:
    """The game after so many rounds and the chosen single steps; no round is played twice."""
    moves = _choose_moves(settings, rounds, controls)
    played = st.session_state.get(_GAME)
    is_own = played is not None and played.settings == settings
    if not (is_own and played.rounds == rounds and moves.startswith(played.moves)):
        if shared := _get_shared(settings, rounds).get(_GAME):
            played = shared.copy()
        elif not (is_own and played.rounds < rounds and not played.moves):
            played = PlayedGame(settings, gan_game.Game(settings))
            played.add_frame("0")
        st.session_state[_GAME] = played

    def advance() -> int:
        upcoming = next(k for k in _KEPT if k > played.rounds)
        n = min(_AT_ONCE, upcoming - played.rounds)
        gan_game.play_rounds(played.game, n)
        played.rounds += n
        if played.rounds == upcoming:
            played.add_frame(str(upcoming))
        if played.rounds in ROUNDS and _GAME not in (shared := _get_shared(settings, played.rounds)):
            shared[_GAME] = played.copy()
        return played.rounds

    _run(advance, played.rounds, rounds, "Training")
    for letter in moves[len(played.moves) :]:
        gan_game.take_step(played.game, MOVES[letter])
        played.moves += letter
        played.add_frame(f"{rounds} + {played.moves}")
    return played


def train_alone(settings: Settings, objective: str, steps: int) -> SoloGenerator:
    """A generator trained alone, by this visitor or another; more steps continue it."""
    solos = st.session_state.setdefault(_SOLOS, {})
    solo = solos.get(objective)
    is_own = solo is not None and solo.settings == settings
    if not (is_own and len(solo.history) == steps):
        if shared := _get_shared(settings, steps).get(objective):
            solo = copy.deepcopy(shared)
        elif not (is_own and len(solo.history) < steps):
            solo = fixed_opponent.SoloGenerator(settings, objective)
        solos[objective] = solo

    def advance() -> int:
        upcoming = next(k for k in ROUNDS if k > len(solo.history))
        fixed_opponent.train(solo, min(_AT_ONCE, upcoming - len(solo.history)))
        done = len(solo.history)
        if done in ROUNDS and objective not in (shared := _get_shared(settings, done)):
            shared[objective] = copy.deepcopy(solo)
        return done

    _run(advance, len(solo.history), steps, _TRAINING[objective])
    return solo


def _run(advance: Callable[[], int], done: int, total: int, label: str) -> None:
    """Advance, a little each time, until `total` is done, with a progress bar and a stop button."""
    if done >= total:
        return
    st.session_state[_DONE] = done
    # Rounds are remembered game by game.
    name = f"players.{page_state.recall('players.preset')}-rounds"
    placeholder = st.empty()
    with placeholder.container():
        bar = st.progress(done / total, f"{label} …")
        st.button("Stop", key=f"mechanism-stop-{label}", on_click=_stop, args=(name,))
    while done < total:
        done = st.session_state[_DONE] = advance()
        bar.progress(done / total, f"{label}: {done:,} of {total:,}")
    placeholder.empty()


def _stop(name: str) -> None:
    """Ask for no more rounds than are done."""
    done = st.session_state.get(_DONE, 0)
    page_state.keep(name, max(n for n in ROUNDS if n <= done))
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
