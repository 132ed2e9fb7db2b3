"""A fresh installation in a real browser: the shipped runs, and nothing else."""

import pytest
from playwright.sync_api import expect

from pages.ui.tour import steps
from tests import openings
from tests.browser.conftest import DRAWN, UNSEEN, show


@pytest.fixture
def server(shipped):
    return shipped


def test_first_view_is_mnist_with_every_row_on_the_first_screen(visit):
    page = visit()
    assert "data=mnist&size=10" in page.url
    for method in ("pca", "linear_ae", "ae", "vae", "gan"):
        row = page.locator(f".st-key-row-{method}")
        box = row.bounding_box()
        assert box["y"] + box["height"] <= 900, (method, box)
        assert "Not trained yet" not in row.inner_text()
    assert page.get_by_test_id("stAlert").count() == 0


def test_other_shipped_data_sets_are_filled_too(visit):
    page = visit("?data=frey&size=2")
    assert page.locator(".st-key-row-vae img").count() >= 2
    assert "licence does not allow" in page.locator(".st-key-headstrip").inner_text()
    for query in ("?data=digits&size=2", "?data=mnist&size=30", "?data=docstrings&size=10"):
        show(page, query)
        assert "Not trained yet" not in page.inner_text("body")


def test_pictures_of_demos_and_steps_are_seen(visit):
    """Those of the demos that need shipped files; the others are opened on a phone."""
    page = visit("mechanisms?experiment=codes", drawn="Link to this view")
    for demo in ("AE as generator", "GAN game", "VAE v. GAN"):
        page.get_by_role("radio", name=demo, exact=True).click()
        _check_pictures(page, demo)
    first = [step.name for step in steps.STEPS].index("generative")
    show(page, f"tour?step={first + 1}", "Link to this view")
    for step in steps.STEPS[first : first + 5]:
        expect(page.locator(".hg-tour h1")).to_have_text(step.title, timeout=DRAWN)
        _check_pictures(page, step.name)
        page.get_by_role("button", name="Next").first.click()


def _check_pictures(page, name: str) -> None:
    page.wait_for_function(openings.DRAWN, arg=".hg-settled", timeout=DRAWN)
    assert page.locator(".stMain :is(img, .js-plotly-plot .main-svg, canvas, .stBidiComponent)").count(), name
    assert page.evaluate(UNSEEN) == [], name
