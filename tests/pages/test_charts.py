"""Elements that are drawn late: first an empty place or a still, then the element on request."""

from streamlit.testing.v1 import AppTest


def script():
    import streamlit as st

    from pages.ui.shared import charts, page_state

    page_state.enter_page("a-page")
    if charts.is_near("table", 300):
        st.markdown("the table")
    if charts.is_shown("chart"):
        st.markdown("the chart")
    else:
        charts.draw_still("chart", "<svg/>", "errors of <b>", 200)


def test_late_elements_are_drawn_on_request_and_stay():
    app = AppTest.from_function(script).run()
    assert not app.markdown
    assert 'alt="errors of &lt;b&gt;"' in app.get("html")[0].proto.body
    for name, shown in (("table", ["the table"]), ("chart", ["the table", "the chart"])):
        app.button(key=f"a-page:late/{name}").click().run()
        assert [each.value for each in app.markdown] == shown
    assert not app.get("html")
