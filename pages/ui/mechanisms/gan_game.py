"""GAN game: a GAN on data of known density, and each of its players alone."""

import zlib

import numpy as np
import streamlit as st

from core.figures.mechanisms import gan_game as figures
from core.frontend import game as messages
from core.mechanisms import finished_games, fixed_opponent, gan_game, gaussian_mixtures
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD
from core.mechanisms.gan_game import PRESETS, Settings
from pages.ui.shared import experiment, gan_findings, gan_player, header, page_state, tables
from pages.ui.shared.experiment import Controls
from pages.ui.shared.gan_player import OWN
from pages.ui.shared.tables import Cell

_GAME, _ALONE, _JUDGE = "game", "alone", "judge"
_VIEWS = {_GAME: "Both players", _JUDGE: "Discriminator only", _ALONE: "Generator only"}
_RATES = (0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03)
_TEACHERS = {DENSITY: "D fixed to the data density", LIKELIHOOD: "Maximum likelihood"}


def draw(controls: Controls) -> None:
    experiment.introduce(
        "The generator makes samples, and the discriminator D tells them from real data: D follows p / (p + q), and "
        "the generator moves to where D answers “real”. The presets play the non-saturating loss, except Vanishing "
        "gradient, which plays minimax.",
        r"\text{minimax: } \min_G \max_D\ \mathbb{E}_{x \sim p} \log D(x) + \mathbb{E}_{z} \log(1 - D(G(z)))",
        r"\text{non-saturating: } \min_G\ -\mathbb{E}_{z} \log D(G(z))",
    )
    with experiment.make_controls_row():
        view = controls.choose_segment("show", "View", _VIEWS)
    {_GAME: _show_game, _JUDGE: _show_discriminator_alone, _ALONE: _show_generator_alone}[view](controls)


def _show_game(controls: Controls) -> None:
    key = page_state.key("gan-game")
    preset = _read(controls, "preset", [*PRESETS, OWN], next(iter(PRESETS)))

    def choose_preset() -> None:
        if (sent := (st.session_state.get(key) or {}).get("preset")) in (*PRESETS, OWN):
            _keep(controls, "preset", sent)

    if preset == OWN:
        _show_own_game(controls, key, choose_preset)
        return
    game, name_of_round = finished_games.read_finished(preset), f"{preset}-rounds"
    rounds = game.rounds.tolist()
    opens = _read(controls, name_of_round, rounds, rounds[-1], page_state.parse_integer)

    def choose_round() -> None:
        if (sent := (st.session_state.get(key) or {}).get("round")) in rounds:
            _keep(controls, name_of_round, int(sent))

    gan_player.draw_finished(preset, key, opens=opens, on_preset=choose_preset, on_round=choose_round)
    experiment.state_finding(gan_findings.describe_preset(preset))
    name = f"Jensen-Shannon divergence at round {game.rounds[-1]:,}, nats (0: q equals p, 0.693: no overlap)"
    experiment.draw_checks("players", {name: (game.js_estimate, float(game.js[-1]))})
    _show_details()


def _show_own_game(controls: Controls, key: str, choose_preset) -> None:
    with experiment.make_controls_row(3):
        targets = {name: label for name, (label, _) in gaussian_mixtures.TARGETS.items()}
        target = controls.choose_option("data", "Data", {**targets, **experiment.DRAWN})
        loss = controls.choose_option("loss", "Loss", gan_game.LOSSES)
        steps = controls.choose_value("steps", "Discriminator steps per round", (1, 2, 3, 5), 1)
        seed = controls.choose_seed(experiment.RESTART)
    rates = {player: _read(controls, player.lower(), _RATES, 0.001, _parse_number) for player in ("G", "D")}
    name = f"{target}/{loss}/{steps}/{seed}"
    if target in experiment.DRAWN:
        if (points := controls.choose_drawing()) is None:
            return
        target, name = gaussian_mixtures.make_from_drawing(points), f"{name}/{zlib.crc32(points.tobytes())}"

    def take_rates() -> None:
        sent = messages.parse_rates((st.session_state.get(key) or {}).get("rates")) or {}
        for player, rate in sent.items():
            _keep(controls, player.lower(), rate)

    settings = Settings(target, loss, rates["G"], rates["D"], steps, seed=seed)
    gan_player.draw_new(settings, name, key, on_preset=choose_preset, on_rates=take_rates)
    _show_details()


def _read(controls: Controls, name: str, options, default, parse=str):
    """A choice that the component makes: the link's, else the last one; written into the address."""
    full_name = f"{controls.experiment}.{name}"
    value = st.session_state[page_state.seed_widget(full_name, options, default, controls.problems, parse=parse)]
    page_state.keep(full_name, value)
    return value


def _keep(controls: Controls, name: str, value) -> None:
    """Remember a choice that the component made."""
    full_name = f"{controls.experiment}.{name}"
    st.session_state.pop(page_state.key(full_name), None)
    page_state.keep(full_name, value)


def _parse_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _show_details() -> None:
    experiment.show_details(
        "The browser plays the game: networks with two hidden layers, Adam, and a gradient written out by hand. The "
        "generator adds a little noise to G(z), so its density q, a mean over many codes, is known, and with it the "
        "optimal discriminator (Goodfellow et al. 2014, proposition 1). If q equals p, D is 1/2 everywhere: its loss "
        "is 2 log 2, and −log D(G(z)) is log 2. A game that goes on from an earlier frame begins Adam anew."
    )


def _show_discriminator_alone(controls: Controls) -> None:
    with experiment.make_controls_row(2):
        name = controls.choose_segment("preset", "Preset", {name: each.label for name, each in PRESETS.items()})
        rounds = finished_games.read_finished(name).rounds.tolist()
        at = controls.choose_value(f"{name}-rounds", "Round", rounds, rounds[-1], "The generator is fixed after it.")
    with st.spinner("Training the discriminator against the fixed generator …"):
        charts, difference = _fit_discriminator(name, rounds.index(at), header.get_theme())
    experiment.draw_charts(*charts, key="players-judge")
    experiment.state_finding(
        f"The generator is fixed after {at:,} rounds, and a new discriminator is trained against it. Its mean "
        f"difference from the optimum p / (p + q) is {difference:.3f}."
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _fit_discriminator(name: str, at: int, theme: str) -> tuple[list, float]:
    """Charts of a newly trained discriminator, and its mean difference from the optimal one."""
    game = finished_games.restore(name, finished_games.read_finished(name), at)
    mixture, generator = game.mixture, game.generator
    discriminator = fixed_opponent.fit_discriminator(mixture, generator)
    axis = np.linspace(-4, 4, 161 if mixture.dimension == 1 else 65)
    p, q = mixture.density_on_grid(axis), generator.density_on_grid(axis)
    learned = discriminator(gaussian_mixtures.make_grid_points(axis, mixture.dimension)).reshape(p.shape)
    charts = figures.plot_discriminators(axis, learned, p, q, theme)
    return charts, fixed_opponent.estimate_disagreement(discriminator, mixture, generator)


def _show_generator_alone(controls: Controls) -> None:
    experiment.introduce(
        "Without a learning discriminator: D is fixed to the data density, D(x) = p(x) / max p, or the generator is "
        "trained by maximum likelihood with naive sampling."
    )
    with experiment.make_controls_row(2):
        teacher = controls.choose_segment("teacher", "The generator learns from", _TEACHERS)
        # First those whose finished games are shipped: their density has one highest mode.
        names = (finished_games.HILLS, *gaussian_mixtures.TARGETS)
        targets = {name: gaussian_mixtures.TARGETS[name][0] for name in names}
        target = controls.choose_option("alone-data", "Data", targets)
        seed = controls.choose_seed(experiment.RESTART)
    key = page_state.key("gan-alone")
    if target != finished_games.HILLS or seed:
        settings = Settings(target, generator_rate=0.003, seed=seed)
        gan_player.draw_new(settings, f"{target}/{teacher}/{seed}", key, teacher=teacher)
        return
    gan_player.draw_finished(teacher, key)
    experiment.state_finding(gan_findings.describe_generators_alone())
    games = [finished_games.read_finished(name) for name in _TEACHERS]
    mixture = finished_games.GAMES[DENSITY][0].mixture
    quantities = {
        "Standard deviation": ("spread", mixture.deviation, ".2f"),
        "Distance of the mean from the highest mode": ("offset", np.linalg.norm(mixture.mean - mixture.mode), ".2f"),
        "Components covered": ("coverage", 1.0, ".0%"),
    }
    rows = []
    for label, (name, of_data, form) in quantities.items():
        values = [float(value) for value in (*(getattr(game, name)[-1] for game in games), of_data)]
        rows.append([tables.text(label), *(Cell(f"{value:{form}}", value) for value in values)])
    tables.draw(("Quantity", "D fixed", "Maximum likelihood", "Data"), rows, "players-alone")
    noise = finished_games.GAMES[DENSITY][0].noise
    experiment.show_details(f"The noise of the generator alone has a standard deviation of {noise:g}.")
