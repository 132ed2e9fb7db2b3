"""Training in a real browser, with a real worker: what only a browser shows."""

import shutil

import pytest
from playwright.sync_api import expect

from core.runs import layout, reader, specs
from core.tasks import queue, task_files
from pages.ui.shared import permalinks
from tests.browser.conftest import DRAWN, Server, wait_for_server


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


def press(page, name: str):
    page.get_by_role("button", name=name, exact=True).first.click(timeout=DRAWN)


def see(page, text: str):
    expect(page.get_by_text(text)).to_be_visible(timeout=DRAWN)


def train(page):
    press(page, "Train")
    expect(page.locator(".hg-sketches img").first).to_be_visible(timeout=DRAWN)


def test_a_training_ends_is_replayed_and_compared_on_a_phone(visit):
    page = visit(link(), width=390)
    page.get_by_text("Parameters", exact=True).click()
    rate = page.get_by_label("Learning rate", exact=True)
    expect(rate).to_be_visible(timeout=DRAWN)
    train(page)
    page.mouse.move(0, 0)  # a chart that is pointed at would load plotly
    # The form is long where its parameters are open: it closes, and what forms comes into view.
    expect(page.get_by_role("progressbar")).to_be_in_viewport()
    expect(rate).to_have_count(0, timeout=DRAWN)
    see(page, "On the test rows: Squared error")
    wait_for_server(page, delay=1000)
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(page.get_by_label("After epoch 0")).to_be_visible(timeout=DRAWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth - e.clientWidth") == 0
    page.get_by_role("link", name="See it in Compare").click()
    expect(page.locator(".st-key-row-vae .hg-map")).to_be_visible()


def test_a_training_outlives_a_refresh_and_is_kept_resumed_and_cancelled(visit):
    page = visit(link(seed=1, epochs=1000))
    train(page)
    page.reload()
    press(page, "Stop and keep")
    see(page, "Stopped after epoch")
    press(page, "Resume")
    press(page, "Cancel")
    see(page, "Stopped after epoch")
    expect(page.get_by_role("button", name="Resume")).to_have_count(0, timeout=DRAWN)


def test_a_run_is_downloaded_deleted_and_loaded_back(visit, folder, tmp_path):
    spec = specs.make("digits", "pca", {"n_components": 2})
    page = visit(f"training?data=digits&method=pca&runs={spec.key}")
    with page.expect_download() as download:
        press(page, "Download")
    download.value.save_as(tmp_path / "run.zip")
    press(page, "Delete")
    press(page, "Delete for good")
    expect(page.get_by_role("button", name="Download", exact=True)).to_have_count(0, timeout=DRAWN)
    assert not layout.place_of(folder, spec).exists()
    # The table is drawn anew once its place is seen; a drawer that opens before that closes with it.
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible(timeout=DRAWN)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.get_by_text("Load a run", exact=True).click()
    upload = page.locator("input[type=file]")
    upload.set_input_files(tmp_path / "run.zip")
    press(page, "Load it")
    see(page, "Its metrics were measured again here")
    assert reader.read_run(layout.place_of(folder, spec)).environment["loaded"]
    upload.set_input_files({"name": "bad.zip", "mimeType": "application/zip", "buffer": b"no zip"})
    press(page, "Load it")
    expect(page.get_by_role("alert").filter(has_text="zip")).to_be_visible(timeout=DRAWN)


def test_the_app_takes_its_worker_along(folder, tmp_path_factory, browser):
    runs = shutil.copytree(folder, tmp_path_factory.mktemp("other") / "runs")
    shutil.rmtree(runs / ".jobs", ignore_errors=True)
    with Server(runs, tmp_path_factory.mktemp("server")) as server:
        page = browser.new_page()
        page.goto(f"{server.url}/{link(seed=7, epochs=1000)}")
        press(page, "Train")
        expect(page.get_by_role("button", name="Stop and keep")).to_be_visible(timeout=DRAWN)
        page.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(runs))
        with task_files.get_lock("worker").acquire(timeout=20):
            (job,) = queue.list_tasks()
    assert job.state in (queue.QUEUED, queue.RUNNING)
    assert job.has_checkpoint
