"""Errors whose text is one clear sentence for a person."""

import textwrap


class HourglassError(Exception):
    """A problem a person can act on; its text is one clear sentence, shown as it is."""


class BadInput(HourglassError, ValueError):
    """A value from outside that is not allowed; the text says what is."""


class DataUnavailable(HourglassError):
    """A data set that can't be loaded; the text says why and what to do."""


class Diverged(HourglassError):
    """A training whose numbers are no longer finite; the text names the remedy."""


class BrokenRun(HourglassError):
    """A stored run that can't be read; the text names the file and the problem."""


def describe_error(what: str, error: BaseException) -> str:
    """One sentence for an unexpected error."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text:
        # PyTorch's own errors have no type of their own everywhere.
        return f"{what} needs more memory than there is: choose a smaller network, a smaller batch or fewer rows."
    why = textwrap.shorten(f"{type(error).__name__}: {text}" if text else type(error).__name__, 300, placeholder=" …")
    return f"{what} failed in a way this program did not foresee ({why})."
