"""Routes of a room beside Streamlit's own: joining, presenting, and the stream that tells browsers where to go."""

import asyncio
import io
import json
import secrets
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config as options

from core import config
from core.room import room
from pages.ui.room import warm_up

APP = Path(__file__).parents[3] / "app.py"
_REFUSED, _FULL = 1008, 1013
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@asynccontextmanager
async def open_room(app):
    """Open the room while the server runs, and at its beginning every view."""
    host, port = (options.get_option(name) for name in ("browser.serverAddress", "server.port"))
    key = config.presenter_key() or secrets.token_urlsafe(16)
    state = room.open_room(key, f"http://{host}:{port}/join")
    is_cold = "--cold" in sys.argv
    warming = None if is_cold else asyncio.create_task(warm_up.open_views(state, f"http://127.0.0.1:{port}"))
    yield {}
    if warming:
        warming.cancel()


async def _join(request: Request) -> Response:
    """Let a browser's tab follow the presenter, and open their page in it."""
    place = room.find_room().place
    address = json.dumps(f"{place.path or '/'}?{place.query}").replace("<", r"\u003c")
    script = f"sessionStorage.setItem('hourglass.follows', 'yes'); location.replace({address});"
    return HTMLResponse(f"<!doctype html><title>Hourglass</title><script>{script}</script>", headers=_PRIVATE)


async def _present(request: Request) -> Response:
    """Let the browser with the presenter's key be the presenter's: the key moves from the address to a cookie."""
    key = request.query_params.get("key", "")
    answer = RedirectResponse("/presenter", status_code=303, headers=_PRIVATE)
    if room.find_room().is_presenter(key):
        answer.set_cookie(room.COOKIE, key, httponly=True, samesite="strict")
    return answer


async def _draw_code(request: Request) -> Response:
    """A QR code of the address to join, as SVG."""
    picture = io.BytesIO()
    segno.make_qr(room.find_room().address).save(picture, kind="svg", scale=8, border=3, dark="#000", light="#fff")
    return Response(picture.getvalue(), media_type="image/svg+xml")


async def _tell(socket: WebSocket) -> None:
    """Tell a browser the state of the room now and after each change, and hear whether it follows."""
    state = room.find_room()
    is_presenter = state.is_presenter(socket.cookies.get(room.COOKIE, ""))
    host = socket.headers.get("host")
    if socket.headers.get("origin") not in (f"http://{host}", f"https://{host}"):
        await socket.close(_REFUSED)
    elif not state.enter():
        await socket.close(_FULL)
    else:
        await socket.accept()
        changed, loop = asyncio.Event(), asyncio.get_running_loop()
        unwatch = state.watch(lambda: loop.call_soon_threadsafe(changed.set))
        sender = asyncio.create_task(_send_changes(socket, state, changed, is_presenter))
        try:
            await _hear(socket, state, is_presenter)
        finally:
            sender.cancel()
            unwatch()
            state.leave()


async def _send_changes(socket: WebSocket, state: room.Room, changed: asyncio.Event, is_presenter: bool) -> None:
    before = None
    while True:
        changed.clear()
        told = state.describe(is_presenter)
        if (compared := {name: value for name, value in told.items() if name != "now"}) != before:
            await socket.send_text(json.dumps(told))
            before = compared
        await changed.wait()


async def _hear(socket: WebSocket, state: room.Room, is_presenter: bool) -> None:
    """Act on a browser's words until it leaves; any other word ends the connection."""
    follows = False
    orders = {
        "call": state.call_everybody,
        "lead": lambda: state.set_leading(True),
        "stay": lambda: state.set_leading(False),
        "hide code": lambda: state.show_code(False),
    }
    try:
        while (word := await socket.receive_text()) in ("follow", "leave") or (is_presenter and word in orders):
            if word in orders:
                orders[word]()
            elif follows != (word == "follow"):
                follows = not follows
                state.count_follower(1 if follows else -1)
        await socket.close(_REFUSED)
    except (WebSocketDisconnect, KeyError):
        # KeyError: bytes were sent instead of text.
        pass
    finally:
        state.count_follower(-follows)


ROUTES = [
    Route("/join", _join),
    Route("/present", _present),
    Route("/room/code.svg", _draw_code),
    WebSocketRoute("/room/stream", _tell),
]
