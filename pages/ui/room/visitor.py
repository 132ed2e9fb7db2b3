"""A browser's tab as the server sees it: it speaks Streamlit's protocol over a WebSocket, and draws nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0  # seconds until an answer counts as none


class Visitor:
    """A tab that opens pages of the app at `url`, one after the other."""

    def __init__(self, connection: ClientConnection, url: str):
        self._connection, self._url, self._page, self._script = connection, url, None, ""
        self._widgets: dict[str, tuple[str, Sequence[str]]] = {}

    async def open(self, page: str, query: str = "", widgets: Mapping[str, int | None] | None = None) -> str:
        """Open a view by its address; returns the query that the page has written when it is drawn.

        `page` is the path without slashes, "" for Compare; `widgets` of the page drawn last are set: the label of a
        radio -> index of its choice, or of a button -> None. RuntimeError if the page shows an error or takes longer
        than `PATIENCE`.
        """
        message = BackMsg()
        state = message.rerun_script
        state.query_string = query
        for label, value in (widgets or {}).items():
            name, options = self._widgets[label]
            widget = state.widget_states.widgets.add(id=name)
            if value is None:
                widget.trigger_value = True
            else:
                widget.string_value = options[value]
        if page != self._page:
            self._page, self._script, self._widgets = page, "", {}
        state.page_script_hash, state.page_name = self._script, "" if self._script else page
        context = state.context_info
        context.timezone, context.timezone_offset, context.locale = "UTC", 0, "en-US"
        context.url, context.is_embedded, context.color_scheme = f"{self._url}/{page}", False, "light"
        await self._connection.send(message.SerializeToString())
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._read_answer(query)
        except TimeoutError:
            raise RuntimeError(f"no answer in {PATIENCE:.0f} s from /{page}") from None

    async def _read_answer(self, query: str) -> str:
        """Take what the server sends until the run's end; returns the query that the page has written."""
        async for data in self._connection:
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self._script = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                query = message.page_info_changed.query_string
            elif kind == "delta":
                self._notice(message.delta.new_element)
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return query
        raise RuntimeError("the server closed the connection")

    def _notice(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise RuntimeError(element.exception.message)
        if kind in ("button", "radio"):
            widget = getattr(element, kind)
            self._widgets[widget.label] = widget.id, getattr(widget, "options", ())


@asynccontextmanager
async def visit(url: str, cookie: str = ""):
    """A tab of a browser with this cookie, at the server of this address."""
    # After the protocol's name a browser sends its token against forged requests, or this word while it has none.
    protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
    options = {"subprotocols": protocols, "max_size": None, "additional_headers": {"Cookie": cookie} if cookie else {}}
    stream = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    async with connect(stream, origin=url, **options) as connection:
        yield Visitor(connection, url)
