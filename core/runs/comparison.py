"""What is trained to compare methods on a data set: a spec each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.errors import BadInput
from core.runs import presets, specs
from core.types import Spec


def wanted(dataset: str, n_components: int, preset: str) -> list[Spec]:
    """The Spec of every method that is compared on a data set, at a number of latent dimensions.

    Methods without presets are trained at their defaults, methods whose runs stand at every number of dimensions at
    their own.

    Raises
    ------
    BadInput
        For an unknown data set, or a number of dimensions that a method can't have.
    """
    return [
        specs.make_from_settings(
            dataset,
            method,
            _at_size(method, n_components) | presets.list_presets(dataset, method, n_components).get(preset, {}),
        )
        for method in methods.compared(datasets.entry(dataset).kind)
    ]


def make_specs(
    dataset: str, names: Sequence[str], n_components: int, settings: Mapping[str, Any], seed: int
) -> dict[str, Spec]:
    """Return method -> spec of several methods at a number of latent dimensions.

    Parameters
    ----------
    settings : parameters of the data set, and of methods; each method takes those that it has.

    Raises
    ------
    BadInput
        For a parameter that none of these methods has, or a method that has no number of latent dimensions.
    """
    entry = datasets.entry(dataset)
    for name in names:
        if methods.entry(name).maps_rows:
            raise BadInput(
                f"{methods.label(name)} projects the rows themselves and has no latent code: choose from "
                f"{', '.join(methods.compared(entry.kind))}, or fit it on its own."
            )
    if "n_components" in settings and not all(methods.entry(name).has_own_code_size for name in names):
        raise BadInput(
            f"--set n_components={settings['n_components']} is not for compare, whose methods have the same number of "
            "latent dimensions: use --code-size."
        )
    declared = {m: {p.name for p in methods.get(m).params_of(entry.kind)} for m in methods.names(entry.kind)}
    of_data = {param.name for param in entry.params}
    for name in settings:
        owners = [method for method in declared if name in declared[method]]
        # A parameter that no method has is refused by `specs.make`.
        if owners and name not in of_data and not set(owners) & set(names):
            raise BadInput(f"{name} is no parameter of {', '.join(names)}: only {', '.join(owners)} have it.")
    of_others = set().union(*declared.values())
    return {
        method: specs.make_from_settings(
            dataset,
            method,
            _at_size(method, n_components)
            | {k: v for k, v in settings.items() if k in declared.get(method, ()) or k not in of_others},
            seed,
        )
        for method in names
    }


def _at_size(method: str, n_components: int) -> dict[str, Any]:
    return {} if methods.entry(method).has_own_code_size else {"n_components": n_components}
