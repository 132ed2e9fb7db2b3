"""The one training loop: device, precision, seed, schedule, history, stop, checkpoint. It knows no method."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.types import Diverged, HourglassError

ON_EPOCH = Callable[[dict[str, Any]], bool | None]
CHECKPOINT_SECONDS = 5.0
_SMALL = 200_000


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    Attributes
    ----------
    epochs : passes over the rows, used where `max_seconds` is 0.
    max_seconds : seconds of training; the learning-rate schedule is laid over this time.
    batch_size : rows a step, at most all of them.
    learning_rate : the highest of the schedule: a linear rise over the first `warmup` of it, then a cosine to 0.
    precision : ``"auto"``, ``"float32"`` or ``"bfloat16"``.
    betas : Adam's decay rates of the gradient's two moments.
    """

    epochs: int = 20
    max_seconds: float = 0.0
    batch_size: int = 512
    learning_rate: float = 0.01
    weight_decay: float = 0.01
    warmup: float = 0.2
    precision: str = "auto"
    betas: tuple[float, float] = (0.9, 0.99)
    seed: int = 0


@dataclass
class _State:
    """Where a training is; with the weights, the optimizers and the generator, all that resuming needs."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def best_device() -> torch.device:
    """CUDA or Apple's MPS where present, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def best_precision(device: torch.device, n_weights: int) -> str:
    """``"bfloat16"`` where the hardware multiplies it natively and the network is large enough to gain by it."""
    if n_weights < _SMALL:
        return "float32"
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device.type == "cpu":
        has = torch.cpu.get_capabilities()
        return "bfloat16" if has.get("amx_bf16") or has.get("avx512_bf16") else "float32"
    return "float32"


def schedule(progress: float, warmup: float) -> float:
    """Share of the highest learning rate at `progress` in [0, 1]: a linear rise, then a cosine down to 0."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return max(1e-4, 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))))


class Rows:
    """Rows in memory, handed out as float32 batches; sparse ones become dense a batch at a time."""

    def __init__(self, X: Any, device: torch.device):
        self.sparse = X.tocsr() if hasattr(X, "tocsr") else None
        self.dense = None if self.sparse is not None else torch.as_tensor(np.asarray(X, np.float32)).to(device)
        self.device = device

    def __len__(self) -> int:
        return self.sparse.shape[0] if self.sparse is not None else len(self.dense)

    def batch(self, indices: Tensor) -> Tensor:
        if self.sparse is None:
            return self.dense[indices.to(self.device)]
        rows = self.sparse[indices.numpy()].toarray()
        return torch.as_tensor(rows, dtype=torch.float32).to(self.device)


def batches(n: int, batch_size: int, order: Tensor) -> Iterator[Tensor]:
    """Split `order` into nearly equal parts of at least `batch_size` (or all rows, where there are fewer)."""
    yield from order.tensor_split(max(1, n // batch_size))


def train(
    networks: nn.ModuleDict,
    players: dict[str, tuple[str, ...]],
    train_step: Callable[..., dict[str, Tensor]],
    X: Any,
    plan: Plan,
    *,
    y: np.ndarray | None = None,
    after_step: Callable[[nn.ModuleDict, int], None] | None = None,
    on_epoch: ON_EPOCH | None = None,
    checkpoint: Path | None = None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Train `networks` on the rows of `X`.

    Parameters
    ----------
    players : name -> the networks it moves. Each step, every player in turn has its own loss and optimizer.
    train_step : ``train_step(networks, player, x, generator, progress)`` returns named scalars; ``"loss"`` is
        minimised. x is (batch, n_features) float32, progress in [0, 1].
    X : (n_samples, n_features), array or sparse.
    y : (n_samples,) labels, which each step gets those of its rows as ``y``; None: no step gets any.
    after_step : called with the networks and the number of steps before this one.
    on_epoch : called with each history row; training ends when it returns True.
    checkpoint : folder to resume from where it has a state, and to save the state in at the end of an epoch, at most
        every `CHECKPOINT_SECONDS`.

    Returns
    -------
    history : a row an epoch: epoch, step, seconds (training only), rows_per_second, learning_rate, mean losses.
    environment : device, precision, threads and whether it was stopped early.

    Raises
    ------
    Diverged
        When a loss is no longer a finite number.
    """
    device = best_device()
    networks.to(device=device, memory_format=torch.channels_last)
    n_weights = sum(p.numel() for p in networks.parameters())
    precision = best_precision(device, n_weights) if plan.precision == "auto" else plan.precision
    rows = Rows(X, device)
    generator = torch.Generator().manual_seed(plan.seed)
    optimizers = {
        player: torch.optim.AdamW(
            [p for name in names for p in networks[name].parameters()],
            lr=plan.learning_rate,
            betas=plan.betas,
            weight_decay=plan.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        for player, names in players.items()
    }
    state = _restore(checkpoint, networks, optimizers, generator) or _State()
    saved_at, stopped = time.monotonic(), False
    n_steps = plan.epochs * max(1, len(rows) // plan.batch_size)

    def progress(running: float = 0.0) -> float:
        share = (state.seconds + running) / plan.max_seconds if plan.max_seconds else state.step / n_steps
        return min(1.0, share)

    while progress() < 1 and not stopped:
        started, sums, rows_seen, steps = time.perf_counter(), {}, 0, 0
        networks.train()
        for indices in batches(len(rows), plan.batch_size, torch.randperm(len(rows), generator=generator)):
            now = progress(time.perf_counter() - started)
            if now >= 1 and steps:
                break
            x = rows.batch(indices)
            labels = {} if y is None else {"y": torch.as_tensor(y[indices.numpy()]).to(device)}
            for player, optimizer in optimizers.items():
                for name in networks:
                    networks[name].requires_grad_(name in players[player])
                optimizer.param_groups[0]["lr"] = plan.learning_rate * schedule(now, plan.warmup)
                with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                    terms = train_step(networks, player, x, generator, now, **labels)
                optimizer.zero_grad(set_to_none=True)
                terms["loss"].backward()
                optimizer.step()
                for name, value in terms.items():
                    name = f"{player}_loss" if name == "loss" and len(players) > 1 else name
                    sums[name] = sums.get(name, 0.0) + value.detach()
            if after_step is not None:
                after_step(networks, state.step)
            state.step += 1
            steps += 1
            rows_seen += len(indices)
        elapsed = time.perf_counter() - started
        state.seconds += elapsed
        state.epoch += 1
        row = {
            "epoch": state.epoch,
            "step": state.step,
            "seconds": round(state.seconds, 3),
            "rows_per_second": round(rows_seen / elapsed, 1),
            "learning_rate": plan.learning_rate * schedule(now, plan.warmup),
            **{name: float(total) / steps for name, total in sums.items()},
        }
        _refuse_divergence(row, plan)
        state.history.append(row)
        stopped = bool(on_epoch and on_epoch(row))
        if checkpoint is not None and time.monotonic() - saved_at > CHECKPOINT_SECONDS:
            _save(checkpoint, networks, optimizers, generator, state)
            saved_at = time.monotonic()
    networks.requires_grad_(True)
    networks.eval().to("cpu")
    environment = {
        "device": device.type,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "seconds": round(state.seconds, 3),
        "steps": state.step,
        "stopped_early": stopped,
    }
    return state.history, environment


def _refuse_divergence(row: dict[str, Any], plan: Plan) -> None:
    broken = [name for name, value in row.items() if not math.isfinite(value)]
    if broken:
        raise Diverged(
            f"Training diverged in epoch {row['epoch']}: {broken[0]} is no longer a finite number. "
            f"Lower learning_rate (now {plan.learning_rate:g}), or check that the data hold no extreme values."
        )


def _save(
    folder: Path,
    networks: nn.ModuleDict,
    optimizers: dict[str, torch.optim.Optimizer],
    generator: torch.Generator,
    state: _State,
) -> None:
    """Write the checkpoint aside and rename it into place: one file, so it is whole or absent."""
    tensors = {f"network.{name}": value for name, value in networks.state_dict().items()}
    for player, optimizer in optimizers.items():
        for index, values in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{player}.{index}.{name}": value for name, value in values.items()}
    tensors["generator"] = generator.get_state()
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    aside = folder / f"checkpoint.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, aside, metadata={"state": json.dumps(asdict(state))})
        os.replace(aside, folder / "checkpoint.safetensors")
    except (OSError, SafetensorError) as error:
        raise HourglassError(
            f"The checkpoint could not be written in {folder} ({error}): free some space there."
        ) from None
    finally:
        with suppress(OSError):
            aside.unlink()


def _restore(
    folder: Path | None,
    networks: nn.ModuleDict,
    optimizers: dict[str, torch.optim.Optimizer],
    generator: torch.Generator,
) -> _State | None:
    """Load the checkpoint in `folder`; None, and nothing changed, where there is none of these networks."""
    path = folder / "checkpoint.safetensors" if folder else None
    if path is None or not path.exists():
        return None
    try:
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            state = _State(**json.loads(file.metadata()["state"]))
        # One of other code or another vocabulary may fit in part; loading would find that out half-way.
        torch.Generator().set_state(tensors["generator"])
        if not _fits(tensors, networks, optimizers):
            return None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError):
        return None
    networks.load_state_dict(_beginning_with("network.", tensors))
    for player, optimizer in optimizers.items():
        saved = optimizer.state_dict()
        for name, value in _beginning_with(f"optimizer.{player}.", tensors).items():
            index, key = name.split(".")
            saved["state"].setdefault(int(index), {})[key] = value
        optimizer.load_state_dict(saved)
    generator.set_state(tensors["generator"])
    return state


def _beginning_with(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _fits(tensors: dict[str, Tensor], networks: nn.ModuleDict, optimizers: dict[str, torch.optim.Optimizer]) -> bool:
    """Whether a checkpoint holds exactly the tensors that these networks and optimizers (Adam's) would save."""
    expected = {f"network.{name}": value.shape for name, value in networks.state_dict().items()}
    expected["generator"] = torch.Generator().get_state().shape
    for player, optimizer in optimizers.items():
        for index, weights in enumerate(optimizer.param_groups[0]["params"]):
            moments = {"step": torch.Size(), "exp_avg": weights.shape, "exp_avg_sq": weights.shape}
            expected |= {f"optimizer.{player}.{index}.{name}": shape for name, shape in moments.items()}
    return expected == {name: value.shape for name, value in tensors.items()}
