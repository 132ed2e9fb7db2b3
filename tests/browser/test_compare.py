"""Compare in a real browser: what only a browser shows."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DRAWN, show, wait_for_server

TOO_WIDE = """(all, width) => all
  .filter((e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".stButton"))
  .filter((e) => e.getBoundingClientRect().right > width + 1).map((e) => e.outerHTML.slice(0, 80))"""


def test_first_screen_holds_every_row_and_is_reached_by_keyboard(visit, server):
    page = visit("?data=digits&size=10")
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("Digits 8x8")
    assert page.get_by_test_id("stException").count() == 0
    for method in ("pca", "linear_ae", "ae", "vae", "gan"):
        box = page.locator(f".st-key-row-{method}").bounding_box()
        assert box["y"] + box["height"] <= 900, (method, box)
    boxes = [page.locator(where).bounding_box() for where in (".st-key-headstrip img", ".st-key-open-strip-pca img")]
    for side in ("x", "width"):
        assert boxes[0][side] == pytest.approx(boxes[1][side], abs=0.5)
    page.get_by_role("button", name="Explore the map of PCA").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".js-plotly-plot .point").first).to_be_visible(timeout=DRAWN)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert server.complaints() == []


def test_nothing_is_wider_than_the_window_and_hostile_text_stays_text(visit):
    page = visit("?data=digits&size=10")
    for query in ("?data=digits&size=10", "?data=docstrings&size=2", "?data=olivetti"):
        show(page, query)
        for width in (900, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") == 0
            assert page.locator("[class*=st-key-row-] *").evaluate_all(TOO_WIDE, width) == []
        if "docstrings" in query:
            expect(page.get_by_text("<img src=x onerror=alert(1)> $x^2$ **bold** :red[r]").first).to_be_visible()
            assert page.locator("img[src=x]").count() == 0


def test_button_copies_the_command_line(visit):
    page = visit("?data=digits&size=2")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # As where a workshop is served without HTTPS.
    page.evaluate("() => { Clipboard.prototype.writeText = () => Promise.reject(new Error('none')); }")
    page.get_by_text("Link and command line").click()
    wait_for_server(page)  # its drawer is filled by a run of the script
    block = page.locator(".hg-code").filter(has_text="core compare")
    block.get_by_role("button").click()
    expect(block.get_by_role("button")).to_have_text("Copied", timeout=DRAWN)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("pre").inner_text()
    assert copied.startswith("python -m core compare digits")
    expect(block.get_by_role("button")).to_have_text("Copy", timeout=DRAWN)


def test_back_leads_to_the_page_before_and_to_what_was_looked_at_there(visit):
    page = visit("?data=digits&size=10")
    section = page.get_by_role("radio", name="Error by class", exact=True)

    def wait_for_page(name):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=DRAWN)
        expect(page.get_by_text(re.compile("^Link (to this view|and command line)$"))).to_be_visible(timeout=DRAWN)

    page.get_by_role("link", name="Reconstructions").click()
    wait_for_page("Reconstructions")
    section.click()
    expect(page).to_have_url(re.compile("section=classes"), timeout=DRAWN)
    page.get_by_role("link", name="Generation").click()
    wait_for_page("Generation")
    page.go_back()
    wait_for_page("Reconstructions")
    expect(section).to_be_checked(timeout=DRAWN)
    page.go_back()
    wait_for_page("Compare")
