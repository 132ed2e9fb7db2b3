"""The one training loop: device, precision, seed, schedule, history, stop, checkpoint. It knows no method."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.types import Diverged, HourglassError

# Takes a row of the history; training ends when it returns True.
WATCH = Callable[[dict[str, Any]], bool | None]
# Names and takes figures of the networks as they are after an epoch, and changes nothing.
MEASURE = Callable[[nn.ModuleDict], Mapping[str, float]]
CHECKPOINT_SECONDS = 5.0
TICK_SECONDS = 0.25
# At the end of an epoch a checkpoint may take this share of the time since the last one.
_CHECKPOINT_SHARE = 0.02
_SMALL = 200_000
_MOST_ROWS = 20_000


@dataclass(frozen=True)
class Plan:
    """How long and how to train.

    Attributes
    ----------
    epochs : passes over the rows, used where `max_seconds` is 0.
    max_seconds : seconds of training; the learning-rate schedule is laid over this time.
    batch_size : rows a step, at most all of them.
    learning_rate : the highest of the schedule: a linear rise over the first `warmup` of it, the highest rate until
        `hold` of it, then a cosine to 0.
    precision : ``"auto"``, ``"float32"`` or ``"bfloat16"``.
    betas : Adam's decay rates of the gradient's two moments; eps : what it adds to the root of the second.
    """

    epochs: int = 20
    max_seconds: float = 0.0
    batch_size: int = 512
    learning_rate: float = 0.01
    weight_decay: float = 0.01
    warmup: float = 0.2
    hold: float = 0.0
    precision: str = "auto"
    betas: tuple[float, float] = (0.9, 0.99)
    eps: float = 1e-8
    seed: int = 0


@dataclass
class _State:
    """Where a training is; with the weights, the optimizers and the generator, all that resuming needs.

    Attributes
    ----------
    epoch : whole epochs done; step, seconds : steps and training time in all.
    within, rows, spent, sums : steps, rows, seconds and summed losses of the epoch under way.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    within: int = 0
    rows: int = 0
    spent: float = 0.0
    sums: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(vars(self) | {"sums": {name: float(total) for name, total in self.sums.items()}})


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


def schedule(progress: float, warmup: float, hold: float = 0.0) -> float:
    """Share of the highest learning rate at `progress` in [0, 1]: a linear rise, 1 until `hold`, a cosine down to 0."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    if progress < hold:
        return 1.0
    start = max(warmup, hold)
    return max(1e-4, 0.5 * (1 + math.cos(math.pi * (progress - start) / (1 - start))))


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
    measure: MEASURE | None = None,
    on_epoch: WATCH | None = None,
    on_tick: WATCH | None = None,
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
    measure : called after each whole epoch; what it returns joins the history row, its time is not that of training.
    on_epoch : called with each history row; training ends when it returns True.
    on_tick : called before the first step and about every `TICK_SECONDS` with a row of the epoch so far, whose
        ``epoch`` is a fraction, ``share``, how much of the training is done, and ``within``, the steps of this epoch;
        training ends when it returns True.
    checkpoint : folder to resume from where it has a state, and to save the state in: whenever training ends, after
        the first epoch, then about every `CHECKPOINT_SECONDS`, or more often where that costs little.

    Returns
    -------
    history : a row an epoch, or fewer where there are very many: epoch, step, seconds (training only),
        rows_per_second, learning_rate, mean losses. Where training was ended within an epoch, the last row is of its
        part and its epoch a fraction.
    environment : device, precision, threads and whether training was ended before its time.

    Raises
    ------
    Diverged
        When a loss is no longer a finite number; the last checkpoint before stays.
    """
    training = _Training(networks, players, train_step, X, plan, y, after_step, measure, checkpoint)
    training.run(on_epoch, on_tick)
    networks.requires_grad_(True)
    networks.eval().to("cpu")
    state = training.state
    environment = {
        "device": training.device.type,
        "precision": training.precision,
        "threads": torch.get_num_threads(),
        "seconds": round(state.seconds, 3),
        "steps": state.step,
        "stopped_early": training.progress < 1,
    }
    return training.history(), environment


class _Training:
    """One training: what it moves, what it moves it with, and where it is."""

    def __init__(self, networks, players, train_step, X, plan: Plan, y, after_step, measure, checkpoint: Path | None):
        self.device = best_device()
        self.networks, self.players, self.train_step = networks, players, train_step
        self.plan, self.after_step, self.measure, self.checkpoint = plan, after_step, measure, checkpoint
        networks.to(device=self.device, memory_format=torch.channels_last)
        n_weights = sum(p.numel() for p in networks.parameters())
        self.precision = best_precision(self.device, n_weights) if plan.precision == "auto" else plan.precision
        self.data, self.y = Rows(X, self.device), y
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.optimizers = {
            player: torch.optim.AdamW(
                [p for name in names for p in networks[name].parameters()],
                lr=plan.learning_rate,
                betas=plan.betas,
                eps=plan.eps,
                weight_decay=plan.weight_decay,
                fused=self.device.type in ("cpu", "cuda"),
            )
            for player, names in players.items()
        }
        self.steps_an_epoch = max(1, len(self.data) // plan.batch_size)
        # The generator's state before it dealt the order of the epoch under way.
        self.dealt = self.generator.get_state()
        self.state = self._restored() or _State()
        self.learning_rate = 0.0
        self.ticked_at, self.saved_at, self.save_took = -math.inf, time.monotonic(), 0.0

    @property
    def progress(self) -> float:
        """Share of the training that is done."""
        if self.plan.max_seconds:
            return min(1.0, self.state.seconds / self.plan.max_seconds)
        return min(1.0, self.state.step / (self.plan.epochs * self.steps_an_epoch))

    def run(self, on_epoch: WATCH | None, on_tick: WATCH | None) -> None:
        stopped = False
        while self.progress < 1 and not stopped:
            stopped = not self._epoch(on_tick) or bool(on_epoch and on_epoch(self.state.history[-1]))
            if self._save_is_due() or self._save_is_cheap():
                self._save()
        self._save()

    def history(self) -> list[dict[str, Any]]:
        return [*self.state.history, *([self._row()] if self.state.within else [])]

    def _epoch(self, on_tick: WATCH | None) -> bool:
        """Train to the end of the epoch under way; False where it was ended within."""
        state = self.state
        parts = list(batches(len(self.data), self.plan.batch_size, self._order()))
        self.networks.train()
        mark = time.perf_counter()
        for indices in parts[state.within :]:
            if state.within and self.progress >= 1:
                break
            if time.monotonic() - self.ticked_at >= TICK_SECONDS:
                if self._tick(on_tick):
                    return False
                self.networks.train()
                mark = time.perf_counter()
            self._step(indices)
            now = time.perf_counter()
            state.seconds, state.spent, mark = state.seconds + now - mark, state.spent + now - mark, now
        row = self._row() | {"epoch": state.epoch + 1}
        _refuse_divergence(row, self.plan)
        state.history.append(row | dict(self.measure(self.networks) if self.measure else {}))
        if len(state.history) > _MOST_ROWS:
            # Of a training by the clock on few rows: more would only make its checkpoints grow.
            state.history = state.history[1::2]
        state.epoch += 1
        state.within, state.rows, state.spent, state.sums = 0, 0, 0.0, {}
        return True

    def _order(self) -> Tensor:
        """The order of the rows in the epoch under way: dealt anew at its start, dealt again where it is resumed."""
        generator = self.generator
        if self.state.within:
            generator = torch.Generator()
            generator.set_state(self.dealt)
        else:
            self.dealt = generator.get_state()
        return torch.randperm(len(self.data), generator=generator)

    def _step(self, indices: Tensor) -> None:
        state, done = self.state, self.progress
        self.learning_rate = self.plan.learning_rate * schedule(done, self.plan.warmup, self.plan.hold)
        x = self.data.batch(indices)
        labels = {} if self.y is None else {"y": torch.as_tensor(self.y[indices.numpy()]).to(self.device)}
        for player, optimizer in self.optimizers.items():
            for name in self.networks:
                self.networks[name].requires_grad_(name in self.players[player])
            optimizer.param_groups[0]["lr"] = self.learning_rate
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                terms = self.train_step(self.networks, player, x, self.generator, done, **labels)
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()
            optimizer.step()
            for name, value in terms.items():
                name = f"{player}_loss" if name == "loss" and len(self.players) > 1 else name
                state.sums[name] = state.sums.get(name, 0.0) + value.detach()
        if self.after_step is not None:
            self.after_step(self.networks, state.step)
        state.step += 1
        state.within += 1
        state.rows += len(indices)

    def _row(self) -> dict[str, Any]:
        """The epoch under way, up to here."""
        state = self.state
        return {
            "epoch": round(state.epoch + state.within / self.steps_an_epoch, 4),
            "step": state.step,
            "seconds": round(state.seconds, 3),
            "rows_per_second": round(state.rows / state.spent, 1) if state.spent else 0.0,
            "learning_rate": self.learning_rate,
            **{name: float(total) / state.within for name, total in state.sums.items()},
        }

    def _tick(self, on_tick: WATCH | None) -> bool:
        row = self._row()
        _refuse_divergence(row, self.plan)
        if self.state.step and self._save_is_due():
            self._save()
        stopped = bool(on_tick and on_tick({**row, "share": self.progress, "within": self.state.within}))
        self.ticked_at = time.monotonic()
        return stopped

    def _save_is_due(self) -> bool:
        return time.monotonic() - self.saved_at > CHECKPOINT_SECONDS

    def _save_is_cheap(self) -> bool:
        """The first always is: nothing is known of it yet, and a training that diverges early then has one."""
        return self.save_took <= _CHECKPOINT_SHARE * (time.monotonic() - self.saved_at)

    def _save(self) -> None:
        """Write the checkpoint aside and rename it into place: one file, so it is whole or absent."""
        folder, started = self.checkpoint, time.monotonic()
        if folder is None or not all(value.isfinite().all() for value in self.networks.state_dict().values()):
            return
        tensors = {f"network.{name}": value for name, value in self.networks.state_dict().items()}
        for player, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{player}.{index}.{name}": value for name, value in values.items()}
        tensors |= {"generator": self.generator.get_state(), "dealt": self.dealt}
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        aside = folder / f"checkpoint.{os.getpid()}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, aside, metadata={"state": self.state.to_json()})
            os.replace(aside, folder / "checkpoint.safetensors")
        except (OSError, SafetensorError) as error:
            raise HourglassError(
                f"The checkpoint could not be written in {folder} ({error}): free some space there."
            ) from None
        finally:
            with suppress(OSError):
                aside.unlink()
        self.saved_at = time.monotonic()
        self.save_took = self.saved_at - started

    def _restored(self) -> _State | None:
        """Load the checkpoint; None, and nothing changed, where there is none of these networks."""
        path = self.checkpoint / "checkpoint.safetensors" if self.checkpoint else None
        if path is None or not path.exists():
            return None
        try:
            tensors = load_file(path)
            with safe_open(path, "pt") as file:
                state = _State(**json.loads(file.metadata()["state"]))
            # One of other code or another vocabulary may fit in part; loading would find that out half-way.
            for name in ("generator", "dealt"):
                torch.Generator().set_state(tensors[name])
            if not _fits(tensors, self.networks, self.optimizers):
                return None
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError):
            return None
        self.networks.load_state_dict(_beginning_with("network.", tensors))
        for player, optimizer in self.optimizers.items():
            saved = optimizer.state_dict()
            for name, value in _beginning_with(f"optimizer.{player}.", tensors).items():
                index, key = name.split(".")
                saved["state"].setdefault(int(index), {})[key] = value
            optimizer.load_state_dict(saved)
        self.generator.set_state(tensors["generator"])
        self.dealt = tensors["dealt"]
        return state


def _refuse_divergence(row: dict[str, Any], plan: Plan) -> None:
    broken = [name for name, value in row.items() if not math.isfinite(value)]
    if broken:
        raise Diverged(
            f"Training diverged in epoch {math.ceil(row['epoch'])}: {broken[0]} is no longer a finite number. "
            f"Lower learning_rate (now {plan.learning_rate:g}), or check that the data hold no extreme values."
        )


def _beginning_with(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _fits(tensors: dict[str, Tensor], networks: nn.ModuleDict, optimizers: dict[str, torch.optim.Optimizer]) -> bool:
    """Whether a checkpoint holds exactly the tensors that these networks and optimizers (Adam's) would save."""
    expected = {f"network.{name}": value.shape for name, value in networks.state_dict().items()}
    expected |= dict.fromkeys(("generator", "dealt"), torch.Generator().get_state().shape)
    for player, optimizer in optimizers.items():
        for index, weights in enumerate(optimizer.param_groups[0]["params"]):
            moments = {"step": torch.Size(), "exp_avg": weights.shape, "exp_avg_sq": weights.shape}
            expected |= {f"optimizer.{player}.{index}.{name}": shape for name, shape in moments.items()}
    return expected == {name: value.shape for name, value in tensors.items()}
