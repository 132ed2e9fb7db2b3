"""Commands to a training that a worker, a real process, trains; see `tests.test_faults` for what breaks."""

import re
import time
from contextlib import suppress

import numpy as np
import pytest

from core.analysis import snapshots
from core.cli import main
from core.errors import HourglassError
from core.runs import reader, specs, store
from core.tasks import queue, requests, task_files
from tests import trainings

# In the middle of a long epoch it takes well below a second; the rest is for a machine that is busy.
STOP_SECONDS = 1.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory, user_cache):
    folder = tmp_path_factory.mktemp("worker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(folder))
        patch.setenv("XDG_CACHE_HOME", str(user_cache))
        patch.setenv("HOURGLASS_NICE", "0")
        yield folder
        trainings.end_workers()


@pytest.fixture(autouse=True)
def clean(folder, own_runs_folder, monkeypatch):
    """Each test begins and ends without trainings and runs."""
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
    yield
    for task in queue.list_tasks():
        with suppress(HourglassError):
            requests.send_command(task.key, queue.CANCEL)
    trainings.awaited(lambda: not queue.list_tasks(), "that all are cancelled")
    for run in store.list_runs()[0]:
        if not store.is_shipped(run):
            queue.remove_pending_scores(run.key)
            store.delete_run(run.key)
    trainings.awaited(lambda: not list(task_files.queue_folder().glob("*/askers")), "that nothing is left")
    assert "Traceback" not in trainings.log()


def start(spec, epoch=1):
    trainings.request(spec)
    trainings.until_within(spec, epoch)
    return spec


def command(spec, command, state):
    """Send a command, and wait for the state that follows."""
    requests.send_command(spec.key, command)
    trainings.until(spec, state)
    return spec


def test_paused_training_resumes_to_the_same_weights():
    spec = command(start(trainings.some_seconds()), queue.PAUSE, "paused")
    task = queue.find_task(spec.key)
    assert (task.has_checkpoint, task.command, task.row) == (True, "", {})
    reached = queue.read_history(task.folder)[-1]["epoch"]
    trainings.request(spec)
    assert trainings.until_within(spec, 0).row["epoch"] > reached
    run = trainings.until_stored(spec)
    assert [row["epoch"] for row in run.history] == [1, 2, 3]
    assert not run.environment["stopped_early"]
    trainings.assert_as_undisturbed(spec)
    pictures = snapshots.parse(reader.read_replay(store.find_place(spec.key)))
    assert (pictures.epochs[0], pictures.epochs[-1]) == (0, 3)


def test_kept_training_is_stored_and_goes_on_to_the_same_weights():
    spec = command(start(trainings.some_seconds()), queue.KEEP, "stopped")
    kept = reader.read_run(store.find_place(spec.key))
    assert kept.environment["stopped_early"]
    assert 1 < kept.history[-1]["epoch"] < 3
    assert not requests.is_stored(spec.key)
    for repeated in (queue.PAUSE, queue.KEEP):
        requests.send_command(spec.key, repeated)
        assert trainings.state(spec) == "stopped"
    assert trainings.request(spec).state in ("queued", "running")
    trainings.until_stored(spec)
    assert trainings.request(spec) is None
    trainings.assert_as_undisturbed(spec)


def test_paused_training_is_kept():
    spec = command(command(start(trainings.long()), queue.PAUSE, "paused"), queue.KEEP, "stopped")
    kept = reader.read_run(store.find_place(spec.key))
    command(spec, queue.CANCEL, "over")
    assert reader.read_run(store.find_place(spec.key)).history == kept.history


def test_long_epoch_is_interrupted_at_once():
    spec = specs.make("mnist-sample", "ae", {"network": "conv", "batch_size": 2, "epochs": 1000})
    seconds = []
    for _ in range(3):
        start(spec, 0)
        began = time.monotonic()
        command(spec, queue.PAUSE, "paused")
        seconds.append(time.monotonic() - began)
    assert np.median(seconds) < STOP_SECONDS


def test_diverged_training_may_be_kept():
    # Over so many epochs the rate rises slowly: the first ones go well on any processor.
    params = {"output": "normal", "learning_rate": 1.0, "batch_size": 16, "layers": 4, "n_components": 2, "epochs": 100}
    spec = specs.make("digits", "vae", params)
    trainings.request(spec)
    trainings.until(spec, "failed")
    task = queue.find_task(spec.key)
    assert re.search(r"Training diverged in epoch .* Lower learning_rate \(now 1\)", task.message)
    assert task.has_checkpoint
    command(spec, queue.KEEP, "stopped")
    kept = reader.read_run(store.find_place(spec.key))
    assert kept.environment["stopped_early"]
    assert np.isfinite(kept.metrics["squared_error"].value)


def test_command_line_waits_for_the_worker(capsys):
    spec = start(trainings.some_seconds(), 0)
    assert main(["fit", "digits", "ae", *(f"--set={name}={value}" for name, value in spec.params)]) == 0
    out, err = capsys.readouterr()
    assert "is training this run" in err
    assert "epoch" not in err
    run = reader.read_run(store.find_place(spec.key))
    assert f"{run.metrics['squared_error'].value:.5g}" in out
