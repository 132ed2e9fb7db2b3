"""Which draw of test rows is shown: a seed that sections share and that stands in the address."""

from __future__ import annotations

from pages.ui import choices

_LARGEST_SEED = 9999
_REFUSAL = f"The link asks for a draw of rows that is no whole number from 0 to {_LARGEST_SEED}: draw 0 is shown."


def seed(problems: list[str]) -> int:
    """What a link asks for, else what was drawn last; a sentence is added where a link asks for something else."""
    found = choices.remembered("draw") or 0
    if (asked := choices.asked("draw")) is not None:
        is_one = asked.isascii() and asked.isdecimal() and len(asked) <= len(str(_LARGEST_SEED))
        found = int(asked) if is_one else 0
        if not is_one:
            problems.append(_REFUSAL)
    choices.keep("draw", found)
    return found


def another() -> None:
    """Draw other rows: the callback of a button."""
    choices.keep("draw", ((choices.remembered("draw") or 0) + 1) % (_LARGEST_SEED + 1))
