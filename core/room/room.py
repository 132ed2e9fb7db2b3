"""The state of a room: where its presenter is, what its people predict, and how much time they have.

Nobody is asked for a name: a person is a random word from their browser. Everything is bounded, since it comes from
clients. All methods may be called from any thread.
"""

import hmac
import math
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from core.errors import BadInput

# The cookie that holds the presenter's key.
COOKIE = "hourglass_presenter"
MOST_PEOPLE = 200
MOST_EXERCISES = 50
LONGEST_TEXT = 80  # letters of an exercise's name and of a choice
LONGEST_QUERY = 2000  # characters of an address after its path
LONGEST_TIMER = 180.0  # minutes
_PERSON = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Place:
    """A view of the app: the path and query of its address, and what it is called."""

    path: str = ""
    query: str = ""
    label: str = ""


class Room:
    """One room; `key` is the presenter's secret, and `address` the one that people open to join."""

    def __init__(self, key: str, address: str = ""):
        self.address = address
        # Tells browsers that a restarted server is another room.
        self.name = secrets.token_hex(4)
        # Where the presenter is, and where those who follow are: the same while the presenter leads.
        self.view = self.place = Place()
        self.moved_at = time.time()
        self.is_leading = True
        self.shows_code = False
        self.ends_at: float | None = None
        self.n_following = 0
        # Views opened before people come: done, all, and the sentences of those that failed.
        self.warmed: tuple[int, int, list[str]] = 0, 0, []
        self._key = key
        # Raised when those who follow are to go to the place, and the presenter's screens to the view.
        self._version = self._own_version = 0
        # Raised when those who have left are asked to come back.
        self._calls = 0
        self._n_people = 0
        self._choices: dict[str, dict[str, str]] = {}
        self._revealed: set[str] = set()
        self._n_revealed = 0
        self._watchers: set[Callable[[], None]] = set()
        self._lock = threading.RLock()

    def is_presenter(self, key: str) -> bool:
        """Whether a person who gives this key is the presenter."""
        return hmac.compare_digest(key.encode(), self._key.encode())

    def note_view(self, view: Place, is_new: bool) -> None:
        """Note where the presenter went; if that is a new page or step, those who follow go there."""
        with self._changing():
            self._set_view(view, is_new)
            if is_new and self.is_leading:
                self._version += 1
                self._own_version += 1

    def move(self, view: Place) -> None:
        """Bring the presenter's screens to a view, and with them those who follow."""
        with self._changing():
            self._set_view(view, True)
            self._own_version += 1
            self._version += self.is_leading

    def call_everybody(self) -> None:
        """Bring all who follow to the presenter's view, and ask those who have left to come."""
        with self._changing():
            self.place = self.view
            self._version += 1
            self._own_version += 1
            self._calls += 1

    def set_leading(self, is_leading: bool) -> None:
        """Let people follow the presenter, or stay where they are until they are called."""
        with self._changing():
            self._version += is_leading and self.place != self.view
            self.is_leading = is_leading
            self._set_view(self.view, False)

    def _set_view(self, view: Place, is_new: bool) -> None:
        self.view = replace(view, query=view.query if len(view.query) <= LONGEST_QUERY else "")
        if is_new:
            self.moved_at = time.time()
        if self.is_leading:
            self.place = self.view

    def show_code(self, is_shown: bool) -> None:
        """Show the address of the room, as a QR code too, on the presenter's screens, or hide it."""
        with self._changing():
            self.shows_code = is_shown

    def start_timer(self, minutes: float) -> None:
        """Start to count down for everybody; BadInput for other than 0 < minutes <= `LONGEST_TIMER`."""
        if not 0 < minutes <= LONGEST_TIMER:
            raise BadInput(f"A timer of {minutes:g} minutes is not possible: give up to {LONGEST_TIMER:.0f} minutes.")
        with self._changing():
            self.ends_at = time.time() + 60 * minutes

    def stop_timer(self) -> None:
        with self._changing():
            self.ends_at = None

    def commit(self, exercise: str, choice: str, person: str) -> str:
        """Keep a person's prediction; returns the one that counts, which is their first.

        Raises
        ------
        BadInput
            If a text is empty or too long, the person no word of a browser, or the room full.
        """
        if not (_is_text(exercise) and _is_text(choice) and _PERSON.fullmatch(person)):
            raise BadInput("This prediction can't be read: choose one of those on the page.")
        with self._changing():
            choices = self._choices.get(exercise, {})
            if len(self._choices) >= MOST_EXERCISES and exercise not in self._choices:
                raise BadInput(f"The room holds predictions of {MOST_EXERCISES} exercises, so this one is not counted.")
            if len(choices) >= MOST_PEOPLE and person not in choices:
                raise BadInput(f"The room holds predictions of {MOST_PEOPLE} people, so this one is not counted.")
            return self._choices.setdefault(exercise, choices).setdefault(person, choice)

    def read_counts(self, exercise: str) -> dict[str, int]:
        """How many people predict each choice; choices that nobody predicts are left out."""
        with self._lock:
            return dict(Counter(self._choices.get(exercise, {}).values()))

    @property
    def exercise(self) -> str:
        """The exercise that the presenter is at, or ""."""
        return dict(parse_qsl(self.view.query)).get("exercise", "")

    def reveal(self, exercise: str) -> None:
        """Let everybody see the room's predictions for an exercise as they are now; again for later ones."""
        with self._changing():
            if _is_text(exercise) and len(self._revealed) < MOST_EXERCISES:
                self._revealed.add(exercise)
                self._n_revealed += 1

    def is_revealed(self, exercise: str) -> bool:
        return exercise in self._revealed

    def describe(self, is_presenter: bool) -> dict[str, Any]:
        """What a browser in the room is told; `seconds` are left of the timer, which may be negative."""
        with self._lock:
            place = self.view if is_presenter else self.place
            told = {
                "room": self.name,
                "version": self._own_version if is_presenter else self._version,
                "calls": self._calls,
                "shown": self._n_revealed,
                "path": place.path,
                "query": place.query,
                "label": place.label,
                "ends_at": self.ends_at,
                "now": time.time(),
            }
            if is_presenter:
                told |= {"leading": self.is_leading, "code": self.shows_code, "following": self.n_following}
                told |= {"join": self.address, "predicted": len(self._choices.get(self.exercise, {}))}
                told["warmed"] = self.warmed[:2]
            return told

    def enter(self) -> bool:
        """Let one more browser in; False if the room is full."""
        with self._lock:
            is_free = self._n_people < MOST_PEOPLE
            self._n_people += is_free
            return is_free

    def leave(self) -> None:
        with self._lock:
            self._n_people -= 1

    def count_follower(self, by: int) -> None:
        with self._changing():
            self.n_following += by

    def note_warmed(self, done: int, count: int, problems: list[str]) -> None:
        with self._changing():
            self.warmed = done, count, problems

    def watch(self, notify: Callable[[], None]) -> Callable[[], None]:
        """Call `notify` after each change; returns what ends that."""
        with self._lock:
            self._watchers.add(notify)
        return lambda: self._watchers.discard(notify)

    @contextmanager
    def _changing(self):
        with self._lock:
            yield
            watchers = list(self._watchers)
        for notify in watchers:
            # The server may be closing.
            with suppress(RuntimeError):
                notify()


def _is_text(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable()


def group_numbers(counts: Mapping[str, int], low: float, high: float, step: float, n_groups: int = 8) -> dict[str, int]:
    """Predicted numbers, as texts -> people, in groups of as many steps from `low` to `high`: ``{"0–9": 3}``."""
    size = math.ceil((round((high - low) / step) + 1) / n_groups)
    starts = range(0, round((high - low) / step) + 1, size)
    people = [0] * len(starts)
    for choice, n in counts.items():
        people[min(int((float(choice) - low) / step + 1e-9) // size, len(people) - 1)] += n
    ends = [(low + k * step, min(low + (k + size - 1) * step, high)) for k in starts]
    return {f"{lower:.6g}–{upper:.6g}": n for (lower, upper), n in zip(ends, people, strict=True)}


_open: Room | None = None


def open_room(key: str, address: str) -> Room:
    """Open the room of this process."""
    global _open
    _open = Room(key, address)
    return _open


def find_room() -> Room | None:
    """The room of this process, if it serves a workshop."""
    return _open
