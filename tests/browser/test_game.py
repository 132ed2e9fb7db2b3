"""The game in a real browser: its gradients are torch's, its numbers those of core, and it can be played."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from core.mechanisms import finished_games, fixed_opponent, gan_game
from core.mechanisms.fixed_opponent import DENSITY, LIKELIHOOD, SoloGenerator
from core.mechanisms.gan_game import DISCRIMINATOR, GENERATOR, LOSSES, WASSERSTEIN, Settings
from core.nn import losses
from pages.ui.shared import components
from tests.browser.conftest import DRAWN

SHARE = "Link to this view"
N = 8
# Loads the engine, makes a game with the given weights, and returns losses and gradients on the given rows.
ENGINE = """async ([source, message]) => {
  const code = `${source}\\nexport { Game, Mixture };`;
  const { Game, Mixture } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const array = (name) => Float64Array.from(message[name]);
  const game = new Game(new Mixture(array("weights"), array("means"), array("deviations")), message.settings);
  game.set({ G: array("G"), D: array("D") }, 0);
  const draw = { n: message.n, z: array("z"), eps: array("eps"), real: array("real") };
  const { x, cache } = game.generate(draw);
  const ofD = game.lossD(draw.real, x, array("share"));
  const ofG = game.teach(x, draw.real, cache.out);
  const gradient = new Float64Array(game.G.length);
  game.G.backward(cache, ofG.dx, gradient);
  const plain = (values) => Array.from(values);
  const measured = game.measure();
  const result = { measured, x: plain(x), D: ofD.value, byD: plain(ofD.gradient), G: ofG.value, byG: plain(gradient) };
  for (let k = 0; k < 3; k++) game.adams.D.descend(game.D.weights, ofD.gradient, 0.01);
  return { ...result, moved: plain(game.D.weights) };
}"""


@pytest.fixture
def server(shipped):
    return shipped


@pytest.fixture(scope="module")
def blank(browser):
    page = browser.new_page()
    yield page
    page.close()


def run_engine(page, settings: Settings, teacher: str, game, draw: dict[str, torch.Tensor]) -> dict:
    mixture = settings.mixture
    sent = {
        name: getattr(settings, name) for name in ("loss", "momentum", "width", "waves", "penalty", "noise", "seed")
    }
    sent |= {"teacher": teacher, "steps": 1, "batch": N, "rates": {"G": 0.001, "D": 0.001}}
    sent["top"] = float(mixture.log_density(mixture.mode[None])[0])
    message = {name: array.flatten().tolist() for name, array in draw.items()}
    message |= {name: getattr(mixture, name).ravel().tolist() for name in ("weights", "means", "deviations")}
    weights = {"G": game.players[GENERATOR].weights, "D": game.players[DISCRIMINATOR].weights}
    message |= {name: torch.nn.utils.parameters_to_vector(own).tolist() for name, own in weights.items()}
    return page.evaluate(ENGINE, [components.read_source("game_engine", "js"), message | {"settings": sent, "n": N}])


def make_draw(settings: Settings, random: torch.Generator) -> dict[str, torch.Tensor]:
    d = settings.mixture.dimension
    draw = {name: torch.randn(N, d, generator=random) for name in ("z", "eps", "real")}
    return draw | {"share": torch.rand(N, 1, generator=random)}


def flat(gradients) -> np.ndarray:
    return torch.cat([gradient.flatten() for gradient in gradients]).numpy()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("target", ["two_modes", "moons"])
def test_losses_gradients_and_adam_are_torchs(blank, target, loss):
    settings = Settings(target, loss, width=12, penalty=2.0)
    game, draw = gan_game.Game(settings), make_draw(settings, torch.Generator().manual_seed(1))
    found = run_engine(blank, settings, "discriminator", game, draw)
    generator, discriminator = (game.players[player] for player in (GENERATOR, DISCRIMINATOR))
    made = generator.network(draw["z"]) + settings.noise * draw["eps"]
    np.testing.assert_allclose(found["x"], made.detach().numpy().ravel(), atol=1e-5)
    of_g = losses.generator_loss(settings.objective, discriminator.network(made).squeeze(1))
    made = made.detach()
    on_real, on_made = (discriminator.network(rows).squeeze(1) for rows in (draw["real"], made))
    of_d = losses.discriminator_loss(settings.objective, on_real, on_made)
    if loss == WASSERSTEIN:
        of_d = of_d + 2.0 * losses.wasserstein_penalty(discriminator.network, draw["real"], made, draw["share"])
    assert (found["G"], found["D"]) == pytest.approx((float(of_g.detach()), float(of_d.detach())), abs=1e-5)
    np.testing.assert_allclose(found["byG"], flat(torch.autograd.grad(of_g, generator.weights)), atol=2e-5)
    gradients = torch.autograd.grad(of_d, discriminator.weights)
    np.testing.assert_allclose(found["byD"], flat(gradients), atol=2e-5)
    optimizer = torch.optim.Adam(discriminator.weights, lr=0.01, betas=(settings.momentum, 0.99))
    for weight, gradient in zip(discriminator.weights, gradients, strict=True):
        weight.grad = gradient
    for _ in range(3):
        optimizer.step()
    moved = torch.nn.utils.parameters_to_vector(discriminator.weights).detach().numpy()
    # A gradient near 0 is divided by itself.
    is_clear = np.abs(flat(gradients)) > 1e-4
    np.testing.assert_allclose(np.array(found["moved"])[is_clear], moved[is_clear], atol=1e-4)


@pytest.mark.parametrize("teacher", [DENSITY, LIKELIHOOD])
def test_a_generator_alone_has_torchs_gradient(blank, teacher, monkeypatch):
    settings = Settings("two_modes", width=12, batch=N)
    draw = make_draw(settings, torch.Generator().manual_seed(2))
    game, solo = gan_game.Game(settings), SoloGenerator(settings, teacher)
    found = run_engine(blank, settings, teacher, game, draw)
    normals = iter((draw["z"], draw["eps"]))
    monkeypatch.setattr(solo.sampler, "sample_normal", lambda n: next(normals))
    monkeypatch.setattr(solo.sampler, "sample_real", lambda n: draw["real"])
    monkeypatch.setattr(solo.player, "descend", lambda loss: found.update(torch=loss))
    value = fixed_opponent.train(solo, 1).history[0]["value"]
    assert found["G"] == pytest.approx(-value, rel=1e-4)
    gradient = flat(torch.autograd.grad(found["torch"], solo.player.weights))
    np.testing.assert_allclose(found["byG"], gradient, rtol=1e-3, atol=1e-4 * np.abs(gradient).max())


@pytest.mark.parametrize("name", ["works", "mode_collapse", "oscillation"])
def test_browser_measures_what_core_measures(blank, name):
    settings, finished = finished_games.GAMES[name][0], finished_games.read_finished(name)
    game = finished_games.restore(name, finished, -1)
    draw = make_draw(settings, torch.Generator().manual_seed(3))
    measured = run_engine(blank, settings, "discriminator", game, draw)["measured"]
    assert measured["js"] == pytest.approx(finished.js[-1], abs=2e-3)
    assert measured["off"] == pytest.approx(finished.disagreement[-1], abs=2e-3)
    n = len(settings.mixture.weights)
    assert measured["covered"] == pytest.approx(n * finished.coverage[-1], abs=0.05 * n)
    assert measured["onReal"] == pytest.approx(finished.on_real[-1], abs=0.01)


def test_a_game_is_looked_back_at_played_and_slowed_down(visit):
    page = visit("mechanisms?experiment=players&players.works-rounds=375", drawn=SHARE)
    expect(page.locator(".game[data-round='375']")).to_be_visible(timeout=DRAWN)
    text = page.locator(".game .plane canvas").get_attribute("aria-label")
    assert float(re.search(r"divergence of p and q, nats ([0-9.]+)", text)[1]) == pytest.approx(0.214, abs=2e-3)
    page.get_by_role("button", name="Slow motion").click()
    for stage in ("Sample z", "Generate", "D judges both", "D learns", "G learns along the arrows"):
        expect(page.locator(".game .stages [aria-current=step]")).to_have_text(stage)
        expect(page.locator(".game .said")).to_contain_text(stage)
        page.get_by_role("button", name="Next sub-step").click()
    expect(page.locator(".game[data-round='376']")).to_be_visible()
    page.get_by_role("slider", name="Generator learning rate").press("ArrowRight")
    page.get_by_role("button", name="Play", exact=True).press("Enter")
    page.wait_for_function("[...hourglassGames][0].game.rounds > 390", timeout=DRAWN)
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("[...hourglassGames][0].game.rates.G") == 0.002
    page.get_by_role("slider", name="Round", exact=True).press("Home")
    expect(page.locator(".game[data-round='0']")).to_be_visible()
    page.get_by_role("button", name="Mode collapse").click()
    expect(page.locator(".game[data-round='600']")).to_be_visible(timeout=DRAWN)
    assert "players.preset=mode_collapse" in page.url
    assert page.evaluate("[...hourglassGames][0].frames.length") == 13
