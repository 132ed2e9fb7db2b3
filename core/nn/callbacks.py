"""Types of the training loop's callbacks, and measures of the networks after an epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Takes a row of the history; training stops if it returns True.
Watch = Callable[[dict[str, Any]], bool | None]
# Returns named scores of the networks (nn.ModuleDict) after an epoch.
Measure = Callable[[Any], Mapping[str, float]]
# Takes a sentence for people.
Note = Callable[[str], None]


def measure_validation(X: Any, terms: Callable[..., Mapping[str, Any]]) -> Measure:
    """A measure of each term of the loss on the validation rows X, as ``validation_<name>``.

    `terms(networks, x, generator)` returns named means over a batch; its draws are the same in each epoch.
    """
    import torch

    from core.nn.training import Rows, best_device

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
