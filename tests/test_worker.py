"""The worker's parts, in this process; see `tests.test_queue` and `tests.test_faults` for the real one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core import datasets, experiments, jobs, specs, store, worker
from core.types import Diverged, HourglassError
from core.worker import Left
from tests.trainings import PATIENCE, ROOT, assert_as_undisturbed, short, undisturbed


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    """What is asked for here is done here."""
    monkeypatch.setattr(jobs, "start_worker", lambda: None)


@pytest.fixture
def job():
    return jobs.request(short(), "somebody")


def trains(monkeypatch, act):
    """Let a training do something else; it has the training's folder and watches."""

    def fit_and_store(spec, dataset, *, checkpoint, **watches):
        return act(checkpoint, **watches)

    monkeypatch.setattr(experiments, "fit_and_store", fit_and_store)


def raises(error):
    def act(folder, **watches):
        raise error

    return act


def row(epoch, **more):
    return {"epoch": epoch, "step": 10 * epoch, "seconds": epoch / 10, "rows_per_second": 5.0, "share": 0.1, **more}


def work_off(monkeypatch, seconds=0.05):
    """Work the queue off, and linger no more than `seconds`."""
    monkeypatch.setattr(worker, "_LINGER_SECONDS", seconds)
    working = worker._Worker()
    working.work_off()
    return working


# Working off


def test_the_queue_is_worked_off_in_its_order(monkeypatch):
    order = []
    monkeypatch.setattr(worker, "train", lambda spec, folder, *a, **k: (order.append(spec.seed), jobs.remove(folder)))
    for seed in (3, 1, 2):
        jobs.request(short(seed), "somebody")
    work_off(monkeypatch, 0.5)
    assert order == [3, 1, 2]
    assert jobs.jobs() == []


def test_a_training_is_trained_measured_and_stored_and_its_folder_goes(job, monkeypatch):
    work_off(monkeypatch, 0.1)
    assert jobs.is_stored(job.key)
    assert_as_undisturbed(job.spec)
    assert sorted(path.name for path in jobs.root().iterdir()) == ["locks"]
    assert not jobs.is_held(job.key)


def test_what_is_over_when_it_is_claimed_is_passed_over(job, monkeypatch):
    listed = jobs.waiting()
    monkeypatch.setattr(jobs, "waiting", lambda: listed)
    jobs.ask(job.key, jobs.PAUSE)
    assert worker._Worker().claim() is None
    jobs.ask(job.key, jobs.CANCEL)
    assert worker._Worker().claim() is None
    assert not jobs.is_held(job.key)


def test_who_only_looks_at_a_lock_takes_no_place_in_the_queue(job):
    """Others ask whether a lock is held by holding it for a moment."""
    jobs.request(short(1), "somebody")
    probe = jobs.lock(job.key)
    probe.acquire()
    threading.Timer(0.1, probe.release).start()
    claimed, mine = worker._Worker().claim()
    assert claimed.key == job.key
    mine.release()


def test_what_can_not_be_claimed_stops_nothing(job):
    (jobs.root() / "locks" / f"{job.key}.lock").unlink(missing_ok=True)
    (jobs.root() / "locks" / f"{job.key}.lock").mkdir()
    other = jobs.request(short(1), "somebody")
    claimed, mine = worker._Worker().claim()
    assert claimed.key == other.key
    mine.release()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HourglassError("It can't be had."), "It can't be had."),
        (Diverged("Training diverged."), "Training diverged."),
        (MemoryError(), "There was not enough memory for this training: choose a smaller network or a smaller batch."),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "There was not enough memory"),
        (ValueError("of a\nkind"), "did not foresee (ValueError('of a\\nkind'))."),
        (ZeroDivisionError("long " * 1000), "did not foresee (ZeroDivisionError('long long"),
    ],
)
def test_what_fails_is_told_in_one_sentence(job, monkeypatch, capfd, error, message):
    trains(monkeypatch, raises(error))
    working = work_off(monkeypatch)
    failed = jobs.find(job.key)
    assert failed.state == jobs.FAILED
    assert message in failed.message
    assert len(failed.message) < 500
    assert "\n" not in failed.message
    assert sorted(path.name for path in job.folder.iterdir()) == ["askers", "done.json", "spec.json"]
    # After what was not foreseen another process goes on, and the log has the rest.
    foreseen = isinstance(error, HourglassError)
    assert working.is_sound == foreseen
    assert ("Traceback" in capfd.readouterr().err) == (not foreseen)


def test_what_fails_while_it_is_cancelled_is_cancelled(job, monkeypatch):
    def act(folder, **watches):
        jobs.ask(job.key, jobs.CANCEL)
        raise HourglassError("It can't be had.")

    trains(monkeypatch, act)
    work_off(monkeypatch)
    assert jobs.jobs() == []


def test_an_end_that_can_not_be_written_down_is_not_tried_again_at_once(job, monkeypatch, capfd):
    tried = []

    def end(folder, state, message=""):
        tried.append(message)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jobs, "end", end)
    trains(monkeypatch, raises(HourglassError("The disk is full.")))
    work_off(monkeypatch, 0.5)
    assert tried == ["The disk is full."]
    assert jobs.find(job.key).state == jobs.QUEUED


@pytest.mark.parametrize(
    ("then", "state"),
    [(jobs.CANCEL, None), (jobs.KEEP, jobs.QUEUED), ("request", jobs.QUEUED), (jobs.PAUSE, jobs.PAUSED)],
)
def test_what_is_wanted_last_counts(job, monkeypatch, then, state):
    """It was to be paused, and by the time that it has, something else is asked for."""

    def act(folder, on_stage, **watches):
        (folder / "checkpoint.safetensors").touch()
        jobs.ask(job.key, jobs.PAUSE)
        try:
            on_stage("Fitting")
        finally:
            jobs.request(job.spec, "another") if then == "request" else jobs.ask(job.key, then)

    trains(monkeypatch, act)
    working = worker._Worker()
    claimed, mine = working.claim()
    working.work(claimed)
    mine.release()
    found = jobs.find(job.key)
    assert (found and found.state) == state
    assert found is None or not (found.folder / "claims").exists()


def test_kept_and_asked_for_again_while_it_is_measured_it_goes_on_to_its_end(monkeypatch):
    job = jobs.request(short(epochs=6), "somebody")
    undisturbed(job.spec)
    genuine, measured = experiments.measure, []

    def measure(*args, **kwargs):
        measured.append(jobs.request(job.spec, "another").stopping)
        return genuine(*args, **kwargs)

    def after_an_epoch(recorder, row, estimator):
        if not measured:
            jobs.ask(job.key, jobs.KEEP)

    monkeypatch.setattr(experiments, "measure", measure)
    monkeypatch.setattr(experiments.Recorder, "epoch", after_an_epoch)
    work_off(monkeypatch)
    assert len(measured) == 2
    assert jobs.is_stored(job.key)
    assert_as_undisturbed(job.spec)


def test_kept_before_its_first_step_it_makes_one(job, monkeypatch):
    jobs.write_text(job.folder / "stop", jobs.KEEP)
    work_off(monkeypatch)
    assert jobs.find(job.key).state == jobs.STOPPED
    run = store.read(store.find(job.key))
    assert run.environment["stopped_early"]
    assert 0 < run.environment["steps"] < 40


@pytest.mark.parametrize("what", [jobs.PAUSE, jobs.CANCEL])
def test_left_before_its_first_step_it_has_learned_nothing(job, monkeypatch, what):
    loaded = datasets.load

    def load(*args, **kwargs):
        jobs.ask(job.key, what)
        return loaded(*args, **kwargs)

    monkeypatch.setattr(datasets, "load", load)
    work_off(monkeypatch)
    found = jobs.find(job.key)
    assert (found and found.state) == (jobs.PAUSED if what == jobs.PAUSE else None)
    assert found is None or not found.has_checkpoint


def test_data_that_are_not_to_be_had_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    job = jobs.request(specs.make("reuters-r8", "lsa", {"n_components": 2}), "somebody")
    work_off(monkeypatch)
    failed = jobs.find(job.key)
    assert failed.state == jobs.FAILED
    assert "Reuters R8 is not on this machine and has no free download" in failed.message
    assert "\n" not in failed.message


def test_a_method_that_is_solved_at_once_is_kept_whole(monkeypatch):
    job = jobs.request(specs.make("digits", "pca", {"n_components": 3}), "somebody")
    jobs.write_text(job.folder / "stop", jobs.KEEP)
    work_off(monkeypatch)
    assert jobs.is_stored(job.key)
    assert jobs.jobs() == []


# A map of rows: trained with progress, and never in part


def a_map(**params):
    return specs.make("digits", "tsne", {"max_iter": 300, **params})


def test_a_map_of_rows_is_made_measured_and_stored(monkeypatch, capfd):
    job = jobs.request(a_map(), "somebody")
    seen = []
    genuine = worker._Diary.epoch

    def epoch(diary, row):
        genuine(diary, row)
        seen.append(jobs.history(diary.folder))

    monkeypatch.setattr(worker._Diary, "epoch", epoch)
    work_off(monkeypatch)
    assert jobs.jobs() == []
    run = store.read(store.find(job.key))
    assert run.metrics["knn_accuracy"] > 0.9
    assert [row["epoch"] for row in seen[-1]] == [50, 100, 150, 200, 250, 300]
    assert [("loss" in row) for row in seen[-1]] == [False] * 5 + [True]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("what", [jobs.PAUSE, jobs.CANCEL, jobs.KEEP])
def test_a_map_of_rows_is_left_or_kept_whole(what, monkeypatch):
    job = jobs.request(a_map(), "somebody")
    told = []
    genuine = worker._Diary.tick

    def tick(diary, row):
        genuine(diary, row)
        if row["step"] == 100 and not told:
            told.append(jobs.find(job.key))
            jobs.ask(job.key, what)

    monkeypatch.setattr(worker._Diary, "tick", tick)
    working = work_off(monkeypatch)
    assert working.is_sound
    (under_way,) = told
    assert under_way.row["share"] == pytest.approx(1 / 3)
    assert under_way.row["rows_per_second"] > 0
    assert under_way.seconds_left > 0
    found = jobs.find(job.key)
    assert (found and found.state) == (jobs.PAUSED if what == jobs.PAUSE else None)
    assert jobs.is_stored(job.key) == (what == jobs.KEEP)


def test_a_paused_map_begins_anew_and_tells_each_iteration_once(monkeypatch):
    job = jobs.request(a_map(), "somebody")
    history = []
    genuine = worker._Diary.epoch

    def epoch(diary, row):
        genuine(diary, row)
        history[:] = jobs.history(diary.folder)
        if row["step"] == 200 and "asked" not in told:
            told.append("asked")
            jobs.ask(job.key, jobs.PAUSE)

    told = []
    monkeypatch.setattr(worker._Diary, "epoch", epoch)
    work_off(monkeypatch)
    assert jobs.find(job.key).state == jobs.PAUSED
    jobs.request(job.spec, "somebody")
    work_off(monkeypatch)
    assert jobs.is_stored(job.key)
    assert [row["epoch"] for row in history] == [50, 100, 150, 200, 250, 300]


def test_told_to_end_it_leaves_the_training_in_the_queue(job, monkeypatch):
    def act(folder, on_stage, **watches):
        working.on_signal(signal.SIGTERM, None)
        on_stage("Fitting")

    trains(monkeypatch, act)
    working = worker._Worker()
    working.work_off()
    assert jobs.find(job.key).state == jobs.QUEUED
    assert sorted(path.name for path in job.folder.iterdir()) == ["askers", "reserve", "spec.json"]


def test_what_a_killed_worker_wrote_aside_is_cleared_away(job, monkeypatch):
    for name in ("checkpoint.123.tmp", "replay.123.tmp", "now.json.1.2.tmp", "progress.jsonl.1.2.tmp"):
        (job.folder / name).write_bytes(b"half")
    trains(monkeypatch, raises(HourglassError("It failed.")))
    work_off(monkeypatch)
    assert list(job.folder.glob("*.tmp")) == []


# Interruptions


class Handled:
    """The signal by which a block is interrupted, handled as the worker does."""

    def __init__(self, monkeypatch, wanted):
        self.working = worker._Worker()
        self.working.alarm = self.alarm = worker._Alarm(wanted)
        monkeypatch.setattr(worker, "_POLL_SECONDS", 0.01)
        self.before = signal.signal(signal.SIGINT, self.working.on_signal)

    def undo(self):
        signal.signal(signal.SIGINT, self.before)


@pytest.fixture
def handled(monkeypatch):
    made = []

    def make(wanted):
        made.append(Handled(monkeypatch, wanted))
        return made[-1]

    yield make
    for each in made:
        each.undo()


def test_a_block_that_does_not_do_what_is_wanted_is_interrupted(handled):
    alarm = handled(lambda: jobs.PAUSE).alarm
    with pytest.raises(Left) as left, alarm:
        time.sleep(30)
    assert left.value.why == jobs.PAUSE
    assert alarm.rang
    assert not alarm.thread.is_alive()


def test_within_an_epoch_it_is_given_time(handled, monkeypatch):
    monkeypatch.setattr(worker, "_PATIENCE_WITHIN", 1000.0)
    alarm = handled(lambda: jobs.CANCEL).alarm
    alarm.on_stage("Fitting")
    with alarm:
        time.sleep(0.6)
    alarm = handled(lambda: jobs.CANCEL).alarm
    alarm.on_stage("Fitting")

    def measures():
        with alarm:
            alarm.on_stage("Measuring the codes")
            time.sleep(30)

    with pytest.raises(Left):
        measures()


def test_an_interruption_that_is_lost_comes_again(handled):
    alarm, lost = handled(lambda: jobs.CANCEL).alarm, []

    def loses_one():
        with alarm:
            try:
                time.sleep(30)
            except Left as left:
                lost.append(left)
            time.sleep(30)

    with pytest.raises(Left):
        loses_one()
    assert len(lost) == 1


def test_paused_while_it_is_measured_it_is_measured_anew_when_resumed(job, monkeypatch, handled):
    genuine = experiments.measure

    def slow(*args, **kwargs):
        jobs.ask(job.key, jobs.PAUSE)
        time.sleep(30)

    handled(lambda: "")
    monkeypatch.setattr(experiments, "measure", slow)
    working = worker._Worker()
    signal.signal(signal.SIGINT, working.on_signal)
    working.work_off()
    paused = jobs.find(job.key)
    assert (paused.state, paused.has_checkpoint) == (jobs.PAUSED, True)
    assert not working.is_sound, "what is interrupted anywhere is not gone on with"
    assert store.find(job.key) is None
    monkeypatch.setattr(experiments, "measure", genuine)
    jobs.request(job.spec, "somebody")
    work_off(monkeypatch)
    assert_as_undisturbed(job.spec)


@pytest.mark.parametrize("what", ["", jobs.KEEP])
def test_where_nothing_is_wanted_or_it_is_to_be_kept_nothing_is_interrupted(handled, what):
    alarm = handled(lambda: what).alarm
    with alarm:
        time.sleep(0.6)
    assert not alarm.rang


def test_after_the_block_nothing_is_interrupted_any_more(handled):
    one = handled(lambda: jobs.CANCEL)
    with pytest.raises(Left), one.alarm:
        time.sleep(30)
    # A signal that comes late is of no meaning, and tells nobody to end.
    signal.raise_signal(signal.SIGINT)
    assert not one.working.ended.is_set()
    one.working.alarm = worker._Alarm(lambda: "")
    signal.raise_signal(signal.SIGINT)
    assert one.working.ended.is_set()


# The diary


def test_the_row_of_an_epochs_start_has_the_pace_and_losses_of_the_one_before(tmp_path):
    diary = worker._Diary(tmp_path)
    start = {"step": 0, "seconds": 0.0, "rows_per_second": 0.0, "learning_rate": 0.0, "share": 0.0}
    diary.tick({"epoch": 0.0, **start})
    assert jobs.read_json(tmp_path / "now.json")["row"] == {"epoch": 0.0, **start}
    diary.tick(row(0.5, loss=3.0))
    diary.tick({"epoch": 1.0, **start, "step": 10, "share": 0.2})
    found = jobs.read_json(tmp_path / "now.json")["row"]
    assert (found["epoch"], found["step"], found["share"]) == (1.0, 10, 0.2)
    assert (found["rows_per_second"], found["loss"]) == (5.0, 3.0)


def test_it_says_that_it_lives_while_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.02)
    with worker._Diary(tmp_path) as diary:
        diary.stage("Measuring")
        os.utime(tmp_path / "now.json", (0, 0))
        ends = time.monotonic() + PATIENCE
        while (tmp_path / "now.json").stat().st_mtime == 0:
            assert time.monotonic() < ends
            time.sleep(0.01)
    assert not diary._beating.is_alive()


def test_a_resumed_training_has_each_epoch_once(tmp_path):
    lines = [json.dumps(row(epoch)) for epoch in (1, 2, 3, 4)]
    (tmp_path / "progress.jsonl").write_text("\n".join(lines) + '\n{"epoch": 5, "st')
    diary = worker._Diary(tmp_path)
    diary.tick(row(2.5))
    for epoch in (3, 4, 5):
        diary.epoch(row(epoch, loss=1.0))
    rows = jobs.history(tmp_path)
    assert [r["epoch"] for r in rows] == [1, 2, 3, 4, 5]
    assert [r.get("loss") for r in rows] == [None, None, 1.0, 1.0, 1.0]
    assert len((tmp_path / "progress.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("resumed", [False, True])
def test_of_very_many_epochs_a_bounded_number_is_written_evenly_spread(tmp_path, resumed):
    diary = worker._Diary(tmp_path)
    for epoch in range(1, 20_001):
        if resumed and epoch == 10_000:
            diary = worker._Diary(tmp_path)
            diary.tick(row(9_999))
        diary.epoch(row(epoch))
    epochs = [r["epoch"] for r in jobs.history(tmp_path)]
    assert worker._MOST_ROWS / 2 <= len(epochs) <= worker._MOST_ROWS
    assert epochs == list(range(1, 20_001, 16))[: len(epochs)]
    assert epochs[-1] > 19_900


def test_rows_that_can_not_be_written_end_the_training_in_a_sentence(tmp_path):
    (tmp_path / "progress.jsonl").mkdir()
    with pytest.raises(HourglassError, match="could not write in"):
        worker._Diary(tmp_path).epoch(row(1))


# The process


def process(**environment):
    return subprocess.Popen(
        [sys.executable, "-m", "core.worker"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_worker_with_nothing_to_do_waits_at_low_priority_and_leaves_when_told():
    with process() as one:
        ends = time.monotonic() + PATIENCE
        while not (sign := jobs.read_json(jobs.root() / "worker.json")) or not jobs.is_held("worker"):
            assert time.monotonic() < ends
            time.sleep(0.02)
        assert sign["pid"] == one.pid
        assert os.getpriority(os.PRIO_PROCESS, one.pid) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
        one.terminate()
        assert one.wait(PATIENCE) == 0
        assert one.stderr.read() == ""
    assert not jobs.is_held("worker")
    assert not (jobs.root() / "worker.json").exists()


@pytest.mark.parametrize(
    ("given", "inherited", "added"),
    [("", 0, 10), ("", 10, 0), ("", 15, 0), ("0", 0, 0), ("5", 2, 3), ("99", 0, 19), ("-5", 0, 10), ("low", 0, 10)],
)
def test_its_priority_is_as_it_is_asked_for_and_never_raised(monkeypatch, given, inherited, added):
    asked = []
    monkeypatch.setattr(os, "nice", lambda by: asked.append(by) or inherited)
    monkeypatch.setenv("HOURGLASS_NICE", given)
    worker._give_way()
    assert asked == [0, added]


def test_a_folder_that_can_not_be_written_ends_it(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with process(HOURGLASS_RUNS=str(tmp_path / "file")) as one:
        assert one.wait(PATIENCE) == 1
        assert "Not a directory" in one.stderr.read()


def main_here(monkeypatch, work_off):
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.os, "nice", lambda by: 0)
    monkeypatch.setattr(worker._Worker, "work_off", work_off)
    return worker.main()


def test_what_is_asked_for_at_its_last_moment_is_not_left_waiting(monkeypatch):
    """Who asks sees that a worker holds the lock, and starts none."""
    rounds = []

    def work_off(self):
        rounds.append(jobs.waiting())
        if len(rounds) == 1:
            jobs.request(short(), "somebody")
        else:
            jobs.ask(short().key, jobs.CANCEL)

    assert main_here(monkeypatch, work_off) == 0
    assert [len(waiting) for waiting in rounds] == [0, 1]


def test_a_worker_that_is_not_sound_has_another_go_on(monkeypatch, job):
    started = []
    monkeypatch.setattr(jobs, "start_worker", lambda: started.append(jobs.is_held("worker")))

    def work_off(self):
        self.is_sound = False

    assert main_here(monkeypatch, work_off) == 0
    assert started == [False]
    jobs.ask(job.key, jobs.CANCEL)
    assert main_here(monkeypatch, work_off) == 0
    assert len(started) == 1


def test_a_sign_of_life_of_another_process_does_not_stay(monkeypatch):
    """On a full disk it can't be replaced, and its process may be anybody's by now."""
    sign = jobs.root() / "worker.json"
    sign.parent.mkdir(parents=True)
    jobs.write_json(sign, {"pid": 1, "host": "here"})

    def full(self, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with worker._sign_of_life(sign):
        assert not sign.exists()
