"""A code's t-SNE map made by a process of its own: real ones are started, stopped and killed here."""

import errno
import json
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from filelock import FileLock, Timeout
from threadpoolctl import threadpool_limits

from core import cache, config
from core.errors import HourglassError
from core.methods.tsne import TSNEMap
from core.tasks import computation, tsne_projection
from tests.conftest import locked
from tests.trainings import awaited, processes_of

AGAIN = "ended before it was done: start it again"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where maps are made; a process that is started finds the same user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path / "hourglass" / "data")
    return tmp_path / "hourglass" / "data" / "projections"


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """The processes that a test started; none outlives it."""
    yield from processes_of(tsne_projection.WORK.module, monkeypatch)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums in another order make another map."""
    with threadpool_limits(1):
        yield


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
    name = tsne_projection.map_key(Z)
    return awaited(lambda: (now := tsne_projection.read_state(name)) and condition(now) and now, "the map's state")


def until_done(Z):
    found = until(Z, lambda now: now.points is not None or now.problem)
    assert not found.problem
    return found.points


def until_begun(Z):
    """Wait until the process works at it, and more than its first look is over."""
    return until(Z, lambda now: now.share is not None and now.share > 0)


def remains(folder):
    """What is left of maps that were being made."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def waiting(folder, Z, **progress):
    """The folder of a map whose process was started and is not there."""
    place = folder / tsne_projection.map_key(Z)
    place.mkdir(parents=True)
    np.save(place / "codes.npy", Z)
    about = {"share": 0.4, "waits": False, "started": time.time()} | progress
    (place / "progress.json").write_text(json.dumps(about))
    return place


def test_a_map_is_made_kept_and_cleared_away(folder, started, small):
    assert tsne_projection.read_state(tsne_projection.map_key(small)) == tsne_projection.State()
    tsne_projection.start_map(small)
    first = tsne_projection.read_state(tsne_projection.map_key(small))
    assert first.points is not None or 0 <= first.share <= 1
    # Who asks for the same again waits for the same.
    tsne_projection.start_map(small.astype(np.float64))
    points = until_done(small)
    assert len(started) == 1
    assert started[0].wait(10) == 0
    assert remains(folder) == []
    expected = TSNEMap(perplexity=59 / 3, random_state=0).fit(small).embedding_
    assert points.dtype == np.float32
    assert points == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))
    # And who asks once it is done has it at once.
    tsne_projection.start_map(small)
    assert len(started) == 1
    assert np.array_equal(tsne_projection.read_state(tsne_projection.map_key(small)).points, points)


def test_a_process_that_ended_is_asked_after(started, small):
    """Else it stays in the system's list, and Python warns of it."""
    tsne_projection.start_map(small)
    os.waitid(os.P_PID, started[0].pid, os.WEXITED | os.WNOWAIT)
    assert started[0].returncode is None
    tsne_projection.start_map(small[:40])
    assert started[0].returncode == 0


def test_other_codes_are_another_map(small):
    names = {tsne_projection.map_key(Z) for Z in (small, small[:59], small + np.float32(0.01), small.reshape(30, 10))}
    assert len(names) == 4
    assert tsne_projection.map_key(small) == tsne_projection.map_key(small.astype(np.float64))


def test_rows_without_a_code_have_no_place(folder, small):
    holed = small.copy()
    holed[[3, 40]] = np.nan
    place = waiting(folder, holed)
    computation.do_work(tsne_projection.WORK, place)
    points = tsne_projection.read_state(tsne_projection.map_key(holed)).points
    assert np.array_equal(np.flatnonzero(np.isnan(points).any(axis=1)), [3, 40])
    rest = np.delete(small, [3, 40], axis=0)
    expected = TSNEMap(perplexity=19, random_state=0).fit(rest).embedding_
    assert np.delete(points, [3, 40], axis=0) == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))


@pytest.mark.parametrize("n", [3, 4, 7])
def test_of_a_few_rows_there_is_a_map_too(folder, small, n):
    computation.do_work(tsne_projection.WORK, waiting(folder, small[:n]))
    assert np.isfinite(tsne_projection.read_state(tsne_projection.map_key(small[:n])).points).all()


@pytest.mark.parametrize("placed", [0, 1])
def test_of_fewer_than_two_rows_there_is_none_and_it_is_said(folder, small, placed):
    holed = small.copy()
    holed[placed:] = np.nan
    computation.do_work(tsne_projection.WORK, waiting(folder, holed))
    now = tsne_projection.read_state(tsne_projection.map_key(holed))
    assert now.points is None
    assert now.share is None
    assert "at least 3" in now.problem


def test_codes_that_are_all_one_end_in_a_sentence(folder):
    Z = np.ones((60, 5), np.float32)
    computation.do_work(tsne_projection.WORK, waiting(folder, Z))
    now = tsne_projection.read_state(tsne_projection.map_key(Z))
    assert now.share is None
    assert now.problem.endswith(".")
    assert "\n" not in now.problem


def test_what_went_wrong_is_said_and_it_can_be_made_again(folder, started, small, monkeypatch):
    def diverged(*_, **__):
        raise HourglassError("t-SNE left the finite numbers – choose another seed.")

    with monkeypatch.context() as patch:
        patch.setattr(TSNEMap, "fit", diverged)
        computation.do_work(tsne_projection.WORK, waiting(folder, small))
    assert (
        tsne_projection.read_state(tsne_projection.map_key(small)).problem
        == "t-SNE left the finite numbers – choose another seed."
    )
    tsne_projection.start_map(small)
    assert until_done(small).shape == (60, 2)
    assert len(started) == 1


def test_a_disk_that_is_full_on_the_way_is_said(folder, small, monkeypatch):
    place, genuine = waiting(folder, small), os.replace

    def full(source, target):
        if str(target).endswith("progress.json"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return genuine(source, target)

    monkeypatch.setattr(os, "replace", full)
    computation.do_work(tsne_projection.WORK, place)
    assert "No space left on device" in tsne_projection.read_state(tsne_projection.map_key(small)).problem


def test_stopped_while_it_is_made_it_is_cleared_away(folder, started, large):
    tsne_projection.start_map(large)
    until_begun(large)
    with pytest.raises(Timeout):  # it is its turn, and nobody else's
        FileLock(folder / "one.lock").acquire(timeout=0)
    tsne_projection.stop_map(tsne_projection.map_key(large))
    assert started[0].wait(60) == 0
    assert remains(folder) == []
    assert tsne_projection.read_state(tsne_projection.map_key(large)) == tsne_projection.State()
    assert cache.find_arrays(f"tsne-{tsne_projection.map_key(large)}") is None


def test_stopped_before_its_process_is_awake_it_is_cleared_away(folder, started, small):
    tsne_projection.start_map(small)
    tsne_projection.stop_map(tsne_projection.map_key(small))
    assert tsne_projection.read_state(tsne_projection.map_key(small)) == tsne_projection.State()
    assert started[0].wait(60) == 0
    assert remains(folder) == []


def test_stopping_what_nobody_makes_does_nothing(folder, small):
    tsne_projection.stop_map(tsne_projection.map_key(small))
    assert remains(folder) == []
    tsne_projection.stop_map(waiting(folder, small, started=0).name)
    assert remains(folder) == []


def test_killed_it_is_said_after_a_while_and_it_can_be_made_again(folder, started, large, small, monkeypatch):
    monkeypatch.setattr(computation, "_STARTING_SECONDS", 60.0)
    tsne_projection.start_map(large)
    until_begun(large)
    os.kill(started[0].pid, signal.SIGKILL)
    started[0].wait()
    # Within the time that starting may take nobody can tell.
    assert tsne_projection.read_state(tsne_projection.map_key(large)).share is not None
    monkeypatch.setattr(computation, "_STARTING_SECONDS", 0.0)
    now = tsne_projection.read_state(tsne_projection.map_key(large))
    assert now.share is None
    assert AGAIN in now.problem
    tsne_projection.start_map(large)
    monkeypatch.setattr(computation, "_STARTING_SECONDS", 60.0)
    assert len(started) == 2
    # It has its turn too: the killed one's is free again.
    until_begun(large)


def test_one_map_is_made_at_a_time(folder, started, small):
    folder.mkdir(parents=True)
    with FileLock(folder / "one.lock"):
        tsne_projection.start_map(small)
        now = until(small, lambda now: now.waits)
        assert now.share == 0
    assert len(until_done(small)) == 60


def test_while_it_waits_it_can_be_stopped(folder, started, small):
    folder.mkdir(parents=True)
    with FileLock(folder / "one.lock"):
        tsne_projection.start_map(small)
        until(small, lambda now: now.waits)
        tsne_projection.stop_map(tsne_projection.map_key(small))
        assert started[0].wait(60) == 0
    assert remains(folder) == []


def test_a_map_that_is_done_between_two_looks_is_no_problem(folder, small, monkeypatch):
    """Its process keeps the map, then lets go: who sees it gone finds the map."""
    monkeypatch.setattr(computation, "_STARTING_SECONDS", 0.0)
    place, points = waiting(folder, small), np.zeros((60, 2), np.float32)

    def ends(folder):
        cache.save_arrays(f"tsne-{place.name}", {"points": points})
        shutil.rmtree(place)
        return False

    monkeypatch.setattr(computation, "_is_held", ends)
    now = tsne_projection.read_state(place.name)
    assert now.problem == ""
    assert np.array_equal(now.points, points)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '"x"',
        "null",
        "{}",
        '{"share": 0.5}',
        '{"share": null, "waits": false, "started": 1}',
        '{"share": "x", "waits": false, "started": 1}',
        '{"share": NaN, "waits": false, "started": 1e300}',
        '{"share": 7, "waits": false, "started": 1e300}',
        '{"share": -0.1, "waits": false, "started": 1e300}',
        '{"share": 1' + "0" * 400 + ', "waits": false, "started": 1}',
        '{"share": 0.5, "waits": false, "started": NaN}',
        '{"share": 0.5, "waits": false, "started": 1' + "0" * 400 + "}",
        "[" * 100_000,
        "\udcff\udcfe",
    ],
)
def test_nonsense_in_the_progress_is_as_no_progress(folder, small, text):
    place = waiting(folder, small)
    (place / "progress.json").write_text(text, errors="surrogateescape")
    assert tsne_projection.read_state(place.name) == tsne_projection.State()


@pytest.mark.parametrize("age", [3600, -3600])
def test_a_process_that_is_not_there_is_not_waited_for_whatever_the_clock_says(folder, small, age):
    place = waiting(folder, small, started=time.time() - age)
    assert AGAIN in tsne_projection.read_state(place.name).problem


def test_nonsense_in_the_problem_still_is_a_sentence(folder, small):
    place = waiting(folder, small)
    (place / "problem.txt").write_bytes(b"\xff\xfe broken")
    assert "broken" in tsne_projection.read_state(place.name).problem


def test_codes_that_are_damaged_are_said_to_be(folder, small):
    place = waiting(folder, small)
    (place / "codes.npy").write_bytes(b"\x93NUMPY\x01\x00nonsense")
    computation.do_work(tsne_projection.WORK, place)
    assert tsne_projection.read_state(place.name).problem.endswith(".")


def test_where_it_cannot_be_begun_a_sentence_says_so(folder, started, small, monkeypatch):
    folder.parent.mkdir(parents=True)
    locked(monkeypatch, folder)
    with pytest.raises(HourglassError, match=r"can't be started in .* \(Permission denied\): free some space there"):
        tsne_projection.start_map(small)
    assert tsne_projection.read_state(tsne_projection.map_key(small)) == tsne_projection.State()
    assert started == []


def test_on_a_full_disk_nothing_half_done_is_left(folder, started, small, monkeypatch):
    def full(path, *_, **__):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(HourglassError, match="No space left on device"):
        tsne_projection.start_map(small)
    assert remains(folder) == []
    assert started == []


def test_two_who_ask_at_the_same_moment_start_one_computation(folder, monkeypatch):
    begun = []
    work = computation.Work("nowhere", "projections", "tsne", "map", lambda folder, tick: {})
    monkeypatch.setattr(computation.subprocess, "Popen", lambda *args, **kwargs: begun.append(args) or _Ended())
    for k in range(20):
        barrier = threading.Barrier(2)

        def ask(name=f"map{k}", barrier=barrier):
            barrier.wait()
            computation.start_work(work, name, lambda place: time.sleep(0.005))

        with ThreadPoolExecutor(2) as pool:
            for asked in [pool.submit(ask) for _ in range(2)]:
                asked.result()
        assert computation.read_state(work, f"map{k}").share == 0
    assert len(begun) == 20


class _Ended:
    def poll(self):
        return 0


def test_a_map_that_can_not_be_kept_says_so(folder, monkeypatch):
    work = computation.Work("nowhere", "projections", "tsne", "map", lambda folder, tick: {"points": np.zeros((2, 2))})
    place = work.place("lost")
    place.mkdir(parents=True)
    (place / "progress.json").write_text(json.dumps({"share": 0, "waits": False, "started": time.time()}))
    monkeypatch.setattr(cache, "save_arrays", lambda name, arrays: None)
    computation.do_work(work, place)
    assert "can't be stored" in computation.read_state(work, "lost").problem
