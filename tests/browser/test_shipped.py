"""A fresh installation in a real browser: the shipped runs, and nothing else."""

import pytest

from tests.browser.conftest import show


@pytest.fixture
def server(shipped):
    return shipped


def test_first_view_is_mnist_with_every_row_on_the_first_screen(visit):
    page = visit()
    assert "data=mnist&size=10" in page.url
    for method in ("pca", "linear_ae", "ae", "vae", "gan"):
        row = page.locator(f".st-key-row-{method}")
        box = row.bounding_box()
        assert box["y"] + box["height"] <= 900, (method, box)
        assert "Not trained yet" not in row.inner_text()
    assert page.get_by_test_id("stAlert").count() == 0


def test_other_shipped_data_sets_are_filled_too(visit):
    page = visit("?data=frey&size=2")
    assert page.locator(".st-key-row-vae img").count() >= 2
    assert "licence does not allow" in page.locator(".st-key-headstrip").inner_text()
    for query in ("?data=digits&size=2", "?data=mnist&size=30", "?data=docstrings&size=10"):
        show(page, query)
        assert "Not trained yet" not in page.inner_text("body")
