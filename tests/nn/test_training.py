"""The training loop: schedule, history, callbacks, and resuming to the last bit."""

import math

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scipy import sparse

from core.errors import Diverged, HourglassError
from core.methods.ae import Autoencoder
from core.methods.gan import GAN
from core.methods.linear_ae import LinearAutoencoder
from core.methods.vae import VAE
from core.nn import checkpoint, training
from core.types import DOCUMENTS


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((200, 12), dtype=np.float32)


def small(cls=Autoencoder, **params):
    return cls(2, width=16, epochs=6, batch_size=32, random_state=0, **{"layers": 1, **params})


def weights(estimator):
    return torch.cat([p.detach().flatten() for p in estimator.networks_.parameters()])


def test_schedule_rises_linearly_is_held_and_falls_as_a_cosine():
    for hold, factors in ((0.0, {0.1: 0.5, 0.2: 1, 0.6: 0.5, 1.0: 0}), (0.6, {0.1: 0.5, 0.2: 1, 0.59: 1, 0.8: 0.5})):
        found = {progress: training.scale_learning_rate(progress, 0.2, hold) for progress in factors}
        assert found == pytest.approx(factors, abs=0.01)


def test_history_measures_and_ticks_change_nothing_else(X, monkeypatch):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    plain, other = small().fit(X), small().set_params(random_state=1).fit(X)
    assert torch.equal(before, torch.random.get_rng_state()), "the global generator was touched"
    assert not torch.equal(weights(plain), weights(other))
    assert not torch.equal(weights(plain), weights(small(weight_decay=1.0).fit(X)))
    measure = lambda networks: {"norm": float(networks["decoder"][0].weight.detach().norm())}
    monkeypatch.setattr(Autoencoder, "measures", lambda self, rows: [measure])
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    ticks, steps, estimator = [], [], small()
    estimator.after_step = lambda networks, step: steps.append(step)
    history = estimator.fit(X, on_tick=lambda row: ticks.append(row)).history_
    assert torch.equal(weights(plain), weights(estimator))
    assert [row["loss"] for row in history] == [row["loss"] for row in plain.history_]
    assert [row["epoch"] for row in history] == list(range(1, 7))
    assert history[-1]["loss"] < history[0]["loss"]
    assert len({row["norm"] for row in history}) == 6
    assert steps == [row["step"] for row in ticks] == list(range(36))
    assert (ticks[9]["epoch"], ticks[9]["share"]) == (pytest.approx(1.5), pytest.approx(0.25))


CONV = {"network": "conv", "width": 64, "image_shape": (8, 8)}
TRAINED = {
    "ae-silu-validation": (Autoencoder, {"width": 32, "activation": "silu", "validation": 0.2, "noise": 0.1}),
    "ae-conv": (Autoencoder, {**CONV, "layers": 2, "augment": 0.5}),
    "linear_ae": (LinearAutoencoder, {}),
    "vae-conv-normal": (VAE, {**CONV, "layers": 1, "output": "normal"}),
    "vae-documents": (VAE, {"width": 32, "kind": DOCUMENTS}),
    "gan-conv": (GAN, {**CONV, "r1": 1.0}),
    "gan-wasserstein": (GAN, {"network": "mlp", "width": 32, "objective": "wasserstein-gp", "average": 0.0}),
}


@pytest.mark.parametrize("case", TRAINED)
def test_killed_training_resumes_to_the_weights_of_an_undisturbed_one(case, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)
    cls, params = TRAINED[case]
    X = np.random.default_rng(0).random((200, 64), dtype=np.float32)
    # 6 steps an epoch, whatever is set aside.
    params = {"epochs": 6, "batch_size": 26 if "validation" in params else 32, "random_state": 0} | params

    def die_in_the_fourth_epoch(networks, player, x, generator, progress):
        if progress > 0.6:
            raise KeyboardInterrupt
        return cls.train_step(victim, networks, player, x, generator, progress)

    undisturbed, clocked = cls(2, **params).fit(X), {"seconds": 0, "rows_per_second": 0}
    expected = undisturbed.networks_.state_dict()
    for within in (False, True):
        monkeypatch.setattr(training, "TICK_SECONDS", 0.0 if within else math.inf)
        victim, folder = cls(2, **params), tmp_path / str(within)
        victim.train_step = die_in_the_fourth_epoch
        with pytest.raises(KeyboardInterrupt):
            victim.fit(X, checkpoint=folder)
        ticks = []
        resumed = cls(2, **params).fit(X, checkpoint=folder, on_tick=ticks.append)
        assert ticks[0]["epoch"] == (pytest.approx(3 + 4 / 6, abs=1e-3) if within else 3)
        assert all(torch.equal(expected[name], value) for name, value in resumed.networks_.state_dict().items())
        assert [row | clocked for row in resumed.history_] == [row | clocked for row in undisturbed.history_]


def test_training_stopped_within_an_epoch_resumes_there(X, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    stopped = small().fit(X, checkpoint=tmp_path, on_tick=lambda row: row["epoch"] >= 2.5)
    assert [row["epoch"] for row in stopped.history_] == [1, 2, 2.5]
    whole = small().fit(X, checkpoint=tmp_path, on_epoch=lambda row: row["epoch"] == 6)
    assert (stopped.environment_["stopped_early"], whole.environment_["stopped_early"]) == (True, False)
    assert torch.equal(weights(whole), weights(small().fit(X)))


def test_checkpoint_of_other_rows_is_ignored_and_sparse_rows_train_like_dense_ones(X, tmp_path):
    others, notes, trained = X.copy(), [], []
    others[0, 0] = 1 - others[0, 0]
    for name, rows, other_rows in (("dense", X, others), ("sparse", *map(sparse.csr_array, (X, others)))):
        small().fit(rows, checkpoint=tmp_path / name, on_epoch=lambda row: row["epoch"] == 3)
        again = small().fit(other_rows, checkpoint=tmp_path / name, on_note=notes.append)
        assert torch.equal(weights(again), weights(small().fit(other_rows)))
        assert "The checkpoint is of other train rows" in again.environment_["note"] == notes.pop()
        # Its own checkpoint has replaced the other one.
        assert "note" not in small().fit(other_rows, checkpoint=tmp_path / name).environment_
        trained.append(weights(again))
    assert torch.allclose(*trained)


def test_damaged_checkpoint_and_one_of_other_networks_are_ignored_as_a_whole(X, tmp_path):
    fresh, path = small().fit(X, checkpoint=tmp_path), tmp_path / "checkpoint.safetensors"
    tensors = {key: value.clone() for key, value in load_file(path).items()}
    with safe_open(path, "pt") as file:
        metadata = {name: value.replace('"epoch": 6', '"epoch": 3') for name, value in file.metadata().items()}
    for changed in (
        {key: value for key, value in tensors.items() if "exp_avg_sq" not in key},
        {key: value[..., :-1] if value.ndim == 2 else value for key, value in tensors.items()},
        {**tensors, "generator": tensors["generator"][:-8]},
        {**tensors, "generator": torch.zeros_like(tensors["generator"])},
        None,
    ):
        path.write_bytes(b"not a checkpoint")
        if changed:
            save_file({key: value.contiguous() for key, value in changed.items()}, path, metadata=metadata)
        again = small().fit(X, checkpoint=tmp_path)
        assert ("can't be read" in again.environment_["note"]) or ("other networks" in again.environment_["note"])
        assert torch.equal(weights(fresh), weights(again))


def test_full_disk_leaves_no_half_checkpoint(X, tmp_path, monkeypatch):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(HourglassError, match="free some space"):
        small().fit(X, checkpoint=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:overflow")
def test_diverging_training_names_the_remedy_and_keeps_its_last_good_checkpoint(X, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)

    def poisoned(networks, player, x, generator, progress):
        loss = Autoencoder.train_step(estimator, networks, player, x, generator, progress)["loss"]
        return {"loss": loss * math.inf if progress > 0.6 else loss}

    estimator = small()
    estimator.train_step = poisoned
    with pytest.raises(Diverged, match=r"epoch 4.*Lower learning_rate \(now 0.01\)"):
        estimator.fit(X, checkpoint=tmp_path)
    kept = small().fit(X, checkpoint=tmp_path, on_tick=lambda row: True)
    assert [row["epoch"] for row in kept.history_] == [1, 2, 3]
    assert torch.isfinite(weights(kept)).all()


def test_max_seconds_ends_within_a_tenth(X):
    estimator = small().set_params(max_seconds=1.0).fit(X)
    assert estimator.environment_["seconds"] == pytest.approx(1.0, rel=0.1)
    assert estimator.history_[-1]["learning_rate"] < 0.01 * 0.01, "the schedule was not laid over the time"


def test_precision_depends_on_hardware_and_size_and_bfloat16_trains(X, monkeypatch):
    for name, precision in (("amx_bf16", "bfloat16"), ("avx2", "float32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda name=name: {name: True})
        assert training.best_precision(torch.device("cpu"), 1_000_000) == precision
        assert training.best_precision(torch.device("cpu"), 1_000) == "float32"
    networks, step = small().fit(X, on_epoch=lambda row: True).networks_, small().train_step
    plan = training.Plan(epochs=5, batch_size=32, precision="bfloat16")
    history, _ = training.train(networks, {"autoencoder": ("encoder", "decoder")}, step, X, plan)
    assert history[-1]["loss"] < history[0]["loss"]
