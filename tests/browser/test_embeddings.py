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
from core.datasets.own import examples, recipe, store
from core.experiments import fit
from core.runs import specs
from tests.browser.conftest import DRAWN, HOSTILE, touch, wait_for_server
from tests.browser.linked_maps import END, ask, corner, lasso, panel, pick, place_of, selected_rows, wait_for_maps

TWO = "embeddings?data=digits&maps=pca-2.direct,ae-2.direct"
FOUR = f"{TWO},linear_ae-2.direct,tsne-2.direct"
DOCUMENTS = "embeddings?data=reuters-r8&maps=lsa-2.direct,ae-2.direct"


@pytest.fixture
def open_maps(visit):
    def open_maps(query: str = TWO):
        page = visit(query, drawn=END)
        wait_for_maps(page)
        return page

    return open_maps


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def select_box(page, k: int, *box: float, draw=lasso) -> list[int]:
    """Select a box of map `k`: all rows in it and no others, but for those within 1.5 pixels of its border."""
    rows = np.array(ask(page, "[...maps.message.arrays.rows]"))
    places = np.array(ask(page, f"[...Array(maps.n).keys()].map((row) => panels[{k}].place(row))"))
    size = np.array(ask(page, f"panels[{k}].size"))
    depth = np.minimum(places - np.array(box[:2]) * size, np.array(box[2:]) * size - places).min(axis=1)
    draw(page, k, *box)
    selected = selected_rows(page)
    assert set(rows[depth > 1.5]) <= set(selected) <= set(rows[depth > -1.5])
    return selected


def same_everywhere(page, dataset) -> list[int]:
    """The highlighted rows, which must be those of the montage and of the table, with the same classes."""
    rows = selected_rows(page)
    assert rows, "nothing is selected"
    wait_for_server(page)  # a run of the page gives the button another file
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows as CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [int(line["row"]) for line in lines] == rows
    y = {"test": dataset.y_test, "train": dataset.y_train}[lines[0]["split"]]
    classes = [dataset.target_names[y[k]] for k in rows]
    assert classes == [line["class"] for line in lines] == ask(page, "maps.selectedRows().map((k) => maps.nameOf(k))")
    pictured = list(map(int, re.findall(r"\d+", page.locator("img.hg-montage").get_attribute("alt"))))
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
    canvases = [f".maps figure:nth-child({k + 1}) canvas" for k in range(4)]
    before = [pixels(page, canvas) for canvas in canvases]
    rows = select_box(page, 1, 0.3, 0.3, 0.6, 0.7)
    assert same_everywhere(page, digits) == rows
    for old, canvas in zip(before, canvases, strict=True):
        assert not np.array_equal(old, pixels(page, canvas))
    for name, end in (("Compare", "Link and command line"), ("Embeddings", END)):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_text(end)).to_be_visible(timeout=DRAWN)
    wait_for_maps(page)
    assert same_everywhere(page, digits) == rows, "kept while another page was shown"
    assert server.complaints() == []


def test_selection_stays_through_filter_colour_zoom_and_sampling(open_maps, digits):
    page = open_maps(f"{TWO}&split=train&rows=500")
    lasso(page, 0, 0.2, 0.2, 0.8, 0.8)
    rows = same_everywhere(page, digits)
    without = [k for k in rows if digits.y_train[k] != 3]
    assert len(without) < len(rows)
    for _ in range(2):  # what comes back is not selected
        page.locator(".legend button[data-label='3']").last.click()
        wait_for_server(page)
        assert same_everywhere(page, digits) == without
    pick(page, "Colour by", "Disagreement")
    expect(page.locator(".ramp b")).to_have_text("Disagreement of PCA 2-D and AE 2-D", timeout=DRAWN)
    page.get_by_role("button", name="Zoom in").first.click()
    page.wait_for_function("location.search.includes('zoom')")
    wait_for_server(page)
    pick(page, "Rows", "1,000")
    expect(page.get_by_text(f"{len(without)} of 1,000 rows selected")).to_be_visible(timeout=DRAWN)
    wait_for_server(page)
    assert same_everywhere(page, digits) == without
    rows = select_box(page, 1, 0.45, 0.45, 0.55, 0.55)
    assert same_everywhere(page, digits) == rows, "of more rows, and coloured by a value"
    page.get_by_role("button", name="Select these rows in the maps").click()
    ask(page, "maps.choose([1, 2, 3], 'only')")
    ask(page, "maps.update({ ...maps.message, selected: [7, 8], heard: 'before' }, maps.setStateValue)")
    wait_for_server(page)
    assert len(same_everywhere(page, digits)) == 3, "undone by a late answer of the server"


def test_pointer_shows_a_thumbnail_and_marks_neighbours_and_maps_are_saved(open_maps, digits):
    page = open_maps()
    for row in (17, 311, 499):
        page.mouse.move(*corner(page, 0, *place_of(page, 0, row)))
        number = int(page.locator(".linked").get_attribute("data-hovered"))
        assert number == ask(page, "maps.hovered")
        expect(page.locator(".card b")).to_have_text(str(digits.y_test[number]))
        expect(page.locator(".card .note")).to_contain_text(f"test row {number}")
        assert np.array_equal(pixels(page, ".card canvas")[5::10, 5::10, 0].ravel(), digits.X_test[number])
    page.mouse.click(*corner(page, 0, *place_of(page, 0, 42)))
    wait_for_server(page)
    (row,) = selected_rows(page)
    expect(page.get_by_text(f"nearest neighbours of test row {row}")).to_be_visible(timeout=DRAWN)
    near = ask(page, "panels.map((panel) => panel.about.near)")
    assert [len(rows) for rows in near] == [10, 10]
    assert row not in near[0]
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    root, svg = ElementTree.fromstring(download.value.path().read_text()), "{http://www.w3.org/2000/svg}"
    assert download.value.suggested_filename == "hourglass-digits-test-maps.svg"
    assert [len(each.findall(f"{svg}use")) for each in root.findall(f"{svg}svg")] == [500, 500]
    assert {"PCA 2-D", "AE 2-D"} <= {text.text for text in root.iter(f"{svg}text")}
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    picture = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert picture.shape[:2] == (2 * float(root.get("height")), 2 * float(root.get("width")))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_keyboard_walks_selects_and_clears(open_maps, digits):
    page = open_maps()

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)
        wait_for_server(page)
        return ask(page, "maps.hovered")

    panel(page, 0).focus()
    first, second = press("ArrowRight"), press("ArrowRight")
    assert place_of(page, 0, second)[0] > place_of(page, 0, first)[0]
    assert f"test row {second}" in page.locator(".linked [aria-live=assertive]").text_content()
    press("Enter")
    assert selected_rows(page) == [second]
    assert ask(page, "hosts.at(-1).shadowRoot.activeElement?.className") == "over", "the focus was lost to a rerun"
    press("ArrowUp", "Shift+Enter")
    assert len(same_everywhere(page, digits)) == 2
    panel(page, 0).focus()
    press("Escape")
    expect(page.locator(".linked .status")).to_have_text("500 rows, none selected")
    page.locator(".legend button").first.focus()
    press("ArrowRight", "Enter")
    assert ask(page, "[...maps.hidden]") == [1]
    page.wait_for_function("location.search.includes('classes')")


def test_link_keeps_selection_hidden_classes_zoom_and_enlarged_map(open_maps, digits):
    page = open_maps()
    page.locator(".legend button[data-label='3']").last.click()
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    rows = same_everywhere(page, digits)
    for name in (*["Zoom in"] * 3, "Enlarge this map"):
        page.get_by_role("button", name=name).nth(1).click()
    page.wait_for_function("() => /enlarged=2/.test(location.search)", timeout=DRAWN)
    wait_for_server(page)
    look = "[[...maps.hidden], maps.large, panels[1].zoomed]"
    hidden, large, zoom = ask(page, look)
    assert hidden == [3]
    linked = open_maps(page.url.rsplit("/", 1)[1])
    assert ask(linked, look) == [hidden, large, pytest.approx(zoom, abs=1e-3)]
    assert same_everywhere(linked, digits) == rows
    page.keyboard.press("Escape")
    page.wait_for_function("() => !/enlarged/.test(location.search)", timeout=DRAWN)


def test_documents_are_text_and_found_by_their_titles(open_maps):
    page, dialogs = open_maps(DOCUMENTS), []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    expect(page.locator(".legend button").first).to_contain_text("<b>subject 0</b>")
    page.mouse.move(*corner(page, 1, *place_of(page, 1, 5)))
    expect(page.locator(".card b")).to_contain_text(HOSTILE)
    expect(page.locator(".card .words")).to_contain_text("word")
    lasso(page, 1, 0.02, 0.02, 0.98, 0.98)
    expect(page.locator(".hg-titles").first).to_contain_text(HOSTILE)
    pick(page, "Colour by", "Disagreement")
    expect(page.get_by_text("Where they disagree")).to_be_visible(timeout=DRAWN)
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


def test_phone_shows_two_maps_in_a_row_and_selects_by_touch(server, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{server.url}/{TWO}")
    wait_for_maps(page)
    boxes = [panel(page, k).bounding_box() for k in range(2)]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".linked").get_attribute("data-tool") == "move", "a finger scrolls the page"
    page.touchscreen.tap(*corner(page, 0, *place_of(page, 0, 42)))
    wait_for_server(page)
    assert len(selected_rows(page)) == 1
    expect(page.locator(".card")).to_be_visible()
    page.get_by_role("button", name="Lasso", exact=True).click()
    select_box(page, 1, 0.3, 0.3, 0.7, 0.7, draw=lasso_by_touch)
    context.close()


@pytest.fixture
def wine(server, monkeypatch):
    """The example wine as an own data set, with a run of PCA."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(server.runs))
    file, content = examples.make_file("wine")
    brought = store.read_file(content, file)
    made = recipe.make_recipe(brought.columns, brought.table.format)
    dataset = datasets.load(store.add(content, file, brought.table, made))
    fit.fit_and_store(specs.make(dataset.name, "pca", {"n_components": 2}), dataset)
    return dataset


def test_table_shows_its_cells_and_compares_a_category(open_maps, wine):
    frame = wine.table.frame_test
    page = open_maps(f"embeddings?data={wine.name}&colour=column-{frame.columns.get_loc('class')}")
    page.mouse.move(*corner(page, 0, *place_of(page, 0, 7)))
    number = int(page.locator(".linked").get_attribute("data-hovered"))
    expect(page.locator(".card b")).to_have_text(f"test row {number}")
    cells = page.locator(".card .cells > span").all_text_contents()
    assert cells[:2] == ["alcohol", f"{frame['alcohol'][number]:g}"]
    page.locator(".ramp button", has_text="class_1").click()
    wait_for_server(page)
    assert selected_rows(page) == np.flatnonzero(frame["class"] == "class_1").tolist()
    expect(page.locator(".hg-differences tbody tr").first).to_contain_text("class_1", timeout=DRAWN)
    lasso(page, 0, 0.1, 0.1, 0.5, 0.9)
    rows = selected_rows(page)
    expect(page.get_by_text(f"{len(rows)} selected rows against the {len(frame) - len(rows)} others")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows as CSV").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [float(line["alcohol"]) for line in lines] == frame["alcohol"][rows].tolist()


def lasso_by_touch(page, k: int, left: float, top: float, right: float, bottom: float) -> None:
    touch(page, [corner(page, k, *place) for place in ((left, top), (right, top), (right, bottom), (left, bottom))])
    wait_for_server(page)
