"""The worker's parts, in this process; see `tests.test_queue` and `tests.test_faults` for the real one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from core import datasets, files
from core.errors import Diverged, HourglassError
from core.experiments import fit
from core.runs import reader, specs, store
from core.tasks import progress_log, queue, requests, task_files, training, worker, worker_process
from tests.trainings import PATIENCE, ROOT, assert_as_undisturbed, short, undisturbed


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    """What is asked for here is done here."""
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)


@pytest.fixture
def job():
    return requests.request_training(short(), "somebody")


def trains(monkeypatch, act):
    """Let a training do something else; it has the training's folder and watches."""

    def fit_and_store(spec, dataset, *, checkpoint, **watches):
        return act(checkpoint, **watches)

    monkeypatch.setattr(fit, "fit_and_store", fit_and_store)


def raises(error):
    def act(folder, **watches):
        raise error

    return act


def row(epoch, **more):
    return {"epoch": epoch, "step": 10 * epoch, "seconds": epoch / 10, "rows_per_second": 5.0, "share": 0.1, **more}


def work_off(monkeypatch, seconds=0.05):
    """Work the queue off, and linger no more than `seconds`."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", seconds)
    working = worker.Worker()
    working.work_off()
    return working


# Working off


def test_the_queue_is_worked_off_in_its_order(monkeypatch):
    order = []
    monkeypatch.setattr(
        training, "train", lambda spec, folder, *a, **k: (order.append(spec.seed), task_files.remove_task(folder))
    )
    for seed in (3, 1, 2):
        requests.request_training(short(seed), "somebody")
    work_off(monkeypatch, 0.5)
    assert order == [3, 1, 2]
    assert queue.list_tasks() == []


def test_a_training_is_trained_measured_and_stored_and_its_folder_goes(job, monkeypatch):
    work_off(monkeypatch, 0.1)
    assert requests.is_stored(job.key)
    assert_as_undisturbed(job.spec)
    assert sorted(path.name for path in task_files.queue_folder().iterdir()) == ["locks", "measuring"]
    assert queue.list_pending_scores() == []
    assert not task_files.is_held(job.key)


def test_what_is_over_when_it_is_claimed_is_passed_over(job, monkeypatch):
    listed = queue.list_waiting_tasks()
    monkeypatch.setattr(queue, "list_waiting_tasks", lambda: listed)
    requests.send_command(job.key, queue.PAUSE)
    assert worker.Worker().claim_task() is None
    requests.send_command(job.key, queue.CANCEL)
    assert worker.Worker().claim_task() is None
    assert not task_files.is_held(job.key)


def test_who_only_looks_at_a_lock_takes_no_place_in_the_queue(job):
    """Others ask whether a lock is held by holding it for a moment."""
    requests.request_training(short(1), "somebody")
    probe = task_files.get_lock(job.key)
    probe.acquire()
    threading.Timer(0.1, probe.release).start()
    claimed, mine = worker.Worker().claim_task()
    assert claimed.key == job.key
    mine.release()


def test_what_can_not_be_claimed_stops_nothing(job):
    (task_files.queue_folder() / "locks" / f"{job.key}.lock").unlink(missing_ok=True)
    (task_files.queue_folder() / "locks" / f"{job.key}.lock").mkdir()
    other = requests.request_training(short(1), "somebody")
    claimed, mine = worker.Worker().claim_task()
    assert claimed.key == other.key
    mine.release()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HourglassError("It can't be had."), "It can't be had."),
        (Diverged("Training diverged."), "Training diverged."),
        (MemoryError(), "The training needs more memory than there is: choose a smaller network"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "The training needs more memory"),
        (ValueError("of a\nkind"), "did not foresee (ValueError: of a kind)."),
        (ZeroDivisionError("long " * 1000), "did not foresee (ZeroDivisionError: long long"),
    ],
)
def test_what_fails_is_told_in_one_sentence(job, monkeypatch, capfd, error, message):
    trains(monkeypatch, raises(error))
    working = work_off(monkeypatch)
    failed = queue.find_task(job.key)
    assert failed.state == queue.FAILED
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
        requests.send_command(job.key, queue.CANCEL)
        raise HourglassError("It can't be had.")

    trains(monkeypatch, act)
    work_off(monkeypatch)
    assert queue.list_tasks() == []


def test_an_end_that_can_not_be_written_down_is_not_tried_again_at_once(job, monkeypatch, capfd):
    tried = []

    def end(folder, state, message=""):
        tried.append(message)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(task_files, "end_task", end)
    trains(monkeypatch, raises(HourglassError("The disk is full.")))
    work_off(monkeypatch, 0.5)
    assert tried == ["The disk is full."]
    assert queue.find_task(job.key).state == queue.QUEUED


@pytest.mark.parametrize(
    ("then", "state"),
    [(queue.CANCEL, None), (queue.KEEP, queue.QUEUED), ("request", queue.QUEUED), (queue.PAUSE, queue.PAUSED)],
)
def test_what_is_wanted_last_counts(job, monkeypatch, then, state):
    """It was to be paused, and by the time that it has, something else is asked for."""

    def act(folder, on_stage, **watches):
        (folder / "checkpoint.safetensors").touch()
        requests.send_command(job.key, queue.PAUSE)
        try:
            on_stage("Fitting")
        finally:
            requests.request_training(job.spec, "another") if then == "request" else requests.send_command(
                job.key, then
            )

    trains(monkeypatch, act)
    worker.Worker().train_next()
    found = queue.find_task(job.key)
    assert (found and found.state) == state
    assert found is None or not (found.folder / "claims").exists()


def test_kept_and_asked_for_again_while_it_is_measured_it_goes_on_to_its_end(monkeypatch):
    job = requests.request_training(short(epochs=6), "somebody")
    undisturbed(job.spec)
    genuine, measured = fit.evaluate, []

    def measure(*args, **kwargs):
        measured.append(requests.request_training(job.spec, "another").command)
        return genuine(*args, **kwargs)

    def after_an_epoch(recorder, row, estimator):
        if not measured:
            requests.send_command(job.key, queue.KEEP)

    monkeypatch.setattr(fit, "evaluate", measure)
    monkeypatch.setattr(fit.Recorder, "epoch", after_an_epoch)
    work_off(monkeypatch)
    assert len(measured) == 2
    assert requests.is_stored(job.key)
    assert_as_undisturbed(job.spec)


def test_kept_before_its_first_step_it_makes_one(job, monkeypatch):
    (job.folder / "stop").write_text(queue.KEEP)
    work_off(monkeypatch)
    assert queue.find_task(job.key).state == queue.STOPPED
    run = reader.read_run(store.find_place(job.key))
    assert run.environment["stopped_early"]
    assert 0 < run.environment["steps"] < 40


@pytest.mark.parametrize("what", [queue.PAUSE, queue.CANCEL])
def test_left_before_its_first_step_it_has_learned_nothing(job, monkeypatch, what):
    loaded = datasets.load

    def load(*args, **kwargs):
        requests.send_command(job.key, what)
        return loaded(*args, **kwargs)

    monkeypatch.setattr(datasets, "load", load)
    work_off(monkeypatch)
    found = queue.find_task(job.key)
    assert (found and found.state) == (queue.PAUSED if what == queue.PAUSE else None)
    assert found is None or not found.has_checkpoint


def test_data_that_are_not_to_be_had_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    job = requests.request_training(specs.make("reuters-r8", "lsa", {"n_components": 2}), "somebody")
    work_off(monkeypatch)
    failed = queue.find_task(job.key)
    assert failed.state == queue.FAILED
    assert "Reuters R8 is not on this machine and has no free download" in failed.message
    assert "\n" not in failed.message


def test_a_method_that_is_solved_at_once_is_kept_whole(monkeypatch):
    job = requests.request_training(specs.make("digits", "pca", {"n_components": 3}), "somebody")
    (job.folder / "stop").write_text(queue.KEEP)
    work_off(monkeypatch)
    assert requests.is_stored(job.key)
    assert queue.list_tasks() == []


# A map of rows: trained with progress, and never in part


def a_map(**params):
    return specs.make("digits", "tsne", {"max_iter": 300, **params})


def test_a_map_of_rows_is_made_measured_and_stored(monkeypatch, capfd):
    job = requests.request_training(a_map(), "somebody")
    seen = []
    genuine = progress_log.ProgressLog.write_epoch

    def epoch(diary, row):
        genuine(diary, row)
        seen.append(queue.read_history(diary.folder))

    monkeypatch.setattr(progress_log.ProgressLog, "write_epoch", epoch)
    work_off(monkeypatch)
    assert queue.list_tasks() == []
    run = reader.read_run(store.find_place(job.key))
    assert run.metrics["knn_accuracy"] > 0.9
    assert [row["epoch"] for row in seen[-1]] == [50, 100, 150, 200, 250, 300]
    assert all(row["loss"] > 0 for row in seen[-1])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("what", [queue.PAUSE, queue.CANCEL, queue.KEEP])
def test_a_map_of_rows_is_left_or_kept_whole(what, monkeypatch):
    job = requests.request_training(a_map(), "somebody")
    told = []
    genuine = progress_log.ProgressLog.write_tick

    def tick(diary, row):
        genuine(diary, row)
        if row["step"] == 100 and not told:
            told.append(queue.find_task(job.key))
            requests.send_command(job.key, what)

    monkeypatch.setattr(progress_log.ProgressLog, "write_tick", tick)
    working = work_off(monkeypatch)
    assert working.is_sound
    (under_way,) = told
    assert under_way.row["share"] == pytest.approx(1 / 3)
    assert under_way.row["rows_per_second"] > 0
    assert under_way.seconds_left > 0
    found = queue.find_task(job.key)
    assert (found and found.state) == (queue.PAUSED if what == queue.PAUSE else None)
    assert requests.is_stored(job.key) == (what == queue.KEEP)


def test_a_paused_map_begins_anew_and_tells_each_iteration_once(monkeypatch):
    job = requests.request_training(a_map(), "somebody")
    history = []
    genuine = progress_log.ProgressLog.write_epoch

    def epoch(diary, row):
        genuine(diary, row)
        history[:] = queue.read_history(diary.folder)
        if row["step"] == 200 and "asked" not in told:
            told.append("asked")
            requests.send_command(job.key, queue.PAUSE)

    told = []
    monkeypatch.setattr(progress_log.ProgressLog, "write_epoch", epoch)
    work_off(monkeypatch)
    assert queue.find_task(job.key).state == queue.PAUSED
    requests.request_training(job.spec, "somebody")
    work_off(monkeypatch)
    assert requests.is_stored(job.key)
    assert [row["epoch"] for row in history] == [50, 100, 150, 200, 250, 300]


def test_told_to_end_it_leaves_the_training_in_the_queue(job, monkeypatch):
    def act(folder, on_stage, **watches):
        working.on_signal(signal.SIGTERM, None)
        on_stage("Fitting")

    trains(monkeypatch, act)
    working = worker.Worker()
    working.work_off()
    assert queue.find_task(job.key).state == queue.QUEUED
    assert sorted(path.name for path in job.folder.iterdir()) == ["askers", "spec.json"]


def test_what_a_killed_worker_wrote_aside_is_cleared_away(job, monkeypatch):
    for name in ("checkpoint.123.tmp", "replay.123.tmp", "now.json.1.2.tmp", "progress.jsonl.1.2.tmp"):
        (job.folder / name).write_bytes(b"half")
    trains(monkeypatch, raises(HourglassError("It failed.")))
    work_off(monkeypatch)
    assert list(job.folder.glob("*.tmp")) == []


def test_paused_while_it_is_measured_it_is_measured_anew_when_resumed(job, monkeypatch):
    genuine = fit.evaluate

    def measure(subject, parts, on_stage):
        requests.send_command(job.key, queue.PAUSE)
        on_stage("Measuring the codes")

    monkeypatch.setattr(fit, "evaluate", measure)
    work_off(monkeypatch)
    paused = queue.find_task(job.key)
    assert (paused.state, paused.has_checkpoint) == (queue.PAUSED, True)
    assert store.find_place(job.key) is None
    monkeypatch.setattr(fit, "evaluate", genuine)
    requests.request_training(job.spec, "somebody")
    work_off(monkeypatch)
    assert_as_undisturbed(job.spec)


# The diary


def test_the_row_of_an_epochs_start_has_the_pace_and_losses_of_the_one_before(tmp_path):
    diary = progress_log.ProgressLog(tmp_path)
    start = {"step": 0, "seconds": 0.0, "rows_per_second": 0.0, "learning_rate": 0.0, "share": 0.0}
    diary.write_tick({"epoch": 0.0, **start})
    assert files.read_json(tmp_path / "now.json")["row"] == {"epoch": 0.0, **start}
    diary.write_tick(row(0.5, loss=3.0))
    diary.write_tick({"epoch": 1.0, **start, "step": 10, "share": 0.2})
    found = files.read_json(tmp_path / "now.json")["row"]
    assert (found["epoch"], found["step"], found["share"]) == (1.0, 10, 0.2)
    assert (found["rows_per_second"], found["loss"]) == (5.0, 3.0)


def test_it_says_that_it_lives_while_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(progress_log, "HEARTBEAT_SECONDS", 0.02)
    with progress_log.ProgressLog(tmp_path) as diary:
        diary.write_stage("Measuring")
        os.utime(tmp_path / "now.json", (0, 0))
        ends = time.monotonic() + PATIENCE
        while (tmp_path / "now.json").stat().st_mtime == 0:
            assert time.monotonic() < ends
            time.sleep(0.01)
    assert not diary._heart.is_alive()


def test_a_training_stopped_on_another_copy_of_the_data_begins_anew_and_says_so(job, monkeypatch):
    here = datasets.load("digits")
    other = replace(here, X_train=here.X_train[::-1].copy())
    (job.folder / "stop").write_text(queue.KEEP)
    training.train(job.spec, job.folder, lambda: queue.read_command(job.folder), dataset=other)
    assert (job.folder / "checkpoint.safetensors").exists()
    (job.folder / "stop").write_text(queue.KEEP)
    with pytest.raises(HourglassError, match="other train rows"):
        training.train(job.spec, job.folder, lambda: queue.read_command(job.folder), dataset=here)
    (job.folder / "stop").unlink()
    notes, seen = [], []

    def note(text):
        notes.append(text)
        seen.append(queue.find_task(job.key).note)

    run = training.train(job.spec, job.folder, lambda: "", dataset=here, on_note=note)
    assert notes == seen == [run.environment["note"]]
    assert_as_undisturbed(job.spec)


# Measuring what is pending


def pending(key):
    return reader.read_run(store.find_place(key)).pending


def test_a_run_is_there_before_it_is_measured_to_the_end(job, monkeypatch):
    seen = []
    genuine = fit.finish

    def finish(place, dataset, *, on_stage):
        seen.append((requests.is_stored(job.key), queue.find_task(job.key), bool(pending(job.key))))
        return genuine(
            place, dataset, on_stage=lambda text: (on_stage(text), seen.append(queue.list_pending_scores()[0].key))
        )

    monkeypatch.setattr(fit, "finish", finish)
    work_off(monkeypatch, 0.1)
    assert seen[0] == (True, None, True)
    assert set(seen[1:]) == {job.key}
    assert pending(job.key) == ()
    assert queue.list_pending_scores() == []


def test_trainings_go_before_measuring(monkeypatch):
    order = []
    genuine = fit.finish
    one, other = requests.request_training(short(1), "somebody"), requests.request_training(short(2), "somebody")

    def finish(place, dataset, *, on_stage):
        if not order:
            order.append((requests.is_stored(one.key), requests.is_stored(other.key)))
            requests.request_training(short(3), "somebody")
            on_stage("Measuring")  # where it looks, and leaves
        order.append(reader.read_run(place).key)
        return genuine(place, dataset, on_stage=on_stage)

    monkeypatch.setattr(fit, "finish", finish)
    work_off(monkeypatch, 0.1)
    assert order[0] == (True, True)
    assert set(order[1:]) == {one.key, other.key, short(3).key}
    assert len(order) == 4
    assert requests.is_stored(short(3).key)
    assert queue.list_pending_scores() == []


def test_measuring_that_is_cancelled_stops_and_can_be_asked_for_again(job, monkeypatch):
    genuine = fit.finish

    def finish(place, dataset, *, on_stage):
        queue.remove_pending_scores(job.key)
        on_stage("Measuring")
        raise AssertionError("it went on")

    monkeypatch.setattr(fit, "finish", finish)
    work_off(monkeypatch, 0.1)
    left = pending(job.key)
    assert "frechet" in left
    assert queue.list_pending_scores() == []
    monkeypatch.setattr(fit, "finish", genuine)
    requests.request_scores(job.key)
    assert [each.key for each in queue.list_pending_scores()] == [job.key]
    work_off(monkeypatch, 0.1)
    assert pending(job.key) == ()


@pytest.mark.parametrize("error", [HourglassError("No room."), ValueError("odd")])
def test_measuring_that_fails_says_why_and_is_not_tried_again_by_itself(job, monkeypatch, error):
    tried = []

    def finish(place, dataset, *, on_stage):
        tried.append(place)
        raise error

    monkeypatch.setattr(fit, "finish", finish)
    work_off(monkeypatch, 0.1)
    work_off(monkeypatch, 0.1)
    assert len(tried) == 1
    (found,) = queue.list_pending_scores()
    assert str(error) in found.problem
    assert pending(job.key)


def test_measuring_whose_process_ends_again_and_again_is_given_up(job, monkeypatch):
    training.train(job.spec, job.folder, lambda: "")
    for _ in range(worker.MOST_CLAIMS):
        (found,) = queue.list_pending_scores()
        queue.write_pending_scores(replace(found, claims=found.claims + 1))
    work_off(monkeypatch, 0.1)
    (found,) = queue.list_pending_scores()
    assert "several times" in found.problem
    requests.request_scores(job.key)
    assert queue.list_pending_scores()[0].problem == ""


def test_a_run_deleted_before_it_is_measured_is_forgotten(job, monkeypatch):
    training.train(job.spec, job.folder, lambda: "")
    store.delete_run(job.key)
    work_off(monkeypatch, 0.1)
    assert queue.list_pending_scores() == []
    with pytest.raises(HourglassError):
        requests.request_scores(job.key)


def test_a_resumed_training_has_each_epoch_once(tmp_path):
    lines = [json.dumps(row(epoch)) for epoch in (1, 2, 3, 4)]
    (tmp_path / "progress.jsonl").write_text("\n".join(lines) + '\n{"epoch": 5, "st')
    diary = progress_log.ProgressLog(tmp_path)
    diary.write_tick(row(2.5))
    for epoch in (3, 4, 5):
        diary.write_epoch(row(epoch, loss=1.0))
    rows = queue.read_history(tmp_path)
    assert [r["epoch"] for r in rows] == [1, 2, 3, 4, 5]
    assert [r.get("loss") for r in rows] == [None, None, 1.0, 1.0, 1.0]
    assert len((tmp_path / "progress.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("resumed", [False, True])
def test_of_very_many_epochs_a_bounded_number_is_written_evenly_spread(tmp_path, resumed):
    diary = progress_log.ProgressLog(tmp_path)
    for epoch in range(1, 20_001):
        if resumed and epoch == 10_000:
            diary = progress_log.ProgressLog(tmp_path)
            diary.write_tick(row(9_999))
        diary.write_epoch(row(epoch))
    epochs = [r["epoch"] for r in queue.read_history(tmp_path)]
    assert progress_log.MOST_ROWS / 2 <= len(epochs) <= progress_log.MOST_ROWS
    assert epochs == list(range(1, 20_001, 16))[: len(epochs)]
    assert epochs[-1] > 19_900


def test_rows_that_can_not_be_written_end_the_training_in_a_sentence(tmp_path):
    (tmp_path / "progress.jsonl").mkdir()
    with pytest.raises(HourglassError, match="could not write in"):
        progress_log.ProgressLog(tmp_path).write_epoch(row(1))


# The process


def process(**environment):
    return subprocess.Popen(
        [sys.executable, "-m", "core.tasks.worker"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_worker_with_nothing_to_do_waits_at_low_priority_and_leaves_when_told():
    with process() as one:
        ends = time.monotonic() + PATIENCE
        while not task_files.is_held("worker"):
            assert time.monotonic() < ends
            time.sleep(0.02)
        assert os.getpriority(os.PRIO_PROCESS, one.pid) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
        one.terminate()
        assert one.wait(PATIENCE) == 0
        assert one.stderr.read() == ""
    assert not task_files.is_held("worker")


@pytest.mark.parametrize(
    ("given", "inherited", "added"),
    [("", 0, 10), ("", 10, 0), ("", 15, 0), ("0", 0, 0), ("5", 2, 3), ("19", 0, 19)],
)
def test_its_priority_is_as_it_is_asked_for_and_never_raised(monkeypatch, given, inherited, added):
    asked = []
    monkeypatch.setattr(os, "nice", lambda by: asked.append(by) or inherited)
    monkeypatch.setenv("HOURGLASS_NICE", given)
    worker.lower_priority()
    assert asked == [0, added]


def test_a_folder_that_can_not_be_written_ends_it(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with process(HOURGLASS_RUNS=str(tmp_path / "file")) as one:
        assert one.wait(PATIENCE) == 2
        assert "is not a folder" in one.stderr.read()


def main_here(monkeypatch, work_off):
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.os, "nice", lambda by: 0)
    monkeypatch.setattr(worker.Worker, "work_off", work_off)
    return worker.main()


def test_what_is_asked_for_at_its_last_moment_is_not_left_waiting(monkeypatch):
    """Who asks sees that a worker holds the lock, and starts none."""
    rounds = []

    def work_off(self):
        rounds.append(queue.list_waiting_tasks())
        if len(rounds) == 1:
            requests.request_training(short(), "somebody")
        else:
            requests.send_command(short().key, queue.CANCEL)

    assert main_here(monkeypatch, work_off) == 0
    assert [len(waiting) for waiting in rounds] == [0, 1]


def test_a_worker_that_is_not_sound_has_another_go_on(monkeypatch, job):
    started = []
    monkeypatch.setattr(worker_process, "start_worker", lambda: started.append(task_files.is_held("worker")))

    def work_off(self):
        self.is_sound = False

    assert main_here(monkeypatch, work_off) == 0
    assert started == [False]
    requests.send_command(job.key, queue.CANCEL)
    assert main_here(monkeypatch, work_off) == 0
    assert len(started) == 1
