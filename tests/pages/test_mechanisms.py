"""Mechanisms: every experiment opens, at both ends of every control, and what it says is true."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import comparing, computing, drawings
from core.datasets import download
from core.mechanisms import one_player, two_players
from core.mechanisms.estimates import Estimate
from pages.ui.mechanisms import frame, playing
from tests.pages.conftest import opened_on, shown_text

PAGE = "pages/mechanisms.py"
INSTANT = ("generator", "codes", "naive", "elbo", "gradients", "similarity", "versus", "linear")
EXPERIMENTS = (*INSTANT, "players")
STROKES = drawings.pack([np.array([[20, 20], [60, 200], [240, 30]], np.uint8)])
SETTLED = re.compile(r'<p class="hg-settled">(.*?)</p>', re.DOTALL)


def page(experiment: str, **query: str) -> AppTest:
    return opened_on(PAGE, experiment=experiment, **{f"{experiment}.{name}": value for name, value in query.items()})


def settled(app: AppTest) -> str:
    return " ".join(SETTLED.findall(shown_text(app)))


def problems(app: AppTest) -> list[str]:
    return [each.value for each in (*app.exception, *app.error, *app.warning)]


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """The shipped runs, and none of this person's."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_each_experiment_shows_its_formula_its_figure_and_the_number_that_settles_it(experiment, shipped):
    app = page(experiment)
    assert problems(app) == []
    assert app.latex
    assert app.get("plotly_chart")
    assert re.search(r"\d", settled(app))
    assert "more than chance" not in settled(app)


@pytest.mark.parametrize(
    ("experiment", "query"),
    [
        *((experiment, {}) for experiment in INSTANT if experiment != "versus"),
        ("generator", {"output": "normal"}),
        ("naive", {"show": "estimate"}),
        ("naive", {"show": "trap"}),
        ("elbo", {"show": "collapse"}),
        ("codes", {"data": "digits", "codes": "gaussian"}),
        ("codes", {"data": "fashion-mnist", "codes": "mixture"}),
        ("gradients", {"f": "sines"}),
        ("similarity", {"in": "2"}),
        ("similarity", {"in": "2", "shape": "isotropic"}),
    ],
    ids=str,
)
def test_both_ends_of_every_control_give_a_picture_or_a_sentence(experiment, query, shipped):
    app = page(experiment, **query)
    assert problems(app) == []
    for end in (0, -1):
        for k in range(len(app.select_slider)):
            slider = app.select_slider[k]
            _, name = slider.key.split(":")
            app.query_params[name] = slider.options[end].replace(",", "")
            app.run()
            assert problems(app) == []
            assert app.get("plotly_chart")
            assert "nan" not in settled(app).lower()


def test_a_link_opens_what_it_says_and_nothing_of_another_experiment():
    app = page("naive", size="2", noise="1.0", codes="64")
    assert [slider.value for slider in app.select_slider[:3]] == [2, 1.0, 64]
    assert app.query_params["naive.size"] == "2"
    app.query_params["experiment"] = "linear"
    app.run()
    assert not [name for name in app.query_params if name.startswith("naive.")]
    app.query_params["experiment"] = "naive"
    app.run()
    assert [slider.value for slider in app.select_slider[:3]] == [2, 1.0, 64]


@pytest.mark.parametrize("value", ["999", "x", "<b>", "-1"])
def test_a_link_that_asks_nonsense_is_told_in_a_sentence(value):
    app = page("naive", size=value, seed="x")
    assert not app.exception
    told = " ".join(each.value for each in app.warning)
    assert "naive" in told
    assert "seed" in told
    assert app.select_slider[0].value == 4


def test_another_draw_changes_the_estimate_and_not_the_truth():
    app = page("generator")
    first = settled(app)
    app.button[0].click().run()
    second = settled(app)
    assert first != second
    assert re.findall(r"exactly ([\d.]+)", first)[0] == re.findall(r"exactly ([\d.]+)", second)[0]
    assert app.query_params["generator.seed"] == "1"


def test_without_a_run_the_random_codes_say_what_to_do(no_shipped_runs, monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page("codes")
    assert problems(app) == []
    assert "train one" in app.info[0].value


def test_a_saddle_and_a_step_too_large_are_told():
    assert "saddle" in settled(page("linear", angle="30", **{"from": "120"}))
    assert "Choose a smaller" in settled(page("linear", rate="1.0", radius="1.2"))
    assert "maximum" in settled(page("linear", radius="0.0"))


# --- Which similarity? --------------------------------------------------------------------------------------------


def test_modes_stand_in_the_link_and_are_what_is_fitted():
    app = page("similarity", **{"modes-1": "-3;3"}, weight="0.5", width="0.5")
    assert problems(app) == []
    assert app.query_params["similarity.modes-1"] == "-3;3"
    # Equal weights at -3 and 3, deviations 0.5 and 0.6: 9 + (0.25 + 0.36) / 2
    assert f"deviation is {np.sqrt(9.305):.2f}" in settled(app)


@pytest.mark.parametrize("given", ["", "1", "1;x", "1;nan", "1;9", "1,2;3,4;5", "1;2;3"])
def test_a_link_with_modes_that_are_none(given):
    app = page("similarity", **{"modes-1": given})
    assert not app.exception
    assert "places" in app.warning[0].value
    assert app.query_params["similarity.modes-1"] == "-2;2"


# --- Two players --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", two_players.PRESETS)
@pytest.mark.parametrize("rounds", [0, 20])
def test_each_game_opens_and_its_divergence_is_within_chance(preset, rounds):
    app = page("players", preset=preset, **{f"{preset}-rounds": str(rounds)})
    assert problems(app) == []
    assert "Jensen-Shannon" in settled(app)
    assert "more than chance" not in settled(app)


@pytest.mark.parametrize(
    ("show", "data", "loss"),
    [
        *(("game", data, loss) for data in ("two_modes", "ring") for loss in two_players.LOSSES),
        *((show, data, "wasserstein_gp") for data in ("two_modes", "ring") for show in ("judge", "alone")),
    ],
)
def test_own_games_with_every_loss_in_one_and_two_dimensions(loss, data, show):
    own = {"preset": "own", "own-rounds": "20", "g": "0.03", "d": "0.0001", "steps": "3"}
    app = page("players", loss=loss, data=data, show=show, **own)
    assert problems(app) == []
    assert app.get("plotly_chart")
    assert "nan" not in settled(app)


def test_single_steps_follow_the_rounds_and_stand_in_the_link():
    app = page("players", preset="own", **{"own-rounds": "20"})
    before = settled(app)
    app.button(key="mechanism-move-D").click().run()
    app.button(key="mechanism-move-G").click().run()
    after = settled(app)
    assert app.query_params["players.moves"] == "DG"
    assert before != after
    playing._shelf.clear()
    playing._made.clear()
    again = page("players", preset="own", moves="DG", **{"own-rounds": "20"})
    assert settled(again) == after
    # Another game begins without single steps.
    app.button(key="pages/mechanisms.py:players.seed-next").click().run()
    assert "players.moves" not in app.query_params


def test_a_longer_game_goes_on_where_the_shorter_one_ended():
    app = page("players", preset="own", **{"own-rounds": "20"})
    app.query_params["players.own-rounds"] = "50"
    app.run()
    playing._shelf.clear()
    playing._made.clear()
    assert settled(app) == settled(page("players", preset="own", **{"own-rounds": "50"}))


@pytest.mark.parametrize(
    ("show", "plays"), [("game", (two_players, "run")), ("alone", (one_player, "run_solo"))], ids=["game", "alone"]
)
def test_what_one_visitor_waited_for_is_there_for_the_next(show, plays, monkeypatch):
    calls = []
    played = getattr(*plays)
    monkeypatch.setattr(*plays, lambda *given: calls.append(given) or played(*given))
    first = page("players", show=show, preset="own", seed="7", **{"own-rounds": "20"})
    assert len(calls) == {"game": 4, "alone": 2}[show]  # a game stops at each frame
    second = page("players", show=show, preset="own", seed="7", **{"own-rounds": "20"})
    assert len(calls) == {"game": 4, "alone": 2}[show]
    assert settled(first) == settled(second)
    # The first goes on; what the next one sees stays as it is.
    first.query_params["players.own-rounds"] = "50"
    first.run()
    assert settled(first) != settled(second)
    assert settled(page("players", show=show, preset="own", seed="7", **{"own-rounds": "20"})) == settled(second)


@pytest.mark.parametrize(
    ("show", "plays"), [("game", (two_players, "run")), ("alone", (one_player, "run_solo"))], ids=["game", "alone"]
)
def test_fewer_rounds_than_were_played_are_there_at_once(show, plays, monkeypatch):
    """As when it is stopped: the choice then falls back to the rounds before."""
    app = page("players", show=show, preset="own", seed="8", **{"own-rounds": "100"})
    monkeypatch.setattr(*plays, lambda *_: pytest.fail("It is played again."))
    app.query_params["players.own-rounds"] = "50"
    app.run()
    assert problems(app) == []
    assert "players.own-rounds" not in app.query_params or app.query_params["players.own-rounds"] == "50"
    assert app.get("plotly_chart")


def test_single_steps_that_are_none_are_told():
    app = page("players", preset="own", moves="XYZ", **{"own-rounds": "20"})
    assert not app.exception
    assert "letters D and G" in app.warning[0].value


def test_data_that_somebody_draws():
    assert "Draw the data" in page("players", preset="own", data="drawn").info[0].value
    app = page("players", preset="own", data="drawn", strokes=STROKES, **{"own-rounds": "20"})
    assert problems(app) == []
    assert "Jensen-Shannon" in settled(app)
    broken = page("players", preset="own", data="drawn", strokes="???")
    assert not broken.exception
    assert "can't be read" in broken.warning[0].value


# --- VAE against GAN ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["ring", "grid", "moons", "spiral"])
def test_shipped_comparisons_are_there_at_once(data):
    app = page("versus", data=data)
    assert problems(app) == []
    assert len(app.get("plotly_chart")) == 2
    assert "Precision" in settled(app)
    app.session_state["pages/mechanisms.py:versus-losses"] = True
    app.run()
    assert len(app.get("plotly_chart")) == 4


@pytest.mark.parametrize("query", [{"seed": "3"}, {"data": "drawn", "strokes": STROKES}], ids=["seed", "drawn"])
def test_another_comparison_is_trained_beside_the_app(query, monkeypatch, tmp_path):
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path)
    started = []
    monkeypatch.setattr(
        comparing.computing.subprocess, "Popen", lambda command, **_: started.append(command) or Ended()
    )
    app = page("versus", steps="500", **query)
    assert "not trained yet" in app.info[0].value
    app.button(key="pages/mechanisms.py:versus-train").click().run()
    assert "core.comparing" in started[0]
    assert problems(app) == []
    computing.make(comparing.WORK, Path(started[0][-1]))
    app.run()
    assert "Precision" in settled(app)


class Ended:
    """A process that is over."""

    def poll(self) -> int:
        return 0


# --- The rest -----------------------------------------------------------------------------------------------------


def test_the_descent_is_played_by_the_browser():
    chart = json.loads(page("linear").get("plotly_chart")[0].proto.spec)
    assert len(chart["frames"]) > 20
    assert chart["layout"]["updatemenus"][0]["buttons"][0]["method"] == "animate"


def test_numbers_have_the_places_their_error_leaves():
    assert frame.spelled(Estimate(-12.3456, 0.0234, 10), "nats") == "−12.346 ± 0.023 nats"
    assert frame.spelled(Estimate(1234.5, 30.0, 10)) == "1,234 ± 30"
    assert frame.written(0.5, 0.0) == "0.5"
    assert "within chance" in frame.agreement(Estimate(1.0, 0.1, 10), 1.1)
    assert frame.agreement(Estimate(1.0, 0.1, 10), 1.0) == "0.0 standard errors away, within chance"
    assert "more than chance" in frame.agreement(Estimate(1.0, 0.1, 10), 2.0)
    assert frame.agreement(Estimate(1.0, 0.0, 10), 1.0) == "exactly there"


def test_large_type_reaches_the_charts_of_this_visitor_alone():
    def letters(app) -> int:
        return json.loads(app.get("plotly_chart")[0].proto.spec)["layout"].get("font", {}).get("size", 0)

    assert letters(opened_on(PAGE, experiment="linear", large="yes")) == 18
    assert letters(opened_on(PAGE, experiment="linear")) != 18
