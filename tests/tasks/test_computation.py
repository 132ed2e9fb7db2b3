"""A computation in a process of its own, here a t-SNE projection: real ones are started, stopped and killed."""

import errno
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import numpy as np
import pytest
from filelock import FileLock
from threadpoolctl import threadpool_limits

from core.errors import HourglassError
from core.methods.tsne import TSNEMap
from core.tasks import inverter_training, vae_vs_gan_training
from core.tasks.computation import State
from core.tasks.tsne_projection import WORK, map_key, start_map
from tests.conftest import locked
from tests.trainings import awaited

AGAIN = "ended before it was done: start it again"


@pytest.fixture(autouse=True)
def folder(own_cache, started):
    """Where maps are computed, on one thread as in a process: sums in another order make another map."""
    with threadpool_limits(1):
        yield own_cache / "projections"


@pytest.fixture
def small():
    """Codes of two groups of 30 rows: a map of a moment."""
    rng = np.random.default_rng(0)
    return np.vstack([rng.normal(size=(30, 5)), rng.normal(size=(30, 5)) + 8]).astype(np.float32)


@pytest.fixture
def large():
    """Codes whose map takes longer than a test looks at it."""
    return np.random.default_rng(0).normal(size=(6000, 8)).astype(np.float32)


def until(Z, condition):
    return awaited(lambda: (state := WORK.read_state(map_key(Z))) and condition(state) and state, "the map's state")


def unfinished(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def make_folder(folder, Z, **progress):
    """The folder of a map whose process is not there."""
    place = folder / map_key(Z)
    place.mkdir(parents=True)
    np.save(place / "codes.npy", Z)
    (place / "progress.json").write_text(json.dumps({"share": 0.4, "waits": False, "started": time.time()} | progress))
    return place


def compute(Z):
    start_map(Z)
    return WORK.read_state(map_key(Z))


def test_map_is_computed_once_and_stored(folder, started, small):
    folder.mkdir(parents=True)
    with FileLock(folder / "one.lock"):  # one map is computed at a time
        start_map(small)
        assert until(small, lambda state: state.waits).share == 0
        start_map(small.astype(np.float64))
    points = until(small, lambda state: state.arrays).arrays["points"]
    start_map(small)
    assert len(started) == 1
    assert started[0].wait(10) == 0
    assert unfinished(folder) == []
    expected = TSNEMap(perplexity=59 / 3, random_state=0).fit(small).embedding_
    assert points.dtype == np.float32
    assert points == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))
    assert len({map_key(Z) for Z in (small, small[:59], small + np.float32(0.01))}) == 3


def test_rows_without_a_code_have_no_position(in_process, small):
    assert np.isfinite(compute(small[:3]).arrays["points"]).all()
    small[[3, 40]] = np.nan
    points = compute(small).arrays["points"]
    assert np.array_equal(np.flatnonzero(np.isnan(points).any(axis=1)), [3, 40])
    small[1:] = np.nan
    for Z in (small, np.ones((60, 5), np.float32)):
        state = compute(Z)
        assert (state.arrays, state.share) == (None, None)
        assert "at least 3 rows with different codes" in state.problem


def test_problem_is_reported_and_the_map_can_be_started_again(in_process, small, monkeypatch):
    for error, message in ((HourglassError("Not finite."), "Not finite."), (OSError("odd"), "The map failed (odd).")):
        with monkeypatch.context() as patch:
            patch.setattr(TSNEMap, "fit", Mock(side_effect=error))
            assert compute(small).problem == message
    assert compute(small).arrays["points"].shape == (60, 2)


def test_stopped_map_leaves_nothing(folder, started, small, large):
    start_map(large)
    until(large, lambda state: state.share)
    start_map(small)
    until(small, lambda state: state.waits)
    for Z in (small, large):  # while it waits, and while it is computed
        WORK.stop(map_key(Z))
    start_map(small[:40])
    WORK.stop(map_key(small[:40]))  # before its process is awake
    assert [process.wait(60) for process in started] == [0, 0, 0]
    WORK.stop(make_folder(folder, small[:50], started=0).name)  # whose process is gone
    assert unfinished(folder) == []
    for Z in (small, large, small[:40], small[:50]):
        assert WORK.read_state(map_key(Z)) == State()


def test_killed_map_is_reported_and_started_again(folder, started, large):
    start_map(large)
    until(large, lambda state: state.share)
    os.kill(started[0].pid, signal.SIGKILL)
    os.waitid(os.P_PID, started[0].pid, os.WEXITED | os.WNOWAIT)
    assert AGAIN in WORK.read_state(map_key(large)).problem
    start_map(large)
    assert started[0].returncode is not None, "else the system lists it for ever"
    until(large, lambda state: state.share)
    for age in (3600, -3600):  # one that never began, whatever the clock says
        place = make_folder(folder, large[: 50 + age // 3600], started=time.time() - age)
        assert AGAIN in WORK.read_state(place.name).problem


def test_unwritable_folder_and_full_disk_are_reported(folder, started, small, monkeypatch):
    def full(*args):
        if not str(args[-1]).endswith(".lock"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place = make_folder(folder, small[:50])
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(HourglassError, match="No space left on device"):
            start_map(small)
        assert unfinished(folder) == [place.name]
        WORK.run(place)
        assert "No space left on device" in WORK.read_state(place.name).problem
    locked(monkeypatch, folder)
    with pytest.raises(HourglassError, match=r"can't be started in .* \(Permission denied\): free some space there"):
        start_map(small[:40])
    assert started == []


def test_two_requests_at_once_start_one_computation(small, started):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start_map, [small] * 8))
    assert len(started) == 1
    WORK.stop(map_key(small))
    assert started[0].wait(60) == 0


def test_other_computations_have_a_process_too():
    works = [inverter_training.WORK, vae_vs_gan_training.WORK]
    for work in works:
        work.start("0" * 16)  # without its input
    for work in works:
        problem = awaited(lambda work=work: work.read_state("0" * 16).problem, "the end of the process")
        assert f"The {work.noun} failed" in problem
