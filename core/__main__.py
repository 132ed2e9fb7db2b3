"""The command line: ``python -m core COMMAND``; ``python -m core --help`` lists the commands."""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import datasets, jobs, methods, specs, store
from core.types import BadInput, Dataset, Diverged, HourglassError, Run, Spec

_APP = Path(__file__).parent.parent / "app.py"
# What Ctrl-C leaves of a command that stores more than one run.
_IN_PART = "what was finished before is stored, the rest is not"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        self.exit(2, f"hourglass: {message}. See {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except HourglassError as problem:
        print(f"hourglass: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"hourglass: stopped; {str(stop) or arguments.stopped}.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        print(f"hourglass: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="Hourglass without the pages.")
    commands = parser.add_subparsers(title="commands", required=True, parser_class=_Parser, metavar="COMMAND")

    def command(name: str, run, help: str, stopped: str = "nothing was stored") -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(run=run, stopped=stopped)
        return sub

    def budget(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--seed", default="0", metavar="S", help="seed of everything random (default 0)")
        sub.add_argument("--epochs", metavar="N", help="passes over the training rows")
        sub.add_argument("--max-seconds", metavar="T", help="train for T seconds, the schedule laid over them")
        sub.add_argument(
            "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the method or data set"
        )

    for name, run in (("datasets", _datasets), ("methods", _methods)):
        command(name, run, f"List the {name}.").add_argument("--json", action="store_true")
    fit = command("fit", _fit, "Fit one method, measure and store it.")
    fit.add_argument("dataset")
    fit.add_argument("method")
    compare = command(
        "compare", _compare, "Measure methods on the same rows, fitting what is not stored yet.", _IN_PART
    )
    compare.add_argument("dataset")
    compare.add_argument("methods", nargs="+", metavar="METHOD")
    compare.add_argument("--code-size", default="10", metavar="K", help="numbers in the latent code (default 10)")
    for sub in (fit, compare):
        budget(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    fraction = command(
        "labelled-fraction",
        _labelled_fraction,
        "Test error against the number of labelled rows, by approach; what is kept is not computed again.",
        "the same command goes on from the last row",
    )
    fraction.add_argument("dataset")
    fraction.add_argument("--labels", default="100,600,1000,3000", metavar="N,...", help="numbers of labelled rows")
    fraction.add_argument("--seeds", default="3", metavar="S", help="how many seeds, from 0 on (default 3)")
    fraction.add_argument("--methods", metavar="NAME,...", help="approaches (default: all that work on such data)")
    fraction.add_argument("--max-seconds", default="0", metavar="T", help="begin nothing after T seconds")
    fraction.add_argument("--processes", default="1", metavar="P", help="how many are computed at once (default 1)")
    fraction.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the data set"
    )
    fraction.add_argument("--into", metavar="FOLDER", help="keep the rows there, and look nowhere else for any")
    fraction.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    export = command("export", _export, "Write a stored run into a zip file.")
    export.add_argument("key", help="of the run, as fit prints it")
    export.add_argument("file", metavar="FILE.zip", help="a file that is not there yet")
    load = command("import", _import, "Store the run of a zip file that export or the app wrote, checked.")
    load.add_argument("file", metavar="FILE.zip")
    load.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    workshop = command("workshop", _workshop, "Serve the app to everyone on the local network.", "the app is closed")
    workshop.add_argument("--port", default="8501", metavar="N", help="port to serve at (default 8501)")
    ship = command("ship", _ship, "Re-create the runs, classifiers and regressors in assets.", _IN_PART)
    ship.add_argument("only", nargs="*", metavar="DATASET/METHOD", help="only these, for example mnist/ae")
    ship.add_argument("--missing", action="store_true", help="leave out what is there already")
    ship.add_argument("--remeasure", action="store_true", help="keep the weights, measure them anew")
    ship.add_argument("--inverters", action="store_true", help="only the regressors that invert the GANs")
    ship.add_argument("--comparisons", action="store_true", help="only the VAEs and GANs of the page Mechanisms")
    return parser


def _datasets(arguments: argparse.Namespace) -> None:
    rows = []
    for name in datasets.names():
        entry = datasets.entry(name)
        rows.append(
            {
                "name": name,
                "kind": entry.kind,
                "available": datasets.available(name),
                "params": _declared(entry.params),
                "summary": entry.summary,
            }
        )
    _listing(rows, arguments.json, lambda row: "" if row["available"] else "(fetched on first use)")


def _methods(arguments: argparse.Namespace) -> None:
    rows = []
    for name in methods.names():
        method = methods.get(name)
        rows.append(
            {
                "name": name,
                "kinds": list(method.kinds),
                "params": [
                    {**row, "kinds": list(p.kinds)}
                    for row, p in zip(_declared(method.params), method.params, strict=True)
                ],
                "summary": method.summary,
            }
        )
    _listing(rows, arguments.json, lambda row: "")


def _declared(params) -> list[dict[str, Any]]:
    return [{"name": p.name, "default": p.default, "bounds": list(p.bounds), "help": p.help} for p in params]


def _listing(rows: list[dict[str, Any]], as_json: bool, remark) -> None:
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['name']:15} {row['summary']} {remark(row)}".rstrip())
        for p in row["params"]:
            low_high = "{} to {}".format(*p["bounds"])
            allowed = ", ".join(p["bounds"]) if isinstance(p["default"], str) else low_high
            print(f"    {p['name']}={p['default']}  ({allowed})  {p['help']}")


def _settings_of(items: list[str]) -> dict[str, str]:
    settings = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise BadInput(f"--set {item} is not of the form NAME=VALUE, for example --set n_components=10.")
        settings[name] = value
    return settings


def _settings(arguments: argparse.Namespace) -> dict[str, str]:
    settings = _settings_of(arguments.set)
    for name in ("epochs", "max_seconds"):
        if getattr(arguments, name) is not None:
            settings[name] = getattr(arguments, name)
    return settings


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{name}={text} is not allowed: it is a whole number.") from None


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise BadInput(f"{name}={text} is not allowed: it is a number from 0.")
    return value


def _spec(dataset: str, method: str, settings: Mapping[str, Any], seed: str) -> Spec:
    of_data = {p.name for p in datasets.entry(dataset).params}
    return specs.make(
        dataset,
        method,
        {name: value for name, value in settings.items() if name not in of_data},
        _whole(seed, "seed"),
        {name: value for name, value in settings.items() if name in of_data},
    )


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _run(spec: Spec) -> Run:
    """Fit, measure and store, with progress on standard error; resumes where an earlier call was stopped."""
    from core import worker

    store.check_writable()
    dataset = _load(spec)
    for note in dataset.notes:
        _say(note)

    def on_row(row: dict[str, Any]) -> None:
        losses = "  ".join(f"{name} {row[name]:.4g}" for name in row if name not in _NOT_LOSSES)
        _say(f"epoch {row['epoch']}  {row['seconds']:.1f} s  {row['rows_per_second']:,.0f} rows/s  {losses}")

    with jobs.held(spec, lambda: _say("Another process trains this already: waiting for its run.")) as folder:
        if folder is None:
            return store.read(store.find(spec.key))
        try:
            return worker.train(
                spec, folder, lambda: jobs.asked_for(folder), dataset=dataset, on_row=on_row, on_stage=_say
            )
        except worker.Left as left:
            worker.leave(folder)
            raise KeyboardInterrupt(f"the app asked to {left.why} this training") from None
        except BaseException as problem:
            kept = (folder / "checkpoint.safetensors").exists()
            # Going on from just before it diverged would diverge again.
            if kept and not isinstance(problem, Diverged):
                jobs.let_go(folder)
            else:
                jobs.abandon(folder, jobs.COMMAND_LINE)
            if kept and isinstance(problem, KeyboardInterrupt):
                raise KeyboardInterrupt("the same command goes on from its last checkpoint") from None
            raise


def _load(spec: Spec) -> Dataset:
    from core import experiments

    if datasets.available(spec.dataset):
        return experiments.load_dataset(spec)
    from core.datasets import download

    with download.progress_bar(datasets.entry(spec.dataset).label) as progress:
        return experiments.load_dataset(spec, progress)


_NOT_LOSSES = ("epoch", "step", "seconds", "rows_per_second", "learning_rate")


def _document(run: Run) -> dict[str, Any]:
    return {
        "key": run.key,
        "spec": run.spec.to_json(),
        "seconds": run.environment["seconds"],
        "environment": run.environment,
        "history": run.history,
        "metrics": run.metrics,
    }


def _fit(arguments: argparse.Namespace) -> None:
    run = _run(_spec(arguments.dataset, arguments.method, _settings(arguments), arguments.seed))
    if arguments.json:
        print(json.dumps(_document(run)))
    else:
        print(f"{methods.label(run.spec.method)} on {run.spec.dataset}, stored as {run.key}")
        _figures([run])


def _export(arguments: argparse.Namespace) -> None:
    packed = store.pack(store.folder_of(arguments.key))
    file = Path(arguments.file)
    try:
        with file.open("xb") as out:
            _write_whole(out, packed, file)
    except FileExistsError:
        raise BadInput(f"{file} is there already, and export replaces no file: give another name.") from None
    except OSError as error:
        raise BadInput(f"{file} can't be written ({error.strerror or error}): give another name.") from None
    print(f"{arguments.key} written to {file}, {len(packed) / 1e6:.1f} MB")


def _write_whole(out, data: bytes, file: Path) -> None:
    """Write `data` to the new `file`, open as `out`, or leave no file."""
    try:
        out.write(data)
        out.flush()
    except BaseException:
        file.unlink()
        raise


def _import(arguments: argparse.Namespace) -> None:
    file = Path(arguments.file)
    try:
        with file.open("rb") as packed:
            data = packed.read(store.LARGEST_PACKED + 1)
    except OSError as error:
        raise BadInput(f"{file} can't be read ({error.strerror or error}): give a file that export wrote.") from None
    run = store.unpack(data, check_weights=True)
    if arguments.json:
        print(json.dumps(_document(run)))
    else:
        print(f"{methods.label(run.spec.method)} on {run.spec.dataset}, stored as {run.key}")
        _figures([run])


def _compare(arguments: argparse.Namespace) -> None:
    size, settings = _whole(arguments.code_size, "code-size"), _settings(arguments)
    kind = datasets.entry(arguments.dataset).kind
    for method in arguments.methods:
        if method in methods.REFERENCES:
            raise BadInput(
                f"{methods.label(method)} maps the rows themselves and has no code size, so it is not for compare: "
                f"choose from {', '.join(methods.compared(kind))}, or fit it on its own."
            )
    # Refuse what can't be fitted before anything is. A GAN's n_components is no code size.
    if "n_components" in settings and set(arguments.methods) != {"gan"}:
        raise BadInput(
            f"--set n_components={settings['n_components']} is not for compare, whose methods have one code size: "
            "use --code-size."
        )
    wanted = {m: _spec(arguments.dataset, m, _for(m, kind, settings, size), arguments.seed) for m in arguments.methods}
    stored, problems = store.index()
    for problem in problems:
        _say(problem)
    runs = []
    for method, spec in wanted.items():
        fitting = store.pick(stored, arguments.dataset, method, size)
        if settings or arguments.seed != "0":
            fitting = [run for run in fitting if run.key == spec.key]
        runs.append(fitting[0] if fitting else _run(spec))
    if not store.same_rows(runs):
        _say(
            f"These runs were measured on different copies of {arguments.dataset}, so their figures can't be ranked: "
            "fit them again on one copy."
        )
    if arguments.json:
        print(json.dumps([_document(run) for run in runs]))
    else:
        _figures(runs)


def _for(method: str, kind: str, settings: Mapping[str, Any], n_components: int) -> dict[str, Any]:
    """`settings` that `method` declares, the others being the data set's or other methods'."""
    declared = {p.name for p in methods.get(method).params_of(kind)}
    everything = {p.name for name in methods.names(kind) for p in methods.get(name).params_of(kind)}
    chosen = {name: value for name, value in settings.items() if name in declared or name not in everything}
    return chosen if method == "gan" else {"n_components": n_components, **chosen}


_SHOWN = (
    *("squared_error", "knn_accuracy", "retrieval_precision_15", "trustworthiness", "neg_elbo"),
    *("frechet", "precision", "recall", "seconds", "weights"),
)


def _figures(runs: list[Run]) -> None:
    from core.metrics import DEFINITIONS

    for run in runs:
        print(f"\n{methods.label(run.spec.method)}  ({run.key})")
        for name in _SHOWN:
            if name in run.metrics:
                low_high = run.metrics.get(f"{name}_interval")
                interval = f"  [{low_high[0]:.4g}, {low_high[1]:.4g}]" if low_high else ""
                n = f"  n={run.metrics[f'{name}_n']}" if f"{name}_n" in run.metrics else ""
                print(f"  {DEFINITIONS[name].label:24} {run.metrics[name]:.5g} {DEFINITIONS[name].unit}{interval}{n}")


def _labelled_fraction(arguments: argparse.Namespace) -> None:
    from core import approaches, labelled, sweeps
    from core.metrics import fractions

    entry = datasets.entry(arguments.dataset)
    seeds = _whole(arguments.seeds, "seeds")
    if seeds < 1:
        raise BadInput(f"seeds={seeds} is not allowed: it is a whole number from 1.")
    wanted = labelled.cells(
        arguments.dataset,
        arguments.methods.split(",") if arguments.methods else approaches.names(entry.kind),
        [_whole(n, "labels") for n in arguments.labels.split(",")],
        range(seeds),
        _settings_of(arguments.set),
    )
    processes = _whole(arguments.processes, "processes")
    if not 1 <= processes <= 64:
        raise BadInput(f"processes={processes} is not allowed: it is a whole number from 1 to 64.")
    max_seconds = _number(arguments.max_seconds, "max-seconds")
    place = Path(arguments.into) if arguments.into else None
    _load(wanted[0].spec)
    started = time.perf_counter()

    def on_row(row: dict[str, Any]) -> None:
        _say(
            f"{approaches.get(row['method']).label}, {row['labels']:,} labels, seed {row['seed']}: "
            f"test error {row['error']:.2%}, {row['seconds']:.1f} s"
        )

    report = sweeps.run(wanted, place=place, processes=processes, max_seconds=max_seconds, on_row=on_row)
    kept = sweeps.read(arguments.dataset, None if place is None else (place,))
    for problem in (*report.problems, *kept.problems):
        _say(problem)
    _say(
        f"{report.computed} computed in {time.perf_counter() - started:.0f} s, {report.kept} kept from before, "
        f"{report.left} left out."
    )
    keys = {cell.key for cell in wanted}
    rows = [row for row in kept.rows if row["key"] in keys]
    if arguments.json:
        print(json.dumps(rows))
        return
    for name, of_count in sweeps.by_approach(rows).items():
        print(approaches.get(name).label)
        for n, of_seed in sorted(of_count.items()):
            found = fractions.estimate(of_seed)
            about = "" if found.low is None else f"  [{found.low:.2%}, {found.high:.2%}]"
            print(f"  {n:>7,} labels  {found.mean:7.2%}{about}  seeds={found.n}")


def _ship(arguments: argparse.Namespace) -> None:
    from core import comparing, ship

    if arguments.comparisons:
        comparing.ship(_say)
        return
    ship.ship(
        arguments.only,
        missing=arguments.missing,
        remeasure=arguments.remeasure,
        say=_say,
        inverters=arguments.inverters,
    )


def _workshop(arguments: argparse.Namespace) -> None:
    port = _whole(arguments.port, "port")
    if not 1 <= port <= 65535:
        raise BadInput(f"port={port} is not allowed: it is a whole number from 1 to 65535.")
    address = _local_address()
    _say(
        f"Hourglass is at http://{address}:{port} for all on this network. Nobody can delete runs, each person has "
        "one training waiting, none takes longer than a minute. Ctrl-C ends it."
    )
    options = {
        "server.address": "0.0.0.0",
        "server.port": str(port),
        "server.headless": "true",
        # What a browser calls the server, which the server checks.
        "browser.serverAddress": address,
    }
    command = [sys.executable, "-m", "streamlit", "run", str(_APP)]
    for name, value in options.items():
        command += [f"--{name}", value]
    code = subprocess.call(command, cwd=_APP.parent, env={**os.environ, "HOURGLASS_WORKSHOP": "1"})
    if code:
        raise HourglassError(f"The app ended with code {code}: see above, or try another --port.")


def _local_address() -> str:
    """This machine's address on the local network; its own where it has none. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


if __name__ == "__main__":
    sys.exit(main())
