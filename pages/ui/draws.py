"""Which draw is shown: a seed that stands in the address, that of test rows being shared by sections."""

from __future__ import annotations

from pages.ui import choices

LARGEST_SEED = 9999
_REFUSAL = f"The link asks for a draw of rows that is no whole number from 0 to {LARGEST_SEED}: draw 0 is shown."


def seed(problems: list[str], name: str = "draw", refusal: str = _REFUSAL) -> int:
    """What a link asks for, else what was drawn last; `refusal` is added where a link asks for something else."""
    found = choices.remembered(name) or 0
    if (asked := choices.asked(name)) is not None:
        is_one = asked.isascii() and asked.isdecimal() and len(asked) <= len(str(LARGEST_SEED))
        found = int(asked) if is_one else 0
        if not is_one:
            problems.append(refusal)
    choices.keep(name, found)
    return found


def another(name: str = "draw") -> None:
    """Draw anew: the callback of a button."""
    choices.keep(name, ((choices.remembered(name) or 0) + 1) % (LARGEST_SEED + 1))
