"""The code of the notebooks runs as it stands, and gives what is stored beside it."""

import re

import pytest

from core.errors import BadInput
from core.lecture import notebooks


def test_code_runs_without_the_project_and_gives_the_stored_results(capsys):
    assert {"autoencoder", "vae"} <= set(notebooks.list_names())
    for name in notebooks.list_names():
        code, stored = notebooks.read_code(name), notebooks.read_results(name)
        assert "core" not in re.findall(r"import (\w+)|from (\w+)", code), name
        short, n = re.subn(r"^EPOCHS(.*) = \d+", r"EPOCHS\1 = 1", code, flags=re.MULTILINE)
        found = notebooks.run_code(short)
        assert (n, len(found.history)) == (1, 1), name
        assert found.history[0] == pytest.approx(stored.history[0], rel=0.05), name
        assert (found.networks, found.n_weights) == (stored.networks, stored.n_weights), name
        assert {title: len(images) for title, images in found.pictures.items()} == {
            title: len(images) for title, images in stored.pictures.items()
        }


def test_layers_have_the_shapes_that_the_networks_compute():
    layers = notebooks.read_results("autoencoder").networks
    assert [layer.shape for layer in layers["encoder"]] == [(1, 8, 8), (32, 4, 4), (256,), (10,)]
    assert layers["decoder"][-1] == notebooks.Layer("ConvTranspose2d, Sigmoid", (1, 8, 8))
    results = notebooks.read_results("autoencoder")
    assert results.history[-1]["loss"] < results.history[-1]["test_loss"] < 0.2 * results.history[0]["test_loss"]


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_missing_or_damaged_results_are_named(content, tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / "vae.npz").write_bytes(content)
    with pytest.raises(BadInput, match=r"vae\.npz"):
        notebooks.read_results("vae")
