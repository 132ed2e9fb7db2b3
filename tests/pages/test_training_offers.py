"""Train all: its requests to the queue, and the page while it trains."""

import pytest

from core import datasets
from core.errors import HourglassError
from core.runs import presets, specs
from core.tasks import queue, requests, task_files, worker_process
from pages.ui.shared import training_offers, training_queue
from tests.pages.conftest import fit
from tests.pages.driver import opened, opened_on
from tests.pages.test_training import again


@pytest.fixture
def nothing_trained(no_shipped_runs, tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    monkeypatch.setattr(training_offers, "measure_speed", lambda: False)
    monkeypatch.setattr(datasets, "is_available", lambda name: True)
    training_queue._listed.clear()
    return tmp_path / "runs"


def pressed(app) -> list[queue.Task]:
    app.press("Train all")
    return queue.list_tasks()


def test_every_fitting_method_is_queued_at_the_size_shown(nothing_trained):
    for data, size, names in (("olivetti", 10, "pca linear_ae ae vae gan"), ("reuters-r8", 2, "lsa ae vae")):
        queued = [job.spec for job in pressed(opened(data=data, size=str(size))) if job.spec.dataset == data]
        assert [spec.method for spec in queued] == names.split()
        # A GAN's own runs stand at every size.
        assert {spec.param("n_components") for spec in queued if spec.method != "gan"} == {size}
        networks = [dict(spec.params) for spec in queued if spec.param("layers")]
        assert len({(n["width"], n["layers"], n["epochs"], n["batch_size"]) for n in networks}) == 1
    app = opened_on("pages/reconstructions.py", data="fashion-sample").expect("No method is trained on")
    assert "Train all" in app.labels()


def test_page_fills_and_names_failures_until_dismissed(nothing_trained, monkeypatch):
    app = opened(data="digits", size="2")
    queued = pressed(app)
    assert f"0 of {len(queued)} methods trained" in app.get("progress")[0].proto.text
    fit(nothing_trained, datasets.load("digits"), "pca", {"n_components": 2})
    task_files.remove_task(queued[0].folder)
    task_files.end_task(queued[1].folder, queue.FAILED, "It *diverged*.")
    again(app)
    assert f"1 of {len(queued) - 1} methods trained" in app.get("progress")[0].proto.text
    assert app.read_html().count('class="hg-map"') == 1
    app.expect("It *diverged*.").press("Dismiss")
    again(app).lack("diverged")
    assert len(queue.list_tasks()) == len(queued) - 2, "the others wait on"


def test_stop_cancels_what_nobody_else_requested(nothing_trained):
    app = opened(data="digits", size="2")
    queued = pressed(app)
    requests.request_trainings([queued[1].spec], "somebody")
    again(app).press("Stop")
    assert [(left.key, left.people) for left in queue.list_tasks()] == [(queued[1].key, ("somebody",))]


def test_workshop_trainings_are_quick_and_count_as_one(nothing_trained, monkeypatch):
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    queued = pressed(opened(data="digits", size="2"))
    assert [job.spec for job in queued] == presets.list_specs("digits", 2, presets.SECONDS)
    with pytest.raises(HourglassError, match="each person has one"):
        requests.request_trainings([specs.make("digits", "pca")], *queued[0].people, one_a_person=True)


def test_trainings_are_queued_all_or_none(nothing_trained):
    waiting = [specs.make("digits", "pca", {}, seed) for seed in range(requests.MOST_WAITING - 2)]
    requests.request_trainings(waiting, "somebody")
    opened(data="digits", size="2").press("Train all").expect("no room for 5 more")
    assert [job.spec for job in queue.list_tasks()] == waiting
