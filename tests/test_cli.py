import json
import time
from dataclasses import replace

import platformdirs
import pytest

from core import __main__ as line
from core import jobs, store
from core.__main__ import main
from core.datasets import download
from core.types import DataUnavailable, Diverged, HourglassError, Spec

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
        (["compare", "digits", "pca", "gan", "--set", "n_components=5"], "use --code-size"),
        (["fit", "digits", "ae", "--epochs", "1" + "0" * 400], "epochs=1000"),
        (["compare", "digits", "pca", "tsne"], "t-SNE maps the rows themselves and has no code size"),
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


@pytest.mark.parametrize(
    ("arguments", "hint"), [(["fly"], "See python -m core --help\n"), (["fit"], "See python -m core fit --help\n")]
)
def test_misuse_names_the_help_there_is(capsys, arguments, hint):
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err.endswith(hint)


def test_a_gan_alone_may_be_compared_at_another_size():
    settings = {"n_components": "5"}
    assert line._spec("digits", "gan", line._for("gan", "images", settings, 10), "0").param("n_components") == 5


def interrupts(monkeypatch, keeps):
    from core import experiments

    def interrupted(spec, dataset, *, checkpoint, **kwargs):
        if keeps:
            (checkpoint / "checkpoint.safetensors").write_bytes(b"kept")
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "fit_and_store", interrupted)


@pytest.mark.parametrize(
    ("arguments", "keeps", "message"),
    [
        (FIT, False, "stopped; nothing was stored.\n"),
        (FIT, True, "stopped; the same command goes on from its last checkpoint.\n"),
        (["compare", "digits", "ae", "--seed", "9"], False, "what was finished before is stored, the rest is not.\n"),
        (["compare", "digits", "ae", "--seed", "9"], True, "goes on from its last checkpoint.\n"),
    ],
)
def test_an_interrupted_fit_says_what_is_left(capsys, monkeypatch, arguments, keeps, message):
    interrupts(monkeypatch, keeps)
    code, _, err = said(capsys, *arguments)
    assert code == 130
    assert err.endswith(message)


def test_a_diverged_fit_leaves_no_checkpoint(capsys, monkeypatch):
    from core import experiments

    def diverged(spec, dataset, *, checkpoint, **kwargs):
        (checkpoint / "checkpoint.safetensors").write_bytes(b"just before")
        raise Diverged("Training diverged.")

    monkeypatch.setattr(experiments, "fit_and_store", diverged)
    code, _, err = said(capsys, *FIT)
    assert (code, err) == (2, "hourglass: Training diverged.\n")
    assert [path.name for path in store.runs_folder().iterdir()] == [".jobs"]
    assert [path.name for path in jobs.root().iterdir()] == ["locks"]


def test_a_folder_that_can_not_be_written_is_told_before_the_training(capsys, monkeypatch, tmp_path):
    from core import experiments

    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "file" / "runs"))
    monkeypatch.setattr(experiments, "fit_and_store", lambda *a, **k: pytest.fail("it trained"))
    code, _, err = said(capsys, *FIT)
    assert code == 2
    assert "set HOURGLASS_RUNS to another folder" in err
    assert err.count("\n") == 1


def test_what_the_system_refuses_is_one_line(capsys, monkeypatch):
    def refused():
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr(line.datasets, "names", refused)
    code, _, err = said(capsys, "datasets")
    assert code == 2
    assert err == "hourglass: [Errno 13] Permission denied: '/somewhere'\n"


def test_a_download_is_shown_as_it_comes(capsys, monkeypatch):
    from core import experiments

    def load(spec, progress=None):
        for done in (0, 500, 1000):
            time.sleep(0.2)
            progress(done, 1000)
        raise DataUnavailable("It broke off.")

    monkeypatch.setattr(line.datasets, "available", lambda name: False)
    monkeypatch.setattr(experiments, "load_dataset", load)
    code, _, err = said(capsys, "fit", "mnist", "pca")
    assert code == 2
    assert "MNIST: 100%" in err
    assert err.endswith("hourglass: It broke off.\n")


def test_different_copies_of_the_data_are_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none")
    for method in ("pca", "ae"):
        said(capsys, "fit", "digits", method, "--set", "n_components=2", *(FIT[3:7] if method == "ae" else []))
    assert "different copies" not in said(capsys, "compare", "digits", "pca", "ae", "--code-size", "2")[2]
    place = store.find(next(run for run in store.index()[0] if run.spec.method == "pca").key)
    run = store.read(place)
    other = {**run.environment, "data_checksum": "another"}
    store.write(replace(run, environment=other), store.arrays(place))
    code, _, err = said(capsys, "compare", "digits", "pca", "ae", "--code-size", "2")
    assert code == 0
    assert "measured on different copies of digits" in err
    assert err.count("\n") == 1


def test_tests_have_a_cache_of_their_own(user_cache):
    assert download.user_cache() == user_cache
    assert user_cache != platformdirs.user_cache_path("hourglass", appauthor=False) / "data"


@pytest.fixture
def exported(capsys, monkeypatch, tmp_path):
    """The document of a small run, and the zip file that export made of it."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "none")
    document = json.loads(said(capsys, "fit", "digits", "pca", "--set", "n_components=2", "--json")[1])
    file = tmp_path / "run.zip"
    code, out, err = said(capsys, "export", document["key"], str(file))
    assert (code, err) == (0, "")
    assert out == f"{document['key']} written to {file}, {file.stat().st_size / 1e6:.1f} MB\n"
    return document, file


def test_an_exported_run_is_imported_elsewhere(capsys, exported, monkeypatch, tmp_path):
    document, file = exported
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "elsewhere"))
    code, out, err = said(capsys, "import", str(file), "--json")
    assert (code, err) == (0, "")
    imported = json.loads(out)
    loaded = imported["environment"].pop("loaded")
    assert imported == document
    assert store.read(tmp_path / "elsewhere" / document["key"]).environment["loaded"] == loaded
    store.delete(document["key"])
    code, out, _ = said(capsys, "import", str(file))
    assert code == 0
    assert out.startswith(f"PCA on digits, stored as {document['key']}\n")
    assert f"Squared error            {document['metrics']['squared_error']:.5g} per image" in out


def refused(capsys, *arguments):
    """The one sentence with which a command line is refused."""
    code, out, err = said(capsys, *map(str, arguments))
    assert (code, out) == (2, "")
    assert err.startswith("hourglass: ")
    assert err.count("\n") == 1
    return err


def test_export_refuses_what_it_can_not_write_or_find(capsys, exported, tmp_path):
    document, file = exported
    before = file.read_bytes()
    assert "is there already, and export replaces no file" in refused(capsys, "export", document["key"], file)
    assert file.read_bytes() == before
    missing = tmp_path / "missing" / "run.zip"
    assert f"{missing} can't be written (No such file" in refused(capsys, "export", document["key"], missing)
    other = tmp_path / "other.zip"
    assert "There is no run 0123456789abcdef" in refused(capsys, "export", "0123456789abcdef", other)
    assert "is no key of a run" in refused(capsys, "export", "../" + document["key"], other)
    (store.find(document["key"]) / "weights.safetensors").write_bytes(b"broken")
    assert "weights.safetensors is not what was written" in refused(capsys, "export", document["key"], other)
    assert not other.exists()


def test_an_export_that_breaks_off_leaves_no_file(capsys, exported, monkeypatch, tmp_path):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    document, _ = exported
    genuine = line._write_whole
    monkeypatch.setattr(line, "_write_whole", lambda out, data, file: genuine(Full(), data, file))
    assert "No space left on device" in refused(capsys, "export", document["key"], tmp_path / "full.zip")
    assert not (tmp_path / "full.zip").exists()


def test_import_refuses_what_it_can_not_read_or_has(capsys, exported, monkeypatch, tmp_path):
    document, file = exported
    assert f"The run {document['key']} is already here" in refused(capsys, "import", file)
    assert "missing.zip can't be read (No such file" in refused(capsys, "import", tmp_path / "missing.zip")
    assert f"{tmp_path} can't be read (Is a directory)" in refused(capsys, "import", tmp_path)
    (tmp_path / "text.zip").write_text("no zip file")
    assert "no zip file, or a damaged one" in refused(capsys, "import", tmp_path / "text.zip")
    monkeypatch.setattr(store, "LARGEST_PACKED", 100)
    assert "too large" in refused(capsys, "import", file)


def test_import_builds_the_estimator_before_it_stores(capsys, exported):
    document, file = exported
    place = store.find(document["key"])
    run, arrays = store.read(place), store.arrays(place)
    store.write(run, {**arrays, "components_": arrays["components_"][:, 1:]})
    file.write_bytes(store.pack(place))
    store.delete(run.key)
    assert "The weights in this zip file do not fit PCA" in refused(capsys, "import", file)
    assert store.index() == ([], [])


def trains(monkeypatch, act):
    """Let the training of a fit do something else, in the folder of its checkpoint."""
    from core import experiments

    monkeypatch.setattr(jobs, "start_worker", lambda: None)
    monkeypatch.setattr(experiments, "fit_and_store", lambda spec, dataset, *, checkpoint, **k: act(checkpoint, **k))


def test_a_fit_is_seen_by_the_app_and_leaves_only_its_run(capsys, monkeypatch):
    from core import experiments

    genuine, seen = experiments.measure, []
    monkeypatch.setattr(experiments, "measure", lambda *a, **k: seen.append(jobs.jobs()) or genuine(*a, **k))
    code, out, _ = said(capsys, *FIT, "--json")
    assert code == 0
    ((job,),) = seen
    assert (job.state, job.askers) == (jobs.RUNNING, (jobs.COMMAND_LINE,))
    assert job.row["epoch"] == 2
    assert jobs.jobs() == []
    assert sorted(path.name for path in store.runs_folder().iterdir()) == [".jobs", json.loads(out)["key"]]
    assert [path.name for path in jobs.root().iterdir()] == ["locks"]


@pytest.mark.parametrize(("what", "left"), [(jobs.PAUSE, [jobs.PAUSED]), (jobs.CANCEL, [])])
def test_the_app_may_pause_or_cancel_a_fit(capsys, monkeypatch, what, left):
    def act(folder, on_stage, **watches):
        jobs.ask(folder.name, what)
        on_stage("Fitting")

    trains(monkeypatch, act)
    code, _, err = said(capsys, *FIT)
    assert code == 130
    assert err.endswith(f"hourglass: stopped; the app asked to {what} this training.\n")
    assert [job.state for job in jobs.jobs()] == left


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Diverged("Training diverged.")])
def test_what_others_wait_for_too_waits_on_when_a_fit_ends_half_way(capsys, monkeypatch, error):
    def act(folder, **watches):
        jobs.request(jobs.find(folder.name).spec, "somebody")
        raise error

    trains(monkeypatch, act)
    assert said(capsys, *FIT)[0] in (2, 130)
    (job,) = jobs.jobs()
    assert (job.state, job.place, job.askers) == (jobs.QUEUED, 1, ("somebody",))
    assert not jobs.is_held(job.key)


def test_a_fit_takes_a_training_from_the_queue_and_from_its_checkpoint(capsys, monkeypatch):
    monkeypatch.setattr(jobs, "start_worker", lambda: None)
    spec = line._spec("digits", "ae", {"epochs": 2, "width": 32, "n_components": 2}, "0")
    jobs.request(spec, "somebody")
    jobs.write_text(jobs.folder_of(spec.key) / "stop", jobs.PAUSE)
    assert said(capsys, *FIT)[0] == 0
    assert jobs.is_stored(spec.key)
    assert jobs.jobs() == []


def test_a_fit_that_fails_after_its_training_keeps_the_checkpoint(capsys, monkeypatch):
    from core import experiments

    def full(*args, **kwargs):
        raise HourglassError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(experiments.store, "write", full)
        code, _, err = said(capsys, *FIT)
    assert code == 2
    assert err.endswith("hourglass: The disk is full.\n")
    (job,) = jobs.jobs()
    assert (job.state, job.has_checkpoint) == (jobs.PAUSED, True)
    _, _, err = said(capsys, *FIT)
    assert "epoch" not in err, "it trained again"
    assert jobs.jobs() == []


FRACTION = ["labelled-fraction", "digits", "--labels", "20", "--seeds", "1", "--methods", "logistic"]


def test_labelled_fraction_prints_one_document_and_computes_nothing_twice(capsys, tmp_path):
    code, out, err = said(capsys, *FRACTION, "--json", "--into", str(tmp_path))
    assert code == 0
    (row,) = json.loads(out)
    assert (row["method"], row["labels"], row["seed"], row["n_test"]) == ("logistic", 20, 0, 500)
    assert 0 < row["error"] < 1
    assert f"Logistic regression, 20 labels, seed 0: test error {row['error']:.2%}" in err
    assert "1 computed in " in err
    assert [json.loads(line) for line in (tmp_path / "digits.jsonl").read_text().splitlines()] == [row]
    code, again, err = said(capsys, *FRACTION, "--json", "--into", str(tmp_path))
    assert (code, again) == (0, out)
    assert "0 computed in " in err
    assert "1 kept from before, 0 left out." in err


def test_labelled_fraction_prints_means_over_seeds(capsys, tmp_path):
    from core.metrics import fractions

    words = [*FRACTION[:2], "--labels", "40,20,40", "--seeds", "2", "--methods", "spreading,logistic"]
    code, out, _ = said(capsys, *words, "--into", str(tmp_path))
    assert code == 0
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["Logistic regression", "Label spreading"]
    assert [line.split()[0] for line in lines if line.startswith(" ")] == ["20", "40"] * 2
    rows = [json.loads(line) for line in (tmp_path / "digits.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    errors = {r["seed"]: r["error"] for r in rows if (r["method"], r["labels"]) == ("logistic", 20)}
    found = fractions.estimate(errors)
    assert " ".join(lines[1].split()) == (f"20 labels {found.mean:.2%} [{found.low:.2%}, {found.high:.2%}] seeds=2")
    # What else is in the folder was not asked for.
    _, out, _ = said(capsys, *FRACTION, "--into", str(tmp_path))
    assert out == f"Logistic regression\n       20 labels  {errors[0]:7.2%}  seeds=1\n"


def test_labelled_fraction_tells_what_failed_and_goes_on(capsys, tmp_path):
    words = [*FRACTION[:2], "--labels", "1,20", "--seeds", "1", "--methods", "logistic", "--json"]
    code, out, err = said(capsys, *words, "--into", str(tmp_path))
    assert code == 0
    assert [row["labels"] for row in json.loads(out)] == [20]
    assert "1 label is of a single class" in err
    assert "1 computed in " in err
    assert "1 left out." in err


def test_labelled_fraction_begins_nothing_after_its_time(capsys, tmp_path):
    code, out, err = said(capsys, *FRACTION, "--json", "--max-seconds", "1e-9", "--into", str(tmp_path))
    assert (code, json.loads(out)) == (0, [])
    assert "0 computed in " in err
    assert "1 left out." in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cifar"], "cifar"),
        (["frey"], "Frey faces has no labels"),
        (["digits", "--methods", "umap"], "There is no approach 'umap'"),
        (["digits", "--methods", "logistic,"], "There is no approach ''"),
        (["digits", "--methods", "lsa"], "LSA + logistic does not work on images"),
        (["docstrings", "--methods", "m2"], "M2 does not work on documents"),
        (["digits", "--labels", "many"], "labels=many is not allowed: it is a whole number"),
        (["digits", "--labels", "20,"], "labels= is not allowed"),
        (["digits", "--labels", "0"], "labels=0 is not allowed: Digits 8x8 has 1,297 training rows"),
        (["digits", "--labels", "1298"], "labels=1298 is not allowed"),
        (["digits", "--labels", "20", "--seeds", "0"], "seeds=0 is not allowed: it is a whole number from 1"),
        (["digits", "--labels", "20", "--seeds", "x"], "seeds=x is not allowed"),
        (["digits", "--labels", "20", "--seeds", "1001"], "seed=1000 is not allowed"),
        (["digits", "--labels", "20", "--processes", "0"], "processes=0 is not allowed"),
        (["digits", "--labels", "20", "--processes", "65"], "processes=65 is not allowed"),
        (["digits", "--labels", "20", "--max-seconds", "nan"], "max-seconds=nan is not allowed"),
        (["digits", "--labels", "20", "--max-seconds", "-1"], "max-seconds=-1 is not allowed"),
        (["digits", "--labels", "20", "--set", "colour=red"], "colour is no parameter of digits"),
        (["digits", "--labels", "20", "--set", "colour"], "NAME=VALUE"),
    ],
)
def test_labelled_fraction_refuses_bad_input_in_one_line(capsys, monkeypatch, arguments, message):
    from core import sweeps

    monkeypatch.setattr(sweeps, "run", lambda *_, **__: pytest.fail("it was begun"))
    assert message in refused(capsys, "labelled-fraction", *arguments)


def test_labelled_fraction_says_where_it_can_not_keep_rows(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    err = refused(capsys, *FRACTION, "--into", tmp_path / "file" / "rows")
    assert "Results can't be kept in" in err


def test_an_interrupted_labelled_fraction_says_how_to_go_on(capsys, monkeypatch, tmp_path):
    from core import labelled

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(labelled, "measure", interrupted)
    code, _, err = said(capsys, *FRACTION, "--into", str(tmp_path))
    assert code == 130
    assert err.endswith("hourglass: stopped; the same command goes on from the last row.\n")
    assert "Traceback" not in err
