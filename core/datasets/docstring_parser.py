"""Parses the docstrings of an installed library's source; as a script, it prints them as JSON lines.

Source is parsed, never imported, and with the standard library alone, so that the script runs in a bare interpreter.
"""

import ast
import gc
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path

SKIPPED = frozenset({"tests", "testing", "conftest", "externals", "vendored", "benchmarks", "distutils"})
CODE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_public(name: str) -> bool:
    return not name.startswith("_")


def is_internal(library: Path, folder: Path) -> bool:
    """Whether a private folder contains no public names: in PyTorch, or directly below a library but ``numpy/_core``.

    Below a subpackage a private folder usually defines its public names (``sklearn/linear_model/_glm``).
    """
    if is_public(folder.name) or (library.name, folder.name) == ("numpy", "_core"):
        return False
    return library.name == "torch" or folder.parent == library


def list_source_files(library: Path, folder: Path) -> Iterator[Path]:
    """Python files below `folder` by name, without tests, bundled libraries and internals."""
    for path in sorted(folder.iterdir()):
        if path.stem in SKIPPED:
            continue
        if path.is_dir() and not is_internal(library, path):
            yield from list_source_files(library, path)
        elif path.suffix == ".py":
            yield path


def get_dotted_name(library: Path, path: Path) -> str:
    """Dotted name up to the first private part: ``sklearn/decomposition/_pca.py`` is ``sklearn.decomposition``."""
    parts = path.relative_to(library.parent).with_suffix("").parts
    private = (i for i, part in enumerate(parts) if not is_public(part))
    return ".".join(parts[: next(private, len(parts))])


def iterate_docstrings(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    """Qualified name and docstring of each public class, function and method of `body`, in order."""
    for node in body:
        if isinstance(node, CODE) and is_public(node.name):
            name = f"{prefix}.{node.name}"
            yield name, ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef):
                yield from iterate_docstrings(node.body, name)
        elif isinstance(node, ast.Expr):
            yield from parse_registration(node.value, prefix)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield from parse_registration(node.value, prefix, node.targets[0].id)


def parse_registration(node: ast.expr, prefix: str, assigned: str | None = None) -> Iterator[tuple[str, str]]:
    """Name and docstring that ``add_newdoc``, ``add_docstr`` or ``add_docstr_all`` gives to compiled code."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return
    function = ast.unparse(node.func).rpartition(".")[2].lstrip("_")
    if function not in ("add_newdoc", "add_docstr", "add_docstr_all"):
        return
    owner, given = node.args[-2:]
    name = assigned or (owner.value if isinstance(owner, ast.Constant) else ast.unparse(owner).rpartition(".")[2])
    if function == "add_docstr_all":
        name = f"Tensor.{name}"
    if isinstance(given, ast.Tuple) and len(given.elts) == 2:
        name, given = f"{name}.{get_text(given.elts[0])}", given.elts[1]
    if is_public(name):
        yield f"{prefix}.{name}", inspect.cleandoc(get_text(given))


def get_text(node: ast.expr) -> str:
    """Text of an expression: a literal, a sum of literals, or the object of ``.format``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp):
        return get_text(node.left) + get_text(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return get_text(node.func.value)
    return ""


def harvest(library: Path) -> Iterator[dict[str, str]]:
    """One ``{"package", "name", "text"}`` a docstring, in the order of the source."""
    for path in list_source_files(library, library):
        package = get_dotted_name(library, path.parent)
        for name, text in iterate_docstrings(ast.parse(path.read_bytes()).body, get_dotted_name(library, path)):
            if text:
                yield {"package": package, "name": name, "text": text}


if __name__ == "__main__":
    gc.disable()
    for row in harvest(Path(sys.argv[1])):
        print(json.dumps(row))
