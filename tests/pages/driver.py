"""The app under AppTest: a page is opened, changed and read."""

import json
import re
from html import unescape
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
# A marked term of the glossary and its definition; the groups are the term, and what is on one line with it.
_TERM = re.compile(
    r'<span class="hg-term"><button[^>]*>(.*?)</button><span class="hg-definition".*?</span>([^<]*)</span>'
)


class Page(AppTest):
    """A page, no run of which may fail. Keys are given without the name of its script."""

    page = "app.py"

    def _run(self, *args, **kwargs):
        app = super()._run(*args, **kwargs)
        assert not app.exception
        return app

    def read_html(self) -> str:
        """All HTML and Markdown, one after the other."""
        text = "\n".join([element.proto.body for element in (*self.get("html"), *self.markdown)])
        return _TERM.sub(r"\1\2", text)

    def read_text(self) -> str:
        """All text, as people read it."""
        elements = (*self.warning, *self.error, *self.info, *self.success, *self.caption, *self.header)
        return "\n".join([self.read_html(), *(element.value for element in elements)]).replace("\\", "")

    def expect(self, *texts: str, are_shown: bool = True) -> "Page":
        shown = self.read_text()
        assert [text for text in texts if (text in shown) != are_shown] == []
        return self

    def lack(self, *texts: str) -> "Page":
        return self.expect(*texts, are_shown=False)

    def body_with(self, text: str) -> str:
        """The first HTML that has this text in it."""
        return next(element.proto.body for element in self.get("html") if text in element.proto.body)

    def query(self) -> dict[str, str]:
        return {name: value[0] if isinstance(value, list) else value for name, value in self.query_params.items()}

    def find_button(self, name: str):
        """The first button with this label or key."""
        return next(b for b in self.button if name in (b.label, b.key) or (b.key or "").endswith(f":{name}"))

    def press(self, name: str) -> "Page":
        return self.find_button(name).click().run()

    def labels(self) -> list[str]:
        return [button.label for button in self.button]

    def field(self, name: str):
        """The first widget with this label or key in which something is chosen or written."""
        kinds = ("selectbox", "multiselect", "text_input", "button_group", "select_slider", "slider", "toggle")
        widgets = (widget for kind in kinds for widget in self.get(kind))
        return next(w for w in widgets if w.label == name or (w.key or "").endswith(f":{name}"))

    def fill(self, name: str, value) -> "Page":
        return self.field(name).set_value(value).run()

    def set_state(self, key: str, value=True) -> "Page":
        """Run with this value in the session: True opens a drawer, a dictionary is what a component sends."""
        self.session_state[key if ":" in key else f"{self.page}:{key}"] = value
        return self.run()

    def charts(self) -> list[dict]:
        return [json.loads(chart.proto.spec) for chart in self.get("plotly_chart")]

    def links(self) -> list[str]:
        """Labels of the links to other pages."""
        return [link.proto.label.replace("\\", "") for link in self.get("page_link")]

    def code_blocks(self) -> list[str]:
        """The command lines and links, each of which can be copied."""
        blocks = re.findall(r'<div class="hg-code"><pre>(.*?)</pre><button', self.read_html(), re.DOTALL)
        return [unescape(text) for text in blocks]


def opened_on(page: str, **query: str) -> Page:
    """The page of this script as a link to it with these query parameters opens it."""
    app = Page(str(ROOT / "app.py"), default_timeout=60).switch_page(page)
    app.page = page
    app.query_params.update(query)
    return app.run()


def opened(**query: str) -> Page:
    """Compare, as a link with these query parameters opens it."""
    return opened_on("app.py", **query)
