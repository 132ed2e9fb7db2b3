"""Mechanisms and the tour in a real browser: formulas, charts that play, a phone, keys."""

import re

import pytest
from playwright.sync_api import expect

from core.mechanisms import densities, two_players
from pages.ui.mechanisms import playing
from tests.browser.conftest import DRAWN

EXPERIMENTS = ("generator", "naive", "elbo", "gradients", "similarity", "players", "linear")
SHARE = "Share this view"


def test_a_deep_link_on_a_fresh_server(visit):
    page = visit("mechanisms?experiment=elbo&elbo.spread=2.0", drawn=SHARE)
    expect(page.locator(".hg-settled")).to_be_visible(timeout=DRAWN)
    assert "elbo.spread=2.0" in page.url
    assert page.noise == []


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_formulas_and_charts_are_drawn_and_none_is_wider_than_a_phone(visit, experiment):
    page = visit(f"mechanisms?experiment={experiment}", width=390, height=844, drawn=SHARE)
    expect(page.locator(".hg-settled").first).to_be_visible(timeout=DRAWN)
    assert page.locator(".katex-display .katex-html").count() >= 1
    assert page.locator(".katex-error").count() == 0
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert page.noise == []
    wide = page.evaluate("document.querySelector('.stMainBlockContainer').scrollWidth - innerWidth")
    assert wide <= 0


def test_the_browser_plays_the_descent_and_the_server_is_not_asked(visit):
    page = visit("mechanisms?experiment=linear", drawn=SHARE)
    asked = []
    page.on("websocket", lambda socket: asked.append(socket))
    places = "document.querySelectorAll('.js-plotly-plot')[0].calcdata.at(-2).length"
    expect(page.get_by_text("▶ Play")).to_be_visible(timeout=DRAWN)
    whole = page.evaluate(places)
    page.get_by_text("▶ Play").click()
    page.wait_for_function(f"{places} < {whole}", timeout=DRAWN)
    page.wait_for_function(f"{places} === {whole}", timeout=DRAWN)
    assert asked == []
    assert page.noise == []


def test_modes_are_dragged_and_moved_by_keys(visit):
    page = visit("mechanisms?experiment=similarity&similarity.in=2", drawn=SHARE)
    first, second = (page.get_by_role("application", name=f"Mode {k}") for k in (1, 2))
    first.wait_for(timeout=DRAWN)
    before = page.locator(".hg-settled").inner_text()
    box, field = first.locator(".dot").bounding_box(), page.locator("svg.field").bounding_box()
    x, y, unit = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, field["width"] / 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - unit, y - 2 * unit, steps=5)
    page.mouse.up()
    expect(first).to_have_attribute("aria-label", re.compile(r"Mode 1 at −3\.0, 2\.0"))
    page.wait_for_function("decodeURIComponent(location.search).includes('modes-2=-3,2;2,0;0,2')", timeout=DRAWN)
    second.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("decodeURIComponent(location.search).includes('modes-2=-3,2;2.1,-0.5;0,2')", timeout=DRAWN)
    expect(page.locator(".hg-settled")).not_to_have_text(before, timeout=DRAWN)
    assert page.noise == []


def test_single_steps_of_a_player(visit):
    page = visit("mechanisms?experiment=players&players.preset=own&players.own-rounds=20", drawn=SHARE)
    page.get_by_role("button", name="One step of the generator").click()
    expect(page.get_by_text("20 rounds and 1 single step: G")).to_be_visible(timeout=DRAWN)
    assert "players.moves=G" in page.url
    assert page.noise == []


def test_a_control_moved_while_a_game_is_played_does_not_spoil_it(visit):
    settings = two_players.Settings("two_modes", seed=5)
    game = two_players.begin(settings)
    two_players.run(game, 1000)
    divergence = f"summed over a grid {densities.jensen_shannon_on_grid(game.mixture, game.generator):.4f}"
    page = visit("mechanisms?experiment=players&players.preset=own&players.seed=5&players.own-rounds=200", drawn=SHARE)
    rounds = page.get_by_role("slider", name="Rounds")
    rounds.focus()
    wanted = playing.ROUNDS.index(1000)
    for _ in range(40):  # by way of 300, 400 and 600
        if (now := int(rounds.get_attribute("value"))) == wanted:
            break
        page.keyboard.press("ArrowRight" if now < wanted else "ArrowLeft")
        page.wait_for_timeout(120)
    expect(page).to_have_url(re.compile("own-rounds=1000"), timeout=DRAWN)
    expect(page.locator(".hg-settled")).to_contain_text(divergence, timeout=DRAWN)
    assert page.noise == []


def test_a_long_game_can_be_stopped_and_what_was_played_is_kept(visit):
    query = "mechanisms?experiment=players&players.preset=own&players.data=ring&players.loss=wasserstein_gp"
    page = visit(f"{query}&players.steps=5&players.own-rounds=2000", drawn="Playing:")
    page.get_by_test_id("stMainBlockContainer").get_by_role("button", name="Stop").click()
    expect(page.locator(".hg-settled")).to_be_visible(timeout=DRAWN)
    assert "own-rounds=2000" not in page.url
    assert page.noise == []


def test_the_tour_by_keys_and_back_from_what_it_opens(visit):
    page = visit("tour", drawn=SHARE)
    expect(page.get_by_role("heading", name="Unsupervised learning")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Autoencoders")).to_be_visible(timeout=DRAWN)
    page.keyboard.press("ArrowRight")
    page.get_by_role("link", name="Walk down the loss surface").click()
    expect(page.locator(".hg-settled")).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Back to the tour, step 3").click()
    expect(page.get_by_role("heading", name="Linear autoencoder and PCA")).to_be_visible(timeout=DRAWN)
    assert page.noise == []


@pytest.mark.parametrize(("width", "times"), [(390, 1), (1440, 0)], ids=["phone", "wide"])
def test_the_way_back_to_the_tour_is_on_the_page_where_the_sidebar_is_hidden(width, times, visit):
    page = visit("tour?step=3", width=width, drawn=SHARE)
    page.get_by_role("link", name="Walk down the loss surface").click()
    expect(page.locator(".hg-settled")).to_be_visible(timeout=DRAWN)
    back = page.get_by_test_id("stMain").get_by_role("link", name="Back to the tour, step 3")
    expect(back).to_have_count(times)
    if times:
        back.click()  # not covered by what Streamlit keeps at the top
        expect(page.get_by_role("heading", name="Linear autoencoder and PCA")).to_be_visible(timeout=DRAWN)
    assert page.noise == []


def test_large_type_is_large(visit):
    size = "parseFloat(getComputedStyle(document.querySelector('.hg-tour p')).fontSize)"
    small = visit("tour?step=2", drawn=SHARE).evaluate(size)
    assert visit("tour?step=2&large=yes", drawn=SHARE).evaluate(size) > 1.4 * small
