"""Slides 3 to 8 of the tour in a real browser: pictures seen on a phone too, controls, symbols, linked maps."""

import pytest
from playwright.sync_api import expect

from pages.ui.tour import steps
from tests.browser.conftest import DRAWN

NAMES = ("unsupervised", "features", "linear", "documents", "labels")
# Pictures in the view of a step that have no area, and what is cut at its right edge.
UNSEEN = """name => [...document.querySelectorAll(`.st-key-tour-step-${name} :is(img, .hg-encoder, .hg-error-bar i)`)]
  .map((each) => each.getBoundingClientRect())
  .filter((box) => box.width < 12 || box.height < 12 || box.right > innerWidth + 1).length"""


@pytest.fixture
def server(shipped):
    return shipped


def test_pictures_of_slides_3_to_8_are_seen_and_answer(visit):
    numbers = {step.name: k for k, step in enumerate(steps.STEPS, 1)}
    page = visit(f"tour?step={numbers['unsupervised']}", drawn="Look for:")
    finding = page.locator(".hg-settled")
    for name in NAMES:
        # While a step is drawn, the finding of the one before may still be there.
        expect(page.locator(f".st-key-tour-step-{name} .hg-settled")).to_have_count(1, timeout=DRAWN)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)
        expect(page.locator(f".st-key-tour-step-{name} :is(img, canvas)").first).to_be_visible(timeout=DRAWN)
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(UNSEEN, name) == 0, (name, width)
        before = finding.inner_text()
        if name == "features":
            page.locator("math [data-index]", has_text="enc").first.hover()
            expect(page.locator(".hg-network.hg-lit")).to_have_count(1)
        if name == "documents":
            check_linked(page)
        if name == "labels":
            page.get_by_role("slider").focus()
            page.keyboard.press("ArrowRight")
            expect(page.locator(".hg-flow").last).to_contain_text("600 labelled", timeout=DRAWN)
        else:
            page.get_by_test_id("stMain").get_by_role("radio").nth(1).click()
        expect(finding).not_to_have_text(before, timeout=DRAWN)
        page.get_by_role("button", name="Next").first.click()


def check_linked(page) -> None:
    """Point into the middle of a map, and find the same document marked in the other one."""
    first, second = page.locator(".stage canvas.over").all()[:2]
    blank = second.evaluate("canvas => canvas.toDataURL()")
    box = first.bounding_box()
    for k in range(3, 8):
        page.mouse.move(box["x"] + 0.1 * k * box["width"], box["y"] + 0.55 * box["height"])
        if second.evaluate("canvas => canvas.toDataURL()") != blank:
            return
    pytest.fail("No document is marked in the other map.")
