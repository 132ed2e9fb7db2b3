"""Every page can be read: contrast in both themes, a theme that is switched, paper."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import expect

from core.figures import palette
from tests.browser.conftest import DRAWN, show
from tests.browser.linked_maps import END
from tests.contrast import contrast

# Each page, with a section that draws charts where it has one.
CHARTS = "reconstructions?data=digits&size=10&section=classes"
PAGES = (CHARTS, "?data=digits&size=10", "embeddings?data=digits&size=10", "generation?data=digits&size=10")
PAGES += ("documents?data=docstrings", "labelled_fraction?data=digits", "mechanisms?experiment=elbo")
PAGES += ("training?data=digits", "tour", "data?data=digits")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# All of these that depends on the theme.
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
# Plotly draws its letters as SVG, which axe does not look at.
LETTERS = """() => [...document.querySelectorAll(".js-plotly-plot text")]
  .filter((text) => text.textContent.trim() && text.getBoundingClientRect().width)
  .map((text) => {
    const style = getComputedStyle(text);
    const ground = text.closest(".svg-container").querySelector(".main-svg").style.background;
    return [text.textContent, style.fill, ground, parseFloat(style.fontSize)];
  })"""


def check_readable(page, query: str, rules) -> None:
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
    page.evaluate("source => void (0, eval)(source)", axe)
    found = page.evaluate("runOnly => axe.run(document, { runOnly })", rules)["violations"]
    nodes = [(each["id"], node) for each in found for node in each["nodes"]]
    assert [f"{rule}: {node['html'][:200]} {node['failureSummary']}" for rule, node in nodes] == [], query
    letters = page.evaluate(LETTERS)
    assert [each for each in letters if contrast(each[1], each[2]) < 4.5 or each[3] < 12] == [], query


def test_pages_can_be_read_in_both_themes_and_on_paper(visit):
    page = visit(CHARTS, drawn=END)
    for query in PAGES:
        page.emulate_media(color_scheme="light")
        show(page, query, END)
        check_readable(page, query, WCAG)
        check_paper(page)
        has_chart = query == CHARTS
        letters, marks = chart_colours(page) if has_chart else ([], [])
        # The page is run again by itself.
        page.emulate_media(color_scheme="dark")
        expect(page.locator('.hg-brand[data-theme="dark"]')).to_be_attached(timeout=DRAWN)
        expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_attached(timeout=DRAWN)
        check_readable(page, query, CONTRAST)
        if has_chart:
            fill = "getComputedStyle(document.querySelector('.js-plotly-plot .xtick text')).fill"
            page.wait_for_function(f"old => {fill} !== old", arg=letters[0], timeout=DRAWN)
            dark_letters, dark_marks = chart_colours(page)
            assert min(contrast(colour, palette.GROUND["dark"]) for colour in dark_letters) >= 4.5
            assert not set(marks) & set(dark_marks)


def chart_colours(page) -> tuple[list[str], list[str]]:
    """Of the letters and of the marks of the first chart."""
    expect(page.locator(".js-plotly-plot .xtick").first).to_be_visible(timeout=DRAWN)
    of = """selector => [...document.querySelector(".js-plotly-plot").querySelectorAll(selector)]
      .map((each) => getComputedStyle(each).fill)"""
    return page.evaluate(of, ".xtick text"), page.evaluate(of, ".points path")


def check_paper(page) -> None:
    """Print the page on A4: nothing is cut."""
    page.set_viewport_size({"width": 718, "height": 1000})  # 96 dots an inch, less the margins
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    # A chart takes its new width a moment after the page.
    page.wait_for_function(
        """() => [...document.querySelectorAll(".stMain :is(img, canvas, table, .main-svg, .stage)")]
        .every((each) => each.getBoundingClientRect().right <= innerWidth + 1)""",
        timeout=DRAWN,
    )
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1440, "height": 900})
