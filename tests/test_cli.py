"""The command line: outputs, exit codes, one-sentence errors, and what is left when a command ends early."""

import json
import re
from dataclasses import replace
from unittest.mock import Mock

import pytest

from core import cli, datasets
from core.commands import runs
from core.datasets import checksums
from core.errors import HourglassError
from core.experiments import fit
from core.runs import layout, reader, store, transfer
from core.semi_supervised import experiment, sweep
from core.tasks import queue, requests, task_files, worker_process
from core.types import Measurement, Spec

FIT = ["fit", "digits", "ae", "--epochs", "2", "--set", "width=32", "--set", "n_components=2"]
COMPARE = ["compare", "digits", "pca", "ae", "--code-size", "2"]
FRACTION = ["labelled-fraction", "digits", "--labels", "20", "--seeds", "1", "--methods", "logistic"]


@pytest.fixture(autouse=True)
def no_worker(monkeypatch, tmp_path):
    monkeypatch.setattr(worker_process, "start_worker", lambda: None)
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "none")


@pytest.fixture
def call(capsys):
    """Run a command; return its exit code, output and messages."""

    def call(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def refuse(call):
    """Run a command that must be refused in one sentence; return it."""

    def refuse(*arguments):
        code, out, err = call(*arguments)
        assert (code, out) == (2, ""), err
        assert err.startswith("hourglass: ")
        assert err.count("\n") == 1
        return err

    return refuse


def replace_fit(monkeypatch, act):
    """Let a fit call `act` with its checkpoint folder instead of training."""
    monkeypatch.setattr(fit, "fit_and_store", lambda spec, dataset, *, checkpoint, **k: act(checkpoint, **k))


def fail(*_, **__):
    pytest.fail("it was begun")


def test_every_command_has_a_help_with_an_example(call):
    names = [name for name, *_ in cli.COMMANDS]
    assert re.findall(r"^  (\S+)  ", call("--help")[1], re.M)[1:] == names
    for name in names:
        code, out, err = call(name, "--help")
        assert (code, err) == (0, "")
        assert f"Example: python -m core {name}" in " ".join(out.split())


def test_lists_are_readable_by_people_and_machines(call):
    for what in ("datasets", "methods"):
        rows, text = json.loads(call(what, "--json")[1]), call(what)[1]
        assert len(rows) >= 6
        assert all(re.search(rf"^{row['name']} .*{re.escape(row['summary'])}", text, re.M) for row in rows)


def test_misuse_and_bad_input_are_one_line_with_exit_code_2(refuse, monkeypatch):
    monkeypatch.setattr(sweep, "run_sweep", fail)
    for arguments, message in {
        "": "See python -m core --help",
        "fly": "See python -m core --help",
        "fit": "See python -m core fit --help",
        "fit digits umap": "no method umap",
        "fit digits pca --set n_components": "NAME=VALUE",
        "fit digits ae --max-seconds nan": "max_seconds=nan is not allowed",
        "compare digits pca tsne": "t-SNE projects the rows themselves and has no latent code",
        "ship mnist/umap": "No shipped run",
        "labelled-fraction frey": "Frey faces has no labels",
        "labelled-fraction digits --labels 20,": "--labels 20, is not a list",
        "labelled-fraction digits --processes 65": "'--processes'",
    }.items():
        assert message in refuse(*arguments.split()), arguments


def test_fit_prints_one_document_and_stores_the_run(call):
    code, out, err = call(*FIT, "--seed", "3", "--json")
    document = json.loads(out)
    assert code == 0
    assert set(document) == {"key", "spec", "seconds", "environment", "history", "metrics"}
    assert (Spec.from_json(document["spec"]).key, document["spec"]["seed"]) == (document["key"], 3)
    assert layout.metrics_to_json(reader.read_run(store.find_place(document["key"]))) == document["metrics"]
    assert "epoch 2 " in err
    # The app sees it while it trains; it leaves only its run.
    assert sorted(path.name for path in layout.runs_folder().iterdir()) == [".jobs", "digits"]
    assert [path.name for path in task_files.queue_folder().iterdir()] == ["locks"]


def test_compare_uses_stored_runs_and_tells_copies_of_the_data_apart(call, monkeypatch):
    key = json.loads(call(*FIT, "--json")[1])["key"]
    code, out, err = call(*COMPARE, "--json")
    pca, ae = json.loads(out)
    assert (code, ae["key"], "different copies" in err) == (0, key, False)
    assert pca["spec"]["params"]["n_components"] == 2
    place = store.find_place(pca["key"])
    run, arrays = reader.read_run(place), reader.read_weights(place)
    store.delete_run(run.key)
    store.write_run(replace(run, environment={**run.environment, "data_checksum": "another"}), arrays)
    with monkeypatch.context() as patch:
        patch.setattr(checksums, "make_stamp", lambda name: "")  # as where the data are absent
        assert call(*COMPARE)[2].startswith("These runs were measured on different copies of digits")
    monkeypatch.setattr(runs, "fit_run", lambda spec, *_: run if spec == run.spec else fail())
    assert call(*COMPARE)[2] == "PCA was trained on another copy of digits: it is fitted on this one.\n"


def test_interrupted_fit_says_what_is_left(call, monkeypatch):
    def interrupt(folder, **_):
        raise KeyboardInterrupt

    def interrupt_later(folder, **_):
        (folder / "checkpoint.safetensors").write_bytes(b"kept")
        raise KeyboardInterrupt

    for arguments, act, message in (
        (FIT, interrupt, "stopped; nothing was stored.\n"),
        (["compare", "digits", "ae", "--seed", "9"], interrupt, "finished are stored, the others are not.\n"),
        (FIT, interrupt_later, "stopped; the same command resumes from the last checkpoint.\n"),
    ):
        replace_fit(monkeypatch, act)
        code, _, err = call(*arguments)
        assert (code, err.endswith(message)) == (130, True), err


def test_app_may_pause_a_fit(call, monkeypatch):
    def act(folder, on_stage, **_):
        (task,) = queue.list_tasks()
        assert (task.state, task.people) == (queue.RUNNING, (requests.COMMAND_LINE,))
        requests.send_command(folder.name, queue.PAUSE)
        on_stage("Fitting")

    replace_fit(monkeypatch, act)
    code, _, err = call(*FIT)
    assert (code, [task.state for task in queue.list_tasks()]) == (130, [queue.PAUSED])
    assert err.endswith("hourglass: stopped; the app asked to pause this training.\n")


def test_fit_resumes_a_paused_training_and_keeps_its_checkpoint_when_storing_fails(call, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(fit.store, "write_run", Mock(side_effect=HourglassError("The disk is full.")))
        code, _, err = call(*FIT)
    assert (code, err.endswith("hourglass: The disk is full.\n")) == (2, True)
    (task,) = queue.list_tasks()
    assert (task.state, task.has_checkpoint) == (queue.PAUSED, True)
    requests.request_trainings([task.spec], "somebody")
    requests.send_command(task.key, queue.PAUSE)
    code, _, err = call(*FIT)
    assert (code, "epoch" in err) == (0, False), "it trained again"
    assert (queue.list_tasks(), requests.is_stored(task.key)) == ([], True)


def test_system_errors_are_one_line(refuse, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "Results can't be stored" in refuse(*FRACTION, "--into", tmp_path / "file" / "rows")
    with monkeypatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
        assert "HOURGLASS_RUNS=" in refuse(*FIT)
    forbidden = PermissionError(13, "Permission denied", "/somewhere")
    monkeypatch.setattr(datasets, "names", Mock(side_effect=forbidden))
    assert refuse("datasets") == "hourglass: [Errno 13] Permission denied: '/somewhere'\n"


@pytest.fixture
def exported(call, tmp_path):
    """The document of a small run, and the zip file that export made of it."""
    document = json.loads(call("fit", "digits", "pca", "--set", "n_components=2", "--json")[1])
    file = tmp_path / "run.zip"
    out = call("export", document["key"], file)[1]
    assert out == f"{document['key']} written to {file}, {file.stat().st_size / 1e6:.1f} MB\n"
    return document, file


def test_exported_run_is_imported_elsewhere(call, refuse, exported, monkeypatch, tmp_path):
    document, file = exported
    assert f"The run {document['key']} is already here" in refuse("import", file)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "elsewhere"))
    imported = json.loads(call("import", file, "--json")[1])
    del imported["environment"]["loaded"]
    # Measured again here: what takes seconds at once.
    assert imported["metrics"].items() <= document["metrics"].items()
    assert {"squared_error", "knn_accuracy", "weights"} <= set(imported["metrics"])
    assert {**imported, "metrics": {}} == {**document, "metrics": {}}
    assert reader.read_run(store.find_place(document["key"])).is_verified
    store.delete_run(document["key"])
    out = call("import", file)[1]
    assert out.startswith(f"PCA on digits, stored as {document['key']}\n")
    assert f"Squared error            {document['metrics']['squared_error']:.5g} per image" in out


def test_scores_in_an_imported_file_are_not_believed(call, exported, monkeypatch):
    document, file = exported
    place = store.find_place(document["key"])
    true = document["metrics"]["squared_error"]
    run = reader.read_run(place)
    run.metrics["squared_error"] = Measurement(0.0, 0.0, 0.0)
    store.rewrite_run(place, run, reader.read_weights(place))
    file.write_bytes(transfer.pack_run(place))
    for is_here, error in ((True, true), (False, 0.0)):
        monkeypatch.setattr(datasets, "is_available", lambda name, is_here=is_here: is_here)
        store.delete_run(document["key"])
        assert call("import", file)[0] == 0
        run = reader.read_run(store.find_place(document["key"]))
        assert run.metrics["squared_error"].value == error
        assert run.is_verified == is_here


def test_export_and_import_refuse_in_one_sentence(refuse, exported, tmp_path):
    document, file = exported
    before = file.read_bytes()
    for arguments, message in (
        (("export", document["key"], file), "exists already, and export replaces no file"),
        (("export", "0123456789abcdef", tmp_path / "other.zip"), "There is no run 0123456789abcdef"),
        (("import", tmp_path / "missing.zip"), "missing.zip can't be read (No such file"),
    ):
        assert message in refuse(*arguments)
    assert file.read_bytes() == before
    file.write_bytes(before[:-100])
    store.delete_run(document["key"])
    assert "run.zip is damaged" in refuse("import", file)
    assert store.list_runs() == ([], [])


def test_labelled_fraction_prints_errors_and_repeats_nothing(call, tmp_path):
    _, out, err = call(*FRACTION, "--json", "--into", tmp_path)
    (row,) = json.loads(out)
    assert f"Logistic regression, 20 labels, seed 0: test error {row['error']:.2%}" in err
    assert [json.loads(line) for line in (tmp_path / "digits.jsonl").read_text().splitlines()] == [row]
    code, out, err = call(*FRACTION, "--into", tmp_path)
    assert (code, out) == (0, f"Logistic regression\n       20 labels  {row['error']:7.2%}  seeds=1\n")
    assert "1 stored before, 0 left out." in err


def test_labelled_fraction_reports_fits_that_fail_or_are_left_out(call, monkeypatch, tmp_path):
    words = [*FRACTION[:2], "--methods", "logistic", "--json", "--into", tmp_path]
    code, out, err = call(*words, "--labels", "1,20", "--seeds", "1")
    assert (code, [row["labels"] for row in json.loads(out)]) == (0, [20])
    assert "1 left out, of which 1 failed.\nLogistic regression with 1 label, seed 0: 1 label is of a" in err
    code, out, err = call(*words, "--labels", "1", "--seeds", "2")
    assert (code, json.loads(out)) == (1, [])
    assert err.endswith("hourglass: All 2 fits failed, see above.\n")
    assert "1 left out." in call(*words, "--labels", "30", "--seeds", "1", "--max-seconds", "1e-9")[2]
    monkeypatch.setattr(experiment, "measure_cell", Mock(side_effect=KeyboardInterrupt))
    assert call(*words, "--labels", "30")[2].endswith("hourglass: stopped; the same command resumes the sweep.\n")


def test_handout_is_refused_where_it_can_not_be_written(capsys, tmp_path):
    assert cli.main(["handout", str(tmp_path / "handout.pdf")]) == 2
    assert cli.main(["handout", str(tmp_path / "none" / "handout.html")]) == 2
    assert capsys.readouterr().err.count("hourglass: ") == 2
