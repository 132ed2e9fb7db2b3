"""What opening a page by link loads: nothing that is not seen, and the script runs once."""

from contextlib import ExitStack

from tests.openings import opened

# page -> (query, the element that is its content, whether plotly draws a chart in its first view)
PAGES = {
    "Compare": ("?data=digits&size=10", ".st-key-row-pca img", False),
    "Embeddings": ("embeddings?data=digits&size=10", "canvas", False),
    "Reconstructions": ("reconstructions?data=digits&size=10", ".hg-columns-image", False),
    "Generation": ("generation?data=digits&size=10", ".st-key-sampled img", False),
    "Documents": ("documents?data=docstrings&size=2", "canvas", False),
    "Labelled fraction": ("labelled_fraction?data=mnist", ".main-svg", True),
    "Concept demos": ("mechanisms", "[class*=st-key-plain-chart-] .main-svg", True),
    "Training": ("training?data=digits", ".st-key-training img", False),
    "Tour": ("tour", ".hg-tour", False),
}


def test_a_link_loads_what_is_seen_and_runs_the_script_once(shipped, browser):
    with ExitStack() as stack:
        openings = {}
        for name, (query, content, _) in PAGES.items():
            if name == "Embeddings":  # its first visit of all computes scores of the maps, and draws the page again
                with opened(browser, f"{shipped.url}/{query}", content) as (page, _):
                    page.wait_for_timeout(500)
            page, openings[name] = stack.enter_context(opened(browser, f"{shipped.url}/{query}", content))
            # The style sheet is there: without it a page is another.
            main = page.locator(".stMainBlockContainer")
            assert main.evaluate("e => getComputedStyle(e).containerType") == "inline-size", name
        page.wait_for_timeout(1500)  # longer than the interval at which a page that polls does
    for name, opening in openings.items():
        assert (opening.runs, opening.asked, opening.repeats) == ([[]], 1, []), name
        assert opening.loaded("PlotlyChart") == PAGES[name][2], name
        for unseen in ("StreamlitSyntaxHighlighter", "DataFrame", "FileUploader", "rehype-raw", "remark-emoji"):
            assert not opening.loaded(unseen), (name, unseen)
