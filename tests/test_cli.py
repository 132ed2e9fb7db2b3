import json

import pytest

from core import store
from core.__main__ import main
from core.types import Spec

FIT = ["fit", "digits", "ae", "--epochs", "2", "--set", "width=32", "--set", "n_components=2"]


def said(capsys, *arguments):
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("what", ["datasets", "methods"])
def test_lists_are_readable_by_people_and_machines(capsys, what):
    code, out, _ = said(capsys, what, "--json")
    rows = json.loads(out)
    assert code == 0
    assert len(rows) >= 6
    _, out, _ = said(capsys, what)
    assert all(row["name"] in out for row in rows)


def test_fit_prints_one_object_and_stores_the_run(capsys):
    code, out, err = said(capsys, *FIT, "--seed", "3", "--json")
    assert code == 0
    document = json.loads(out)
    assert set(document) == {"key", "spec", "seconds", "environment", "history", "metrics"}
    assert Spec.from_json(document["spec"]).key == document["key"]
    assert document["spec"]["seed"] == 3
    assert [row["epoch"] for row in document["history"]] == [1, 2]
    assert document["metrics"]["squared_error_interval"][0] < document["metrics"]["squared_error"]
    assert store.read(store.find(document["key"])).metrics == document["metrics"]
    assert "epoch 2" in err


def test_max_seconds_is_kept(capsys):
    _, out, _ = said(capsys, "fit", "digits", "ae", "--max-seconds", "1", "--set", "width=32", "--json")
    assert json.loads(out)["seconds"] == pytest.approx(1, rel=0.1)


def test_compare_takes_stored_runs_and_fits_the_missing_one(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    _, out, _ = said(capsys, *FIT, "--json")
    key = json.loads(out)["key"]
    code, out, _ = said(capsys, "compare", "digits", "pca", "ae", "--code-size", "2", "--json")
    assert code == 0
    pca, ae = json.loads(out)
    assert ae["key"] == key
    assert pca["spec"]["method"] == "pca"
    assert pca["spec"]["params"]["n_components"] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "digits", "umap"], "no method umap"),
        (["fit", "cifar", "pca"], "cifar"),
        (["fit", "digits", "lsa"], "LSA does not fit"),
        (["fit", "digits", "pca", "--set", "n_components=many"], "n_components=many is not allowed"),
        (["fit", "digits", "pca", "--set", "n_components"], "NAME=VALUE"),
        (["fit", "digits", "pca", "--set", "colour=red"], "colour is no parameter of pca"),
        (["fit", "digits", "pca", "--seed", "x"], "seed=x is not allowed"),
        (["fit", "digits", "ae", "--max-seconds", "nan"], "max_seconds=nan is not allowed"),
        (["compare", "digits", "pca", "--code-size", "0"], "n_components=0 is not allowed"),
        (["compare", "digits", "pca", "--set", "colour=red"], "colour is no parameter"),
        (["ship", "mnist/umap"], "No shipped run"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(capsys, arguments, message):
    code, out, err = said(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("hourglass: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["fit"], ["fly"], [], ["fit", "digits", "pca", "--nonsense"]])
def test_misuse_is_one_line_and_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_interrupted_fit_says_how_to_go_on(capsys, monkeypatch):
    from core import experiments

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "fit_and_store", interrupted)
    code, _, err = said(capsys, *FIT)
    assert code == 130
    assert "goes on from its last checkpoint" in err
