"""Generation in a real browser: sheets are opened, rows chosen by keyboard and click, samples downloaded."""

import re

from PIL import Image
from playwright.sync_api import expect

from core import datasets
from tests.browser.conftest import DRAWN

DIGITS = "generation?data=digits&size=10&section="


def assert_fits(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_samples_are_enlarged_and_downloaded(visit):
    page = visit(f"{DIGITS}samples", width=390)
    sheet = page.locator(".st-key-open-sampled-ae-mixture img")
    expect(sheet).to_be_visible(timeout=DRAWN)
    # Wherever a sheet is clicked, it opens, by the button over it.
    sheet.click(position={"x": 0.8 * sheet.bounding_box()["width"], "y": 30}, force=True)
    dialog = page.get_by_role("dialog")
    pairs = dialog.get_by_role("img", name=re.compile(r"^Sample \d+ above training row \d+, distance \d"))
    expect(pairs).to_have_count(32, timeout=DRAWN)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Enlarge: PCA, one Gaussian")).press("Enter")
    expect(dialog.get_by_text("Below each sample")).to_be_visible(timeout=DRAWN)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    with page.expect_download(timeout=DRAWN) as waited:
        page.get_by_role("button", name="Save PNG").click()
    assert waited.value.suggested_filename == "samples-digits-10d-seed0.png"
    with Image.open(waited.value.path()) as sheets:
        assert sheets.width > 16 * 8
    assert_fits(page)


def test_interpolation_rows_are_chosen_by_keyboard_and_click(visit):
    y = datasets.load("digits").y_test
    page = visit(f"{DIGITS}between", width=390)
    buttons = page.get_by_role("button", name=re.compile(r"^To: test row \d+$"))
    expect(buttons).to_have_count(10, timeout=DRAWN)
    numbers = [int(name.split()[-1]) for name in buttons.all_text_contents()]
    assert y[numbers].tolist() == list(range(10))
    strips = page.locator(".st-key-pick-to img.hg-columns-image")
    for k in (4, 9):
        strip = strips.nth(k // 5)
        strip.click(position={"x": strip.bounding_box()["width"] * (k % 5 + 0.5) / 5, "y": 20}, force=True)
        page.wait_for_url(re.compile(rf"[?&]to={numbers[k]}(&|$)"), timeout=DRAWN)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)
    assert_fits(page)
    page.get_by_role("button", name=re.compile(r"^From: test row \d+$")).nth(3).press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"[?&]from={numbers[4]}(&|$)"), timeout=DRAWN)
    assert f"to={numbers[9]}" in page.url
