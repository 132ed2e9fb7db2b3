"""Data flows one way: which package may import which."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Loose modules of core: the ground that everything may stand on, and what stands on everything.
GROUND = {"types", "errors", "config", "files", "cache", "memory"}
TOP = {"__init__", "__main__", "cli", "shipped"}
# package -> the packages below it that it may import
MAY_IMPORT = {
    "room": set(),
    "datasets": set(),
    "nn": set(),
    "metrics": set(),
    "figures": {"methods"},
    "frontend": {"figures"},
    "mechanisms": {"nn", "metrics"},
    "methods": {"nn", "metrics"},
    "analysis": {"datasets", "nn", "methods", "metrics"},
    "runs": {"datasets", "nn", "methods", "analysis"},
    "experiments": {"datasets", "methods", "metrics", "analysis", "runs"},
    "tasks": {"datasets", "nn", "methods", "mechanisms", "analysis", "runs", "experiments"},
    "semi_supervised": {"datasets", "nn", "metrics", "methods", "runs", "experiments", "tasks"},
    "lecture": {
        "datasets",
        "figures",
        "analysis",
        "metrics",
        "methods",
        "mechanisms",
        "runs",
        "tasks",
        "semi_supervised",
    },
    "commands": {"lecture", "datasets", "metrics", "methods", "runs", "experiments", "tasks", "semi_supervised"},
}


def project_imports(path: Path) -> set[str]:
    """Dotted names below `core`, `pages` or `streamlit` that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert not getattr(node, "level", 0), f"{path}: imports are absolute here"
            base = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            names |= {base + alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] in ("core", "pages", "streamlit", "app")}


def test_core_imports_only_what_lies_below():
    packages = {path.name for path in (ROOT / "core").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert packages == set(MAY_IMPORT)
    for path in (ROOT / "core").rglob("*.py"):
        part = path.relative_to(ROOT / "core").parts[0].removesuffix(".py")
        assert part in MAY_IMPORT or part in GROUND | TOP, f"{path} stands in no layer"
        for name in project_imports(path):
            top, *rest = name.split(".")
            assert top == "core", f"{path} imports {name}: core knows no page and no streamlit"
            if part in MAY_IMPORT:
                assert rest[0] in {part} | GROUND | MAY_IMPORT[part], f"{path} imports {name}"
            elif part in GROUND:
                assert rest[0] in GROUND, f"{path} imports {name}"


def test_a_page_imports_other_pages_parts_only_where_it_is_said():
    """Parts of a page serve that page; what several pages need is in `shared`, which knows no page."""
    lends = {
        ("compare", "embeddings"),
        ("documents", "embeddings"),
        ("documents", "compare"),
        ("embeddings", "compare"),
        ("generation", "reconstructions"),
        ("room", "exercises"),
        ("room", "tour"),
    }
    # The pictures of the tour, in a folder of their own, may show parts of any page.
    for path in (ROOT / "pages" / "ui").glob("*/*.py"):
        for name in project_imports(path):
            top, *rest = name.split(".")
            if top == "pages" and rest[1] not in (path.parent.name, "shared"):
                assert (path.parent.name, rest[1]) in lends, f"{path} imports {name}"
