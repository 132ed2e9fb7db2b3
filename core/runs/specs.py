"""Specs of runs, made from settings and checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.datasets.binarisation import GREY, PIXELS
from core.errors import BadInput
from core.types import BERNOULLI, CONTINUOUS_BERNOULLI, DOCUMENTS, IMAGES, TABLES, Dataset, Spec, check_params

Settings = Mapping[str, Any]
_SEEDS = 2**31
# Train and test rows. Samples of images are compared with the five nearest neighbours of each row of either split.
_LEAST = {IMAGES: (6, 6), DOCUMENTS: (2, 1), TABLES: (6, 6)}


def make(
    dataset: str, method: str, params: Settings | None = None, seed: int = 0, dataset_params: Settings | None = None
) -> Spec:
    """Return the spec of fitting `method` to `dataset`; parameters that are not given have their default.

    Raises BadInput for an unknown data set or method, one that does not fit the data, or a parameter out of bounds.
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
    own = {name: value for name, value in checked.items() if name not in implied}
    of_data = entry.check_params(dataset_params or {})
    if checked.get("output") == CONTINUOUS_BERNOULLI and of_data.get(PIXELS.name, GREY) != GREY:
        raise BadInput(
            f"output={CONTINUOUS_BERNOULLI} is a density of grey pixels: for binary ones choose {BERNOULLI}."
        )
    return Spec.of(dataset, method, own, seed, of_data, declared.version)


def make_from_settings(dataset: str, method: str, settings: Settings, seed: int = 0) -> Spec:
    """As `make`, with the parameters of the method and those of the data set in one mapping."""
    of_data = {param.name for param in datasets.entry(dataset).params}
    params = {name: value for name, value in settings.items() if name not in of_data}
    return make(dataset, method, params, seed, {name: value for name, value in settings.items() if name in of_data})


def make_at_size(dataset: str, method: str, n_components: int, settings: Settings, seed: int = 0) -> Spec:
    """As `make_from_settings`, with a number of latent dimensions unless the method's runs fit any number."""
    size = {} if methods.entry(method).has_own_code_size else {"n_components": n_components}
    return make_from_settings(dataset, method, size | settings, seed)


def make_comparison(
    dataset: str, names: Sequence[str], n_components: int, settings: Settings, seed: int
) -> dict[str, Spec]:
    """Return method -> spec of several methods at a number of latent dimensions.

    `settings` are parameters of the data set and of methods; each method takes those that it has. Raises BadInput for a
    parameter that none of these methods has, or a method that has no number of latent dimensions.
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
    of_any = set().union(*declared.values())
    wanted = {}
    for method in names:
        own = {k: v for k, v in settings.items() if k in declared.get(method, ()) or k not in of_any}
        wanted[method] = make_at_size(dataset, method, n_components, own, seed)
    return wanted


def settings(spec: Spec) -> dict[str, Any]:
    """Return every setting of a spec by name: the method's parameters, the data set's and the seed.

    The folder of runs may hold runs of methods that this program does not know.
    """
    implied = {}
    if spec.method in methods.REGISTRY and spec.dataset in datasets.names():
        entry = datasets.entry(spec.dataset)
        declared = *methods.get(spec.method).params_of(entry.kind), *entry.params
        implied = {p.name: p.default for p in declared if p.implied}
    return implied | dict((*spec.params, *spec.dataset_params, ("seed", spec.seed)))


def differing(specs: Sequence[Spec]) -> list[str]:
    """Return the names of the settings that are not the same in all of `specs`."""
    all_settings = [settings(spec) for spec in specs]
    names = dict.fromkeys(name for chosen in all_settings for name in chosen)
    return [name for name in names if len({chosen.get(name) for chosen in all_settings}) > 1]


def has_unnormalised_likelihood(spec: Spec) -> bool:
    """Whether p(x|z) is Bernoulli on grey pixels, see `core.metrics.definitions.GREY_BERNOULLI`."""
    is_grey = dict(spec.dataset_params).get(PIXELS.name, GREY) == GREY
    return spec.param("output") == BERNOULLI and is_grey


def check(spec: Spec, dataset: Dataset) -> None:
    """Raise BadInput if `spec` can't be fitted to these rows."""
    datasets.check_dataset(dataset)
    n_train, n_test = dataset.X_train.shape[0], dataset.X_test.shape[0]
    least_train, least_test = _LEAST[dataset.kind]
    if n_train < least_train or n_test < least_test:
        raise BadInput(
            f"{dataset.name} has too few rows, {n_train:,} to train on and {n_test:,} to test on: a fit to "
            f"{dataset.kind} and its figures need at least {least_train} and {least_test}."
        )
    methods.get(spec.method).check_rows(dict(spec.params), n_train, n_test, dataset.n_features)
