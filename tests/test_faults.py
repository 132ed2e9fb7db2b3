"""What happens to trainings when something breaks: real processes are killed, stopped and run out of room here."""

import shutil
import signal
import subprocess
from contextlib import suppress

import pytest

from core import files
from core.errors import HourglassError
from core.runs import store
from core.tasks import queue, requests, task_files, worker_process
from tests import trainings
from tests.trainings import App, awaited, state, until, until_stored, until_within, worker_pid

pytestmark = pytest.mark.usefixtures("workers")
# Leaving takes about a second; the rest is for a machine that is busy with other things.
LEAVING_SECONDS = 20


def tended(condition, what):
    """Wait for something while an app looks after the queue."""
    return awaited(lambda: worker_process.ensure_worker() or condition(), what)


def test_killed_in_mid_epoch_a_worker_is_replaced_and_the_weights_are_the_same():
    spec = trainings.some_seconds()
    trainings.request(spec)
    until_within(spec, 1)
    killed = worker_pid()
    trainings.end(killed)
    tended(lambda: worker_pid() not in (None, killed), "another worker")
    assert until_within(spec, 1).row["epoch"] < 3
    run = until_stored(spec)
    assert [row["epoch"] for row in run.history] == [1, 2, 3]
    trainings.assert_as_undisturbed(spec)


def test_two_apps_share_one_worker_which_outlives_them_and_trains_each_run_once():
    shared, one, two = specs = trainings.some_seconds(), trainings.short(1), trainings.short(2)
    workers, inodes = set(), {}

    def look():
        for spec in specs:
            workers.add(files.read_json(task_files.task_folder(spec.key) / "now.json").get("pid"))
            if place := store.find_place(spec.key):
                # A run that is trained again is another file.
                inodes.setdefault(spec.key, set()).add((place / "run.json").stat().st_ino)
        return [state(spec) for spec in specs] == ["over"] * 3

    with App("one") as app, App("two") as another:
        app.request(shared, one)
        another.request(shared, two)
        assert queue.find_task(shared.key).people == ("one", "two")
        until_within(shared, 0)
        pid, before = worker_pid(), app.request()
        app.end()
        another.end()
    with App() as app:
        assert app.request() == before
        assert [task[1:] for task in before] == [["running", 0], ["queued", 1], ["queued", 2]]
        app.end()
    # The queue advances with nobody looking.
    awaited(look, "all three")
    assert workers - {None} == {pid}
    assert [len(inodes[spec.key]) for spec in specs] == [1, 1, 1]
    assert store.list_runs()[1] == []
    trainings.assert_as_undisturbed(shared)


def test_the_last_app_that_closes_lets_the_worker_save_and_leave_and_the_next_goes_on():
    spec, after = trainings.some_seconds(), trainings.short(1)
    with App() as app, App() as another:
        app.request(spec, after)
        until_within(spec, 1)
        pid = worker_pid()
        another.end(signal.SIGTERM)
        at = until_within(spec, 1).row
        until_within(spec, at["epoch"])
        assert worker_pid() == pid, "it left although an app is open"
        app.end(signal.SIGTERM)
        awaited(lambda: not task_files.is_held("worker"), "the worker's leaving", LEAVING_SECONDS)
    task = queue.find_task(spec.key)
    assert (task.place, queue.find_task(after.key).place, task.has_checkpoint) == (1, 2, True)
    assert not (task.folder / "now.json").exists()
    reached = queue.read_history(task.folder)[-1]["epoch"]
    with App():
        assert until_within(spec, 1).row["epoch"] >= reached
        until_stored(spec)
        until_stored(after)
    trainings.assert_as_undisturbed(spec)


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A file system of 4 MB for the runs."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    monkeypatch.setenv("HOURGLASS_RUNS", str(disk))
    yield disk
    trainings.end_workers()
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk):
    """Leave no byte."""
    path = disk / "ballast"
    with suppress(OSError), path.open("ab", buffering=0) as ballast:
        while ballast.write(bytes(1 << 12)):
            pass
    return path


def test_a_full_disk_is_told_older_runs_stay_and_with_room_it_goes_on(small_disk):
    older, spec = trainings.short(), trainings.some_seconds()
    trainings.request(older)
    until_stored(older)
    trainings.request(spec)
    until_within(spec, 1)
    fill(small_disk)
    until(spec, "failed")
    task = queue.find_task(spec.key)
    assert "No space left on device" in task.message or "could not be written" in task.message
    assert "free some space" in task.message
    assert ("\n" in task.message, task.has_checkpoint) == (False, True)
    trainings.assert_as_undisturbed(older)
    ballast = fill(small_disk)
    with pytest.raises(HourglassError, match="free some space"):
        trainings.request(trainings.short(2))
    assert [task.key for task in queue.list_tasks()] == [spec.key]
    ballast.unlink()
    trainings.request(spec)
    # A worker that could not even write to its log is followed by another one after a while.
    tended(lambda: state(spec) == "over", "its end")
    until_stored(spec)
    trainings.assert_as_undisturbed(spec)


def test_a_training_whose_worker_died_three_times_fails_and_may_be_tried_again():
    spec = trainings.long()
    trainings.request(spec)
    claims = task_files.task_folder(spec.key) / "claims"
    pids = {None}
    for count in (b".", b"..", b"..."):
        tended(lambda: worker_pid() not in pids, "a claim")
        assert claims.read_bytes() == count
        pids.add(worker_pid())
        trainings.end(worker_pid())
        awaited(lambda: not task_files.is_held("worker"), "the worker's end")
    tended(lambda: state(spec) == "failed", "its failure")
    assert "ended 3 times" in queue.find_task(spec.key).message
    assert trainings.request(spec).state in ("queued", "running")
    until_within(spec, 0)
    requests.send_command(spec.key, queue.CANCEL)
    until(spec, "over")
