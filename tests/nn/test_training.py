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
from core.nn.training import Plan
from core.types import DOCUMENTS


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((200, 12), dtype=np.float32)


def small(cls=Autoencoder, **params):
    return cls(2, width=16, epochs=6, batch_size=32, random_state=0, **{"layers": 1, **params})


def weights(estimator):
    return torch.cat([p.detach().flatten() for p in estimator.networks_.parameters()])


def test_schedule_rises_linearly_is_held_and_falls_as_a_cosine():
    assert training.scale_learning_rate(0.1, 0.2) == pytest.approx(0.5, abs=0.01)
    assert training.scale_learning_rate(0.2, 0.2) == pytest.approx(1.0)
    assert training.scale_learning_rate(0.6, 0.2) == pytest.approx(0.5)
    assert training.scale_learning_rate(1.0, 0.2) < 1e-3
    assert training.scale_learning_rate(0.05, 0.1, hold=0.7) == pytest.approx(0.5, abs=0.01)
    assert training.scale_learning_rate(0.3, 0.1, hold=0.7) == training.scale_learning_rate(0.69, 0.1, hold=0.7) == 1
    assert training.scale_learning_rate(0.85, 0.1, hold=0.7) == pytest.approx(0.5)
    assert training.scale_learning_rate(0.6, 0.2, hold=0.1) == training.scale_learning_rate(0.6, 0.2)


def test_batches_cover_every_row_once_and_are_large_enough():
    parts = list(training.split_batches(103, 25, torch.arange(103)))
    assert torch.cat(parts).tolist() == list(range(103))
    assert min(map(len, parts)) >= 25
    assert [len(p) for p in training.split_batches(5, 512, torch.arange(5))] == [5]


def test_history_has_one_row_an_epoch_and_the_loss_falls(X):
    history = small().fit(X).history_
    assert [row["epoch"] for row in history] == list(range(1, 7))
    assert history[-1]["loss"] < history[0]["loss"]
    assert all(row["rows_per_second"] > 0 and row["learning_rate"] >= 0 for row in history)


def test_measures_join_the_history_and_change_nothing_else(X, monkeypatch):
    without = small().fit(X)
    norms = []

    def measure(networks):
        norms.append(float(networks["decoder"][0].weight.detach().norm()))
        return {"norm": norms[-1]}

    monkeypatch.setattr(Autoencoder, "measure_networks", lambda self, rows: measure)
    measured = small().fit(X)
    assert torch.equal(weights(without), weights(measured))
    timed = ("seconds", "rows_per_second", "norm")
    of_training = [
        [{k: v for k, v in row.items() if k not in timed} for row in each.history_] for each in (without, measured)
    ]
    assert of_training[0] == of_training[1]
    assert [row["norm"] for row in measured.history_] == norms
    assert len(set(norms)) == 6


def test_weights_depend_on_the_seed_and_on_no_global_state(X):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second, other = small().fit(X), small().fit(X), small().set_params(random_state=1).fit(X)
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))
    assert torch.equal(before, torch.random.get_rng_state()), "the global generator was touched"


def test_sparse_rows_train_like_dense_ones(X):
    counts = (X * 4).astype(int).astype(np.float32)
    dense = small(kind="documents").fit(counts)
    from_sparse = small(kind="documents").fit(sparse.csr_array(counts))
    assert torch.allclose(weights(dense), weights(from_sparse))


def test_callback_that_returns_true_stops_the_fit(X):
    rows = []
    estimator = small().fit(X, on_epoch=lambda row: rows.append(row) or len(rows) == 2)
    assert len(estimator.history_) == 2
    assert estimator.environment_["stopped_early"]
    assert np.isfinite(estimator.transform(X)).all()


CONV = {"network": "conv", "width": 64, "image_shape": (8, 8)}
TRAINED = {
    "ae": (Autoencoder, {"width": 32, "layers": 1, "noise": 0.1}),
    "ae-silu-validation": (Autoencoder, {"width": 32, "activation": "silu", "validation": 0.2}),
    "ae-conv": (Autoencoder, {**CONV, "layers": 2, "augment": 0.5}),
    "ae-documents": (Autoencoder, {"width": 32, "layers": 1, "kind": DOCUMENTS}),
    "linear_ae": (LinearAutoencoder, {}),
    "vae": (VAE, {"width": 32}),
    "vae-conv-normal": (VAE, {**CONV, "layers": 1, "output": "normal"}),
    "vae-documents": (VAE, {"width": 32, "kind": DOCUMENTS}),
    "gan": (GAN, {"network": "mlp", "width": 32}),
    "gan-conv": (GAN, {**CONV, "r1": 1.0}),
    "gan-conv-no-average": (GAN, {**CONV, "average": 0.0, "objective": "hinge"}),
    "gan-conv-wasserstein": (GAN, {**CONV, "objective": "wasserstein-gp"}),
}


@pytest.mark.parametrize("case", TRAINED)
@pytest.mark.parametrize("within", [False, True])
def test_killed_training_resumes_to_the_weights_of_an_undisturbed_one(case, within, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0 if within else math.inf)
    cls, params = TRAINED[case]
    X = np.random.default_rng(0).random((200, 64), dtype=np.float32)
    if params.get("kind") == DOCUMENTS:
        X = (X * 4).astype(int).astype(np.float32)

    def make():
        # 6 steps an epoch, whatever is set aside.
        batch_size = 26 if "validation" in params else 32
        return cls(2, epochs=6, batch_size=batch_size, random_state=0, **params)

    undisturbed = make().fit(X)

    class Killed(Exception):
        pass

    def die_in_the_fourth_epoch(networks, player, x, generator, progress):
        if progress > 0.6:
            raise Killed
        return type(victim).train_step(victim, networks, player, x, generator, progress)

    victim = make()
    victim.train_step = die_in_the_fourth_epoch
    with pytest.raises(Killed):
        victim.fit(X, checkpoint=tmp_path)
    epochs, ticks = [], []
    resumed = make().fit(
        X,
        checkpoint=tmp_path,
        on_epoch=lambda row: epochs.append(row["epoch"]),
        on_tick=lambda row: ticks.append(row["epoch"]),
    )
    assert epochs == [4, 5, 6]
    assert ticks[:1] == ([pytest.approx(3 + 4 / 6, abs=1e-3)] if within else [3.0])
    expected = undisturbed.networks_.state_dict()
    assert all(torch.equal(expected[name], value) for name, value in resumed.networks_.state_dict().items())
    clocked = {"seconds": 0, "rows_per_second": 0}
    assert [row | clocked for row in resumed.history_] == [row | clocked for row in undisturbed.history_]


def test_ticks_come_before_the_first_step_and_within_epochs(X, monkeypatch):
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    ticks = []
    estimator = small().fit(X, on_tick=lambda row: ticks.append(row))
    assert [row["step"] for row in ticks] == list(range(36))
    assert ticks[0]["share"] == 0
    assert "loss" not in ticks[0]
    assert ticks[9]["epoch"] == pytest.approx(1.5)
    assert ticks[9]["share"] == pytest.approx(0.25)
    assert torch.equal(weights(estimator), weights(small().fit(X))), "watching changed the training"


def test_after_step_receives_the_number_of_steps_before_it(X):
    steps = []
    estimator = small()
    estimator.after_step = lambda networks, step: steps.append(step)
    estimator.fit(X)
    assert steps == list(range(36))


def test_training_ended_within_an_epoch_resumes_there(X, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "TICK_SECONDS", 0.0)
    ended = small().fit(X, checkpoint=tmp_path, on_tick=lambda row: row["epoch"] >= 2.5)
    assert ended.environment_["stopped_early"]
    assert [row["epoch"] for row in ended.history_] == [1, 2, 2.5]
    assert ended.environment_["steps"] == 15
    whole = small().fit(X, checkpoint=tmp_path)
    assert [row["epoch"] for row in whole.history_] == list(range(1, 7))
    assert not whole.environment_["stopped_early"]
    assert torch.equal(weights(whole), weights(small().fit(X)))


def test_finished_training_has_a_checkpoint(X, tmp_path):
    fitted = small().fit(X, checkpoint=tmp_path)
    again = small()
    again.train_step = None
    again.fit(X, checkpoint=tmp_path)
    assert torch.equal(weights(fitted), weights(again))


def test_unreadable_checkpoint_is_ignored(X, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    estimator = small().fit(X, checkpoint=tmp_path)
    assert len(estimator.history_) == 6
    assert "can't be read" in estimator.environment_["note"]


@pytest.mark.parametrize("kind", [{}, {"kind": DOCUMENTS}])
def test_checkpoint_of_other_rows_is_ignored(X, tmp_path, kind):
    def rows(X):
        return sparse.csr_array((X * 4).astype(int).astype(np.float32)) if kind else X

    others = X.copy()
    others[0, 0] = 1 - others[0, 0]
    small(**kind).fit(rows(X), checkpoint=tmp_path, on_epoch=lambda row: row["epoch"] == 3)
    notes = []
    again = small(**kind).fit(rows(others), checkpoint=tmp_path, on_note=notes.append)
    assert torch.equal(weights(again), weights(small(**kind).fit(rows(others))))
    assert notes == [again.environment_["note"]]
    assert "other train rows" in notes[0]
    # Its own checkpoint has replaced the other one.
    assert "note" not in small(**kind).fit(rows(others), checkpoint=tmp_path).environment_


def without(part):
    return lambda tensors: {key: value for key, value in tensors.items() if part not in key}


CHANGES = {
    "other vocabulary": lambda t: {key: value[..., :-1] if value.ndim == 2 else value for key, value in t.items()},
    "other code": lambda t: {key.replace("network.", "network.another_"): value for key, value in t.items()},
    "other generator": lambda t: {**t, "generator": t["generator"][:-8]},
    **{f"no {part}": without(part) for part in ("network.decoder", "exp_avg_sq", "generator", "dealt")},
}


def test_checkpoint_of_other_networks_is_ignored_as_a_whole(X, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)
    fresh, path = small().fit(X, checkpoint=tmp_path), tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    for change in CHANGES.values():
        path.write_bytes(whole)
        with safe_open(path, "pt") as file:
            state = file.metadata()["state"].replace('"epoch": 6', '"epoch": 3')
        tensors = {key: value.contiguous() for key, value in change(load_file(path)).items()}
        save_file(tensors, path, metadata={"state": state})
        epochs = []
        again = small().fit(X, checkpoint=tmp_path, on_epoch=lambda row, epochs=epochs: epochs.append(row["epoch"]))
        assert epochs == [1, 2, 3, 4, 5, 6]
        assert torch.equal(weights(fresh), weights(again))


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_full_disk_leaves_no_half_checkpoint(X, tmp_path, monkeypatch, error):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises((HourglassError, KeyboardInterrupt)):
        small().fit(X, checkpoint=tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HourglassError, match="free some space"):
        small().fit(X, checkpoint=tmp_path / "file")


def test_divergence_names_the_remedy(X):
    poisoned = small(output="linear")
    poisoned.train_step = lambda networks, player, x, generator, progress: {
        "loss": networks["decoder"](networks["encoder"](x)).sum() * math.inf
    }
    with pytest.raises(Diverged, match=r"epoch 1.*Lower learning_rate \(now 0.01\)"):
        poisoned.fit(X)


def test_max_seconds_ends_within_a_tenth(X):
    estimator = small().set_params(max_seconds=1.0).fit(X)
    assert estimator.environment_["seconds"] == pytest.approx(1.0, rel=0.1)
    assert estimator.history_[-1]["learning_rate"] < 0.01 * 0.01, "the schedule was not laid over the time"


def test_precision_depends_on_hardware_and_size(monkeypatch):
    processor = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    assert training.best_precision(processor, 1_000_000) == "bfloat16"
    assert training.best_precision(processor, 1_000) == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert training.best_precision(processor, 1_000_000) == "float32"


def test_bfloat16_trains(X):
    networks = small().fit(X, on_epoch=lambda row: True).networks_
    step = small().train_step
    history, environment = training.train(
        networks, {"autoencoder": ("encoder", "decoder")}, step, X, Plan(epochs=5, batch_size=32, precision="bfloat16")
    )
    assert environment["precision"] == "bfloat16"
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.filterwarnings("ignore:overflow")
def test_diverging_training_keeps_its_last_good_checkpoint(X, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "CHECKPOINT_SECONDS", -1.0)

    def poisoned(networks, player, x, generator, progress):
        loss = Autoencoder.train_step(estimator, networks, player, x, generator, progress)["loss"]
        return {"loss": loss * math.inf if progress > 0.6 else loss}

    estimator = small()
    estimator.train_step = poisoned
    with pytest.raises(Diverged, match="epoch 4"):
        estimator.fit(X, checkpoint=tmp_path)
    kept = small().fit(X, checkpoint=tmp_path, on_tick=lambda row: True)
    assert [row["epoch"] for row in kept.history_] == [1, 2, 3]
    assert torch.isfinite(weights(kept)).all()
