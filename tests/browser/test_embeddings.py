"""Embeddings in a real browser: the selection is the same rows everywhere, and what only a browser shows."""

import base64
import csv
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core import datasets
from tests.browser.conftest import DRAWN, HOSTILE, touch
from tests.browser.linked_maps import (
    END,
    ask,
    corner,
    lasso,
    panel,
    pick,
    place_of,
    selected_rows,
    wait_for_maps,
    wait_for_server,
)

TWO = "embeddings?data=digits&maps=pca-2.direct,ae-2.direct"
FOUR = "embeddings?data=digits&maps=pca-2.direct,ae-2.direct,linear_ae-2.direct,tsne-2.direct"
DOCUMENTS = "embeddings?data=reuters-r8&maps=lsa-2.direct,ae-2.direct"


@pytest.fixture
def open_maps(visit):
    def open_maps(query: str = TWO, **options):
        page = visit(query, drawn=END, **options)
        wait_for_maps(page)
        return page

    return open_maps


@pytest.fixture(scope="module")
def shared_page(server, browser):
    """One page with two maps for all tests that leave nothing but a selection behind."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{server.url}/{TWO}")
    wait_for_maps(page)
    yield page
    page.context.close()


@pytest.fixture
def two(shared_page):
    """The shared page as it was opened."""
    shared_page.mouse.move(0, 0)
    ask(shared_page, "maps.choose([], 'only')")
    if re.search("zoom|classes|enlarged|selected", shared_page.url):
        shared_page.goto(f"{shared_page.url.split('?')[0]}?{TWO.split('?')[1]}")
        wait_for_maps(shared_page)
    wait_for_server(shared_page)
    return shared_page


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


class Inside:
    """The numbers of the rows whose points are in a box of map `k` on the screen.

    Equal to a list with all of them and no others, but for those within a pixel and a half of the box's border.
    """

    def __init__(self, page, k: int, left: float, top: float, right: float, bottom: float):
        places = np.array(ask(page, f"[...Array(maps.n).keys()].map((r) => [...maps.panels.values()][{k}].place(r))"))
        rows = np.array(ask(page, "[...maps.message.arrays.rows]"))
        size = np.array(ask(page, f"[...maps.panels.values()][{k}].size"))
        depth = np.minimum(places - np.array([left, top]) * size, np.array([right, bottom]) * size - places).min(axis=1)
        self.surely, self.perhaps = set(rows[depth > 1.5].tolist()), set(rows[depth > -1.5].tolist())

    def __eq__(self, numbers) -> bool:
        return self.surely <= set(numbers) <= self.perhaps

    def __repr__(self) -> str:
        return f"{sorted(self.surely)} and perhaps {sorted(self.perhaps - self.surely)}"


def table(page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows as CSV").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def same_everywhere(page, dataset) -> list[int]:
    """The highlighted rows, which must be those of the montage and of the table, with the same classes."""
    rows = selected_rows(page)
    assert rows, "nothing is selected"
    lines = table(page)
    assert [int(line["row"]) for line in lines] == rows
    y = {"test": dataset.y_test, "train": dataset.y_train}[lines[0]["split"]]
    assert [line["class"] for line in lines] == [dataset.target_names[y[k]] for k in rows]
    assert ask(page, "maps.selectedRows().map((k) => maps.nameOf(k))") == [line["class"] for line in lines]
    alt = page.locator("img.hg-montage").get_attribute("alt")
    pictured = [int(number) for number in re.findall(r"\d+", alt)]
    assert set(pictured) <= set(rows)
    assert len(pictured) == min(len(rows), 120)
    return rows


def pixels(page, selector: str) -> np.ndarray:
    url = page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def test_lasso_highlights_the_same_rows_in_every_map(open_maps, server, digits):
    page = open_maps(FOUR)
    assert page.get_by_test_id("stException").count() == 0
    expect(page.get_by_text("500 rows, none selected")).to_be_visible()
    wanted = Inside(page, 1, 0.3, 0.3, 0.6, 0.7)
    before = [pixels(page, f".maps figure:nth-child({k + 1}) canvas") for k in range(4)]
    lasso(page, 1, 0.3, 0.3, 0.6, 0.7)
    assert same_everywhere(page, digits) == wanted
    for k in range(4):
        assert not np.array_equal(before[k], pixels(page, f".maps figure:nth-child({k + 1}) canvas"))
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("Link and command line")).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Embeddings").click()
    expect(page.get_by_text(END)).to_be_visible(timeout=DRAWN)
    wait_for_maps(page)
    assert same_everywhere(page, digits) == wanted, "kept while another page was shown"
    assert page.noise == []
    assert server.complaints() == []


def test_selection_stays_through_filter_colour_zoom_and_sampling(open_maps, digits):
    page = open_maps(f"{TWO}&split=train&rows=500")
    lasso(page, 0, 0.2, 0.2, 0.8, 0.8)
    rows = same_everywhere(page, digits)
    chip = page.locator(".legend button[data-label='3']")
    chip.click()
    wait_for_server(page)
    without = [k for k in rows if digits.y_train[k] != 3]
    assert len(without) < len(rows)
    assert same_everywhere(page, digits) == without
    chip.click()
    wait_for_server(page)
    assert selected_rows(page) == without, "what comes back is not selected"
    pick(page, "Colour by", "Disagreement")
    expect(page.locator(".ramp b")).to_have_text("Disagreement of PCA 2-D and AE 2-D", timeout=DRAWN)
    page.get_by_role("button", name="Zoom in").first.click()
    page.wait_for_function("location.search.includes('zoom')")
    wait_for_server(page)
    pick(page, "Rows", "1,000")
    expect(page.get_by_text(f"{len(without)} of 1,000 rows selected")).to_be_visible(timeout=DRAWN)
    wait_for_server(page)
    assert same_everywhere(page, digits) == without
    wanted = Inside(page, 1, 0.45, 0.45, 0.55, 0.55)
    lasso(page, 1, 0.45, 0.45, 0.55, 0.55)
    assert same_everywhere(page, digits) == wanted, "of more rows, and coloured by a value"


def test_late_answer_of_the_server_does_not_undo_a_selection(open_maps, digits):
    page = open_maps(f"{TWO}&colour=overlap")
    page.get_by_role("button", name="Select these rows in the maps").click()
    ask(page, "maps.choose([1, 2, 3], 'only')")
    ask(page, "maps.update({ ...maps.message, selected: [7, 8], heard: 'before' }, maps.setStateValue)")
    assert selected_rows(page) == [1, 2, 3]
    wait_for_server(page)
    assert same_everywhere(page, digits) == [1, 2, 3]


def test_click_marks_a_row_and_its_neighbours(two):
    two.mouse.click(*corner(two, 0, *place_of(two, 0, 42)))
    wait_for_server(two)
    (row,) = selected_rows(two)
    expect(two.get_by_text(f"nearest neighbours of test row {row}")).to_be_visible(timeout=DRAWN)
    near = ask(two, "[...maps.panels.values()].map((panel) => panel.about.near)")
    assert [len(rows) for rows in near] == [10, 10]
    assert row not in near[0]


def test_keyboard_walks_selects_and_clears(two, digits):
    panel(two, 0).focus()
    two.keyboard.press("ArrowRight")
    first = ask(two, "maps.hovered")
    two.keyboard.press("ArrowRight")
    second = ask(two, "maps.hovered")
    assert place_of(two, 0, second)[0] > place_of(two, 0, first)[0]
    assert f"test row {second}" in two.locator(".linked [aria-live=assertive]").text_content()
    two.keyboard.press("Enter")
    wait_for_server(two)
    assert selected_rows(two) == [second]
    assert ask(two, "hosts.at(-1).shadowRoot.activeElement?.className") == "over", "the focus was lost to a rerun"
    two.keyboard.press("ArrowUp")
    two.keyboard.press("Shift+Enter")
    wait_for_server(two)
    assert len(same_everywhere(two, digits)) == 2
    panel(two, 0).focus()
    two.keyboard.press("Escape")
    wait_for_server(two)
    assert selected_rows(two) == []
    expect(two.locator(".linked .status")).to_have_text("500 rows, none selected")
    assert "Arrow keys" in panel(two, 0).get_attribute("aria-label")
    two.locator(".legend button").first.focus()
    two.keyboard.press("ArrowRight")
    two.keyboard.press("Enter")
    assert ask(two, "[...maps.hidden]") == [1]
    two.wait_for_function("location.search.includes('classes')")


def test_thumbnail_is_the_row_under_the_pointer(two, digits):
    for row in (17, 311, 499):
        two.mouse.move(*corner(two, 0, *place_of(two, 0, row)))
        number = int(two.locator(".linked").get_attribute("data-hovered"))
        assert number == ask(two, "maps.hovered")
        expect(two.locator(".card b")).to_have_text(str(digits.y_test[number]))
        expect(two.locator(".card .note")).to_contain_text(f"test row {number}")
        assert np.array_equal(pixels(two, ".card canvas")[5::10, 5::10, 0].ravel(), digits.X_test[number])


def test_link_keeps_selection_hidden_classes_zoom_and_enlarged_map(open_maps, digits):
    page = open_maps()
    page.locator(".legend button[data-label='3']").click()
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    rows = same_everywhere(page, digits)
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").nth(1).click()
    page.get_by_role("button", name="Enlarge this map").nth(1).click()
    page.wait_for_function("() => /enlarged=2/.test(location.search)", timeout=DRAWN)
    wait_for_server(page)
    look = "[[...maps.hidden], maps.large, [...maps.panels.values()].map((p) => p.zoomed)]"
    hidden, large, zooms = ask(page, look)
    assert hidden == [3]
    linked = open_maps(page.url.rsplit("/", 1)[1])
    assert ask(linked, look)[:2] == [hidden, large]
    assert ask(linked, look)[2][1] == pytest.approx(zooms[1], abs=1e-3)
    assert same_everywhere(linked, digits) == rows
    page.keyboard.press("Escape")
    page.wait_for_function("() => !/enlarged/.test(location.search)", timeout=DRAWN)


def test_maps_are_saved_as_they_are_seen(two):
    ask(two, "maps.choose([1, 2, 3], 'only')")
    with two.expect_download() as download:
        two.get_by_role("button", name="SVG", exact=True).click()
    root = ElementTree.fromstring(download.value.path().read_text())
    assert download.value.suggested_filename == "hourglass-digits-test-maps.svg"
    svg = "{http://www.w3.org/2000/svg}"
    assert [len(each.findall(f"{svg}use")) for each in root.findall(f"{svg}svg")] == [500, 500]
    assert {"PCA 2-D", "AE 2-D"} <= {text.text for text in root.iter(f"{svg}text")}
    with two.expect_download() as download:
        two.get_by_role("button", name="PNG", exact=True).click()
    picture = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert picture.shape[:2] == (2 * float(root.get("height")), 2 * float(root.get("width")))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_documents_are_text_and_found_by_their_titles(open_maps):
    page = open_maps(DOCUMENTS)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    expect(page.locator(".legend button").first).to_contain_text("<b>subject 0</b>")
    page.mouse.move(*corner(page, 1, *place_of(page, 1, 5)))
    expect(page.locator(".card b")).to_contain_text(HOSTILE)
    expect(page.locator(".card .words")).to_contain_text("word")
    lasso(page, 1, 0.02, 0.02, 0.98, 0.98)
    expect(page.locator(".hg-titles").first).to_contain_text(HOSTILE)
    pick(page, "Colour by", "Disagreement")
    expect(page.get_by_text("Where they disagree")).to_be_visible(timeout=DRAWN)
    wait_for_server(page)
    page.mouse.click(*corner(page, 1, *place_of(page, 1, 5)))
    expect(page.get_by_text("nearest neighbours of test document")).to_be_visible(timeout=DRAWN)
    field = page.get_by_role("searchbox", name="Find a row")
    titles = [title.lower() for title, _ in ask(page, "maps.kept().texts")]
    field.fill(titles[7].upper())
    field.press("Enter")
    wait_for_server(page)
    wanted = [k for k, title in enumerate(titles) if all(word in title for word in titles[7].split())]
    assert selected_rows(page) == wanted
    expect(page.locator(".beside .titled").first).to_contain_text(HOSTILE)
    assert page.locator("img[src='x']").count() == 0
    assert dialogs == []
    assert page.noise == []


def test_phone_stacks_the_maps_and_selects_by_touch(server, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{server.url}/{TWO}")
    wait_for_maps(page)
    boxes = [panel(page, k).bounding_box() for k in range(2)]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".linked").get_attribute("data-tool") == "move", "a finger scrolls the page"
    page.touchscreen.tap(*corner(page, 0, *place_of(page, 0, 42)))
    wait_for_server(page)
    assert len(selected_rows(page)) == 1
    expect(page.locator(".card")).to_be_visible()
    page.get_by_role("button", name="Lasso", exact=True).click()
    wanted = Inside(page, 1, 0.3, 0.3, 0.7, 0.7)
    touch(page, [corner(page, 1, *place) for place in ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))])
    wait_for_server(page)
    assert selected_rows(page) == wanted
    context.close()
