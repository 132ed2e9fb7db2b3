"""The browser's Back leads from a page to the one before, whatever was chosen in between."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import DRAWN


def heading(page, name):
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=DRAWN)
    expect(page.get_by_text(re.compile("^Link (to this view|and command line)$"))).to_be_visible(timeout=DRAWN)


def test_back_leads_to_the_page_before_and_to_what_was_looked_at_there(visit):
    page = visit("?data=digits&size=10")
    page.get_by_role("link", name="Reconstructions").click()
    heading(page, "Reconstructions")
    page.get_by_role("radio", name="Error by class", exact=True).click()
    expect(page).to_have_url(re.compile("section=classes"), timeout=DRAWN)
    page.get_by_role("link", name="Generation").click()
    heading(page, "Generation")
    page.go_back()
    heading(page, "Reconstructions")
    expect(page.get_by_role("radio", name="Error by class", exact=True)).to_be_checked(timeout=DRAWN)
    page.go_back()
    heading(page, "Compare")
    assert page.noise == []
