"""From what a person asks for to a checked Spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core import datasets, methods
from core.types import BadInput, Spec, check_params

_SEEDS = 2**31


def make(
    dataset: str,
    method: str,
    params: Mapping[str, Any] | None = None,
    seed: int = 0,
    dataset_params: Mapping[str, Any] | None = None,
) -> Spec:
    """The Spec of fitting `method` to `dataset`, every parameter checked and the others at their default.

    Raises
    ------
    BadInput
        For an unknown data set or method, a method that does not fit the data, or a parameter out of bounds.
    """
    entry, declared = datasets.entry(dataset), methods.get(method)
    if entry.kind not in declared.kinds:
        raise BadInput(
            f"{declared.label} does not fit {entry.label}, which holds {entry.kind}: "
            f"choose one of {', '.join(methods.names(entry.kind))}."
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < _SEEDS:
        raise BadInput(f"seed={seed} is not allowed: it is a whole number from 0 to {_SEEDS - 1}.")
    of_kind = declared.params_of(entry.kind)
    owner = method if of_kind == declared.params else f"{method} of {entry.kind}"
    checked = check_params(of_kind, params or {}, owner)
    implied = {p.name for p in of_kind if p.implied and checked[p.name] == p.default}
    return Spec.of(
        dataset,
        method,
        {name: value for name, value in checked.items() if name not in implied},
        seed,
        check_params(entry.params, dataset_params or {}, dataset),
        declared.version,
    )
