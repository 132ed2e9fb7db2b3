"""The command that measures classifiers against the number of labelled rows."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core import datasets
from core.commands.options import DatasetName, Failed, Json, Settings, find_dataset, parse_settings, say
from core.commands.runs import load_dataset
from core.errors import BadInput


def sweep_labelled_fraction(
    dataset: DatasetName,
    labels: Annotated[
        str | None, typer.Option(metavar="N,...", help="Numbers of labelled rows; default: as on the page.")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="S", min=1, max=1000, help="Number of seeds: 0, 1, ...")] = 3,
    methods: Annotated[str | None, typer.Option(metavar="NAME,...", help="Approaches; default: all.")] = None,
    max_seconds: Annotated[float, typer.Option(metavar="T", help="Begin no fit after T seconds; 0: no limit.")] = 0,
    processes: Annotated[int, typer.Option(metavar="P", min=1, max=64, help="Number of fits at the same time.")] = 1,
    settings: Settings = None,
    into: Annotated[str | None, typer.Option(metavar="FOLDER", help="Store results there and use no others.")] = None,
    json_only: Json = False,
) -> None:
    """Measure test error against the number of labels.

    Results that are stored are not computed again.
    """
    from core import semi_supervised
    from core.datasets import checksums
    from core.semi_supervised import experiment, results, sweep

    if not 0 <= max_seconds < math.inf:
        raise BadInput(f"--max-seconds {max_seconds:g} is not a number of seconds from 0.")
    if into == "":
        raise BadInput("--into is empty: name a folder.")
    place = None if into is None else Path(into)
    try:
        counts = [1] if labels is None else [int(n) for n in labels.split(",")]
    except ValueError:
        raise BadInput(f"--labels {labels} is not a list of whole numbers such as 20,100,500.") from None
    dataset = find_dataset(dataset)
    kind = datasets.entry(dataset).kind
    names = semi_supervised.names(kind) if methods is None else methods.split(",")
    of_data = parse_settings(settings)
    wanted = experiment.list_cells(dataset, names, counts, range(seeds), of_data)
    data = load_dataset(wanted[0].spec)
    if labels is None:
        wanted = experiment.list_cells(dataset, names, experiment.list_usual_counts(data), range(seeds), of_data)
    experiment.check_cells(wanted, data)
    started = time.perf_counter()

    def print_row(row: Mapping[str, Any]) -> None:
        say(
            f"{semi_supervised.get(row['method']).label}, {row['labels']:,} labels, seed {row['seed']}: "
            f"test error {row['error']:.2%}, {row['seconds']:.1f} s"
        )

    report = sweep.run_sweep(wanted, place=place, processes=processes, max_seconds=max_seconds, on_row=print_row)
    failed = f", of which {report.failed:,} failed" if report.failed else ""
    seconds = time.perf_counter() - started
    say(f"{report.computed} computed in {seconds:.0f} s, {report.kept} stored before, {report.left} left out{failed}.")
    stored = results.read_results(dataset, None if place is None else (place,))
    for problem in (*report.problems, *stored.problems):
        say(problem)
    keys = {cell.key for cell in wanted}
    rows = [row for row in stored.rows if row["key"] in keys and checksums.is_of(row, data.checksum)]
    if json_only:
        print(json.dumps(rows))
    else:
        _print_errors(rows)
    if report.failed == len(wanted):
        raise Failed(f"{'The only fit' if len(wanted) == 1 else f'All {len(wanted):,} fits'} failed, see above.")


def _print_errors(rows: Sequence[Mapping[str, Any]]) -> None:
    from core import semi_supervised
    from core.semi_supervised import results, statistics

    for name, errors_by_count in results.group_errors(rows).items():
        print(semi_supervised.get(name).label)
        for n, errors_by_seed in sorted(errors_by_count.items()):
            error = statistics.estimate_error(errors_by_seed)
            interval = "" if error.low is None else f"  [{error.low:.2%}, {error.high:.2%}]"
            print(f"  {n:>7,} labels  {error.mean:7.2%}{interval}  seeds={error.n}")
