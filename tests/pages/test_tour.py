"""The tour: every step opens what it says, without training or download; links, keys, large type."""

import pytest

from core import datasets
from pages.ui.shared import header
from pages.ui.tour import steps
from tests.pages.conftest import opened_on, shown_text

LINKS = [(step.title, link) for step in steps.STEPS for link in step.links]


@pytest.fixture
def only_shipped(monkeypatch, tmp_path):
    """A fresh machine: shipped runs, no data but what is embedded, no network."""
    monkeypatch.setenv("HOURGLASS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path / "runs"))

    def refused(*args, **kwargs):
        raise AssertionError("the tour downloads something")

    monkeypatch.setattr(datasets, "fetch", refused)


def text(app) -> str:
    return shown_text(app).replace("\\", "")


@pytest.mark.parametrize(("title", "link"), LINKS, ids=lambda value: getattr(value, "label", value))
def test_every_link_opens_with_its_choices(title, link, only_shipped):
    app = opened_on(link.page, **link.choices)
    assert not app.exception
    assert [each.value for each in app.error] == []
    assert [each.value for each in app.warning] == []
    for name, value in link.choices.items():
        assert app.query_params[name] == value, f"{title}: the page did not take {name}={value}"


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


@pytest.mark.parametrize("step", ["0", "99", "x"])
def test_link_to_unknown_step_is_refused(step):
    app = opened_on(header.TOUR, step=step)
    assert not app.exception
    assert "asks for the step" in app.warning[0].value
    assert steps.STEPS[0].title in text(app)


def test_large_type_reaches_other_pages():
    app = opened_on(header.TOUR)
    app.toggle[0].set_value(True).run()
    assert app.query_params["large"] == "yes"
    assert "font-size: 150%" in text(app)
    app.switch_page("pages/mechanisms.py").run()
    assert "font-size: 150%" in text(app)
    assert app.query_params["large"] == "yes"
    app.switch_page(header.TOUR).run()
    app.toggle[0].set_value(False).run()
    assert "large" not in app.query_params
    assert "font-size: 150%" not in text(app)


def test_the_way_back_to_the_tour_is_on_every_page():
    app = opened_on(header.TOUR, step="4")
    app.switch_page("pages/mechanisms.py").run()
    links = [link.proto.label.replace("\\", "") for link in app.get("page_link")]
    assert "Back to the tour, step 4" in links
