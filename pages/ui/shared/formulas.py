"""Formulas whose symbols explain themselves on hover, tap or focus."""

from collections.abc import Mapping
from functools import lru_cache
from xml.etree import ElementTree

from core.lecture import mathml
from pages.ui.shared.components import get_component


def draw_formulas(formulas: tuple[str, ...], symbols: Mapping[str, str], key: str) -> None:
    """Draw LaTeX formulas; each of `symbols`, LaTeX -> explanation, is explained wherever it stands in them."""
    marked = [mark_symbols(formula, tuple(symbols)) for formula in formulas]
    data = {"formulas": marked, "symbols": list(symbols.values()), "names": list(symbols)}
    get_component("formula")(key=key, data=data)


@lru_cache(maxsize=256)
def mark_symbols(formula: str, symbols: tuple[str, ...] = ()) -> str:
    """The MathML of a LaTeX formula, with each of `symbols` in a row of its own that holds its index."""
    root = mathml.parse(formula)
    parts = [_find_parts(mathml.parse(symbol)) for symbol in symbols]
    patterns = [(k, [ElementTree.tostring(part) for part in row]) for k, row in enumerate(parts)]
    # A longer symbol, such as p(x|z), comes before the x in it.
    _mark(root, sorted(patterns, key=lambda pattern: -sum(map(len, pattern[1]))))
    return ElementTree.tostring(root, encoding="unicode")


def _find_parts(root: ElementTree.Element) -> list[ElementTree.Element]:
    """The elements of a symbol, without the rows around them."""
    parts = list(root)
    while len(parts) == 1 and parts[0].tag == "mrow":
        parts = list(parts[0])
    return parts


def _mark(parent: ElementTree.Element, patterns: list[tuple[int, list[bytes]]]) -> None:
    """Wrap every run of children that equals a pattern, (index of a symbol, its elements), in a row."""
    children, at = [], 0
    texts = [ElementTree.tostring(child) for child in parent]
    # Only in a row may several children become one.
    is_row = parent.tag in ("mrow", "math", "mstyle")
    while at < len(parent):
        for index, parts in patterns:
            if texts[at : at + len(parts)] == parts and (is_row or len(parts) == 1):
                row = ElementTree.Element("mrow", {"data-index": str(index)})
                row.extend(parent[at : at + len(parts)])
                _mark(row, [pattern for pattern in patterns if len(pattern[1]) < len(parts)])
                children.append(row)
                at += len(parts)
                break
        else:
            _mark(parent[at], patterns)
            children.append(parent[at])
            at += 1
    parent[:] = children
