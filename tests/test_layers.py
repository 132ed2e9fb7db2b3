"""Data flows one way: which part of the project may import which."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# part -> the parts of the project it may import, itself included
MAY_IMPORT = {
    "types": set(),
    "datasets": {"types", "datasets"},
    "networks": {"types"},
    "metrics": {"types", "metrics"},
    "figures": {"types", "figures"},
    "spectrum": {"types"},
    "linear_maps": {"types", "spectrum"},
    "training": {"types", "networks"},
    "features": {"types", "networks", "training"},
    "methods": {"types", "networks", "training", "spectrum", "linear_maps", "methods"},
    "specs": {"types", "datasets", "methods"},
    "archive": {"types"},
    "incoming": {"types", "datasets", "methods", "specs", "replay"},
    "store": {"types", "methods", "archive", "incoming"},
    "drawings": {"types"},
    "views": {"types"},
    "portable": {"types"},
    "samplers": {"types"},
    "generating": {"types", "samplers"},
    "replay": {"types", "datasets", "views", "samplers"},
    "cache": {"datasets"},
    "maps": {"types", "datasets", "metrics", "views", "cache"},
    "meanings": {"types"},
    "queries": set(),
    "computing": {"types", "datasets", "cache"},
    "rebuilding": {"types", "metrics"},
    "damage": {"types", "metrics", "rebuilding"},
    "mechanisms": {"types", "networks", "training", "metrics", "mechanisms"},
    "comparing": {"types", "cache", "computing", "mechanisms"},
    "projecting": {"types", "methods", "cache", "computing"},
    "inversion": {"types", "datasets", "networks", "training", "methods", "store", "cache", "computing"},
    "experiments": {
        "types",
        "datasets",
        "methods",
        "metrics",
        "spectrum",
        "features",
        "cache",
        "store",
        "views",
        "replay",
        "samplers",
    },
    "jobs": {"types", "store"},
    "worker": {"types", "methods", "specs", "experiments", "jobs"},
    "recipes": {"types", "datasets", "methods"},
    "approaches": {"types", "datasets", "networks", "training", "methods", "cache"},
    "labelled": {"types", "datasets", "methods", "specs", "store", "cache", "experiments", "approaches"},
    "sweeps": {"types", "datasets", "methods", "store", "computing", "approaches", "labelled"},
    "ship": {"types", "methods", "specs", "recipes", "features", "store", "experiments", "inversion"},
    "__main__": {
        "types",
        "datasets",
        "methods",
        "metrics",
        "specs",
        "store",
        "experiments",
        "ship",
        "jobs",
        "worker",
        "approaches",
        "labelled",
        "sweeps",
        "comparing",
    },
}


def project_imports(path: Path) -> set[str]:
    """Dotted names below `core`, `pages` or `streamlit` that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("core", "pages", "streamlit", "app")}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


CORE = sorted((ROOT / "core").rglob("*.py"))


@pytest.mark.parametrize("path", CORE, ids=lambda p: str(p.relative_to(ROOT)))
def test_core_imports_only_what_lies_before_it(path):
    if path == ROOT / "core" / "__init__.py":
        assert not project_imports(path)
        return
    for name in project_imports(path):
        top, *rest = name.split(".")
        assert top == "core", f"{path} imports {name}: core knows no page and no streamlit"
        if rest:
            assert rest[0] in MAY_IMPORT[part_of(path)] | {part_of(path)}, f"{path} imports {name}"


def test_every_part_of_core_has_its_rule():
    assert {part_of(path) for path in CORE} - {"__init__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sorted((ROOT / "pages" / "ui").rglob("*.py")), ids=lambda p: p.name)
def test_shared_page_parts_import_no_page(path):
    for name in project_imports(path):
        assert name.split(".")[0] != "app"
        assert not name.startswith("pages.") or name.startswith("pages.ui"), f"{path} imports {name}"


def test_figures_know_neither_torch_nor_scikit_learn():
    for path in (ROOT / "core" / "figures").glob("*.py"):
        assert not {"torch", "sklearn"} & {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
