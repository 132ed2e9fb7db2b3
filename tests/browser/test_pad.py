"""The drawing pad in a real browser: what arrives is what was drawn."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from core.datasets import user_image
from tests.browser.conftest import DRAWN, ROOT, Server, touch

SCRIPT = """
import json
import streamlit as st
from pages.ui.shared import drawing_pad

if st.checkbox("Show the pad", True):
    strokes = drawing_pad.read_points("pad", "Your digit") or []
    st.text(json.dumps([stroke.tolist() for stroke in strokes]))
st.button("Again")
"""
# A seven: along the top, then down and to the left; shares of the pad's side.
SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "app.py").write_text(SCRIPT)
    for name in ("pages", "core", "assets", ".streamlit"):
        (root / name).symlink_to(ROOT / name)
    with Server(root / "runs", root, root) as server:
        yield server


def paper(page):
    return page.get_by_role("application", name="Your digit")


def corners(page) -> np.ndarray:
    box = paper(page).bounding_box()
    return np.array(SEVEN) * (box["width"], box["height"]) + (box["x"], box["y"])


def arrived(page, n: int) -> list[np.ndarray]:
    """The strokes at the server, once there are `n`."""
    pattern = r"^\[" + ", ".join([r"\[(\[\d+, \d+\](, )?)+\]"] * n) + r"\]$"
    expect(page.get_by_test_id("stText")).to_have_text(re.compile(pattern), timeout=DRAWN)
    return [np.array(stroke) for stroke in json.loads(page.get_by_test_id("stText").inner_text())]


def draw_seven(page) -> None:
    for k, (x, y) in enumerate(corners(page)):
        page.mouse.move(x, y, steps=15)
        if k == 0:
            page.mouse.down()
    page.mouse.up()


def assert_seven(stroke: np.ndarray) -> None:
    """It starts, turns and ends within a hundredth of the side of where it should, and has no other point beside it."""
    corners, distances = 255 * np.array(SEVEN), []
    for a, b in pairwise(corners):
        share = ((stroke - a) @ (b - a) / ((b - a) @ (b - a))).clip(0, 1)[:, None]
        distances.append(np.linalg.norm(stroke - a - share * (b - a), axis=1))
    assert np.min(distances, axis=0).max() <= 3
    assert np.abs(stroke[[0, -1]] - corners[[0, 2]]).max() <= 3
    assert np.abs(stroke - corners[1]).max(1).min() <= 3


def test_strokes_by_mouse_are_what_core_draws_and_outlive_reruns(visit):
    page = visit(drawn="Draw here")
    draw_seven(page)
    (stroke,) = arrived(page, 1)
    assert_seven(stroke)
    expect(page.get_by_text("Draw here")).to_be_hidden()
    page.mouse.move(0, 0)
    shot = user_image.read_image(paper(page).screenshot())[1:-1, 1:-1]  # within its border
    ink = (np.median(shot) - shot) / (np.median(shot) - shot.min())
    expected = user_image.rasterise_strokes([stroke], max(ink.shape))[: ink.shape[0], : ink.shape[1]]
    assert np.abs(ink - expected)[8:-8, 8:-8].mean() < 0.01  # without its round corners
    assert 0.05 < expected.mean() < 0.15

    page.get_by_role("button", name="Again").click()
    draw_seven(page)
    arrived(page, 2)
    page.get_by_text("Show the pad").click()
    expect(paper(page)).to_have_count(0)
    page.get_by_text("Show the pad").click()
    assert arrived(page, 2)[0].tolist() == stroke.tolist()
    for name, n_left in (("Undo", 1), ("Clear", 0), ("Undo", 1)):
        page.get_by_role("button", name=name).click()
        arrived(page, n_left)
    paper(page).press("Escape")
    arrived(page, 0)
    expect(page.get_by_text("Draw here")).to_be_visible()
    expect(page.get_by_text("Cleared")).to_be_attached()


def test_strokes_by_touch_do_not_scroll(visit):
    page = visit(width=390, height=300, drawn="Draw here")
    paper(page).scroll_into_view_if_needed()
    before = paper(page).bounding_box()
    touch(page, np.concatenate([np.linspace(a, b, 12) for a, b in pairwise(corners(page))]))
    assert_seven(*arrived(page, 1))
    assert paper(page).bounding_box() == before


def test_strokes_by_keyboard(visit):
    page = visit(drawn="Draw here")
    paper(page).focus()
    for key in (*["ArrowLeft"] * 5, *["ArrowUp"] * 6, "Space", *["ArrowRight"] * 10):
        page.keyboard.press(key)
    page.keyboard.down("ArrowDown")
    for _ in range(6):  # both arrows held: aslant
        page.keyboard.press("ArrowLeft")
    page.keyboard.up("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_text("Pen lifted: 1 stroke")).to_be_attached()
    (stroke,) = arrived(page, 1)
    assert stroke[[0, 10, -1]].tolist() == [[68, 56], [188, 56], [116, 140]]
    page.keyboard.press("Control+z")  # the pad has kept the focus
    arrived(page, 0)
