"""Choices that a page remembers, shares with other pages and writes into its address.

Each widget key is prefixed by the page, since Streamlit resets a widget whose key another page uses too. Its value is
taken from the address if that has changed, else from the widget, else from the memory of all pages, else from the
default; then it is written to address and memory.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from core.errors import BadInput, HourglassError
from pages.ui.shared.text import plain

_PAGE, _WRITTEN, _MEMORY = "hourglass.page", "hourglass.written", "hourglass.memory"
_REPLACED = "hourglass.replaced"
# For this long a browser may still send an address that the page has replaced.
LATE_SECONDS = 3.0
LARGEST_SEED = 9999
_REFUSAL = f"The link names a draw of rows that is not a whole number from 0 to {LARGEST_SEED}: draw 0 is shown."


def enter_page(page: str) -> None:
    """Note which page runs; what another page wrote into the address counts as a link's."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        trust_link()
    st.session_state.setdefault(_MEMORY, {})


def get_page() -> str:
    """The script of the page that runs."""
    return st.session_state[_PAGE]


def trust_link() -> None:
    """Take every address parameter as a link's, also those that this page wrote or replaced."""
    st.session_state[_WRITTEN], st.session_state[_REPLACED] = {}, {}


def key(name: str) -> str:
    """The widget key of choice `name` on the current page."""
    return f"{st.session_state[_PAGE]}:{name}"


def read_link(name: str) -> str | None:
    """The address parameter `name`; None if it is missing or this page wrote it itself, now or a moment ago."""
    given = st.query_params.get(name)
    replaced_at = st.session_state[_REPLACED].get((name, given), -LATE_SECONDS)
    is_own = given == st.session_state[_WRITTEN].get(name) or time.monotonic() - replaced_at < LATE_SECONDS
    return None if is_own else given


def recall(name: str) -> Any:
    """What was last chosen as `name` on any page, or None."""
    return st.session_state[_MEMORY].get(name)


def seed_widget(
    name: str,
    options: Sequence[Any],
    default: Any,
    problems: list[str],
    *,
    parse: Callable[[str], Any] = str,
    memory: str | None = None,
) -> str:
    """Set the widget of choice `name` to one of `options` before it is drawn; returns its key.

    Parameters
    ----------
    problems : takes a sentence if the address asks for another value.
    parse : address text -> an option; raises BadInput.
    memory : name under which the choice is remembered, if not `name`.
    """
    widget, given = key(name), read_link(name)
    candidates = [st.session_state.get(widget), recall(memory or name), default]
    if given is not None:
        try:
            candidates.insert(0, parse(given))
            if candidates[0] not in options:
                listed = f"one of {', '.join(map(str, options))}"
                is_range = isinstance(options, range)
                raise BadInput(
                    f"It must be {f'a whole number from {options[0]} to {options[-1]}' if is_range else listed}."
                )
        except BadInput as problem:
            problems.append(f"The link asks for the {name} “{given[:40]}”. {problem}")
    st.session_state[widget] = next((value for value in candidates if value in options), None)
    return widget


def parse_integer(text: str) -> int:
    """An integer from the address, 0 to nine digits; BadInput for any other text."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadInput("It must be a whole number.")
    return int(text)


def keep(name: str, value: Any, *, text: str | None = "", memory: str | None = None) -> None:
    """Remember a choice and write it into the address, as `text` if given; not if that is None."""
    st.session_state[_MEMORY][memory or name] = value
    text, before = str(value) if text == "" else text, st.session_state[_WRITTEN].get(name)
    if before is not None and before != text:
        st.session_state[_REPLACED][name, before] = time.monotonic()
    st.session_state[_WRITTEN][name] = text
    if text is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != text:
        st.query_params[name] = text


def keep_computed(kind: str, key: str, read: Callable[[], Any], most: int) -> Any:
    """A result kept in the session, the last `most` of a kind, else what `read` returns."""
    kept = st.session_state.setdefault(kind, {})
    if key not in kept and (value := read()) is not None:
        kept[key] = value
        while len(kept) > most:
            kept.pop(next(iter(kept)))
    return kept.get(key)


def forget(prefixes: Iterable[str]) -> None:
    """Remove address parameters that begin with one of `prefixes`; they are still remembered."""
    prefixes = tuple(prefixes)
    for name in [name for name in st.query_params if name.startswith(prefixes)]:
        del st.query_params[name]
        st.session_state[_WRITTEN].pop(name, None)


def forget_choices(names: Iterable[str]) -> None:
    """Forget what was last chosen under these names: pages open with their defaults, or a link's choices."""
    for name in names:
        st.session_state[_MEMORY].pop(name, None)


def choose_with(
    draw: Callable[..., Any],
    name: str,
    label: str,
    options: Sequence[Any],
    default: Any,
    problems: list[str],
    *,
    parse: Callable[[str], Any] = str,
    memory: str | None = None,
    **kwargs: Any,
) -> Any:
    """Draw a remembered choice with a widget; parameters as `seed_widget` and that widget."""
    widget = seed_widget(name, options, default, problems, parse=parse, memory=memory)
    chosen = draw(label, options, key=widget, **kwargs)
    keep(name, chosen, memory=memory)
    return chosen


def choose(
    name: str, label: str, options: Mapping[str, str], problems: list[str], help: str = "", **kwargs: Any
) -> str:
    """Draw a choice of few options, option -> label, of which the first is the default."""
    kwargs |= {"format_func": options.get, "required": True, "help": help or None, "wrap": True}
    return choose_with(st.segmented_control, name, label, list(options), next(iter(options)), problems, **kwargs)


def show_problems(problems: Sequence[str], most: int = 3) -> None:
    """Draw problems as warnings, at most `most` of them."""
    distinct = list(dict.fromkeys(problems))
    for problem in distinct[:most]:
        st.warning(plain(problem))
    if len(distinct) > most:
        st.warning(f"{len(distinct) - most} more problems like these.")


@contextmanager
def keep_error(name: str) -> Iterator[None]:
    """In a callback: keep an error raised inside for `show_kept_error` of the page that is drawn next."""
    try:
        yield
    except HourglassError as problem:
        st.session_state[f"hourglass.problem/{name}"] = str(problem)


def show_kept_error(name: str, otherwise: str = "") -> None:
    """Draw an error kept by `keep_error`, once, or another one."""
    if problem := st.session_state.pop(f"hourglass.problem/{name}", otherwise):
        st.error(plain(problem))


@contextmanager
def append_error(problems: list[str]) -> Iterator[None]:
    """Append the sentence of an error raised inside to `problems`."""
    try:
        yield
    except HourglassError as problem:
        problems.append(str(problem))


def read_seed(problems: list[str], name: str = "draw", refusal: str = _REFUSAL) -> int:
    """The seed of a random draw: the link's, else the last one, else 0."""
    seed = recall(name) or 0
    if (linked := read_link(name)) is not None:
        is_valid = linked.isascii() and linked.isdecimal() and len(linked) <= len(str(LARGEST_SEED))
        seed = int(linked) if is_valid else 0
        problems += [] if is_valid else [refusal]
    keep(name, seed)
    return seed


def advance_seed(name: str = "draw") -> None:
    """Take the next seed: the callback of a button."""
    keep(name, ((recall(name) or 0) + 1) % (LARGEST_SEED + 1))
