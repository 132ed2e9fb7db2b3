"""The commands that list data sets and methods."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.commands.options import Json
from core.types import Param


def list_datasets(json_only: Json = False) -> None:
    """List the data sets and their parameters."""
    rows, sources = [], {}
    for entry in map(datasets.entry, datasets.names()):
        is_here, can_fetch = datasets.is_available(entry.name), datasets.can_fetch(entry.name)
        access, params = {"available": is_here, "can_fetch": can_fetch}, [_describe_param(p) for p in entry.params]
        summary = f"{entry.label}: {entry.summary}" if entry.is_own else entry.summary
        about = {"name": entry.name, "label": entry.label, "is_own": entry.is_own, "kind": entry.kind}
        rows.append({**about, **access, "params": params, "summary": summary})
        if not is_here and can_fetch:
            sources[entry.name] = "(downloaded on first use)"
        elif not is_here:
            sources[entry.name] = "(no download: put {} in {})".format(*datasets.get_expected_files(entry.name))
    _print_list(rows, json_only, sources)


def list_methods(json_only: Json = False) -> None:
    """List the methods and their parameters."""
    rows = []
    for name in methods.names():
        method, kinds = methods.get(name), list(methods.entry(name).kinds)
        params = [{**_describe_param(param), "kinds": list(param.kinds)} for param in method.params]
        rows.append({"name": name, "kinds": kinds, "params": params, "summary": method.summary})
    _print_list(rows, json_only, {})


def _describe_param(param: Param) -> dict[str, Any]:
    return {"name": param.name, "default": param.default, "bounds": list(param.bounds), "help": param.help}


def _print_list(rows: Sequence[Mapping[str, Any]], json_only: bool, sources: Mapping[str, str]) -> None:
    if json_only:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['name']:16} {row['summary']} {sources.get(row['name'], '')}".rstrip())
        for p in row["params"]:
            allowed = ", ".join(p["bounds"]) if isinstance(p["default"], str) else "{} to {}".format(*p["bounds"])
            print(f"    {p['name']}={p['default']}  ({allowed})  {p['help']}")
