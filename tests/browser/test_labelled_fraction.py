"""Labelled fraction in a real browser: a mark opens what is behind it, lines toggle, nothing is wider than a phone."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core.semi_supervised import experiment, results, sweep
from tests.browser.conftest import DRAWN, Server, scroll_to_late, show

PAGE = "labelled_fraction?data=digits&methods=logistic.pca.spreading"
SHARED = "Link and command line"


@pytest.fixture(scope="module")
def server(tmp_path_factory, user_cache):
    """A fresh server with three approaches measured on digits."""
    runs = tmp_path_factory.mktemp("runs")
    cells = experiment.list_cells("digits", ["logistic", "pca", "spreading"], [20, 100], [0, 1, 2])
    sweep.run_sweep(cells, place=runs / ".labelled")
    with Server(runs, tmp_path_factory.mktemp("server")) as server:
        yield server


def marks(page):
    """The marks of the lines' means, three lines of two."""
    return page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace .points path")


def test_lines_toggle_by_keyboard_and_a_click_on_a_mark_opens_what_is_behind_it(visit):
    page = visit(f"{PAGE}&part=fair", drawn=SHARED)
    expect(marks(page)).to_have_count(3 * 2 * 3 + 3 * 2, timeout=DRAWN)
    assert page.get_by_test_id("stAlert").count() == 0
    page.get_by_role("button", name="PCA + logistic").first.focus()
    page.keyboard.press("Enter")
    expect(marks(page)).to_have_count(16, timeout=DRAWN)
    page.wait_for_function("!location.search.includes('pca')")
    page.wait_for_timeout(500)
    box = marks(page).nth(6).bounding_box()  # after the seeds of the first line: its mean at 20 labels
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("with 20 labels, seed")).to_be_visible(timeout=DRAWN)
    scroll_to_late(page)
    expect(page.get_by_text("Confusion matrix")).to_be_visible(timeout=DRAWN)
    page.wait_for_function("location.search.includes('part=point') && location.search.includes('approach=')")
    page.goto(page.url)
    expect(page.get_by_text("with 20 labels, seed")).to_be_visible(timeout=DRAWN)


def test_the_chart_and_its_values_are_saved(visit, server):
    page = visit(PAGE, scheme="dark", drawn=SHARED)

    def saved(kind):
        with page.expect_download(timeout=DRAWN) as waited:
            page.get_by_role("button", name=f"Save test error by labels as {kind.upper()}").click()
        assert waited.value.suggested_filename == f"labelled-fraction-test-error-by-labels-digits.{kind}"
        return Path(waited.value.path())

    table = list(csv.DictReader(saved("csv").read_text().splitlines()))
    errors = results.group_errors(results.read_results("digits", (server.runs / ".labelled",)).rows)["spreading"][100]
    row = next(row for row in table if (row["approach"], row["labels"]) == ("Label spreading", "100"))
    assert float(row["test error (%)"]) == pytest.approx(100 * np.mean(list(errors.values())))
    assert (row["seeds"], len(table)) == ("3", 6)
    # For white paper.
    svg = ElementTree.parse(saved("svg")).getroot()
    assert {"Digits 8x8: test error by labels", "Label spreading", "PCA + logistic"} <= set(svg.itertext())
    picture = Image.open(saved("png")).convert("RGB")
    assert picture.size == (2 * float(svg.get("width")), 2 * float(svg.get("height")))
    assert picture.getpixel((1, 1)) == (255, 255, 255)


def test_a_phone_scrolls_one_way_only(visit):
    page = visit(PAGE, width=390, drawn=SHARED)
    for part in ("point", "sweep", "fair"):
        show(page, f"{PAGE}&part={part}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, part
        assert page.get_by_test_id("stMain").evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, part


def test_a_sweep_runs_beside_the_page_to_its_end(visit):
    page = visit(f"{PAGE}&part=sweep", drawn=SHARED)
    page.get_by_role("textbox", name="Numbers of labels").fill("30")
    page.keyboard.press("Enter")
    chosen = page.get_by_text("Approaches to measure").locator("xpath=ancestor::*[@data-testid='stButtonGroup']")
    for name in ("AE features + logistic", "AE, fine-tuned", "M1, transductive"):
        pill = chosen.get_by_role("button", name=name, exact=True)
        pill.click()
        expect(pill).to_have_attribute("aria-pressed", "false", timeout=DRAWN)
    page.get_by_role("button", name="Run 9 fits").click(timeout=DRAWN)
    # New results are in the chart while the others are computed, without a click.
    page.wait_for_function(
        "document.querySelectorAll('.js-plotly-plot .points path').length > 24"
        " && [...document.querySelectorAll('button')].some((each) => each.innerText.startsWith('Stop'))",
        timeout=DRAWN,
    )
    expect(page.get_by_text("is done: 9 computed")).to_be_visible(timeout=DRAWN)
    expect(marks(page)).to_have_count(36, timeout=DRAWN)
