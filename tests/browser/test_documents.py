"""Documents in a real browser: a click opens the document, text stays text, and nothing is wider than a phone."""

import re

import pytest
from playwright.sync_api import expect

from core import datasets
from tests.browser.conftest import DRAWN
from tests.browser.test_embeddings import (  # noqa: F401 - the same server, and documents with hostile texts
    HOSTILE,
    ask,
    data,
    fitted,
    lasso,
    opened,
    over,
    pick,
    server,
    settled,
)

MAPS = "documents?data=reuters-r8"


def rows_of(page) -> list[int]:
    return ask(page, "maps.selectedRows().map((k) => maps.message.arrays.rows[k])")


def test_a_click_on_a_point_opens_its_document(opened, data, monkeypatch):  # noqa: F811 - fixtures imported above
    page = opened(MAPS)
    monkeypatch.setenv("HOURGLASS_DATA", str(data))
    texts = datasets.load("reuters-r8")
    over(page, 1).scroll_into_view_if_needed()
    box = over(page, 1).bounding_box()
    x, y = ask(page, "[...maps.panels.values()][1].place(7)")
    page.mouse.click(box["x"] + x, box["y"] + y)
    settled(page)
    (row,) = rows_of(page)
    expect(page.locator(".hg-text")).to_have_text(texts.texts_test[row])
    assert page.locator(".hg-expected > div").count() == 3
    assert page.locator(".hg-text img").count() == 0
    assert page.get_by_text(HOSTILE, exact=False).count() > 0
    assert page.noise == []
    # What the selection does to the maps and the panel survives a reload by its link.
    page.goto(page.url)
    expect(page.locator(".hg-text")).to_have_text(texts.texts_test[row], timeout=DRAWN)


def test_a_lasso_offers_its_documents_to_be_opened(opened):  # noqa: F811 - a fixture imported above
    page = opened(MAPS)
    lasso(page, 0, 0.05, 0.05, 0.95, 0.95)
    assert len(rows_of(page)) > 1
    expect(page.get_by_text("Words that stand out")).to_be_visible()
    pick(page, "Open one of the selected documents", re.compile("subject"))
    expect(page.locator(".hg-text")).to_be_visible(timeout=DRAWN)
    settled(page)
    assert len(rows_of(page)) > 1


@pytest.mark.parametrize("section", ["maps", "axes", "retrieval", "query", "numbers"])
def test_a_phone_scrolls_one_way_only(visit, section):
    page = visit(f"documents?data=reuters-r8&section={section}", width=390, drawn="Share this view")
    settled(page)
    assert page.get_by_test_id("stException").count() == 0
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    assert page.noise == []
