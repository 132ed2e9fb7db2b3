"""Concept demos: every experiment opens at both ends of its controls, and its numbers agree with the exact ones."""

import re
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from core import config
from core.datasets import user_image
from core.mechanisms import divergences, finished_games, gan_game
from core.mechanisms.gaussian_mixtures import Mixture
from core.mechanisms.monte_carlo import Estimate
from core.runs import reader, selection, store
from core.tasks import computation, vae_vs_gan_training
from pages.ui.shared import experiment
from tests.pages.driver import opened_on

PAGE = "pages/mechanisms.py"
VIEWS = [
    *((experiment, {}) for experiment in ("generator", "codes", "naive", "elbo", "gradients", "similarity", "linear")),
    *(("naive", {"show": show}) for show in ("estimate", "trap")),
    *(("codes", {"data": data, "codes": fit}) for data, fit in (("digits", "gaussian"), ("fashion-mnist", "mixture"))),
    *(("similarity", {"in": "2", **shape}) for shape in ({}, {"shape": "isotropic"})),
    *(("generator", {"output": "normal"}), ("elbo", {"show": "collapse"}), ("gradients", {"f": "sines"})),
]
STROKES = user_image.pack_strokes([np.array([[20, 20], [60, 200], [240, 30]], np.uint8)])
FINDING = re.compile(r'<p class="hg-settled">(.*?)</p>', re.DOTALL)
ROW = re.compile(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)


def page(experiment: str, **query: str):
    return opened_on(PAGE, experiment=experiment, **{f"{experiment}.{name}": value for name, value in query.items()})


def linked(app, **query: str):
    """The page when its address has changed so."""
    app.query_params.update(query)
    return app.run()


def finding(app) -> str:
    return " ".join(FINDING.findall(app.read_html()))


def table(app) -> dict[str, list[str]]:
    """The tables of the page: first cell -> the others."""
    return {name: re.findall(r"<td>(.*?)</td>", cells, re.DOTALL) for name, cells in ROW.findall(app.read_html())}


def check(app, *, agrees: bool = True) -> None:
    """No problem is shown; there is a chart and a finding, and all estimates agree with the exact values."""
    assert [message.value for message in (*app.error, *app.warning)] == []
    assert app.get("plotly_chart")
    assert finding(app)
    shown = f"{finding(app)} {table(app)}"
    assert "nan" not in shown.lower()
    # Rounding is shown as 0, and Streamlit drops SVG.
    assert not re.search(r"\de[-+−]\d\d|(?<!\d)−0(\.0+)?\b(?!\.)", shown)
    assert "<svg" not in app.read_html()
    assert not agrees or "differs (" not in shown


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """The shipped runs, and none of this person's."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))


@pytest.mark.parametrize(("experiment", "query"), VIEWS, ids=str)
def test_view_at_its_defaults_and_both_ends_of_its_controls(experiment, query, shipped):
    app = page(experiment, **query)
    check(app)
    assert app.latex
    for end in (0, -1):
        for slider in app.select_slider:
            app.query_params[slider.key.split(":")[1]] = slider.options[end].replace(",", "")
        app.run()
        # A descent with the largest steps may end in words.
        check(app, agrees=False)


def test_link_sets_controls_of_its_experiment_alone():
    app = page("naive", size="2", noise="1.0", codes="64")
    assert not [name for name in linked(app, experiment="linear").query_params if name.startswith("naive.")]
    assert [slider.value for slider in linked(app, experiment="naive").select_slider[:3]] == [2, 1.0, 64]


def test_malformed_links_are_refused(shipped):
    app = page("naive", size="<b>", seed="x").expect("naive", "seed")
    assert (len(app.warning), app.select_slider[0].value) == (2, 4)
    for text in ("", "1;x", "1;nan", "1;9", "1,2;3,4;5"):
        app = page("similarity", **{"modes-1": text})
        assert "modes" in app.warning[0].value
        assert app.query_params["similarity.modes-1"] == "-2;2"
    for query, sentence in (({"g": "7"}, "must be one of"), ({"data": "drawn", "strokes": "???"}, "drawing")):
        assert sentence in page("players", preset="own", **query).warning[0].value


def test_linear_ae_names_saddle_divergence_and_maximum():
    assert "saddle" in finding(page("linear", angle="30", **{"from": "120"}))
    assert "diverged" in finding(page("linear", rate="1.0", radius="1.2"))
    assert "maximum" in finding(page("linear", radius="0.0"))


def test_modes_in_the_link_are_fitted():
    app = page("similarity", **{"modes-1": "-3;3"}, weight="0.5", width="0.5")
    # Equal weights at -3 and 3, deviations 0.5 and 0.6: 9 + (0.25 + 0.36) / 2
    assert table(app)["KL(p ‖ q)"][1] == f"{np.sqrt(9.305):.2f}"
    assert "match the target" in finding(app)


@pytest.mark.parametrize(("plane", "query"), [("1", {}), ("2", {}), ("2", {"modes-2": "-2,0;2,0;0,2"})])
def test_modes_that_a_fit_covers_are_counted(plane, query):
    app = page("similarity", **{"in": plane}, **query)
    modes = [part.split(",") for part in app.query()[f"similarity.modes-{plane}"].split(";")]
    modes = np.array(modes, float)
    target = Mixture.from_means(modes, [0.8, 0.6, 0.5][: len(modes)], [0.6, 0.4, 0.4][: len(modes)])
    starts = np.random.default_rng(0).uniform(-4, 4, (8, len(modes[0])))[:4]
    counts = []
    for divergence in (divergences.FORWARD, divergences.REVERSE):
        fit = divergences.fit_gaussian(target, divergence, starts)[0].gaussian
        inverse = np.linalg.inv(fit.covariance)
        counts.append(sum(mahalanobis(mode, fit.mean, inverse) <= 2 for mode in modes))
    assert re.findall(r"(\d) of", finding(app)) == [str(count) for count in counts]
    # It opens where KL(q ‖ p) covers one mode, but does so only for modes that are far apart.
    assert counts == [len(modes), 1 if not query else 2]


@pytest.mark.parametrize(
    ("query", "images", "data"),
    [
        ({}, "Some decoded images are unlike", "most of the data are left out"),
        ({"data": "digits"}, "Most decoded images are unlike", "some of the data are left out"),
        ({"size": "30"}, "Most decoded images are unlike", "most of the data are left out"),
        ({"codes": "gaussian"}, "Some decoded images are unlike", "the data are covered"),
        ({"codes": "mixture"}, "Decoded images are like", "some of the data are left out"),
    ],
)
def test_random_codes_name_the_failure_that_is_seen(query, images, data, shipped):
    app = page("codes", **query)
    chosen = {name: app.query()[f"codes.{name}"] for name in ("data", "size", "codes")}
    run = selection.select_runs(store.list_runs()[0], chosen["data"], "ae", int(chosen["size"]))[0]
    text, Z = finding(app), reader.read_run(run.place).views["codes"]
    # A Gaussian is what is sampled by default, and has no prefix.
    prefix = {"normal": "normal.", "mixture": "mixture.", "gaussian": ""}[chosen["codes"]]
    assert images in text
    assert data in text
    for name in ("precision", "recall"):
        score, floor = (run.metrics[key].value for key in (prefix + name, f"{name}_floor"))
        assert f"{name} {score:.3f}, test images {floor:.3f}" in text
    shares = run.by_class[f"{prefix}class_shares"].values()
    assert f"{sum(share >= 0.05 for share in shares)} of 10 classes, each in at least 5%" in text
    outside = (np.square(Z.astype(float)).sum(1) > chi2.ppf(0.95, Z.shape[1])).mean()
    assert f"{outside:.0%} of the data" in text


def test_games_open_finished_and_their_sentence_has_their_numbers(monkeypatch):
    # What opens needs no training and no torch.
    monkeypatch.setattr(gan_game.Game, "__init__", lambda *_: pytest.fail("A game is played."))
    for preset in gan_game.PRESETS:
        app = page("players", preset=preset)
        game = finished_games.read_finished(preset)
        assert [message.value for message in (*app.error, *app.warning)] == []
        assert f"{game.rounds[-1]:,}" in finding(app)
        assert next(iter(table(app).values()))[1] == experiment.format_value(float(game.js[-1]), game.js_estimate.error)
    assert "0.052 nats (0.214 at round 375)" in finding(page("players"))
    assert "must be one of" in page("players", **{"works-rounds": "17"}).warning[0].value
    assert page("players", show="alone").query()["players.show"] == "alone"
    assert "0.01 from the highest mode" in finding(page("players", show="alone"))
    app = page("players", show="alone", **{"alone-data": "moons", "teacher": "likelihood"})
    assert "highest mode" not in app.read_html()


def test_custom_games_and_discriminators_open(monkeypatch):
    for loss in gan_game.LOSSES:
        app = page("players", loss=loss, data="ring", preset="own", g="0.03", d="0.0001", steps="3")
        assert [message.value for message in (*app.error, *app.warning)] == []
    assert "Draw the data" in page("players", data="drawn", preset="own").info[0].value
    app = page("players", data="drawn", strokes=STROKES, preset="own")
    assert not app.info
    check(page("players", show="judge", preset="oscillation", **{"oscillation-rounds": "0"}))


def test_shipped_comparisons_open_at_once():
    for data in vae_vs_gan_training.list_planes():
        app = page("versus", data=data)
        check(app)
    assert (len(app.charts()), len(table(app))) == (2, 8)
    assert len(app.set_state("versus-losses").charts()) == 4


def test_other_comparisons_are_trained_in_the_background(monkeypatch, tmp_path):
    start = Mock(return_value=Mock(poll=lambda: 0))
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path)
    monkeypatch.setattr(computation.subprocess, "Popen", start)
    app = page("versus", steps="500", data="drawn", strokes=STROKES).expect("Not trained yet").press("start-versus")
    vae_vs_gan_training.WORK.run(Path(start.call_args.args[0][-1]))
    check(app.run())


def test_numbers_have_the_places_their_error_allows():
    assert experiment.format_estimate(Estimate(-12.3456, 0.0234, 10), "nats") == "−12.346 ± 0.023 nats"
    assert experiment.format_estimate(Estimate(-5.0, 1e9, 10)) == "−5 ± more than 10,000"
    for error in (0.0, 0.3):
        assert experiment.format_value(-1.474e-14, error).strip("0.") == ""
    for value, text in ((0.00390625, "0.00391"), (314.6, "315"), (9876, "9,880"), (7.332e8, "7.33 × 10⁸")):
        assert experiment.format_power(value) == text
    assert experiment.format_value(-123456.7, 0.0) == "−123,457"
    for error, exact, text in ((0.1, 1.1, "agrees (1.0 SE)"), (0.1, 2.0, "differs (10.0 SE)"), (0, 1.0, "equal")):
        assert experiment.describe_agreement(Estimate(1.0, error, 10), exact) == text


def test_large_type_reaches_the_charts_of_this_visitor_alone():
    def read_size(app) -> int:
        return app.charts()[0]["layout"]["template"]["layout"]["font"]["size"]

    small = read_size(opened_on(PAGE, experiment="linear"))
    assert read_size(opened_on(PAGE, experiment="linear", large="yes")) == 1.5 * small
    assert read_size(opened_on(PAGE, experiment="linear")) == small
