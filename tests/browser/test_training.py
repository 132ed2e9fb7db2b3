"""Training in a real browser, with a real worker: what only a browser shows."""

import shutil

import pytest
from playwright.sync_api import expect

from core.runs import layout, reader, specs
from pages.ui.shared import permalinks
from tests.browser.conftest import DRAWN, Server


@pytest.fixture(scope="module")
def folder(fitted, tmp_path_factory):
    """The fitted runs again, so that those made here do not stay."""
    return shutil.copytree(fitted, tmp_path_factory.mktemp("trained") / "runs")


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    with Server(folder, tmp_path_factory.mktemp("server")) as server:
        yield server


def link(seed: int = 0, **params) -> str:
    spec = specs.make("digits", "vae", {"epochs": 40, "width": 32, "batch_size": 32, "n_components": 2, **params}, seed)
    return f"training?data=digits&method=vae&spec={permalinks.encode(spec)}"


def train(page):
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".hg-sketches img").first).to_be_visible(timeout=DRAWN)


def finished(page):
    expect(page.get_by_text("On the test rows: Squared error")).to_be_visible(timeout=DRAWN)


def test_first_visit_by_deep_link_is_quiet_and_fits(visit, server):
    keys = ",".join(specs.make("digits", "ae", {"n_components": k, "epochs": 2, "width": 32}).key for k in (2, 10))
    page = visit(f"training?data=digits&method=ae&runs={keys}", width=390)
    assert page.get_by_test_id("stException").count() == 0
    expect(page.get_by_role("radio", name="AE", exact=True)).to_have_attribute("aria-checked", "true")
    expect(page.locator(".js-plotly-plot").last).to_be_visible(timeout=DRAWN)
    page.get_by_text("Parameters", exact=True).click()
    expect(page.get_by_label("Learning rate", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert page.noise == []
    assert server.complaints() == []


def test_a_training_ends_is_replayed_and_compared(visit):
    page = visit(link(), width=800)
    page.get_by_text("Parameters", exact=True).click()
    expect(page.get_by_label("Learning rate", exact=True)).to_be_visible(timeout=DRAWN)
    train(page)
    # The form is long where its parameters are open: it closes, and what forms comes into view.
    expect(page.get_by_role("progressbar")).to_be_in_viewport()
    expect(page.get_by_label("Learning rate", exact=True)).to_have_count(0)
    expect(page.locator(".hg-forming")).to_be_visible(timeout=DRAWN)
    finished(page)
    last = page.locator(".hg-forming").get_attribute("src")
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".hg-forming")).not_to_have_attribute("src", last, timeout=DRAWN)
    expect(page.get_by_label("After epoch 0")).to_be_visible()
    page.get_by_role("link", name="See it in Compare").click()
    expect(page.locator(".st-key-row-vae .hg-map")).to_be_visible()
    assert page.noise == []


def test_a_training_outlives_a_refresh_and_is_shared(visit):
    page = visit(link(seed=1, epochs=1000))
    train(page)
    page.reload()
    expect(page.get_by_role("button", name="Stop and keep")).to_be_visible(timeout=DRAWN)
    other = visit(link(seed=1, epochs=1000))
    expect(other.get_by_text("Training now: another person asked for it")).to_be_visible()
    other.get_by_role("button", name="Show progress", exact=True).first.click()
    expect(other.get_by_text("One other person watches this training too")).to_be_visible(timeout=DRAWN)
    other.get_by_role("button", name="Stop and keep").click()
    expect(other.get_by_text("Stop and keep it for all?")).to_be_visible()
    other.get_by_role("button", name="Stop and keep for all").click()
    expect(page.get_by_text("Stopped after epoch")).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Cancel", exact=True).click(timeout=DRAWN)
    page.get_by_role("button", name="Cancel for all").click(timeout=DRAWN)
    expect(page.get_by_text("Stopped after epoch")).to_be_visible(timeout=DRAWN)
    expect(page.get_by_role("button", name="Resume")).to_have_count(0, timeout=DRAWN)


def test_a_run_is_downloaded_deleted_and_loaded_back(visit, folder, tmp_path):
    spec = specs.make("digits", "pca", {"n_components": 2})
    page = visit(f"training?data=digits&method=pca&runs={spec.key}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(tmp_path / "run.zip")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("button", name="Download", exact=True)).to_have_count(0, timeout=DRAWN)
    assert not layout.place_of(folder, spec).exists()
    # The table is drawn anew once its place is seen; a drawer that opens before that closes with it.
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=DRAWN)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.get_by_text("Load a run", exact=True).click()
    page.locator("input[type=file]").set_input_files(tmp_path / "run.zip")
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_text("Its metrics were measured again here")).to_be_visible(timeout=DRAWN)
    assert reader.read_run(layout.place_of(folder, spec)).environment["loaded"]
    page.locator("input[type=file]").set_input_files(
        {"name": "bad.zip", "mimeType": "application/zip", "buffer": b"no zip"}
    )
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_role("alert").filter(has_text="zip")).to_be_visible(timeout=DRAWN)


def test_the_app_takes_its_worker_along(folder, tmp_path_factory, browser):
    from core.tasks import queue, task_files

    runs = shutil.copytree(folder, tmp_path_factory.mktemp("other") / "runs")
    shutil.rmtree(runs / ".jobs", ignore_errors=True)
    with Server(runs, tmp_path_factory.mktemp("server")) as server:
        page = browser.new_page()
        page.goto(f"{server.url}/{link(seed=7, epochs=1000)}")
        page.get_by_role("button", name="Train", exact=True).click(timeout=DRAWN)
        expect(page.get_by_role("button", name="Stop and keep")).to_be_visible(timeout=DRAWN)
        page.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(runs))
        with task_files.get_lock("worker").acquire(timeout=20):
            (job,) = queue.list_tasks()
    assert job.state in (queue.QUEUED, queue.RUNNING)
    assert job.has_checkpoint
