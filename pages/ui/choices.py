"""Choices that a page remembers, shares with other pages and keeps in its address.

A widget's key is the page's own; its value comes from the address where that has changed, else from the widget, else
from what any page remembered, else from the default; then it is written to both. Streamlit resets a widget whose key
another page uses too, hence the prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.types import BadInput
from pages.ui.text import plain

_PAGE, _WRITTEN, _MEMORY = "hourglass.page", "hourglass.written", "hourglass.memory"


def enter(page: str) -> None:
    """Say which page runs; what another page wrote into the address does not count as written by this one."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_WRITTEN] = {}
    st.session_state.setdefault(_MEMORY, {})


def key(name: str) -> str:
    """The widget key of choice `name` on the page that runs."""
    return f"{st.session_state[_PAGE]}:{name}"


def asked(name: str) -> str | None:
    """What the address says of `name`, unless this page wrote it there itself."""
    given = st.query_params.get(name)
    return None if given == st.session_state[_WRITTEN].get(name) else given


def remembered(name: str) -> Any:
    """What any page chose last under `name`, or None."""
    return st.session_state[_MEMORY].get(name)


def seed(
    name: str,
    options: Sequence[Any],
    default: Any,
    problems: list[str],
    *,
    parse: Callable[[str], Any] = str,
    memory: str | None = None,
) -> str:
    """Give the widget of choice `name` its value before it is drawn; returns its key.

    Parameters
    ----------
    options : what may be chosen.
    problems : a sentence is added where the address asks for something else.
    parse : the address's text -> an option; raises BadInput.
    memory : under what the choice is remembered, where that is not `name`.
    """
    widget, given = key(name), asked(name)
    candidates = [st.session_state.get(widget), remembered(memory or name), default]
    if given is not None:
        try:
            candidates.insert(0, _one_of(options, parse(given)))
        except BadInput as problem:
            problems.append(f"The link asks for the {name} “{given[:40]}”. {problem}")
    st.session_state[widget] = next((value for value in candidates if value in options), None)
    return widget


def _one_of(options: Sequence[Any], value: Any) -> Any:
    if value not in options:
        raise BadInput(f"{value} is not among {', '.join(map(str, options))}.")
    return value


def whole(text: str) -> int:
    """A whole number from the address, at least 0, of at most nine digits.

    Raises
    ------
    BadInput
        For any other text.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise BadInput("It is no whole number.")
    return int(text)


def keep(name: str, value: Any, *, text: str | None = "", memory: str | None = None) -> None:
    """Remember a choice and write it into the address: as `text`, as itself, or not at all where `text` is None."""
    st.session_state[_MEMORY][memory or name] = value
    text = str(value) if text == "" else text
    st.session_state[_WRITTEN][name] = text
    if text is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != text:
        st.query_params[name] = text


def forget(prefixes: Iterable[str]) -> None:
    """Take out of the address what begins with one of these; what it said is still remembered."""
    prefixes = tuple(prefixes)
    for name in [name for name in st.query_params if name.startswith(prefixes)]:
        del st.query_params[name]
        st.session_state[_WRITTEN].pop(name, None)


def segments(
    name: str,
    label: str,
    options: Mapping[str, str],
    problems: list[str],
    help: str | None = None,
    *,
    memory: str | None = None,
    **kwargs: Any,
) -> str:
    """A choice of few options, option -> what people read, the first being the default; `memory` as in `seed`."""
    memory = memory or name
    widget = seed(name, list(options), next(iter(options)), problems, memory=memory)
    chosen = st.segmented_control(
        label, options, key=widget, format_func=options.get, required=True, help=help, wrap=True, **kwargs
    )
    keep(name, chosen, memory=memory)
    return chosen


def show(problems: Sequence[str], most: int = 3) -> None:
    """Problems as warnings, a sentence each."""
    told = list(dict.fromkeys(problems))
    for problem in told[:most]:
        st.warning(plain(problem))
    if len(told) > most:
        st.warning(f"And {len(told) - most} more like these.")


def permalink() -> str:
    """The address of what is shown, to be opened elsewhere."""
    query = urlencode(st.query_params.to_dict())
    return f"{st.context.url or ''}?{query}"


def share() -> None:
    """The address of what is shown, in a drawer: the block it stands in brings a large part of the front end."""
    drawer = st.expander("Share this view", key=key("share"), on_change="rerun", icon=":material/link:")
    if drawer.open:
        drawer.code(permalink(), language=None, wrap_lines=True)
