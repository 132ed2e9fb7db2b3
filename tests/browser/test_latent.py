"""Dragging in latent space in a real browser: its pictures are the estimator's, and what is done with it stays."""

import re
import shutil
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.stats import chi2

from core import datasets
from core.analysis import decoder_export
from core.runs import layout, reader, selection, store
from pages.ui.shared import components, permalinks
from tests.browser.conftest import DRAWN, touch, wait_for_server
from tests.pages.conftest import fit

CLOSE = 1e-3  # of a pixel in [0, 1]
SHARE = "Link and command line"
PIXELS = "Array.from({}.getContext('2d').getImageData(0, 0, {}, {}).data).filter((_, k) => k % 4 === 0)"
VIEW = "[...hourglassLatent.views][0]"
SLIDERS = "data=digits&size=10&morph=ae"


@pytest.fixture
def server(shipped):
    return shipped


@pytest.fixture
def opened(visit):
    """Open a section whose scene is drawn."""

    def opened(section: str, query: str, **options):
        page = visit(f"generation?section={section}&{query}", drawn=SHARE, **options)
        drawn(page)
        wait_for_server(page, delay=400)
        return page

    return opened


def drawn(page):
    expect(page.locator(".latent[data-drawn]")).to_have_count(1, timeout=DRAWN)


def ask(page, expression: str):
    return page.evaluate(f"() => {{ const view = {VIEW}; return {expression}; }}")


def get_shipped(dataset: str, method: str, size: int, is_best_effort: bool = False):
    runs = filter(store.is_shipped, selection.select_runs(store.list_runs()[0], dataset, method, size))
    return reader.read_estimator(next(run for run in runs if selection.is_best_effort(run) == is_best_effort).place)


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


def in_address(page, name: str) -> str | None:
    wait_for_server(page, delay=400)
    found = re.search(rf"[?&]{name}=([^&]*)", page.url)
    return found and found.group(1)


def test_browser_decodes_as_the_estimator_does(opened):
    for dataset, method, size, section, query in (
        ("digits", "ae", 10, "sliders", SLIDERS),
        ("digits", "linear_ae", 2, "manifold", "data=digits&plane=linear_ae"),
        ("mnist", "vae", 2, "manifold", "data=mnist&z=1_0.5"),
    ):
        page = opened(section, query)
        estimator = get_shipped(dataset, method, size)
        Z = np.random.default_rng(0).standard_normal((12, size)) * (1.5 if method == "vae" else 3)
        Z = np.concatenate([Z, [np.zeros(size), np.full(size, 40.0)]])  # far out, where a sigmoid's argument is large
        found = page.evaluate(f"Z => Z.map((z) => Array.from({VIEW}.decoder.compute(new Float32Array(z))))", Z.tolist())
        np.testing.assert_allclose(found[:-1], estimator.inverse_transform(Z[:-1]), atol=CLOSE, rtol=0)
        np.testing.assert_allclose(found[-1:], estimator.inverse_transform(Z[-1:]), atol=CLOSE, rtol=CLOSE)

    painted = np.array(ask(page, PIXELS.format("view.picture", 28, 28)))
    assert np.abs(painted - 255 * estimator.inverse_transform(np.array([[1, 0.5]]))[0]).max() <= 1
    grid = np.array(ask(page, PIXELS.format("view.grid", 560, 560))).reshape(560, 560)
    # The grid behind holds equal shares of the prior.
    places = decoder_export.place_grid_columns(20, -3, 3, is_prior=True)
    expected = 255 * estimator.inverse_transform(decoder_export.make_grid(places, places))
    for line, column in ((0, 0), (0, 19), (19, 0), (10, 7)):
        cell = grid[28 * line : 28 * (line + 1), 28 * column : 28 * (column + 1)]
        assert np.abs(cell.ravel() - expected[20 * line + column]).max() <= 1.5, (line, column)


def test_manifold_by_mouse_follows_and_outlives_reruns_and_other_pages(opened):
    page = opened("manifold", "data=digits")
    frames = ask(page, "view.frames")
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.75, 0.25))
    page.wait_for_timeout(100)
    assert ask(page, "view.frames") > frames + 5
    # Three quarters of the plane are z = 0.67, three quarters of the draws of N(0, 1) lie below.
    assert code(page) == pytest.approx([0.673, 0.673], abs=0.02)
    page.get_by_role("button", name="Test rows").click()
    before = code(page)
    assert [float(part) for part in in_address(page, "z").split("_")] == pytest.approx(before, abs=0.002)
    page.get_by_text(SHARE).click()  # a rerun
    wait_for_server(page, delay=400)
    assert code(page) == before
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text(SHARE)).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Generation").click()
    drawn(page)
    assert code(page) == pytest.approx(before, abs=1e-3)
    assert ask(page, "view.behind") == "rows"


def test_manifold_by_touch_does_not_scroll_and_a_click_on_a_dot_shows_its_row(opened):
    page = opened("manifold", "data=digits&behind=rows", width=390, height=800)
    places, side = np.array(ask(page, "Array.from(view.plane.places)")).reshape(-1, 2), ask(page, "view.plane.size")
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e9 * np.eye(len(places))
    row = int(gaps.min(axis=1).argmax())  # the dot that is farthest from all others
    page.mouse.click(*at(page, *(places[row] / side)))
    page.wait_for_timeout(100)
    assert code(page) == pytest.approx(ask(page, f"[view.codes[2 * {row}], view.codes[2 * {row} + 1]]"))
    number = ask(page, f"view.message.arrays.rows[{row}]")
    expect(page.locator(".near")).to_contain_text(f"This is test image #{number}")
    touch(page, [at(page, 0.5, 0.5)])  # from here on the page has the larger targets of a touch screen
    surface(page).scroll_into_view_if_needed()
    before = surface(page).bounding_box()
    touch(page, [at(page, 0.3, y) for y in np.linspace(0.3, 0.75, 10)])
    assert surface(page).bounding_box() == before
    assert code(page) == pytest.approx([-0.523, -0.673], abs=0.03)
    assert in_address(page, "z") is not None


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
    assert in_address(page, "z") == "0.8_-0.4"
    status = re.compile(r"^z1 = 0\.80, z2 = −0\.40\. Distance from the mean .*: 0\.89 sd; .* farther\. Prior density")
    expect(page.locator(".latent [role=status]")).to_have_text(status)


def test_sliders_freeze_randomise_reset_and_start_from_rows(opened):
    page = opened("sliders", SLIDERS)
    pad, other = ask(page, "view.pad"), ask(page, "[...view.sliders.keys()][0]")
    page.get_by_role("slider", name=f"z{other + 1}", exact=True).press("ArrowRight")
    held = code(page)[other]
    page.get_by_role("button", name=f"Freeze z{other + 1}", exact=True).click()
    wait_for_server(page, delay=400)
    page.get_by_role("button", name="Randomise").click()
    page.wait_for_timeout(1000)
    drawn_code = code(page)
    assert (drawn_code[other], len({round(each, 3) for each in drawn_code})) == (held, 10)
    assert in_address(page, "frozen") == str(other + 1)
    linked = [float(each) for each in in_address(page, "code").split("_")]
    assert linked == pytest.approx(drawn_code, rel=0.01, abs=1e-3)
    row = ask(page, "view.message.starts[3]")
    starts = page.get_by_role("button", name=re.compile("^Start from test image #"))
    for button, expected in (
        (starts.nth(3), f"Array.from(view.codes.subarray({row} * 10, {row} * 10 + 10))"),
        (page.get_by_role("button", name="Reset").first, "view.message.axes.map((axis) => axis.start)"),
    ):
        button.click()
        page.wait_for_timeout(1000)
        values = ask(page, expected)
        values[other] = held
        assert code(page) == pytest.approx(values, abs=1e-5)
    drag(page, (0.5, 0.5), (1, 0))
    assert [code(page)[k] for k in pad] == pytest.approx([ask(page, f"view.message.axes[{k}].high") for k in pad])


def test_draws_given_what_is_frozen_follow_the_fitted_gaussian(opened):
    page = opened("sliders", f"{SLIDERS}&frozen=1_2_3")
    draw = "Array.from({ length: 4000 }, () => (view.randomise(), view.last))"
    draws = np.array(ask(page, f"((view.go = (z) => (view.last = z)), {draw})"))
    covariance = np.array(ask(page, "Array.from(view.covariance)")).reshape(10, 10)
    mean, at_code = np.array(ask(page, "Array.from(view.mean)")), np.array(code(page))
    frozen, free = np.arange(3), np.arange(3, 10)
    gain = covariance[np.ix_(free, frozen)] @ np.linalg.inv(covariance[np.ix_(frozen, frozen)])
    expected = mean[free] + gain @ (at_code[frozen] - mean[frozen])
    sd = np.sqrt(np.diag(covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(frozen, free)]))
    assert draws[:, :3] == pytest.approx(np.tile(at_code[:3], (4000, 1)), abs=0.02)
    assert (np.abs(draws[:, 3:].mean(axis=0) - expected) / sd).max() < 0.1
    assert draws[:, 3:].std(axis=0) / sd == pytest.approx(np.ones(7), abs=0.1)


def test_sliders_name_what_is_active_and_how_far_out_a_code_is(opened):
    page = opened("sliders", "data=mnist&size=30")
    notes = page.locator(".pad-choice .note")
    for k, d in enumerate(ask(page, "view.message.order.slice(0, 2)")):
        expect(notes.nth(k)).to_have_text(f"variance {ask(page, f'view.message.axes[{d}].note')}")
    # A draw of 30 normal numbers is about the root of 30 away from 0.
    expect(page.locator(".words")).to_contain_text("(typical: 5.5 sd)")
    idle = ask(page, "view.message.axes.filter((axis) => !axis.active).length")
    assert idle > 0
    summary = page.locator(".more summary", has_text="inactive")
    expect(summary).to_contain_text(f"{idle} inactive: z")
    summary.click()
    assert page.locator(".more[open] .slider").count() == idle
    # Shares of draws farther out are those of a chi-square distribution.
    sizes, squares = [1, 2, 3, 10, 16, 31], [0.01, 1, 5, 20, 60]
    found = page.evaluate(
        """async ([source, sizes, squares]) => {
        const file = new Blob([source], { type: "text/javascript" });
        const module = await import(URL.createObjectURL(file));
        return sizes.map((k) => squares.map((x) => module.farther(x, k))); }""",
        [components.read_source("latent", "js"), sizes, squares],
    )
    np.testing.assert_allclose(found, chi2.sf(squares, np.array(sizes)[:, None]), rtol=0, atol=1e-6)


def test_a_convolutional_gan_is_computed_by_the_server(opened):
    # The GANs of equal budgets are dense: the browser decodes them itself.
    page = opened("sliders", "data=mnist&size=10&morph=gan&budget=best effort")
    expect(page.get_by_text("the server computes each image")).to_be_visible()
    estimator = get_shipped("mnist", "gan", 10, is_best_effort=True)

    def assert_same():
        page.wait_for_function(f"() => {{ const view = {VIEW}; return view.turn === '' && !view.morphing; }}")
        expect(page.locator(".waiting")).to_be_hidden(timeout=DRAWN)
        wait_for_server(page, delay=400)
        z = np.array([[float(f"{each:.4g}") for each in code(page)]])
        painted = np.array(ask(page, "Array.from(view.decoded)"))
        assert np.abs(painted / 255 - estimator.inverse_transform(z)[0]).max() < 3e-3

    assert_same()
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.8, 0.3))
    assert_same()
    # After another scene the same code is asked for anew.
    for name in ("VAE", "GAN"):
        page.get_by_role("radiogroup", name="Method").get_by_role("radio", name=name, exact=True).click()
        wait_for_server(page, delay=400)
        drawn(page)
    assert_same()
    expect(page.locator(".lacking")).to_have_text("No encoder, so no test rows here: drag.")


def test_a_convolutional_plane_is_computed_by_the_server(opened, shipped, request):
    params = {"n_components": 2, "epochs": 1, "width": 32, "layers": 2, "network": "conv"}
    run = fit(shipped.runs, datasets.load("digits"), "vae", params, first_only=True)
    place = layout.place_of(shipped.runs, run.spec)
    request.addfinalizer(partial(shutil.rmtree, place))
    page = opened("manifold", f"data=digits&size=2&vae={permalinks.encode(run.spec)}")
    expect(page.get_by_text("the server computes each image")).to_be_visible(timeout=DRAWN)
    # A pixel lies between small images.
    pixels = np.array(ask(page, PIXELS.format("view.grid", 12 * 9, 12 * 9)))
    cells = pixels.reshape(12, 9, 12, 9).swapaxes(1, 2)[:, :, :8, :8].reshape(144, 64)
    places = decoder_export.place_grid_columns(12, -3, 3, is_prior=True)
    images = reader.read_estimator(place).inverse_transform(decoder_export.make_grid(places, places))
    assert np.abs(cells - 255 * images).max() <= 1.5
