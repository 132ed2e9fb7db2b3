"""GAN game: a GAN on data of known density, and each of its players alone."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.figures.mechanisms import gan_game as figures
from core.mechanisms import density_comparison, fixed_opponent, gan_game, gaussian_mixtures
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import PRESETS, Settings
from pages.ui.mechanisms import game_session
from pages.ui.mechanisms.game_session import PlayedGame
from pages.ui.shared import experiment, header, tables
from pages.ui.shared.experiment import Controls
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import plain

_GAME, _ALONE, _JUDGE = "game", "alone", "judge"
_VIEWS = {_GAME: "Both players", _JUDGE: "Discriminator only", _ALONE: "Generator only"}
_N_SAMPLES = 600  # of a generator alone
_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_UNITS = {gan_game.WASSERSTEIN: "units of x", gan_game.LEAST_SQUARES: "squared error"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The generator makes samples, and the discriminator D tells them from real data. The learned D follows p / (p "
        "+ q), which neither player knows, and the generator moves to where D answers “real”.",
        r"\min_G \max_D\ \mathbb{E}_{x \sim p} \log D(x) + \mathbb{E}_{z \sim p(z)} {\log(1 - D(G(z)))}",
        r"D^*(x) = \frac{p(x)}{p(x) + q(x)}",
    )
    with experiment.make_controls_row():
        view = controls.choose_segment("show", "View", _VIEWS)
    choice = _choose_settings(controls, view)
    if choice is None:
        return
    settings, rounds = choice
    if view == _ALONE:
        _show_generator_alone(settings, rounds)
    else:
        show = _show_discriminator_alone if view == _JUDGE else _show_game
        show(settings, game_session.play(settings, rounds, controls))


def _choose_settings(controls: Controls, view: str) -> tuple[Settings, int] | None:
    """The game's settings and number of rounds; None where data are still to be drawn."""
    presets = {**{name: preset.label for name, preset in PRESETS.items()}, "own": "Custom"}
    with experiment.make_controls_row(2):
        name = controls.choose_segment("preset", "Preset", presets)
        preset = PRESETS.get(name)
        # Rounds are remembered game by game; the first game opens with as many as take a fraction of a second.
        default = 300 if preset is None or name == next(iter(PRESETS)) else preset.rounds
        label = "Steps" if view == _ALONE else "Rounds"
        help = "A round: the steps of the discriminator, then one step of the generator."
        rounds = controls.choose_value(f"{name}-rounds", label, game_session.ROUNDS, default, help)
        seed = controls.choose_seed(experiment.RESTART)
    if preset is not None:
        if view == _GAME:
            st.caption(plain(preset.look_for))
        return replace(preset.settings, seed=seed), rounds
    with experiment.make_controls_row(3):
        names = {name: label for name, (label, _) in gaussian_mixtures.TARGETS.items()}
        target = controls.choose_option("data", "Data", {**names, **experiment.DRAWN})
        loss = controls.choose_option("loss", "Loss", gan_game.LOSSES)
        generator_rate, discriminator_rate = (
            controls.choose_value(name, f"{player} learning rate", _RATES, 0.001, "Of Adam.", "{:g}".format)
            for name, player in (("g", "Generator"), ("d", "Discriminator"))
        )
        steps = controls.choose_value("steps", "Discriminator steps per round", (1, 2, 3, 5), 1)
    if target in experiment.DRAWN:
        if (points := controls.choose_drawing()) is None:
            return None
        target = _make_mixture(points)
    return Settings(target, loss, generator_rate, discriminator_rate, steps, seed=seed), rounds


@st.cache_resource(max_entries=16, show_spinner=False)
def _make_mixture(points: np.ndarray) -> gaussian_mixtures.Mixture:
    """The same object for the same points, so that a game of it is found again."""
    return gaussian_mixtures.make_from_drawing(points)


def _show_game(settings: Settings, played: PlayedGame) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="mechanism-moves"):
        is_full = len(played.moves) >= game_session.MOST_MOVES
        for letter, player in game_session.MOVES.items():
            label, key = f"One {player} step", f"mechanism-move-{letter}"
            st.button(label, key=key, on_click=game_session.add_move, args=(letter,), disabled=is_full)
        if played.moves:
            st.caption(f"{_format_length(played)}: {played.moves}")
    theme, unit = header.get_theme(), _UNITS.get(settings.loss, "nats")
    fields, history = played.compute_once(f"charts, {theme}", lambda: _plot_game(played, unit, theme))
    experiment.draw_charts(*fields, key=f"players-{len(fields)}")
    finding, checks = played.compute_once("result", lambda: _compute_result(played))
    experiment.state_finding(finding)
    experiment.draw_checks("players", checks)
    if history:
        experiment.draw_charts(*history, key="players-history")
    experiment.show_details(
        "The generator adds a little noise to G(z), so its density q, a mean over many codes, is known, and with it "
        "the optimal discriminator (Goodfellow et al. 2014, proposition 1). In 2-D the picture of the optimal "
        "discriminator fades where both densities are close to 0."
    )


def _format_length(played: PlayedGame) -> str:
    rounds, n = f"{played.rounds:,} rounds", len(played.moves)
    return f"{rounds} and {n} single {'step' if n == 1 else 'steps'}" if n else rounds


def _plot_game(played: PlayedGame, unit: str, theme: str) -> tuple[list, list]:
    """Charts of densities or fields, and of the history."""
    game, frames, names = played.game, played.frames, played.names
    if game.mixture.dimension == 1:
        fields = [figures.plot_in_1d(frames, names, theme)]
    else:
        # The optimal critic is not known.
        views = (False, True) if frames[-1].optimal is not None else (False,)
        fields = [figures.plot_in_2d(frames, names, theme, of_best=of_best) for of_best in views]
    if not game.history:
        return fields, []
    losses = figures.plot_losses(game.history, unit, theme)
    return fields, [losses, figures.plot_sample_mean(game.history, game.mixture.mean, theme)]


def _compute_result(played: PlayedGame) -> tuple[str, dict]:
    """The finding, and the checks."""
    mixture, generator, frame = played.game.mixture, played.game.generator, played.frames[-1]
    finding = "A critic is not a probability, so it can't be compared with p / (p + q)."
    if frame.disagreement is not None:
        finding = f"The mean difference between D and p / (p + q) is {frame.disagreement:.3f}."
    if (n := len(mixture.weights)) > 1:
        share = density_comparison.compute_mode_coverage(mixture, frame.samples)
        finding = f"The samples cover {share:.0%} of the {n} components of the data. {finding}"
    js = density_comparison.estimate_jensen_shannon(mixture, generator, 2000)
    exact = density_comparison.integrate_jensen_shannon(mixture, generator)
    name = f"Jensen-Shannon divergence, nats ({js.n:,} samples; 0: q equals p, 0.693: no overlap)"
    return finding, {name: (js, exact)}


def _show_discriminator_alone(settings: Settings, played: PlayedGame) -> None:
    if settings.loss == gan_game.WASSERSTEIN:
        st.info("The discriminator is trained by cross entropy here: a critic has no optimum p / (p + q).")
    theme = header.get_theme()
    with st.spinner("Training the discriminator against the fixed generator …"):
        charts, difference = played.compute_once(f"judge, {theme}", lambda: _fit_discriminator(played, theme))
    experiment.draw_charts(*charts, key="players-judge")
    experiment.state_finding(
        f"The generator is fixed after {_format_length(played)}, and a new discriminator is trained against it. Its "
        f"mean difference from the optimum p / (p + q) is {difference:.3f}."
    )


def _fit_discriminator(played: PlayedGame, theme: str) -> tuple[list, float]:
    """Charts of a newly trained discriminator, and its mean difference from the optimal one."""
    mixture, generator, frame = played.game.mixture, played.game.generator, played.frames[-1]
    discriminator = fixed_opponent.fit_discriminator(mixture, generator)
    points = gaussian_mixtures.make_grid_points(frame.axis, mixture.dimension)
    optimal = density_comparison.compute_optimal_discriminator(
        mixture.log_density(points), generator.log_density(points)
    )
    learned, optimal = (field.reshape(frame.p.shape) for field in (discriminator(points), optimal))
    charts = figures.plot_discriminators(learned, frame, optimal, theme)
    return charts, fixed_opponent.estimate_disagreement(discriminator, mixture, generator)


def _show_generator_alone(settings: Settings, steps: int) -> None:
    st.markdown(
        "Left: D is fixed to the data density, D(x) = p(x) / max p, and the generator shrinks onto one mode. Right: "
        "the generator is trained by maximum likelihood with naive sampling, and covers all of the data."
    )
    mixture, theme = settings.mixture, header.get_theme()
    samples = [
        game_session.play_rounds(settings, steps, objective).game.generator.sample(_N_SAMPLES, np.random.default_rng(1))
        for objective in (DENSITY, LIKELIHOOD)
    ]
    real = mixture.sample(_N_SAMPLES, np.random.default_rng(0))
    titles = ("D fixed to the data density", "Maximum likelihood, naive sampling")
    charts = [figures.plot_samples(title, real, rows, theme) for title, rows in zip(titles, samples, strict=True)]
    experiment.draw_charts(*charts, key="players-alone")
    all_rows = [*samples, real]
    spreads = [float(np.sqrt(rows.var(axis=0).mean())) for rows in all_rows]
    offsets = [float(np.linalg.norm(rows.mean(axis=0) - mixture.mode)) for rows in all_rows]
    coverages = [density_comparison.compute_mode_coverage(mixture, rows) for rows in all_rows]
    experiment.state_finding(
        f"After {steps:,} steps the samples have a standard deviation of {spreads[0]:.2f} with D fixed and of "
        f"{spreads[1]:.2f} by maximum likelihood; the data have {spreads[2]:.2f}."
    )
    rows = [
        [tables.text("Standard deviation"), *(Cell(f"{value:.2f}", value) for value in spreads)],
        [tables.text("Distance of the mean from the highest mode"), *(Cell(f"{v:.2f}", v) for v in offsets)],
        [tables.text("Components covered"), *(Cell(f"{share:.0%}", share) for share in coverages)],
    ]
    tables.draw(("Quantity", "D fixed", "Maximum likelihood", "Data"), rows, "players-alone")
    experiment.show_details(f"The noise of the generator alone has a standard deviation of {settings.noise:g}.")
