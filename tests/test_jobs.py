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

from core import datasets, experiments, jobs, replay, store
from core.types import BadInput, HourglassError
from tests.conftest import locked
from tests.trainings import PATIENCE, App, awaited, short

GENUINE_START = jobs.start_worker


@pytest.fixture(autouse=True)
def starts(monkeypatch):
    """The workers that would have been started."""
    starts = []
    monkeypatch.setattr(jobs, "start_worker", lambda: starts.append(jobs.root()))
    return starts


def queued():
    return [job.spec.seed for job in jobs.jobs() if job.state == jobs.QUEUED]


def folder(spec):
    return jobs.folder_of(spec.key)


def runs(spec, **now):
    """Let a training look as if a process worked on it."""
    jobs.write_json(folder(spec) / "now.json", {"stage": "Fitting", "row": {}, **now})


def ended(spec, state, message=""):
    jobs.end(folder(spec), state, message)


ROW = {"epoch": 2.5, "step": 30, "seconds": 6.0, "rows_per_second": 100.0, "learning_rate": 0.1, "share": 0.25}


# Asking


def test_trainings_stand_in_the_order_in_which_they_were_asked_for():
    assert [jobs.request(short(seed), "somebody").place for seed in (3, 1, 2)] == [1, 2, 3]
    assert queued() == [3, 1, 2]
    assert [job.place for job in jobs.jobs()] == [1, 2, 3]
    jobs.ask(short(3).key, jobs.CANCEL)
    assert jobs.find(short(2).key).place == 2


def test_who_comes_later_stands_behind_whatever_the_clock_says(monkeypatch):
    jobs.request(short(1), "somebody")
    monkeypatch.setattr(jobs.time, "time_ns", lambda: 5)
    jobs.request(short(2), "somebody")
    jobs.request(short(3), "somebody")
    assert queued() == [1, 2, 3]


def test_the_same_training_is_shared_and_each_may_leave_it():
    jobs.request(short(), "one")
    assert jobs.request(short(), "two").askers == ("one", "two")
    jobs.request(short(), "two")
    assert len(jobs.jobs()) == 1
    jobs.withdraw(short().key, "one")
    assert jobs.find(short().key).askers == ("two",)
    jobs.withdraw(short().key, "nobody")
    jobs.withdraw("0123456789abcdef", "two")


@pytest.mark.parametrize(
    ("key", "person"), [("../../..", "x"), (short().key, "../spec.json"), (short().key, "a/b"), ("", ".")]
)
def test_nobody_withdraws_other_files(key, person):
    jobs.request(short(), "one")
    before = sorted(jobs.root().rglob("*"))
    jobs.withdraw(key, person)
    assert sorted(jobs.root().rglob("*")) == before


@pytest.mark.parametrize("person", ["", "a b", "../x", "é", "x" * 65, "a\n"])
def test_a_person_is_a_plain_name(person):
    with pytest.raises(BadInput, match="1 to 64 letters"):
        jobs.request(short(), person)


def test_in_a_workshop_a_person_has_one_training_waiting():
    jobs.request(short(1), "one", one_a_person=True)
    with pytest.raises(HourglassError, match="You have a training waiting"):
        jobs.request(short(2), "one", one_a_person=True)
    assert jobs.request(short(1), "one", one_a_person=True).place == 1
    assert jobs.request(short(2), "two", one_a_person=True).place == 2
    runs(short(1))
    assert jobs.request(short(3), "one", one_a_person=True).place == 2


def test_of_a_thousand_requests_as_many_wait_as_may_and_the_rest_is_refused_in_a_sentence(starts):
    specs = [replace(short(), seed=seed) for seed in range(1000)]
    refused = []
    began = time.process_time()
    for spec in specs:
        try:
            jobs.request(spec, "somebody")
        except HourglassError as problem:
            refused.append(str(problem))
    assert time.process_time() - began < 5
    assert queued() == list(range(jobs.MOST_WAITING))
    assert len(refused) == 1000 - jobs.MOST_WAITING
    assert set(refused) == {
        "20 trainings are waiting, and the queue holds 20: wait for one to finish, or cancel one of yours."
    }
    assert jobs.request(specs[5], "another").place == 6
    jobs.ask(specs[0].key, jobs.CANCEL)
    assert jobs.request(specs[500], "somebody").place == 20


@pytest.fixture(scope="module")
def fitted():
    return experiments.fit(short(), datasets.load("digits"))


def test_what_is_stored_is_not_trained_again(fitted, starts):
    store.write(*fitted)
    assert jobs.request(short(), "somebody") is None
    assert jobs.jobs() == starts == []


def test_what_was_stopped_and_kept_may_be_trained_to_its_end(fitted):
    run, arrays = fitted
    store.write(replace(run, environment={**run.environment, "stopped_early": True}), arrays)
    assert not jobs.is_stored(run.key)
    assert jobs.request(short(), "somebody").state == jobs.QUEUED


@pytest.mark.parametrize("state", [jobs.PAUSED, jobs.STOPPED, jobs.FAILED])
def test_what_has_ended_is_resumed_behind_the_others(state):
    for seed in (1, 2):
        jobs.request(short(seed), "somebody")
    (folder(short(1)) / "claims").write_text("...")
    ended(short(1), state, "It failed.")
    job = jobs.find(short(1).key)
    assert (job.state, job.place) == (state, 0)
    assert job.message == ("It failed." if state == jobs.FAILED else "")
    assert [job.state for job in jobs.jobs()] == [jobs.QUEUED, state]
    assert jobs.request(short(1), "another").place == 2
    assert jobs.find(short(1).key).askers == ("another", "somebody")
    assert sorted(path.name for path in folder(short(1)).iterdir()) == ["askers", "reserve", "spec.json"]


def test_what_ended_is_listed_newest_first():
    for seed in (1, 2, 3):
        jobs.request(short(seed), "somebody")
        ended(short(seed), jobs.FAILED)
    assert [job.spec.seed for job in jobs.jobs()] == [3, 2, 1]


def test_asking_for_what_is_being_stopped_takes_that_back():
    jobs.request(short(), "somebody")
    runs(short())
    for what in (jobs.PAUSE, jobs.KEEP, jobs.CANCEL):
        jobs.ask(short().key, what)
        assert jobs.find(short().key).stopping == what
        assert jobs.request(short(), "somebody").stopping == ""


def test_what_a_worker_has_just_begun_with_is_asked_of_the_worker():
    """It holds the training's lock, and has not said so yet."""
    jobs.request(short(), "somebody")
    with jobs.lock(short().key):
        jobs.ask(short().key, jobs.PAUSE)
        assert jobs.find(short().key).state == jobs.QUEUED
        assert jobs.asked_for(folder(short())) == jobs.PAUSE
        jobs.ask(short().key, jobs.CANCEL)
        assert jobs.asked_for(folder(short())) == jobs.CANCEL
    jobs.ask(short().key, jobs.CANCEL)
    assert jobs.jobs() == []


def test_the_place_of_a_training_that_failed_is_held_by_nothing():
    jobs.request(short(), "somebody")
    (folder(short()) / "checkpoint.safetensors").touch()
    ended(short(), jobs.FAILED, "It diverged.")
    jobs.ask(short().key, jobs.PAUSE)
    assert jobs.find(short().key).state == jobs.FAILED
    jobs.ask(short().key, jobs.KEEP)
    job = jobs.find(short().key)
    assert (job.state, job.stopping, job.message) == (jobs.QUEUED, jobs.KEEP, "")
    jobs.ask(short().key, jobs.CANCEL)
    assert not folder(short()).exists()


def test_what_is_over_can_not_be_asked_for_anything():
    with pytest.raises(HourglassError, match="over already"):
        jobs.ask(short().key, jobs.PAUSE)


def test_requests_at_the_same_moment_are_all_kept_and_numbered():
    problems = []

    def ask(seed):
        try:
            jobs.request(short(seed % 10), f"person-{seed}")
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [job.place for job in jobs.jobs()] == list(range(1, 11))
    assert sorted(queued()) == list(range(10))
    assert {len(job.askers) for job in jobs.jobs()} == {3}


def test_a_queue_that_is_busy_too_long_is_a_sentence(monkeypatch):
    monkeypatch.setattr(jobs, "_QUEUE_SECONDS", 0.1)
    with jobs.queue(), pytest.raises(HourglassError, match="busy: try again"):
        jobs.request(short(), "somebody")


# What can't be written


def no_room(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("name", ["mkdir", "write_bytes", "write_text", "touch"])
def test_without_room_a_request_is_refused_and_leaves_nothing(name, monkeypatch):
    jobs.request(short(1), "somebody")
    with monkeypatch.context() as full:
        full.setattr(Path, name, no_room)
        with pytest.raises(HourglassError, match=r"No space left on device.*free some space there"):
            jobs.request(short(2), "somebody")
    assert [path.name for path in jobs.root().iterdir() if path.name != "locks"] == [short(1).key]


def test_without_room_what_has_ended_stays_as_it_is(monkeypatch):
    jobs.request(short(), "somebody")
    ended(short(), jobs.FAILED, "The disk is full.")
    monkeypatch.setattr(Path, "write_text", no_room)
    with pytest.raises(HourglassError, match="No space left on device"):
        jobs.request(short(), "somebody")
    assert jobs.find(short().key).message == "The disk is full."


def test_a_full_disk_has_room_for_saying_so(monkeypatch):
    jobs.request(short(), "somebody")
    monkeypatch.setattr(Path, "write_text", no_room)
    ended(short(), jobs.FAILED, "The disk is full.")
    assert jobs.find(short().key).message == "The disk is full."
    assert sorted(path.name for path in folder(short()).iterdir()) == ["askers", "done.json", "spec.json"]


def test_above_the_quota_nothing_is_asked_for(monkeypatch):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.04")
    with pytest.raises(HourglassError, match=r"no room for 50.0 MB.*HOURGLASS_QUOTA_GB"):
        jobs.request(short(), "somebody")
    assert jobs.jobs() == []
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "1")
    assert jobs.request(short(), "somebody").place == 1


def test_a_folder_that_can_not_be_written_is_a_sentence(monkeypatch, tmp_path, starts):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(HourglassError, match="set HOURGLASS_RUNS"):
        jobs.request(short(), "somebody")
    assert jobs.jobs() == starts == []
    jobs.tend()
    jobs.sweep()


# Reading


def test_a_running_training_tells_how_far_it_is():
    jobs.request(short(), "somebody")
    runs(short(), row=ROW)
    job = jobs.find(short().key)
    assert (job.state, job.place, job.stage, job.row) == (jobs.RUNNING, 0, "Fitting", ROW)
    # A quarter took 6 seconds.
    assert job.seconds_left == pytest.approx(18)
    runs(short(), row={**ROW, "share": 0.0})
    assert jobs.find(short().key).seconds_left is None
    runs(short())
    assert jobs.find(short().key).seconds_left is None


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_sign_of_life_of_long_ago_or_of_the_future_is_none(seconds):
    jobs.request(short(), "somebody")
    runs(short(), row=ROW)
    then = time.time() + seconds
    os.utime(folder(short()) / "now.json", (then, then))
    job = jobs.find(short().key)
    assert (job.state, job.stage, job.row) == (jobs.QUEUED, "", {})


def test_history_has_each_epoch_once_the_later_row_of_two():
    jobs.request(short(), "somebody")
    lines = [{"epoch": k, "step": 10 * k, "seconds": 1.0 * k, "loss": n} for n, k in enumerate((1, 2, 3, 2, 3, 4))]
    text = "\n".join(map(json.dumps, lines)) + '\n{"epoch": 5, "st'
    (folder(short()) / "progress.jsonl").write_text(text)
    rows = jobs.history(folder(short()))
    assert [(row["epoch"], row["loss"]) for row in rows] == [(1, 0), (2, 3), (3, 4), (4, 5)]
    assert jobs.history(jobs.root() / "none") == []


def test_a_training_that_goes_while_it_is_read_is_none(monkeypatch):
    jobs.request(short(), "somebody")
    genuine = jobs.asked_for

    def goes(place):
        jobs.remove(place)
        return genuine(place)

    monkeypatch.setattr(jobs, "asked_for", goes)
    assert jobs.jobs() == []


def test_a_training_that_ends_while_it_is_read_never_seems_to_wait(monkeypatch):
    """Its end is written before its sign of life goes; read in the other order, it would be neither."""
    jobs.request(short(), "somebody")
    runs(short(), row=ROW)
    genuine, read = jobs.read_json, []

    def ends_meanwhile(path):
        read.append(path.name)
        if path.name == "done.json" and not (folder(short()) / "done.json").exists():
            found = genuine(path)
            ended(short(), jobs.PAUSED)
            return found
        return genuine(path)

    monkeypatch.setattr(jobs, "read_json", ends_meanwhile)
    assert jobs.find(short().key).state == jobs.RUNNING
    assert jobs.find(short().key).state == jobs.PAUSED


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
    jobs.request(short(), "somebody")
    for name in ("now.json", "done.json", "progress.jsonl", "stop", "claims", "replay.safetensors", "reserve"):
        (folder(short()) / name).write_bytes(content)
    (jobs.root() / "worker.json").write_bytes(content)
    job = jobs.find(short().key)
    assert job.state in (jobs.RUNNING, jobs.QUEUED)
    assert (job.stopping, job.message) == ("", "")
    assert isinstance(job.stage, str)
    assert (job.row, job.within) == ({}, ())
    assert job.seconds_left is None
    assert jobs.history(folder(short())) == []
    assert replay.read(folder(short())) is None
    jobs.tend()
    with jobs.lock("worker"):
        jobs.tend()
    assert jobs.request(short(), "another").askers == ("another", "somebody")
    jobs.ask(short().key, jobs.CANCEL)


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_a_folder_whose_spec_is_nonsense_is_no_training(content):
    place = jobs.root() / "0123456789abcdef"
    place.mkdir(parents=True)
    (place / "spec.json").write_bytes(content)
    assert jobs.jobs() == []
    jobs.sweep()
    assert place.exists()


@pytest.mark.parametrize(
    "asked",
    [None, "soon", float("inf"), float("nan"), [], "9" * 10_000],
    ids=["none", "text", "inf", "nan", "list", "digits"],
)
def test_a_training_asked_for_at_no_time_is_none(asked):
    jobs.request(short(), "somebody")
    (folder(short()) / "spec.json").write_text(json.dumps({"spec": short().to_json(), "asked": asked}))
    assert jobs.jobs() == []


@pytest.mark.parametrize("change", [{"seed": 1}, {"params": {"width": [1]}}, {"params": None}, {"dataset": None}])
def test_a_training_in_the_folder_of_another_is_none(change):
    jobs.request(short(), "somebody")
    written = {**short().to_json(), **change}
    (folder(short()) / "spec.json").write_text(json.dumps({"spec": written, "asked": 1}))
    assert jobs.jobs() == []


def test_files_in_the_place_of_folders_and_folders_in_that_of_files_are_passed_over(starts):
    jobs.request(short(), "somebody")
    (jobs.root() / "0123456789abcdef").write_text("a file")
    odd = jobs.root() / "0123456789abcde0"
    (odd / "spec.json").mkdir(parents=True)
    for name in ("now.json", "done.json", "progress.jsonl", "stop", "replay.safetensors", "checkpoint.safetensors"):
        (folder(short()) / name).mkdir()
    shutil.rmtree(folder(short()) / "askers")
    (folder(short()) / "askers").write_text("a file")
    (job,) = jobs.jobs()
    assert job.askers == ()
    assert jobs.history(job.folder) == []
    assert replay.read(job.folder) is None
    jobs.tend()
    with pytest.raises(HourglassError, match="can't be written"):
        jobs.request(short(), "somebody")


def test_a_lock_that_can_not_be_had_is_taken_for_held(starts):
    jobs.request(short(), "somebody")
    starts.clear()
    shutil.rmtree(jobs.root() / "locks")
    (jobs.root() / "locks").write_text("in the way")
    assert jobs.is_held("worker")
    jobs.tend()
    assert starts == []


def test_a_folder_that_may_not_be_looked_into_has_no_trainings(monkeypatch):
    jobs.request(short(), "somebody")
    locked(monkeypatch, jobs.root())
    assert jobs.jobs() == []
    assert jobs.find(short().key) is None
    jobs.tend()


def test_what_a_killed_process_left_is_swept_away():
    jobs.request(short(1), "somebody")
    jobs.request(short(2), "somebody")
    for seed in (1, 2):
        (folder(short(seed)) / "spec.json").unlink()
    jobs.request(short(3), "somebody")
    with jobs.lock(short(2).key):
        jobs.sweep()
    assert [folder(short(seed)).exists() for seed in (1, 2, 3)] == [False, True, True]


# Outside the queue


def test_held_outside_the_queue_it_is_paused_when_left():
    with jobs.held(short(), lambda: pytest.fail("it waited")) as place:
        assert place == folder(short())
        assert jobs.is_held(short().key)
    job = jobs.find(short().key)
    assert (job.state, job.askers) == (jobs.PAUSED, (jobs.COMMAND_LINE,))
    assert not jobs.is_held(short().key)


def test_held_outside_the_queue_while_others_want_it_it_waits_on_when_left():
    jobs.request(short(1), "somebody")
    jobs.request(short(2), "somebody")
    with jobs.held(short(1), lambda: pytest.fail("it waited")):
        assert jobs.waiting() == jobs.jobs()
        runs(short(1))
        assert [job.spec.seed for job in jobs.waiting()] == [2]
    jobs.abandon(folder(short(1)), jobs.COMMAND_LINE)
    assert queued() == [1, 2]
    assert jobs.find(short(1).key).askers == ("somebody",)
    with jobs.held(short(3), lambda: None) as place:
        runs(short(3))
        assert jobs.request(short(3), "another").state == jobs.RUNNING
    jobs.abandon(place, jobs.COMMAND_LINE)
    assert queued() == [1, 2, 3]


def test_abandoned_by_all_it_goes():
    with jobs.held(short(), lambda: None) as place:
        pass
    jobs.abandon(place, jobs.COMMAND_LINE)
    assert jobs.jobs() == []
    assert not place.exists()


def test_held_by_another_it_is_waited_for_and_its_run_taken(fitted):
    run, arrays = fitted
    has, waits = threading.Event(), threading.Event()

    def finish():
        with jobs.lock(short().key):
            has.set()
            assert waits.wait(30)
            store.write(run, arrays)

    thread = threading.Thread(target=finish)
    thread.start()
    assert has.wait(30)
    with jobs.held(short(), waits.set) as place:
        assert place is None
    thread.join()
    assert not jobs.is_held(short().key)
    with jobs.held(short(), lambda: pytest.fail("it waited")) as place:
        assert place == folder(short()), "asked for again, it is trained again"


def test_what_fails_while_it_is_held_is_not_taken_for_a_full_disk():
    with pytest.raises(FileNotFoundError), jobs.held(short(), lambda: None):
        raise FileNotFoundError("of something else")
    assert not jobs.is_held(short().key)


# Keeping a worker at it


def test_a_worker_is_started_where_trainings_wait_and_none_works(starts):
    jobs.tend()
    assert starts == []
    jobs.request(short(), "somebody")
    assert starts == [jobs.root()]
    with jobs.lock("worker"):
        jobs.tend()
    assert len(starts) == 1
    ended(short(), jobs.PAUSED)
    jobs.tend()
    assert len(starts) == 1


def test_what_a_dead_process_left_is_gone_on_with_and_what_a_living_one_does_is_not(starts):
    jobs.request(short(), "somebody")
    starts.clear()
    runs(short())
    with jobs.lock(short().key):
        jobs.tend()
        assert starts == []
    jobs.tend()
    assert starts == [jobs.root()]


def test_where_the_last_app_has_closed_none_is_started(starts):
    jobs.request(short(), "somebody")
    starts.clear()
    (jobs.root() / "suspend").touch()
    jobs.tend()
    assert starts == []


class Process:
    def __init__(self, code):
        self.code = code

    def poll(self):
        return self.code


def test_no_second_worker_while_the_first_is_on_its_way(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    starts = jobs._Starts()
    assert starts.may()
    starts.add(Process(None))
    assert not starts.may()
    clock[0] += 60
    assert starts.may(), "it is stuck"


def test_workers_that_fail_are_started_later_and_later(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    starts, pauses = jobs._Starts(), []
    for _ in range(8):
        starts.add(Process(1))
        began = clock[0]
        while not starts.may():
            clock[0] += 1
        pauses.append(clock[0] - began)
    assert pauses == sorted(pauses)
    assert pauses[0] < 5
    assert 50 < pauses[-1] < 70
    starts.add(Process(-9))
    assert starts.may(), "it was killed, and has not failed"
    starts.add(Process(1))
    clock[0] += 3
    assert starts.may()


def test_a_worker_that_can_not_begin_is_not_started_again_at_once(monkeypatch):
    """A real process, which ends with an error."""
    monkeypatch.setattr(jobs, "start_worker", GENUINE_START)
    monkeypatch.setattr(jobs, "_ROOT", jobs.root())
    jobs.request(short(), "somebody")
    assert jobs._starts[jobs.root()].processes[-1].wait(PATIENCE) == 1
    for _ in range(5):
        jobs.tend()
    assert len(jobs._starts[jobs.root()].processes) == 1
    assert "core" in (jobs.root() / "worker.log").read_text()


def test_a_log_that_has_grown_large_is_begun_anew(monkeypatch):
    jobs.request(short(), "somebody")
    log = jobs.root() / "worker.log"
    log.write_bytes(bytes(2_000_000))
    with jobs._log() as out:
        out.write(b"new")
    assert log.read_bytes() == b"new"
    log.unlink()
    log.mkdir()
    with jobs._log() as out:
        assert isinstance(out, int)


def test_a_worker_that_shows_no_life_is_ended_and_one_that_does_is_not(monkeypatch):
    jobs.request(short(), "somebody")
    clock, killed = [0.0], []
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(jobs.os, "kill", lambda pid, number: killed.append((pid, number)))
    sign = jobs.root() / "worker.json"
    jobs.write_json(sign, {"pid": 4321, "host": jobs.socket.gethostname()})
    with jobs.lock("worker"):
        # The clock of the system is set forward by a day, or the machine has slept.
        yesterday = time.time() - 86_400
        os.utime(sign, (yesterday, yesterday))
        jobs.tend()
        assert killed == []
        for second in range(120):
            clock[0] = second
            os.utime(sign, (second, second))
            jobs.tend()
        assert killed == []
        for second in range(119, 179):
            clock[0] = second
            jobs.tend()
        assert killed == []
        clock[0] += 2
        jobs.tend()
        assert killed == [(4321, jobs.signal.SIGKILL)]
    jobs.write_json(sign, {"pid": 4321, "host": "elsewhere"})
    with jobs.lock("worker"):
        jobs.tend()
        clock[0] += 200
        jobs.tend()
    assert len(killed) == 1


@pytest.mark.parametrize("pid", [-1, 0, 1, "this process", "1", None, True, 2.5, 10**30])
def test_nonsense_in_a_sign_of_life_ends_no_process(pid, monkeypatch):
    """To some numbers a signal goes that stand for all processes."""
    pid, killed = os.getpid() if pid == "this process" else pid, []
    monkeypatch.setattr(jobs, "HUNG_SECONDS", -1.0)
    monkeypatch.setattr(os, "kill", lambda *given: killed.append(given))
    jobs.request(short(), "somebody")
    jobs.write_json(jobs.root() / "worker.json", {"pid": pid, "host": jobs.socket.gethostname()})
    with jobs.lock("worker"):
        jobs.tend()
        jobs.tend()
    assert killed == ([(10**30, jobs.signal.SIGKILL)] if pid == 10**30 else [])


# Apps


@pytest.fixture
def attached(monkeypatch):
    monkeypatch.setattr(jobs, "_TEND_SECONDS", 0.01)
    jobs.attach()
    yield
    jobs.detach()


def watches():
    return [thread for thread in threading.enumerate() if thread.name == "hourglass-queue"]


def test_an_app_looks_after_the_queue_from_the_first_call_on(attached, starts, monkeypatch):
    jobs.attach()
    assert len(watches()) == 1
    monkeypatch.setattr(jobs, "start_worker", lambda: None)
    jobs.request(short(), "somebody")
    monkeypatch.setattr(jobs, "start_worker", lambda: starts.append(jobs.root()))
    awaited(lambda: starts, "a worker's start")
    jobs.detach()
    assert watches() == []
    assert (jobs.root() / "suspend").exists()
    jobs.detach()


def test_an_app_that_opens_wakes_the_queue(starts):
    jobs.request(short(), "somebody")
    (jobs.root() / "suspend").touch()
    starts.clear()
    jobs.attach()
    awaited(lambda: starts, "a worker's start")
    assert not (jobs.root() / "suspend").exists()
    jobs.detach()


def test_an_app_that_closed_just_when_this_one_opened_does_not_stop_the_queue(attached, monkeypatch):
    (jobs.root() / "suspend").touch()
    awaited(lambda: not (jobs.root() / "suspend").exists(), "that it is taken back")


def test_the_last_of_several_apps_lets_the_worker_go(attached):
    with App() as app, App() as another:
        app.close()
        assert not (jobs.root() / "suspend").exists()
        # One that is killed leaves a file, and is no app any more.
        another.kill()
        assert len(list((jobs.root() / "locks").glob("app-*.lock"))) == 2
    jobs.detach()
    assert (jobs.root() / "suspend").exists()
    assert list((jobs.root() / "locks").glob("app-*.lock")) == []


@pytest.mark.parametrize("how", ["close", "terminate", "kill"])
def test_an_app_that_ends_lets_the_worker_go_but_not_one_that_is_killed(how):
    with App() as app:
        getattr(app, how)()
    assert (jobs.root() / "suspend").exists() == (how != "kill")


def test_attached_from_many_threads_at_once_it_watches_once():
    threads = [threading.Thread(target=jobs.attach) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(watches()) == 1
    jobs.detach()


def test_an_app_on_a_folder_that_can_not_be_written_goes_on(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
    jobs.attach()
    assert len(watches()) == 1
    jobs.detach()
