"""What every page begins with."""

import re
import socket

from pages.ui.shared import export, header


def test_browser_keeps_the_style_sheet_and_the_scripts():
    # DOMPurify drops a style or script whose text matches this.
    for text in (header._style(), header._script(), export.load_script()):
        assert not re.search(r"<[/\w!]", text.removeprefix("<script>").removesuffix("</script>"))


def test_connections_to_the_server_send_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        header.send_without_delay.cache_clear()
        header.send_without_delay()
        with socket.create_connection(server.getsockname()), server.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
