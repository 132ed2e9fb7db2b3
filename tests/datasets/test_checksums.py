"""Two copies of a data set under one name: what was made on one never counts as of the other."""

import json
from dataclasses import replace

import pytest

from core import datasets
from core.cli import main
from core.datasets import checksums
from core.experiments import fit
from core.runs import layout, reader, selection, specs, store
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
def fitted(tmp_path_factory):
    """``fitted(dataset)``: a run that says it is of this copy, and its arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_DATA", str(another_copy.images(tmp_path_factory.mktemp("fitted"))))
        run, arrays = fit.fit(PCA, datasets.load("mnist"))

    def of(dataset, spec=PCA):
        return replace(run, spec=spec, environment={**run.environment, "data_checksum": dataset.checksum}), arrays

    return of


def read_copies(places):
    return [reader.read_run(place).environment["data_checksum"] for place in places]


def test_checksum_is_read_once_and_again_when_the_file_changes(put_copy, monkeypatch, tmp_path):
    first = put_copy(0)
    assert checksums.compute_checksum("mnist", ()) == first.checksum
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "load", lambda *_, **__: pytest.fail("it was read again"))
        # Another process finds what this one has kept.
        checksums.READ.clear()
        assert checksums.is_known("mnist", ())
        assert checksums.compute_checksum("mnist", ()) == first.checksum
    second = put_copy(200)
    assert checksums.compute_checksum("mnist", ()) == second.checksum != first.checksum
    (tmp_path / "data" / "mnist.npz").write_bytes(b"no data")
    assert checksums.compute_checksum("mnist", ()) is None
    (tmp_path / "data" / "mnist.npz").unlink()
    assert checksums.compute_checksum("mnist", ()) is checksums.compute_checksum("nothing", ()) is None


def test_own_and_shipped_runs_of_one_key_stand_side_by_side_and_the_copy_here_leads(put_copy, fitted):
    copies = {layout.SHIPPED: (0, put_copy(0)), layout.runs_folder(): (200, put_copy(200))}
    for folder, (_, dataset) in copies.items():
        store.write_run(*fitted(dataset), folder)
    other = specs.make("mnist", "pca", {"n_components": 3}, seed=5)
    store.write_run(*fitted(copies[layout.runs_folder()][1], other))
    for folder, (first, dataset) in copies.items():
        put_copy(first)
        assert store.find_place(PCA.key) == layout.place_of(folder, PCA)
        runs = store.list_runs()[0]
        assert checksums.choose_checksum(runs) == dataset.checksum
        assert selection.select_runs(runs, "mnist", "pca", 3)[0].environment["data_checksum"] == dataset.checksum


def test_training_again_on_another_copy_keeps_the_older_run(put_copy, fitted):
    copies = {first: put_copy(first) for first in (0, 200)}
    for dataset in copies.values():
        store.write_run(*fitted(dataset))
    for here, other in ((200, 0), (0, 200)):
        put_copy(here)
        assert read_copies([store.find_place(PCA.key)]) == [copies[here].checksum]
        assert read_copies(store.list_set_aside()) == [copies[other].checksum]
    # The same copy again replaces the older one, wherever it is.
    store.write_run(*fitted(copies[0]))
    assert len(list(layout.runs_folder().glob(f"**/{layout.folder_name(PCA)}"))) == 2
    store.delete_run(PCA.key)
    assert read_copies([store.find_place(PCA.key)]) == [copies[200].checksum]


def test_compare_fits_again_on_another_copy(put_copy, fitted, capsys):
    store.write_run(*fitted(put_copy(0)), layout.SHIPPED)
    second, documents = put_copy(200), []
    for _ in range(2):
        assert main(["compare", "mnist", "pca", "--code-size", "3", "--json"]) == 0
        documents += json.loads(capsys.readouterr().out)
    run, again = documents
    assert run["environment"]["data_checksum"] == second.checksum
    assert run["metrics"]["squared_error_n"] == 30
    assert again["environment"]["date"] == run["environment"]["date"], "it was fitted again"
