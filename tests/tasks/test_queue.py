"""The queue as a folder: requests, commands, and what is read there. No worker is started."""

import errno
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from core import datasets, files
from core.errors import HourglassError
from core.experiments import fit
from core.runs import store
from core.tasks import queue, requests, task_files, worker_process
from tests import trainings
from tests.trainings import App, awaited, short

ROW = {"epoch": 2.5, "step": 30, "seconds": 6.0, "rows_per_second": 100.0, "learning_rate": 0.1, "share": 0.25}


@pytest.fixture(autouse=True)
def starts(monkeypatch):
    """The workers that would have been started."""
    starts = []
    monkeypatch.setattr(worker_process, "start_worker", lambda: starts.append(task_files.queue_folder()))
    return starts


def request(seed=0, person="somebody"):
    return trainings.request(short(seed), person)


def find(seed=0):
    return queue.find_task(short(seed).key)


def folder(seed=0):
    return task_files.task_folder(short(seed).key)


def write_now(seed=0, **now):
    """Let a training look as if a process worked on it."""
    (folder(seed) / "now.json").write_text(json.dumps({"stage": "Fitting", "row": {}, **now}))


def test_damaged_files_of_a_task_do_not_stop_the_others():
    request(0), request(1)
    spec = json.loads((folder(0) / "spec.json").read_text())
    for asked in (None, "x", {}):
        (folder(0) / "spec.json").write_text(json.dumps(spec | {"asked": asked}))
        assert [task.spec.seed for task in queue.list_tasks()] == [1]
    (folder(1) / "done.json").write_text('{"state": "x"}')
    (folder(1) / "stop").write_text("paus")
    write_now(1, within=1, row=None, stage=3)
    (folder(1) / "progress.jsonl").write_text('1\nnull\n{"a": 1}\n{"epoch": [1]}\n{"epoch": 2}\n')
    task = find(1)
    assert (task.state, task.command, task.stage, task.row, task.within) == (queue.RUNNING, "", "", {}, ())
    assert queue.read_history(task.folder) == [{"epoch": 2}]
    queue.add_pending_scores("x")
    (task_files.queue_folder() / "measuring" / "x.json").write_text('{"asked": "x", "old": 2}')
    assert queue.list_pending_scores() == [queue.PendingScores("x")]


def test_queue_keeps_the_order_of_requests(monkeypatch):
    assert [request(seed).place for seed in (3, 1)] == [1, 2]
    # Even if the clock is set back.
    monkeypatch.setattr(queue.time, "time_ns", lambda: 5)
    assert request(2).place == 3
    requests.send_command(short(3).key, queue.CANCEL)
    assert [(task.spec.seed, task.place) for task in queue.list_tasks()] == [(1, 1), (2, 2)]


def test_full_queue_and_quota_refuse_requests(monkeypatch):
    for seed in range(requests.MOST_WAITING):
        request(seed)
    with pytest.raises(HourglassError, match="20 trainings are waiting, and the queue holds 20"):
        request(30)
    assert request(5, "another").place == 6
    requests.send_command(short(5).key, queue.CANCEL)
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.04")
    with pytest.raises(HourglassError, match=r"no room for 50.0 MB.*HOURGLASS_QUOTA_GB"):
        request(30)


def test_stored_run_is_trained_again_only_if_it_is_a_part(starts):
    run, arrays = fit.fit(short(), datasets.load("digits"), first_only=True)
    store.write_run(run, arrays)
    assert request() is None
    assert queue.list_tasks() == starts == []
    store.write_run(replace(run, environment={**run.environment, "stopped_early": True}), arrays)
    assert request().state == queue.QUEUED


def test_ended_trainings_are_listed_newest_first_and_resumed_last():
    states = {1: queue.PAUSED, 2: queue.STOPPED, 3: queue.FAILED}
    for seed, state in states.items():
        request(seed)
        task_files.end_task(folder(seed), state, "It failed.")
    request(4)
    assert [(task.spec.seed, task.place) for task in queue.list_tasks()] == [(4, 1), (3, 0), (2, 0), (1, 0)]
    for seed, state in states.items():
        assert (find(seed).state, find(seed).message) == (state, "It failed." if state == queue.FAILED else "")
        task = request(seed, "another")
        assert (task.place, task.people) == (seed + 1, ("another", "somebody"))
        assert sorted(path.name for path in folder(seed).iterdir()) == ["askers", "spec.json"]


def test_command_for_a_claimed_training_is_left_to_its_worker():
    request()
    with pytest.raises(HourglassError, match="Nothing was learned yet"):
        requests.send_command(short().key, queue.KEEP)
    with task_files.get_lock(short().key):
        for command in (queue.PAUSE, queue.CANCEL):
            requests.send_command(short().key, command)
            assert (find().state, find().command) == (queue.QUEUED, command)
    requests.send_command(short().key, queue.CANCEL)
    with pytest.raises(HourglassError, match="ended already"):
        requests.send_command(short().key, queue.PAUSE)


def test_concurrent_requests_are_all_kept():
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda n: request(n % 10, f"person-{n}"), range(30)))
    assert [(task.place, len(task.people)) for task in queue.list_tasks()] == [(n, 3) for n in range(1, 11)]
    before = find().people
    requests.withdraw_request(short().key, before[0])
    assert find().people == before[1:]


def test_full_disk_refuses_a_request_and_keeps_the_others(monkeypatch):
    request(1)
    for name in ("mkdir", "write_text", "touch"):
        with monkeypatch.context() as full:
            full.setattr(Path, name, Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
            with pytest.raises(HourglassError, match=r"No space left on device.*free some space .*HOURGLASS_RUNS"):
                request(2)
        assert [path.name for path in task_files.queue_folder().iterdir() if path.name != "locks"] == [short(1).key]


def test_running_training_has_its_row_and_time_left():
    request()
    write_now(row=ROW)
    task = find()
    assert (task.state, task.place, task.stage, task.row) == (queue.RUNNING, 0, "Fitting", ROW)
    assert task.seconds_left == pytest.approx(18)  # a quarter took 6 seconds
    for seconds in (-3600, 3600):  # an old sign of life, or one of a clock that was set back
        os.utime(folder() / "now.json", (time.time() + seconds,) * 2)
        task = find()
        assert (task.state, task.stage, task.row, task.seconds_left) == (queue.QUEUED, "", {}, None)


def test_training_that_ends_while_it_is_read_never_seems_to_wait(monkeypatch):
    """Its end is written before its sign of life goes; read in the other order, it would be neither."""
    request()
    write_now(row=ROW)
    genuine = files.read_json

    def end_meanwhile(path):
        document = genuine(path)
        if path.name == "done.json" and not path.exists():
            task_files.end_task(folder(), queue.PAUSED)
        return document

    monkeypatch.setattr(files, "read_json", end_meanwhile)
    assert [find().state, find().state] == [queue.RUNNING, queue.PAUSED]


def test_files_cut_short_leave_a_training_readable():
    """As a power cut leaves them."""
    request()
    for content in (b"", b'{"row": {"epoch": 1', b"\xff\xfe\x00"):
        for name in ("now.json", "done.json", "progress.jsonl", "claims"):
            (folder() / name).write_bytes(content)
        task = find()
        assert (task.state, task.message, task.row, task.within) == (queue.RUNNING, "", {}, ())
        assert queue.read_history(folder()) == []
    for document in (b"", b"{}", json.dumps({"spec": {**short().to_json(), "params": None}}).encode()):
        (folder() / "spec.json").write_bytes(document)
        assert queue.list_tasks() == []


def test_leftovers_of_a_killed_process_are_removed():
    for seed in (1, 2):
        request(seed)
        (folder(seed) / "spec.json").unlink()
    with task_files.get_lock(short(2).key):
        task_files.remove_leftovers()
    assert [folder(seed).exists() for seed in (1, 2)] == [False, True]


def test_training_held_outside_the_queue_is_paused_when_left():
    fail = lambda: pytest.fail("it waited")
    with suppress(FileNotFoundError), requests.hold_training(short(), fail) as place:
        assert (place, task_files.is_held(short().key)) == (folder(), True)
        raise FileNotFoundError("not taken for a full disk")
    assert (find().state, find().people) == (queue.PAUSED, (requests.COMMAND_LINE,))
    assert not task_files.is_held(short().key)
    requests.abandon_training(place, requests.COMMAND_LINE)
    assert not place.exists()


def test_worker_is_started_if_trainings_wait_and_none_runs(starts):
    worker_process.ensure_worker()
    assert starts == []
    request()
    with task_files.get_lock("worker"):
        worker_process.ensure_worker()
    write_now()
    with task_files.get_lock(short().key):  # a living process trains
        worker_process.ensure_worker()
    assert len(starts) == 1
    worker_process.ensure_worker()
    assert len(starts) == 2


def test_apps_look_after_the_queue_and_the_last_one_suspends_the_worker(monkeypatch, starts):
    monkeypatch.setattr(worker_process, "TEND_SECONDS", 0.01)
    suspend, locks = task_files.queue_folder() / "suspend", task_files.queue_folder() / "locks"
    watch = worker_process.AppWatch(task_files.queue_folder())
    request()
    starts.clear()
    awaited(lambda: starts, "a worker's start")
    suspend.touch()
    awaited(lambda: not suspend.exists(), "the end of the suspension")
    with App() as app, App() as another:
        app.end(signal.SIGTERM)
        assert not suspend.exists()
        # One that is killed leaves a file, and is no app any more.
        another.end()
        assert len(list(locks.glob("app-*.lock"))) == 2
    watch.end()
    assert suspend.exists()
    assert list(locks.glob("app-*.lock")) == []
    assert "hourglass-queue" not in [thread.name for thread in threading.enumerate()]
