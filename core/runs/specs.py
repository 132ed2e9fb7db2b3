"""From what a person asks for to a checked Spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.datasets import validation
from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES, Dataset, Spec, check_params

_SEEDS = 2**31
# Train and test rows. Samples of images are compared with the five nearest neighbours of each row of either split.
_LEAST = {IMAGES: (6, 6), DOCUMENTS: (2, 1)}


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
    if entry.kind not in methods.entry(method).kinds:
        raise BadInput(
            f"{methods.label(method)} does not fit {entry.label}, which holds {entry.kind}: "
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


def make_from_settings(dataset: str, method: str, settings: Mapping[str, Any], seed: int = 0) -> Spec:
    """As `make`, with the parameters of the method and those of the data set in one mapping."""
    of_data = {param.name for param in datasets.entry(dataset).params}
    params = {name: value for name, value in settings.items() if name not in of_data}
    return make(dataset, method, params, seed, {name: value for name, value in settings.items() if name in of_data})


def settings(spec: Spec) -> dict[str, Any]:
    """Every setting of a Spec by name: the method's parameters, the data set's and the seed.

    A folder may hold a run of what this program does not know.
    """
    implied = {}
    if spec.method in methods.REGISTRY and spec.dataset in datasets.names():
        declared = methods.get(spec.method).params_of(datasets.entry(spec.dataset).kind)
        implied = {p.name: p.default for p in declared if p.implied}
    return implied | dict((*spec.params, *spec.dataset_params, ("seed", spec.seed)))


def differing(specs: Sequence[Spec]) -> list[str]:
    """Names of the settings that are not the same in all of `specs`."""
    found = [settings(spec) for spec in specs]
    names = dict.fromkeys(name for each in found for name in each)
    return [name for name in names if len({each.get(name) for each in found}) > 1]


def check(spec: Spec, dataset: Dataset) -> None:
    """Check that `spec` can be fitted to these rows, so that nothing is begun that can't come to its end.

    Raises
    ------
    BadInput
        In a sentence that names the data set or the parameter, and what is allowed.
    """
    validation.check_dataset(dataset)
    n_train, n_test = dataset.X_train.shape[0], dataset.X_test.shape[0]
    least_train, least_test = _LEAST[dataset.kind]
    if n_train < least_train or n_test < least_test:
        raise BadInput(
            f"{dataset.name} has too few rows, {n_train:,} to train on and {n_test:,} to test on: a fit to "
            f"{dataset.kind} and its figures need at least {least_train} and {least_test}."
        )
    methods.get(spec.method).check_rows(dict(spec.params), n_train, n_test, dataset.n_features)
