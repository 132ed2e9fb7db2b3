"""What opening a page by link loads: nothing that is not seen, and the script runs once."""

import pytest

from tests.openings import opened

# page -> (query, the element that is its content, whether plotly draws a chart in its first view)
PAGES = {
    "Compare": ("?data=digits&size=10", ".st-key-row-pca img", False),
    "Embeddings": ("embeddings?data=digits&size=10", "canvas", False),
    "Reconstructions": ("reconstructions?data=digits&size=10", ".hg-columns-image", False),
    "Generation": ("generation?data=digits&size=10", ".st-key-sampled img", False),
    "Documents": ("documents?data=docstrings&size=2", "canvas", False),
    "Labelled fraction": ("labelled_fraction?data=mnist", "[class*=st-key-still-] img", False),
    "Concept demos": ("mechanisms", "[class*=st-key-plain-chart-] .main-svg", True),
    "Training": ("training?data=digits", ".st-key-training img", False),
    "Tour": ("tour", ".hg-tour", False),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_link_loads_what_is_seen_and_runs_the_script_once(shipped, browser, name):
    query, content, has_chart = PAGES[name]
    with opened(browser, f"{shipped.url}/{query}", content) as (page, opening):
        page.wait_for_timeout(1500)  # longer than the interval at which a page that polls does
        # The style sheet is there: without it a page is another.
        assert page.locator(".stMainBlockContainer").evaluate("e => getComputedStyle(e).containerType") == "inline-size"
    assert opening.runs == [[]]
    assert opening.asked == 1
    assert opening.repeats == []
    assert opening.loaded("PlotlyChart") == has_chart
    for unseen in ("StreamlitSyntaxHighlighter", "DataFrame", "FileUploader", "rehype-raw", "remark-emoji"):
        assert not opening.loaded(unseen), unseen
