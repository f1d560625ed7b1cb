"""The playbook editor as a person uses it: with scripts by keyboard, and without any."""

import time

from playwright.sync_api import expect


def opened(meet, window, email):
    alice = meet("Alice", **window)
    alice.sign_up(email)
    alice.page.goto("/settings/")
    alice.page.get_by_role("link", name="Your playbooks").click()
    alice.sees_heading("Playbooks")
    return alice


def test_a_playbook_is_changed_where_one_sees_the_dates(meet, window, request):
    alice = opened(meet, window, f"playbooks-{request.node.callspec.id}@example.org")
    alice.check("playbooks")
    a_three_becomes_a_five(alice)
    steps_move(alice)
    mistakes_are_said_where_they_are(alice)
    one_is_deleted_and_brought_back(alice)


def dates(page):
    return page.locator("#playbook-preview time").all_inner_texts()


def a_three_becomes_a_five(alice):
    page = alice.page
    started = time.monotonic()
    page.get_by_role("link", name="Unanswered call", exact=True).press("Enter")
    wait = page.get_by_role("group", name="Step 2").get_by_label("Wait")
    expect(wait).to_have_value("3")
    before = dates(page)
    wait.press("Control+a")
    page.keyboard.type("5")
    expect(page.locator("#playbook-preview")).to_contain_text("5 business days after your call")
    assert dates(page) != before
    expect(wait).to_be_focused()
    page.keyboard.press("Enter")
    alice.sees_heading("Playbooks")
    assert time.monotonic() - started < 10
    expect(page.get_by_role("main")).to_contain_text("Call, 5 days, call, 3 days, call")
    expect(page.locator("#toasts")).to_contain_text("Unanswered call is saved.")


def steps_move(alice):
    page = alice.page
    page.get_by_role("link", name="New playbook").click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Conference people")
    alice.check("a-new-playbook")
    page.get_by_role("button", name="Add a step").press("Enter")
    added = page.get_by_role("group", name="Step 3")
    expect(added).to_be_focused()
    added.get_by_label("Hint to yourself").fill("Send the slides.")
    added.get_by_role("button", name="Up").press("Enter")
    moved = page.get_by_role("group", name="Step 2")
    expect(moved).to_be_focused()
    expect(moved.get_by_label("Hint to yourself")).to_have_value("Send the slides.")
    moved.get_by_text("Add a draft, and more").click()
    moved.get_by_label("Words to start from").fill("Hello {given name}, here they are.")
    page.get_by_role("button", name="Remove step 1").press("Enter")
    moved = page.get_by_role("group", name="Step 1")
    expect(moved).to_be_focused()
    expect(moved.get_by_label("Hint to yourself")).to_have_value("Send the slides.")
    expect(page.get_by_label("Name")).to_have_value("Conference people")
    page.get_by_label("If it begins on").fill("2030-01-07")
    expect(page.locator("#playbook-preview time").first).to_have_text("Thu 10 Jan 2030")
    alice.check("a-draft")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("main")).to_contain_text(
        "3 days, call, 5 days, call, 5 days, what now?"
    )


def mistakes_are_said_where_they_are(alice):
    page = alice.page
    page.get_by_role("link", name="Conference people", exact=True).click()
    page.get_by_role("group", name="Step 3").get_by_label("Wait").fill("")
    expect(page.locator("#playbook-preview")).to_contain_text("Step 3: Write how long to wait")
    page.get_by_role("button", name="Save").last.click()
    wrong = page.get_by_role("group", name="Step 3")
    expect(wrong).to_contain_text("Write how long to wait, as a number, such as 3.")
    expect(wrong).to_be_focused()
    alice.check("a-mistake")
    page.get_by_role("link", name="Leave it").click()


def one_is_deleted_and_brought_back(alice):
    page = alice.page
    page.get_by_role("link", name="Delete Unanswered call").click()
    expect(page.get_by_role("main")).to_contain_text("No follow-up is under way with it.")
    alice.check("before-it-is-deleted")
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("link", name="Unanswered call")).to_have_count(0)
    alice.check("brought-back")
    page.get_by_role("button", name="Bring back the built-in one Unanswered call").click()
    expect(page.get_by_role("link", name="Unanswered call", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Call, 3 days, call, 3 days, call")


def test_the_editor_works_without_scripts(meet, window, request):
    unscripted = window | {"java_script_enabled": False}
    alice = opened(meet, unscripted, f"unscripted-{request.node.callspec.id}@example.net")
    page = alice.page
    page.get_by_role("button", name="Copy Unanswered call").click()
    alice.sees_heading("Copy of Unanswered call")
    page.get_by_label("Name").fill("My own calls")
    page.get_by_role("group", name="Step 2").get_by_label("Wait").fill("5")
    page.get_by_label("If it begins on").fill("2030-01-07")
    page.get_by_role("button", name="Show the dates").click()
    expect(page.locator("#playbook-preview time").nth(1)).to_have_text("Mon 14 Jan 2030")
    page.get_by_role("button", name="Add a step").click()
    page.get_by_role("group", name="Step 5").get_by_label("Hint to yourself").fill("Once more.")
    page.get_by_role("button", name="Move step 5 up").click()
    page.get_by_role("button", name="Remove step 3").click()
    expect(page.get_by_label("Name")).to_have_value("My own calls")
    alice.look("a-draft")
    page.get_by_role("group", name="Step 3").get_by_label("Wait").fill("")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("group", name="Step 3")).to_contain_text("Write how long to wait")
    page.get_by_role("group", name="Step 3").get_by_label("Wait").fill("2")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("main")).to_contain_text(
        "Call, 5 days, call, 2 days, call, 1 day, e-mail"
    )
    page.get_by_role("link", name="Delete My own calls").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("link", name="My own calls")).to_have_count(0)
