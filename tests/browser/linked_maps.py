"""The linked maps in a real browser: a server with hostile documents, and the component as its own script sees it."""

import gzip
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from core import datasets
from core.experiments import fit
from core.runs import layout, specs
from tests.browser.conftest import DRAWN, Server, without_shipped_runs
from tests.pages.conftest import fitted  # noqa: F401 - the same small runs

HOSTILE = "<img src=x onerror=alert(1)>"
END = re.compile("^Link (to this view|and command line)$")
FIND = """
const hosts = [...document.querySelectorAll('*')].filter((e) => e.shadowRoot?.querySelector('.linked'));
const maps = hourglassMaps.get(hosts.at(-1).shadowRoot);
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of full data sets: documents of three subjects with hostile texts and classes."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    with gzip.open(folder / "reuters_r8.jsonl.gz", "wt") as file:
        for k in range(240):
            words = " ".join(f"{'abc'[k % 3]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 40))
            split = "test" if k % 4 == 0 else "train"
            row = {"split": split, "label": f"<b>subject {k % 3}</b>", "text": f"{HOSTILE} number {k} {words}"}
            file.write(json.dumps(row) + "\n")
    return folder


@pytest.fixture(scope="module")
def server(fitted, data, tmp_path_factory):  # noqa: F811 - the fixture imported above
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_DATA", str(data))
        texts = datasets.load("reuters-r8")
        for method, params in (("lsa", {}), ("ae", {"epochs": 2, "width": 32})):
            spec = specs.make("reuters-r8", method, {"n_components": 2, **params})
            if not layout.place_of(fitted, spec).exists():
                fit.fit_and_store(spec, texts, fitted)
        root = without_shipped_runs(tmp_path_factory.mktemp("project"))
        server = Server(root, fitted, tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()
    assert server.complaints() == []


def ask(page, expression: str):
    """The value of a JavaScript expression, in which `maps` is the component."""
    return page.evaluate(f"() => {{ {FIND} return {expression}; }}")


def wait_for_maps(page) -> None:
    """Until the maps are drawn and their pictures have come."""
    expect(page.locator(".linked[data-pictures]")).to_have_count(1, timeout=DRAWN)
    wait_for_server(page)


def wait_for_server(page) -> None:
    """Until the server has answered what the maps sent last."""
    page.wait_for_timeout(150)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=DRAWN)
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')", timeout=DRAWN)
    page.wait_for_timeout(100)


def panel(page, k: int):
    return page.locator(".linked .over").nth(k)


def place_of(page, k: int, row: int) -> tuple[float, float]:
    """Where a row is in map `k`, as shares of its width and height."""
    (x, y), (width, height) = ask(page, f"((p) => [p.place({row}), p.size])([...maps.panels.values()][{k}])")
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
