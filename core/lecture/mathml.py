"""Formulas in LaTeX as MathML, which browsers draw and print."""

from xml.etree import ElementTree

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def to_mathml(latex: str, is_block: bool = True) -> str:
    """A formula as MathML; an unknown command raises one of the converter's own errors."""
    # Imported late: a page without formulas doesn't need it.
    from latex2mathml.converter import convert

    return convert(latex, display="block" if is_block else "inline")


def parse(latex: str) -> ElementTree.Element:
    """A formula as a tree of MathML, whose tags have no namespace."""
    root = ElementTree.fromstring(to_mathml(latex))
    for part in root.iter():
        part.tag = part.tag.removeprefix(_NAMESPACE)
    return root
