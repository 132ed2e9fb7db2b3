"""Docstrings without their markup: what is dropped, what stays, and that no word of the text itself is lost."""

import re

from hypothesis import given
from hypothesis import strategies as st

from core.datasets.restructured_text import CODE, HEADING, PARAGRAPH, parse_blocks, strip_markup

INLINE = {
    "``x`` of :class:`~numpy.ndarray` and :func:`pkg.f`": "x of ndarray and pkg.f",
    ":ref:`the guide <user_guide>`, `here <https://a.b/c>`_, `name`_ and `other`": "the guide, here, name and other",
    r"see [1]_, **bold**, *slanted*; \*args and **kwargs": "see [1], bold, slanted; *args and **kwargs",
    "a * b * c, 2**3, x_train_, f(*args, **kwargs)": "a * b * c, 2**3, x_train_, f(*args, **kwargs)",
    r":math:`\alpha_i` and a ratio 1:2": r"\alpha_i and a ratio 1:2",
}


def test_inline_markup_is_read_as_what_it_marks():
    assert {text: strip_markup(text) for text in INLINE} == INLINE


def test_blocks_of_a_docstring():
    text = """Rank of ``a``.

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

Examples
--------
>>> f(a)
2

.. [1] A. Author, "Book".
.. _label:
"""
    assert parse_blocks(text) == [
        (PARAGRAPH, "Rank of a."),
        (PARAGRAPH, "Added in version 1.2"),
        (HEADING, "Parameters"),
        (PARAGRAPH, "a : array\n    Like:"),
        (CODE, "x = 1\n  y = 2"),
        (CODE, "x = y"),
        (PARAGRAPH, "Note: Not for\nsparse rows."),
        (HEADING, "Examples"),
        (CODE, ">>> f(a)\n2"),
        (PARAGRAPH, '[1] A. Author, "Book".'),
    ]


PIECES = ["word", "``x``", ":a:`b`", "::", ".. note::", ".. x:: y", ">>> f", "---", "*", " ", "    ", "\n", "\n\n", ":"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=40))
def test_any_text_is_read_to_its_end_and_no_word_is_lost(text):
    found = parse_blocks(text)
    assert all(kind in (HEADING, PARAGRAPH, CODE) for kind, _ in found)
    if not re.search(r"\.\. |`|<|:", text):
        plain = " ".join(part for _, part in found)
        assert plain.count("word") == text.count("word")
