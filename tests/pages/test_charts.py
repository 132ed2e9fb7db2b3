"""Elements that are drawn late: first an empty place or a still, then the element on request."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from core.figures import error_by_labels, svg
from pages.ui.shared import export, header


def test_browser_keeps_the_style_sheet_and_the_scripts():
    # DOMPurify drops a style or script whose text matches this.
    for text in (header._style(), header._script(), export.load_script()):
        assert not re.search(r"<[/\w!]", text.removeprefix("<script>").removesuffix("</script>"))


def script():
    import streamlit as st

    from pages.ui.shared import charts, page_state

    page_state.enter_page("a-page")
    if charts.is_near("table", 300):
        st.markdown("the table")
    if charts.is_pointed_at("chart"):
        st.markdown("the chart")
    else:
        charts.draw_still("chart", ["<svg/>"], "errors of <b>", 200)


def test_late_elements_are_drawn_on_request_and_stay():
    app = AppTest.from_function(script).run()
    assert not app.markdown
    assert 'alt="errors of &lt;b&gt;"' in app.get("html")[0].proto.body
    app.button(key="a-page:late/table").click().run()
    assert [each.value for each in app.markdown] == ["the table"]
    app.button(key="a-page:late/chart").click().run()
    assert [each.value for each in app.markdown] == ["the table", "the chart"]
    assert not app.get("html")


def lines():
    about = ((100, 20.0), (1000, 5.0))
    marks = [error_by_labels.Mark(n, e, 0.9 * e, 1.2 * e, {0: 0.95 * e, 1: 1.05 * e}) for n, e in about]
    m2 = error_by_labels.Line("m2", "M2", 4, marks[:1], published=[(100, 11.0, "Kingma")])
    return [error_by_labels.Line("network", "Network <x>", 0, marks, True), m2]


def test_still_has_the_texts_and_marks_of_the_figure():
    import xml.etree.ElementTree as ET

    figure = error_by_labels.plot_curve(lines(), 60_000, "light", counts=[100, 1000])
    root = ET.fromstring(svg.render_figure(figure, 1000, "light"))
    found = {tag: list(root.iter(f"{{http://www.w3.org/2000/svg}}{tag}")) for tag in ("text", "circle", "polyline")}
    texts = ["".join(each.itertext()) for each in found["text"]]
    assert {"Network <x>", "M2", "100", "1,000", "20", "5", figure.layout.yaxis.title.text} <= set(texts)
    # Positions are those of logarithmic axes: a tick and a mark of one value share a place.
    places = dict(zip(texts, found["text"], strict=True))
    x, y = zip(*(map(float, point.split(",")) for point in found["polyline"][0].attrib["points"].split()), strict=True)
    assert x == pytest.approx([float(places[text].attrib["x"]) for text in ("100", "1,000")], abs=0.02 * 1000)
    assert y == pytest.approx([float(places[text].attrib["y"]) - 4 for text in ("20", "5")], abs=0.2)
    n_marks = sum(len(trace.x) for trace in figure.data) + sum(t.showlegend is not False for t in figure.data)
    assert len(found["circle"]) + len(list(root.iter("{http://www.w3.org/2000/svg}polygon"))) == n_marks
