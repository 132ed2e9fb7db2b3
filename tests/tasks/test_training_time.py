"""Operations a training step, against PyTorch's own count; and the seconds predicted from them."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from core import methods
from core.runs import specs
from core.tasks.training_time import N_TERMS, fit_speed, predict_seconds
from core.types import IMAGES, KINDS, TABLES, Form, Run


def list_networks():
    """Yield the kinds of networks of each method that is trained by epochs."""
    for kind in KINDS:
        for name in methods.names(kind):
            declared = {param.name: param for param in methods.get(name).params_of(kind)}
            networks = declared["network"].bounds if "network" in declared else [None]
            for network in networks if "epochs" in declared else []:
                yield name, kind, {"network": network} if network else {}


@pytest.mark.parametrize("side", [8, 28])
def test_workload_is_what_torch_counts(side):
    x = torch.rand(16, side * side).round()
    for name, kind, options in list_networks():
        declared, shape = methods.get(name), (side, side) if kind == IMAGES else None
        params = {p.name: p.default for p in declared.params_of(kind)} | options
        # A penalty at one step in 16, which differentiates a gradient, is more than torch's counter can follow.
        form = Form(kind, shape, (1,) * side**2 if kind == TABLES else ())
        estimator = declared.estimator(params | {"r1": 0.0} if "r1" in params else params, form, 0)
        networks = estimator.networks_ = estimator._networks(side * side).train()
        with FlopCounterMode(display=False) as counter:
            for player, trained in estimator.players.items():
                for network in networks:
                    networks[network].requires_grad_(network in trained)
                terms = estimator.train_step(networks, player, x, torch.Generator().manual_seed(0), 0.5)
                terms["loss"].backward()
        work = estimator.workload(side * side)
        case = f"{name} of {kind}, {options}"
        assert work.dense + work.convolved == pytest.approx(counter.get_total_flops() / 2 / 16, rel=0.01), case
        assert work.players == len(estimator.players), case
        trained = {network for names in estimator.players.values() for network in names}
        n_weights = sum(p.numel() for network in trained for p in networks[network].parameters())
        # A VAE of tables also has a variance a column.
        assert n_weights - work.weights in (0, side**2 if kind == TABLES else 0), case


def test_speeds_are_recovered_from_exact_times():
    rng = np.random.default_rng(0)
    terms, true = rng.lognormal(0, 2, (30, N_TERMS)), rng.lognormal(-9, 1, N_TERMS)
    assert terms @ fit_speed(terms, terms @ true) == pytest.approx(terms @ true, rel=0.05)


def test_own_runs_correct_the_prediction(monkeypatch):
    monkeypatch.delenv("HOURGLASS_THREADS", raising=False)
    speed, once = np.full(N_TERMS, 1e-9), specs.make("digits", "ae", {"epochs": 1, "width": 64})
    spec, other = specs.make("digits", "ae", {"epochs": 50}), specs.make("digits", "vae", {"epochs": 50})
    environment = {"date": "2026-01-01", "threads": 1, "n_train": 1297, "kind": IMAGES}
    # An epoch took three times what was predicted.
    seconds = 3 * predict_seconds(once, speed)
    slow = Run(once, [{"epoch": 1, "rows_per_second": 1297 / seconds}], {}, environment, {})
    assert predict_seconds(spec, speed, [slow]) == pytest.approx(3 * predict_seconds(spec, speed))
    assert predict_seconds(other, speed, [slow]) == predict_seconds(other, speed)


def test_trainings_by_the_clock_need_no_speed():
    assert predict_seconds(specs.make("mnist", "ae", {"max_seconds": 8.0}), None) == 8.0
    assert predict_seconds(specs.make("mnist", "ae"), None) is None
    assert predict_seconds(specs.make("mnist", "pca"), np.ones(N_TERMS)) is None


def test_prediction_leaves_torch_out_of_the_app():
    code = "from core.runs import specs; from core.tasks import training_time; import numpy as np, sys; "
    code += "training_time.predict_seconds(specs.make('mnist', 'gan'), np.ones(9)); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
