"""The queue as a folder: who asks, what stands there, and what is read of it. No worker is started here."""

import errno
import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from core import datasets, files
from core.analysis import snapshots
from core.errors import BadInput, HourglassError
from core.experiments import fit
from core.runs import store
from core.tasks import computation, queue, requests, task_files, worker_process
from tests.conftest import locked
from tests.trainings import PATIENCE, App, awaited, processes_of, short

GENUINE_START = worker_process.start_worker


@pytest.fixture(autouse=True)
def starts(monkeypatch):
    """The workers that would have been started."""
    starts = []
    monkeypatch.setattr(worker_process, "start_worker", lambda: starts.append(task_files.queue_folder()))
    return starts


@pytest.fixture
def started(monkeypatch):
    """The processes of workers that a test started; none outlives it."""
    yield from processes_of("core.tasks.worker", monkeypatch)


def queued():
    return [job.spec.seed for job in queue.list_tasks() if job.state == queue.QUEUED]


def folder(spec):
    return task_files.task_folder(spec.key)


def runs(spec, **now):
    """Let a training look as if a process worked on it."""
    (folder(spec) / "now.json").write_text(json.dumps({"stage": "Fitting", "row": {}, **now}))


def ended(spec, state, message=""):
    task_files.end_task(folder(spec), state, message)


ROW = {"epoch": 2.5, "step": 30, "seconds": 6.0, "rows_per_second": 100.0, "learning_rate": 0.1, "share": 0.25}


# Asking


def test_trainings_stand_in_the_order_in_which_they_were_asked_for():
    assert [requests.request_training(short(seed), "somebody").place for seed in (3, 1, 2)] == [1, 2, 3]
    assert queued() == [3, 1, 2]
    assert [job.place for job in queue.list_tasks()] == [1, 2, 3]
    requests.send_command(short(3).key, queue.CANCEL)
    assert queue.find_task(short(2).key).place == 2


def test_who_comes_later_stands_behind_whatever_the_clock_says(monkeypatch):
    requests.request_training(short(1), "somebody")
    monkeypatch.setattr(queue.time, "time_ns", lambda: 5)
    requests.request_training(short(2), "somebody")
    requests.request_training(short(3), "somebody")
    assert queued() == [1, 2, 3]


def test_the_same_training_is_shared_and_each_may_leave_it():
    requests.request_training(short(), "one")
    assert requests.request_training(short(), "two").people == ("one", "two")
    requests.request_training(short(), "two")
    assert len(queue.list_tasks()) == 1
    requests.withdraw_request(short().key, "one")
    assert queue.find_task(short().key).people == ("two",)
    requests.withdraw_request(short().key, "nobody")
    requests.withdraw_request("0123456789abcdef", "two")


@pytest.mark.parametrize(
    ("key", "person"), [("../../..", "x"), (short().key, "../spec.json"), (short().key, "a/b"), ("", ".")]
)
def test_nobody_withdraws_other_files(key, person):
    requests.request_training(short(), "one")
    before = sorted(task_files.queue_folder().rglob("*"))
    requests.withdraw_request(key, person)
    assert sorted(task_files.queue_folder().rglob("*")) == before


@pytest.mark.parametrize("person", ["", "a b", "../x", "é", "x" * 65, "a\n"])
def test_a_person_is_a_plain_name(person):
    with pytest.raises(BadInput, match="1 to 64 letters"):
        requests.request_training(short(), person)


def test_in_a_workshop_a_person_has_one_training_waiting():
    requests.request_training(short(1), "one", one_a_person=True)
    with pytest.raises(HourglassError, match="You have a training waiting"):
        requests.request_training(short(2), "one", one_a_person=True)
    assert requests.request_training(short(1), "one", one_a_person=True).place == 1
    assert requests.request_training(short(2), "two", one_a_person=True).place == 2
    runs(short(1))
    assert requests.request_training(short(3), "one", one_a_person=True).place == 2


def test_of_a_hundred_requests_as_many_wait_as_may_and_the_rest_is_refused_in_a_sentence(starts):
    specs = [replace(short(), seed=seed) for seed in range(100)]
    refused = []
    for spec in specs:
        try:
            requests.request_training(spec, "somebody")
        except HourglassError as problem:
            refused.append(str(problem))
    assert queued() == list(range(requests.MOST_WAITING))
    assert len(refused) == 100 - requests.MOST_WAITING
    assert set(refused) == {
        "20 trainings are waiting, and the queue holds 20: wait for one to finish, or cancel one of yours."
    }
    assert requests.request_training(specs[5], "another").place == 6
    requests.send_command(specs[0].key, queue.CANCEL)
    assert requests.request_training(specs[50], "somebody").place == 20


@pytest.fixture(scope="module")
def fitted():
    return fit.fit(short(), datasets.load("digits"))


def test_what_is_stored_is_not_trained_again(fitted, starts):
    store.write_run(*fitted)
    assert requests.request_training(short(), "somebody") is None
    assert queue.list_tasks() == starts == []


def test_what_was_stopped_and_kept_may_be_trained_to_its_end(fitted):
    run, arrays = fitted
    store.write_run(replace(run, environment={**run.environment, "stopped_early": True}), arrays)
    assert not requests.is_stored(run.key)
    assert requests.request_training(short(), "somebody").state == queue.QUEUED


@pytest.mark.parametrize("state", [queue.PAUSED, queue.STOPPED, queue.FAILED])
def test_what_has_ended_is_resumed_behind_the_others(state):
    for seed in (1, 2):
        requests.request_training(short(seed), "somebody")
    (folder(short(1)) / "claims").write_text("...")
    ended(short(1), state, "It failed.")
    job = queue.find_task(short(1).key)
    assert (job.state, job.place) == (state, 0)
    assert job.message == ("It failed." if state == queue.FAILED else "")
    assert [job.state for job in queue.list_tasks()] == [queue.QUEUED, state]
    assert requests.request_training(short(1), "another").place == 2
    assert queue.find_task(short(1).key).people == ("another", "somebody")
    assert sorted(path.name for path in folder(short(1)).iterdir()) == ["askers", "spec.json"]


def test_what_ended_is_listed_newest_first():
    for seed in (1, 2, 3):
        requests.request_training(short(seed), "somebody")
        ended(short(seed), queue.FAILED)
    assert [job.spec.seed for job in queue.list_tasks()] == [3, 2, 1]


def test_asking_for_what_is_being_stopped_takes_that_back():
    requests.request_training(short(), "somebody")
    runs(short())
    for what in (queue.PAUSE, queue.KEEP, queue.CANCEL):
        requests.send_command(short().key, what)
        assert queue.find_task(short().key).command == what
        assert requests.request_training(short(), "somebody").command == ""


def test_what_a_worker_has_just_begun_with_is_asked_of_the_worker():
    """It holds the training's lock, and has not said so yet."""
    requests.request_training(short(), "somebody")
    with task_files.get_lock(short().key):
        requests.send_command(short().key, queue.PAUSE)
        assert queue.find_task(short().key).state == queue.QUEUED
        assert queue.read_command(folder(short())) == queue.PAUSE
        requests.send_command(short().key, queue.CANCEL)
        assert queue.read_command(folder(short())) == queue.CANCEL
    requests.send_command(short().key, queue.CANCEL)
    assert queue.list_tasks() == []


def test_the_place_of_a_training_that_failed_is_held_by_nothing():
    requests.request_training(short(), "somebody")
    (folder(short()) / "checkpoint.safetensors").touch()
    ended(short(), queue.FAILED, "It diverged.")
    requests.send_command(short().key, queue.PAUSE)
    assert queue.find_task(short().key).state == queue.FAILED
    requests.send_command(short().key, queue.KEEP)
    job = queue.find_task(short().key)
    assert (job.state, job.command, job.message) == (queue.QUEUED, queue.KEEP, "")
    requests.send_command(short().key, queue.CANCEL)
    assert not folder(short()).exists()


def test_what_is_over_can_not_be_asked_for_anything():
    with pytest.raises(HourglassError, match="ended already"):
        requests.send_command(short().key, queue.PAUSE)


def test_requests_at_the_same_moment_are_all_kept_and_numbered():
    problems = []

    def ask(seed):
        try:
            requests.request_training(short(seed % 10), f"person-{seed}")
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [job.place for job in queue.list_tasks()] == list(range(1, 11))
    assert sorted(queued()) == list(range(10))
    assert {len(job.people) for job in queue.list_tasks()} == {3}


def test_a_queue_that_is_busy_too_long_is_a_sentence(monkeypatch):
    monkeypatch.setattr(task_files, "_QUEUE_SECONDS", 0.1)
    with task_files.hold_queue(), pytest.raises(HourglassError, match="busy: try again"):
        requests.request_training(short(), "somebody")


# What can't be written


def no_room(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["mkdir", "write_text", "touch"])
def test_without_room_a_request_is_refused_and_leaves_nothing(name, monkeypatch):
    requests.request_training(short(1), "somebody")
    with monkeypatch.context() as full:
        full.setattr(Path, name, no_room)
        with pytest.raises(HourglassError, match=r"No space left on device.*free some space there"):
            requests.request_training(short(2), "somebody")
    assert [path.name for path in task_files.queue_folder().iterdir() if path.name != "locks"] == [short(1).key]


def test_without_room_what_has_ended_stays_as_it_is(monkeypatch):
    requests.request_training(short(), "somebody")
    ended(short(), queue.FAILED, "The disk is full.")
    monkeypatch.setattr(Path, "write_text", no_room)
    with pytest.raises(HourglassError, match="No space left on device"):
        requests.request_training(short(), "somebody")
    assert queue.find_task(short().key).message == "The disk is full."


def test_a_full_disk_has_room_for_saying_so(monkeypatch):
    requests.request_training(short(), "somebody")
    runs(short())
    genuine = Path.write_text

    def needs_room(path, *given):
        return no_room() if (folder(short()) / "now.json").exists() else genuine(path, *given)

    monkeypatch.setattr(Path, "write_text", needs_room)
    ended(short(), queue.FAILED, "The disk is full.")
    assert queue.find_task(short().key).message == "The disk is full."
    assert sorted(path.name for path in folder(short()).iterdir()) == ["askers", "done.json", "spec.json"]


def test_above_the_quota_nothing_is_asked_for(monkeypatch):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.04")
    with pytest.raises(HourglassError, match=r"no room for 50.0 MB.*HOURGLASS_QUOTA_GB"):
        requests.request_training(short(), "somebody")
    assert queue.list_tasks() == []
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "1")
    assert requests.request_training(short(), "somebody").place == 1


def test_a_folder_that_can_not_be_written_is_a_sentence(monkeypatch, tmp_path, starts):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(HourglassError, match="set HOURGLASS_RUNS"):
        requests.request_training(short(), "somebody")
    assert queue.list_tasks() == starts == []
    worker_process.ensure_worker()
    task_files.remove_leftovers()


# Reading


def test_a_running_training_tells_how_far_it_is():
    requests.request_training(short(), "somebody")
    runs(short(), row=ROW)
    job = queue.find_task(short().key)
    assert (job.state, job.place, job.stage, job.row) == (queue.RUNNING, 0, "Fitting", ROW)
    # A quarter took 6 seconds.
    assert job.seconds_left == pytest.approx(18)
    runs(short(), row={**ROW, "share": 0.0})
    assert queue.find_task(short().key).seconds_left is None
    runs(short())
    assert queue.find_task(short().key).seconds_left is None


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_sign_of_life_of_long_ago_or_of_the_future_is_none(seconds):
    requests.request_training(short(), "somebody")
    runs(short(), row=ROW)
    then = time.time() + seconds
    os.utime(folder(short()) / "now.json", (then, then))
    job = queue.find_task(short().key)
    assert (job.state, job.stage, job.row) == (queue.QUEUED, "", {})


def test_history_has_each_epoch_once_the_later_row_of_two():
    requests.request_training(short(), "somebody")
    lines = [{"epoch": k, "step": 10 * k, "seconds": 1.0 * k, "loss": n} for n, k in enumerate((1, 2, 3, 2, 3, 4))]
    text = "\n".join(map(json.dumps, lines)) + '\n{"epoch": 5, "st'
    (folder(short()) / "progress.jsonl").write_text(text)
    rows = queue.read_history(folder(short()))
    assert [(row["epoch"], row["loss"]) for row in rows] == [(1, 0), (2, 3), (3, 4), (4, 5)]
    assert queue.read_history(task_files.queue_folder() / "none") == []


def test_a_training_that_goes_while_it_is_read_is_none(monkeypatch):
    requests.request_training(short(), "somebody")
    genuine = queue.read_command

    def goes(place):
        task_files.remove_task(place)
        return genuine(place)

    monkeypatch.setattr(queue, "read_command", goes)
    assert queue.list_tasks() == []


def test_a_training_that_ends_while_it_is_read_never_seems_to_wait(monkeypatch):
    """Its end is written before its sign of life goes; read in the other order, it would be neither."""
    requests.request_training(short(), "somebody")
    runs(short(), row=ROW)
    genuine, read = files.read_json, []

    def ends_meanwhile(path):
        read.append(path.name)
        if path.name == "done.json" and not (folder(short()) / "done.json").exists():
            found = genuine(path)
            ended(short(), queue.PAUSED)
            return found
        return genuine(path)

    monkeypatch.setattr(files, "read_json", ends_meanwhile)
    assert queue.find_task(short().key).state == queue.RUNNING
    assert queue.find_task(short().key).state == queue.PAUSED


NONSENSE = [
    b"",
    b"{",
    b"null",
    b"[1, 2]",
    b'"text"',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"a": ' * 50_000,
    b'{"row": {"epoch": "x", "seconds": [], "share": {}}, "stage": 7, "state": ["paused"], "message": {}}',
    b'{"row": {"epoch": 1, "step": 1, "seconds": 1, "share": 7, "rows_per_second": 1}, "state": "asleep"}',
    b'{"row": {"epoch": NaN, "step": 1, "seconds": 1, "share": 0.5, "rows_per_second": 1}}',
    b'{"row": {"epoch": 1' + b"0" * 400 + b', "step": 1, "seconds": 1, "share": 0.5, "rows_per_second": 1}}',
    b'{"within": {"epoch": 1}}',
    b'{"within": [1, null, {"epoch": "x"}, {"epoch": 1e999, "step": 1, "seconds": 1, "share": 0}]}',
    b'{"epoch": 1e999, "step": 1, "seconds": 2}',
    b'{"epoch": {}, "step": 1, "seconds": 2}\n{"epoch": [1]}',
    b'{"epoch": ' + b"9" * 1_000_000 + b"}\n",
]


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_its_files_leaves_a_training_readable(content, starts):
    requests.request_training(short(), "somebody")
    for name in ("now.json", "done.json", "progress.jsonl", "stop", "claims", "replay.safetensors"):
        (folder(short()) / name).write_bytes(content)
    job = queue.find_task(short().key)
    assert job.state in (queue.RUNNING, queue.QUEUED)
    assert (job.command, job.message) == ("", "")
    assert isinstance(job.stage, str)
    assert (job.row, job.within) == ({}, ())
    assert job.seconds_left is None
    assert queue.read_history(folder(short())) == []
    assert snapshots.read(folder(short())) is None
    worker_process.ensure_worker()
    with task_files.get_lock("worker"):
        worker_process.ensure_worker()
    assert requests.request_training(short(), "another").people == ("another", "somebody")
    requests.send_command(short().key, queue.CANCEL)


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_a_folder_whose_spec_is_nonsense_is_no_training(content):
    place = task_files.queue_folder() / "0123456789abcdef"
    place.mkdir(parents=True)
    (place / "spec.json").write_bytes(content)
    assert queue.list_tasks() == []
    task_files.remove_leftovers()
    assert place.exists()


@pytest.mark.parametrize(
    "asked",
    [None, "soon", float("inf"), float("nan"), [], "9" * 10_000],
    ids=["none", "text", "inf", "nan", "list", "digits"],
)
def test_a_training_asked_for_at_no_time_is_none(asked):
    requests.request_training(short(), "somebody")
    (folder(short()) / "spec.json").write_text(json.dumps({"spec": short().to_json(), "asked": asked}))
    assert queue.list_tasks() == []


@pytest.mark.parametrize("change", [{"seed": 1}, {"params": {"width": [1]}}, {"params": None}, {"dataset": None}])
def test_a_training_in_the_folder_of_another_is_none(change):
    requests.request_training(short(), "somebody")
    written = {**short().to_json(), **change}
    (folder(short()) / "spec.json").write_text(json.dumps({"spec": written, "asked": 1}))
    assert queue.list_tasks() == []


def test_files_in_the_place_of_folders_and_folders_in_that_of_files_are_passed_over(starts):
    requests.request_training(short(), "somebody")
    (task_files.queue_folder() / "0123456789abcdef").write_text("a file")
    odd = task_files.queue_folder() / "0123456789abcde0"
    (odd / "spec.json").mkdir(parents=True)
    for name in ("now.json", "done.json", "progress.jsonl", "stop", "replay.safetensors", "checkpoint.safetensors"):
        (folder(short()) / name).mkdir()
    shutil.rmtree(folder(short()) / "askers")
    (folder(short()) / "askers").write_text("a file")
    (job,) = queue.list_tasks()
    assert job.people == ()
    assert queue.read_history(job.folder) == []
    assert snapshots.read(job.folder) is None
    worker_process.ensure_worker()
    with pytest.raises(HourglassError, match="can't be written"):
        requests.request_training(short(), "somebody")


def test_a_lock_that_can_not_be_had_is_taken_for_held(starts):
    requests.request_training(short(), "somebody")
    starts.clear()
    shutil.rmtree(task_files.queue_folder() / "locks")
    (task_files.queue_folder() / "locks").write_text("in the way")
    assert task_files.is_held("worker")
    worker_process.ensure_worker()
    assert starts == []


def test_a_folder_that_may_not_be_looked_into_has_no_trainings(monkeypatch):
    requests.request_training(short(), "somebody")
    locked(monkeypatch, task_files.queue_folder())
    assert queue.list_tasks() == []
    assert queue.find_task(short().key) is None
    worker_process.ensure_worker()


def test_what_a_killed_process_left_is_swept_away():
    requests.request_training(short(1), "somebody")
    requests.request_training(short(2), "somebody")
    for seed in (1, 2):
        (folder(short(seed)) / "spec.json").unlink()
    requests.request_training(short(3), "somebody")
    with task_files.get_lock(short(2).key):
        task_files.remove_leftovers()
    assert [folder(short(seed)).exists() for seed in (1, 2, 3)] == [False, True, True]


# Outside the queue


def test_held_outside_the_queue_it_is_paused_when_left():
    with requests.hold_training(short(), lambda: pytest.fail("it waited")) as place:
        assert place == folder(short())
        assert task_files.is_held(short().key)
    job = queue.find_task(short().key)
    assert (job.state, job.people) == (queue.PAUSED, (requests.COMMAND_LINE,))
    assert not task_files.is_held(short().key)


def test_held_outside_the_queue_while_others_want_it_it_waits_on_when_left():
    requests.request_training(short(1), "somebody")
    requests.request_training(short(2), "somebody")
    with requests.hold_training(short(1), lambda: pytest.fail("it waited")):
        assert queue.list_waiting_tasks() == queue.list_tasks()
        runs(short(1))
        assert [job.spec.seed for job in queue.list_waiting_tasks()] == [2]
    requests.abandon_training(folder(short(1)), requests.COMMAND_LINE)
    assert queued() == [1, 2]
    assert queue.find_task(short(1).key).people == ("somebody",)
    with requests.hold_training(short(3), lambda: None) as place:
        runs(short(3))
        assert requests.request_training(short(3), "another").state == queue.RUNNING
    requests.abandon_training(place, requests.COMMAND_LINE)
    assert queued() == [1, 2, 3]


def test_abandoned_by_all_it_goes():
    with requests.hold_training(short(), lambda: None) as place:
        pass
    requests.abandon_training(place, requests.COMMAND_LINE)
    assert queue.list_tasks() == []
    assert not place.exists()


def test_held_by_another_it_is_waited_for_and_its_run_taken(fitted):
    run, arrays = fitted
    has, waits = threading.Event(), threading.Event()

    def finish():
        with task_files.get_lock(short().key):
            has.set()
            assert waits.wait(30)
            store.write_run(run, arrays)

    thread = threading.Thread(target=finish)
    thread.start()
    assert has.wait(30)
    with requests.hold_training(short(), waits.set) as place:
        assert place is None
    thread.join()
    assert not task_files.is_held(short().key)
    with requests.hold_training(short(), lambda: pytest.fail("it waited")) as place:
        assert place == folder(short()), "asked for again, it is trained again"


def test_what_fails_while_it_is_held_is_not_taken_for_a_full_disk():
    with pytest.raises(FileNotFoundError), requests.hold_training(short(), lambda: None):
        raise FileNotFoundError("of something else")
    assert not task_files.is_held(short().key)


# Keeping a worker at it


def test_a_worker_is_started_where_trainings_wait_and_none_works(starts):
    worker_process.ensure_worker()
    assert starts == []
    requests.request_training(short(), "somebody")
    assert starts == [task_files.queue_folder()]
    with task_files.get_lock("worker"):
        worker_process.ensure_worker()
    assert len(starts) == 1
    ended(short(), queue.PAUSED)
    worker_process.ensure_worker()
    assert len(starts) == 1


def test_what_a_dead_process_left_is_gone_on_with_and_what_a_living_one_does_is_not(starts):
    requests.request_training(short(), "somebody")
    starts.clear()
    runs(short())
    with task_files.get_lock(short().key):
        worker_process.ensure_worker()
        assert starts == []
    worker_process.ensure_worker()
    assert starts == [task_files.queue_folder()]


def test_where_the_last_app_has_closed_none_is_started(starts):
    requests.request_training(short(), "somebody")
    starts.clear()
    (task_files.queue_folder() / "suspend").touch()
    worker_process.ensure_worker()
    assert starts == []


def test_a_worker_that_can_not_begin_is_not_started_again_at_once(monkeypatch, started):
    """A real process, which ends with an error."""
    monkeypatch.setattr(worker_process, "start_worker", GENUINE_START)
    monkeypatch.setattr(computation, "_ROOT", task_files.queue_folder())
    requests.request_training(short(), "somebody")
    (process,) = started
    assert process.wait(PATIENCE) == 1
    for _ in range(5):
        worker_process.ensure_worker()
    assert len(started) == 1
    assert "core" in (task_files.queue_folder() / "worker.log").read_text()


def test_a_log_that_has_grown_large_is_begun_anew(monkeypatch):
    requests.request_training(short(), "somebody")
    log = task_files.queue_folder() / "worker.log"
    log.write_bytes(bytes(2_000_000))
    with worker_process._open_log() as out:
        out.write(b"new")
    assert log.read_bytes() == b"new"
    log.unlink()
    log.mkdir()
    with worker_process._open_log() as out:
        assert isinstance(out, int)


# Apps


@pytest.fixture
def attached(monkeypatch):
    monkeypatch.setattr(worker_process, "TEND_SECONDS", 0.01)
    worker_process.attach_app()
    yield
    worker_process.detach_app()


def watches():
    return [thread for thread in threading.enumerate() if thread.name == "hourglass-queue"]


def test_an_app_looks_after_the_queue_from_the_first_call_on(attached, starts, monkeypatch):
    worker_process.attach_app()
    assert len(watches()) == 1
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    requests.request_training(short(), "somebody")
    monkeypatch.setattr(worker_process, "start_worker", lambda: starts.append(task_files.queue_folder()))
    awaited(lambda: starts, "a worker's start")
    worker_process.detach_app()
    assert watches() == []
    assert (task_files.queue_folder() / "suspend").exists()
    worker_process.detach_app()


def test_an_app_that_opens_wakes_the_queue(starts):
    requests.request_training(short(), "somebody")
    (task_files.queue_folder() / "suspend").touch()
    starts.clear()
    worker_process.attach_app()
    awaited(lambda: starts, "a worker's start")
    assert not (task_files.queue_folder() / "suspend").exists()
    worker_process.detach_app()


def test_an_app_that_closed_just_when_this_one_opened_does_not_stop_the_queue(attached, monkeypatch):
    (task_files.queue_folder() / "suspend").touch()
    awaited(lambda: not (task_files.queue_folder() / "suspend").exists(), "that it is taken back")


def test_the_last_of_several_apps_lets_the_worker_go(attached):
    with App() as app, App() as another:
        app.close()
        assert not (task_files.queue_folder() / "suspend").exists()
        # One that is killed leaves a file, and is no app any more.
        another.kill()
        assert len(list((task_files.queue_folder() / "locks").glob("app-*.lock"))) == 2
    worker_process.detach_app()
    assert (task_files.queue_folder() / "suspend").exists()
    assert list((task_files.queue_folder() / "locks").glob("app-*.lock")) == []


@pytest.mark.parametrize("how", ["close", "terminate", "kill"])
def test_an_app_that_ends_lets_the_worker_go_but_not_one_that_is_killed(how):
    with App() as app:
        getattr(app, how)()
    assert (task_files.queue_folder() / "suspend").exists() == (how != "kill")


def test_attached_from_many_threads_at_once_it_watches_once():
    threads = [threading.Thread(target=worker_process.attach_app) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(watches()) == 1
    worker_process.detach_app()


def test_an_app_on_a_folder_that_can_not_be_written_goes_on(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
    worker_process.attach_app()
    assert len(watches()) == 1
    worker_process.detach_app()
