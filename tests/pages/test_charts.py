"""Charts and tables: saved as they are shown, and drawn late."""

import csv
import io
import re
from html import unescape

import pandas as pd
from streamlit.testing.v1 import AppTest

from core.metrics.definitions import DEFINITIONS
from core.runs import reader, specs, store
from pages.ui.shared import export, tables
from pages.ui.shared.tables import Cell
from tests.pages.driver import ROOT, opened


def test_charts_and_tables_are_drawn_by_the_modules_that_add_save_buttons():
    charts = r"\.(plotly|line|bar|area|scatter|altair|vega_lite)_chart\b|\.pyplot\b"
    for calls, name in ((charts, "charts.py"), (r"\bst\.(dataframe|table|data_editor)\b|<table", "tables.py")):
        paths = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]
        assert [path.name for path in paths if re.search(calls, path.read_text())] == [name]


def test_a_saved_table_has_raw_numbers_intervals_and_n_in_columns():
    first = [Cell('<b>"a", b</b>', '"a", b'), Cell("1.23", 1.23456789, 1.0, 1.5, 200)]
    rows, head = [first, [Cell("c\nd", "c\nd"), tables.EMPTY]], ["Measure", "Error (nats)"]
    assert list(csv.reader(io.StringIO(tables.to_csv(head, rows)))) == [
        ["Measure", "Error (nats)", "Error (nats) low", "Error (nats) high", "Error (nats) n"],
        ['"a", b', "1.23456789", "1.0", "1.5", "200"],
        ["c\nd", "", "", "", ""],
    ]


def test_all_measures_are_saved_as_the_runs_have_them(runs):
    html = opened(data="digits", size="2").set_state("compare:measures").body_with("hg-measures")
    (saved,) = re.findall(r'data-csv="([^"]*)"', html)
    rows = {row["Measure"]: row for row in csv.DictReader(io.StringIO(unescape(saved)))}
    pca = reader.read_run(store.find_place(specs.make("digits", "pca", {"n_components": 2}).key))
    row, error = rows[DEFINITIONS["squared_error"].title], pca.metrics["squared_error"]
    shown = [float(row[f"PCA{part}"]) for part in ("", " low", " high", " n")]
    assert shown == [error.value, *error.interval, error.n]
    assert 'data-file="compare-all-measures-digits-2d"' in html


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


def test_saved_texts_are_no_formulas_of_a_spreadsheet():
    frame = pd.DataFrame({"=1+1": ["@SUM(A1)", "-5", "a", None], "self": [-1.5, 2.0, 3.0, 4.0]})
    assert export.frame_to_csv(frame) == "'=1+1,self\n'@SUM(A1),-1.5\n-5,2.0\na,3.0\n,4.0\n"
    assert export.to_csv(["+x"], [["=cmd|' /C calc'!A0"], ["+49 30"], [-1.0], ["-"], [" =x"]]) == (
        "'+x\n'=cmd|' /C calc'!A0\n+49 30\n-1.0\n-\n' =x\n"
    )


def draw_shared_chart_in_large_type():
    import streamlit as st

    from core.figures import style
    from pages.ui.shared import charts, page_state

    class Trace(dict):
        def pop(self, *names):
            assert self is not shared, "the trace of the shared figure has lost its type while others draw it"
            return super().pop(*names)

    page_state.enter_page("a-page")
    page_state.keep("large", True, text="yes")
    figure = style.make_figure("light", height=200, margin={"l": 10}).add_scatter(y=[1, 2])
    shared = figure._data[0] = Trace(figure._data[0])
    charts.draw(figure, "chart")
    assert figure.layout.height == 200
    st.markdown("drawn")


def test_large_type_leaves_the_figure_that_all_visitors_share_as_it_is():
    app = AppTest.from_function(draw_shared_chart_in_large_type).run()
    assert not app.exception
    assert app.markdown[-1].value == "drawn"
