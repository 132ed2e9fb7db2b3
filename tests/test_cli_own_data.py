"""The commands of own data: import with every option, what they are called, export, rename, delete."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from core import datasets
from core.datasets.own import catalogue, examples, store
from core.runs import store as run_store
from tests.test_cli import call, no_worker, refuse

__all__ = ["call", "no_worker", "refuse"]


@pytest.fixture
def wine(tmp_path):
    file, content = examples.make_file("wine")
    (tmp_path / file).write_bytes(content)
    return tmp_path / file


@pytest.fixture
def patients(tmp_path):
    """A file with a column for each role, gaps, and a label of numbers."""
    random, n = np.random.default_rng(0), 120
    frame = pd.DataFrame(random.normal(size=(n, 3)).round(4), columns=["age", "weight", "pulse"])
    frame.loc[:9, "pulse"] = np.nan
    frame["record"] = [f"r{k:03d}" for k in range(n)]
    frame["clinic"] = random.choice(list("abcdefgh"), n)
    frame["split"] = np.where(np.arange(n) % 4 == 3, "test", "train")
    frame["stage"] = random.choice(["early", "late"], n)
    frame.to_csv(tmp_path / "patients.csv", index=False)
    return tmp_path / "patients.csv"


def roles_of(name):
    return {column.name: column.role for column in store.read_recipe(name).columns}


def add(call, *arguments):
    code, out, err = call("import", *arguments, "--json")
    assert code == 0, err
    return json.loads(out)["name"]


def test_each_example_is_imported_as_it_is_told(call, tmp_path):
    for example, label in examples.LABELS.items():
        file, content = examples.make_file(example)
        (tmp_path / file).write_bytes(content)
        code, out, _ = call("import", tmp_path / file, "--name", label)
        assert code == 0
        assert out.startswith(f"{label} is added as own-")
    listed = {row["label"]: row for row in json.loads(call("datasets", "--json")[1]) if row["is_own"]}
    assert listed.keys() == set(examples.LABELS.values())
    assert all(row["name"] in call("datasets")[1] for row in listed.values())


def test_each_option_of_import_is_obeyed(call, patients):
    usual = store.read_recipe(name := add(call, patients))
    assert roles_of(name) | {"stage": "label", "record": "id", "split": "split"} == roles_of(name)
    options = {
        ("--label", "clinic"): lambda r: r.find_column("label").name == "clinic",
        ("--label", "none"): lambda r: r.find_column("label") is None,
        ("--id", "age"): lambda r: r.find_column("id").name == "age",
        ("--group", "clinic"): lambda r: r.find_column("group").name == "clinic",
        ("--split", "none", "--test-size", "0.3"): lambda r: (r.split, r.test_size) == ("stratified", 0.3),
        ("--drop", "age", "--drop", "pulse"): lambda r: (
            [c.name for c in r.list_columns("feature")] == ["weight", "clinic"]
        ),
        ("--missing", "drop"): lambda r: r.missing == "drop",
        ("--scale", "robust"): lambda r: r.scale == "robust",
        ("--seed", "7"): lambda r: r.seed == 7,
        ("--label", "age", "--bins", "3"): lambda r: r.bins == 3,
    }
    for given, is_obeyed in options.items():
        made = store.read_recipe(add(call, patients, *given))
        assert is_obeyed(made), given
        assert made != usual
    assert datasets.entry(add(call, patients, "--name", "Clinic 7")).label == "Clinic 7"
    dropped = add(call, patients, "--split", "none", "--missing", "drop", "--test-size", "0.5")
    assert datasets.entry(dropped).rows == (55, 55)


def test_a_part_of_a_file_is_chosen(call, refuse, tmp_path):
    first, second = (np.random.default_rng(k).random((30, k + 2)) for k in range(2))
    np.savez(tmp_path / "two.npz", first=first, second=second)
    assert datasets.entry(add(call, tmp_path / "two.npz", "--part", "second")).blocks == (1, 1, 1)
    assert "it has first, second" in refuse("import", tmp_path / "two.npz", "--part", "third")


def test_wrong_options_of_import_are_refused(refuse, patients):
    for given, match in (
        (("--label", "sort"), "There is no column sort: the file has age, weight"),
        (("--drop", "sort"), "There is no column sort"),
        (("--id", "age", "--group", "age"), "The column age is given twice"),
        (("--label", "age"), "divide it into bins"),
        (("--missing", "zero"), "missing is not allowed"),
        (("--scale", "log"), "scale is not allowed"),
        (("--test-size", "0.9"), "test_size is not allowed"),
        (("--bins", "99"), "bins is not allowed"),
        (("--bins", "1"), "The recipe is not allowed (one bin divides nothing"),
        (("--name", "x" * 70), "1 to 60 printable characters"),
    ):
        assert match in refuse("import", patients, *given).replace("“", "").replace("”", "")
    assert "can't be read" in refuse("import", patients.with_name("absent.csv"))
    assert not catalogue.list_names()


def test_check_only_tells_what_is_in_a_file(call, patients):
    code, out, err = call("import", patients, "--check")
    assert (code, err) == (0, "")
    assert "120 rows, 7 columns" in out
    assert "age" in out
    found = json.loads(call("import", patients, "--check", "--json", "--label", "clinic")[1])
    assert {column["name"]: column["role"] for column in found["columns"]}["clinic"] == "label"
    assert found["rows"] == 120
    assert all(problem["text"] for problem in found["problems"])
    assert not catalogue.list_names()


def test_commands_take_a_label_that_one_data_set_has(call, refuse, wine):
    name = add(call, wine)
    for given in ("wine", "Wine", name):
        code, out, err = call("fit", given, "pca", "--set", "n_components=2", "--json")
        assert code == 0, err
        assert json.loads(out)["spec"]["dataset"] == name
    (run,) = run_store.list_runs()[0]
    assert call("compare", "wine", "pca", "--code-size", "2")[0] == 0
    assert "There is no approach 'nothing'" in refuse("labelled-fraction", "wine", "--methods", "nothing")
    other = add(call, wine, "--seed", "5")
    refused = refuse("fit", "wine", "pca")
    assert "2 of your data sets are called wine" in refused
    assert {name, other} <= set(refused.replace(".", "").split())
    assert "no data set 'wein'" in refuse("fit", "wein", "pca")
    assert run.spec.dataset == name


def test_exported_data_are_the_same_elsewhere(call, refuse, wine, tmp_path, monkeypatch):
    name = add(call, wine, "--name", "Wine of Italy")
    checksum, file = datasets.load(name).checksum, tmp_path / "wine.zip"
    assert call("export", "wine of italy", file)[0] == 0
    assert "exists already" in refuse("export", name, file)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "elsewhere"))
    assert add(call, file) == name
    assert datasets.entry(name).label == "Wine of Italy"
    assert datasets.load(name).checksum == checksum


def test_own_data_are_renamed_and_deleted_with_their_runs(call, refuse, wine, monkeypatch):
    name = add(call, wine)
    assert call("fit", name, "pca", "--set", "n_components=2")[0] == 0
    assert call("rename", "wine", "Wine of Italy")[:2] == (0, "wine is called Wine of Italy now.\n")
    assert "1 to 60 printable characters" in refuse("rename", name, "")
    for command in ("rename", "delete"):
        more = ["x"] if command == "rename" else []
        assert "came with the project" in refuse(command, "digits", *more)
        assert "You have no data set wine" in refuse(command, "wine", *more)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert f"Wine of Italy ({name}) and 1 run on it would be deleted" in refuse("delete", name)
    assert catalogue.list_names() == [name]
    assert call("delete", "Wine of Italy", "--yes")[:2] == (0, "Wine of Italy and 1 run on it are deleted.\n")
    assert not catalogue.list_names()
    assert not run_store.list_runs()[0]
