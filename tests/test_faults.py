"""What happens to trainings when something breaks: real processes are killed, stopped and run out of room here."""

import shutil
import signal
import subprocess

import pytest

from core import jobs, store
from core.__main__ import main
from core.types import HourglassError
from tests.trainings import (
    App,
    assert_as_undisturbed,
    awaited,
    end,
    long,
    short,
    some_seconds,
    state,
    until,
    until_no_worker,
    until_stored,
    until_within,
    worker_pid,
)

pytestmark = pytest.mark.usefixtures("workers")
# Leaving takes about a second; the rest is for a machine that is busy with other things.
LEAVING_SECONDS = 20


def tended(condition, what):
    """Wait for something while an app looks after the queue."""

    def looked():
        jobs.tend()
        return condition()

    return awaited(looked, what)


def test_a_worker_killed_in_mid_epoch_is_replaced_and_ends_with_the_same_weights():
    spec = some_seconds()
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    first = worker_pid()
    end(first)
    second = tended(lambda: worker_pid() not in (None, first) and worker_pid(), "another worker")
    begun_at = until_within(spec, 1).row
    run = until_stored(spec)
    assert begun_at["epoch"] < 5
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4, 5]
    assert worker_pid() == second
    assert_as_undisturbed(spec)


def test_a_killed_app_leaves_worker_and_queue_which_advances_with_nobody_looking():
    first, second, third = some_seconds(), short(1), short(2)
    with App() as app:
        for spec in (first, second, third):
            app.request(spec)
        until_within(first, 0)
        pid = worker_pid()
        before = app.do("jobs")
        app.kill()
    assert worker_pid() == pid
    with App() as app:
        after = app.do("jobs")
        assert [job[:1] + job[2:] for job in after] == [job[:1] + job[2:] for job in before]
        assert [job[1:] for job in after] == [["running", 0], ["queued", 1], ["queued", 2]]
        app.kill()
    for spec in (first, second, third):
        until_stored(spec)
    assert worker_pid() == pid
    assert_as_undisturbed(first)


@pytest.mark.parametrize("how", ["terminate", "close"])
def test_the_last_app_that_closes_lets_the_worker_save_and_leave_and_the_next_goes_on(how):
    spec, after = some_seconds(), short(1)
    with App() as app, App() as another:
        app.request(spec)
        app.request(after)
        until_within(spec, 1)
        pid = worker_pid()
        another.close()
        at = until_within(spec, 1).row
        until_within(spec, at["epoch"])
        assert worker_pid() == pid, "it left although an app is open"
        getattr(app, how)()
        until_no_worker(LEAVING_SECONDS)
    assert [state(spec), state(after)] == ["queued", "queued"]
    job = jobs.find(spec.key)
    assert job.place == 1
    assert job.has_checkpoint
    assert not (job.folder / "now.json").exists()
    reached = jobs.history(job.folder)[-1]["epoch"]
    with App():
        begun = until_within(spec, 1).row["epoch"]
        until_stored(spec)
        until_stored(after)
    assert begun >= reached
    assert_as_undisturbed(spec)


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A file system of 4 MB for the runs."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True).returncode
    ):
        pytest.skip("only root can mount a small disk")
    monkeypatch.setenv("HOURGLASS_RUNS", str(disk))
    yield disk
    from tests.trainings import end_workers

    end_workers()
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk):
    """Leave no byte."""
    path = disk / "ballast"
    with path.open("ab") as ballast:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    ballast.write(bytes(size))
                    ballast.flush()
            except OSError:
                pass
    return path


def test_a_full_disk_is_told_older_runs_stay_and_with_room_it_goes_on(small_disk):
    older, spec = short(), some_seconds(1)
    jobs.request(older, "somebody")
    until_stored(older)
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    ballast = fill(small_disk)
    until(spec, "failed")
    job = jobs.find(spec.key)
    assert "No space left on device" in job.message or "could not be written" in job.message
    assert "free some space" in job.message
    assert job.message.count("\n") == 0
    assert job.has_checkpoint
    assert_as_undisturbed(older)
    with pytest.raises(HourglassError, match="free some space"):
        jobs.request(short(2), "somebody")
    assert [job.key for job in jobs.jobs()] == [spec.key]
    ballast.unlink()
    jobs.request(spec, "somebody")
    until_stored(spec)
    assert_as_undisturbed(spec)


def test_above_the_quota_nothing_is_trained_and_older_runs_stay(monkeypatch):
    older, spec = short(), short(1)
    jobs.request(older, "somebody")
    until_stored(older)
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.04")
    with pytest.raises(HourglassError, match="HOURGLASS_QUOTA_GB"):
        jobs.request(spec, "somebody")
    assert state(spec) == "over"
    assert_as_undisturbed(older)
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "5")
    jobs.request(spec, "somebody")
    until_stored(spec)


def test_two_apps_on_one_folder_have_one_worker_which_trains_each_run_once():
    shared, one, two = some_seconds(), short(1), short(2)
    seen = set()

    def watched():
        seen.add(worker_pid())
        for spec in (shared, one, two):
            pid = jobs.read_json(jobs.folder_of(spec.key) / "now.json").get("pid")
            seen.add(pid)
            if place := store.find(spec.key):
                stored.setdefault(spec.key, set()).add((place / "run.json").stat().st_ino)
        return [state(spec) for spec in (shared, one, two)] == ["over"] * 3

    stored = {}
    with App() as app, App() as another:
        for spec in (shared, one):
            app.say("request", spec.to_json(), "one")
        for spec in (shared, two):
            another.say("request", spec.to_json(), "two")
        answers = [app.heard(), app.heard(), another.heard(), another.heard()]
        assert set(answers) <= {"queued", "running"}
        assert jobs.find(shared.key).askers == ("one", "two")
        awaited(watched, "all three")
    assert len(seen - {None}) == 1, "more than one process trained"
    assert {key: len(inodes) for key, inodes in stored.items()} == {spec.key: 1 for spec in (shared, one, two)}
    assert store.index()[1] == []
    assert_as_undisturbed(shared)


def test_the_command_line_waits_for_what_the_worker_trains_and_prints_its_figures(capsys):
    spec = some_seconds()
    jobs.request(spec, "somebody")
    until_within(spec, 0)
    settings = [f"--set={name}={value}" for name, value in spec.params]
    assert main(["fit", "digits", "ae", *settings]) == 0
    out, err = capsys.readouterr()
    assert "waiting for its run" in err
    assert "epoch" not in err
    run = store.read(store.find(spec.key))
    assert f"{run.metrics['squared_error']:.5g}" in out
    assert_as_undisturbed(spec)


def test_a_worker_passes_over_what_the_command_line_trains():
    mine, other = short(), short(1)
    with jobs.held(mine, lambda: pytest.fail("it waited")):
        assert jobs.request(mine, "somebody").state == "queued"
        jobs.request(other, "somebody")
        until_stored(other)
        assert state(mine) == "queued"
    until_stored(mine)


def test_a_hung_worker_is_ended_and_its_training_taken_over(monkeypatch):
    monkeypatch.setattr(jobs, "HUNG_SECONDS", 3.0)
    spec = some_seconds()
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    hung = worker_pid()
    end(hung, signal.SIGSTOP)
    tended(lambda: worker_pid() not in (None, hung), "another worker")
    until_stored(spec)
    assert_as_undisturbed(spec)


def test_a_training_whose_worker_died_three_times_fails_and_may_be_tried_again():
    spec = long()
    jobs.request(spec, "somebody")
    claims = jobs.folder_of(spec.key) / "claims"
    for count in (1, 2, 3):
        tended(lambda: claims.exists() and claims.stat().st_size == count, f"claim {count}")
        end(worker_pid())
        until_no_worker()
    tended(lambda: state(spec) == "failed", "its failure")
    assert "ended from outside 3 times" in jobs.find(spec.key).message
    assert jobs.request(spec, "somebody").state in ("queued", "running")
    until_within(spec, 0)
    jobs.ask(spec.key, jobs.CANCEL)
    until(spec, "over")
