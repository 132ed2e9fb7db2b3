"""Two players: a GAN on data whose density is known, and the same generator without a second player."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.mechanisms import densities, mixtures, one_player, two_players
from core.mechanisms.one_player import DENSITY, LIKELIHOOD
from core.mechanisms.small_networks import Discriminator
from core.mechanisms.two_players import PRESETS, Settings
from pages.ui.mechanisms import drawn, frame, playing
from pages.ui.mechanisms.frame import Controls
from pages.ui.mechanisms.playing import Played
from pages.ui.text import plain

_GAME, _ALONE, _JUDGE = "game", "alone", "judge"
_VIEWS = {
    _GAME: "The game",
    _JUDGE: "The discriminator, trained alone",
    _ALONE: "The generator, without a second player",
}
_OWN = "own"
_FIRST_ROUNDS = 300
_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_STEPS = (1, 2, 3, 5)
_UNITS = {two_players.WASSERSTEIN: "units of x", two_players.LEAST_SQUARES: "squared error"}


def draw(controls: Controls) -> None:
    frame.begin(
        "One player makes rows, the other tells them from real ones. Watch the learned discriminator follow "
        "p / (p + q), which no player knows, and the generator move to where it answers “real”; then see what the "
        "same generator does without a second player.",
        r"\min_G \max_D\ \mathbb{E}_{x \sim p} \log D(x) + \mathbb{E}_{z \sim p(z)} {\log(1 - D(G(z)))}",
        r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",
    )
    with frame.controls():
        view = controls.segments("show", "What to look at", _VIEWS)
    chosen = _settings(controls, view)
    if chosen is None:
        return
    settings, rounds = chosen
    with playing.one_at_a_time():
        if view == _ALONE:
            _without_second_player(settings, rounds)
            return
        played = playing.played(settings, rounds, controls)
        if view == _JUDGE:
            _judge_alone(settings, played)
        else:
            _game(settings, played)


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
            f"{chosen}-rounds",
            what,
            playing.ROUNDS,
            usual,
            "A round: the discriminator's steps, then one of the generator.",
        )
        seed = controls.seed("Another start")
    if preset is not None:
        st.caption(plain(preset.look_for if view == _GAME else f"The settings of “{preset.label}”."))
        return replace(preset.settings, seed=seed), rounds
    with frame.controls(3):
        names = {name: label for name, (label, _, _) in mixtures.TARGETS.items()}
        target = controls.choose("data", "Data", {**names, drawn.NAME: drawn.LABEL})
        loss = controls.choose("loss", "Loss", two_players.LOSSES)
        generator = controls.slide("g", "Generator's rate", _RATES, 0.001, "Learning rate of its Adam.", "{:g}".format)
        judge = controls.slide("d", "Discriminator's rate", _RATES, 0.001, "Learning rate of its Adam.", "{:g}".format)
        steps = controls.slide("steps", "Discriminator's steps a round", _STEPS, 1)
    data: Any = drawn.mixture(controls) if target == drawn.NAME else target
    if data is None:
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


# --- What is shown ------------------------------------------------------------------------------------------------


def _game(settings: Settings, played: Played) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="mechanism-moves"):
        full = len(played.moves) >= playing.MOST_MOVES
        for letter, player in playing.MOVES.items():
            st.button(
                f"One step of the {player}",
                key=f"mechanism-move-{letter}",
                on_click=playing.move,
                args=(letter,),
                disabled=full,
            )
        if played.moves:
            st.caption(f"{_so_far(played)}: {played.moves}")
    theme = frame.theme()
    pictures = played.once(f"fields, {theme}", lambda game: _fields(game, theme))
    frame.charts(*pictures, key=f"players-{len(pictures)}")
    frame.settle(played.once("verdict", _verdict))
    if played.game.history:
        unit = _UNITS.get(settings.loss, "nats")
        frame.charts(*played.once(f"history, {theme}", lambda game: _history(game, unit, theme)), key="players-history")
    text = (
        "The generator adds a little noise to G(z), so that its density q, a mean over many codes, is known, and with "
        "it the best discriminator, Goodfellow et al. 2014, proposition 1."
    )
    st.caption(f"{text} It fades where no rows are." if len(pictures) == 2 else text)


def _so_far(played: Played) -> str:
    rounds, n = f"{played.rounds:,} rounds", len(played.moves)
    return f"{rounds} and {n} single step{'s' * (n > 1)}" if n else rounds


def _fields(played: Played, theme: str) -> list[Any]:
    from core.figures.mechanisms import players as figures  # plotly

    frames, names = played.frames, played.names
    if played.game.mixture.dimension == 1:
        return [figures.on_line(frames, names, theme)]
    learned = figures.in_plane(frames, names, theme)
    # A critic has no best answer that is a probability.
    return [learned] if frames[-1].optimal is None else [learned, figures.in_plane(frames, names, theme, of_best=True)]


def _history(played: Played, unit: str, theme: str) -> list[Any]:
    from core.figures.mechanisms import players as figures  # plotly

    game = played.game
    return [figures.losses(game.history, unit, theme), figures.travelled(game.history, game.mixture.mean, theme)]


def _verdict(played: Played) -> str:
    game, last = played.game, played.frames[-1]
    js = densities.jensen_shannon(game.mixture, game.generator, 2000)
    exact = densities.jensen_shannon_on_grid(game.mixture, game.generator)
    text = (
        f"Jensen-Shannon divergence of q from p: {frame.spelled(js, 'nats')} from {js.n:,} draws of each; summed over "
        f"a grid {frame.written(exact, js.error)}, {frame.agreement(js, exact)} (0 where they are the same, 0.693 "
        "where they never meet). "
    )
    if (n := len(game.mixture.weights)) > 1:
        covered = densities.modes_covered(game.mixture, last.samples)
        text += f"The generated rows cover {covered:.0%} of the data's {n} components. "
    if last.disagreement is None:
        return text + "A critic is no probability, so there is no p / (p + q) to hold it against."
    return text + f"Where rows are, D is {last.disagreement:.3f} from p / (p + q) in the mean."


def _judge_alone(settings: Settings, played: Played) -> None:
    if settings.loss == two_players.WASSERSTEIN:
        st.info("Here it is trained by cross entropy, whatever the game's loss: a critic has no p / (p + q).")
    with st.spinner("Training the discriminator against the generator as it is …"):
        judge, apart = played.once("judge", _judge)
    theme = frame.theme()
    frame.charts(*played.once(f"judged, {theme}", lambda game: _judged(game, judge, theme)), key="players-judge")
    frame.settle(
        f"After {_so_far(played)} the generator is held still and a new discriminator trained against it: in "
        f"the mean over rows of both it ends {apart:.3f} from p / (p + q), the best there is."
    )


def _judge(played: Played) -> tuple[Discriminator, float]:
    game = played.game
    judge = one_player.fit_discriminator(game.mixture, game.generator)
    return judge, one_player.disagreement(judge, game.mixture, game.generator)


def _judged(played: Played, judge: Discriminator, theme: str) -> list[Any]:
    from core.figures.mechanisms import players as figures  # plotly

    game, axis = played.game, played.frames[-1].axis
    places = densities.places(axis, game.mixture.dimension)
    shape = [len(axis)] * game.mixture.dimension
    learned = judge(places).reshape(shape)
    best = densities.optimal_discriminator(game.mixture, game.generator, places).reshape(shape)
    return figures.judged(learned, played.frames[-1], best, theme)


def _without_second_player(settings: Settings, steps: int) -> None:
    from core.figures.mechanisms import players as figures  # plotly

    st.markdown(
        "First, the discriminator is frozen to the data's density, D(x) = p(x) / max p: what it calls real does not "
        "change with the generator, which shrinks onto the mode it can climb. Then, the generator is trained by naive "
        "sampling, the likelihood of the data, and covers all of it."
    )
    solos = {objective: playing.trained_alone(settings, objective, steps) for objective in (DENSITY, LIKELIHOOD)}
    real = settings.mixture.sample(600, np.random.default_rng(0))
    made = {name: solo.generator.sample(600, np.random.default_rng(1)) for name, solo in solos.items()}
    theme = frame.theme()
    frame.charts(
        figures.rows_of("D frozen to the density of the data", real, made[DENSITY], theme),
        figures.rows_of("Naive sampling: maximum likelihood", real, made[LIKELIHOOD], theme),
        key="players-alone",
    )
    spread = {name: float(np.sqrt(rows.var(axis=0).mean())) for name, rows in made.items()}
    of_data = float(np.sqrt(real.var(axis=0).mean()))
    off = float(np.linalg.norm(made[DENSITY].mean(axis=0) - settings.mixture.highest))
    covered = {name: densities.modes_covered(settings.mixture, rows) for name, rows in made.items()}
    frame.settle(
        f"After {steps:,} steps the standard deviation of rows is {spread[DENSITY]:.2f} with the frozen density, "
        f"{settings.noise:g} of it its own noise, and {spread[LIKELIHOOD]:.2f} by likelihood; the data's is "
        f"{of_data:.2f}. The first's mean is {off:.2f} from the highest mode. Components covered: "
        f"{covered[DENSITY]:.0%} and {covered[LIKELIHOOD]:.0%}."
    )
