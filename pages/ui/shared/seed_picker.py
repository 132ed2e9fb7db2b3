"""The seed of a random draw, kept in the address; sections share that of test rows."""

from __future__ import annotations

from pages.ui.shared import page_state

LARGEST_SEED = 9999
_REFUSAL = f"The link names a draw of rows that is not a whole number from 0 to {LARGEST_SEED}: draw 0 is shown."


def read_seed(problems: list[str], name: str = "draw", refusal: str = _REFUSAL) -> int:
    """The link's seed, else the last one; an invalid link adds `refusal` to `problems`."""
    seed = page_state.recall(name) or 0
    if (linked := page_state.read_link(name)) is not None:
        is_valid = linked.isascii() and linked.isdecimal() and len(linked) <= len(str(LARGEST_SEED))
        seed = int(linked) if is_valid else 0
        if not is_valid:
            problems.append(refusal)
    page_state.keep(name, seed)
    return seed


def advance_seed(name: str = "draw") -> None:
    """Take the next seed: the callback of a button."""
    page_state.keep(name, ((page_state.recall(name) or 0) + 1) % (LARGEST_SEED + 1))
