"""What every page begins and ends with."""

import re
import socket

import pytest

from pages.ui.shared import header
from tests.pages.driver import opened_on


def test_browser_keeps_the_style_sheet_and_the_scripts():
    body = "".join(element.proto.body for element in opened_on(header.TOUR).get("html"))
    texts = re.findall(r"<(style|script)>(.*?)</\1>", body, re.DOTALL)
    assert sorted(name for name, _ in texts) == ["script", "script", "style"]
    assert (body.count("</style>"), body.count("</script>")) == (1, 2)
    # DOMPurify drops a style or script whose text matches this.
    assert not any(re.search(r"<[/\w!]", text) for _, text in texts)


def test_connections_to_the_server_send_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        header.send_without_delay.cache_clear()
        header.send_without_delay()
        with socket.create_connection(server.getsockname()), server.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("page", [script for group in header.PAGES.values() for script, _, _ in group])
def test_every_page_ends_with_link_and_command(runs, page):
    app = opened_on(page)
    last = app.main.children[max(app.main.children)]
    assert (last.label in (header.LINK, header.LINK_AND_COMMAND), last.proto.expanded) == (True, False)
    before = len(app.code_blocks())
    link, *command = app.set_state("footer").code_blocks()[before:]
    assert "?" in link
    assert len(command) == (last.label == header.LINK_AND_COMMAND)
    assert all(line.startswith("python -m core") for lines in command for line in lines.splitlines())
