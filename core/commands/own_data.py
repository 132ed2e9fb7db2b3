"""The commands that check, add, rename, export and delete a person's own tables."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core import config, datasets
from core.commands.options import Json, ZipFile, find_dataset, find_own_datasets, say
from core.errors import BadInput

_FILE = typer.Argument(metavar="FILE", show_default=False, help="A table, an exported data set, or a run's zip file.")
OwnName = Annotated[str, typer.Argument(metavar="DATASET", show_default=False, help="Name or label of own data.")]
_COLUMN = {"metavar": "COL", "show_default": False}


def import_file(
    file: Annotated[Path, _FILE],
    check: Annotated[
        bool, typer.Option("--check", help="Print what is in the file and what is wrong with it.")
    ] = False,
    name: Annotated[str | None, typer.Option(metavar="N", help="What pages call the data set.")] = None,
    label: Annotated[str | None, typer.Option(**_COLUMN, help="The column with the classes, or “none”.")] = None,
    id: Annotated[str | None, typer.Option("--id", **_COLUMN, help="A column that identifies rows.")] = None,
    group: Annotated[str | None, typer.Option(**_COLUMN, help="A column; rows of one value stay together.")] = None,
    split: Annotated[str | None, typer.Option(**_COLUMN, help="The column that says train or test.")] = None,
    bins: Annotated[int | None, typer.Option(metavar="N", help="Divide a label of numbers into N classes.")] = None,
    test_size: Annotated[float | None, typer.Option(metavar="S", help="Share of the test rows, 0.05 to 0.5.")] = None,
    drop: Annotated[list[str] | None, typer.Option(**_COLUMN, help="Leave out a column; can be repeated.")] = None,
    missing: Annotated[str | None, typer.Option(help="Missing cells: median or drop.")] = None,
    scale: Annotated[str | None, typer.Option(help="Numbers: standard, min-max, robust or none.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="S", help="Seed of the split.")] = None,
    part: Annotated[str | None, typer.Option(help="The sheet, array or packed file to read.")] = None,
    json_only: Json = False,
) -> None:
    """Add a table as a data set of your own, or store the run in a zip file; --check only looks at a table."""
    from core.commands import runs
    from core.runs import transfer

    content = _read(file)
    if transfer.is_run(content):
        runs.import_run(content, json_only)
        return
    from core.datasets.own import checks, recipe, store

    if store.is_packed(content):
        _print_added(store.unpack(content), json_only)
        return
    settings = {"test_size": test_size, "missing": missing, "scale": scale, "seed": seed, "bins": bins}
    settings = {option: value for option, value in settings.items() if value is not None}
    roles = {"label": label, "id": id, "group": group, "split": split}
    brought = store.read_file(content, file.name, part=part or "")
    if part and brought.table.part != part:
        parts = f"it has {', '.join(brought.table.parts):.400}" if brought.table.parts else "it has no parts"
        raise BadInput(f"{file.name} has no part {part:.80}: {parts}.")
    found = _assign_roles(brought.columns, roles, drop or ())
    made = recipe.make_recipe(found, brought.table.format, brought.table.part, **settings)
    problems = checks.find_problems(brought.table, found, has_bins=bool(made.bins))
    if check:
        _print_check(brought, found, problems, json_only)
        return
    added = store.add(content, file.name, brought.table, made, name or "")
    for problem in problems:
        say(problem.text)
    _print_added(added, json_only)


def _print_added(name: str, json_only: bool) -> None:
    entry = datasets.entry(name)
    if json_only:
        print(json.dumps({"name": name, "label": entry.label, "rows": entry.rows, "n_features": len(entry.blocks)}))
    else:
        print(f"{entry.label} is added as {name}: {entry.rows[0]:,} train and {entry.rows[1]:,} test rows.")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(config.upload_limit() + 1)
    except OSError as error:
        raise BadInput(f"{file} can't be read ({error.strerror or error}): give a file with a table.") from None
    if len(content) > config.upload_limit():
        most = config.upload_limit() / 1e6
        raise BadInput(f"{file} has more than {most:,.0f} MB: set HOURGLASS_UPLOAD_MB to a larger number of megabytes.")
    return content


def _assign_roles(found: Sequence[Any], roles: dict[str, str | None], drop: Sequence[str]) -> list[Any]:
    """The columns with the roles of the options; a role that is given is taken from the column that had it."""
    from dataclasses import replace

    from core.datasets.own.columns import IGNORED
    from core.datasets.own.roles import release

    names = [column.name for column in found]
    given = [*filter(None, roles.values()), *drop]
    for wanted in given:
        if wanted not in names and wanted != "none":
            raise BadInput(f"There is no column {wanted:.80}: the file has {', '.join(names):.400}.")
        if wanted in names and given.count(wanted) > 1:
            raise BadInput(f"The column {wanted:.80} is given twice: give it one role, or leave it out.")
    assigned = []
    for column in found:
        role = release(column).role if roles.get(column.role) is not None else column.role
        role = next((name for name, wanted in roles.items() if wanted == column.name), role)
        assigned.append(replace(column, role=IGNORED if column.name in drop else role))
    return assigned


def _print_check(brought: Any, found: Sequence[Any], problems: Sequence[Any], json_only: bool) -> None:
    if json_only:
        described = [vars(column) for column in found]
        print(
            json.dumps(
                {"rows": len(brought.table.frame), "columns": described, "problems": [vars(p) for p in problems]}
            )
        )
        return
    print(f"{len(brought.table.frame):,} rows, {len(found):,} columns")
    if form := brought.table.format:
        header = "a header" if form.has_header else "no header"
        print(f"Text in {form.encoding}, delimiter {form.delimiter!r}, decimal mark {form.decimal!r}, {header}")
    width = min(40, max(len(column.name) for column in found))
    print(f"\n{'column':{width}}  {'type':10}  {'role':8}  {'missing':>8}  {'distinct':>8}")
    for c in found:
        print(f"{c.name:{width}.{width}}  {c.type:10}  {c.role:8}  {c.n_missing:8,}  {c.n_distinct:8,}")
    for number, problem in enumerate(problems, 1):
        print(f"{number}. {problem.text}" if number > 1 else f"\n{number}. {problem.text}")


def export(
    what: Annotated[str, typer.Argument(metavar="KEY", show_default=False, help="Key of a run, or an own data set.")],
    file: ZipFile,
) -> None:
    """Write a stored run, or an own data set with its recipe, to a new zip file."""
    from core.commands import runs
    from core.datasets.own import store

    if own := _find_own(what):
        runs.write_new_file(file, lambda: store.pack(own), datasets.entry(own).label)
    else:
        runs.export_run(what, file)


def rename(
    dataset: OwnName,
    label: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="What pages shall call it.")],
) -> None:
    """Rename an own data set."""
    from core.datasets.own import store

    name = _get_own(dataset)
    before = datasets.entry(name).label
    store.rename(name, label)
    print(f"{before} is called {datasets.entry(name).label} now.")


def delete(
    dataset: OwnName, yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False
) -> None:
    """Delete an own data set and all runs on it."""
    from core.tasks import own_datasets

    name = _get_own(dataset)
    label, n_runs = datasets.entry(name).label, len(own_datasets.list_run_places(name))
    of_runs = f" and {n_runs:,} {'run' if n_runs == 1 else 'runs'} on it" if n_runs else ""
    if not yes and not (sys.stdin and sys.stdin.isatty()):
        raise BadInput(f"{label} ({name}){of_runs} would be deleted: give --yes to delete it.")
    if not yes and not typer.confirm(f"Delete {label} ({name}){of_runs}?", err=True):
        say("Nothing is deleted.")
        return
    own_datasets.remove(name)
    print(f"{label}{of_runs} {'are' if n_runs else 'is'} deleted.")


def _get_own(given: str) -> str:
    if name := _find_own(given):
        return name
    if datasets.is_known(given):
        raise BadInput(f"{datasets.entry(given).label} came with the project: only own data can be renamed or deleted.")
    raise BadInput(f"You have no data set {given:.80}: the command datasets lists them.")


def _find_own(given: str) -> str:
    """The name of the own data set with this name or label, "" without one; BadInput if several have it."""
    return find_dataset(given) if find_own_datasets(given) else ""
