"""The checkpoint of a training: weights, optimizers, random generator and progress."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core import files
from core.errors import HourglassError

CHECKPOINT_SECONDS = 5.0
# Share of the time since the last checkpoint that one at the end of an epoch may take.
_CHECKPOINT_SHARE = 0.02


@dataclass
class TrainingState:
    """The progress of a training: whole epochs, total steps and seconds, and the history.

    `within`, `rows`, `spent` and `sums` are the steps, rows, seconds and summed losses of the current epoch, `order`
    the state of the random generator before it drew the order of this epoch.
    """

    order: Tensor
    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    within: int = 0
    rows: int = 0
    spent: float = 0.0
    sums: dict[str, Any] = field(default_factory=dict)


class Checkpoint:
    """The checkpoint of a training with Adam on rows with this digest; without a folder nothing is saved."""

    def __init__(self, folder: Path | None, networks: nn.ModuleDict, optimizers, generator, rows_digest: str):
        self.folder, self.rows_digest = folder, rows_digest
        self.networks, self.optimizers, self.generator = networks, optimizers, generator
        self.saved_at, self.seconds = time.monotonic(), 0.0  # time of the last one, and how long it took

    def is_due(self) -> bool:
        return time.monotonic() - self.saved_at > CHECKPOINT_SECONDS

    def is_cheap(self) -> bool:
        """Whether saving takes little time; the first one counts as cheap, for trainings that diverge early."""
        return self.seconds <= _CHECKPOINT_SHARE * (time.monotonic() - self.saved_at)

    def save(self, state: TrainingState) -> None:
        """Write the checkpoint unless a weight is not finite; HourglassError if that fails."""
        started, weights = time.monotonic(), self.networks.state_dict()
        if self.folder is None or not all(value.isfinite().all() for value in weights.values()):
            return
        tensors = {f"network.{name}": value for name, value in weights.items()}
        for player, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{player}.{index}.{name}": value for name, value in values.items()}
        tensors |= {"generator": self.generator.get_state(), "dealt": state.order}
        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        progress = {name: value for name, value in vars(state).items() if name != "order"}
        progress["sums"] = {name: float(total) for name, total in state.sums.items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with files.replace_file(self.folder / "checkpoint.safetensors") as aside:
                save_file(tensors, aside, metadata={"state": json.dumps(progress), "rows": self.rows_digest})
        except (OSError, SafetensorError) as error:
            where = f"in {self.folder} ({error})"
            raise HourglassError(f"The checkpoint could not be written {where}: free some space there.") from None
        self.saved_at = time.monotonic()
        self.seconds = self.saved_at - started

    def restore(self) -> tuple[TrainingState | None, str]:
        """Load the checkpoint; None, without any change, and why, if it can't be used, or is not there."""
        path = self.folder / "checkpoint.safetensors" if self.folder else None
        if path is None or not path.exists():
            return None, ""
        why = ""
        try:
            tensors = load_file(path)
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
            state = TrainingState(tensors["dealt"], **json.loads(metadata["state"]))
            for name in ("generator", "dealt"):
                torch.Generator().set_state(tensors[name])
            # A checkpoint of other code or another vocabulary may fit in part.
            if {name: value.shape for name, value in tensors.items()} != self._expected_shapes():
                why = "is of other networks"
            elif metadata.get("rows") != self.rows_digest:
                why = "is of other train rows"
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError):
            why = "can't be read"
        if why:
            return None, f"The checkpoint {why}: training begins anew."
        self.networks.load_state_dict(_select("network.", tensors))
        for player, optimizer in self.optimizers.items():
            saved = optimizer.state_dict()
            for name, value in _select(f"optimizer.{player}.", tensors).items():
                index, key = name.split(".")
                saved["state"].setdefault(int(index), {})[key] = value
            optimizer.load_state_dict(saved)
            # Adam's fused step needs the moments in the memory format of their weights.
            for weights, moments in optimizer.state.items():
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[name] = torch.empty_like(weights).copy_(moments[name])
        self.generator.set_state(tensors["generator"])
        return state, ""

    def _expected_shapes(self) -> dict[str, torch.Size]:
        """Shapes of the tensors that `save` would write."""
        shapes = {f"network.{name}": value.shape for name, value in self.networks.state_dict().items()}
        shapes |= dict.fromkeys(("generator", "dealt"), torch.Generator().get_state().shape)
        for player, optimizer in self.optimizers.items():
            for index, weights in enumerate(optimizer.param_groups[0]["params"]):
                moments = {"step": torch.Size(), "exp_avg": weights.shape, "exp_avg_sq": weights.shape}
                shapes |= {f"optimizer.{player}.{index}.{name}": shape for name, shape in moments.items()}
        return shapes


def _select(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
