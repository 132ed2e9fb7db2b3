"""The end of every page: a closed drawer with the link and, if there is one, the command line."""

import pytest

from pages.ui.shared import header
from tests.pages.driver import opened_on


@pytest.mark.parametrize("page", [script for group in header.PAGES.values() for script, _, _ in group])
def test_every_page_ends_with_link_and_command(runs, page):
    app = opened_on(page)
    last = app.main.children[max(app.main.children)]
    assert last.label in (header.LINK, header.LINK_AND_COMMAND)
    assert not last.proto.expanded
    before = len(app.code_blocks())
    link, *command = app.set_state("footer").code_blocks()[before:]
    assert "?" in link
    assert len(command) == (last.label == header.LINK_AND_COMMAND)
    assert all(line.startswith("python -m core") for lines in command for line in lines.splitlines())
