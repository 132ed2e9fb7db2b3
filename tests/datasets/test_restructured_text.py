"""Docstrings without their markup: what is dropped, what stays, and that any text is read."""

from hypothesis import given
from hypothesis import strategies as st

from core.datasets.restructured_text import CODE, HEADING, PARAGRAPH, parse_blocks

INLINE = {
    "``x`` of :class:`~numpy.ndarray` and :func:`pkg.f`": "x of ndarray and pkg.f",
    ":ref:`the guide <user_guide>`, `here <https://a.b/c>`_, `name`_ and `other`": "the guide, here, name and other",
    r"see [1]_, **bold**, *slanted*; \*args and **kwargs": "see [1], bold, slanted; *args and **kwargs",
    "a * b * c, 2**3, x_train_, f(*args, **kwargs)": "a * b * c, 2**3, x_train_, f(*args, **kwargs)",
    r":math:`\alpha_i` and a ratio 1:2": r"\alpha_i and a ratio 1:2",
}
TEXT = """Rank of ``a``.

.. versionadded:: 1.2
.. index:: rank

Parameters
----------
a : array
    Like::

        x = 1
          y = 2

.. math:: x = y

.. note:: Not for
   ``sparse`` rows.

>>> f(a)
2

.. [1] A. Author, "Book".
.. _label:
"""


def test_blocks_and_inline_markup_are_read_as_what_they_mark():
    assert {text: parse_blocks(text) for text in INLINE} == {text: [(PARAGRAPH, read)] for text, read in INLINE.items()}
    assert parse_blocks(TEXT) == [
        (PARAGRAPH, "Rank of a."),
        (PARAGRAPH, "Added in version 1.2"),
        (HEADING, "Parameters"),
        (PARAGRAPH, "a : array\n    Like:"),
        (CODE, "x = 1\n  y = 2"),
        (CODE, "x = y"),
        (PARAGRAPH, "Note: Not for\nsparse rows."),
        (CODE, ">>> f(a)\n2"),
        (PARAGRAPH, '[1] A. Author, "Book".'),
    ]


PIECES = ["word", "``x``", ":a:`b`", "::", ".. note::", ".. x:: y", ">>> f", "---", "*", " ", "    ", "\n", "\n\n", ":"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=40))
def test_any_text_is_read_to_its_end(text):
    assert all(kind in (HEADING, PARAGRAPH, CODE) for kind, _ in parse_blocks(text))
