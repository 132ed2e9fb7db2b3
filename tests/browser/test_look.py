"""Every view can be read and used: on a desk, a dark phone, a projector and paper; by eye, finger, key and ear."""

import re
from contextlib import suppress
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Error, expect

from core.figures import palette
from tests.browser.conftest import DRAWN, swipe
from tests.contrast import contrast
from tests.openings import DRAWN as IS_DRAWN

_DEMOS = ("generator", "codes", "naive", "elbo", "gradients", "similarity", "players", "linear")
DEMOS = (*(f"mechanisms?experiment={name}" for name in _DEMOS), "mechanisms?experiment=elbo&elbo.show=collapse")
PLANE = "generation?data=digits&size=2&section=manifold"
CHARTS = "reconstructions?data=digits&size=10&section=classes"
VIEWS = (
    "?data=digits&size=10",
    "embeddings?data=digits&size=2",
    "reconstructions?data=digits&size=10",
    CHARTS,
    "reconstructions?data=digits&size=10&section=size",
    "reconstructions?data=digits&size=10&section=linear",
    "generation?data=digits&size=10",
    PLANE,
    "generation?data=digits&size=10&section=sliders",
    "documents?data=docstrings&size=2",
    "documents?data=docstrings&section=numbers",
    "labelled_fraction?data=mnist",
    "training?data=digits",
    "data?data=digits",
    "tour?step=6",
    "exercises",
    *DEMOS,
)
SWIPED = (VIEWS[4], "labelled_fraction?data=mnist", DEMOS[3])
ON_PAPER = (CHARTS, VIEWS[0], "tour?step=6")
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
LOOK = (Path(__file__).parent / "look.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# All that depends on the theme, or on the size of what is pressed.
ON_DARK = {"type": "rule", "values": ["color-contrast", "target-size"]}


def start(page, url: str, view: str) -> None:
    """Begin to open a view, in a page that is open by way of its history: the scripts are loaded then."""
    is_open = False
    # After it was printed a page may not hear of its history; a promise of a page that goes on may be lost.
    with suppress(Error):
        is_open = page.url != "about:blank" and page.evaluate("url => look.open(url)", f"/{view}")
    if not is_open:
        page.goto(f"{url}/{view}", wait_until="commit")


def wait(page) -> None:
    page.wait_for_function(IS_DRAWN, timeout=DRAWN, polling=50)


def check_readable(page, view: str, least: int, *, has_whole_titles: bool = False) -> None:
    """Letters have at least `least` pixels; those of charts, which axe does not look at, have contrast."""
    page.evaluate("source => void (0, eval)(source)", LOOK)
    letters = page.evaluate("look.letters()")
    assert [each for each in letters if each["size"] < least - 0.05] == [], view
    in_charts = [each for each in letters if each["ground"]]
    assert [each for each in in_charts if contrast(each["fill"], each["ground"]) < 4.5] == [], view
    assert [each for each in letters if has_whole_titles and each["isCut"]] == [], view


def check_accessible(page, view: str, rules) -> None:
    page.evaluate("source => void (0, eval)(source)", AXE)
    assert page.evaluate("rules => look.violations(rules)", rules) == [], view


def test_views_on_a_desk_on_a_dark_phone_and_on_paper(shipped, browser):
    desk = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
    about = {"color_scheme": "dark", "has_touch": True, "is_mobile": True}
    phone = browser.new_page(viewport={"width": 390, "height": 844}, **about)
    start(desk, shipped.url, VIEWS[0])
    # While one page is looked at, the other loads.
    for k, view in enumerate(VIEWS):
        wait(desk)
        start(phone, shipped.url, view)
        check_readable(desk, view, 12)
        check_accessible(desk, view, TAGS)
        assert desk.evaluate("look.names()") == [1, 0, 0], view
        if view in ON_PAPER:
            check_paper(desk)
        if k + 1 < len(VIEWS):
            start(desk, shipped.url, VIEWS[k + 1])
        wait(phone)
        check_phone(phone, view)
    desk.context.close()
    phone.context.close()


def check_phone(page, view: str) -> None:
    check_readable(page, view, 12)
    check_accessible(page, view, ON_DARK)
    assert page.evaluate("look.smallTargets(43)") == [], view
    assert page.evaluate("document.querySelector('.stMainBlockContainer').scrollWidth") <= 390, view
    # Control and finding are in view together.
    assert page.evaluate("look.reach()") <= 844, view
    if view in SWIPED:
        assert swipe(page, page.locator(".stPlotlyChart").first) > 100, view


def test_demos_and_the_plane_on_a_projector(shipped, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    for view in (*DEMOS, PLANE):
        start(page, shipped.url, f"{view}&large=yes")
        wait(page)
        check_readable(page, view, 14, has_whole_titles=True)
        top, bottom, control = page.evaluate("look.firstView()")
        assert 0 < top < bottom <= 722, (view, top, bottom)
        assert 0 < control <= 720, (view, control)
    # The sidebar is folded; it unfolds, and has the switch.
    switch = page.get_by_test_id("stSidebar").get_by_text("Large type")
    expect(switch).not_to_be_in_viewport()
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(switch).to_be_in_viewport(timeout=DRAWN)
    page.context.close()


def test_charts_follow_the_theme_and_give_their_numbers(visit):
    page = visit(CHARTS, drawn=re.compile("^Link (to this view|and command line)$"))
    letters, marks = chart_colours(page)
    # The page is run again by itself.
    page.emulate_media(color_scheme="dark")
    expect(page.locator('.hg-brand[data-theme="dark"]')).to_be_attached(timeout=DRAWN)
    fill = "getComputedStyle(document.querySelector('.js-plotly-plot .xtick text')).fill"
    page.wait_for_function(f"old => {fill} !== old", arg=letters[0], timeout=DRAWN)
    dark_letters, dark_marks = chart_colours(page)
    assert min(contrast(colour, palette.GROUND["dark"]) for colour in dark_letters) >= 4.5
    assert not set(marks) & set(dark_marks)
    # By key.
    button = page.get_by_role("button", name="Numbers of error by class")
    button.press("Enter")
    numbers = page.get_by_role("region", name="Numbers: ").get_by_role("row")
    expect(numbers).not_to_have_count(0, timeout=DRAWN)
    bars = page.evaluate(
        "document.querySelector('.js-plotly-plot').calcdata.reduce((sum, each) => sum + each.length, 0)"
    )
    assert numbers.count() == 1 + bars
    button.press("Enter")
    expect(numbers).to_have_count(0)


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
