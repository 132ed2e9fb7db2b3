"""Concept demos and the tour in a real browser: formulas, animated charts, dragging, a phone, keys."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import DRAWN

SHARE = "Link to this view"
# Names in the sidebar that are cut.
CUT = """() => [...document.querySelectorAll('section.stSidebar .stPageLink a *')]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map((e) => e.innerText)"""


def finding(page):
    return page.locator(".hg-settled").first


def test_the_browser_plays_the_descent_without_the_server(visit):
    page, sockets = visit("mechanisms?experiment=linear", drawn=SHARE), []
    page.on("websocket", lambda socket: sockets.append(socket))
    n_points = "document.querySelectorAll('.js-plotly-plot')[0].calcdata.at(-2).length"
    expect(page.locator(".js-plotly-plot .slider-group").first).to_be_attached(timeout=DRAWN)
    whole = page.evaluate(n_points)
    page.get_by_role("button", name="Play").press("Enter")
    for comparison in ("<", "==="):
        page.wait_for_function(f"{n_points} {comparison} {whole}", timeout=DRAWN)
    page.get_by_role("slider", name="step", exact=True).press("Home")
    page.wait_for_function(f"{n_points} === 1", timeout=DRAWN)
    assert sockets == []


def test_modes_are_dragged_and_moved_by_keys(visit):
    page = visit("mechanisms?experiment=similarity&similarity.in=2&similarity.modes-2=-2,0;2,0;0,2", drawn=SHARE)
    first, second = (page.get_by_role("application", name=f"Mode {k}") for k in (1, 2))
    first.wait_for(timeout=DRAWN)
    before = finding(page).inner_text()
    box, field = first.locator(".dot").bounding_box(), page.locator("svg.field").bounding_box()
    x, y, unit = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, field["width"] / 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - unit, y - 2 * unit, steps=5)
    page.mouse.up()
    expect(first).to_have_attribute("aria-label", re.compile(r"Mode 1 at −3\.0, 2\.0"))
    second.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("decodeURIComponent(location.search).includes('modes-2=-3,2;2.1,-0.5;0,2')", timeout=DRAWN)
    expect(finding(page)).not_to_have_text(before, timeout=DRAWN)


def test_tour_by_keys_with_a_way_back_and_large_type(visit):
    page = visit("tour?step=14", drawn=SHARE)
    title = page.locator(".hg-tour h1")
    before = title.inner_text()
    page.keyboard.press("ArrowRight")
    expect(title).not_to_have_text(before, timeout=DRAWN)
    at_fifteen = title.inner_text()
    page.locator(".stMain .stPageLink a").nth(1).click()
    expect(finding(page)).to_be_visible(timeout=DRAWN)
    assert page.evaluate(CUT) == []
    # In large type the page keys of a presenter turn the steps from here too; else they scroll.
    page.keyboard.press("PageDown")
    page.set_viewport_size({"width": 390, "height": 844})
    # Not covered by what Streamlit keeps at the top.
    page.get_by_test_id("stMain").get_by_role("link", name="Back to the tour, step 15").click(timeout=DRAWN)
    expect(title).to_have_text(at_fifteen, timeout=DRAWN)
    page.set_viewport_size({"width": 1440, "height": 900})
    size = "parseFloat(getComputedStyle(document.querySelector('.hg-tour p')).fontSize)"
    small = page.evaluate(size)
    page.get_by_text("Large type").click()
    page.wait_for_function(f"{size} > {1.4 * small}", timeout=DRAWN)
    # A clicker goes on although the lecturer has just used a switch.
    page.keyboard.press("PageUp")
    expect(title).to_have_text(before, timeout=DRAWN)
