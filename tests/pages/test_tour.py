"""The tour: every link opens with its choices, without training or download; steps, keys, large type."""

import pytest

from core import datasets
from pages.ui.shared import header
from pages.ui.tour import steps
from tests.pages.conftest import opened_on, shown_text

LINKS = [link for step in steps.STEPS for link in step.links]


@pytest.fixture
def only_shipped(monkeypatch, tmp_path):
    """A fresh machine: shipped runs, no data but what is embedded, no network."""
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(datasets, "fetch", lambda *_, **__: pytest.fail("The tour downloads something."))


def text(app) -> str:
    return shown_text(app).replace("\\", "")


@pytest.mark.parametrize("page", sorted({link.page for link in LINKS}))
def test_links_open_with_their_choices(page, only_shipped):
    for link in LINKS:
        if link.page == page:
            app = opened_on(page, **link.choices)
            assert [message.value for message in (*app.exception, *app.error, *app.warning)] == [], link.label
            assert {name: app.query_params[name] for name in link.choices} == link.choices, link.label


def test_steps_follow_the_lecture():
    numbers = [int(step.slides.split("–")[0]) for step in steps.STEPS if step.slides != "–"]
    assert numbers == sorted(numbers)
    assert len(steps.STEPS) >= 20


def test_buttons_and_links_open_steps():
    app = opened_on(header.TOUR)
    assert steps.STEPS[0].title in text(app)
    assert app.button(key="tour-Back").disabled
    app.button(key="tour-Next").click().run()
    assert steps.STEPS[1].title in text(app)
    assert app.query_params["step"] == "2"
    last = opened_on(header.TOUR, step=str(len(steps.STEPS)))
    assert last.button(key="tour-Next").disabled
    assert steps.STEPS[-1].title in text(last)
    for step in ("99", "x"):
        app = opened_on(header.TOUR, step=step)
        assert not app.exception
        assert "asks for the step" in app.warning[0].value
        assert steps.STEPS[0].title in text(app)


def test_other_pages_have_large_type_and_a_way_back():
    app = opened_on(header.TOUR, step="4")
    app.toggle[0].set_value(True).run()
    app.switch_page("pages/mechanisms.py").run()
    assert "font-size: 150%" in text(app)
    assert app.query_params["large"] == "yes"
    links = [link.proto.label.replace("\\", "") for link in app.get("page_link")]
    assert "Back to the tour, step 4" in links
    app.switch_page(header.TOUR).run()
    app.toggle[0].set_value(False).run()
    assert "large" not in app.query_params
    assert "font-size: 150%" not in text(app)
