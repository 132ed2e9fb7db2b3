"""Comparisons of a VAE and a GAN: keyed by their settings, trained in a process of their own, shipped."""

import numpy as np
import pytest

from core.mechanisms import vae_vs_gan
from core.mechanisms.vae_vs_gan import Settings
from core.tasks import vae_vs_gan_training as training

QUICK = Settings("moons", steps=24, width=16, batch=32, n_samples=100)
pytestmark = pytest.mark.usefixtures("in_process")


def train(settings, points=None):
    training.start_comparison(settings, points)
    key = training.comparison_key(settings, points)
    return training.find_comparison(key), training.WORK.read_state(key).problem


def test_comparison_is_what_training_returns():
    comparison, problem = train(QUICK)
    assert problem == ""
    np.testing.assert_array_equal(comparison.samples["gan"], vae_vs_gan.train(QUICK).samples["gan"])
    assert "failed" in train(Settings("cube", steps=24))[1]


def test_drawn_data_have_their_own_key():
    points = np.random.default_rng(0).integers(0, 256, (50, 2)).astype(np.uint8)
    assert len({training.comparison_key(QUICK, drawn) for drawn in (None, points, points[:-1])}) == 3
    assert train(QUICK, points)[0] is not None


def test_shipped_comparisons_are_up_to_date(monkeypatch, tmp_path):
    def find(settings):
        return training.find_comparison(training.comparison_key(settings))

    assert all(find(Settings(name)) is not None for name in training.list_planes())
    shipped, begun = find(Settings("spiral")), vae_vs_gan.train(Settings("spiral", steps=vae_vs_gan.N_FRAMES))
    np.testing.assert_allclose(shipped.frames["vae"][0], begun.frames["vae"][0], atol=5e-3)
    assert len(shipped.history["gan"]) == Settings().steps
    monkeypatch.setattr(training, "SHIPPED", tmp_path)
    (tmp_path / f"{training.comparison_key(QUICK)}.safetensors").write_bytes(b"no arrays")
    assert find(QUICK) is None
