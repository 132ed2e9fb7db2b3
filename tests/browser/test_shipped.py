"""What a person sees who has just installed Hourglass: the shipped runs, and nothing else."""

import pytest

from tests.browser.conftest import ROOT, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(ROOT, tmp_path_factory.mktemp("none"), tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()
    assert server.complaints() == []


def test_it_opens_on_mnist_with_every_row_filled_on_the_first_screen(visit, tmp_path):
    page = visit()
    assert "data=mnist&size=10" in page.url
    for method in ("pca", "linear_ae", "ae", "vae", "gan"):
        row = page.locator(f".st-key-row-{method}")
        box = row.bounding_box()
        assert box["y"] + box["height"] <= 900, (method, box)
        assert "Not trained yet" not in row.inner_text()
    assert page.get_by_test_id("stAlert").count() == 0
    page.screenshot(path=tmp_path / "compare.png")
    assert page.noise == []


@pytest.mark.parametrize("query", ["?data=digits&size=2", "?data=mnist&size=30", "?data=docstrings&size=10"])
def test_the_other_shipped_data_are_filled_too(visit, query):
    page = visit(query)
    assert "Not trained yet" not in page.inner_text("body")
    assert page.noise == []


def test_frey_faces_are_shown_without_their_originals(visit):
    page = visit("?data=frey&size=2")
    assert page.locator(".st-key-row-vae img").count() >= 2
    assert "may not be passed on" in page.locator(".st-key-headstrip").inner_text()
