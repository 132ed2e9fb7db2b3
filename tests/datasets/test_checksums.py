"""Two copies of a data set under one name: what was made on one never counts as of the other."""

import json
import shutil
from dataclasses import replace

import pytest

from core import config, datasets
from core.cli import main
from core.datasets import checksums
from core.experiments import fit
from core.runs import layout, reader, selection, specs, store
from core.types import Measurement
from tests import another_copy

PCA = specs.make("mnist", "pca", {"n_components": 3})


@pytest.fixture
def put_copy(tmp_path, monkeypatch):
    """Put the copy that begins with digit `first` on this machine, in the place of the one before."""
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "shipped")

    def put(first):
        another_copy.images(tmp_path / "data", first=first)
        return datasets.load("mnist")

    return put


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run of some copy, and its arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_DATA", str(another_copy.images(tmp_path_factory.mktemp("measured"))))
        return fit.fit(PCA, datasets.load("mnist"))


@pytest.fixture
def fitted(measured):
    """A run that says it is of this copy, told from others by its error; and its arrays."""

    def of(dataset, spec=PCA):
        run, arrays = measured
        metrics = {**run.metrics, "squared_error": Measurement(float(dataset.X_test.mean()))}
        environment = {**run.environment, "data_checksum": dataset.checksum}
        return replace(run, spec=spec, metrics=metrics, environment=environment), arrays

    return of


def read_error(place):
    return reader.read_run(place).metrics["squared_error"].value


def test_checksum_is_read_once_and_again_when_the_file_changes(put_copy, monkeypatch, tmp_path):
    first = put_copy(0)
    assert checksums.compute_checksum("mnist", ()) == first.checksum
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "load", lambda *_, **__: pytest.fail("it was read again"))
        assert checksums.compute_checksum("mnist", ()) == first.checksum
        # Another process finds what this one has kept.
        checksums.READ.clear()
        assert checksums.is_known("mnist", ())
        assert checksums.compute_checksum("mnist", ()) == first.checksum
    second = put_copy(200)
    assert checksums.compute_checksum("mnist", ()) == second.checksum != first.checksum
    (tmp_path / "data" / "mnist.npz").unlink()
    assert checksums.compute_checksum("mnist", ()) is None
    (tmp_path / "data" / "mnist.npz").write_bytes(b"no data")
    assert checksums.compute_checksum("mnist", ()) is None
    assert checksums.compute_checksum("nothing", ()) is None


def test_own_and_shipped_runs_of_one_key_stand_side_by_side(put_copy, fitted):
    shipped, own = put_copy(0), put_copy(200)
    store.write_run(*fitted(shipped), layout.SHIPPED)
    assert not checksums.is_here(store.list_runs()[0][0])
    store.write_run(*fitted(own))
    assert store.find_place(PCA.key) == layout.place_of(layout.runs_folder(), PCA)
    assert [place.parents[1] for place in store.list_places()[0]] == [layout.runs_folder()]
    put_copy(0)
    assert store.find_place(PCA.key) == layout.place_of(layout.SHIPPED, PCA)
    assert [place.parents[1] for place in store.list_places()[0]] == [layout.SHIPPED]
    assert store.is_shipped(store.list_runs()[0][0])


def test_training_again_on_another_copy_keeps_the_older_run(put_copy, fitted, tmp_path):
    first, second = put_copy(0), put_copy(200)
    of_first, of_second = fitted(first), fitted(second)
    store.write_run(*of_first)
    store.write_run(*of_second)
    assert read_error(store.find_place(PCA.key)) == of_second[0].metrics["squared_error"].value
    assert [read_error(place) for place in store.list_set_aside()] == [of_first[0].metrics["squared_error"].value]
    put_copy(0)
    assert read_error(store.find_place(PCA.key)) == of_first[0].metrics["squared_error"].value
    assert [read_error(place) for place in store.list_set_aside()] == [of_second[0].metrics["squared_error"].value]
    assert len(store.list_places()[0]) == 1
    # The same copy again replaces the older one, wherever it is.
    store.write_run(*of_first)
    assert len(list(layout.runs_folder().glob(f"**/{layout.folder_name(PCA)}"))) == 2
    store.delete_run(PCA.key)
    assert read_error(store.find_place(PCA.key)) == of_second[0].metrics["squared_error"].value
    store.delete_run(PCA.key)
    assert store.find_place(PCA.key) is None
    shutil.rmtree(tmp_path / "data")


def test_runs_of_the_copy_on_this_machine_lead(put_copy, fitted):
    shipped, own = put_copy(0), put_copy(200)
    store.write_run(*fitted(shipped), layout.SHIPPED)
    spec = specs.make("mnist", "pca", {"n_components": 3}, seed=5)
    store.write_run(*fitted(own, spec))
    runs = store.list_runs()[0]
    assert [run.key for run in selection.select_runs(runs, "mnist", "pca", 3)] == [spec.key, PCA.key]
    assert checksums.choose_checksum(runs) == own.checksum
    put_copy(0)
    assert [run.key for run in selection.select_runs(runs, "mnist", "pca", 3)] == [PCA.key, spec.key]
    shutil.rmtree(config.data_folder())
    # Of absent data nothing is known: as they come.
    assert [run.key for run in selection.select_runs(runs, "mnist", "pca", 3)] == [PCA.key, spec.key]


def test_compare_fits_again_on_another_copy(put_copy, fitted, capsys):
    store.write_run(*fitted(put_copy(0)), layout.SHIPPED)
    second = put_copy(200)
    command = ["compare", "mnist", "pca", "--code-size", "3", "--json"]
    assert main(command) == 0
    (run,) = json.loads(capsys.readouterr().out)
    assert run["environment"]["data_checksum"] == second.checksum
    assert run["metrics"]["squared_error_n"] == 30
    assert main(command) == 0
    (again,) = json.loads(capsys.readouterr().out)
    assert again["environment"]["date"] == run["environment"]["date"], "it was fitted again"
