"""Dragging in latent space in a real browser: its pictures are the estimator's, and what is done with it stays."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from core import datasets, portable, store
from tests.browser.conftest import DRAWN, ROOT, Server
from tests.pages.conftest import fit

CLOSE = 1e-3  # of a pixel in [0, 1]
SHARE = "Share this"
PIXELS = "Array.from({}.getContext('2d').getImageData(0, 0, {}, {}).data)"
VIEW = "[...hourglassLatent.views][0]"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The shipped runs, and a convolutional VAE of digits as this person's."""
    folder = tmp_path_factory.mktemp("runs")
    params = {"n_components": 2, "epochs": 1, "width": 32, "layers": 2, "network": "conv", "augment": 0.25}
    fit(folder, datasets.load("digits"), "vae", params)
    server = Server(ROOT, folder, tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()
    assert server.complaints() == []


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


def shipped(dataset: str, method: str, size: int):
    runs, _ = store.index()
    run = next(run for run in store.pick(runs, dataset, method, size) if store.is_shipped(run.key))
    return store.estimator(store.SHIPPED / run.key)


def settled(page):
    """What was done is at the server, and answered."""
    page.wait_for_timeout(400)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=DRAWN)
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')", timeout=DRAWN)
    page.wait_for_timeout(100)


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


# --- The same pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "method", "size", "section"),
    [
        ("mnist", "vae", 2, "manifold&data=mnist"),
        ("mnist", "ae", 10, "sliders&data=mnist&size=10&morph=ae"),
        ("frey", "vae", 2, "manifold&data=frey"),
        ("mnist", "pca", 10, "sliders&data=mnist&size=10&morph=pca"),
        ("digits", "linear_ae", 2, "manifold&data=digits&plane=linear_ae"),
    ],
)
def test_the_browser_decodes_as_the_estimator_does(opened, dataset, method, size, section):
    page = opened(section)
    estimator = shipped(dataset, method, size)
    decoder = portable.decoder_of(estimator)
    Z = np.random.default_rng(0).standard_normal((12, size)) * (1.5 if method == "vae" else 3)
    Z[0] = 0
    Z = np.concatenate([Z, [np.full(size, 40.0)]])  # far out, where a sigmoid's argument is large
    found = page.evaluate(f"Z => Z.map((z) => Array.from({VIEW}.decoder.decode(new Float32Array(z))))", Z.tolist())
    expected = estimator.inverse_transform(Z)
    assert np.abs(np.array(found)[:-1] - expected[:-1]).max() < CLOSE
    assert np.abs(np.array(found)[:-1] - decoder.decode(Z[:-1])).max() < CLOSE
    assert np.allclose(found[-1], expected[-1], atol=CLOSE, rtol=CLOSE)
    assert page.noise == []


def test_what_is_painted_is_what_is_decoded(opened):
    page = opened("manifold", "data=mnist&z=1_0.5")
    painted = ask(page, PIXELS.format("view.picture", 28, 28))
    expected = shipped("mnist", "vae", 2).inverse_transform(np.array([[1, 0.5]]))[0]
    assert np.abs(np.array(painted).reshape(-1, 4)[:, 0] - 255 * expected).max() <= 1


def test_the_grid_behind_holds_equal_shares_of_the_prior(opened):
    page = opened("manifold", "data=mnist")
    grid = np.array(
        ask(
            page,
            f"{PIXELS.format('view.grid', 560, 560)}.filter((_, k) => k % 4 === 0)",
        )
    ).reshape(560, 560)
    places = portable.grid_places(20, -3, 3, is_prior=True)
    expected = 255 * shipped("mnist", "vae", 2).inverse_transform(portable.grid(places, places))
    for line, column in ((0, 0), (0, 19), (19, 0), (10, 7)):
        cell = grid[28 * line : 28 * (line + 1), 28 * column : 28 * (column + 1)]
        assert np.abs(cell.ravel() - expected[20 * line + column]).max() <= 1.5, (line, column)


# --- Dragging -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1440, 390])
def test_by_mouse_the_picture_follows_and_the_code_ends_in_the_address(opened, width):
    page = opened("manifold", "data=mnist", width=width)
    settled(page)
    frames = ask(page, "view.frames")
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.75, 0.25))
    page.wait_for_timeout(100)
    assert ask(page, "view.frames") > frames + 5
    # Three quarters of the plane are z = 0.67, three quarters of the draws of N(0, 1) lie below.
    assert code(page) == pytest.approx([0.673, 0.673], abs=0.02)
    expect(page.locator(".coordinates")).to_have_text(re.compile(r"^z = \(0\.6\d, 0\.6\d\)$"))
    settled(page)
    assert [float(part) for part in asked(page, "z").split("_")] == pytest.approx(code(page), abs=0.002)
    assert page.noise == []


def test_by_touch_it_follows_and_does_not_scroll(opened):
    page = opened("manifold", "data=digits", width=390, height=800)
    settled(page)
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    surface(page).scroll_into_view_if_needed()
    before = surface(page).bounding_box()
    path = [at(page, 0.3, y) for y in np.linspace(0.3, 0.75, 10)]
    points = [[{"x": x, "y": y}] for x, y in path]
    for kind, where in (("touchStart", points[0]), *(("touchMove", each) for each in points[1:]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})
    assert surface(page).bounding_box() == before
    assert code(page) == pytest.approx([-0.523, -0.673], abs=0.03)
    settled(page)
    assert asked(page, "z") is not None
    assert page.noise == []


def test_by_keyboard(opened):
    page = opened("manifold", "data=mnist")
    surface(page).focus()
    for key, times in (("ArrowRight", 3), ("ArrowUp", 2), ("Shift+ArrowRight", 1), ("Shift+ArrowDown", 2)):
        for _ in range(times):
            page.keyboard.press(key)
    assert code(page) == pytest.approx([0.8, -0.8])
    for _ in range(20):
        page.keyboard.press("Shift+ArrowLeft")
    assert code(page)[0] == -3
    settled(page)
    assert asked(page, "z") == "-3_-0.8"
    expect(page.locator(".latent [role=status]")).to_have_text(
        re.compile("z1 = −3.00, z2 = −0.80.*standard deviations")
    )
    assert surface(page).evaluate("each => each.getRootNode().activeElement === each")
    page.keyboard.press("Home")
    assert code(page) == [0, 0]
    assert page.noise == []


def test_a_click_on_a_dot_shows_that_row(opened):
    page = opened("manifold", "data=digits&behind=rows")
    settled(page)
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
    expect(page.locator(".near")).to_contain_text(f"This is test row {number}")
    expect(page.locator(".near-picture")).to_be_visible()


def test_what_was_done_outlives_reruns_and_other_pages(opened):
    page = opened("manifold", "data=mnist")
    drag(page, (0.3, 0.3), (0.6, 0.8))
    page.get_by_role("button", name="Test rows").click()
    settled(page)
    before = code(page)
    page.get_by_text("Share this view").click()  # a rerun
    settled(page)
    assert code(page) == before
    assert f"z={asked(page, 'z')}" in page.get_by_test_id("stCode").inner_text()
    page.get_by_role("radio", name="PCA").click()
    settled(page)
    drawn(page)
    assert asked(page, "z") is None
    page.get_by_role("radio", name="VAE").click()
    settled(page)
    drawn(page)
    assert code(page) == pytest.approx(before, abs=1e-3)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("Repeat this")).to_be_visible(timeout=DRAWN)
    page.get_by_role("link", name="Generation").click()
    drawn(page)
    assert code(page) == pytest.approx(before, abs=1e-3)
    assert ask(page, "view.behind") == "rows"
    assert page.noise == []


def test_a_link_opens_what_was_shared(opened):
    page = opened("manifold", "data=mnist&z=0.52_-1.3&behind=both")
    assert code(page) == [0.52, -1.3]
    assert ask(page, "view.behind") == "both"
    expect(page.locator(".words")).to_contain_text("1.40 standard deviations")
    # exp(-r^2 / 2) of the draws from N(0, I) lie farther than r from the middle
    expect(page.locator(".words")).to_contain_text("38 % of its draws lie farther out")
    assert page.noise == []


# --- Sliders --------------------------------------------------------------------------------------------------------


def test_sliders_freeze_randomise_reset_and_real_rows(opened):
    page = opened("sliders", "data=mnist&size=10&morph=ae")
    settled(page)
    first, second = ask(page, "view.pad")
    other = ask(page, "[...view.sliders.keys()][0]")
    page.get_by_role("slider", name=f"z{other + 1}", exact=True).focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    held = code(page)[other]
    page.get_by_role("button", name=f"Freeze z{other + 1}", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Randomise").click()
    page.wait_for_timeout(1000)
    drawn_code = code(page)
    assert drawn_code[other] == held
    assert len({round(each, 3) for each in drawn_code}) == 10
    settled(page)
    assert asked(page, "frozen") == str(other + 1)
    assert [float(each) for each in asked(page, "code").split("_")] == pytest.approx(drawn_code, rel=0.01, abs=1e-3)
    page.get_by_role("button", name=re.compile("^Start from test row")).nth(3).click()
    page.wait_for_timeout(1000)
    row = ask(page, "view.message.starts[3]")
    expected = ask(page, f"Array.from(view.codes.subarray({row} * 10, {row} * 10 + 10))")
    expected[other] = held
    assert code(page) == pytest.approx(expected, abs=1e-5)
    page.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(1000)
    expected = ask(page, "view.message.axes.map((axis) => axis.start)")
    expected[other] = held
    assert code(page) == pytest.approx(expected)
    drag(page, (0.5, 0.5), (1, 0))
    assert code(page)[first] == pytest.approx(ask(page, f"view.message.axes[{first}].high"))
    assert code(page)[second] == pytest.approx(ask(page, f"view.message.axes[{second}].high"))
    assert page.noise == []


def test_draws_given_what_is_frozen_follow_the_fitted_gaussian(opened):
    page = opened("sliders", "data=mnist&size=10&morph=ae&frozen=1_2_3")
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
    spread = covariance[np.ix_(free, free)] - gain @ covariance[np.ix_(frozen, free)]
    assert draws[:, :3] == pytest.approx(np.tile(at_code[:3], (4000, 1)), abs=0.02)
    sd = np.sqrt(np.diag(spread))
    assert (np.abs(draws[:, 3:].mean(axis=0) - expected) / sd).max() < 0.1
    assert draws[:, 3:].std(axis=0) / sd == pytest.approx(np.ones(7), abs=0.1)


def test_shares_of_a_gaussian_farther_out_are_those_of_chi_square(opened):
    from scipy.stats import chi2

    page = opened("sliders", "data=digits&size=10")
    source = (ROOT / "assets" / "components" / "latent.js").read_text()
    found = page.evaluate(
        """async (source) => {
        const file = new Blob([source], { type: "text/javascript" });
        const module = await import(URL.createObjectURL(file));
        return [1, 2, 3, 10, 16, 31].map((k) => [0.01, 1, 5, 20, 60].map((x) => module.farther(x, k))); }""",
        source,
    )
    expected = [[chi2.sf(x, k) for x in (0.01, 1, 5, 20, 60)] for k in (1, 2, 3, 10, 16, 31)]
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-6)


def test_the_pad_says_how_much_its_numbers_do(opened):
    page = opened("sliders", "data=mnist&size=10")
    first, second = ask(page, "view.message.order.slice(0, 2)")
    notes = page.locator(".pad-choice .note")
    for k, d in enumerate((first, second)):
        expect(notes.nth(k)).to_have_text(f"variance {ask(page, f'view.message.axes[{d}].note')}")
    words = page.locator(".controls > .note")
    expect(words).to_have_text(re.compile(r"^z\S+ and z\S+, the most active, are on the pad\.$"))
    page.get_by_role("combobox", name="Dimension across the pad").select_option(index=5)
    expect(words).to_have_text(re.compile(r"^z\S+ and z\S+ are on the pad\.$"))
    # A draw of ten normal numbers is the root of ten away from 0, in the root of the mean square.
    expect(page.locator(".words")).to_contain_text("(a typical draw is about 3.2 away)")
    expect(page.locator(".lacking")).to_be_hidden()
    assert page.noise == []


def test_inactive_numbers_are_named_and_folded_away(opened):
    page = opened("sliders", "data=mnist&size=30")
    idle = ask(page, "view.message.axes.filter((axis) => !axis.active).length")
    assert idle > 0
    summary = page.locator(".more summary", has_text="inactive")
    expect(summary).to_contain_text(f"{idle} inactive: z")
    assert page.locator(".controls > .list .slider:not(.head)").count() == min(12, 28 - idle)
    summary.click()
    assert page.locator(".more[open] .slider").count() == idle
    assert page.noise == []


# --- Answered by the server -----------------------------------------------------------------------------------------


def test_a_convolutional_gan_is_drawn_by_the_server(opened):
    page = opened("sliders", "data=mnist&size=10&morph=gan")
    expect(page.get_by_text("the server draws each picture")).to_be_visible()
    estimator = shipped("mnist", "gan", 10)

    def matches():
        page.wait_for_function(f"() => {{ const view = {VIEW}; return view.turn === '' && !view.morphing; }}")
        settled(page)
        z = np.array([[float(f"{each:.4g}") for each in code(page)]])
        painted = np.array(ask(page, "Array.from(view.decoded)"))
        return np.abs(painted / 255 - estimator.inverse_transform(z)[0]).max() < 3e-3

    assert matches()
    frames = ask(page, "view.frames")
    drag(page, (0.2, 0.2), (0.5, 0.5), (0.8, 0.3))
    assert matches()
    assert ask(page, "view.frames") > frames
    page.get_by_role("button", name="Randomise").click()
    page.wait_for_timeout(500)
    assert matches()
    assert page.noise == []


def test_a_gan_is_drawn_again_after_another_scene(opened):
    """Its code is the same as before, which the server is asked for anew."""
    page = opened("sliders", "data=mnist&size=10&morph=gan")
    methods = page.get_by_role("radiogroup", name="Method").get_by_role("radio")
    first = ask(page, "Array.from(view.decoded)")
    for method in ("VAE", "GAN"):
        methods.and_(page.get_by_role("radio", name=method, exact=True)).click()
        settled(page)
        drawn(page)
    expect(page.locator(".waiting")).to_be_hidden(timeout=DRAWN)
    assert ask(page, "Array.from(view.decoded)") == first
    expect(page.locator(".lacking")).to_have_text("No encoder, so no test rows here: drag.")
    assert page.locator(".plane").bounding_box()["width"] < 260
    # The same code of other data's GAN.
    scene = ask(page, "view.message.id")
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Fashion-MNIST", exact=True).click()
    page.wait_for_function(f"() => {VIEW}?.message.id !== '{scene}'", timeout=DRAWN)
    drawn(page)
    expect(page.locator(".waiting")).to_be_hidden(timeout=DRAWN)
    expected = shipped("fashion-mnist", "gan", 10).inverse_transform(np.array([code(page)]))[0]
    assert np.abs(np.array(ask(page, "Array.from(view.decoded)")) / 255 - expected).max() < 3e-3
    assert page.noise == []


def test_a_convolutional_plane_is_drawn_by_the_server(opened):
    runs = [run for run in store.index()[0] if run.spec.param("network") == "conv"]
    assert all(run.spec.method == "gan" for run in runs)
    page = opened("manifold", "data=digits&size=2")
    page.get_by_role("button", name="Choose runs").click()
    page.get_by_role("combobox", name="VAE").click()
    page.get_by_role("option", name=re.compile("^own run")).click()
    page.keyboard.press("Escape")
    settled(page)
    expect(page.get_by_text("the server draws each picture")).to_be_visible(timeout=DRAWN)
    drawn(page)
    assert ask(page, "view.grid.width") == 12 * 9
    first = ask(page, "Array.from(view.decoded)")
    drag(page, (0.2, 0.2), (0.9, 0.9))
    settled(page)
    assert ask(page, "Array.from(view.decoded)") != first
    assert page.noise == []
