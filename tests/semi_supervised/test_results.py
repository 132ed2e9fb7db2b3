"""Stored results: lines that can be shown are read, others are reported and left out."""

import json

import numpy as np
import pytest

from core.semi_supervised import experiment, results, sweep


@pytest.fixture(scope="module")
def result():
    (cell,) = experiment.list_cells("digits", ["logistic"], [20], [0])
    return experiment.measure_cell(cell, sweep.load_dataset("digits", ()))


def test_lines_that_can_not_be_shown_are_left_out_and_reported(tmp_path, result):
    counts, lost = result["confusion"], {name: value for name, value in result.items() if name != "confusion"}
    changes = [{"dataset": "mnist"}, {"method": "lsa"}, {"error": float("nan")}, {"labels": "20"}, {"seed": True}]
    changes += [{"confusion": counts[:-1]}, {"confusion": [*counts[:-1], [1]]}, {"wrong": "?"}]
    for name, change in (
        ("map", lambda points: points[1:]),
        ("map_classes", lambda y: np.r_[77, y[1:]]),
        ("wrong", lambda wrong: np.where(wrong == 255, 255, 99)),
    ):
        changes.append({name: results.pack(change(results.unpack(result[name])))})
    documents = [json.dumps(document) for document in (lost, *({**result, **change} for change in changes))]
    for text in ("{", "[1, 2]", "\udcff\udcfe", "{}", *documents):
        (tmp_path / "digits.jsonl").write_text(f"{text}\n\n{json.dumps(result)}\n", errors="surrogateescape")
        stored = results.read_results("digits", (tmp_path,))
        assert stored.rows == (result,), text[:200]
        assert [problem[:32] for problem in stored.problems] == ["1 of 2 lines in digits.jsonl are"]


def test_unreadable_file_is_reported(tmp_path):
    (tmp_path / "digits.jsonl").mkdir()
    problem = f"The results in {tmp_path / 'digits.jsonl'} can't be read (Is a directory)."
    assert results.read_results("digits", (tmp_path,)) == results.Results((), (problem,))


def test_own_results_come_first_and_the_last_line_counts(tmp_path, monkeypatch, result):
    monkeypatch.setattr(results, "SHIPPED", tmp_path)
    results.append_result(results.results_path("digits", tmp_path), {**result, "seconds": 1.0})
    other = {**result, "data_checksum": "another"}
    file = results.results_path("digits")
    file.parent.mkdir(parents=True)
    for row in (other, {**result, "seconds": 2.0}, {**result, "seconds": 3.0}):
        results.append_result(file, row)
    found = [(row["data_checksum"], row["seconds"]) for row in results.read_results("digits").rows]
    assert found == [("another", other["seconds"]), (result["data_checksum"], 3.0)]
