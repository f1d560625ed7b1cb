"""Making room as a person does it: a backlog settled by keyboard, a day moved with one key, a quiet
day taken and given back. The same without any scripts."""

import pytest
from playwright.sync_api import expect

PEOPLE = ["Amara Okafor", "Ida Novak", "Jonas Weber", "Lena Fischer", "Priya Raman", "Tom Adler"]
PEOPLE += [f"Person {n}" for n in range(7, 18)]
# Whoever is first in the list has waited longest; Zoë comes on the work day after tomorrow.
WAITING = """
from datetime import timedelta
from followups.calendars import calendar_for
from followups.models import FollowUp, Reminder
from netcrm.models import User
from tests.factories import make_contact, make_follow_up
user = User.objects.get(email="{email}")
user.daily_cap = 50
user.save()
today = user.today()
rows = [make_follow_up(make_contact(user, name)) for name in {people} + ["Zoë Brandt"]]
Reminder.objects.filter(owner=user).delete()
FollowUp.objects.filter(owner=user).update(next_on=None)
for n, row in enumerate(rows[:-1]):
    due_on = today - timedelta(days=40 - n)
    Reminder.objects.create(owner=user, follow_up=row, turn=row.turn, due_on=due_on)
soon = calendar_for(user).add(today, 2)
FollowUp.objects.filter(pk=rows[-1].pk).update(next_on=soon)
"""


@pytest.fixture
def unscripted(window):
    return window | {"java_script_enabled": False}


def busy(meet, stack, window, email):
    """Sign up, and let seventeen people wait."""
    alice = meet("Alice", **window)
    alice.sign_up(email)
    stack.manage("shell", "-c", WAITING.format(email=email, people=PEOPLE))
    alice.page.goto("/")
    return alice


def choice(alice, name, label):
    return alice.page.get_by_role("radiogroup", name=name).get_by_role("radio", name=label)


def test_room_is_made_by_keyboard(meet, stack, window, request):
    alice = busy(meet, stack, window, f"room-{request.node.callspec.id}@example.org")
    today_asks(alice)
    each_is_chosen_by_keyboard(alice)
    one_choice_for_all(alice)
    saved_and_undone_by_keyboard(alice)
    a_day_moves_with_one_key(alice)
    a_quiet_day(alice)


def today_asks(alice):
    page = alice.page
    expect(page.get_by_text("17 people wait, the longest since")).to_be_visible()
    alice.check("today-asks")
    page.get_by_role("link", name="Make room").first.click()
    alice.sees_heading("Make room")
    alice.check("backlog")


def each_is_chosen_by_keyboard(alice):
    page = alice.page
    for name in PEOPLE:
        expect(choice(alice, name, "Spread")).to_be_checked()
    page.keyboard.press("4")
    expect(choice(alice, "Amara Okafor", "Let go")).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("3")
    page.keyboard.press("j")
    page.keyboard.press("1")
    expect(choice(alice, "Ida Novak", "Let it rest")).to_be_checked()
    expect(choice(alice, "Jonas Weber", "Keep today")).to_be_checked()
    choice(alice, "Priya Raman", "Let go").click()  # and the keys go on from there
    page.keyboard.press("j")
    page.keyboard.press("3")
    expect(choice(alice, "Tom Adler", "Let it rest")).to_be_checked()
    expect(choice(alice, "Lena Fischer", "Spread")).to_be_checked()


def one_choice_for_all(alice):
    page = alice.page
    page.evaluate("window.isTheSamePage = true")
    for link, label in (("let go", "Let go"), ("spread", "Spread")):
        page.get_by_role("main").get_by_role("link", name=link, exact=True).click()
        expect(page.get_by_role("radio", name=label, checked=True)).to_have_count(17)
    assert page.evaluate("window.isTheSamePage")
    page.keyboard.press("k")


def saved_and_undone_by_keyboard(alice):
    page = alice.page
    page.keyboard.press("3")
    page.keyboard.press("Control+Enter")
    said = page.get_by_role("main").get_by_text("16 people come back on other days and one rests.")
    expect(said).to_be_visible()
    expect(page.get_by_text("Shall we make room?")).to_be_hidden()
    alice.check("room-made")
    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("Undone. 17 people are as before.")
    expect(page.get_by_text("17 people wait")).to_be_visible()


def a_day_moves_with_one_key(alice):
    page = alice.page
    page.get_by_role("link", name="The next two weeks").click()
    alice.sees_heading("Coming up")
    alice.check("coming")
    day = page.locator("#days section").filter(has=alice.row("Zoë Brandt"))
    planned = day.get_attribute("aria-label")
    for _ in range(16):
        page.keyboard.press("j")
    expect(alice.row("Zoë Brandt")).to_be_focused()
    for key in ",.":
        before = day.get_attribute("aria-label")
        page.keyboard.press(key)
        expect(day).not_to_have_attribute("aria-label", before)
        alice.settles()
        expect(alice.row("Zoë Brandt")).to_be_focused()
        expect(alice.row("Zoë Brandt")).to_contain_text("You moved it")
    expect(day).to_have_attribute("aria-label", planned)
    alice.row("Zoë Brandt").get_by_role("button", name="A day later").click()
    expect(day).not_to_have_attribute("aria-label", planned)
    alice.settles()
    expect(alice.row("Zoë Brandt").get_by_role("button", name="A day later")).to_be_focused()
    alice.look("moved")
    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("Undone. Zoë is as before.")
    expect(day).to_have_attribute("aria-label", planned)
    expect(alice.row("Zoë Brandt")).to_be_focused()


def a_quiet_day(alice):
    page = alice.page
    page.get_by_role("link", name="Make room").first.click()
    page.get_by_role("button", name="A quiet day").click()
    quiet = page.get_by_role("main").get_by_text("A quiet day. Nothing is asked of you until")
    expect(quiet).to_be_visible()
    expect(page.get_by_text("Shall we make room?")).to_be_hidden()
    alice.check("a-quiet-day")
    page.get_by_role("link", name="Your time off").click()
    expect(page.get_by_role("button", name="I am back")).to_be_visible()
    alice.check("time-off")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("17 people wait")).to_be_visible()
    expect(quiet).to_be_hidden()


def test_room_is_made_without_scripts(meet, stack, unscripted, request):
    alice = busy(meet, stack, unscripted, f"plain-room-{request.node.callspec.id}@example.org")
    page = alice.page
    page.get_by_role("link", name="Make room").first.click()
    page.get_by_role("main").get_by_role("link", name="let rest", exact=True).click()
    expect(page.get_by_role("radio", name="Let it rest", checked=True)).to_have_count(17)
    choice(alice, "Tom Adler", "Let go").check()
    page.get_by_role("button", name="Save").click()
    said = "16 people rest and one is let go."
    expect(page.get_by_role("main").get_by_text(said)).to_be_visible()
    page.get_by_role("button", name="Undo all of it").click()
    expect(page.get_by_text("17 people wait")).to_be_visible()
    page.goto("/follow-ups/coming/")
    alice.row("Zoë Brandt").get_by_role("button", name="A day later").click()
    expect(alice.row("Zoë Brandt")).to_contain_text("You moved it")
    alice.row("Zoë Brandt").get_by_role("button", name="Undo").click()
    expect(alice.row("Zoë Brandt")).not_to_contain_text("You moved it")
    page.goto("/follow-ups/backlog/")
    page.get_by_role("button", name="Take these days off").click()
    assert page.url.endswith("/backlog/")  # the browser asks for the dates
    page.get_by_role("button", name="A hard week").click()
    expect(page.get_by_role("main").get_by_text("A hard week. Nothing is asked")).to_be_visible()
    page.get_by_role("link", name="Your time off").click()
    page.get_by_role("button", name="I am back").click()
    alice.sees_heading("Coming up")
    page.goto("/")
    expect(page.get_by_text("Nothing is asked of you")).to_be_hidden()
