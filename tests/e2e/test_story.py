"""The main job, end to end, as a person does it: a contact file in, the right people on Today,
the digest in the mailbox. On a laptop and on a phone, light and dark, in real Chromium."""

import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.e2e.person import IN_BACKGROUND, day

LINKEDIN = Path(__file__).parent.parent / "data" / "linkedin-connections.csv"
VIENNA = ZoneInfo("Europe/Vienna")


@pytest.fixture
def alice(meet, window, request):
    alice = meet("Alice", **window)
    alice.page.goto("/accounts/login/")
    alice.check("login")
    alice.page.goto("/accounts/signup/")
    alice.check("signup")
    alice.sign_up(f"alice-{request.node.callspec.id}@example.org")
    alice.check("first-visit")
    return alice


def test_a_contact_file_in_the_right_people_on_today_the_digest_in_the_mailbox(
    alice, meet, window, stack
):
    set_up_her_days(alice)
    import_her_connections(alice)
    add_priya_by_hand(alice)
    log_a_voicemail_by_keyboard_alone(alice)
    for name in ("Amara Okafor", "Zoë van der Berg", "Łukasz Brandt", "Tom Adler", "Ida Novak"):
        log_a_voicemail(alice, name)
    the_day_comes(alice, stack)
    each_outcome_answers_in_place(alice)
    what_is_left_waits_until_the_next_day(alice, stack)
    the_digest_comes_and_its_link_logs_without_a_login(alice, meet, window, stack)
    nobody_else_sees_any_of_it(alice, meet, window)


def set_up_her_days(alice):
    page = alice.page
    page.goto("/settings/")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")
    expect(page.get_by_text("in Europe/Vienna")).to_be_visible()
    page.get_by_label("Public holidays of").select_option(label="Austria")
    work_days, digest_days = page.get_by_role("group").all()[:2]
    for name in ("Saturday", "Sunday"):
        expect(work_days.get_by_label(name)).not_to_be_checked()
        digest_days.get_by_label(name).check()
    page.locator("#id_digest_hour").select_option("6")
    alice.check("settings")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#id_digest_hour")).to_have_value("6")
    expect(page.locator("#id_country")).to_have_value("AT")
    expect(page.locator("#toasts")).to_contain_text(re.compile("saved", re.I))


def import_her_connections(alice):
    page = alice.page
    page.goto("/people/import/")
    alice.check("import")
    page.locator("input[type=file]").set_input_files(LINKEDIN)
    page.get_by_role("button", name="Look inside").click()
    alice.sees_heading("Before anything is added")
    expect(page.get_by_role("heading", name="New people")).to_be_visible()
    alice.check("import-preview")
    confirm = page.get_by_role("button", name=re.compile(r"Add \d+ people"))
    added = re.search(r"\d+", confirm.inner_text())[0]
    confirm.click()
    expect(page.get_by_text(f"{added} people added")).to_be_visible(timeout=IN_BACKGROUND)
    alice.check("import-result")
    page.goto("/people/")
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_visible()
    alice.check("people")
    page.get_by_label("Search people").fill("lukasz")
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_hidden()
    expect(page.get_by_role("link", name="Łukasz Brandt")).to_be_visible()


def add_priya_by_hand(alice):
    page = alice.page
    page.goto("/people/new/")
    page.get_by_label("Name", exact=True).fill("Priya Raman")
    page.get_by_label("Role").fill("Head of data")
    page.get_by_label("Organisation").fill("Umbra Games")
    lines = {
        "Another address": ("E-mail {}, e-mail address", "priya@example.org", "priya@example.net"),
        "Another number": ("Phone {}, number", "+43 660 1234567", "+43 1 514440"),
        "Another link": ("Links {}, link", "example.org/priya", "https://example.net/in/priya"),
    }
    for another, (label, first, second) in lines.items():
        page.get_by_label(label.format(1)).fill(first)
        page.get_by_role("button", name=another).click()
        page.get_by_label(label.format(2)).fill(second)
        expect(page.get_by_label(label.format(1))).not_to_have_value("")
    alice.check("add-a-person")
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Priya Raman")
    for written in ("priya@example.org", "priya@example.net", "+43 660 1234567"):
        expect(page.get_by_role("main")).to_contain_text(written)
    alice.check("a-new-person")


def log_a_voicemail_by_keyboard_alone(alice):
    page = alice.page
    page.goto("/")
    started = time.monotonic()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog", name="Log something")).to_be_visible()
    page.keyboard.type("Priya Raman")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.closest('label')?.innerText")
    assert chosen.strip() == "Left voicemail"
    page.keyboard.press("Enter")
    alice.sees_heading("Priya Raman")
    reason = day("3 business days after your voicemail on")
    expect(page.get_by_text(reason).first).to_be_visible()
    assert time.monotonic() - started < 10
    expect(page.get_by_text(day("I will bring Priya back on")).first).to_be_visible()
    alice.check("logged")


def log_a_voicemail(alice, name):
    """Log it through the dialog, also for somebody who is not in the notebook yet."""
    page = alice.page
    page.goto("/")
    page.locator('[data-dialog="log"]:visible').click()
    dialog = page.get_by_role("dialog", name="Log something")
    dialog.get_by_label("Who was it with?").fill(name)
    dialog.get_by_text("Left voicemail").click()
    dialog.get_by_role("button", name="Save").click()
    new = dialog.get_by_text(f"Add {name}")
    expect(new.or_(page.get_by_role("heading", level=1, name=name))).to_be_visible()
    if new.is_visible():
        if name == "Tom Adler":
            alice.check("log-somebody-new")
        new.click()
        dialog.get_by_role("button", name="Save").click()
    alice.sees_heading(name)


def the_day_comes(alice, stack):
    """Nothing is due before; on the day beat raises the reminders by itself."""
    page = alice.page
    page.goto("/")
    expect(page.get_by_role("heading", name="Coming up")).to_be_visible()
    expect(page.get_by_role("button", name="No answer")).to_have_count(0)
    alice.check("nothing-due")
    # Others have dates too, people of other tests: hers is the newest of that name.
    [(next_on,)] = stack.ask(
        "SELECT next_on FROM followups_followup JOIN contacts_contact c ON c.id = contact_id"
        " WHERE c.name = 'Priya Raman' ORDER BY c.id DESC LIMIT 1"
    )
    ahead = stack.manage("raise_reminders", "--dry-run", "--at", f"{next_on}T12:00:00+01:00")
    assert "Priya Raman" in ahead
    stack.days_pass((next_on - datetime.now(VIENNA).date()).days)
    alice.comes_up(alice.due("Priya Raman"))
    alice.check("today")


def each_outcome_answers_in_place(alice):
    page = alice.page
    page.evaluate("window.isTheSamePage = true")

    def outcome(name, button, says):
        alice.row(name).get_by_role("button", name=button).click()
        expect(alice.row(name)).to_contain_text(says)
        expect(alice.row(name).get_by_role("button", name="Undo")).to_be_visible()
        alice.settles()

    def menu(name, opener, button, says):
        row = alice.row(name)
        row.get_by_role("button", name=opener).click()
        expect(row.get_by_role("button", name=button)).to_be_visible()
        if button == "Tomorrow":
            alice.look("snooze-menu")
        row.get_by_role("button", name=button).click()
        expect(alice.row(name)).to_contain_text(says)
        alice.settles()

    again = day("3 business days after your call on")
    outcome("Amara Okafor", "No answer", again)
    alice.check("an-outcome")
    alice.row("Amara Okafor").get_by_role("button", name="Undo").click()
    expect(alice.row("Amara Okafor").get_by_role("button", name="Talked")).to_be_visible()
    outcome("Amara Okafor", "Left voicemail", day("3 business days after your voicemail on"))
    page.keyboard.press("z")
    expect(alice.row("Amara Okafor").get_by_role("button", name="Talked")).to_be_visible()
    outcome("Amara Okafor", "Sent", day("3 business days after your e-mail on"))
    outcome("Zoë van der Berg", "Replied", "Zoë replied. One try")
    outcome("Łukasz Brandt", "Talked", "You talked with Łukasz. One try")
    menu("Tom Adler", "Snooze Tom", "Tomorrow", "I will bring Tom back on")
    alice.row("Tom Adler").get_by_role("button", name="Undo").click()
    menu("Tom Adler", "Snooze Tom", "Skip this step", "after you skipped a step on")
    menu("Ida Novak", "Let Ida rest", "Wake in 90 days", "Ida rests until")
    assert page.evaluate("window.isTheSamePage")
    alice.check("a-morning-done")
    page.goto("/")
    expect(page.get_by_role("heading", name="Just now")).to_be_visible()
    alice.check("today-later")


def what_is_left_waits_until_the_next_day(alice, stack):
    for waited in ("1 day past", "2 days past"):
        stack.days_pass(1)
        alice.page.goto("/")
        expect(alice.row("Priya Raman")).to_contain_text(waited)
    alice.check("carried-over")


def the_digest_comes_and_its_link_logs_without_a_login(alice, meet, window, stack):
    page = alice.page
    tomorrow = datetime.now(VIENNA).date() + timedelta(days=1)
    stack.manage("send_digests", "--at", f"{tomorrow}T12:00:00+01:00")
    page.goto("/mailbox/")
    letter = page.get_by_role("link", name=re.compile("Priya")).first
    alice.comes_up(letter)
    alice.check("mailbox")
    letter.click()
    expect(page.get_by_text("Priya Raman").first).to_be_visible()
    alice.check("digest-text")
    page.get_by_role("link", name="Open as in a mail program").click()
    alice.look("digest-html")
    link = page.get_by_role("link", name="No answer").first.get_attribute("href")

    somebody = meet("Nobody", **window)  # no login, no cookies: the phone, a mail program
    for _ in range(2):  # a scanner was here first; looking changes nothing
        somebody.page.goto(link)
        somebody.sees_heading("Priya Raman")
    expect(somebody.page.get_by_role("main").get_by_role("button")).to_have_count(1)
    somebody.check("mail-link")
    somebody.page.get_by_role("main").get_by_role("button").click()
    expect(somebody.page.get_by_text(day("3 business days after your call on"))).to_be_visible()
    somebody.check("mail-link-done")
    somebody.page.goto(link)  # the second time it only offers to take it back, for an hour
    expect(somebody.page.get_by_role("main").get_by_role("button")).to_have_text(["Undo"])
    stack.days_pass(1)
    somebody.page.reload()
    somebody.sees_heading("Already done.")
    expect(somebody.page.get_by_role("main").get_by_role("button")).to_have_count(0)
    somebody.check("mail-link-again")
    page.goto("/")
    expect(alice.due("Priya Raman")).to_have_count(0)


def nobody_else_sees_any_of_it(alice, meet, window):
    page = alice.page
    page.goto("/people/?q=priya")
    page.get_by_role("link", name="Priya Raman").click()
    alice.sees_heading("Priya Raman")
    alice.check("a-story-so-far")
    priya = page.url
    bob = meet("Bob", **window)
    bob.sign_up(f"bob-{time.time_ns()}@example.org")
    bob.page.goto("/people/")
    expect(bob.page.get_by_text("Priya Raman")).to_have_count(0)
    bob.may_fail = True
    assert bob.page.goto(priya).status == 404
    bob.check("not-found")
    if page.viewport_size["width"] < 500:
        page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Log out").locator("visible=true").click()
    alice.sees_heading("")
    page.goto(priya)
    assert "/accounts/login/" in page.url
