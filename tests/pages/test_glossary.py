"""Terms are marked where they first stand on a page, and explained on the page Glossary."""

import re

from core.lecture import glossary
from pages.ui.shared import glossary as marks
from pages.ui.shared import header
from tests.pages.driver import opened_on


def test_a_term_is_marked_once_a_page_and_again_on_the_next():
    app = opened_on("pages/mechanisms.py", experiment="elbo")
    for run in (app, app.field("elbo.spread").set_value(2.0).run()):
        text = "".join(element.proto.body for element in (*run.get("html"), *run.markdown))
        ids = re.findall(r'role="tooltip" id="hg-term-([a-z0-9-]+)"', text)
        assert {"elbo", "vae", "encoder"} <= set(ids)
        assert len(ids) == len(set(ids))


def test_marked_texts_are_escaped(monkeypatch):
    state = {}
    monkeypatch.setattr(marks.st, "session_state", state)
    shown = marks.mark_html("<b>ELBO</b> & ELBO")
    assert (shown.count("hg-term-elbo"), shown.count("<b>ELBO</b>: "), shown.startswith("&lt;b&gt;")) == (2, 1, True)
    # Another text that has the term is not marked, the same one is.
    assert marks.mark_html("ELBO again") == "ELBO again"
    assert marks.mark_html("<b>ELBO</b> & ELBO") == shown


def test_the_page_lists_all_terms_and_opens_at_one():
    opened_on(header.GLOSSARY, term="elbo").expect(
        'class="hg-look-for"', *(term.name for term in glossary.read_terms()[:5])
    )
    opened_on(header.GLOSSARY, term="<b>").expect("which is not in the glossary").lack('class="hg-look-for"')
