"""The queue with one worker, the real process, of which everything is asked that people may ask."""

import json
import os
import time
from contextlib import suppress

import numpy as np
import pytest

from core import jobs, replay, specs, store
from core.__main__ import main
from core.types import HourglassError
from tests.trainings import (
    PATIENCE,
    assert_as_undisturbed,
    awaited,
    end_workers,
    log,
    long,
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
    for job in jobs.jobs():
        with suppress(HourglassError):
            jobs.ask(job.key, jobs.CANCEL)
    awaited(lambda: not jobs.jobs(), "that all are cancelled")
    for run in store.index()[0]:
        if not store.is_shipped(run.key):
            store.delete(run.key)
    kept = {"locks", "worker.json", "worker.log"}
    awaited(lambda: {path.name for path in jobs.root().iterdir()} <= kept, "that nothing is left")
    assert [path.name for path in folder.rglob("*.tmp")] == []
    assert "Traceback" not in log()


@pytest.fixture
def in_epoch():
    spec = long()
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    return spec


@pytest.fixture
def paused(in_epoch):
    jobs.ask(in_epoch.key, jobs.PAUSE)
    until(in_epoch, "paused")
    return in_epoch


def nothing_is_left(spec):
    awaited(lambda: not jobs.folder_of(spec.key).exists(), f"that nothing is left of {spec.key}")


# What is asked for in each state.


def test_paused_within_an_epoch_it_keeps_its_place_and_goes_on_to_the_same_weights():
    spec = some_seconds()
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    jobs.ask(spec.key, jobs.PAUSE)
    until(spec, "paused")
    job = jobs.find(spec.key)
    assert job.has_checkpoint
    assert job.stopping == ""
    assert not job.row
    assert not (job.folder / "now.json").exists()
    reached = jobs.history(job.folder)[-1]["epoch"]
    jobs.request(spec, "somebody")
    assert until_within(spec, 0).row["epoch"] > reached
    rows = [row["epoch"] for row in jobs.history(job.folder)]
    assert rows == sorted(set(rows))
    run = until_stored(spec)
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    assert not run.environment["stopped_early"]
    assert_as_undisturbed(spec)
    pictures = replay.parse(store.replay(store.find(spec.key)))
    assert pictures.epochs[0] == 0
    assert pictures.epochs[-1] == 4
    nothing_is_left(spec)


def test_stopped_and_kept_it_is_stored_as_far_as_it_went_and_goes_on_to_the_same_weights():
    spec = some_seconds()
    jobs.request(spec, "somebody")
    until_within(spec, 1)
    jobs.ask(spec.key, jobs.KEEP)
    until(spec, "stopped")
    kept = store.read(store.find(spec.key))
    assert kept.environment["stopped_early"]
    assert 1 < kept.history[-1]["epoch"] < 4
    assert kept.metrics["squared_error"] > 0
    assert not jobs.is_stored(spec.key)
    for what in (jobs.PAUSE, jobs.KEEP):
        jobs.ask(spec.key, what)
        assert state(spec) == "stopped"
    assert jobs.request(spec, "somebody").state in ("queued", "running")
    until_stored(spec)
    assert jobs.request(spec, "somebody") is None
    assert_as_undisturbed(spec)
    nothing_is_left(spec)


def test_cancelled_within_an_epoch_nothing_is_left(in_epoch):
    jobs.ask(in_epoch.key, jobs.CANCEL)
    until(in_epoch, "over")
    nothing_is_left(in_epoch)
    assert store.find(in_epoch.key) is None
    with pytest.raises(HourglassError, match="over already"):
        jobs.ask(in_epoch.key, jobs.CANCEL)


def test_asked_for_anew_before_it_has_paused_it_goes_on(in_epoch):
    jobs.ask(in_epoch.key, jobs.PAUSE)
    assert jobs.request(in_epoch, "another").state == "running"
    reached = until_within(in_epoch, 1).row["epoch"]
    assert until_within(in_epoch, reached).stopping == ""
    assert jobs.find(in_epoch.key).askers == ("another", "somebody")


def test_a_cancellation_overrules_a_pause_that_is_not_done_yet(in_epoch):
    jobs.ask(in_epoch.key, jobs.PAUSE)
    jobs.ask(in_epoch.key, jobs.CANCEL)
    until(in_epoch, "over")
    nothing_is_left(in_epoch)


def test_a_queued_training_is_paused_resumed_and_cancelled_without_a_worker(in_epoch):
    spec, other = short(1), short(2)
    assert jobs.request(spec, "somebody").place == 1
    assert jobs.request(other, "somebody").place == 2
    with pytest.raises(HourglassError, match="Nothing was learned yet"):
        jobs.ask(spec.key, jobs.KEEP)
    jobs.ask(spec.key, jobs.PAUSE)
    assert state(spec) == "paused"
    assert jobs.find(other.key).place == 1
    with pytest.raises(HourglassError, match="Nothing was learned yet"):
        jobs.ask(spec.key, jobs.KEEP)
    assert jobs.request(spec, "somebody").place == 2
    jobs.ask(other.key, jobs.CANCEL)
    nothing_is_left(other)
    assert jobs.find(spec.key).place == 1
    jobs.ask(in_epoch.key, jobs.CANCEL)
    until_stored(spec)


def test_a_paused_training_may_be_kept_as_it_is(paused):
    jobs.ask(paused.key, jobs.PAUSE)
    assert state(paused) == "paused"
    jobs.ask(paused.key, jobs.KEEP)
    until(paused, "stopped")
    kept = store.read(store.find(paused.key))
    assert kept.environment["stopped_early"]
    jobs.ask(paused.key, jobs.CANCEL)
    nothing_is_left(paused)
    assert store.read(store.find(paused.key)).history == kept.history


def test_a_paused_training_may_be_kept_from_the_queue(paused, monkeypatch):
    blocker = long(1)
    jobs.request(blocker, "somebody")
    until_within(blocker, 0)
    assert jobs.request(paused, "somebody").place == 1
    jobs.ask(paused.key, jobs.KEEP)
    assert jobs.find(paused.key).stopping == "keep"
    jobs.ask(blocker.key, jobs.CANCEL)
    until(paused, "stopped")


def test_a_paused_training_may_be_cancelled(paused):
    jobs.ask(paused.key, jobs.CANCEL)
    nothing_is_left(paused)


def measured(dataset):
    """A training in a part of its measuring that takes a while by itself."""
    spec = specs.make(dataset, "vae", {"n_components": 2, "width": 8, "layers": 1, "epochs": 1})
    jobs.request(spec, "somebody")
    awaited(lambda: (job := jobs.find(spec.key)) and job.stage == "Measuring the bound", "the measuring")
    return spec


def test_cancelled_while_it_is_measured_nothing_is_left_and_the_next_begins():
    spec, after = measured("mnist-sample"), short()
    jobs.request(after, "somebody")
    asked = time.monotonic()
    jobs.ask(spec.key, jobs.CANCEL)
    until(spec, "over")
    assert time.monotonic() - asked < BUSY
    assert store.find(spec.key) is None
    nothing_is_left(spec)
    until_stored(after)


def test_what_is_measured_already_is_kept_whole():
    spec = measured("digits")
    jobs.ask(spec.key, jobs.KEEP)
    until_stored(spec)
    nothing_is_left(spec)


def test_a_long_epoch_is_left_at_once():
    spec = specs.make("mnist-sample", "ae", {"network": "conv", "batch_size": 2, "epochs": 1000})
    took = []
    for _ in range(3):
        jobs.request(spec, "somebody")
        assert until_within(spec, 0).row["epoch"] < 1
        asked = time.monotonic()
        jobs.ask(spec.key, jobs.PAUSE)
        until(spec, "paused")
        took.append(time.monotonic() - asked)
    assert np.median(took) < STOP_SECONDS


# What fails.


def test_a_diverging_training_says_so_and_what_it_had_learned_may_be_kept():
    # Over so many epochs the rate rises slowly: the first ones go well on any processor.
    params = {"output": "normal", "learning_rate": 1.0, "batch_size": 16, "layers": 4, "n_components": 2, "epochs": 100}
    spec = specs.make("digits", "vae", params)
    jobs.request(spec, "somebody")
    until(spec, "failed")
    job = jobs.find(spec.key)
    assert "Training diverged in epoch" in job.message
    assert "Lower learning_rate (now 1)" in job.message
    assert job.has_checkpoint
    jobs.ask(spec.key, jobs.PAUSE)
    assert jobs.find(spec.key).message == job.message
    jobs.ask(spec.key, jobs.KEEP)
    until(spec, "stopped")
    kept = store.read(store.find(spec.key))
    assert kept.environment["stopped_early"]
    assert np.isfinite(kept.metrics["squared_error"])
    assert jobs.request(spec, "somebody").message == ""
    until(spec, "failed")


def by_hand(**changes):
    """A training that no program wrote."""
    written = {**short().to_json(), **changes}
    spec = jobs.Spec.from_json(written)
    folder = jobs.folder_of(spec.key)
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
        ({"params": {"epochs": 1}}, "not as this version of the program writes them"),
        ({"version": 99}, "not as this version of the program writes them"),
        ({"seed": -1}, "seed=-1 is not allowed"),
    ],
)
def test_a_spec_written_by_hand_is_checked(changes, message):
    spec = by_hand(**changes)
    jobs.tend()
    until(spec, "failed")
    assert message in jobs.find(spec.key).message


# Beside others.


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


def test_a_second_worker_leaves_at_once(in_epoch):
    pid = worker_pid()
    jobs.start_worker()
    assert jobs._starts[jobs.root()].processes[-1].wait(PATIENCE) == 0
    assert worker_pid() == pid
    assert until_within(in_epoch, 1)


def test_nonsense_in_the_folder_neither_stops_nor_heats_the_worker():
    root = jobs.root()
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
    folder = jobs.folder_of(sick.key)
    for name in ("now.json", "done.json", "progress.jsonl", "checkpoint.safetensors", "replay.safetensors"):
        (folder / name).write_bytes(b"\xff{nonsense")
    (folder / "stop").write_text("to the moon")
    (folder / "progress.jsonl").write_text('{"epoch": ' + "9" * 1_000_000 + "}\n")
    jobs.tend()
    until_stored(sick)
    busy = _processor_seconds(worker_pid())
    time.sleep(1)
    assert _processor_seconds(worker_pid()) - busy < 0.3
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
