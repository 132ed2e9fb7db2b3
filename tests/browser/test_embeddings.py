"""Embeddings in a real browser: the selection is the same rows everywhere, and what only a browser shows."""

import base64
import csv
import gzip
import io
import json
import re
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from core import datasets, experiments, specs
from tests.browser.conftest import DRAWN, Server, without_shipped_runs
from tests.pages.conftest import fitted  # noqa: F401 - the same small runs

SHARE = "Share this"
HOSTILE = "<img src=x onerror=alert(1)>"
TWO = "embeddings?data=digits&maps=pca-2.direct,ae-2.direct"
FOUR = "embeddings?data=digits&maps=pca-2.direct,ae-2.direct,linear_ae-2.direct,tsne-2.direct"

# The component as its own script sees it.
FIND = """
const hosts = [...document.querySelectorAll('*')].filter((e) => e.shadowRoot?.querySelector('.linked'));
const maps = hourglassMaps.get(hosts.at(-1).shadowRoot);
"""


def ask(page, expression: str):
    return page.evaluate(f"() => {{ {FIND} return {expression}; }}")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of full data sets: documents of three subjects whose texts and classes are hostile."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    with gzip.open(folder / "reuters_r8.jsonl.gz", "wt") as file:
        for k in range(240):
            words = " ".join(f"{'abc'[k % 3]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 40))
            row = {
                "split": "test" if k % 4 == 0 else "train",
                "label": f"<b>subject {k % 3}</b>",
                "text": f"{HOSTILE} number {k} {words}",
            }
            file.write(json.dumps(row) + "\n")
    return folder


@pytest.fixture(scope="module")
def server(fitted, data, tmp_path_factory):  # noqa: F811 - the fixture imported above
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_DATA", str(data))
        texts = datasets.load("reuters-r8")
        for method, params in (("lsa", {}), ("ae", {"epochs": 2, "width": 32})):
            spec = specs.make("reuters-r8", method, {"n_components": 2, **params})
            if not (fitted / spec.key).exists():
                experiments.fit_and_store(spec, texts, fitted)
        root = without_shipped_runs(tmp_path_factory.mktemp("project"))
        server = Server(root, fitted, tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()
    assert server.complaints() == []


@pytest.fixture
def opened(visit):
    """A page whose maps are drawn and whose pictures have come."""

    def opened(query: str = FOUR, **options):
        page = visit(query, drawn=SHARE, **options)
        drawn(page)
        return page

    return opened


def drawn(page, n: int | None = None):
    expect(page.locator(".linked[data-pictures]")).to_have_count(1, timeout=DRAWN)
    if n is not None:
        expect(page.locator(f".linked[data-drawn='{n}']")).to_have_count(1, timeout=DRAWN)
    settled(page)


def settled(page):
    """The server has answered what the maps sent last."""
    page.wait_for_timeout(150)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=DRAWN)
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')", timeout=DRAWN)
    page.wait_for_timeout(100)


def over(page, k: int):
    return page.locator(".linked .over").nth(k)


def corner(page, k: int, x: float, y: float) -> tuple[float, float]:
    over(page, k).scroll_into_view_if_needed()
    box = over(page, k).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def lasso(page, k: int, left: float, top: float, right: float, bottom: float):
    for n, (x, y) in enumerate([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]):
        page.mouse.move(*corner(page, k, x, y), steps=4)
        if n == 0:
            page.mouse.down()
    page.mouse.up()
    settled(page)


def pick(page, label: str, option):
    box = page.get_by_role("combobox", name=label)
    # Scrolling would shut its list again.
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    box.click()
    page.get_by_role("option", name=option).first.click()


def numbers(page) -> list[int]:
    """Row numbers of what the browser highlights."""
    return ask(page, "maps.selectedRows().map((k) => maps.message.arrays.rows[k])")


class Inside:
    """The row numbers whose points lie in a box of map `k`, by their places on the screen.

    Equal to a list that has them all, and none beyond but within a pixel and a half of the box's border.
    """

    def __init__(self, page, k: int, left: float, top: float, right: float, bottom: float):
        places = np.array(ask(page, f"[...Array(maps.n).keys()].map((r) => [...maps.panels.values()][{k}].place(r))"))
        rows = np.array(ask(page, "[...maps.message.arrays.rows]"))
        size = np.array(ask(page, f"[...maps.panels.values()][{k}].size"))
        depth = np.minimum(places - np.array([left, top]) * size, np.array([right, bottom]) * size - places).min(axis=1)
        self.surely, self.perhaps = set(rows[depth > 1.5].tolist()), set(rows[depth > -1.5].tolist())

    def __eq__(self, numbers) -> bool:
        return self.surely <= set(numbers) <= self.perhaps

    def __len__(self) -> int:
        return len(self.surely)

    def __repr__(self) -> str:
        return f"{sorted(self.surely)} and perhaps {sorted(self.perhaps - self.surely)}"


def montage(page) -> list[int]:
    alt = page.locator("img.hg-montage").get_attribute("alt")
    return [int(number) for number in re.findall(r"\d+", alt)]


def table(page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows as CSV").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text())))


def same_everywhere(page, dataset):
    """The highlighted rows, the montage and the table are the same rows, with the same labels."""
    rows = numbers(page)
    assert rows, "nothing is selected"
    of_table = table(page)
    assert [int(row["row"]) for row in of_table] == rows
    y = {"test": dataset.y_test, "train": dataset.y_train}[of_table[0]["split"]]
    assert [row["class"] for row in of_table] == [dataset.target_names[y[k]] for k in rows]
    assert ask(page, "maps.selectedRows().map((k) => maps.nameOf(k))") == [row["class"] for row in of_table]
    shown = montage(page)
    assert set(shown) <= set(rows)
    assert len(shown) == min(len(rows), 120)
    return rows


def pixels(page, selector: str) -> np.ndarray:
    url = page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def test_first_visit_by_deep_link_is_whole_and_quiet(opened, server):
    page = opened("embeddings?data=digits")
    assert page.get_by_test_id("stException").count() == 0
    expect(page.get_by_text("500 rows, none selected")).to_be_visible()
    assert page.noise == []
    assert server.complaints() == []


def test_names_of_classes_never_stand_on_one_another(opened):
    page = opened(TWO)
    # Ten classes at one place leave one name, one below another all ten; where they are, as many as there is room for.
    for middles, wanted in (("[100, 100]", {1}), ("[100, 40 + 24 * label]", {10}), ("", set(range(1, 11)))):
        moved = f"panel.middles = [...Array(10).keys()].map((label) => [label, ...{middles}])" if middles else ""
        place = "panel.project = (x, y) => [x, y]" if middles else "panel.middles = null; delete panel.project"
        draw = f"(panel) => {{ {moved}; {place}; panel.drawOver(); return panel.named; }}"
        for named in ask(page, f"[...maps.panels.values()].map({draw})"):
            assert len(named) in wanted
            for a, b in combinations(named, 2):
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_lasso_lights_the_same_rows_in_every_map(opened, digits):
    page = opened()
    wanted = Inside(page, 1, 0.3, 0.3, 0.6, 0.7)
    before = [pixels(page, f".maps figure:nth-child({k + 1}) canvas") for k in range(4)]
    lasso(page, 1, 0.3, 0.3, 0.6, 0.7)
    assert numbers(page) == wanted
    assert same_everywhere(page, digits) == wanted
    for k in range(4):
        after = pixels(page, f".maps figure:nth-child({k + 1}) canvas")
        lit_is_full(page, k, after)
        assert not np.array_equal(before[k], after)


def lit_is_full(page, k: int, canvas: np.ndarray):
    """In map `k`, the last drawn selected point shows its class's colour and a lone other one the faded colour."""
    script = """(() => {
        const panel = [...maps.panels.values()][%d];
        const at = (k) => panel.place(k).map((v) => Math.round(v * panel.ratio));
        const of = (k) => ({ at: at(k), colour: maps.css(k), on: maps.mask[k] });
        return [...maps.order].map(of);
    })()"""
    points = ask(page, script % k)
    (*_, last) = [p for p in points if p["on"]]
    x, y = last["at"]
    colour = [int(last["colour"][c : c + 2], 16) for c in (1, 3, 5)]
    assert canvas[y, x, :3].tolist() == pytest.approx(colour, abs=2)
    places = np.array([p["at"] for p in points])
    for p in points:
        apart = np.abs(places - p["at"]).max(axis=1)
        if not p["on"] and (apart < 12).sum() == 1 and 0 <= p["at"][1] < len(canvas) and 0 <= p["at"][0] < len(canvas):
            faint = canvas[p["at"][1], p["at"][0], :3].astype(int)
            own = [int(p["colour"][c : c + 2], 16) for c in (1, 3, 5)]
            assert np.abs(255 - faint).sum() < 0.5 * np.abs(255 - np.array(own)).sum()
            return


def test_the_thumbnail_is_the_row_under_the_pointer(opened, digits):
    page = opened(TWO)
    for row in (17, 311, 499):
        x, y = ask(page, f"[...maps.panels.values()][0].place({row})")
        width, height = ask(page, "[...maps.panels.values()][0].size")
        page.mouse.move(*corner(page, 0, x / width, y / height))
        hovered = ask(page, "maps.hovered")
        number = int(page.locator(".linked").get_attribute("data-hovered"))
        assert number == hovered
        expect(page.locator(".card b")).to_have_text(str(digits.y_test[number]))
        expect(page.locator(".card .note")).to_contain_text(f"test row {number}")
        shown = pixels(page, ".card canvas")[5::10, 5::10, 0]
        assert np.array_equal(shown.ravel(), digits.X_test[number])


def test_the_selection_stays_the_same_rows_through_filter_colour_zoom_and_sampling(opened, digits):
    page = opened(f"{TWO}&split=train&rows=500")
    lasso(page, 0, 0.2, 0.2, 0.8, 0.8)
    rows = same_everywhere(page, digits)

    page.locator(".legend button[data-label='3']").click()
    settled(page)
    without = [k for k in rows if digits.y_train[k] != 3]
    assert len(without) < len(rows)
    assert same_everywhere(page, digits) == without
    page.locator(".legend button[data-label='3']").click()
    settled(page)
    assert same_everywhere(page, digits) == without, "what comes back is not selected"

    page.get_by_role("radio", name="Disagreement", exact=True).click()
    expect(page.locator(".ramp b")).to_have_text("Disagreement of PCA 2-D and AE 2-D", timeout=DRAWN)
    settled(page)
    assert same_everywhere(page, digits) == without

    page.get_by_role("button", name="Zoom in").first.click()
    assert same_everywhere(page, digits) == without

    pick(page, "Rows", "1,000")
    expect(page.get_by_text(f"{len(without)} of 1,000 rows selected")).to_be_visible(timeout=DRAWN)
    settled(page)
    assert same_everywhere(page, digits) == without

    wanted = Inside(page, 1, 0.45, 0.45, 0.55, 0.55)
    lasso(page, 1, 0.45, 0.45, 0.55, 0.55)
    assert same_everywhere(page, digits) == wanted, "of more rows, and coloured by a value"


def test_zoomed_maps_select_what_is_seen(opened, digits):
    page = opened(TWO)
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").first.click()
    page.get_by_role("button", name="Enlarge this map").first.click()
    page.wait_for_timeout(300)
    wanted = Inside(page, 0, 0.2, 0.2, 0.8, 0.8)
    assert 0 < len(wanted) < 500
    lasso(page, 0, 0.2, 0.2, 0.8, 0.8)
    assert same_everywhere(page, digits) == wanted
    expect(page.locator(".outside").first).to_contain_text("outside this view")
    page.get_by_role("button", name="Show every point of this map").first.click()
    expect(page.locator(".outside").first).to_have_text("")
    assert numbers(page) == wanted


def test_nothing_is_stale_after_another_data_set_and_back(opened, digits):
    page = opened(TWO)
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    rows = same_everywhere(page, digits)
    pick(page, "Data set", "Reuters R8")
    expect(page.get_by_text("60 rows, none selected")).to_be_visible(timeout=DRAWN)
    settled(page)
    assert numbers(page) == []
    assert page.locator("img.hg-montage").count() == 0
    lasso(page, 0, 0.02, 0.02, 0.98, 0.98)
    assert [int(row["row"]) for row in table(page)] == numbers(page) == list(range(60))
    pick(page, "Data set", "Digits 8x8")
    expect(page.get_by_text("500 rows, none selected")).to_be_visible(timeout=DRAWN)
    settled(page)
    assert numbers(page) == []
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    assert same_everywhere(page, digits) == rows


def test_another_page_and_back_keeps_the_selection(opened, digits):
    page = opened(TWO)
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    rows = same_everywhere(page, digits)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("Repeat this")).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Embeddings").click()
    expect(page.get_by_text(SHARE)).to_be_visible(timeout=DRAWN)
    drawn(page)
    assert same_everywhere(page, digits) == rows
    lasso(page, 0, 0.4, 0.4, 0.5, 0.5)
    assert len(same_everywhere(page, digits)) < len(rows)


def test_a_link_opens_with_its_selection(opened, digits):
    page = opened(TWO)
    lasso(page, 0, 0.3, 0.3, 0.7, 0.7)
    rows = numbers(page)
    there = opened(page.url.rsplit("/", 1)[1])
    assert same_everywhere(there, digits) == rows


def test_quick_selections_end_on_the_last(opened, digits):
    page = opened(TWO)
    for k in range(6):
        page.evaluate(f"() => {{ {FIND} maps.choose([{k}, {k + 10}], 'only'); }}")
    settled(page)
    page.wait_for_timeout(500)
    assert numbers(page) == [5, 15]
    assert same_everywhere(page, digits) == [5, 15]


def test_rows_without_a_place_are_counted_and_never_selected(opened):
    page = opened(TWO)
    ask(page, "(maps.message.arrays.map0.fill(65535, 0, 40), maps.makePanels())")
    expect(page.locator(".outside").first).to_have_text("20 rows have no place in this map")
    lasso(page, 0, 0.02, 0.02, 0.98, 0.98)
    rows = numbers(page)
    assert not set(rows) & set(range(20))
    assert len(rows) > 400


def test_a_class_that_is_hidden_stays_so_and_is_said_to_be(opened):
    page = opened(TWO)
    chip = page.locator(".legend button[data-label='4']")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    lasso(page, 0, 0.02, 0.02, 0.98, 0.98)
    expect(chip).to_have_attribute("aria-pressed", "false")
    assert "4" not in ask(page, "maps.selectedRows().map((k) => maps.nameOf(k))")


def test_what_the_server_selects_does_not_undo_what_is_selected_meanwhile(opened, digits):
    page = opened(f"{TWO}&colour=overlap")
    page.get_by_role("button", name="Select these rows in the maps").click()
    ask(page, "maps.choose([1, 2, 3], 'only')")
    # An answer to what was asked before comes late.
    stale = "maps.update({ ...maps.message, selected: [7, 8], heard: 'before' }, maps.setStateValue)"
    ask(page, stale)
    assert numbers(page) == [1, 2, 3]
    settled(page)
    assert same_everywhere(page, digits) == [1, 2, 3]


def test_a_click_marks_one_row_and_its_neighbours(opened, digits):
    page = opened(TWO)
    x, y = ask(page, "[...maps.panels.values()][0].place(42)")
    width, height = ask(page, "[...maps.panels.values()][0].size")
    page.mouse.click(*corner(page, 0, x / width, y / height))
    settled(page)
    (row,) = numbers(page)
    expect(page.get_by_text(f"nearest neighbours of test row {row}")).to_be_visible(timeout=DRAWN)
    near = ask(page, "[...maps.panels.values()].map((panel) => panel.about.near)")
    assert [len(each) for each in near] == [10, 10]
    assert row not in near[0]


def test_the_keyboard_walks_selects_and_clears(opened, digits):
    page = opened(TWO)
    over(page, 0).focus()
    page.keyboard.press("ArrowRight")
    first = ask(page, "maps.hovered")
    page.keyboard.press("ArrowRight")
    second = ask(page, "maps.hovered")
    places = ask(page, f"[{first}, {second}].map((k) => [...maps.panels.values()][0].place(k))")
    assert places[1][0] > places[0][0]
    spoken = page.locator(".linked [aria-live=assertive]").text_content()
    assert f"test row {second}" in spoken
    page.keyboard.press("Enter")
    settled(page)
    assert numbers(page) == [second]
    assert ask(page, "hosts.at(-1).shadowRoot.activeElement?.className") == "over", "the focus was lost to a rerun"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+Enter")
    settled(page)
    assert len(same_everywhere(page, digits)) == 2
    over(page, 0).focus()
    page.keyboard.press("Escape")
    settled(page)
    assert numbers(page) == []
    expect(page.get_by_text("No row is selected")).to_be_visible(timeout=DRAWN)
    page.locator(".legend button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert ask(page, "[...maps.hidden]") == [1]
    assert "Arrow keys" in over(page, 0).get_attribute("aria-label")


def test_documents_are_shown_as_text(opened):
    page = opened("embeddings?data=reuters-r8&maps=lsa-2.direct,ae-2.direct")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    expect(page.locator(".legend button").first).to_contain_text("<b>subject 0</b>")
    x, y = ask(page, "[...maps.panels.values()][1].place(5)")
    width, height = ask(page, "[...maps.panels.values()][1].size")
    page.mouse.move(*corner(page, 1, x / width, y / height))
    expect(page.locator(".card b")).to_contain_text(HOSTILE)
    expect(page.locator(".card .words")).to_contain_text("word")
    lasso(page, 1, 0.02, 0.02, 0.98, 0.98)
    expect(page.locator(".hg-titles").first).to_contain_text(HOSTILE)
    page.get_by_role("radio", name="Disagreement", exact=True).click()
    expect(page.get_by_text("Where they disagree")).to_be_visible(timeout=DRAWN)
    settled(page)
    page.mouse.click(*corner(page, 1, x / width, y / height))
    expect(page.get_by_text("nearest neighbours of test document")).to_be_visible(timeout=DRAWN)
    assert page.locator("img[src='x']").count() == 0
    assert dialogs == []
    assert page.noise == []


def test_a_phone_stacks_the_maps_and_selects_by_touch(server, browser, digits):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{server.url}/{TWO}")
    expect(page.get_by_text(SHARE)).to_be_visible(timeout=DRAWN)
    drawn(page)
    boxes = [over(page, k).bounding_box() for k in range(2)]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[1]["y"] > boxes[0]["y"] + boxes[0]["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".linked").get_attribute("data-tool") == "move", "a finger scrolls the page"
    x, y = ask(page, "[...maps.panels.values()][0].place(42)")
    width, height = ask(page, "[...maps.panels.values()][0].size")
    page.touchscreen.tap(*corner(page, 0, x / width, y / height))
    settled(page)
    assert len(numbers(page)) == 1
    expect(page.locator(".card")).to_be_visible()
    page.get_by_role("button", name="Lasso", exact=True).click()
    wanted = Inside(page, 1, 0.3, 0.3, 0.7, 0.7)
    client = context.new_cdp_session(page)
    for kind, x, y in (
        ("touchStart", 0.3, 0.3),
        ("touchMove", 0.7, 0.3),
        ("touchMove", 0.7, 0.7),
        ("touchMove", 0.3, 0.7),
        ("touchEnd", 0, 0),
    ):
        at = corner(page, 1, x, y) if kind != "touchEnd" else None
        points = [{"x": at[0], "y": at[1]}] if at else []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    settled(page)
    assert numbers(page) == wanted
    context.close()


def test_ones_own_drawing_becomes_a_star(opened):
    page = opened(TWO)
    page.get_by_text("Your own point: draw a digit, or upload an image").click()
    pad = page.get_by_role("application", name="Draw one digit")
    pad.wait_for(timeout=DRAWN)
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for n, (x, y) in enumerate([(0.25, 0.25), (0.75, 0.25), (0.45, 0.85)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if n == 0:
            page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text("rebuilt with squared error").first).to_be_visible(timeout=DRAWN)
    settled(page)
    assert all(ask(page, "[...maps.panels.values()].map((panel) => Boolean(panel.about.star))"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_maps_follow_the_theme(opened, scheme):
    page = opened(TWO, scheme=scheme)
    assert ask(page, "maps.dark") is (scheme == "dark")
    other = "light" if scheme == "dark" else "dark"
    page.emulate_media(color_scheme=other)
    page.wait_for_function(f"() => {{ {FIND} return maps.dark === {str(other == 'dark').lower()}; }}", timeout=10_000)
