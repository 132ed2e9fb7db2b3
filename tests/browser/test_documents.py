"""Documents in a real browser: a click opens the document, text stays text, and nothing is wider than a phone."""

import re

from playwright.sync_api import expect

from core import datasets
from tests.browser.conftest import DRAWN, HOSTILE
from tests.browser.linked_maps import corner, lasso, pick, place_of, selected_rows, wait_for_maps, wait_for_server

MAPS = "documents?data=reuters-r8"


def test_click_and_lasso_open_documents(visit, data, monkeypatch):
    page = visit(MAPS)
    wait_for_maps(page)
    monkeypatch.setenv("HOURGLASS_DATA", str(data))
    texts = datasets.load("reuters-r8").texts_test
    page.mouse.click(*corner(page, 1, *place_of(page, 1, 7)))
    wait_for_server(page)
    (row,) = selected_rows(page)
    expect(page.locator(".hg-text")).to_have_text(texts[row])
    assert page.locator(".hg-expected > div").count() == 3
    assert page.locator(".hg-text img").count() == 0
    assert page.get_by_text(HOSTILE, exact=False).count() > 0
    page.reload()
    expect(page.locator(".hg-text")).to_have_text(texts[row], timeout=DRAWN)
    wait_for_maps(page)
    lasso(page, 0, 0.05, 0.05, 0.95, 0.95)
    n_selected = len(selected_rows(page))
    assert n_selected > 1
    expect(page.get_by_text("Distinctive words")).to_be_visible()
    pick(page, "Open one of the selected documents", re.compile("subject"))
    expect(page.locator(".hg-text")).to_be_visible(timeout=DRAWN)
    wait_for_server(page)
    assert len(selected_rows(page)) == n_selected
