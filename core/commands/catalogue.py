"""The commands that list data sets and methods."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.commands.options import Json
from core.types import Param


def list_datasets(json_only: Json = False) -> None:
    """List the data sets and their parameters."""
    rows = []
    for entry in map(datasets.entry, datasets.names()):
        access = {"available": datasets.is_available(entry.name), "can_fetch": datasets.can_fetch(entry.name)}
        params = [_describe_param(param) for param in entry.params]
        rows.append({"name": entry.name, "kind": entry.kind, **access, "params": params, "summary": entry.summary})
    _print_list(rows, json_only, _describe_source)


def _describe_source(row: Mapping[str, Any]) -> str:
    if row["available"]:
        return ""
    if row["can_fetch"]:
        return "(downloaded on first use)"
    return "(no download: put {} in {})".format(*datasets.get_expected_files(row["name"]))


def list_methods(json_only: Json = False) -> None:
    """List the methods and their parameters."""
    rows = []
    for name in methods.names():
        method, kinds = methods.get(name), list(methods.entry(name).kinds)
        params = [{**_describe_param(param), "kinds": list(param.kinds)} for param in method.params]
        rows.append({"name": name, "kinds": kinds, "params": params, "summary": method.summary})
    _print_list(rows, json_only, lambda row: "")


def _describe_param(param: Param) -> dict[str, Any]:
    return {"name": param.name, "default": param.default, "bounds": list(param.bounds), "help": param.help}


def _print_list(
    rows: Sequence[Mapping[str, Any]], json_only: bool, describe: Callable[[Mapping[str, Any]], str]
) -> None:
    if json_only:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['name']:15} {row['summary']} {describe(row)}".rstrip())
        for p in row["params"]:
            allowed = ", ".join(p["bounds"]) if isinstance(p["default"], str) else "{} to {}".format(*p["bounds"])
            print(f"    {p['name']}={p['default']}  ({allowed})  {p['help']}")
