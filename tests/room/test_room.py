"""A room: who is brought where, whose predictions count, and what is refused."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import BadInput
from core.room import room
from core.room.room import Place, Room

FIRST, SECOND = Place("/tour", "step=1", "step 1"), Place("/tour", "step=2", "step 2")


def told(state: Room, is_presenter: bool = False) -> tuple:
    """Version and query that a browser is told."""
    description = state.describe(is_presenter)
    return description["version"], description["query"]


def test_those_who_follow_go_where_the_presenter_goes_while_they_lead():
    state = Room("secret")
    state.note_view(FIRST, is_new=True)
    assert told(state) == told(state, True) == (1, "step=1")
    # Another choice on the same step brings nobody anywhere, but who comes later sees it.
    state.note_view(Place("/tour", "step=1&ae.seed=3"), is_new=False)
    assert told(state) == (1, "step=1&ae.seed=3")
    state.set_leading(False)
    state.move(SECOND)
    assert told(state) == (1, "step=1&ae.seed=3")
    assert told(state, True) == (2, "step=2")
    state.call_everybody()
    assert told(state) == (2, "step=2")
    state.note_view(FIRST, is_new=True)
    assert told(state) == (2, "step=2")
    state.set_leading(True)
    assert told(state) == (3, "step=1")


def test_each_change_is_told_once_and_nothing_of_the_presenters_own_to_others():
    state, heard = Room("secret", "http://here/join"), []
    unwatch = state.watch(lambda: heard.append(state.describe(False)["label"]))
    state.move(FIRST)
    unwatch()
    state.move(SECOND)
    assert heard == ["step 1"]
    assert "secret" not in json.dumps([state.describe(True), state.describe(False)])
    assert not {"following", "predicted", "leading"} & state.describe(False).keys()
    assert state.is_presenter("secret")
    assert not state.is_presenter("secreté")
    assert not state.is_presenter("")


def test_no_prediction_is_lost_and_the_first_of_a_person_counts():
    state = Room("secret")
    people = [f"{number:016x}" for number in range(120)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda person: state.commit("pca", str(int(person, 16) % 3), person), people))
        assert set(threads.map(lambda person: state.commit("pca", "9", person), people)) == {"0", "1", "2"}
    assert state.read_counts("pca") == {"0": 40, "1": 40, "2": 40}
    assert state.read_counts("vae") == {}
    state.move(Place("/exercises", "exercise=pca"))
    assert state.describe(True)["predicted"] == 120


def test_what_clients_send_is_refused_where_it_is_garbage_or_too_much(monkeypatch):
    state, person = Room("secret"), "0123456789abcdef"
    for bad in (
        ("", "1", person),
        ("pca", "x" * 81, person),
        ("pca", "1\n", person),
        ("pca", "1", "Ann"),
        (" " * 81, "1", ""),
    ):
        with pytest.raises(BadInput, match="can't be read"):
            state.commit(*bad)
    monkeypatch.setattr(room, "MOST_PEOPLE", 2)
    monkeypatch.setattr(room, "MOST_EXERCISES", 2)
    for number in range(2):
        state.commit(f"exercise {number}", "1", person)
    state.commit("exercise 0", "1", person[::-1])
    with pytest.raises(BadInput, match="predictions of 2 people"):
        state.commit("exercise 0", "1", "f" * 16)
    with pytest.raises(BadInput, match="predictions of 2 exercises"):
        state.commit("exercise 2", "1", person)
    for minutes in (0, -1, float("nan"), float("inf")):
        with pytest.raises(BadInput, match="up to 180 minutes"):
            state.start_timer(minutes)
    state.move(Place("/tour", "x" * 2001))
    assert told(state, True)[1] == ""
    assert [state.enter() for _ in range(3)] == [True, True, False]


def test_guessed_numbers_are_counted_in_groups():
    counts = room.group_numbers({"0": 1, "2.5": 2, "40": 3, "39.9": 1}, 0, 40, 1, 4)
    assert counts == {"0–10": 3, "11–21": 0, "22–32": 0, "33–40": 4}
    assert list(room.group_numbers({"0.3": 1}, 0, 1, 0.1, 4).items())[1] == ("0.3–0.5", 1)
