"""Which of the stored runs a page shows for a data set, a method and a code size; and whether they compare fairly."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core import methods
from core.datasets import checksums
from core.datasets.binarisation import PIXELS
from core.runs import store
from core.types import Run, Spec

# The default weighting of word counts.
USUAL_WEIGHTING = "tfidf"
# Kinds of budget: equal for all methods of a comparison, or each method's own.
MATCHED, BEST_EFFORT = "matched", "best effort"
# Numbers of weights count as equal within this share of the larger one.
WEIGHTS_WITHIN = 0.05
# Of a method whose Specs leave this parameter out at its default.
_LAYERS = 3


def code_size(run: Run) -> int:
    """Return a run's number of latent dimensions."""
    return int(run.spec.param("n_components"))


def fits_view(spec: Spec, dataset: str, method: str, n_components: int) -> bool:
    """Whether a run belongs to the view of a data set, a method and a code size.

    A GAN does not encode rows, so its runs are shown at every code size.
    """
    of_view = (spec.dataset, spec.method) == (dataset, method)
    return of_view and (methods.entry(method).has_own_code_size or spec.param("n_components") == n_components)


def have_same_rows(runs: Iterable[Run]) -> bool:
    """Whether runs were measured on the same copy of the data, so that they may be ranked."""
    return len({run.environment["data_checksum"] for run in runs}) <= 1


def select_runs(runs: list[Run], dataset: str, method: str, n_components: int) -> list[Run]:
    """Select the runs of `method` on `dataset` that fit a code size, the default first.

    The order, by decreasing weight: runs of the copy of the data on this machine (see `core.datasets.checksums`);
    shipped runs; runs that are neither a best effort nor stopped early, on grey pixels, on documents with the usual
    weighting; the oldest shipped run, since later ones serve single sections, and the newest own run. See `fits_view`.
    """
    fitting = [run for run in runs if fits_view(run.spec, dataset, method, n_components)]
    by_date = sorted(fitting, key=lambda run: run.environment["date"])
    shipped = {run.key for run in by_date if store.is_shipped(run)}
    own = [run for run in reversed(by_date) if run.key not in shipped]
    in_order = [run for run in by_date if run.key in shipped] + own
    return sorted(in_order, key=lambda run: (not checksums.is_here(run), run.key not in shipped, _is_second(run)))


def _is_second(run: Run) -> tuple[bool, bool, bool]:
    """Whether a run is a best effort or was stopped early, has binary pixels, or an unusual weighting of words."""
    stopped = run.environment.get("stopped_early") is True or is_best_effort(run)
    return (
        stopped,
        PIXELS.name in dict(run.spec.dataset_params),
        run.spec.param("weighting", USUAL_WEIGHTING) != USUAL_WEIGHTING,
    )


def get_budget(spec: Spec) -> tuple | None:
    """Return a network with its batch size, its epochs, and its seconds or 0; None without hidden layers."""
    value = dict(spec.params)
    if "width" not in value:
        return None
    network = value["width"], value.get("layers", _LAYERS), value.get("network") == "conv", value["batch_size"]
    seconds = float(value.get("max_seconds", 0))
    return network, 0 if seconds else value["epochs"], seconds


def epochs_reached(run: Run) -> float | None:
    """Return the passes over the training rows that a run made; None for a closed-form method."""
    return run.history[-1].get("epoch") if run.history else None


def are_equal(runs: Iterable[Run]) -> bool:
    """Whether the networks among `runs` had equal budgets: shape, weights within 5 %, batch size and epochs reached."""
    trained = [run for run in runs if get_budget(run.spec)]
    weights = [run.metrics["weights"].value for run in trained]
    return not trained or (have_same_shape(trained) and min(weights) >= (1 - WEIGHTS_WITHIN) * max(weights))


def have_same_shape(runs: Iterable[Run]) -> bool:
    """Whether the networks among `runs` have the same hidden layers, batch size and epochs reached."""
    return len({(get_budget(run.spec)[0], epochs_reached(run)) for run in runs if get_budget(run.spec)}) < 2


def leading(candidates: Mapping[str, Sequence[Run]], kind: str = MATCHED) -> dict[str, str]:
    """Return the key of the run of each method that a comparison shows first.

    `candidates` are each method's runs that fit the view, the default first. `MATCHED`: runs of the budget that most
    methods share; `BEST_EFFORT`: each method's shipped best effort, or the run of `MATCHED`.
    """
    chosen = {name: runs[0].key for name, runs in candidates.items() if runs}
    networks = {name: runs for name, runs in candidates.items() if runs and get_budget(runs[0].spec)}
    common = _common_budget(networks)
    for name, runs in networks.items():
        chosen[name] = next((run.key for run in runs if get_budget(run.spec) == common), runs[0].key)
    if kind == BEST_EFFORT:
        efforts = {name: next(filter(is_best_effort, runs), None) for name, runs in candidates.items()}
        chosen |= {name: run.key for name, run in efforts.items() if run}
    return chosen


def is_best_effort(run: Run) -> bool:
    """Whether a shipped run shows what its method can reach, at a budget of its own."""
    return run.environment.get("budget") == BEST_EFFORT


def _common_budget(networks: Mapping[str, Sequence[Run]]) -> tuple | None:
    """Return the budget that most methods have a run of, best efforts aside."""
    counts = Counter()
    for runs in networks.values():
        counts.update(list(dict.fromkeys(get_budget(run.spec) for run in runs if not is_best_effort(run))))
    return max(counts, key=counts.get) if counts else None
