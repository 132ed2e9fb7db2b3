"""The training loop of all networks: device, precision, seed, schedule, history, stopping, checkpoints."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import Diverged
from core.nn.checkpoint import Checkpoint, TrainingState

# Takes a row of the history; training stops if it returns True.
Watch = Callable[[dict[str, Any]], bool | None]
# Returns named scores of the networks (nn.ModuleDict) after an epoch.
Measure = Callable[[nn.ModuleDict], Mapping[str, float]]

TICK_SECONDS = 0.25
_SMALL = 200_000
_MOST_ROWS = 20_000
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Plan:
    """The budget and the settings of `torch.optim.AdamW` and `scale_learning_rate`.

    `epochs` : passes over the rows, if `max_seconds` is 0; otherwise the schedule of the learning rate is laid over
    these seconds. `precision` : ``"auto"``, ``"float32"`` or ``"bfloat16"``.
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


def best_device() -> torch.device:
    """CUDA or Apple's MPS if available, otherwise the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def best_precision(device: torch.device, n_weights: int) -> str:
    """``"bfloat16"`` if the hardware supports it natively and the network is large enough to gain from it."""
    if n_weights < _SMALL or device.type == "mps":
        return "float32"
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    has = torch.cpu.get_capabilities()
    return "bfloat16" if has.get("amx_bf16") or has.get("avx512_bf16") else "float32"


def scale_learning_rate(progress: float, warmup: float, hold: float = 0.0) -> float:
    """Factor of the learning rate at `progress` in [0, 1]: a linear rise, 1 until `hold`, a cosine down to 0."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    if progress < hold:
        return 1.0
    start = max(warmup, hold)
    return max(1e-4, 0.5 * (1 + math.cos(math.pi * (progress - start) / (1 - start))))


class Rows:
    """Rows in memory as float32 batches; sparse rows become dense batch by batch."""

    def __init__(self, X: Any, device: torch.device):
        self.is_sparse, self.device = hasattr(X, "tocsr"), device
        self.X = X.tocsr() if self.is_sparse else torch.as_tensor(np.asarray(X, np.float32)).to(device)

    def __len__(self) -> int:
        return self.X.shape[0]

    def digest(self) -> str:
        """SHA-256 of all values, in hexadecimal."""
        X, digest = self.X, hashlib.sha256()
        for part in (X.indptr, X.indices, X.data) if self.is_sparse else (X.cpu().numpy(),):
            digest.update(np.ascontiguousarray(part))
        return digest.hexdigest()

    def batch(self, indices: Tensor) -> Tensor:
        if not self.is_sparse:
            return self.X[indices.to(self.device)]
        return torch.as_tensor(self.X[indices.numpy()].toarray(), dtype=torch.float32).to(self.device)

    def blocks(self) -> Iterator[Tensor]:
        """All rows in their order, in blocks of bounded size."""
        return map(self.batch, torch.arange(len(self)).split(_ROWS_AT_ONCE))


def measure_validation(X: Any, terms: Callable[..., Mapping[str, Any]]) -> Measure:
    """A measure of each term of the loss on the validation rows X, as ``validation_<name>``.

    `terms(networks, x, generator)` returns named means over a batch; its draws are the same in each epoch.
    """
    rows = Rows(X, best_device())

    def validate(networks) -> dict[str, float]:
        networks.eval()
        generator = torch.Generator().manual_seed(0)
        sums: dict[str, float] = {}
        with torch.inference_mode():
            for x in rows.blocks():
                for name, mean in terms(networks, x, generator).items():
                    sums[name] = sums.get(name, 0.0) + float(mean) * len(x)
        return {f"validation_{name}": total / len(rows) for name, total in sums.items()}

    return validate


def train(
    networks: nn.ModuleDict,
    players: Mapping[str, tuple[str, ...]],
    train_step: Callable[..., dict[str, Tensor]],
    X: Any,
    plan: Plan,
    *,
    y: np.ndarray | None = None,
    after_step: Callable[[nn.ModuleDict, int], None] | None = None,
    measures: Sequence[Measure] = (),
    on_epoch: Watch | None = None,
    on_tick: Watch | None = None,
    on_note: Callable[[str], None] | None = None,
    checkpoint: Path | None = None,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Train `networks` on the rows of `X`.

    Parameters
    ----------
    players : name -> names of the networks that its optimizer updates. In each step the players take turns.
    train_step : ``train_step(networks, player, x, generator, progress)`` returns named scalars, of which ``"loss"`` is
        minimised. x is (batch, n_features) float32, progress in [0, 1].
    X : (n_samples, n_features), array or sparse; y : (n_samples,) labels, of which `train_step` receives its rows'.
    after_step : called with the networks and the number of previous steps.
    measures : called after each whole epoch; their scores join the history row, their time does not count.
    on_epoch : called with each history row; training stops if it returns True.
    on_tick : called before the first step and about every `TICK_SECONDS` with a row of the current epoch (a fraction),
        ``share`` of the training done, and ``within``, the steps in this epoch; training stops if it returns True.
    on_note : called with a sentence if a checkpoint can't be used.
    checkpoint : folder to resume from and to save checkpoints in: at the end, after the first epoch, then about every
        5 seconds, or more often if that is cheap.

    Returns
    -------
    history : a row an epoch (every second one if there are very many): epoch (a fraction in the last row if training
        was stopped within an epoch), step, seconds of training, rows_per_second, learning_rate, mean losses.
    environment : device, precision, threads, seconds, steps, stopped_early, and ``note``, if any.

    Raises Diverged if a loss is not finite; the last checkpoint remains.
    """
    training = _Training(networks, players, train_step, X, plan, y, after_step, measures, checkpoint)
    if training.note and on_note:
        on_note(training.note)
    stopped = False
    while training.progress < 1 and not stopped:
        stopped = not training.run_epoch(on_tick) or bool(on_epoch and on_epoch(training.state.history[-1]))
        if training.checkpoint.is_due() or training.checkpoint.is_cheap():
            training.checkpoint.save(training.state)
    training.checkpoint.save(training.state)
    networks.requires_grad_(True).eval().to("cpu")
    state = training.state
    environment = {"device": training.device.type, "precision": training.precision, "threads": torch.get_num_threads()}
    environment |= {"seconds": round(state.seconds, 3), "steps": state.step, "stopped_early": training.progress < 1}
    environment |= {"note": training.note} if training.note else {}
    return [*state.history, *([training.make_row()] if state.within else [])], environment


class _Training:
    """The networks, optimizers, rows and state of a training."""

    def __init__(self, networks, players, train_step, X, plan: Plan, y, after_step, measures, checkpoint):
        self.device = best_device()
        self.networks, self.players, self.train_step = networks, players, train_step
        self.plan, self.after_step, self.measures = plan, after_step, measures
        networks.to(device=self.device, memory_format=torch.channels_last)
        n_weights = sum(p.numel() for p in networks.parameters())
        self.precision = best_precision(self.device, n_weights) if plan.precision == "auto" else plan.precision
        self.data, self.y = Rows(X, self.device), y
        self.generator = torch.Generator().manual_seed(plan.seed)
        how = {"lr": plan.learning_rate, "betas": plan.betas, "eps": plan.eps, "weight_decay": plan.weight_decay}
        how["fused"] = self.device.type in ("cpu", "cuda")
        self.optimizers = {
            player: torch.optim.AdamW([p for name in names for p in networks[name].parameters()], **how)
            for player, names in players.items()
        }
        self.steps_an_epoch = max(1, len(self.data) // plan.batch_size)
        digest = self.data.digest() if checkpoint else ""
        self.checkpoint = Checkpoint(checkpoint, networks, self.optimizers, self.generator, digest)
        restored, self.note = self.checkpoint.restore()
        self.state = restored or TrainingState(self.generator.get_state())
        self.learning_rate, self.ticked_at = 0.0, -math.inf

    @property
    def progress(self) -> float:
        """Share of the training that is done."""
        if self.plan.max_seconds:
            return min(1.0, self.state.seconds / self.plan.max_seconds)
        return min(1.0, self.state.step / (self.plan.epochs * self.steps_an_epoch))

    def run_epoch(self, on_tick: Watch | None) -> bool:
        """Train to the end of the current epoch; False if it was stopped before."""
        state = self.state
        batches = self._order().tensor_split(self.steps_an_epoch)
        self.networks.train()
        mark = time.perf_counter()
        for indices in batches[state.within :]:
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
        row = self.make_row() | {"epoch": state.epoch + 1}
        for measure in self.measures:
            row |= measure(self.networks)
        self._refuse_divergence(row)
        state.history.append(row)
        if len(state.history) > _MOST_ROWS:
            # A timed training on few rows has very many epochs, which would enlarge its checkpoints.
            state.history = state.history[1::2]
        state.epoch += 1
        state.within, state.rows, state.spent, state.sums = 0, 0, 0.0, {}
        return True

    def _order(self) -> Tensor:
        """The order of the rows in this epoch; the same if the epoch is resumed."""
        generator = self.generator
        if self.state.within:
            generator = torch.Generator()
            generator.set_state(self.state.order)
        else:
            self.state.order = generator.get_state()
        return torch.randperm(len(self.data), generator=generator)

    def _step(self, indices: Tensor) -> None:
        state, done = self.state, self.progress
        self.learning_rate = self.plan.learning_rate * scale_learning_rate(done, self.plan.warmup, self.plan.hold)
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

    def make_row(self) -> dict[str, Any]:
        """The history row of the current epoch so far; Diverged if a number in it is not finite."""
        state = self.state
        epoch = round(state.epoch + state.within / self.steps_an_epoch, 4)
        rate = round(state.rows / state.spent, 1) if state.spent else 0.0
        row = {"epoch": epoch, "step": state.step, "seconds": round(state.seconds, 3), "rows_per_second": rate}
        row |= {"learning_rate": self.learning_rate}
        row |= {name: float(total) / state.within for name, total in state.sums.items()}
        self._refuse_divergence(row)
        return row

    def _tick(self, on_tick: Watch | None) -> bool:
        row = self.make_row()
        if self.state.step and self.checkpoint.is_due():
            self.checkpoint.save(self.state)
        stopped = bool(on_tick and on_tick({**row, "share": self.progress, "within": self.state.within}))
        self.ticked_at = time.monotonic()
        return stopped

    def _refuse_divergence(self, row: dict[str, Any]) -> None:
        if broken := [name for name, value in row.items() if not math.isfinite(value)]:
            raise Diverged(
                f"Training diverged in epoch {math.ceil(row['epoch'])}: {broken[0]} is no longer a finite number. "
                f"Lower learning_rate (now {self.plan.learning_rate:g}), or check that the data hold no extreme values."
            )
