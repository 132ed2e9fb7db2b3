"""Games as far as people played them: in slices, with a bar and a way to stop, and kept for others and for later."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.mechanisms import one_player, two_players
from core.mechanisms.one_player import DENSITY, LIKELIHOOD, Solo
from core.mechanisms.two_players import DISCRIMINATOR, GENERATOR, Frame, Game, Settings
from pages.ui import choices
from pages.ui.mechanisms.frame import Controls

ROUNDS = (0, 20, 50, 100, 200, 300, 400, 600, 1000, 1500, 2000)
MOVES = {"D": DISCRIMINATOR, "G": GENERATOR}
MOST_MOVES = 40
_STATE, _SOLOS, _DONE, _LOCK = (f"hourglass.mechanisms.{name}" for name in ("game", "solos", "done", "lock"))
_TRAINING = {DENSITY: "Training against the frozen density", LIKELIHOOD: "Training by likelihood"}
# A frame is kept after so many rounds, so that a longer game has the frames of a shorter one.
_KEPT = sorted({*range(0, 20, 5), *range(20, 100, 20), *range(100, 500, 50), *range(500, 2001, 250), *ROUNDS})
_AT_ONCE = 20  # rounds between two looks at the clock and the stop button


@dataclass
class Played:
    """A game as far as it was played.

    Attributes
    ----------
    rounds : played; moves : single steps after them, "D" or "G" each.
    frames, names : what is drawn, and what its slider calls each.
    """

    settings: Settings
    game: Game
    rounds: int = 0
    moves: str = ""
    frames: list[Frame] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def copy(self) -> Played:
        """One that can be played on while this one stays as it is; what is drawn and said never changes."""
        return replace(self, game=copy.deepcopy(self.game), frames=[*self.frames], names=[*self.names])

    def keep(self, name: str) -> None:
        side, codes = (160, 1024) if self.game.mixture.dimension == 1 else (32, 512)
        self.frames.append(two_players.snapshot(self.game, 400, side, codes))
        self.names.append(name)

    def once(self, name: str, make: Callable[[Played], Any]) -> Any:
        """What `make` makes of the game as it is, the first time; others who ask for the same game needn't wait."""
        made = _made(self.settings, self.rounds, self.moves)
        if name not in made:
            made[name] = make(self)
        return made[name]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Nothing else of this session plays: when a control is moved, the run before ends only a little later."""
    with st.session_state.setdefault(_LOCK, threading.Lock()):
        yield


def played(settings: Settings, rounds: int, controls: Controls) -> Played:
    """The game after so many rounds and the single steps asked for; what was played before is not played again."""
    moves = _moves(settings, rounds, controls)
    played = st.session_state.get(_STATE)
    is_own = played is not None and played.settings == settings
    if not (is_own and played.rounds == rounds and moves.startswith(played.moves)):
        if shelf := _shelf(settings, rounds):
            played = shelf[0].copy()
        elif not (is_own and played.rounds < rounds and not played.moves):
            played = Played(settings, two_players.begin(settings))
            played.keep("0")
        st.session_state[_STATE] = played
    if played.rounds < rounds:
        _play(played, rounds)
    for letter in moves[len(played.moves) :]:
        two_players.step(played.game, MOVES[letter])
        played.moves += letter
        played.keep(f"{rounds} + {played.moves}")
    return played


@st.cache_resource(max_entries=64, show_spinner=False)
def _shelf(settings: Settings, rounds: int) -> list[Played]:
    """A game without single steps that somebody played so far, for everybody; nothing before. None is played on."""
    return []


@st.cache_resource(max_entries=64, show_spinner=False)
def _made(settings: Settings, rounds: int, moves: str) -> dict[str, Any]:
    """What was drawn, computed and said of a game, by name, for everybody."""
    return {}


def _play(played: Played, rounds: int) -> None:
    def on() -> int:
        upcoming = next(k for k in _KEPT if k > played.rounds)
        n = min(_AT_ONCE, upcoming - played.rounds)
        two_players.run(played.game, n)
        played.rounds += n
        if played.rounds == upcoming:
            played.keep(str(upcoming))
        if played.rounds in ROUNDS and not (shelf := _shelf(played.settings, played.rounds)):
            shelf.append(played.copy())
        return played.rounds

    _go_on(on, played.rounds, rounds, "Playing")


def trained_alone(settings: Settings, objective: str, steps: int) -> Solo:
    """A generator trained alone, by this visitor or another; longer than before, it goes on from there."""
    kept = st.session_state.setdefault(_SOLOS, {})
    solo = kept.get(objective)
    is_own = solo is not None and solo.settings == settings.checked()
    if not (is_own and len(solo.history) == steps):
        if shelf := _shelf_alone(settings, objective, steps):
            solo = copy.deepcopy(shelf[0])
        elif not (is_own and len(solo.history) < steps):
            solo = one_player.begin_solo(settings, objective)
        kept[objective] = solo

    def on() -> int:
        upcoming = next(k for k in ROUNDS if k > len(solo.history))
        one_player.run_solo(solo, min(_AT_ONCE, upcoming - len(solo.history)))
        done = len(solo.history)
        if done in ROUNDS and not (shelf := _shelf_alone(settings, objective, done)):
            shelf.append(copy.deepcopy(solo))
        return done

    if len(solo.history) < steps:
        _go_on(on, len(solo.history), steps, _TRAINING[objective])
    return solo


@st.cache_resource(max_entries=64, show_spinner=False)
def _shelf_alone(settings: Settings, objective: str, steps: int) -> list[Solo]:
    """A generator that somebody trained alone so far, for everybody; nothing before. None is trained on."""
    return []


def _go_on(on: Callable[[], int], done: int, total: int, doing: str) -> None:
    """Go on until `total` is done, with a bar and a way to stop; what is done is kept.

    Parameters
    ----------
    on : goes on a little and returns how much is done.
    """
    st.session_state[_DONE] = done
    holder = st.empty()
    with holder.container():
        bar = st.progress(done / total, f"{doing} …")
        st.button("Stop", key=f"mechanism-stop-{doing}", on_click=_stopped, args=(_rounds_of(),))
    while done < total:
        done = st.session_state[_DONE] = on()
        bar.progress(done / total, f"{doing}: {done:,} of {total:,}")
    holder.empty()


def _rounds_of() -> str:
    """Name of the choice of rounds, remembered game by game."""
    return f"players.{choices.remembered('players.preset')}-rounds"


def _stopped(name: str) -> None:
    """Ask for no more than was done."""
    done = st.session_state.get(_DONE, 0)
    choices.keep(name, max(n for n in ROUNDS if n <= done))
    st.session_state.pop(choices.key(name), None)


def _moves(settings: Settings, rounds: int, controls: Controls) -> str:
    """Single steps, of this game alone: another setting begins without any."""
    name, about = "players.moves", (settings, rounds)
    asked = choices.asked(name)
    if asked is not None:
        if set(asked) - set(MOVES) or len(asked) > MOST_MOVES:
            controls.problems.append(
                f"The link asks for single steps that are no list of up to {MOST_MOVES} letters D and G: none is made."
            )
            asked = ""
        st.session_state[name] = about
        moves = asked
    else:
        moves = (choices.remembered(name) or "") if st.session_state.get(name) == about else ""
    st.session_state[name] = about
    choices.keep(name, moves, text=moves or None)
    return moves


def move(letter: str) -> None:
    choices.keep("players.moves", (choices.remembered("players.moves") or "") + letter)
