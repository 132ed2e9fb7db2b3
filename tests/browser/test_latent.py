"""Dragging in latent space in a real browser: its pictures are the estimator's, and what is done with it stays."""

import re
import shutil
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import expect

from core import datasets
from core.analysis import decoder_export
from core.runs import layout, reader, selection, store
from pages.ui.shared import components
from tests.browser.conftest import DRAWN, touch, wait_for_server
from tests.pages.conftest import fit

CLOSE = 1e-3  # of a pixel in [0, 1]
SHARE = "Link and command line"
PIXELS = "Array.from({}.getContext('2d').getImageData(0, 0, {}, {}).data)"
VIEW = "[...hourglassLatent.views][0]"
# The GANs of equal budgets are dense: the browser decodes them itself.
CONVOLUTIONAL = "data=mnist&size=10&morph=gan&budget=best effort"


@pytest.fixture
def server(shipped):
    return shipped


@pytest.fixture
def opened(visit):
    def opened(section: str, query: str = "", **options):
        page = visit(f"generation?section={section}&{query}", drawn=SHARE, **options)
        drawn(page)
        return page

    return opened


def drawn(page):
    expect(page.locator(".latent[data-drawn]")).to_have_count(1, timeout=DRAWN)


def ask(page, expression: str):
    return page.evaluate(f"() => {{ const view = {VIEW}; return {expression}; }}")


def get_shipped(dataset: str, method: str, size: int, is_best_effort: bool = False):
    runs, _ = store.list_runs()
    fitting = (run for run in selection.select_runs(runs, dataset, method, size) if store.is_shipped(run))
    run = next(run for run in fitting if selection.is_best_effort(run) == is_best_effort)
    return reader.read_estimator(run.place)


def settle(page):
    wait_for_server(page, delay=400)


def surface(page):
    return page.locator(".latent .surface")


def at(page, x: float, y: float) -> tuple[float, float]:
    """A place of the pad on the screen, from shares of its width and height."""
    surface(page).scroll_into_view_if_needed()
    box = surface(page).bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page, *places):
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place), steps=8)
    page.mouse.up()


def code(page) -> list[float]:
    return ask(page, "Array.from(view.code)")


def asked(page, name: str) -> str | None:
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found and found.group(1)


def test_browser_decodes_as_the_estimator_does(opened):
    for dataset, method, size, section in (
        ("digits", "ae", 10, "sliders&data=digits&size=10&morph=ae"),
        ("digits", "linear_ae", 2, "manifold&data=digits&plane=linear_ae"),
        ("mnist", "vae", 2, "manifold&data=mnist&z=1_0.5"),
    ):
        page = opened(section)
        estimator = get_shipped(dataset, method, size)
        Z = np.random.default_rng(0).standard_normal((12, size)) * (1.5 if method == "vae" else 3)
        Z[0] = 0
        Z = np.concatenate([Z, [np.full(size, 40.0)]])  # far out, where a sigmoid's argument is large
        found = page.evaluate(f"Z => Z.map((z) => Array.from({VIEW}.decoder.decode(new Float32Array(z))))", Z.tolist())
        expected = estimator.inverse_transform(Z)
        assert np.abs(np.array(found)[:-1] - expected[:-1]).max() < CLOSE
        assert np.allclose(found[-1], expected[-1], atol=CLOSE, rtol=CLOSE)
        assert page.noise == []

    painted = ask(page, PIXELS.format("view.picture", 28, 28))
    expected = estimator.inverse_transform(np.array([[1, 0.5]]))[0]
    assert np.abs(np.array(painted).reshape(-1, 4)[:, 0] - 255 * expected).max() <= 1
    pixels = ask(page, f"{PIXELS.format('view.grid', 560, 560)}.filter((_, k) => k % 4 === 0)")
    grid = np.array(pixels).reshape(560, 560)
    # The grid behind holds equal shares of the prior.
    places = decoder_export.place_grid_columns(20, -3, 3, is_prior=True)
    expected = 255 * estimator.inverse_transform(decoder_export.make_grid(places, places))
    for line, column in ((0, 0), (0, 19), (19, 0), (10, 7)):
        cell = grid[28 * line : 28 * (line + 1), 28 * column : 28 * (column + 1)]
        assert np.abs(cell.ravel() - expected[20 * line + column]).max() <= 1.5, (line, column)


def test_manifold_by_mouse_follows_and_outlives_reruns_and_other_pages(opened):
    page = opened("manifold", "data=digits")
    settle(page)
    frames = ask(page, "view.frames")
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.75, 0.25))
    page.wait_for_timeout(100)
    assert ask(page, "view.frames") > frames + 5
    # Three quarters of the plane are z = 0.67, three quarters of the draws of N(0, 1) lie below.
    assert code(page) == pytest.approx([0.673, 0.673], abs=0.02)
    expect(page.locator(".coordinates")).to_have_text(re.compile(r"^z = \(0\.6\d, 0\.6\d\)$"))
    page.get_by_role("button", name="Test rows").click()
    settle(page)
    before = code(page)
    assert [float(part) for part in asked(page, "z").split("_")] == pytest.approx(before, abs=0.002)
    page.get_by_text(SHARE).click()  # a rerun
    settle(page)
    assert code(page) == before
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text(SHARE)).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Generation").click()
    drawn(page)
    assert code(page) == pytest.approx(before, abs=1e-3)
    assert ask(page, "view.behind") == "rows"
    assert page.noise == []


def test_manifold_by_touch_does_not_scroll_and_a_click_on_a_dot_shows_its_row(opened):
    page = opened("manifold", "data=digits&behind=rows", width=390, height=800)
    settle(page)
    row, x, y = ask(
        page,
        """(() => { const { places, size: [w, h] } = view.plane;
        const apart = (k) => Math.min(...[...Array(view.n).keys()].filter((j) => j !== k).map((j) =>
          Math.hypot(places[2 * j] - places[2 * k], places[2 * j + 1] - places[2 * k + 1])));
        const k = [...Array(view.n).keys()].reduce((a, b) => (apart(a) > apart(b) ? a : b));
        return [k, places[2 * k] / w, places[2 * k + 1] / h]; })()""",
    )
    page.mouse.click(*at(page, x, y))
    page.wait_for_timeout(100)
    assert code(page) == pytest.approx(ask(page, f"[view.codes[2 * {row}], view.codes[2 * {row} + 1]]"))
    number = ask(page, f"view.message.arrays.rows[{row}]")
    expect(page.locator(".near")).to_contain_text(f"This is test image #{number}")
    surface(page).scroll_into_view_if_needed()
    before = surface(page).bounding_box()
    touch(page, [at(page, 0.3, y) for y in np.linspace(0.3, 0.75, 10)])
    assert surface(page).bounding_box() == before
    assert code(page) == pytest.approx([-0.523, -0.673], abs=0.03)
    settle(page)
    assert asked(page, "z") is not None
    assert page.noise == []


def test_manifold_by_keyboard_and_link(opened):
    page = opened("manifold", "data=digits&z=0.52_-1.3&behind=both")
    assert (code(page), ask(page, "view.behind")) == ([0.52, -1.3], "both")
    # exp(-r^2 / 2) of the draws from N(0, I) are farther than r from the mean.
    expect(page.locator(".words")).to_contain_text("38% of its draws are farther")
    surface(page).focus()
    page.keyboard.press("Home")
    assert code(page) == [0, 0]
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert code(page) == pytest.approx([0.8, -0.4])
    settle(page)
    assert asked(page, "z") == "0.8_-0.4"
    status = re.compile(r"^z1 = 0\.80, z2 = −0\.40\. Distance from the mean .*: 0\.89 sd; .* farther\. Prior density")
    expect(page.locator(".latent [role=status]")).to_have_text(status)
    assert surface(page).evaluate("each => each.getRootNode().activeElement === each")
    assert page.noise == []


def test_sliders_freeze_randomise_reset_and_start_from_rows(opened):
    page = opened("sliders", "data=digits&size=10&morph=ae")
    settle(page)
    first, second = ask(page, "view.pad")
    other = ask(page, "[...view.sliders.keys()][0]")
    page.get_by_role("slider", name=f"z{other + 1}", exact=True).focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    held = code(page)[other]
    page.get_by_role("button", name=f"Freeze z{other + 1}", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Randomise").click()
    page.wait_for_timeout(1000)
    drawn_code = code(page)
    assert drawn_code[other] == held
    assert len({round(each, 3) for each in drawn_code}) == 10
    settle(page)
    assert asked(page, "frozen") == str(other + 1)
    assert [float(each) for each in asked(page, "code").split("_")] == pytest.approx(drawn_code, rel=0.01, abs=1e-3)
    row = ask(page, "view.message.starts[3]")
    for button, expected in (
        (re.compile("^Start from test image #"), f"Array.from(view.codes.subarray({row} * 10, {row} * 10 + 10))"),
        ("Reset", "view.message.axes.map((axis) => axis.start)"),
    ):
        page.get_by_role("button", name=button).nth(0 if button == "Reset" else 3).click()
        page.wait_for_timeout(1000)
        values = ask(page, expected)
        values[other] = held
        assert code(page) == pytest.approx(values, abs=1e-5)
    drag(page, (0.5, 0.5), (1, 0))
    for k in (first, second):
        assert code(page)[k] == pytest.approx(ask(page, f"view.message.axes[{k}].high"))
    assert page.noise == []


def test_draws_given_what_is_frozen_follow_the_fitted_gaussian(opened):
    page = opened("sliders", "data=digits&size=10&morph=ae&frozen=1_2_3")
    draws = np.array(
        ask(
            page,
            """(() => { view.go = (z) => (view.last = z);
            return Array.from({ length: 4000 }, () => (view.randomise(), view.last)); })()""",
        )
    )
    covariance = np.array(ask(page, "Array.from(view.covariance)")).reshape(10, 10)
    mean, at_code = np.array(ask(page, "Array.from(view.mean)")), np.array(code(page))
    frozen, free = np.arange(3), np.arange(3, 10)
    gain = covariance[np.ix_(free, frozen)] @ np.linalg.inv(covariance[np.ix_(frozen, frozen)])
    expected = mean[free] + gain @ (at_code[frozen] - mean[frozen])
    sd = np.sqrt(np.diag(covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(frozen, free)]))
    assert draws[:, :3] == pytest.approx(np.tile(at_code[:3], (4000, 1)), abs=0.02)
    assert (np.abs(draws[:, 3:].mean(axis=0) - expected) / sd).max() < 0.1
    assert draws[:, 3:].std(axis=0) / sd == pytest.approx(np.ones(7), abs=0.1)


def test_shares_of_a_gaussian_farther_out_are_those_of_chi_square(opened):
    from scipy.stats import chi2

    page = opened("sliders", "data=digits&size=10")
    source = components.read_source("latent", "js")
    found = page.evaluate(
        """async (source) => {
        const file = new Blob([source], { type: "text/javascript" });
        const module = await import(URL.createObjectURL(file));
        return [1, 2, 3, 10, 16, 31].map((k) => [0.01, 1, 5, 20, 60].map((x) => module.farther(x, k))); }""",
        source,
    )
    expected = [[chi2.sf(x, k) for x in (0.01, 1, 5, 20, 60)] for k in (1, 2, 3, 10, 16, 31)]
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-6)


def test_sliders_name_what_is_active(opened):
    page = opened("sliders", "data=mnist&size=30")
    first, second = ask(page, "view.message.order.slice(0, 2)")
    notes = page.locator(".pad-choice .note")
    for k, d in enumerate((first, second)):
        expect(notes.nth(k)).to_have_text(f"variance {ask(page, f'view.message.axes[{d}].note')}")
    # A draw of 30 normal numbers is about the root of 30 away from 0.
    expect(page.locator(".words")).to_contain_text("(typical: 5.5 sd)")
    idle = ask(page, "view.message.axes.filter((axis) => !axis.active).length")
    assert idle > 0
    summary = page.locator(".more summary", has_text="inactive")
    expect(summary).to_contain_text(f"{idle} inactive: z")
    summary.click()
    assert page.locator(".more[open] .slider").count() == idle
    assert page.noise == []


def test_a_convolutional_gan_is_computed_by_the_server(opened):
    page = opened("sliders", CONVOLUTIONAL)
    expect(page.get_by_text("the server computes each image")).to_be_visible()
    estimator = get_shipped("mnist", "gan", 10, is_best_effort=True)

    def assert_same():
        page.wait_for_function(f"() => {{ const view = {VIEW}; return view.turn === '' && !view.morphing; }}")
        expect(page.locator(".waiting")).to_be_hidden(timeout=DRAWN)
        settle(page)
        z = np.array([[float(f"{each:.4g}") for each in code(page)]])
        painted = np.array(ask(page, "Array.from(view.decoded)"))
        assert np.abs(painted / 255 - estimator.inverse_transform(z)[0]).max() < 3e-3

    assert_same()
    frames = ask(page, "view.frames")
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.8, 0.3))
    assert_same()
    assert ask(page, "view.frames") > frames
    # After another scene the same code is asked for anew.
    for name in ("VAE", "GAN"):
        page.get_by_role("radiogroup", name="Method").get_by_role("radio", name=name, exact=True).click()
        settle(page)
        drawn(page)
    assert_same()
    expect(page.locator(".lacking")).to_have_text("No encoder, so no test rows here: drag.")
    assert page.noise == []


def test_a_convolutional_plane_is_computed_by_the_server(opened, shipped, request):
    params = {"n_components": 2, "epochs": 1, "width": 32, "layers": 2, "network": "conv"}
    run = fit(shipped.runs, datasets.load("digits"), "vae", params, first_only=True)
    request.addfinalizer(partial(shutil.rmtree, layout.place_of(shipped.runs, run.spec)))
    page = opened("manifold", "data=digits&size=2")
    page.get_by_role("button", name="Choose runs").click()
    page.get_by_role("combobox", name="VAE").click()
    page.get_by_role("option", name=re.compile("^own run")).click()
    page.keyboard.press("Escape")
    settle(page)
    expect(page.get_by_text("the server computes each image")).to_be_visible(timeout=DRAWN)
    drawn(page)
    assert ask(page, "view.grid.width") == 12 * 9
    assert page.noise == []
