"""Comparisons of a VAE and a GAN: named by their settings, made in a process of their own, shipped."""

import json

import numpy as np
import pytest

from core import config
from core.mechanisms import vae_vs_gan
from core.mechanisms.vae_vs_gan import Settings
from core.tasks import computation, vae_vs_gan_training

QUICK = Settings("moons", steps=24, width=16, batch=32, n_samples=100)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path)


def made(settings: Settings, points=None) -> vae_vs_gan_training.State:
    """The comparison after what its process does, done here."""
    name = vae_vs_gan_training.comparison_key(settings, points)
    folder = vae_vs_gan_training.WORK.place(name)
    folder.mkdir(parents=True)
    given = {**vars(settings), "target": None if points is not None else settings.target}
    (folder / "settings.json").write_text(json.dumps(given))
    (folder / "progress.json").write_text(json.dumps({"share": 0, "waits": False, "started": 0}))
    if points is not None:
        np.save(folder / "points.npy", points, allow_pickle=False)
    computation.do_work(vae_vs_gan_training.WORK, folder)
    return vae_vs_gan_training.read_state(name)


def test_a_process_makes_what_training_makes():
    found = made(QUICK)
    assert found.problem == ""
    np.testing.assert_array_equal(found.comparison.samples["gan"], vae_vs_gan.train(QUICK).samples["gan"])


def test_drawn_data_have_a_name_of_their_own():
    points = np.random.default_rng(0).integers(0, 256, (50, 2)).astype(np.uint8)
    assert (
        len(
            {
                vae_vs_gan_training.comparison_key(QUICK),
                vae_vs_gan_training.comparison_key(QUICK, points),
                vae_vs_gan_training.comparison_key(QUICK, points[:-1]),
            }
        )
        == 3
    )
    assert made(QUICK, points).comparison is not None


def test_data_that_cannot_be_compared_are_a_sentence():
    assert "two-dimensional" in made(Settings("two_modes", steps=24)).problem


def test_every_plane_is_shipped_as_it_is_made_today():
    for name in vae_vs_gan_training.list_planes():
        assert (
            vae_vs_gan_training.read_state(vae_vs_gan_training.comparison_key(Settings(name))).comparison is not None
        ), name
    shipped = vae_vs_gan_training.read_state(vae_vs_gan_training.comparison_key(Settings("spiral"))).comparison
    begun = vae_vs_gan.train(Settings("spiral", steps=vae_vs_gan.N_FRAMES))
    np.testing.assert_allclose(shipped.frames["vae"][0], begun.frames["vae"][0], atol=5e-3)
    assert len(shipped.history["gan"]) == Settings().steps


def test_a_broken_shipped_file_is_as_none(monkeypatch, tmp_path):
    monkeypatch.setattr(vae_vs_gan_training, "SHIPPED", tmp_path)
    (tmp_path / f"{vae_vs_gan_training.comparison_key(QUICK)}.safetensors").write_bytes(b"no arrays")
    assert vae_vs_gan_training.read_state(vae_vs_gan_training.comparison_key(QUICK)).comparison is None
