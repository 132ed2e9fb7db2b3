"""The routes of a room: joining, the presenter's key, and what the stream tells and refuses."""

import json
import re
import threading
import time

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from core.room import room
from core.room.room import Place
from pages.ui.room import server

COOKIE = {"Cookie": f"{room.COOKIE}=secret"}


@pytest.fixture(scope="module")
def host():
    """The routes on a free port."""
    config = uvicorn.Config(Starlette(routes=server.ROUTES), port=0, ws="websockets-sansio", log_level="error")
    served = uvicorn.Server(config)
    thread = threading.Thread(target=served.run)
    thread.start()
    while not served.started:
        time.sleep(0.01)
    yield f"127.0.0.1:{served.servers[0].sockets[0].getsockname()[1]}"
    served.should_exit = True
    thread.join()


@pytest.fixture
def state(monkeypatch):
    monkeypatch.setattr(room, "_open", None)
    return room.open_room("secret", "http://192.168.1.5:8501/join")


@pytest.fixture
def enter(host, state):
    """Open a browser's stream, from a page of this or another site."""

    def enter(headers=None, origin=f"http://{host}"):
        return connect(f"ws://{host}/room/stream", origin=origin, additional_headers=headers, open_timeout=5)

    return enter


def hear(stream):
    return json.loads(stream.recv(timeout=5))


def test_the_key_moves_from_the_link_to_a_cookie_that_no_script_reads(host, state):
    answer = requests.get(f"http://{host}/present?key=secret", allow_redirects=False)
    assert answer.headers["location"] == "/presenter"
    assert re.match("hourglass_presenter=secret; .*HttpOnly", answer.headers["set-cookie"])
    guess = requests.get(f"http://{host}/present?key=gué", allow_redirects=False)
    assert guess.headers.get("set-cookie") is None


def test_who_joins_opens_the_presenters_page_and_no_markup_of_its_address(host, state):
    state.move(Place("/tour", "step=2&x=</script>", "step 2"))
    page = requests.get(f"http://{host}/join").text
    assert r'location.replace("/tour?step=2&x=\u003c/script>")' in page
    assert requests.get(f"http://{host}/room/code.svg").headers["content-type"].startswith("image/svg")


def test_a_browser_hears_each_move_and_only_the_presenter_gives_orders(enter, state):
    with enter(COOKIE) as screen, enter() as phone:
        assert (hear(phone)["version"], hear(screen)["following"]) == (0, 0)
        phone.send("follow")
        assert hear(screen)["following"] == 1
        state.move(Place("/tour", "step=2", "step 2"))
        assert (hear(phone)["query"], hear(screen)["query"]) == ("step=2", "step=2")
        screen.send("call")
        assert hear(phone)["calls"] == 1
        phone.send("call")
        with pytest.raises(ConnectionClosed):
            hear(phone)
    assert state.describe(True)["calls"] == 1
    deadline = time.monotonic() + 5
    while state.n_following and time.monotonic() < deadline:
        time.sleep(0.01)
    assert state.n_following == 0


def test_other_sites_garbage_and_a_crowd_are_turned_away(enter, state, monkeypatch):
    with pytest.raises(InvalidStatus, match="403"), enter(origin="http://[evil"):
        pass
    with pytest.raises(InvalidStatus), enter(origin="http://evil.example"):
        pass
    for garbage in ("x" * 100_000, b"\x00"):
        with enter() as phone:
            hear(phone)
            phone.send(garbage)
            with pytest.raises(ConnectionClosed):
                hear(phone)
    monkeypatch.setattr(room, "MOST_PEOPLE", 0)
    with pytest.raises(InvalidStatus), enter():
        pass
