"""Two players: a GAN on data whose density is known, and the same generator without a second player."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from core import drawings
from core.mechanisms import mixtures, two_players
from core.mechanisms.two_players import (
    DENSITY,
    DISCRIMINATOR,
    GENERATOR,
    LIKELIHOOD,
    PRESETS,
    Discriminator,
    Frame,
    Game,
    Settings,
    Solo,
)
from core.types import BadInput
from pages.ui import choices, pad
from pages.ui.mechanisms import frame
from pages.ui.mechanisms.frame import Controls
from pages.ui.text import plain

_GAME, _ALONE, _JUDGE = "game", "alone", "judge"
_VIEWS = {
    _GAME: "The game",
    _JUDGE: "The discriminator, trained alone",
    _ALONE: "The generator, without a second player",
}
_OWN, _DRAWN = "own", "drawn"
_ROUNDS = (0, 20, 50, 100, 200, 300, 400, 600, 1000, 1500, 2000)
_FIRST_ROUNDS = 300
_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_STEPS = (1, 2, 3, 5)
_STATE, _SOLOS, _DONE = (f"hourglass.mechanisms.{name}" for name in ("game", "solos", "done"))
_TRAINING = {DENSITY: "Training against the frozen density", LIKELIHOOD: "Training by likelihood"}
_MOVES = {"D": DISCRIMINATOR, "G": GENERATOR}
_MOST_MOVES = 40
_LONGEST_IN_A_LINK = 1200
# A frame is kept after so many rounds, so that a longer game has the frames of a shorter one.
_KEPT = sorted({*range(0, 20, 5), *range(20, 100, 20), *range(100, 500, 50), *range(500, 2001, 250), *_ROUNDS})
_AT_ONCE = 20  # rounds between two looks at the clock and the stop button
_UNITS = {two_players.WASSERSTEIN: "units of x", two_players.LEAST_SQUARES: "squared error"}


def draw(controls: Controls) -> None:
    frame.begin(
        "One player makes rows, the other tells them from real ones. Watch the learned discriminator follow "
        "p / (p + q), which no player knows, and the generator move to where it answers “real”; then see what the "
        "same generator does without a second player.",
        r"\min_G \max_D\ \mathbb{E}_{x \sim p} \log D(x) + \mathbb{E}_{z \sim p(z)} \log(1 - D(G(z)))",
        r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",
    )
    with frame.controls():
        view = controls.segments("show", "What to look at", _VIEWS)
    chosen = _settings(controls, view)
    if chosen is None:
        return
    settings, rounds = chosen
    if view == _ALONE:
        _without_second_player(settings, rounds)
        return
    played = _played(settings, rounds, controls)
    if view == _JUDGE:
        _judge_alone(settings, played)
    else:
        _game(settings, played, controls)


# --- Settings -----------------------------------------------------------------------------------------------------


def _settings(controls: Controls, view: str) -> tuple[Settings, int] | None:
    """What the controls say, and how many rounds; None where something is missing yet."""
    presets = {**{name: preset.label for name, preset in PRESETS.items()}, _OWN: "Own settings"}
    with frame.controls(2):
        chosen = controls.segments("preset", "Game", presets)
        preset = PRESETS.get(chosen)
        # Rounds are remembered game by game; the first one opens with as many as a blink allows.
        usual = _FIRST_ROUNDS if preset is None or chosen == next(iter(PRESETS)) else preset.rounds
        what = "Steps" if view == _ALONE else "Rounds"
        rounds = controls.slide(
            f"{chosen}-rounds", what, _ROUNDS, usual, "A round: the discriminator's steps, then one of the generator."
        )
        seed = controls.seed("Another start")
    if preset is not None:
        st.caption(plain(preset.look_for if view == _GAME else f"The settings of “{preset.label}”."))
        return replace(preset.settings, seed=seed), rounds
    with frame.controls(3):
        names = {name: label for name, (label, _, _) in mixtures.TARGETS.items()}
        target = controls.choose("data", "Data", {**names, _DRAWN: "Draw them"})
        loss = controls.choose("loss", "Loss", two_players.LOSSES)
        generator = controls.slide("g", "Generator's rate", _RATES, 0.001, "Learning rate of its Adam.", "{:g}".format)
        judge = controls.slide("d", "Discriminator's rate", _RATES, 0.001, "Learning rate of its Adam.", "{:g}".format)
        steps = controls.slide("steps", "Discriminator's steps a round", _STEPS, 1)
    data: Any = _pad(controls) if target == _DRAWN else target
    if data is None:
        st.info("Draw the data above: every point of your strokes becomes a small Gaussian.")
        return None
    own = Settings(
        data,
        loss=loss,
        generator_rate=generator,
        discriminator_rate=judge,
        discriminator_steps=steps,
        seed=seed,
    )
    return own, rounds


def _rounds_of() -> str:
    """Name of the choice of rounds, remembered game by game."""
    return f"players.{choices.remembered('players.preset')}-rounds"


def _pad(controls: Controls) -> mixtures.Mixture | None:
    """Data that the person draws; the strokes stand in the address while they are few."""
    name, key = "players.strokes", choices.key("players-pad")
    if (asked := choices.asked(name)) is not None:
        try:
            drawings.unpack(asked)
            pad.put(key, asked)
        except BadInput:
            controls.problems.append("The link holds a drawing that can't be read: draw anew.")
    strokes = pad.strokes(key, "The data, drawn")
    choices.keep(name, strokes, text=strokes if 0 < len(strokes) <= _LONGEST_IN_A_LINK else None)
    points = drawings.unpack(strokes)
    return _drawn(strokes) if points else None


@st.cache_resource(max_entries=16, show_spinner=False)
def _drawn(strokes: str) -> mixtures.Mixture:
    return mixtures.drawn(np.concatenate(drawings.unpack(strokes)))


# --- Playing ------------------------------------------------------------------------------------------------------


@dataclass
class _Played:
    """A game as far as it was played.

    Attributes
    ----------
    rounds : played; moves : single steps after them, "D" or "G" each.
    verdict : what a frame says, after the frame's name.
    judged : a discriminator trained alone, and how far it is from the best one, after the frame's name.
    frames, names : what is drawn, and what its slider calls each.
    """

    settings: Settings
    game: Game
    rounds: int = 0
    moves: str = ""
    frames: list[Frame] = field(default_factory=list)
    verdict: tuple[str, str] = ("", "")
    judged: tuple[str, Discriminator, float] | None = None
    names: list[str] = field(default_factory=list)

    def copy(self) -> _Played:
        """One that can be played on while this one stays as it is; what is drawn and said never changes."""
        return replace(self, game=copy.deepcopy(self.game), frames=[*self.frames], names=[*self.names])

    def keep(self, name: str) -> None:
        side, codes = (160, 1024) if self.game.mixture.dimension == 1 else (32, 512)
        self.frames.append(two_players.snapshot(self.game, 400, side, codes))
        self.names.append(name)


def _played(settings: Settings, rounds: int, controls: Controls) -> _Played:
    """The game after so many rounds and the single steps asked for; what was played before is not played again."""
    moves = _moves(settings, rounds, controls)
    played = st.session_state.get(_STATE)
    fits = (
        played is not None
        and played.settings == settings
        and (
            (played.rounds == rounds and moves.startswith(played.moves))
            or (played.rounds < rounds and not played.moves)
        )
    )
    shelf = _shelf(settings, rounds)
    if not fits and shelf:
        played = st.session_state[_STATE] = shelf[0].copy()
    elif not fits:
        played = _Played(settings, two_players.begin(settings))
        played.keep("0")
        st.session_state[_STATE] = played
    if played.rounds < rounds:
        _play(played, rounds, _rounds_of())
    for letter in moves[len(played.moves) :]:
        two_players.step(played.game, _MOVES[letter])
        played.moves += letter
        played.keep(f"{rounds} + {played.moves}")
    return played


@st.cache_resource(max_entries=32, show_spinner=False)
def _shelf(settings: Settings, rounds: int) -> list[_Played]:
    """A game without single steps that somebody looked at, for everybody; nothing before."""
    return []


def _looked_at(played: _Played) -> None:
    """Others who ask for the same game needn't wait for it, nor for what is said of it."""
    if not played.moves:
        _shelf(played.settings, played.rounds)[:] = [played.copy()]


def _play(played: _Played, rounds: int, name: str) -> None:
    def on() -> int:
        upcoming = next(k for k in _KEPT if k > played.rounds)
        n = min(_AT_ONCE, upcoming - played.rounds)
        two_players.run(played.game, n)
        played.rounds += n
        if played.rounds == upcoming:
            played.keep(str(upcoming))
        return played.rounds

    _go_on(on, played.rounds, rounds, "Playing", name)


def _go_on(on: Callable[[], int], done: int, total: int, doing: str, name: str) -> None:
    """Go on until `total` is done, with a bar and a way to stop; what is done is kept.

    Parameters
    ----------
    on : goes on a little and returns how much is done.
    name : of the choice of how much is asked for.
    """
    st.session_state[_DONE] = done
    holder = st.empty()
    with holder.container():
        bar = st.progress(done / total, f"{doing} …")
        st.button("Stop", key=f"mechanism-stop-{doing}", on_click=_stopped, args=(name,))
    while done < total:
        done = st.session_state[_DONE] = on()
        bar.progress(done / total, f"{doing}: {done:,} of {total:,}")
    holder.empty()


def _stopped(name: str) -> None:
    """Ask for no more than was done."""
    done = st.session_state.get(_DONE, 0)
    choices.keep(name, max(n for n in _ROUNDS if n <= done))
    st.session_state.pop(choices.key(name), None)


def _moves(settings: Settings, rounds: int, controls: Controls) -> str:
    """Single steps, of this game alone: another setting begins without any."""
    name, about = "players.moves", (settings, rounds)
    asked = choices.asked(name)
    if asked is not None:
        if set(asked) - set(_MOVES) or len(asked) > _MOST_MOVES:
            controls.problems.append(
                f"The link asks for single steps that are no list of up to {_MOST_MOVES} letters D and G: none is made."
            )
            asked = ""
        st.session_state[name] = about
        moves = asked
    else:
        moves = (choices.remembered(name) or "") if st.session_state.get(name) == about else ""
    st.session_state[name] = about
    choices.keep(name, moves, text=moves or None)
    return moves


def _move(letter: str) -> None:
    choices.keep("players.moves", (choices.remembered("players.moves") or "") + letter)


# --- What is shown ------------------------------------------------------------------------------------------------


def _game(settings: Settings, played: _Played, controls: Controls) -> None:
    from core.figures.mechanisms import players as figures  # plotly

    with st.container(horizontal=True, vertical_alignment="center", key="mechanism-moves"):
        full = len(played.moves) >= _MOST_MOVES
        for letter, player in _MOVES.items():
            st.button(
                f"One step of the {player}",
                key=f"mechanism-move-{letter}",
                on_click=_move,
                args=(letter,),
                disabled=full,
            )
        if played.moves:
            st.caption(f"{len(played.moves)} single steps after {played.rounds:,} rounds: {played.moves}")
    theme, frames, names = frame.theme(), played.frames, played.names
    if played.game.mixture.dimension == 1:
        frame.charts(figures.on_line(frames, names, theme), key="players-1")
    elif frames[-1].optimal is None:
        frame.charts(figures.in_plane(frames, names, theme), key="players-2")
    else:
        frame.charts(
            figures.in_plane(frames, names, theme),
            figures.in_plane(frames, names, theme, of_best=True),
            key="players-3",
        )
    if played.verdict[0] != names[-1]:
        played.verdict = names[-1], _verdict(played)
        _looked_at(played)
    frame.settle(played.verdict[1])
    if played.game.history:
        unit = _UNITS.get(settings.loss, "nats")
        frame.charts(
            figures.losses(played.game.history, unit, theme),
            figures.travelled(played.game.history, played.game.mixture.mean, theme),
            key="players-4",
        )
    st.caption(
        "The generator adds a little noise to G(z), so that its density q, a mean over many codes, is known, and with "
        "it the best discriminator, Goodfellow et al. 2014, proposition 1. Fields fade where no rows are."
    )


def _verdict(played: _Played) -> str:
    game, last = played.game, played.frames[-1]
    js = two_players.jensen_shannon(game.mixture, game.generator, 2000)
    exact = two_players.jensen_shannon_on_grid(game.mixture, game.generator)
    text = (
        f"Jensen-Shannon divergence of q from p: {frame.spelled(js, 'nats')} from {js.n:,} draws of each; summed over "
        f"a grid {frame.written(exact, js.error)}, {frame.agreement(js, exact)} (0 where they are the same, 0.693 "
        "where they never meet). "
    )
    if (n := len(game.mixture.weights)) > 1:
        covered = two_players.modes_covered(game.mixture, last.samples)
        text += f"The generated rows cover {covered:.0%} of the data's {n} components. "
    if last.disagreement is None:
        return text + "A critic is no probability, so there is no p / (p + q) to hold it against."
    return text + f"Where rows are, D is {last.disagreement:.3f} from p / (p + q) in the mean."


def _judge_alone(settings: Settings, played: _Played) -> None:
    from core.figures.mechanisms import players as figures  # plotly

    game = played.game
    if settings.loss == two_players.WASSERSTEIN:
        st.info("Here it is trained by cross entropy, whatever the game's loss: a critic has no p / (p + q).")
    name = played.names[-1]
    if played.judged is None or played.judged[0] != name:
        with st.spinner("Training the discriminator against the generator as it is …"):
            judge = two_players.fit_discriminator(game.mixture, game.generator)
        played.judged = name, judge, two_players.disagreement(judge, game.mixture, game.generator)
        _looked_at(played)
    _, judge, apart = played.judged
    axis = played.frames[-1].axis
    places = two_players.places(axis, game.mixture.dimension)
    shape = [len(axis)] * game.mixture.dimension
    learned = judge(places).reshape(shape)
    best = two_players.optimal_discriminator(game.mixture, game.generator, places).reshape(shape)
    frame.charts(*figures.judged(learned, played.frames[-1], best, frame.theme()), key="players-judge")
    frame.settle(
        f"After {played.rounds:,} rounds the generator is held still and a new discriminator trained against it: in "
        f"the mean over rows of both it ends {apart:.3f} from p / (p + q), the best there is."
    )


def _without_second_player(settings: Settings, steps: int) -> None:
    from core.figures.mechanisms import players as figures  # plotly

    st.markdown(
        "First, the discriminator is frozen to the data's density, D(x) = p(x) / max p: what it calls real does not "
        "change with the generator, which shrinks onto the mode it can climb. Then, the generator is trained by naive "
        "sampling, the likelihood of the data, and covers all of it."
    )
    solos = {objective: _solo(settings, objective, steps, _rounds_of()) for objective in (DENSITY, LIKELIHOOD)}
    real = settings.mixture.sample(600, np.random.default_rng(0))
    drawn = {name: solo.generator.sample(600, np.random.default_rng(1)) for name, solo in solos.items()}
    theme = frame.theme()
    frame.charts(
        figures.rows_of("D frozen to the density of the data", real, drawn[DENSITY], theme),
        figures.rows_of("Naive sampling: maximum likelihood", real, drawn[LIKELIHOOD], theme),
        key="players-alone",
    )
    spread = {name: float(np.sqrt(rows.var(axis=0).mean())) for name, rows in drawn.items()}
    of_data = float(np.sqrt(real.var(axis=0).mean()))
    off = float(np.linalg.norm(drawn[DENSITY].mean(axis=0) - settings.mixture.highest))
    covered = {name: two_players.modes_covered(settings.mixture, rows) for name, rows in drawn.items()}
    frame.settle(
        f"After {steps:,} steps the standard deviation of rows is {spread[DENSITY]:.2f} with the frozen density, "
        f"{settings.noise:g} of it its own noise, and {spread[LIKELIHOOD]:.2f} by likelihood; the data's is "
        f"{of_data:.2f}. The first's mean is {off:.2f} from the highest mode. Components covered: "
        f"{covered[DENSITY]:.0%} and {covered[LIKELIHOOD]:.0%}."
    )


def _solo(settings: Settings, objective: str, steps: int, name: str) -> Solo:
    """A generator trained alone; longer than before, it goes on from there."""
    kept = st.session_state.setdefault(_SOLOS, {})
    solo = kept.get(objective)
    if solo is None or solo.settings != settings.checked() or len(solo.history) > steps:
        solo = kept[objective] = two_players.begin_solo(settings, objective)

    def on() -> int:
        two_players.run_solo(solo, min(_AT_ONCE, steps - len(solo.history)))
        return len(solo.history)

    if len(solo.history) < steps:
        _go_on(on, len(solo.history), steps, _TRAINING[objective], name)
    return solo
