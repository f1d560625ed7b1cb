"""One follow-up from its first words to its lesson, as a person does it: the draft is changed and
copied, the next person at the organisation is named, the end keeps a lesson. By keyboard where
there are scripts; the same without any."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

QUESTION = "How does a hospital hire its first service designer?"


def begin(meet, email, **window):
    """Sign up, add Priya of Aster, and open a cold request to her."""
    alice = meet("Alice", **window)
    alice.sign_up(email)
    page = alice.page
    page.goto("/people/new/")
    page.get_by_label("Name", exact=True).fill("Priya Raman")
    page.get_by_label("Organisation").fill("Aster")
    page.get_by_label("E-mail 1, e-mail address").fill("priya@example.org")
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Priya Raman")
    page.get_by_text("Start a follow-up without a try").click()
    page.get_by_label("Playbook", exact=True).select_option(label="Cold request (3B7)")
    page.get_by_label("What for").fill(QUESTION)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("Cold request (3B7) begins").first).to_be_visible()
    return alice


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=lambda size: f"{size[0]}")
def size(request):
    width, height = request.param
    return {"viewport": {"width": width, "height": height}}


def test_the_words_the_next_person_and_the_lesson(meet, stack, size):
    email = f"row-{size['viewport']['width']}@example.org"
    alice = begin(meet, email, permissions=["clipboard-read", "clipboard-write"], **size)
    alice.days_pass_until_due(stack, "Priya Raman")
    a_draft_is_changed_and_copied(alice)
    alice.row("Priya Raman").get_by_role("button", name="Sent").click()
    expect(alice.row("Priya Raman")).to_contain_text("I will bring Priya back on")
    alice.days_pass_until_due(stack, "Priya Raman")
    the_next_person_is_named(alice)
    out_of_office_until_a_day(alice)
    an_end_keeps_a_lesson(alice)
    everything_that_was_done(alice)


def a_draft_is_changed_and_copied(alice):
    page, row = alice.page, alice.row("Priya Raman")
    page.keyboard.press("j")
    page.keyboard.press("d")
    body = row.get_by_label("Message", exact=True)
    expect(body).to_have_value(re.compile(r"^Hello Priya,\n"))
    expect(body).to_have_value(re.compile(re.escape(QUESTION)))
    alice.check("a-draft")
    page.keyboard.press("Tab")
    page.keyboard.type("A question")
    body.fill("Hello Priya,\n\nonly 1 % & one question?\n\nZoë")
    mail = row.get_by_role("link", name="Open in your mail program")
    address = urlsplit(mail.get_attribute("href"))
    assert (address.scheme, address.path) == ("mailto", "priya@example.org")
    assert "%0D%0A" in address.query
    assert parse_qs(address.query, strict_parsing=True) == {
        "subject": ["A question"],
        "body": ["Hello Priya,\r\n\r\nonly 1 % & one question?\r\n\r\nZoë"],
    }
    row.get_by_role("button", name="Copy").click()
    expect(row.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == body.input_value()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    row.get_by_role("button", name="Copy").click()
    expect(row.get_by_text("Selected.")).to_be_visible()
    assert page.evaluate("document.activeElement.selectionEnd") == len(body.input_value())


def the_next_person_is_named(alice):
    page, row = alice.page, alice.row("Priya Raman")
    name = row.get_by_label("Who else is at Aster?")
    expect(name).to_be_visible()
    alice.check("who-is-next")
    name.fill("Jonas Weber")
    page.keyboard.press("Enter")
    expect(row).to_contain_text("I will bring Priya back on")
    jonas = alice.due("Jonas Weber")
    expect(jonas).to_contain_text("A short e-mail")
    alice.settles()
    alice.check("the-next-person")
    alice.row("Priya Raman").get_by_role("button", name="Undo").click()
    expect(alice.row("Jonas Weber")).to_have_count(0)
    alice.row("Priya Raman").get_by_role("button", name="Write to Jonas Weber, also at").click()
    expect(jonas).to_be_visible()
    alice.settles()


def out_of_office_until_a_day(alice):
    page, row = alice.page, alice.row("Jonas Weber")
    row.focus()
    page.keyboard.press("e")
    named = row.get_by_label("Jonas named a day")
    expect(named).to_be_visible()
    alice.look("something-else")
    named.fill("2036-05-02")
    row.get_by_role("button", name="Out of office until then").click()
    expect(alice.row("Jonas Weber")).to_contain_text("I will bring Jonas back on")
    alice.row("Jonas Weber").get_by_role("button", name="Undo").click()
    expect(alice.due("Jonas Weber")).to_be_visible()
    alice.settles()


def an_end_keeps_a_lesson(alice):
    page = alice.page
    row = alice.due("Jonas Weber")
    row.get_by_role("button", name="Let Jonas rest").click()
    row.get_by_role("button", name="They said no").click()
    lesson = alice.row("Jonas Weber").get_by_label("One lesson for next time?")
    lesson.fill("Ask about the ward first.")
    alice.settles()
    alice.check("one-lesson")
    lesson.press("Enter")
    expect(lesson).to_have_count(0)
    expect(alice.row("Jonas Weber")).to_contain_text("Ask about the ward first.")
    page.reload()
    expect(alice.row("Jonas Weber")).to_contain_text("Ask about the ward first.")


def everything_that_was_done(alice):
    page = alice.page
    alice.row("Jonas Weber").get_by_role("link", name="Jonas Weber").click()
    alice.sees_heading("Jonas Weber")
    page.get_by_role("link", name="Everything that was done").click()
    alice.sees_heading("Everything that was done")
    alice.check("history")
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    undone = page.get_by_text(re.compile(r"Undone \w{3} "))
    before = undone.count()
    page.get_by_role("button", name="Undo").click()
    expect(undone).to_have_count(before + 1)


def test_the_same_without_scripts(meet, stack, size):
    email = f"row-unscripted-{size['viewport']['width']}@example.org"
    alice = begin(meet, email, java_script_enabled=False, **size)
    page = alice.page
    alice.days_pass_until_due(stack, "Priya Raman")
    alice.row("Priya Raman").get_by_text("A draft", exact=True).click()
    alice.row("Priya Raman").get_by_role("link", name="Open it").click()
    alice.sees_heading("A draft for Priya")
    expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile(re.escape(QUESTION)))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    mail = page.get_by_role("link", name="Open in your mail program").get_attribute("href")
    assert mail.startswith("mailto:priya@example.org?subject=")
    alice.look("draft")
    page.get_by_role("main").get_by_role("button", name="Sent").click()
    expect(alice.row("Priya Raman")).to_contain_text("I will bring Priya back on")
    alice.days_pass_until_due(stack, "Priya Raman")
    alice.row("Priya Raman").get_by_role("link", name="Who is next at Aster?").click()
    alice.sees_heading("The next person at Aster")
    alice.look("who-is-next")
    page.get_by_label("Who else is at Aster?").fill("Jonas Weber")
    page.get_by_role("button", name="Write to them").click()
    jonas = alice.due("Jonas Weber")
    jonas.get_by_role("button", name="Something else with Jonas").click()
    jonas.get_by_label("Jonas named a day").fill("2030-05-02")
    jonas.get_by_role("button", name="Not now, ask again then").click()
    expect(alice.row("Jonas Weber")).to_contain_text("Not now. I will bring Jonas back on")
    alice.row("Jonas Weber").get_by_label("One lesson for next time?").fill("Ask in spring.")
    alice.row("Jonas Weber").get_by_role("button", name="Keep").click()
    expect(alice.row("Jonas Weber")).to_contain_text("Ask in spring.")
    alice.look("one-lesson")
