"""The queue with one worker, the real process, of which everything is asked that people may ask."""

import json
import os
import time
from contextlib import suppress

import numpy as np
import pytest

from core.analysis import snapshots
from core.cli import main
from core.errors import HourglassError
from core.runs import reader, specs, store
from core.tasks import queue, requests, task_files, worker_process
from tests.trainings import (
    PATIENCE,
    assert_as_undisturbed,
    awaited,
    end_workers,
    log,
    long,
    processes_of,
    short,
    some_seconds,
    state,
    until,
    until_stored,
    until_within,
    worker_pid,
)

# Asked in the middle of a long epoch it takes well below a second; the rest is for a machine that is busy.
STOP_SECONDS = 1.5
BUSY = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory, user_cache):
    folder = tmp_path_factory.mktemp("worker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(user_cache))
        patch.setenv("HOURGLASS_NICE", "0")
        yield folder
        end_workers()


@pytest.fixture(autouse=True)
def clean(folder, own_runs_folder, user_cache, monkeypatch):
    """Each test begins and ends with no training and no run."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(user_cache))
    monkeypatch.setenv("HOURGLASS_NICE", "0")
    yield
    for job in queue.list_tasks():
        with suppress(HourglassError):
            requests.send_command(job.key, queue.CANCEL)
    awaited(lambda: not queue.list_tasks(), "that all are cancelled")
    for run in store.list_runs()[0]:
        if not store.is_shipped(run):
            queue.remove_pending_scores(run.key)
            store.delete_run(run.key)
    kept = {"locks", "measuring", "worker.log"}
    awaited(lambda: {path.name for path in task_files.queue_folder().iterdir()} <= kept, "that nothing is left")
    assert queue.list_pending_scores() == []
    assert [path.name for path in folder.rglob("*.tmp")] == []
    assert "Traceback" not in log()


@pytest.fixture
def started(monkeypatch):
    """The processes of workers that a test starts; none outlives it."""
    yield from processes_of("core.tasks.worker", monkeypatch)


@pytest.fixture
def in_epoch():
    spec = long()
    requests.request_training(spec, "somebody")
    until_within(spec, 1)
    return spec


@pytest.fixture
def paused(in_epoch):
    requests.send_command(in_epoch.key, queue.PAUSE)
    until(in_epoch, "paused")
    return in_epoch


def nothing_is_left(spec):
    awaited(lambda: not task_files.task_folder(spec.key).exists(), f"that nothing is left of {spec.key}")


# What is asked for in each state.


def test_paused_within_an_epoch_it_keeps_its_place_and_goes_on_to_the_same_weights():
    spec = some_seconds()
    requests.request_training(spec, "somebody")
    until_within(spec, 1)
    requests.send_command(spec.key, queue.PAUSE)
    until(spec, "paused")
    job = queue.find_task(spec.key)
    assert job.has_checkpoint
    assert job.command == ""
    assert not job.row
    assert not (job.folder / "now.json").exists()
    reached = queue.read_history(job.folder)[-1]["epoch"]
    requests.request_training(spec, "somebody")
    assert until_within(spec, 0).row["epoch"] > reached
    rows = [row["epoch"] for row in queue.read_history(job.folder)]
    assert rows == sorted(set(rows))
    run = until_stored(spec)
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    assert not run.environment["stopped_early"]
    assert_as_undisturbed(spec)
    pictures = snapshots.parse(reader.read_replay(store.find_place(spec.key)))
    assert pictures.epochs[0] == 0
    assert pictures.epochs[-1] == 4
    nothing_is_left(spec)


def test_stopped_and_kept_it_is_stored_as_far_as_it_went_and_goes_on_to_the_same_weights():
    spec = some_seconds()
    requests.request_training(spec, "somebody")
    until_within(spec, 1)
    requests.send_command(spec.key, queue.KEEP)
    until(spec, "stopped")
    kept = reader.read_run(store.find_place(spec.key))
    assert kept.environment["stopped_early"]
    assert 1 < kept.history[-1]["epoch"] < 4
    assert kept.metrics["squared_error"] > 0
    assert not requests.is_stored(spec.key)
    for what in (queue.PAUSE, queue.KEEP):
        requests.send_command(spec.key, what)
        assert state(spec) == "stopped"
    assert requests.request_training(spec, "somebody").state in ("queued", "running")
    until_stored(spec)
    assert requests.request_training(spec, "somebody") is None
    assert_as_undisturbed(spec)
    nothing_is_left(spec)


def test_cancelled_within_an_epoch_nothing_is_left(in_epoch):
    requests.send_command(in_epoch.key, queue.CANCEL)
    until(in_epoch, "over")
    nothing_is_left(in_epoch)
    assert store.find_place(in_epoch.key) is None
    with pytest.raises(HourglassError, match="ended already"):
        requests.send_command(in_epoch.key, queue.CANCEL)


def test_asked_for_anew_before_it_has_paused_it_goes_on(in_epoch):
    requests.send_command(in_epoch.key, queue.PAUSE)
    assert requests.request_training(in_epoch, "another").state == "running"
    reached = until_within(in_epoch, 1).row["epoch"]
    assert until_within(in_epoch, reached).command == ""
    assert queue.find_task(in_epoch.key).people == ("another", "somebody")


def test_a_cancellation_overrules_a_pause_that_is_not_done_yet(in_epoch):
    requests.send_command(in_epoch.key, queue.PAUSE)
    requests.send_command(in_epoch.key, queue.CANCEL)
    until(in_epoch, "over")
    nothing_is_left(in_epoch)


def test_a_queued_training_is_paused_resumed_and_cancelled_without_a_worker(in_epoch):
    spec, other = short(1), short(2)
    assert requests.request_training(spec, "somebody").place == 1
    assert requests.request_training(other, "somebody").place == 2
    with pytest.raises(HourglassError, match="Nothing was learned yet"):
        requests.send_command(spec.key, queue.KEEP)
    requests.send_command(spec.key, queue.PAUSE)
    assert state(spec) == "paused"
    assert queue.find_task(other.key).place == 1
    with pytest.raises(HourglassError, match="Nothing was learned yet"):
        requests.send_command(spec.key, queue.KEEP)
    assert requests.request_training(spec, "somebody").place == 2
    requests.send_command(other.key, queue.CANCEL)
    nothing_is_left(other)
    assert queue.find_task(spec.key).place == 1
    requests.send_command(in_epoch.key, queue.CANCEL)
    until_stored(spec)


def test_a_paused_training_may_be_kept_as_it_is(paused):
    requests.send_command(paused.key, queue.PAUSE)
    assert state(paused) == "paused"
    requests.send_command(paused.key, queue.KEEP)
    until(paused, "stopped")
    kept = reader.read_run(store.find_place(paused.key))
    assert kept.environment["stopped_early"]
    requests.send_command(paused.key, queue.CANCEL)
    nothing_is_left(paused)
    assert reader.read_run(store.find_place(paused.key)).history == kept.history


def test_a_paused_training_may_be_kept_from_the_queue(paused, monkeypatch):
    blocker = long(1)
    requests.request_training(blocker, "somebody")
    until_within(blocker, 0)
    assert requests.request_training(paused, "somebody").place == 1
    requests.send_command(paused.key, queue.KEEP)
    assert queue.find_task(paused.key).command == "keep"
    requests.send_command(blocker.key, queue.CANCEL)
    until(paused, "stopped")


def test_a_paused_training_may_be_cancelled(paused):
    requests.send_command(paused.key, queue.CANCEL)
    nothing_is_left(paused)


def measured(dataset):
    """A training in its measuring, or just stored: what is measured first may take less than a look at it."""
    spec = specs.make(dataset, "vae", {"n_components": 2, "width": 8, "layers": 1, "epochs": 1})
    requests.request_training(spec, "somebody")

    def is_measured():
        job = queue.find_task(spec.key)
        return store.find_place(spec.key) or (job and job.stage.startswith("Measuring"))

    awaited(is_measured, "the measuring")
    return spec


def test_cancelled_while_it_is_measured_nothing_is_left_and_the_next_begins():
    spec, after = measured("mnist-sample"), short()
    requests.request_training(after, "somebody")
    asked = time.monotonic()
    with suppress(HourglassError):
        requests.send_command(spec.key, queue.CANCEL)
    until(spec, "over")
    assert time.monotonic() - asked < BUSY
    # What is measured first takes about a second: it may have ended before the command was read.
    stored = store.find_place(spec.key)
    assert stored is None or reader.read_run(stored).metrics["knn_accuracy"] > 0
    nothing_is_left(spec)
    until_stored(after)


def test_what_is_measured_already_is_kept_whole():
    spec = measured("digits")
    with suppress(HourglassError):
        requests.send_command(spec.key, queue.KEEP)
    until_stored(spec)
    nothing_is_left(spec)


def test_a_long_epoch_is_left_at_once():
    spec = specs.make("mnist-sample", "ae", {"network": "conv", "batch_size": 2, "epochs": 1000})
    took = []
    for _ in range(3):
        requests.request_training(spec, "somebody")
        assert until_within(spec, 0).row["epoch"] < 1
        asked = time.monotonic()
        requests.send_command(spec.key, queue.PAUSE)
        until(spec, "paused")
        took.append(time.monotonic() - asked)
    assert np.median(took) < STOP_SECONDS


# What fails.


def test_a_diverging_training_says_so_and_what_it_had_learned_may_be_kept():
    # Over so many epochs the rate rises slowly: the first ones go well on any processor.
    params = {"output": "normal", "learning_rate": 1.0, "batch_size": 16, "layers": 4, "n_components": 2, "epochs": 100}
    spec = specs.make("digits", "vae", params)
    requests.request_training(spec, "somebody")
    until(spec, "failed")
    job = queue.find_task(spec.key)
    assert "Training diverged in epoch" in job.message
    assert "Lower learning_rate (now 1)" in job.message
    assert job.has_checkpoint
    requests.send_command(spec.key, queue.PAUSE)
    assert queue.find_task(spec.key).message == job.message
    requests.send_command(spec.key, queue.KEEP)
    until(spec, "stopped")
    kept = reader.read_run(store.find_place(spec.key))
    assert kept.environment["stopped_early"]
    assert np.isfinite(kept.metrics["squared_error"])
    assert requests.request_training(spec, "somebody").message == ""
    until(spec, "failed")


def by_hand(**changes):
    """A training that no program wrote."""
    written = {**short().to_json(), **changes}
    spec = queue.Spec.from_json(written)
    folder = task_files.task_folder(spec.key)
    (folder / "askers").mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({"spec": written, "asked": 1}))
    return spec


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "cifar"}, "There is no data set 'cifar'"),
        ({"method": "umap"}, "There is no method umap"),
        ({"method": "lsa"}, "LSA does not fit"),
        ({"params": {**dict(short().params), "epochs": -1}}, "epochs=-1 is not allowed"),
        ({"params": {**dict(short().params), "width": "wide"}}, "width=wide is not allowed"),
        ({"params": {"colour": "red"}}, "colour is no parameter"),
        ({"params": {"epochs": 1}}, "written by another version of the program"),
        ({"version": 99}, "written by another version of the program"),
        ({"seed": -1}, "seed=-1 is not allowed"),
    ],
)
def test_a_spec_written_by_hand_is_checked(changes, message):
    spec = by_hand(**changes)
    worker_process.ensure_worker()
    until(spec, "failed")
    assert message in queue.find_task(spec.key).message


# Beside others.


def test_the_command_line_waits_for_what_the_worker_trains_and_prints_its_figures(capsys):
    spec = some_seconds()
    requests.request_training(spec, "somebody")
    until_within(spec, 0)
    settings = [f"--set={name}={value}" for name, value in spec.params]
    assert main(["fit", "digits", "ae", *settings]) == 0
    out, err = capsys.readouterr()
    assert "is training this run" in err
    assert "epoch" not in err
    run = reader.read_run(store.find_place(spec.key))
    assert f"{run.metrics['squared_error']:.5g}" in out
    assert_as_undisturbed(spec)


def test_a_worker_passes_over_what_the_command_line_trains():
    mine, other = short(), short(1)
    with requests.hold_training(mine, lambda: pytest.fail("it waited")):
        assert requests.request_training(mine, "somebody").state == "queued"
        requests.request_training(other, "somebody")
        until_stored(other)
        assert state(mine) == "queued"
    until_stored(mine)


def test_a_second_worker_leaves_at_once(in_epoch, started):
    pid = worker_pid()
    worker_process.start_worker()
    (second,) = started
    assert second.wait(PATIENCE) == 0
    assert worker_pid() == pid
    assert until_within(in_epoch, 1)


def test_nonsense_in_the_folder_neither_stops_nor_heats_the_worker():
    root = task_files.queue_folder()
    (root / "0123456789abcdef").write_text("a file")
    empty = root / "0123456789abcde0"
    empty.mkdir()
    odd = [empty]
    for name, content in (("1", "{"), ("2", '{"spec": 1, "asked": 2}'), ("3", "[" * 100_000)):
        place = root / f"0123456789abcde{name}"
        place.mkdir()
        (place / "spec.json").write_text(content)
        odd.append(place)
    stranger = root / "fedcba9876543210"
    stranger.mkdir()
    (stranger / "spec.json").write_text(json.dumps({"spec": short().to_json(), "asked": 1}))
    odd.append(stranger)
    sick = by_hand()
    folder = task_files.task_folder(sick.key)
    for name in ("now.json", "done.json", "progress.jsonl", "checkpoint.safetensors", "replay.safetensors"):
        (folder / name).write_bytes(b"\xff{nonsense")
    (folder / "stop").write_text("to the moon")
    (folder / "progress.jsonl").write_text('{"epoch": ' + "9" * 1_000_000 + "}\n")
    worker_process.ensure_worker()
    pids = set()
    awaited(lambda: pids.add(worker_pid()) or state(sick) == "over", "its end")
    until_stored(sick)
    (pid,) = pids - {None}
    busy = _processor_seconds(pid)
    time.sleep(1)
    assert _processor_seconds(pid) - busy < 0.3
    for place in odd:
        for path in place.iterdir():
            path.unlink()
        place.rmdir()
    (root / "0123456789abcdef").unlink()


def _processor_seconds(pid):
    """Of a process; 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
