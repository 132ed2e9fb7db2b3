"""The commands that fit, compare, export and import runs."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core import datasets, files, methods
from core.commands.options import (
    DatasetName,
    Epochs,
    Json,
    MaxSeconds,
    Seed,
    Settings,
    find_dataset,
    parse_settings,
    say,
)
from core.errors import BadInput, HourglassError
from core.types import Dataset, Run, Spec

_NOT_LOSSES = ("epoch", "step", "seconds", "rows_per_second", "learning_rate")
_PRINTED_SCORES = (
    *("squared_error", "unexplained_variance", "category_accuracy", "knn_accuracy", "retrieval_precision_15"),
    *("trustworthiness", "neg_elbo"),
    *("frechet", "precision", "recall", "seconds", "weights"),
)


def fit(
    dataset: DatasetName,
    method: Annotated[str, typer.Argument(metavar="METHOD", show_default=False, help="Name of a method.")],
    seed: Seed = None,
    epochs: Epochs = None,
    max_seconds: MaxSeconds = None,
    settings: Settings = None,
    json_only: Json = False,
) -> None:
    """Fit a method to a data set, measure and store the run."""
    from core.runs import specs

    dataset, given = find_dataset(dataset), parse_settings(settings, epochs=epochs, max_seconds=max_seconds)
    _print_stored(fit_run(specs.make_from_settings(dataset, method, given, seed or 0)), json_only)


def compare(
    dataset: DatasetName,
    names: Annotated[list[str], typer.Argument(metavar="METHOD", show_default=False, help="Names of methods.")],
    code_size: Annotated[int, typer.Option(metavar="K", help="Latent dimensions.")] = 10,
    seed: Seed = None,
    epochs: Epochs = None,
    max_seconds: MaxSeconds = None,
    settings: Settings = None,
    json_only: Json = False,
) -> None:
    """Print the scores of several methods on the same rows.

    Stored runs are used, missing ones are fitted. With --seed, --epochs, --max-seconds or --set, only runs with exactly
    these settings are used.
    """
    from core.datasets import checksums
    from core.runs import selection, specs, store

    dataset, given = find_dataset(dataset), parse_settings(settings, epochs=epochs, max_seconds=max_seconds)
    wanted = specs.make_comparison(dataset, names, code_size, given, seed or 0)
    stored, problems = store.list_runs()
    for problem in problems:
        say(problem)
    chosen: dict[Spec, Run | None] = {}
    for name, spec in wanted.items():
        runs = selection.select_runs(stored, dataset, name, code_size)
        if given or seed is not None:
            runs = [run for run in runs if run.key == spec.key]
        chosen[spec] = next((run for run in runs if checksums.is_here(run)), None)
        if runs and chosen[spec] is None:
            say(f"{methods.label(name)} was trained on another copy of {dataset}: it is fitted on this one.")
    missing = [spec for spec, run in chosen.items() if run is None]
    data = load_dataset(missing[0]) if missing else None
    # Nothing is fitted before all fits are known to be possible.
    for spec in missing:
        specs.check(spec, data)
    runs = [fit_run(spec, data) if run is None else run for spec, run in chosen.items()]
    if not selection.have_same_rows(runs):
        why = f"These runs were measured on different copies of {dataset}, so their scores can't be compared"
        say(f"{why}: fit them again on one copy.")
    if json_only:
        print(json.dumps([_to_document(run) for run in runs]))
    else:
        _print_scores(runs)


def load_dataset(spec: Spec) -> Dataset:
    """Return the data set of a spec, downloaded with a progress bar if it is not here; print its notes."""
    from core.experiments import fit

    if datasets.is_available(spec.dataset):
        dataset = fit.load_dataset(spec)
    else:
        from core.datasets import download

        with download.progress_bar(datasets.entry(spec.dataset).label) as progress:
            dataset = fit.load_dataset(spec, progress)
    for note in dataset.notes:
        say(note)
    return dataset


def fit_run(spec: Spec, dataset: Dataset | None = None) -> Run:
    """Fit, measure and store a run, with progress on standard error."""
    from core.tasks import training

    def print_row(row: Mapping[str, Any]) -> None:
        losses = "  ".join(f"{name} {row[name]:.4g}" for name in row if name not in _NOT_LOSSES)
        say(f"epoch {row['epoch']}  {row['seconds']:.1f} s  {row['rows_per_second']:,.0f} rows/s  {losses}")

    return training.train_in_foreground(spec, lambda: dataset or load_dataset(spec), print_row, say)


def _to_document(run: Run) -> dict[str, Any]:
    from core.runs import layout

    first = {"key": run.key, "spec": run.spec.to_json(), "seconds": run.environment["seconds"]}
    return first | {"environment": run.environment, "history": run.history, "metrics": layout.metrics_to_json(run)}


def _print_stored(run: Run, json_only: bool) -> None:
    if json_only:
        print(json.dumps(_to_document(run)))
    else:
        entry = datasets.entry(run.spec.dataset)
        on = entry.label if entry.is_own else entry.name
        print(f"{methods.label(run.spec.method)} on {on}, stored as {run.key}")
        _print_scores([run])


def _print_scores(runs: Sequence[Run]) -> None:
    from core.metrics import definitions
    from core.runs import specs

    for run in runs:
        print(f"\n{methods.label(run.spec.method)}  ({run.key})")
        for name in (name for name in _PRINTED_SCORES if name in run.metrics):
            definition = definitions.get_definition(name, run.environment["kind"])
            low_high = definitions.get_interval(run.metrics, name)
            interval = f"  [{low_high[0]:.4g}, {low_high[1]:.4g}]" if low_high else ""
            n = f"  n={run.metrics[name].n}" if run.metrics[name].n is not None else ""
            print(f"  {definition.label:24} {run.metrics[name].value:.5g} {definition.unit}{interval}{n}")
        if "neg_elbo" in run.metrics and specs.has_unnormalised_likelihood(run.spec):
            print(f"  {definitions.GREY_BERNOULLI}")


def export_run(key: str, file: Path) -> None:
    """Write a stored run to a new zip file."""
    from core.runs import store, transfer

    write_new_file(file, lambda: transfer.pack_run(store.get_place(key)), key)


def write_new_file(file: Path, pack: Callable[[], bytes], what: str) -> None:
    """Write what `pack` returns to a file that does not exist, and say so; BadInput if it can't be written."""
    data = pack()
    if file.exists():
        raise BadInput(f"{file} exists already, and export replaces no file: give another name.")
    try:
        files.write_atomically(file, data)
    except OSError as error:
        raise BadInput(f"{file} can't be written ({error.strerror or error}): give another name.") from None
    print(f"{what} written to {file}, {len(data) / 1e6:.1f} MB")


def import_run(data: bytes, json_only: bool) -> None:
    """Check and store the run in a zip file from export or the app; measure it again if its data set is here."""
    from core.datasets import checksums
    from core.experiments import fit
    from core.runs import transfer

    run = transfer.unpack_run(data, check_weights=True)
    if datasets.is_available(run.spec.dataset) and checksums.is_here(run):
        try:
            run = fit.remeasure(run.place, fit.load_dataset(run.spec), first_only=True)
        except (HourglassError, ArithmeticError, ValueError) as problem:
            say(f"The run is stored, but its scores can't be measured again ({problem}).")
    _print_stored(run, json_only)
