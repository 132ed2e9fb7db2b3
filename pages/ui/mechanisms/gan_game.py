"""GAN game: a GAN on data of known density, and each of its players alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.mechanisms import density_comparison, fixed_opponent, gan_game, gaussian_mixtures
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import PRESETS, Settings
from pages.ui.mechanisms import drawn_data, experiment, game_session
from pages.ui.mechanisms.experiment import Controls
from pages.ui.mechanisms.game_session import PlayedGame
from pages.ui.shared import header, tables
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import plain

_GAME, _ALONE, _JUDGE = "game", "alone", "judge"
_VIEWS = {_GAME: "Both players", _JUDGE: "Discriminator only", _ALONE: "Generator only"}
_OWN = "own"
_FIRST_ROUNDS = 300
_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_STEPS = (1, 2, 3, 5)
_UNITS = {gan_game.WASSERSTEIN: "units of x", gan_game.LEAST_SQUARES: "squared error"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The generator makes samples, and the discriminator D tells them from real data. The learned D follows p / (p "
        "+ q), which neither player knows, and the generator moves to where D answers “real”.",
        r"\min_G \max_D\ \mathbb{E}_{x \sim p} \log D(x) + \mathbb{E}_{z \sim p(z)} {\log(1 - D(G(z)))}",
        r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",
    )
    with experiment.controls_row():
        view = controls.choose_segment("show", "View", _VIEWS)
    choice = _choose_settings(controls, view)
    if choice is None:
        return
    settings, rounds = choice
    with game_session.one_at_a_time():
        if view == _ALONE:
            _show_generator_alone(settings, rounds)
            return
        played = game_session.play(settings, rounds, controls)
        if view == _JUDGE:
            _show_discriminator_alone(settings, played)
        else:
            _show_game(settings, played)


def _choose_settings(controls: Controls, view: str) -> tuple[Settings, int] | None:
    """The game's settings and number of rounds; None where data are still to be drawn."""
    presets = {**{name: preset.label for name, preset in PRESETS.items()}, _OWN: "Custom"}
    with experiment.controls_row(2):
        name = controls.choose_segment("preset", "Preset", presets)
        preset = PRESETS.get(name)
        # Rounds are remembered game by game; the first game opens with as many as take a fraction of a second.
        default = _FIRST_ROUNDS if preset is None or name == next(iter(PRESETS)) else preset.rounds
        label = "Steps" if view == _ALONE else "Rounds"
        help = "A round: the steps of the discriminator, then one step of the generator."
        rounds = controls.choose_value(f"{name}-rounds", label, game_session.ROUNDS, default, help)
        seed = controls.choose_seed(experiment.RESTART)
    if preset is not None:
        if view == _GAME:
            st.caption(plain(preset.look_for))
        return replace(preset.settings, seed=seed), rounds
    with experiment.controls_row(3):
        names = {name: label for name, (label, _, _) in gaussian_mixtures.TARGETS.items()}
        target = controls.choose_option("data", "Data", {**names, drawn_data.NAME: drawn_data.LABEL})
        loss = controls.choose_option("loss", "Loss", gan_game.LOSSES)
        generator_rate, discriminator_rate = (
            controls.choose_value(name, f"{player} learning rate", _RATES, 0.001, "Of Adam.", "{:g}".format)
            for name, player in (("g", "Generator"), ("d", "Discriminator"))
        )
        steps = controls.choose_value("steps", "Discriminator steps per round", _STEPS, 1)
    data: Any = drawn_data.choose_mixture(controls) if target == drawn_data.NAME else target
    if data is None:
        return None
    rates = {"generator_rate": generator_rate, "discriminator_rate": discriminator_rate}
    return Settings(data, loss=loss, **rates, discriminator_steps=steps, seed=seed), rounds


# --- Both players -------------------------------------------------------------------------------------------------


def _show_game(settings: Settings, played: PlayedGame) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="mechanism-moves"):
        is_full = len(played.moves) >= game_session.MOST_MOVES
        for letter, player in game_session.MOVES.items():
            label, key = f"One {player} step", f"mechanism-move-{letter}"
            st.button(label, key=key, on_click=game_session.add_move, args=(letter,), disabled=is_full)
        if played.moves:
            st.caption(f"{_format_length(played)}: {played.moves}")
    theme = header.get_theme()
    pictures = played.compute_once(f"fields, {theme}", lambda game: _field_figures(game, theme))
    experiment.draw_charts(*pictures, key=f"players-{len(pictures)}")
    finding, checks = played.compute_once("result", _compute_result)
    experiment.state_finding(finding)
    experiment.draw_checks("players", checks)
    if played.game.history:
        unit = _UNITS.get(settings.loss, "nats")
        history = played.compute_once(f"history, {theme}", lambda game: _history_figures(game, unit, theme))
        experiment.draw_charts(*history, key="players-history")
    experiment.show_details(
        "The generator adds a little noise to G(z), so its density q, a mean over many codes, is known, and with it "
        "the optimal discriminator (Goodfellow et al. 2014, proposition 1). In 2-D the picture of the optimal "
        "discriminator fades where both densities are close to 0."
    )


def _format_length(played: PlayedGame) -> str:
    rounds, n = f"{played.rounds:,} rounds", len(played.moves)
    return f"{rounds} and {n} single {'step' if n == 1 else 'steps'}" if n else rounds


def _field_figures(played: PlayedGame, theme: str) -> list[Any]:
    from core.figures.mechanisms import gan_game as figures  # plotly

    frames, names = played.frames, played.names
    if played.game.mixture.dimension == 1:
        return [figures.plot_in_1d(frames, names, theme)]
    learned = figures.plot_in_2d(frames, names, theme)
    # The optimal critic is not known.
    return (
        [learned] if frames[-1].optimal is None else [learned, figures.plot_in_2d(frames, names, theme, of_best=True)]
    )


def _history_figures(played: PlayedGame, unit: str, theme: str) -> list[Any]:
    from core.figures.mechanisms import gan_game as figures  # plotly

    game = played.game
    return [
        figures.plot_losses(game.history, unit, theme),
        figures.plot_sample_mean(game.history, game.mixture.mean, theme),
    ]


def _compute_result(played: PlayedGame) -> tuple[str, dict]:
    game, frame = played.game, played.frames[-1]
    sentences = []
    if (n := len(game.mixture.weights)) > 1:
        share = density_comparison.compute_mode_coverage(game.mixture, frame.samples)
        sentences.append(f"The samples cover {share:.0%} of the {n} components of the data.")
    if frame.disagreement is None:
        sentences.append("A critic is not a probability, so it can't be compared with p / (p + q).")
    else:
        sentences.append(f"The mean difference between D and p / (p + q) is {frame.disagreement:.3f}.")
    js = density_comparison.estimate_jensen_shannon(game.mixture, game.generator, 2000)
    exact = density_comparison.integrate_jensen_shannon(game.mixture, game.generator)
    name = f"Jensen-Shannon divergence, nats ({js.n:,} samples; 0: q equals p, 0.693: no overlap)"
    return " ".join(sentences), {name: (js, exact)}


# --- One player ---------------------------------------------------------------------------------------------------


def _show_discriminator_alone(settings: Settings, played: PlayedGame) -> None:
    if settings.loss == gan_game.WASSERSTEIN:
        st.info("The discriminator is trained by cross entropy here: a critic has no optimum p / (p + q).")
    game, frame, theme = played.game, played.frames[-1], header.get_theme()
    with st.spinner("Training the discriminator against the fixed generator …"):
        judge = played.compute_once("judge", lambda _: fixed_opponent.fit_discriminator(game.mixture, game.generator))

    def draw_figures(_: PlayedGame) -> list[Any]:
        from core.figures.mechanisms import gan_game as figures  # plotly

        points = density_comparison.make_grid_points(frame.axis, game.mixture.dimension)
        log_p, log_q = game.mixture.log_density(points), game.generator.log_density(points)
        fields = judge(points), density_comparison.compute_optimal_discriminator(log_p, log_q)
        learned, optimal = (field.reshape(frame.p.shape) for field in fields)
        return figures.plot_discriminators(learned, frame, optimal, theme)

    experiment.draw_charts(*played.compute_once(f"judged, {theme}", draw_figures), key="players-judge")
    difference = played.compute_once(
        "difference", lambda _: fixed_opponent.estimate_disagreement(judge, game.mixture, game.generator)
    )
    experiment.state_finding(
        f"The generator is fixed after {_format_length(played)}, and a new discriminator is trained against it. Its "
        f"mean difference from the optimum p / (p + q) is {difference:.3f}."
    )


def _show_generator_alone(settings: Settings, steps: int) -> None:
    from core.figures.mechanisms import gan_game as figures  # plotly

    st.markdown(
        "Left: D is fixed to the data density, D(x) = p(x) / max p, and the generator shrinks onto one mode. Right: "
        "the generator is trained by maximum likelihood with naive sampling, and covers all of the data."
    )
    solos = {objective: game_session.train_alone(settings, objective, steps) for objective in (DENSITY, LIKELIHOOD)}
    mixture = settings.mixture
    real = mixture.sample(600, np.random.default_rng(0))
    samples = {name: solo.generator.sample(600, np.random.default_rng(1)) for name, solo in solos.items()}
    theme = header.get_theme()
    experiment.draw_charts(
        figures.plot_samples("D fixed to the data density", real, samples[DENSITY], theme),
        figures.plot_samples("Maximum likelihood, naive sampling", real, samples[LIKELIHOOD], theme),
        key="players-alone",
    )
    results = [_measure_rows(rows, mixture) for rows in (samples[DENSITY], samples[LIKELIHOOD], real)]
    spread = [result["Standard deviation"].value for result in results]
    experiment.state_finding(
        f"After {steps:,} steps the samples have a standard deviation of {spread[0]:.2f} with D fixed and of "
        f"{spread[1]:.2f} by maximum likelihood; the data have {spread[2]:.2f}."
    )
    rows = [[tables.text(name), *(result[name] for result in results)] for name in results[0]]
    tables.draw(("Quantity", "D fixed", "Maximum likelihood", "Data"), rows, "players-alone")
    experiment.show_details(f"The noise of the generator alone has a standard deviation of {settings.noise:g}.")


def _measure_rows(rows: np.ndarray, mixture: gaussian_mixtures.Mixture) -> dict[str, Cell]:
    spread, offset = np.sqrt(rows.var(axis=0).mean()), np.linalg.norm(rows.mean(axis=0) - mixture.mode)
    covered = density_comparison.compute_mode_coverage(mixture, rows)
    return {
        "Standard deviation": Cell(f"{spread:.2f}", float(spread)),
        "Distance of the mean from the highest mode": Cell(f"{offset:.2f}", float(offset)),
        "Components covered": Cell(f"{covered:.0%}", covered),
    }
