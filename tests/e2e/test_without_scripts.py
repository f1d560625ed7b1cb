"""Everything works with JavaScript switched off: links and forms, one page at a time."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.person import day

LINKEDIN = Path(__file__).parent.parent / "data" / "linkedin-connections.csv"


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=lambda size: f"{size[0]}")
def alice(meet, request):
    width, height = request.param
    alice = meet("Alice", viewport={"width": width, "height": height}, java_script_enabled=False)
    alice.sign_up(f"unscripted-{width}@example.org")
    return alice


def test_everything_works_without_scripts(alice, stack):
    settings(alice)
    an_import(alice)
    two_addresses(alice)
    tries(alice)
    bring_the_day(alice, stack)
    outcomes_and_undo(alice)
    leaving(alice)


def settings(alice):
    page = alice.page
    page.goto("/settings/")
    page.get_by_label("Time zone").select_option("Europe/Vienna")
    page.get_by_label("Public holidays of").select_option("AT")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")
    expect(page.locator("#toasts")).not_to_be_empty()


def an_import(alice):
    page = alice.page
    page.goto("/people/import/")
    page.locator("input[type=file]").set_input_files(LINKEDIN)
    page.get_by_role("button", name="Look inside").click()
    page.get_by_role("button", name=re.compile(r"Add \d+ people")).click()
    result = page.get_by_role("heading", name="Welcome, everyone")
    alice.comes_up(result)
    page.goto("/people/")
    page.get_by_label("Search people").fill("brandt")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("link", name="Łukasz Brandt")).to_be_visible()
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_hidden()


def two_addresses(alice):
    page = alice.page
    page.goto("/people/new/")
    page.get_by_label("Name", exact=True).fill("Priya Raman")
    page.get_by_label("E-mail 1, e-mail address").fill("priya@example.org")
    page.get_by_role("button", name="Another address").click()
    page.get_by_label("E-mail 2, e-mail address").fill("priya@example.net")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Priya Raman")
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Priya Raman")
    expect(page.get_by_role("main")).to_contain_text("priya@example.net")


def tries(alice):
    page = alice.page
    for name in ("Priya Raman", "Amara Okafor", "Zoë van der Berg", "Łukasz Brandt"):
        page.goto("/follow-ups/log/")
        page.get_by_label("Who was it with?").fill(name)
        page.get_by_text("Left voicemail").click()
        page.get_by_role("button", name="Save").click()
        alice.sees_heading(name)
        reason = day("3 business days after your voicemail on")
        expect(page.get_by_text(reason).first).to_be_visible()
    alice.look("logged")


def bring_the_day(alice, stack):
    [(next_on,)] = stack.ask("SELECT max(next_on) FROM followups_followup WHERE state = 'active'")
    stack.days_pass((next_on - datetime.now(ZoneInfo("Europe/Vienna")).date()).days)
    alice.page.goto("/")
    alice.comes_up(alice.due("Priya Raman"))
    alice.look("today")


def outcomes_and_undo(alice):
    page = alice.page

    def done(name, says):
        expect(alice.row(name)).to_contain_text(says)
        return alice.row(name).get_by_role("button", name="Undo")

    for button, says in [
        ("No answer", day("3 business days after your call on")),
        ("Left voicemail", day("3 business days after your voicemail on")),
        ("Sent", day("3 business days after your e-mail on")),
        ("Talked", "You talked with Priya."),
        ("Replied", "Priya replied."),
    ]:
        alice.row("Priya Raman").get_by_role("button", name=button).click()
        undo = done("Priya Raman", says)
        if button != "Replied":
            undo.click()
            expect(alice.row("Priya Raman").get_by_role("button", name=button)).to_be_visible()
    for name, opener, button, says in [
        ("Amara Okafor", "Snooze Amara", "Tomorrow", "I will bring Amara back on"),
        ("Zoë van der Berg", "Snooze Zoë", "Skip this step", "after you skipped a step on"),
        ("Łukasz Brandt", "Let Łukasz rest", "Wake in 90 days", "Łukasz rests until"),
    ]:
        row = alice.row(name)
        row.get_by_role("button", name=opener).click()
        row.get_by_role("button", name=button).click()
        done(name, says)
    alice.look("a-morning-done")
    expect(page.get_by_role("heading", name="Just now")).to_be_visible()


def leaving(alice):
    page = alice.page
    if page.viewport_size["width"] < 500:
        page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Log out").locator("visible=true").click()
    page.goto("/people/")
    assert "/accounts/login/" in page.url
