"""Sweeps of the labelled fraction: rows on disk, what is computed again, stops, and sweeps beside the app."""

import errno
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from core import approaches, computing, labelled, sweeps
from core.approaches import settings
from core.datasets import download
from core.methods import pca
from core.methods.ae import Autoencoder
from core.sweeps import Report
from core.types import BadInput, Diverged, HourglassError
from tests.conftest import locked
from tests.trainings import awaited, processes_of


@pytest.fixture(autouse=True)
def work_folder(tmp_path, monkeypatch):
    """Where sweeps beside the app are computed; a process that is started finds the same user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "hourglass" / "data")
    monkeypatch.setattr(sweeps, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(sweeps, "_estimators", {})
    return tmp_path / "hourglass" / "data" / "sweeps"


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """The processes that a test started; none outlives it."""
    yield from processes_of(sweeps.WORK.module, monkeypatch)


@pytest.fixture
def place(tmp_path):
    """The folder that takes the rows."""
    return tmp_path / "rows"


@pytest.fixture
def watch(tmp_path):
    folder = tmp_path / "watch"
    folder.mkdir()
    return folder


@pytest.fixture
def counted(monkeypatch):
    """The cells that are measured, as they are."""
    measured, genuine = [], labelled.measure

    def measure(cell, *given):
        measured.append(cell)
        return genuine(cell, *given)

    monkeypatch.setattr(labelled, "measure", measure)
    return measured


@pytest.fixture
def wanted():
    """Four cells of a moment."""
    return labelled.cells("digits", ["logistic"], [20, 40], [0, 1])


@pytest.fixture(scope="module")
def row():
    (cell,) = labelled.cells("digits", ["logistic"], [20], [0])
    return labelled.measure(cell, sweeps._dataset("digits", ()))


def lines(place):
    return [json.loads(line) for line in (place / "digits.jsonl").read_text().splitlines()]


def keys(rows):
    return [row["key"] for row in rows]


# --- Rows on disk -------------------------------------------------------------------------------------------------


def test_each_cell_is_a_line_and_is_read_back(place, wanted):
    rows = []
    report = sweeps.run(wanted, place=place, on_row=rows.append)
    assert report == Report(computed=4)
    assert keys(rows) == [cell.key for cell in wanted]
    assert lines(place) == rows
    assert sweeps.read("digits", (place,)) == sweeps.Rows(tuple(rows))
    assert sweeps.read("mnist", (place,)) == sweeps.Rows(())


def test_what_is_there_is_not_computed_again(place, wanted, counted):
    sweeps.run(wanted[:3], place=place)
    before = (place / "digits.jsonl").read_bytes()
    assert sweeps.run(wanted[:3], place=place) == Report(kept=3)
    assert (place / "digits.jsonl").read_bytes() == before
    assert sweeps.run(wanted, place=place) == Report(computed=1, kept=3)
    assert counted == wanted
    assert sweeps.run([], place=place) == Report()


def test_shipped_rows_count_as_there_and_ones_own_come_first(counted, wanted, row):
    sweeps.SHIPPED.mkdir()
    sweeps.run(wanted[:2], place=sweeps.SHIPPED)
    assert sweeps.run(wanted[:3]) == Report(computed=1, kept=2)
    assert keys(sweeps.read("digits").rows) == [wanted[k].key for k in (2, 0, 1)]
    own = {**row, "seconds": 99.0}
    with sweeps.file_of("digits").open("a") as file:
        file.write(json.dumps(own) + "\n")
    assert [found["seconds"] for found in sweeps.read("digits").rows if found["key"] == row["key"]] == [99.0]


def test_a_row_of_another_copy_of_the_data_is_computed_again(place, wanted, row):
    place.mkdir()
    (place / "digits.jsonl").write_text(json.dumps({**row, "data_checksum": "another"}) + "\n")
    assert sweeps.run(wanted[:1], place=place) == Report(computed=1)
    assert [found["data_checksum"] for found in sweeps.read("digits", (place,)).rows] == [row["data_checksum"]]


def test_a_last_line_that_is_cut_off_is_left_out_and_computed_again(place, wanted, counted):
    sweeps.run(wanted, place=place)
    file = place / "digits.jsonl"
    file.write_bytes(file.read_bytes()[:-100])
    found = sweeps.read("digits", (place,))
    assert keys(found.rows) == [cell.key for cell in wanted[:3]]
    assert found.problems == (
        "1 of 4 lines in digits.jsonl are no result of a sweep, or cut short: left out, and computed again by the next "
        "sweep.",
    )
    assert sweeps.run(wanted, place=place) == Report(computed=1, kept=3)
    assert counted == [*wanted, wanted[3]]
    found = sweeps.read("digits", (place,))
    assert keys(found.rows) == [cell.key for cell in wanted]
    assert "1 of 5 lines" in found.problems[0]


NONSENSE = {
    "no JSON": lambda row: "{",
    "no object": lambda row: "[1, 2]",
    "nothing": lambda row: "null",
    "deep": lambda row: "[" * 100_000,
    "no text": lambda row: "\udcff\udcfe",
    "empty": lambda row: {},
    "a part missing": lambda row: {name: value for name, value in row.items() if name != "confusion"},
    "another data set": lambda row: {**row, "dataset": "mnist"},
    "unknown approach": lambda row: {**row, "method": "umap"},
    "error above 1": lambda row: {**row, "error": 1.5},
    "no number": lambda row: {**row, "error": float("nan")},
    "labels as text": lambda row: {**row, "labels": "20"},
    "no label": lambda row: {**row, "labels": 0},
    "a seed that is true": lambda row: {**row, "seed": True},
    "confusion not square": lambda row: {**row, "confusion": row["confusion"][:-1]},
    "confusion of other rows": lambda row: {**row, "n_test": 499},
    "ragged confusion": lambda row: {**row, "confusion": [*row["confusion"][:-1], [1]]},
    "wrong not packed": lambda row: {**row, "wrong": "?"},
    "map cut short": lambda row: {**row, "map": row["map"][:-8]},
    "map of odd length": lambda row: {**row, "map": labelled._packed(labelled._unpacked(row["map"])[1:])},
}


def repacked(row, name, change):
    """`row` with what is packed in one of its parts changed."""
    return {**row, name: labelled._packed(change(labelled._unpacked(row[name])))}


# What no page could show, though each part by itself is what it should be.
UNFITTING = {
    "an approach of documents": lambda row: {**row, "method": "lsa"},
    "a seed that is none": lambda row: {**row, "seed": -1},
    "a map of fewer rows": lambda row: repacked(row, "map", lambda at: at[:100]),
    "a class that is none": lambda row: repacked(row, "map_classes", lambda y: np.r_[77, y[1:]]),
    "classes of fewer rows": lambda row: repacked(row, "map_classes", lambda y: y[:50]),
    "answers for more rows": lambda row: repacked(row, "wrong", lambda named: np.r_[named, named]),
    "an answer that is none": lambda row: repacked(row, "wrong", lambda named: np.where(named == 255, 255, 99)),
}


@pytest.mark.parametrize("name", UNFITTING)
def test_a_line_whose_parts_do_not_fit_is_left_out(place, row, name):
    place.mkdir()
    (place / "digits.jsonl").write_text(f"{json.dumps(UNFITTING[name](row))}\n{json.dumps(row)}\n")
    assert sweeps.read("digits", (place,)).rows == (row,)


@pytest.mark.parametrize("name", NONSENSE)
def test_a_nonsense_line_is_told_and_left_out_and_rows_can_be_added(place, wanted, row, name):
    line = NONSENSE[name](row)
    place.mkdir()
    text = line if isinstance(line, str) else json.dumps(line)
    (place / "digits.jsonl").write_text(f"{text}\n\n{json.dumps(row)}\n", errors="surrogateescape")
    found = sweeps.read("digits", (place,))
    assert found.rows == (row,)
    assert [problem[:35] for problem in found.problems] == ["1 of 2 lines in digits.jsonl are no"]
    assert sweeps.run(wanted, place=place) == Report(computed=3, kept=1)
    assert keys(sweeps.read("digits", (place,)).rows) == [cell.key for cell in wanted]


def test_a_file_that_can_not_be_read_is_told_in_words(place):
    (place / "digits.jsonl").mkdir(parents=True)
    assert sweeps.read("digits", (place,)) == sweeps.Rows(
        (), (f"The results in {place / 'digits.jsonl'} can't be read (Is a directory).",)
    )


def test_errors_stand_by_approach_labels_and_seed(place):
    wanted = labelled.cells("digits", ["spreading", "logistic"], [20, 40], [1, 0])
    sweeps.run(wanted, place=place)
    rows = sweeps.read("digits", (place,)).rows
    found = sweeps.by_approach(rows)
    assert list(found) == ["logistic", "spreading"]
    for row in rows:
        assert found[row["method"]][row["labels"]][row["seed"]] == row["error"]
    assert sum(len(of_seed) for of_count in found.values() for of_seed in of_count.values()) == 8


# --- What is current ----------------------------------------------------------------------------------------------


def test_rows_of_other_settings_or_another_version_are_told_apart(monkeypatch, row):
    assert sweeps.is_current(row)
    assert not sweeps.is_current({**row, "params": {**row["params"], "C": 5.0}})
    assert not sweeps.is_current({**row, "version": row["version"] + 1})
    assert not sweeps.is_current({name: value for name, value in row.items() if name != "version"})
    assert not sweeps.is_current({**row, "pretraining": {"n_components": 2}})
    with monkeypatch.context() as patch:
        patch.setattr(settings, "of", lambda *_: {"C": 7.0})
        assert not sweeps.is_current(row)
    approach = approaches.get("logistic")
    monkeypatch.setattr(approaches, "get", lambda name: replace(approach, version=approach.version + 1))
    assert not sweeps.is_current(row)


def test_a_row_with_pretraining_is_current_until_that_changes(monkeypatch):
    (cell,) = labelled.cells("digits", ["pca"], [20], [0])
    dataset = sweeps._dataset("digits", ())
    row = json.loads(json.dumps(labelled.measure(cell, dataset, labelled.pretrain(cell.pretraining, dataset))))
    assert sweeps.is_current(row)
    monkeypatch.setattr(settings, "pretraining", lambda *_: {"n_components": 3})
    assert not sweeps.is_current(row)


def test_a_row_with_an_earlier_version_of_its_pretraining_is_not_current(monkeypatch):
    (cell,) = labelled.cells("digits", ["pca"], [20], [0])
    dataset = sweeps._dataset("digits", ())
    row = labelled.measure(cell, dataset, labelled.pretrain(cell.pretraining, dataset))
    monkeypatch.setattr(pca, "METHOD", replace(pca.METHOD, version=pca.METHOD.version + 1))
    assert labelled.cells("digits", ["pca"], [20], [0])[0].key != row["key"]
    assert not sweeps.is_current(row)


# --- A sweep ------------------------------------------------------------------------------------------------------


def test_pretraining_is_done_once_a_seed_for_all_labels_and_approaches(place, monkeypatch):
    seeds, asked, genuine, pretrain = [], [], Autoencoder.fit, labelled.pretrain

    def fit(self, *given, **watched):
        seeds.append(self.random_state)
        return genuine(self, *given, **watched)

    def noted(spec, *given):
        asked.append(spec.seed)
        return pretrain(spec, *given)

    small = {"n_components": 4, "width": 16, "layers": 1, "epochs": 1}
    monkeypatch.setattr(settings, "pretraining", lambda *_: small)
    monkeypatch.setattr(settings, "of", lambda name, _: {"steps": 5} if name == "fine_tuned" else {})
    monkeypatch.setattr(Autoencoder, "fit", fit)
    monkeypatch.setattr(labelled, "pretrain", noted)
    wanted = labelled.cells("digits", ["ae", "fine_tuned"], [20, 40, 60], [0, 1])
    assert sweeps.run(wanted, place=place) == Report(computed=12)
    assert seeds == asked == [0, 1]
    # Another process finds it in the user's cache.
    monkeypatch.setattr(sweeps, "_estimators", {})
    assert sweeps.run(labelled.cells("digits", ["ae"], [80], [0, 1]), place=place) == Report(computed=2)
    assert seeds == [0, 1]


def test_a_stopped_sweep_goes_on_later_without_computing_again(place, watch, wanted, counted):
    def stop(row):
        (watch / "stop").touch()

    report = sweeps.run(wanted, place=place, watch=watch, on_row=stop)
    assert report == Report(computed=1, left=3)
    assert sweeps.run(wanted, place=place, watch=watch) == Report(left=4)
    (watch / "stop").unlink()
    assert sweeps.run(wanted, place=place, watch=watch) == Report(computed=3, kept=1)
    assert counted == wanted
    assert list(watch.iterdir()) == []


def test_a_sweep_whose_folder_is_gone_is_stopped(place, watch, wanted):
    watch.rmdir()
    assert sweeps.run(wanted, place=place, watch=watch) == Report(left=4)


def test_a_cell_under_way_tells_its_share_and_ends_at_a_stop(place, watch, monkeypatch):
    monkeypatch.setattr(settings, "of", lambda *_: {"width": 32, "layers": 1, "steps": 1_000_000})
    (cell,) = labelled.cells("digits", ["network"], [20], [3])
    with ThreadPoolExecutor(1) as pool:
        sweep = pool.submit(sweeps.run, [cell], place=place, watch=watch)
        try:
            awaited(lambda: dict(sweeps._shares(watch)).get("Network from scratch with 20 labels, seed 3"), "a share")
        finally:
            (watch / "stop").touch()
        assert sweep.result(10) == Report(left=1)
    assert [path.name for path in watch.iterdir()] == ["stop"]
    assert sweeps.read("digits", (place,)) == sweeps.Rows(())


def test_after_its_time_no_cell_is_begun_any_more(place, wanted, monkeypatch):
    now, genuine = [1000.0], labelled.measure
    monkeypatch.setattr(sweeps, "time", SimpleNamespace(time=lambda: now[0]))

    def measure(*given):
        now[0] += 10
        return genuine(*given)

    monkeypatch.setattr(labelled, "measure", measure)
    assert sweeps.run(wanted, place=place, max_seconds=25) == Report(computed=3, left=1)
    assert sweeps.run(wanted, place=place) == Report(computed=1, kept=3)


def test_where_nothing_can_be_kept_one_sentence_says_so(place, wanted, counted, monkeypatch):
    place.write_text("in the way")
    with pytest.raises(
        HourglassError, match=r"^Results can't be kept in .*rows \(File exists\): free some space there\.$"
    ):
        sweeps.run(wanted, place=place)
    place.unlink()
    locked(monkeypatch, place)
    with pytest.raises(HourglassError, match=r"can't be kept in .*rows \(Permission denied\)"):
        sweeps.run(wanted, place=place)
    assert counted == []


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_is_told_in_one_sentence_and_what_is_written_is_kept(place, wanted, monkeypatch, processes):
    genuine, measure, written = os.fsync, labelled.measure, []

    def slower_and_slower(cell, *given):
        """So that one is under way when another can't be written."""
        time.sleep(0.1 * wanted.index(cell))
        return measure(cell, *given)

    def fsync(file):
        written.append(file)
        if len(written) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return genuine(file)

    if processes > 1:
        in_threads(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr(labelled, "measure", slower_and_slower)
        with pytest.raises(HourglassError, match=r"digits\.jsonl \(No space left on device\): free some space") as told:
            sweeps.run(wanted, place=place, processes=processes)
    assert "\n" not in str(told.value)
    there = len(sweeps.read("digits", (place,)).rows)
    assert there >= 2
    assert sweeps.run(wanted, place=place) == Report(computed=4 - there, kept=there)
    assert sorted(keys(lines(place))) == sorted(cell.key for cell in wanted)


def in_threads(monkeypatch):
    """Let cells be computed at once in threads, as a backend that is set around a sweep would, say of a cluster."""
    import joblib

    genuine = joblib.Parallel
    monkeypatch.setattr(joblib, "Parallel", lambda n, **given: genuine(n, backend="threading", **given))


def test_two_sweeps_at_once_compute_no_cell_twice(place, wanted, monkeypatch):
    measured, genuine = [], labelled.measure

    def measure(cell, *given):
        measured.append(cell)
        time.sleep(0.1)
        return genuine(cell, *given)

    monkeypatch.setattr(labelled, "measure", measure)
    barrier = threading.Barrier(2)

    def sweep(cells):
        barrier.wait()
        return sweeps.run(cells, place=place)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(sweep, (wanted, wanted[::-1])))
    assert sorted(report.computed for report in reports) == [0, 4]
    assert sorted(report.kept for report in reports) == [0, 4]
    assert len(measured) == 4
    assert sorted(keys(lines(place))) == sorted(cell.key for cell in wanted)


def test_a_sweep_that_waits_for_another_can_be_stopped(place, watch, wanted):
    place.mkdir()
    with FileLock(place / "digits.lock"), ThreadPoolExecutor(1) as pool:
        sweep = pool.submit(sweeps.run, wanted, place=place, watch=watch)
        time.sleep(0.1)
        assert not sweep.done()
        (watch / "stop").touch()
        assert sweep.result(10) == Report(left=4)


def test_a_cell_that_fails_is_told_and_the_others_are_computed(place):
    wanted = labelled.cells("digits", ["logistic"], [1, 20], [0])
    report = sweeps.run(wanted, place=place)
    assert (report.computed, report.left) == (1, 1)
    (problem,) = report.problems
    assert problem.startswith("Logistic regression with 1 label")
    assert problem.endswith("1 label is of a single class, and a classifier needs two: give more labels.")
    assert keys(lines(place)) == [wanted[1].key]


def test_whatever_goes_wrong_is_told_in_one_line(place, wanted, monkeypatch):
    genuine = labelled.measure

    def measure(cell, *given):
        if cell.labels == 40:
            raise ZeroDivisionError("one\n  thing" if cell.spec.seed else "")
        return genuine(cell, *given)

    monkeypatch.setattr(labelled, "measure", measure)
    report = sweeps.run(wanted, place=place)
    assert (report.computed, report.left) == (2, 2)
    assert report.problems == [
        "Logistic regression with 40 labels, seed 0 could not be computed (ZeroDivisionError).",
        "Logistic regression with 40 labels, seed 1 could not be computed (one thing).",
    ]


def test_where_a_pretraining_fails_others_are_computed(place, monkeypatch):
    def diverged(*_):
        raise Diverged("Training diverged.")

    monkeypatch.setattr(labelled, "pretrain", diverged)
    wanted = labelled.cells("digits", ["pca", "logistic"], [20], [0])
    report = sweeps.run(wanted, place=place)
    assert (report.computed, report.left) == (1, 1)
    assert report.problems[0] == "Pre-training of the PCA, seed 0: Training diverged."
    assert all(problem.endswith("Training diverged.") for problem in report.problems)
    assert [row["method"] for row in lines(place)] == ["logistic"]


@pytest.fixture
def fresh_processes():
    """Processes with this test's user's cache, and none of them after it."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    yield
    get_reusable_executor().shutdown(wait=True)


def test_two_processes_compute_what_one_does(tmp_path, fresh_processes):
    wanted = labelled.cells("digits", ["logistic", "pca", "spreading"], [20, 40], [0])
    errors = []
    for processes in (1, 2):
        place = tmp_path / str(processes)
        assert sweeps.run(wanted, place=place, processes=processes) == Report(computed=6)
        errors.append(sweeps.by_approach(sweeps.read("digits", (place,)).rows))
    assert errors[0] == errors[1]


# --- A sweep beside the app ---------------------------------------------------------------------------------------

# Of a seed that nothing is shipped of.
ASKED = ("digits", ["logistic", "pca"], [20, 40], [997])


def until_over(name):
    return awaited(lambda: not any(sweep.name == name for sweep in sweeps.under_way()) and True, "the sweep's end")


def remains(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def asked_of(folder, name="0" * 16, *, share=0.4, waits=False, age=0.0, **given):
    """The folder of a sweep whose process was started and is not there."""
    folder = folder / name
    folder.mkdir(parents=True)
    asked = {"dataset": "digits", "dataset_params": {}, "approaches": ["logistic"], "labels": [20], "seeds": [997]}
    (folder / "request.json").write_text(json.dumps({**asked, "max_seconds": 0.0, "ends": False, **given}))
    about = {"share": share, "waits": waits, "started": time.time() - age}
    (folder / "progress.json").write_text(json.dumps(about))
    return folder


def test_a_sweep_beside_the_app_is_computed_and_cleared_away(work_folder, started):
    work_folder.mkdir(parents=True)
    with FileLock(work_folder / "one.lock"):
        name = sweeps.request(*ASKED)
        awaited(lambda: [sweep.waits for sweep in sweeps.under_way()] == [True], "its waiting")
        (sweep,) = sweeps.under_way()
        assert (sweep.name, sweep.share, sweep.under_way) == (name, 0.0, ())
        assert sweep.asked == {
            "dataset": "digits",
            "dataset_params": {},
            "approaches": ["logistic", "pca"],
            "labels": [20, 40],
            "seeds": [997],
            "max_seconds": 0.0,
            "ends": False,
        }
        assert sweeps.outcome(name) is None
    until_over(name)
    assert sweeps.outcome(name) == Report(computed=4)
    assert started[0].wait(10) == 0
    assert remains(work_folder) == []
    wanted = labelled.cells(*ASKED)
    assert sorted(keys(sweeps.read("digits").rows)) == sorted(cell.key for cell in wanted)
    assert sweeps.run(wanted) == Report(kept=4)


def test_a_sweep_beside_the_app_is_stopped_and_keeps_its_rows(work_folder, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    place = asked_of(work_folder, approaches=["network"], labels=list(range(20, 620, 10)))
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(computing.make, sweeps.WORK, place)
        try:
            awaited(lambda: sweeps.read("digits").rows, "its first row")
            awaited(lambda: sweeps.under_way()[0].share > 0, "its share")
            assert sweeps.outcome(place.name) is None
        finally:
            sweeps.stop(place.name)
        made.result(10)
    assert remains(work_folder) == []
    assert sweeps.under_way() == []
    assert sweeps.outcome(place.name) is None
    found = sweeps.read("digits")
    assert found.problems == ()
    assert 1 <= len(found.rows) < 60
    done = set(keys(found.rows))
    cells = labelled.cells("digits", ["network"], range(20, 620, 10), [997])
    assert sweeps.run([cell for cell in cells if cell.key in done]) == Report(kept=len(done))


def test_where_its_time_ends_it_networks_under_way_are_left_out(work_folder, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(settings, "of", lambda *_: {"steps": 10**7, "width": 8})
    place = asked_of(work_folder, approaches=["network"], max_seconds=1.0, ends=True)
    computing.make(sweeps.WORK, place)
    assert sweeps.outcome(place.name) == Report(left=1)
    assert sweeps.read("digits").rows == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("digits", [], [20], [0]), "There is nothing to compute: choose an approach"),
        (("digits", ["logistic"], [], [0]), "There is nothing to compute"),
        (("digits", ["umap"], [20], [0]), "There is no approach 'umap'"),
        (("digits", ["logistic"], [5000], [0]), "labels=5000 is not allowed"),
        (("digits", ["logistic"], [20], [0], -1.0), "max_seconds=-1.0 is not allowed"),
        (("digits", ["logistic"], [20], [0], float("nan")), "max_seconds=nan is not allowed"),
        (("digits", ["logistic"], [20], [0], float("inf")), "max_seconds=inf is not allowed"),
    ],
)
def test_a_sweep_that_can_not_be_is_refused_at_once(work_folder, started, given, message):
    with pytest.raises(BadInput, match=message):
        sweeps.request(*given)
    assert started == []
    assert remains(work_folder) == []


def test_where_a_sweep_can_not_be_begun_a_sentence_says_so(work_folder, started, monkeypatch):
    work_folder.parent.mkdir(parents=True)
    locked(monkeypatch, work_folder)
    with pytest.raises(HourglassError, match=r"The sweep can't be made in .* \(Permission denied\): free some space"):
        sweeps.request(*ASKED)
    assert sweeps.under_way() == []
    assert started == []


def test_what_is_under_way_is_told_oldest_first(work_folder):
    assert sweeps.under_way() == []
    asked_of(work_folder, "b" * 16, share=0.0, waits=True)
    place = asked_of(work_folder, "a" * 16, share=0.25)
    (place / "0.share").write_text('["Logistic regression with 20 labels, seed 997", 0.5]')
    for k, half_written in enumerate(('["M2', "", "5", "null", '["M2", "much"]', "[1, 2, 3]")):
        (place / f"{k + 1}.share").write_text(half_written)
    (place / "9.share").write_text('["M2", 7]')
    (work_folder / "start.lock").touch()
    (work_folder / ("c" * 16)).mkdir()
    nonsense = asked_of(work_folder, "d" * 16)
    (nonsense / "request.json").write_text("{")
    found = sweeps.under_way()
    assert [(sweep.name[0], sweep.share, sweep.waits) for sweep in found] == [("a", 0.25, False), ("b", 0.0, True)]
    (place / "stop").touch()
    assert [sweep.stopping for sweep in sweeps.under_way()] == [True, False]
    assert found[0].under_way == (("Logistic regression with 20 labels, seed 997", 0.5), ("M2", 1.0))
    assert found[1].asked["labels"] == [20]


def test_how_a_sweep_beside_the_app_ended_is_told_with_its_problems(work_folder, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    place = asked_of(work_folder, labels=[1, 20])
    computing.make(sweeps.WORK, place)
    report = sweeps.outcome(place.name)
    assert (report.computed, report.kept, report.left) == (1, 0, 1)
    assert len(report.problems) == 1
    assert remains(work_folder) == []


def test_a_sweep_that_failed_as_a_whole_says_why(work_folder, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    place = asked_of(work_folder)
    computing.make(sweeps.WORK, place)
    with pytest.raises(HourglassError, match=r"^A result can't be written to .*\(No space left on device\)"):
        sweeps.outcome(place.name)
    assert sweeps.under_way() == []
    sweeps.stop(place.name)
    assert sweeps.outcome(place.name) is None
    assert remains(work_folder) == []


def test_a_sweep_whose_process_is_gone_is_said_to_be(work_folder):
    place = asked_of(work_folder, age=3600)
    with pytest.raises(HourglassError, match="The process of this sweep ended before it was done: make it again"):
        sweeps.outcome(place.name)
    assert sweeps.outcome("f" * 16) is None
