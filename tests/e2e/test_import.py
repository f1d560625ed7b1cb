"""People come in from files of other programs, and go again; then each of them is asked about, one
card at a time."""

import csv
import io
import time
from base64 import b64encode
from contextlib import contextmanager
from itertools import cycle

import psycopg
from playwright.sync_api import expect

from tests.contacts.test_fitting import picture
from tests.contacts.test_importing import linkedin, person
from tests.e2e.person import IN_BACKGROUND, LAPTOP, PHONE

EVERYBODY = 620
ASTER = "SELECT FROM contacts_organisation WHERE name = 'Aster' FOR UPDATE"
PERSON_7 = "SELECT FROM contacts_contact WHERE name = 'Person No7' FOR UPDATE"
TEA = "Sencha, no sugar"
TABLE = ["Wer", "Haus", "Elektropost", "Woher", "Lieblingstee"]

# The model by which people who know their keys are measured: a second and a third to make up one's
# mind, a quarter of a second for a key (Card, Moran and Newell 1980, The keystroke-level model).
TO_DECIDE, TO_PRESS = 1.35, 0.28
TWO_MINUTES = 120
HOW_IT_STANDS = """
SELECT c.name, c.rhythm_days, c.archived_at IS NOT NULL,
    ARRAY(SELECT t.name FROM contacts_tag t JOIN contacts_contacttag ct ON ct.tag_id = t.id
        WHERE ct.contact_id = c.id),
    ARRAY(SELECT p.slug FROM followups_followup f JOIN followups_playbook p ON p.id = f.playbook_id
        WHERE f.contact_id = c.id AND f.state = 'active')
FROM contacts_contact c JOIN netcrm_user u ON u.id = c.owner_id WHERE u.email = %s ORDER BY c.id
"""


@contextmanager
def held(stack, query):
    """Hold rows as another transaction would: whoever wants to write them waits."""
    with psycopg.connect(stack.env["DATABASE_URL"]) as db:
        db.execute(query)
        yield


def choose(alice, name, data):
    """Choose a file and look inside."""
    page = alice.page
    page.goto("/people/import/")
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look inside").click()


def stat(alice, label):
    """Return the number that stands with a word on the preview."""
    return alice.page.locator(".stats > div").filter(has_text=label).get_by_role("definition")


def row(alice, name):
    return alice.page.get_by_role("row").filter(has_text=name)


# A file of LinkedIn: in, edited, and out again


def test_connections_come_in_and_go_again(meet, stack, window, request):
    alice = meet("Alice", **window)
    alice.sign_up(f"connections-{request.node.callspec.id}@example.org")
    alice.add("Amara Okafor", {"E-mail 1, e-mail address": "amara@example.net"})
    alice.add("Ida Novak", {"Organisation": "Aster"})
    what_is_in_the_file_is_shown_first(alice)
    they_come_in(alice, stack)
    some_are_worked_with(alice)
    they_go_again(alice, stack)
    what_was_worked_with_stays(alice)


def connections():
    """Return a file of LinkedIn with people of whom the last ones work at Aster, somebody who is
    known, somebody twice and somebody without a name."""
    people = [
        person(
            "Person",
            f"No{n}",
            f"https://www.linkedin.com/in/person-{n}",
            company="Aster" if n > EVERYBODY - 100 else f"Employer {n % 9}",
            position="Grid planner",
        )
        for n in range(1, EVERYBODY + 1)
    ]
    amara = "https://www.linkedin.com/in/amara-okafor"
    return linkedin(
        person("Amara", "Okafor", amara, "amara@example.net", "", "Producer", "11 Mar 2018"),
        person("Person", "No1", "https://www.linkedin.com/in/person-1/"),
        person("", "", company="Umbra Games"),
        *people,
    )


def what_is_in_the_file_is_shown_first(alice):
    page = alice.page
    choose(alice, "Connections.csv", connections())
    alice.sees_heading("Before anything is added")
    for label, count in [("will be added", EVERYBODY), ("already there", 1), ("left out", 2)]:
        expect(stat(alice, label)).to_have_text(str(count))
    expect(row(alice, "Amara Okafor")).to_contain_text("Same e-mail address as Amara Okafor.")
    expect(row(alice, "no name")).to_contain_text("This row has no name.")
    expect(row(alice, "Person No1").last).to_contain_text("Appears twice in this file (row 6).")
    alice.check("preview")
    page.get_by_role("link", name="see all").click()
    alice.sees_heading("New people")
    page.get_by_role("link", name="More rows").click()
    expect(row(alice, "Person No101")).to_be_visible()
    alice.check("rows")
    page.get_by_role("link", name="Connections.csv").click()
    alice.sees_heading("Before anything is added")


def they_come_in(alice, stack):
    page = alice.page
    page.get_by_label("Add what they lack").check()
    page.get_by_label("A tag for everybody").fill("Graz")
    with held(stack, ASTER):  # so that the import stops half-way until that was seen
        page.get_by_role("button", name=f"Add {EVERYBODY} people").click()
        alice.sees_heading("Writing them down")
        half = page.get_by_text(f"500 of {EVERYBODY + 3} rows are done.")
        expect(half).to_be_visible(timeout=IN_BACKGROUND)
        alice.check("under-way")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Welcome, everyone", timeout=IN_BACKGROUND
    )
    said = f"{EVERYBODY} people added, 1 was already there, 2 skipped."
    expect(page.get_by_text(said)).to_contain_text("1 of those who were there got what they lacked")
    alice.check("result")
    page.get_by_role("link", name="Who was not added, and why").click()
    expect(row(alice, "no name")).to_contain_text("This row has no name.")


def open_person(alice, name):
    alice.page.goto("/people/")
    alice.page.get_by_label("Search people").fill(name)
    alice.page.get_by_role("link", name=name, exact=True).click()
    alice.sees_heading(name)


def some_are_worked_with(alice):
    page = alice.page
    open_person(alice, "Person No7")
    page.get_by_role("form", name="Log something with Person").get_by_text("Left voicemail").click()
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("You left a voicemail")
    for name, role in [("Person No600", "Head of grids"), ("Amara Okafor", "Studio lead")]:
        open_person(alice, name)
        page.get_by_role("link", name="Edit", exact=True).click()
        page.get_by_label("Role").fill(role)
        page.get_by_role("button", name="Save").last.click()
        alice.sees_heading(name)


def they_go_again(alice, stack):
    page = alice.page
    page.goto("/people/import/")
    page.get_by_role("link", name="Connections.csv").click()
    page.get_by_text("Undo this import", exact=True).click()
    with held(stack, PERSON_7):
        page.get_by_role("button", name="Undo the import").click()
        alice.sees_heading("Taking it back")
        left = page.get_by_text(f"123 of {EVERYBODY + 3} rows are still to be taken back.")
        expect(left).to_be_visible(timeout=IN_BACKGROUND)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "As it was before", timeout=IN_BACKGROUND
    )


def what_was_worked_with_stays(alice):
    """And it is said."""
    page = alice.page
    expect(page.get_by_text("3 people stayed, or kept something of it")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("listitem").get_by_role("link")).to_have_text(
        ["Amara Okafor", "Person No7", "Person No600"]
    )
    expect(page.get_by_text("Kept what you changed: role.")).to_have_count(1)
    alice.check("undone")
    page.get_by_role("link", name="See your people").click()
    expect(page.locator(".people tbody tr")).to_have_count(4)
    open_person(alice, "Amara Okafor")
    expect(page.get_by_role("main")).to_contain_text("Studio lead")
    expect(page.get_by_role("main")).not_to_contain_text("linkedin.com")
    expect(page.locator("#tags")).not_to_contain_text("Graz")
    open_person(alice, "Person No7")
    expect(page.locator("#tags")).to_contain_text("Graz")


# Cards of a phone, some broken


def test_a_broken_card_costs_only_itself(meet):
    alice = meet("Alice", **PHONE)
    alice.sign_up("cards@example.org")
    page = alice.page
    choose(alice, "contacts.vcf", cards())
    expect(stat(alice, "will be added")).to_have_text("2")
    expect(stat(alice, "left out")).to_have_text("1")
    expect(row(alice, "Tom Adler")).to_contain_text("This card has no end")
    expect(row(alice, "Ida Novak")).to_contain_text("without photo, which could not be taken")
    alice.check("broken-card")
    page.get_by_role("button", name="Add 2 people").click()
    expect(page.get_by_text("2 people added")).to_be_visible(timeout=IN_BACKGROUND)
    open_person(alice, "Noor Saleh")
    photo = page.locator("img.avatar")
    assert photo.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    page.get_by_text("Other details", exact=True).click()
    expect(page.get_by_text(TEA)).to_be_visible()
    alice.check("other-details")
    both_are_answered_by_taps(alice)


def both_are_answered_by_taps(alice):
    page = alice.page
    page.goto("/people/import/")
    page.get_by_role("link", name="contacts.vcf").click()
    page.get_by_role("link", name="Go through them, one by one").click()
    page.get_by_role("button", name="Tag").click()
    page.get_by_label("Tag for Noor").fill("alumni")
    alice.look("a-tag")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("article", name="Noor Saleh").locator(".tag")).to_have_text(["alumni"])
    alice.settles()
    page.get_by_role("button", name="Keep light").click()
    expect(page.get_by_role("article", name="Ida Novak")).to_be_visible()
    expect(page.get_by_text("Noor stays in touch: every six months.")).to_be_visible()
    alice.settles()
    alice.check("an-answer")
    page.get_by_role("button", name="Put away").click()
    expect(page.get_by_role("heading", name="That was the last card")).to_be_visible()


def cards():
    """Return vCards: one with a photo and more than we have fields for, one that has no end, one
    with a photo that is none."""
    photo = b64encode(picture((60, 60))).decode()
    lines = [
        *("BEGIN:VCARD", "VERSION:3.0", "FN:Noor Saleh", f"PHOTO;ENCODING=b;TYPE=JPEG:{photo}"),
        *(f"X-FAVOURITE-TEA:{TEA}", "END:VCARD"),
        *("BEGIN:VCARD", "VERSION:3.0", "FN:Tom Adler"),
        *("BEGIN:VCARD", "VERSION:3.0", "FN:Ida Novak", "PHOTO;ENCODING=b;TYPE=JPEG:bm90aGluZw=="),
        *("END:VCARD", ""),
    ]
    return "\r\n".join(lines).encode()


# Any other table


def test_a_table_is_explained_once(meet, window, request):
    alice = meet("Alice", **window)
    alice.sign_up(f"table-{request.node.callspec.id}@example.org")
    page = alice.page
    choose(alice, "liste.csv", table(["Noor Saleh", "Aster", "noor@example.org", "Graz", TEA]))
    alice.sees_heading("Which column is what?")
    a_table_without_names_is_no_use(alice)
    meaning = {"Wer": "Name", "Haus": "Organisation", "Elektropost": "E-mail"}
    for column, field in (meaning | {"Woher": "How you met"}).items():
        page.get_by_label(column, exact=True).select_option(label=field)
    alice.check("mapping")
    page.get_by_role("button", name="Look inside").click()
    expect(row(alice, "Noor Saleh")).to_contain_text("noor@example.org")
    expect(row(alice, "Noor Saleh")).to_contain_text("1 other detail")
    page.get_by_role("button", name="Add 1 person").click()
    expect(page.get_by_text("1 person added")).to_be_visible(timeout=IN_BACKGROUND)
    open_person(alice, "Noor Saleh")
    for text in ("Aster", "noor@example.org", "Graz"):
        expect(page.get_by_role("main")).to_contain_text(text)
    page.get_by_text("Other details", exact=True).click()
    expect(page.get_by_text(TEA)).to_be_visible()
    the_next_one_is_read_the_same_way(alice)


def table(*people):
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([TABLE, *people])
    return out.getvalue().encode()


def a_table_without_names_is_no_use(alice):
    page = alice.page
    for column in TABLE:
        page.get_by_label(column, exact=True).select_option(label="Keep it in other details")
    page.get_by_role("button", name="Look inside").click()
    expect(page.get_by_text("without one, nobody can be added")).to_be_visible()
    alice.look("no-name")


def the_next_one_is_read_the_same_way(alice):
    page = alice.page
    choose(alice, "more.csv", table(["Ida Novak", "Helio", "ida@example.org", "Linz", ""]))
    for column, field in [("Wer", "name"), ("Elektropost", "email"), ("Woher", "how_met")]:
        expect(page.get_by_label(column, exact=True)).to_have_value(field)
    page.get_by_role("button", name="Look inside").click()
    expect(row(alice, "Ida Novak")).to_contain_text("ida@example.org")


# One by one


# What may be said of somebody: the keys, the rhythm, whether they are put away, their tags, what is
# pursued with them.
CLOSE = (["1"], 42, False, [], [])
LIGHT = (["2"], 182, False, [], [])
AWAY = (["3"], None, True, [], [])
TAGGED = (["4", *"Graz", "Enter", "2"], 182, False, ["Graz"], [])
BEGUN = (["5"], None, False, [], ["new-relationship"])
TEN = [CLOSE, LIGHT, LIGHT, AWAY, LIGHT, BEGUN, LIGHT, TAGGED, AWAY, LIGHT]


def test_fifty_people_in_two_minutes_by_keys_alone(meet, stack):
    alice = meet("Alice", **LAPTOP)
    alice.sign_up("fifty@example.org")
    fifty_come(alice)
    each_answer_is_taken_back_by_a_key(alice, stack)
    back_and_forward(alice)
    all_of_them_are_answered(alice, stack)


def fifty_come(alice):
    people = [person("Person", f"No{n}", position="Planner") for n in range(1, 51)]
    choose(alice, "Connections.csv", linkedin(*people))
    alice.page.get_by_role("button", name="Add 50 people").click()
    through = alice.page.get_by_role("link", name="Go through them, one by one")
    expect(through).to_be_visible(timeout=IN_BACKGROUND)
    through.click()
    card(alice, 1)
    alice.check("card")


def card(alice, n):
    """Wait until the card of a person lies there."""
    expect(alice.page.get_by_role("article", name=f"Person No{n}", exact=True)).to_be_visible()
    alice.settles()


def press(alice, keys):
    """Press the keys of an answer; a tag lies on the card before it is kept close or light."""
    *first, last = keys
    for key in first:
        alice.page.keyboard.press(key)
    if first:
        expect(alice.page.locator("#card .tag")).to_have_text(["Graz"])
        alice.settles()
    alice.page.keyboard.press(last)


def each_answer_is_taken_back_by_a_key(alice, stack):
    page = alice.page
    said = page.locator("#card > .notice")
    for keys, *_ in (CLOSE, LIGHT, AWAY, TAGGED, BEGUN):
        press(alice, keys)
        card(alice, 2)
        for before in ("stays in touch", "has the tag") if "Enter" in keys else ("",):
            expect(said).to_contain_text(before)
            page.keyboard.press("z")
            card(alice, 1)
        expect(said).to_be_hidden()
        (stands, *_) = stack.ask(HOW_IT_STANDS, alice.email)
        assert stands == ("Person No1", None, False, [], [])


def back_and_forward(alice):
    for key, n in [("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("ArrowLeft", 1)]:
        alice.page.keyboard.press(key)
        card(alice, n)


def all_of_them_are_answered(alice, stack):
    keys, expected = 0, []
    started = time.monotonic()
    for n, (pressed, *stands) in zip(range(1, 51), cycle(TEN)):
        card(alice, n)
        press(alice, pressed)
        keys += len(pressed)
        expected.append((f"Person No{n}", *stands))
    expect(alice.page.get_by_role("heading", name="That was the last card")).to_be_visible()
    took = time.monotonic() - started
    assert took + 50 * TO_DECIDE + keys * TO_PRESS < TWO_MINUTES, f"{took} s, {keys} keys"
    assert stack.ask(HOW_IT_STANDS, alice.email) == expected
    alice.check("the-last-card")


# Without scripts


def test_an_import_without_scripts(meet):
    alice = meet("Alice", **PHONE, java_script_enabled=False)
    alice.sign_up("import-unscripted@example.org")
    page = alice.page
    names = ["Aiko", "Ben", "Cem"]
    choose(alice, "Connections.csv", linkedin(*(person(name, "Osei") for name in names)))
    page.get_by_role("button", name="Add 3 people").click()
    alice.comes_up(page.get_by_role("link", name="Go through them, one by one"))
    cards_answered_by_taps(alice)
    page.get_by_role("link", name="Connections.csv").click()
    page.get_by_text("Undo this import", exact=True).click()
    page.get_by_role("button", name="Undo the import").click()
    alice.comes_up(page.get_by_text("1 person stayed"))
    expect(page.get_by_role("link", name="Ben Osei")).to_be_visible()
    alice.look("undone")
    page.get_by_role("link", name="See your people").click()
    expect(page.locator(".people tbody tr")).to_have_count(1)


def cards_answered_by_taps(alice):
    """One is kept close, and left as they were again; one gets a tag."""
    page = alice.page
    page.get_by_role("link", name="Go through them, one by one").click()
    page.get_by_role("button", name="Keep close").click()
    expect(page.get_by_role("article", name="Ben Osei")).to_be_visible()
    expect(page.get_by_text("Aiko stays close: every six weeks.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("article", name="Aiko Osei")).to_be_visible()
    expect(page.get_by_text("Aiko stays close: every six weeks.")).to_be_hidden()
    page.get_by_role("link", name="Forward").click()
    page.get_by_role("button", name="Tag").click()
    page.get_by_label("Tag for Ben").fill("alumni")
    alice.look("a-tag")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Ben has the tag now.")).to_be_visible()
    expect(page.get_by_role("article", name="Ben Osei").locator(".tag")).to_have_text(["alumni"])
