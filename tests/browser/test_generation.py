"""Generation in a real browser: sheets are opened, rows picked by keyboard, samples downloaded."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core import datasets
from tests.browser.conftest import DRAWN

SHARE = "Share this view"


@pytest.fixture
def opened(visit):
    def opened(section: str, **kwargs):
        return visit(f"generation?data=digits&size=10&section={section}", drawn=SHARE, **kwargs)

    return opened


def asked(page, name: str) -> str:
    """What the address says of a choice."""
    return re.search(rf"[?&]{name}=([^&]*)", page.url).group(1)


@pytest.mark.parametrize("width", [1440, 390])
def test_a_sheet_opens_with_the_nearest_training_images(opened, width):
    page = opened("samples", width=width)
    card = page.locator(".st-key-open-sampled-ae-mixture")
    expect(card.locator("img")).to_be_visible(timeout=DRAWN)
    # Wherever a sheet is clicked, it opens.
    card.locator("img").scroll_into_view_if_needed()
    box = card.locator("img").bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + 0.3 * box["height"])
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("AE, mixture")).to_be_visible(timeout=DRAWN)
    pairs = dialog.get_by_role("img", name=re.compile(r"^Sample \d+ above training row \d+, distance \d"))
    expect(pairs).to_have_count(32, timeout=DRAWN)
    assert pairs.first.bounding_box()["width"] > 20
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    assert page.noise == []


def test_a_sheet_is_opened_by_keyboard(opened):
    page = opened("samples")
    page.get_by_role("button", name=re.compile("^Enlarge: PCA, one Gaussian")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("Under each sample")).to_be_visible(timeout=DRAWN)


def test_rows_are_picked_by_keyboard(opened):
    page = opened("between")
    y = datasets.load("digits").y_test
    buttons = page.get_by_role("button", name=re.compile(r"^From: test row \d+$"))
    expect(buttons).to_have_count(10, timeout=DRAWN)
    numbers = [int(name.split()[-1]) for name in buttons.all_text_contents()]
    assert y[numbers].tolist() == list(range(10))
    assert asked(page, "from") == str(numbers[2])
    buttons.nth(2).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"[?&]from={numbers[4]}(&|$)"), timeout=DRAWN)
    assert asked(page, "to") == str(numbers[7])
    assert page.noise == []


@pytest.mark.parametrize("width", [1440, 900, 390])
def test_a_button_lies_over_each_image_that_may_be_picked(opened, width):
    page = opened("between", width=width)
    buttons = page.get_by_role("button", name=re.compile(r"^To: test row \d+$"))
    expect(buttons).to_have_count(10, timeout=DRAWN)
    numbers = [int(name.split()[-1]) for name in buttons.all_text_contents()]
    strips = page.locator(".st-key-pick-to img.hg-columns-image")
    for k in (0, 4, 5, 9):
        strip = strips.nth(k // 5)
        strip.scroll_into_view_if_needed()
        box = strip.bounding_box()
        page.mouse.click(box["x"] + box["width"] * (k % 5 + 0.5) / 5, box["y"] + box["height"] / 2)
        page.wait_for_url(re.compile(rf"[?&]to={numbers[k]}(&|$)"), timeout=DRAWN)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)
    assert page.noise == []


def test_samples_are_downloaded(opened):
    page = opened("samples")
    with page.expect_download(timeout=DRAWN) as waited:
        page.get_by_role("button", name="Samples as PNG").click()
    assert waited.value.suggested_filename == "samples-digits-10d-seed0.png"
    picture = np.asarray(Image.open(io.BytesIO(Path(waited.value.path()).read_bytes())))
    assert picture.ndim == 2
    assert picture.shape[1] > 16 * 8
    with page.expect_download(timeout=DRAWN) as waited:
        page.get_by_role("button", name="Samples as NPZ").click()
    assert waited.value.suggested_filename == "samples-digits-10d-seed0.npz"
    with np.load(waited.value.path(), allow_pickle=False) as arrays:
        assert arrays["ae_mixture_images"].shape == (32, 64)
        assert arrays["ae_mixture_codes"].shape == (32, 10)
    assert page.noise == []


def test_sums_are_drawn_on_a_phone_and_in_the_dark(opened):
    page = opened("arithmetic", width=390, scheme="dark")
    expect(page.get_by_role("img", name="Images along the path").first).to_be_visible(timeout=DRAWN)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0
    assert page.noise == []
