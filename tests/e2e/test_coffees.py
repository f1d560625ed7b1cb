"""Preparing a coffee on the phone, and reading it in a café without a network."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Error, expect

LOST = "net::ERR_"
# What the browser and htmx say of a request that found no network.
OF_NO_NETWORK = re.compile(f"{LOST}|htmx:(sendError|afterRequest)")
KEPT = "caches.open('coffees').then((cache) => cache.keys()).then((keys) => keys.length)"

UNSAVED = "Object.keys(sessionStorage).filter((name) => name.startsWith('typed-')).length"
ALL_SAVED = f"{UNSAVED} === 0"


@pytest.fixture(params=[390], ids=str)
def alice(meet, request):
    alice = meet("Alice", viewport={"width": request.param, "height": 844})
    alice.sign_up(f"{request.function.__name__}@example.org")
    alice.add("Aiko Tanabe")
    return alice


def test_a_coffee_from_the_first_line_to_the_cafe(alice):
    arrange(alice)
    prepare(alice)
    address = alice.page.url
    in_a_cafe(alice, address)
    nothing_is_left_behind(alice, address)


def test_words_without_a_network_outlive_a_reload(alice):
    drink(alice)
    page = alice.page
    takeaways = page.get_by_label("Takeaways, one a line")
    saved = page.get_by_text(re.compile("Saved as you type, "))
    takeaways.fill("The school needs designers.")
    expect(saved).to_be_visible()
    alice.waits_for(ALL_SAVED)
    page.context.set_offline(True)
    takeaways.fill("The school needs designers, from March on.")
    page.get_by_text("Somewhat").click()
    expect(page.get_by_role("alert")).to_contain_text("You are offline")
    assert page.evaluate(UNSAVED) == 1
    with pytest.raises(Error, match=LOST):
        page.reload()
    page.context.set_offline(False)
    page.reload()
    expect(takeaways).to_have_value("The school needs designers, from March on.")
    expect(page.get_by_label("Somewhat")).to_be_checked()
    expect(saved).to_be_visible()
    alice.waits_for(ALL_SAVED)
    page.route("**/draft/", lambda route: route.abort())
    takeaways.fill("Nobody else may read this.")
    expect(page.get_by_role("alert")).to_contain_text("That did not save.")
    assert page.evaluate(UNSAVED) == 1
    sign_out(page)
    alice.waits_for(ALL_SAVED)
    alice.troubles[:] = [each for each in alice.troubles if not OF_NO_NETWORK.search(each)]


def drink(alice):
    """Write down a coffee of today, up to the page that asks how it was."""
    page = alice.page
    page.get_by_role("link", name="Log one that was").click()
    page.get_by_role("button", name="Write it down").click()
    alice.sees_heading("Coffee with Aiko Tanabe")
    page.goto(f"{page.url}debrief/")


def arrange(alice):
    page = alice.page
    page.get_by_role("link", name="Arrange a coffee").click()
    alice.check("arrange")
    expect(page.get_by_label("Name of person 1")).to_have_value("Aiko Tanabe")
    soon = datetime.now(UTC).date() + timedelta(days=2)
    page.get_by_label("Day", exact=True).first.fill(soon.isoformat())
    page.get_by_label("Time", exact=True).first.fill("10:00")
    page.get_by_role("textbox", name="Where").fill("The Larder")
    page.get_by_role("button", name="Arrange it").click()
    alice.sees_heading("Coffee with Aiko Tanabe")


def prepare(alice):
    page = alice.page
    page.get_by_role("button", name="Who else should I listen to?").click()
    tick = page.locator("#questions .tick")
    expect(tick).to_have_text("Who else should I listen to?")
    wallet = page.get_by_role("button", name=re.compile("wallet"))
    wallet.click()
    expect(wallet).to_have_attribute("aria-pressed", "true")
    expect(wallet).to_be_focused()
    alice.check("prepare")
    page.reload()


def in_a_cafe(alice, address):
    """The page is there, says how old it is, and owns up to what it cannot save."""
    page = alice.page
    alice.waits_for(f"{KEPT}.then((count) => count > 5)")
    page.context.set_offline(True)
    page.goto(address)
    expect(page.get_by_text("No network just now. This page is as it was on")).to_be_visible()
    expect(page.locator("#questions .tick")).to_be_visible()
    route = page.get_by_role("button", name=re.compile("way there"))
    route.click()
    expect(page.get_by_role("alert")).to_contain_text("You are offline, so that is not saved yet.")
    expect(route).to_have_attribute("aria-pressed", "false")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#kept")).to_be_hidden()


def nothing_is_left_behind(alice, address):
    """Whoever uses the device next finds nothing of it."""
    page = alice.page
    sign_out(page)
    alice.waits_for(f"{KEPT}.then((count) => count === 0)")
    page.context.set_offline(True)
    with pytest.raises(Error, match=LOST):
        page.goto(address)
    alice.troubles[:] = [each for each in alice.troubles if not OF_NO_NETWORK.search(each)]


def sign_out(page):
    page.get_by_role("button", name="More").click()
    page.locator("#more").get_by_role("button", name="Log out").click()
    expect(page.locator(".signed-out")).to_be_visible()
