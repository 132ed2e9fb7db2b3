"""A room in two browsers: who joins follows the presenter until they leave, and sees the bar and nothing of the key."""

import re

import pytest
from playwright.sync_api import expect

from core.room import room
from pages.ui.tour import steps
from tests.browser.conftest import DRAWN, ROOT, Server
from tests.browser.test_look import LOOK, TAGS, check_accessible

KEY = "k3y-0f-the-presenter"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """`make workshop`, without opening all views beforehand."""
    monkeypatch.setenv("HOURGLASS_WORKSHOP", "1")
    monkeypatch.setenv("HOURGLASS_PRESENTER_KEY", KEY)
    with Server(tmp_path / "runs", tmp_path, ROOT, ("pages/ui/room/workshop.py", "--", "--cold")) as server:
        yield server


def at(step: int) -> re.Pattern:
    """The address of a step, which may go on with its choices."""
    return re.compile(rf"/tour\?step={step}(&|$)")


def check(page) -> None:
    page.evaluate("source => void (0, eval)(source)", LOOK)
    check_accessible(page, page.url, TAGS)


def test_a_phone_follows_the_notes_leaves_and_comes_back(visit):
    notes = visit(f"present?key={KEY}", drawn="Show how to join")
    assert notes.url.endswith("/presenter")
    notes.locator(".st-key-tour-Next button").click()
    expect(notes.get_by_role("heading", name="2. ")).to_be_visible(timeout=DRAWN)
    phone = visit("join", 390, 844, drawn="Link to this view")
    bar = phone.get_by_role("region", name="Room")
    expect(bar.get_by_role("status")).to_have_text("You follow the presenter.")
    assert at(2).search(phone.url)
    check(phone)
    notes.locator(".st-key-tour-Next button").click()
    phone.wait_for_url(at(3), timeout=DRAWN)
    expect(phone.get_by_role("heading", name=steps.STEPS[2].title)).to_be_visible(timeout=DRAWN)
    bar.get_by_role("button", name="Leave").click()
    expect(bar.get_by_role("status")).to_have_text("You left the presenter.")
    notes.locator(".st-key-tour-Next button").click()
    notes.get_by_role("button", name="Everybody look here").click()
    expect(bar.get_by_role("status")).to_contain_text("asks everybody to look at step 4")
    assert at(3).search(phone.url)
    bar.get_by_role("button", name="Come back").click()
    phone.wait_for_url(at(4), timeout=DRAWN)
    assert KEY not in phone.content() + notes.content() + str(phone.context.cookies())
    assert room.COOKIE not in notes.evaluate("document.cookie")
    phone.goto(re.sub("/tour.*", "/presenter", phone.url))
    expect(phone.get_by_text("This page is for the presenter.")).to_be_visible(timeout=DRAWN)
    check(notes)
