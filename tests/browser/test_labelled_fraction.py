"""Labelled fraction in a real browser: a mark opens what is behind it, lines toggle, nothing is wider than a phone."""

import pytest
from playwright.sync_api import expect

from core import labelled, sweeps
from tests.browser.conftest import DRAWN, Server, without_shipped_runs

PAGE = "labelled_fraction?data=digits&methods=logistic.pca.spreading"
SHARED = "Share this view"


@pytest.fixture(scope="module")
def server(tmp_path_factory, user_cache):
    """A fresh server with three approaches measured on digits."""
    runs = tmp_path_factory.mktemp("runs")
    cells = labelled.cells("digits", ["logistic", "pca", "spreading"], [20, 100], [0, 1, 2])
    sweeps.run(cells, place=runs / ".labelled")
    root = without_shipped_runs(tmp_path_factory.mktemp("project"))
    server = Server(root, runs, tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()
    assert server.complaints() == []


def marks(page):
    """The marks of the lines' means, three lines of two."""
    return page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace .points path")


def test_a_deep_link_on_a_fresh_server_draws_the_curve(visit):
    page = visit(PAGE, drawn=SHARED)
    expect(marks(page)).to_have_count(3 * 2 * 3 + 3 * 2, timeout=DRAWN)
    assert page.get_by_test_id("stAlert").count() == 0
    assert page.noise == []


def test_a_click_on_a_mark_opens_what_is_behind_it_and_the_link_keeps_it(visit):
    page = visit(f"{PAGE}&part=fair", drawn=SHARED)
    expect(marks(page)).to_have_count(24, timeout=DRAWN)
    page.wait_for_timeout(500)
    box = marks(page).nth(6).bounding_box()  # after the seeds of the first line: its mean at 20 labels
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("Confusion matrix")).to_be_visible(timeout=DRAWN)
    expect(page.get_by_text("with 20 labels, seed")).to_be_visible()
    page.wait_for_function("location.search.includes('part=point')")
    assert "approach=" in page.url
    page.goto(page.url)
    expect(page.get_by_text("with 20 labels, seed")).to_be_visible(timeout=DRAWN)
    assert page.noise == []


def test_lines_toggle_by_keyboard(visit):
    page = visit(PAGE, drawn=SHARED)
    expect(marks(page)).to_have_count(24, timeout=DRAWN)
    pill = page.get_by_role("button", name="PCA + logistic").first
    pill.focus()
    page.keyboard.press("Enter")
    expect(marks(page)).to_have_count(16, timeout=DRAWN)
    page.wait_for_function("!location.search.includes('pca')")


@pytest.mark.parametrize("part", ["point", "sweep", "fair"])
def test_a_phone_scrolls_one_way_only(visit, part):
    page = visit(f"{PAGE}&part={part}", width=390, drawn=SHARED)
    main = page.get_by_test_id("stMain")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    assert page.noise == []


def test_a_sweep_runs_beside_the_page_to_its_end(visit):
    page = visit(f"{PAGE}&part=sweep", drawn=SHARED)
    box = page.get_by_role("textbox", name="Numbers of labels")
    box.fill("30")
    box.press("Enter")
    chosen = page.get_by_text("Approaches to measure").locator("xpath=ancestor::*[@data-testid='stButtonGroup']")
    for name in ("Network from scratch", "AE features + logistic", "AE, fine-tuned", "M1, transductive"):
        pill = chosen.get_by_role("button", name=name, exact=True)
        pill.click()
        expect(pill).to_have_attribute("aria-pressed", "false", timeout=DRAWN)
    run = page.get_by_role("button", name="Run 6 cells")
    expect(run).to_be_visible(timeout=DRAWN)
    run.click()
    expect(page.get_by_text("The sweep is done: 6 computed")).to_be_visible(timeout=DRAWN)
    expect(marks(page)).to_have_count(32, timeout=DRAWN)
    assert page.noise == []
