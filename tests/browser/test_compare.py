"""Compare in a real browser: what only a browser shows."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DRAWN


def test_first_visit_by_deep_link_is_whole_and_quiet(visit, server, tmp_path):
    page = visit("?data=digits&size=2")
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("Digits 8x8")
    expect(page.get_by_role("radio", name="2", exact=True)).to_have_attribute("aria-checked", "true")
    assert page.get_by_test_id("stException").count() == 0
    page.screenshot(path=tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 20_000
    assert page.noise == []
    assert server.complaints() == []


def test_the_first_screen_holds_every_row(visit):
    page = visit("?data=digits&size=10")
    for method in ("pca", "linear_ae", "ae", "vae", "gan"):
        box = page.locator(f".st-key-row-{method}").bounding_box()
        assert box["y"] + box["height"] <= 900, (method, box)
    boxes = [page.locator(where).bounding_box() for where in (".st-key-headstrip img", ".st-key-open-strip-pca img")]
    assert boxes[0]["x"] == pytest.approx(boxes[1]["x"], abs=0.5)
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=0.5)


@pytest.mark.parametrize("width", [900, 390])
@pytest.mark.parametrize("query", ["?data=digits&size=10", "?data=docstrings&size=2", "?data=olivetti"])
def test_nothing_is_wider_than_the_window(visit, width, query):
    page = visit(query, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    main = page.get_by_test_id("stMain")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    too_wide = page.locator("[class*=st-key-row-] *").evaluate_all(
        "(all, width) => all.filter(e => e.checkVisibility({visibilityProperty: true, opacityProperty: true})"
        " && !e.closest('.stCode, .stButton') && e.getBoundingClientRect().right > width + 1)"
        ".map(e => e.outerHTML.slice(0, 80))",
        width,
    )
    assert too_wide == []


def test_dark_is_dark_and_maps_take_its_colours(visit):
    light, dark = (visit("?data=digits&size=2", scheme=scheme) for scheme in ("light", "dark"))
    ground = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    assert light.evaluate(ground) == "rgb(255, 255, 255)"
    assert dark.evaluate(ground) == "rgb(20, 23, 28)"
    expect(dark.locator(".hg-map").first).not_to_have_attribute(
        "src", light.locator(".hg-map").first.get_attribute("src")
    )


def test_choices_and_pictures_are_reached_by_keyboard(visit):
    page = visit("?data=digits&size=10")
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(e => e.getAttribute('aria-label') || `${e.getAttribute('role')} ${e.innerText}`)"
                "(document.activeElement)"
            )
        )
    for wanted in ("Data set", "Explore the map of PCA", "Enlarge the reconstructions of PCA"):
        assert any(wanted in name for name in names), (wanted, names)
    button = page.get_by_role("button", name="Explore the map of PCA")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".js-plotly-plot .point").first).to_be_visible(timeout=DRAWN)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_choice_changes_the_address_and_a_reload_keeps_it(visit):
    page = visit("?data=digits&size=10")
    page.get_by_role("radio", name="2", exact=True).click()
    expect(page.get_by_text("2-D code").first).to_be_visible(timeout=DRAWN)
    page.wait_for_url("**/?data=digits&size=2")
    page.reload()
    expect(page.get_by_text("2-D code").first).to_be_visible(timeout=DRAWN)


def test_hostile_text_runs_nothing(visit):
    page = visit("?data=docstrings&size=2")
    expect(page.get_by_text("<img src=x onerror=alert(1)> $x^2$ **bold** :red[r]").first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert page.noise == []
