"""Sweeps of the labelled fraction: results that are stored, repeated or resumed, stops, and sweeps beside the app."""

import errno
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest.mock import Mock

import joblib
import pytest
from filelock import FileLock
from joblib.externals.loky import reusable_executor

from core import cache, semi_supervised
from core.errors import Diverged, HourglassError
from core.methods import pca
from core.methods.ae import Autoencoder
from core.nn import training
from core.semi_supervised import background_sweep, experiment, results, settings
from core.semi_supervised.background_sweep import Sweep
from core.semi_supervised.sweep import Report, run_sweep
from core.tasks import computation
from tests.trainings import awaited

SMALL = {"n_components": 4, "width": 16, "layers": 1, "epochs": 1}


@pytest.fixture(autouse=True)
def own_folders(own_cache, tmp_path, monkeypatch):
    """No test reads what is shipped, or writes to a cache that others use."""
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "shipped")


@pytest.fixture
def place(tmp_path):
    """The folder for results."""
    return tmp_path / "rows"


@pytest.fixture
def watch(tmp_path):
    (tmp_path / "watch").mkdir()
    return tmp_path / "watch"


@pytest.fixture
def cells():
    return experiment.list_cells("digits", ["logistic"], [20, 40], [0, 1])


def read_rows(place):
    return results.read_results("digits", (place,)).rows


def keys(found):
    """Of cells, or of rows."""
    return [each["key"] if isinstance(each, dict) else each.key for each in found]


def test_results_are_stored_line_by_line_and_not_computed_again(place, cells):
    rows, file = [], place / "digits.jsonl"
    assert run_sweep(cells[:3], place=place, on_row=rows.append) == Report(computed=3)
    assert [json.loads(line) for line in file.read_bytes().splitlines()] == rows
    assert results.read_results("digits", (place,)) == results.Results(tuple(rows))
    assert run_sweep(cells, place=place) == Report(computed=1, kept=3)
    # A line that was cut off is computed again, and stays a line of its own.
    file.write_bytes(file.read_bytes()[:-100])
    assert run_sweep(cells, place=place) == Report(computed=1, kept=3)
    assert keys(read_rows(place)) == keys(cells)
    assert "1 of 5 lines" in results.read_results("digits", (place,)).problems[0]
    # A result of another copy of the data counts for that copy.
    file.write_text(json.dumps({**rows[0], "data_checksum": "another"}) + "\n")
    assert run_sweep(cells[:1], place=place) == Report(computed=1)
    assert keys(read_rows(place)) == keys(cells[:1]) * 2
    # So do shipped results, of this copy.
    run_sweep(cells[:2], place=results.SHIPPED)
    assert run_sweep(cells[:3]) == Report(computed=1, kept=2)


def test_result_is_current_until_settings_or_versions_change(place, monkeypatch):
    run_sweep(experiment.list_cells("digits", ["logistic", "pca"], [20], [0]), place=place)
    assert all(experiment.is_current(row) for row in read_rows(place))
    assert not experiment.is_current({**read_rows(place)[0], "dataset_params": {"colour": "red"}})
    approach = semi_supervised.get("logistic")
    for module, name, value, n_current in (
        (settings, "get_settings", lambda *_: {"C": 7.0}, 0),
        (semi_supervised, "get", lambda name: replace(approach, version=approach.version + 1), 0),
        (settings, "get_pretraining", lambda *_: {"n_components": 3}, 1),
        (pca, "METHOD", replace(pca.METHOD, version=pca.METHOD.version + 1), 1),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert sum(experiment.is_current(row) for row in read_rows(place)) == n_current, name


def test_pretraining_is_done_once_a_seed(place, monkeypatch):
    seeds, genuine = [], Autoencoder.fit
    fit = lambda ae, *given, **options: seeds.append(ae.random_state) or genuine(ae, *given, **options)
    monkeypatch.setattr(settings, "get_pretraining", lambda *_: SMALL)
    of_approach = {"fine_tuned": {"steps": 5}, "ae": {"C": 1.0, "scaling": "standard"}}
    monkeypatch.setattr(settings, "get_settings", lambda name, _: of_approach[name])
    monkeypatch.setattr(Autoencoder, "fit", fit)
    cells = experiment.list_cells("digits", ["ae", "fine_tuned"], [20, 40, 60], [0, 1])
    assert run_sweep(cells, place=place) == Report(computed=12)
    assert seeds == [0, 1]


def test_sweep_stopped_in_a_pretraining_resumes_there(place, watch, monkeypatch):
    shares, genuine, stop_at = [], experiment.pretrain, [0.5]

    def pretrain(spec, dataset, on_tick):
        def tick(row):
            shares.append(row["share"])
            if row["share"] > stop_at[0]:
                (watch / "stop").touch()
            return on_tick(row)

        return genuine(spec, dataset, tick)

    monkeypatch.setattr(settings, "get_pretraining", lambda *_: {**SMALL, "epochs": 6})
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    monkeypatch.setattr(experiment, "pretrain", pretrain)
    cells = experiment.list_cells("digits", ["ae"], [50], [0])
    assert run_sweep(cells, place=place, watch=watch) == Report(left=1)
    assert (min(shares), max(shares) < 1) == (0, True)
    (watch / "stop").unlink()
    stop_at[0] = 2.0
    shares.clear()
    assert run_sweep(cells, place=place, watch=watch) == Report(computed=1)
    assert min(shares) > 0.4
    assert not list((cache.folder().parent / "unfinished").iterdir())


def test_full_disk_ends_the_sweep_and_keeps_what_is_written(place, cells, monkeypatch):
    parallel, full = joblib.Parallel, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        # Threads, as a backend that is set around a sweep would give.
        patch.setattr(joblib, "Parallel", lambda n, **given: parallel(n, backend="threading", **given))
        patch.setattr(os, "fsync", Mock(side_effect=[None, None, *[full] * 9]))
        with pytest.raises(HourglassError, match=r"^A result can't be written .*No space left on device.*free"):
            run_sweep(cells, place=place, processes=2)
    n = len(read_rows(place))
    assert n >= 2
    assert run_sweep(cells, place=place) == Report(computed=4 - n, kept=n)
    assert sorted(keys(read_rows(place))) == sorted(keys(cells))


def test_two_sweeps_at_once_compute_no_cell_twice(place, watch, cells):
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda wanted: run_sweep(wanted, place=place), (cells, cells[::-1])))
    assert sorted((report.computed, report.kept) for report in reports) == [(0, 4), (4, 0)]
    assert sorted(keys(read_rows(place))) == sorted(keys(cells))
    # One that waits for another can be stopped.
    with FileLock(place / "digits.lock"), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run_sweep, cells, place=place, watch=watch)
        time.sleep(0.1)
        assert not waiting.done()
        (watch / "stop").touch()
        assert waiting.result(10) == Report(left=4)


def test_failed_cells_are_reported_and_others_computed(place, monkeypatch):
    genuine = experiment.measure_cell

    def measure_cell(cell, *given):
        if cell.labels == 40:
            raise ZeroDivisionError("one\n  thing")
        return genuine(cell, *given)

    monkeypatch.setattr(experiment, "pretrain", Mock(side_effect=Diverged("Training diverged.")))
    monkeypatch.setattr(experiment, "measure_cell", measure_cell)
    cells = experiment.list_cells("digits", ["logistic"], [20, 40], [0])
    cells += experiment.list_cells("digits", ["pca"], [20, 30], [0])
    problems = ["Pre-training of the PCA, seed 0: Training diverged."]
    problems.append("Logistic regression with 40 labels, seed 0 failed (one thing).")
    assert run_sweep(cells, place=place) == Report(computed=1, left=3, failed=3, problems=problems)
    assert keys(read_rows(place)) == [cells[0].key]


def test_two_processes_compute_what_one_does_until_one_is_killed(place):
    cells = experiment.list_cells("digits", ["logistic", "pca", "spreading"], [20, 40], [0])

    def kill(row):
        for process in list(reusable_executor._executor._processes.values()) if len(read_rows(place)) > 2 else ():
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(HourglassError, match="A process of this sweep was killed from outside"):
        run_sweep(cells, place=place, processes=2, on_row=kill)
    n = len(read_rows(place))
    assert 3 <= n < 6
    assert run_sweep(cells, place=place) == Report(computed=6 - n, kept=n)
    assert run_sweep(cells, place=place / "alone") == Report(computed=6)
    assert results.group_errors(read_rows(place)) == results.group_errors(read_rows(place / "alone"))


@pytest.fixture
def request_sweep(monkeypatch):
    """Request a sweep beside the app, whose process is not started; return its folder."""
    monkeypatch.setattr(computation, "start_process", lambda *given, **options: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    def request(approaches, labels, max_seconds=0.0, ends=False):
        name = background_sweep.request_sweep("digits", approaches, labels, [997], max_seconds, ends)
        return background_sweep.WORK.place(name)

    return request


def test_background_sweep_waits_and_when_stopped_keeps_its_results(request_sweep):
    place = request_sweep(["network"], list(range(20, 620, 10)))
    with ThreadPoolExecutor(1) as pool:
        with FileLock(place.parent / "one.lock"):
            done = pool.submit(background_sweep.WORK.run, place)
            awaited(lambda: [sweep.waits for sweep in background_sweep.list_sweeps()] == [True], "its waiting")
            assert background_sweep.list_sweeps() == [Sweep(place.name, "digits", 0.0, True, False, ())]
        try:
            awaited(lambda: results.read_results("digits").rows, "its first result")
            awaited(lambda: background_sweep.list_sweeps()[0].share > 0, "its share")
            assert background_sweep.read_report(place.name) is None
        finally:
            background_sweep.stop_sweep(place.name)
        done.result(10)
    assert background_sweep.list_sweeps() == []
    assert background_sweep.read_report(place.name) is None
    assert not place.exists()
    stored = results.read_results("digits")
    assert (stored.problems, 1 <= len(stored.rows) < 60) == ((), True)


def test_background_sweep_ends_networks_at_its_time_limit(request_sweep, monkeypatch):
    of_approach = {"logistic": {"C": 1.0, "scaling": "none"}, "network": {"steps": 10**7, "width": 8}}
    monkeypatch.setattr(settings, "get_settings", lambda name, _: of_approach[name])
    place = request_sweep(["logistic", "network"], [20], max_seconds=3.0, ends=True)
    background_sweep.WORK.run(place)
    assert background_sweep.read_report(place.name) == Report(computed=1, left=1)


def test_background_sweep_that_fails_says_why(request_sweep, monkeypatch):
    place = request_sweep(["logistic"], [20])
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    background_sweep.WORK.run(place)
    with pytest.raises(HourglassError, match=r"^A result can't be written to .*\(No space left on device\)"):
        background_sweep.read_report(place.name)
