"""The linked maps in a real browser, and the component as its own script sees it."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import DRAWN, wait_for_server

# How a page ends.
END = re.compile("^Link (to this view|and command line)$")
FIND = """
const hosts = [...document.querySelectorAll('*')].filter((e) => e.shadowRoot?.querySelector('.linked'));
const maps = hourglassMaps.get(hosts.at(-1).shadowRoot), panels = [...maps.panels.values()];
"""


def ask(page, expression: str):
    """The value of a JavaScript expression, in which `maps` is the component, `panels` its maps."""
    return page.evaluate(f"() => {{ {FIND} return {expression}; }}")


def wait_for_maps(page) -> None:
    """Until the maps are drawn and their pictures have come."""
    expect(page.locator(".linked[data-pictures]")).to_have_count(1, timeout=DRAWN)
    wait_for_server(page)


def panel(page, k: int):
    return page.locator(".linked .over").nth(k)


def place_of(page, k: int, row: int) -> tuple[float, float]:
    """Where a row is in map `k`, as shares of its width and height."""
    (x, y), (width, height) = ask(page, f"[panels[{k}].place({row}), panels[{k}].size]")
    return x / width, y / height


def corner(page, k: int, x: float, y: float) -> tuple[float, float]:
    """A place in map `k` on the screen."""
    panel(page, k).scroll_into_view_if_needed()
    box = panel(page, k).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def lasso(page, k: int, left: float, top: float, right: float, bottom: float) -> None:
    for n, (x, y) in enumerate([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]):
        page.mouse.move(*corner(page, k, x, y), steps=4)
        if n == 0:
            page.mouse.down()
    page.mouse.up()
    wait_for_server(page)


def pick(page, label: str, option) -> None:
    box = page.get_by_role("combobox", name=label)
    # Scrolling would shut its list again.
    box.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    box.click()
    page.get_by_role("option", name=option).first.click()


def selected_rows(page) -> list[int]:
    """Numbers of the rows that the browser highlights."""
    return ask(page, "maps.selectedRows().map((k) => maps.message.arrays.rows[k])")
