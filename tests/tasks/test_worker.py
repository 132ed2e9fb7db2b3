"""The worker's parts, in this process; `test_worker_process` runs the real one."""

import json
import os
import re
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from unittest.mock import Mock

import pytest

from core.errors import HourglassError
from core.experiments import fit
from core.runs import reader, specs, store
from core.tasks import progress_log, queue, requests, task_files, training, worker, worker_process
from tests.trainings import PATIENCE, ROOT, awaited, request, short


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)


@pytest.fixture
def task():
    return request(short())


def replace_fit(monkeypatch, act):
    """Let a training call `act`, which has its folder and callbacks."""
    monkeypatch.setattr(fit, "fit_and_store", lambda spec, dataset, *, checkpoint, **kw: act(checkpoint, **kw))


def work_off(monkeypatch, seconds=0.05):
    """Work off the queue, and wait no more than `seconds` for more."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", seconds)
    worker.Worker().work_off()


def test_queue_is_worked_off_in_order_and_ended_tasks_are_passed_over(monkeypatch):
    order = []
    train = lambda spec, folder, *a, **k: (order.append(spec.seed), task_files.remove_task(folder))
    monkeypatch.setattr(training, "train", train)
    tasks = [request(short(seed)) for seed in (5, 3, 1, 4, 2)]
    listed = queue.list_waiting_tasks()
    requests.send_command(tasks[3].key, queue.PAUSE)
    working = worker.Worker()
    with monkeypatch.context() as patch, task_files.get_lock(tasks[0].key):  # another process has the first one
        patch.setattr(queue, "list_waiting_tasks", lambda: listed)
        assert [working.train_next() for _ in range(4)] == [True, True, True, False]
    assert (order, task_files.is_held(tasks[3].key)) == ([3, 1, 2], False)


def ends_after(error):
    """After an error that was not foreseen the process ends with a traceback, and another one goes on."""
    return nullcontext() if isinstance(error, HourglassError) else pytest.raises(type(error))


def test_failure_is_told_in_one_sentence(task, monkeypatch):
    for error, message in (
        (HourglassError("It can't be had."), "It can't be had."),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "The training needs more memory"),
        (ZeroDivisionError("of a\nkind " * 1000), "did not foresee (ZeroDivisionError: of a kind of"),
    ):
        request(task.spec)
        replace_fit(monkeypatch, Mock(side_effect=error))
        with ends_after(error):
            work_off(monkeypatch)
        failed = queue.find_task(task.key)
        assert failed.state == queue.FAILED
        assert re.fullmatch(f".*{re.escape(message)}.*", failed.message)  # one line
        assert sorted(path.name for path in task.folder.iterdir()) == ["askers", "done.json", "spec.json"]


def test_spec_of_another_program_and_absent_data_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path))
    absent = specs.make("reuters-r8", "lsa", {"n_components": 2}).to_json()
    for changes, message in (
        ({"dataset": "cifar"}, "There is no data set 'cifar'"),
        ({"params": {"epochs": 1}}, "written by another version of the program"),
        (absent, "Reuters R8 is not on this machine and has no free download"),
    ):
        document = {**short().to_json(), **changes}
        folder = task_files.task_folder(queue.Spec.from_json(document).key)
        folder.mkdir(parents=True)
        (folder / "spec.json").write_text(json.dumps({"spec": document, "asked": 1}))
        work_off(monkeypatch, 0)
        assert message in queue.find_task(folder.name).message


def test_last_command_counts(monkeypatch):
    """A training is to be paused; before it has paused, it gets another command."""
    states = {"fail": None, queue.CANCEL: None, queue.PAUSE: queue.PAUSED}
    states |= {queue.KEEP: queue.QUEUED, "request": queue.QUEUED}
    for last, state in states.items():
        task = request(short())

        def act(folder, on_stage, task=task, last=last, **callbacks):
            (folder / "checkpoint.safetensors").touch()
            if last == "fail":
                requests.send_command(task.key, queue.CANCEL)
                raise HourglassError("It can't be had.")
            requests.send_command(task.key, queue.PAUSE)
            with pytest.raises(training.Interrupted) as interruption:
                on_stage("Fitting")
            request(task.spec, "another") if last == "request" else requests.send_command(task.key, last)
            raise interruption.value

        replace_fit(monkeypatch, act)
        worker.Worker().train_next()
        left = queue.find_task(task.key)
        assert (left and left.state) == state, last
        task_files.remove_task(task.folder)


def test_tsne_is_paused_restarted_or_kept_whole(monkeypatch, capfd):
    """Its map is trained with progress, and never stored in part."""
    task, commands = request(specs.make("digits", "tsne", {"max_iter": 300})), [queue.PAUSE, queue.KEEP]
    genuine = progress_log.ProgressLog.write_tick

    def send_next(log, row):
        genuine(log, row)
        if row["step"] == 100 and commands:
            assert queue.find_task(task.key).row["share"] == pytest.approx(1 / 3)
            requests.send_command(task.key, commands.pop(0))

    monkeypatch.setattr(progress_log.ProgressLog, "write_tick", send_next)
    work_off(monkeypatch)
    assert queue.find_task(task.key).state == queue.PAUSED
    request(task.spec)
    work_off(monkeypatch)
    assert (requests.is_stored(task.key), queue.list_tasks()) == (True, [])
    history = reader.read_run(store.find_place(task.key)).history
    assert [row["epoch"] for row in history if row["loss"] > 0] == [50, 100, 150, 200, 250, 300]
    assert capfd.readouterr() == ("", "")


def test_worker_that_is_told_to_end_leaves_the_training_in_the_queue(task, monkeypatch):
    (task.folder / "checkpoint.123.tmp").write_bytes(b"of a worker that was killed")
    working = worker.Worker()

    def act(folder, on_stage, **callbacks):
        working.ended.set()
        on_stage("Fitting")

    replace_fit(monkeypatch, act)
    working.work_off()
    assert queue.find_task(task.key).state == queue.QUEUED
    assert sorted(path.name for path in task.folder.iterdir()) == ["askers", "spec.json"]


def test_trainings_go_before_pending_scores(task, monkeypatch):
    order, genuine = [], fit.finish

    def finish(place, dataset, *, on_stage):
        order.append(reader.read_run(place).key)
        if len(order) == 1:
            request(short(3))
            on_stage("Measuring")
        return genuine(place, dataset, on_stage=on_stage)

    monkeypatch.setattr(fit, "finish", finish)
    work_off(monkeypatch, 0.1)
    assert sorted(order) == sorted([task.key, task.key, short(3).key])
    assert queue.list_pending_scores() == []


def test_failed_scores_are_not_tried_again(task, monkeypatch):
    for error in (HourglassError("No room."), ValueError("odd")):
        tried = Mock(side_effect=error)
        monkeypatch.setattr(fit, "finish", tried)
        with ends_after(error):
            work_off(monkeypatch)
        work_off(monkeypatch)
        tried.assert_called_once()
        assert str(error) in queue.list_pending_scores()[0].problem
        requests.request_scores(task.key)
    (scores,) = queue.list_pending_scores()
    queue.write_pending_scores(replace(scores, claims=worker.MOST_CLAIMS))  # so many processes have died
    work_off(monkeypatch)
    assert "several times" in queue.list_pending_scores()[0].problem
    requests.request_scores(task.key)
    store.delete_run(task.key)
    work_off(monkeypatch)
    assert queue.list_pending_scores() == []


def test_sign_of_life_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(progress_log, "HEARTBEAT_SECONDS", 0.02)
    with progress_log.ProgressLog(tmp_path):
        os.utime(tmp_path / "now.json", (0, 0))
        awaited(lambda: (tmp_path / "now.json").stat().st_mtime, "a sign of life")


def test_resumed_history_has_each_epoch_once(tmp_path):
    row = {"step": 1, "seconds": 0.1, "rows_per_second": 5.0, "share": 0.1}
    lines = [json.dumps({**row, "epoch": epoch}) for epoch in (1, 2, 3, 4)]
    (tmp_path / "progress.jsonl").write_text("\n".join(lines) + '\n{"epoch": 5, "st')
    log = progress_log.ProgressLog(tmp_path)
    log.write_tick({**row, "epoch": 2.5})
    for epoch in (3, 4, 5):
        log.write_epoch({**row, "epoch": epoch, "loss": 1.0})
    losses = [(row["epoch"], row.get("loss")) for row in queue.read_history(tmp_path)]
    assert losses == [(1, None), (2, None), (3, 1.0), (4, 1.0), (5, 1.0)]


def test_idle_worker_has_low_priority_a_second_one_ends_at_once_and_it_ends_when_told():
    command = [sys.executable, "-m", "core.tasks.worker"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        awaited(lambda: task_files.is_held("worker"), "the worker")
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
        subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=True)
        assert process.poll() is None
        process.terminate()
        assert (process.wait(PATIENCE), process.stderr.read()) == (0, "")
    assert not task_files.is_held("worker")


def test_request_at_the_workers_last_moment_is_not_left_waiting(monkeypatch):
    """Who requests a training sees that a worker holds the lock, and starts none."""
    rounds = []

    def work_off(self):
        rounds.append([task.place for task in queue.list_waiting_tasks()])
        request(short(len(rounds)))
        self.ended.set() if len(rounds) == 2 else None

    monkeypatch.setattr(worker.signal, "signal", Mock())
    monkeypatch.setattr(worker.computation, "lower_priority", Mock())
    monkeypatch.setattr(worker.Worker, "work_off", work_off)
    assert (worker.main(), rounds) == (0, [[], [1]])
