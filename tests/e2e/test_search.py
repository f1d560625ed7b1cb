"""Finding again: a person or a word from any page, and the list of people with its filters, kept
lists, columns, order and pages. On a laptop by keys, on a phone by touch, and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.person import LAPTOP, PHONE

PASSWORD = "one long pass phrase for tests"
READERS = ["1280", "390", "unscripted"]
# Sixty people: Zoë with a telephone number; Łukasz, with whom there was a talk and a coffee; Aiko
# and Bram, quiet for eight months; and many with whom nobody ever spoke.
NOTEBOOK = """
from datetime import timedelta
from django.utils import timezone
from contacts.models import Organisation
from followups import pursuing
from meetings.models import Debrief
from tests.factories import make_contact, make_meeting, make_user

for reader in {readers}:
    alice = make_user(f"search-{{reader}}@example.org", password="{password}", name="Alice")
    for n in range(100, 155):
        make_contact(alice, f"Person {{n}}")
    zoe = make_contact(alice, "Zoë van der Berg", role="Potter")
    zoe.phones.create(owner=alice, number="+43 660 1234567")
    zoe.reindex()
    notes = "https://example.org/" + "a-long-address" * 20
    organisation = Organisation.objects.create(owner=alice, name="Guild of Potters " * 11)
    wide = make_contact(
        alice, "Hubert Wolfeschlegelsteinhausenbergerdorff", notes=notes, organisation=organisation
    )
    wide.tag("potters of the valley and the hills around it")
    lukasz = make_contact(alice, "Łukasz Brandt")
    talk = pursuing.Entry("call", "talked", alice.today(), note="His kiln stands in the garden.")
    pursuing.log(lukasz, talk)
    held = timezone.now() - timedelta(days=3)
    coffee = make_meeting(lukasz, state="held", starts_at=held, purpose="See the kiln")
    Debrief.objects.create(
        owner=alice, meeting=coffee, lesson="Ask for the kiln first.", saved_at=timezone.now()
    )
    for name in ("Aiko Tanabe", "Bram Peeters"):
        entry = pursuing.Entry("call", "talked", alice.today() - timedelta(days=240))
        pursuing.log(make_contact(alice, name), entry)
"""


@pytest.fixture(scope="module")
def notebooks(stack):
    stack.manage("shell", "-c", NOTEBOOK.format(readers=READERS, password=PASSWORD))


@pytest.fixture
def reads(meet, notebooks):
    """Return a function that logs somebody in, who sees Today."""

    def reads(reader, **window):
        alice = meet("Alice", **window)
        page = alice.page
        page.goto("/accounts/login/")
        page.get_by_label(re.compile("^e-?mail", re.I)).fill(f"search-{reader}@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        alice.sees_heading("Alice")
        return alice

    return reads


@pytest.fixture
def alice(reads, window, request):
    return reads(request.node.callspec.id, **window)


def seek(alice):
    """Return the way to the search that the page shows at its present size."""
    return alice.page.locator("[data-dialog=find]").locator("visible=true")


def box(alice):
    return alice.page.get_by_role("searchbox", name="Search everything")


def found(alice, room):
    """Return the links to what was found in a room."""
    return alice.page.get_by_role("region", name=room, exact=True).get_by_role("link")


def shown(alice):
    """Return the links to the people of the list."""
    return alice.page.get_by_role("rowheader").get_by_role("link")


def on(alice):
    return alice.page.get_by_role("group", name="Chosen")


def test_a_word_that_is_too_long_for_the_page_breaks(alice):
    page = alice.page
    page.goto("/people/?tagged=potters of the valley and the hills around it")
    alice.look("a-list-with-long-words")
    page.goto("/search/?q=hubert")
    alice.look("long-words-found")
    page.get_by_role("link", name="Hubert").click()
    alice.sees_heading("Hubert Wolfeschlegelsteinhausenbergerdorff")
    alice.look("a-person-with-long-words")


def test_somebody_is_found_from_anywhere(alice):
    the_search_opens_and_closes(alice)
    people_come_as_one_types(alice)
    a_slip_and_a_number(alice)
    by_arrows_to_the_person(alice)
    enter_leads_to_all_rooms(alice)


def the_search_opens_and_closes(alice):
    page = alice.page
    if page.viewport_size == LAPTOP["viewport"]:
        seek(alice).focus()
        page.keyboard.press("/")
    else:
        seek(alice).click()
    expect(box(alice)).to_be_focused()
    page.keyboard.press("Escape")
    expect(box(alice)).to_be_hidden()
    expect(seek(alice)).to_be_focused()


def people_come_as_one_types(alice):
    seek(alice).click()
    box(alice).press_sequentially("berg zo", delay=20)
    person = found(alice, "People")
    expect(person).to_have_text("Zoë van der Berg")
    expect(person.locator("mark")).to_have_text(["Zo", "Berg"])
    box(alice).fill("violin")
    expect(alice.page.get_by_role("heading", name="Nothing with “violin”")).to_be_visible()
    expect(person).to_have_count(0)


def a_slip_and_a_number(alice):
    box(alice).fill("lukazs brant")
    near = found(alice, "Nearly the same")
    expect(near).to_have_text("Łukasz Brandt")
    expect(near.locator("mark")).to_have_text(["Łukasz", "Brandt"])
    expect(found(alice, "People")).to_have_count(0)
    box(alice).fill("0660/123 45 67")
    expect(found(alice, "People")).to_have_text("Zoë van der Berg")
    people = alice.page.get_by_role("region", name="People", exact=True)
    expect(people.locator(".note mark")).to_have_text("660 1234567")
    expect(alice.page.get_by_text("Looking through the other rooms…")).to_have_count(0)
    alice.check("dialog")


def by_arrows_to_the_person(alice):
    page = alice.page
    box(alice).fill("lukasz")
    expect(found(alice, "Coffees")).to_have_text("Coffee with Łukasz Brandt")
    page.keyboard.press("ArrowDown")
    expect(found(alice, "People")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(found(alice, "Coffees")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(box(alice)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    alice.sees_heading("Łukasz Brandt")


def enter_leads_to_all_rooms(alice):
    page = alice.page
    seek(alice).click()
    box(alice).fill("kiln")
    page.keyboard.press("Enter")
    alice.sees_heading("Look through everything")
    every_room_has_its_kiln(alice)
    alice.check("page")
    expect(box(alice)).to_have_value("kiln")
    box(alice).fill("kiln garden")
    expect(found(alice, "Coffees")).to_have_count(0)
    expect(found(alice, "Conversations")).to_have_count(1)
    page.reload()
    expect(found(alice, "Conversations")).to_have_count(1)


def every_room_has_its_kiln(alice):
    for room, sentence in [
        ("Coffees", "See the kiln"),
        ("Conversations", "His kiln stands in the garden."),
        ("Lessons", "Ask for the kiln first."),
    ]:
        of_room = alice.page.get_by_role("region", name=room, exact=True)
        expect(of_room).to_contain_text(sentence)
        expect(of_room.locator("mark")).to_have_text("kiln")


def test_the_list_shows_whom_one_asks_for(alice):
    alice.page.goto("/people/")
    a_phrase_becomes_a_filter(alice)
    the_filters(alice, alice.check)
    a_list_is_kept_and_let_go(alice)
    a_column_stays(alice)
    in_another_order(alice)
    there_and_back(alice, "Zoë van der Berg", "Aiko Tanabe")


def a_phrase_becomes_a_filter(alice):
    page = alice.page
    page.get_by_label("Search people").fill("not spoken for 6 months")
    chip = on(alice).get_by_role("link", name="Last spoken over 6 months ago")
    expect(chip).to_be_visible()
    expect(shown(alice)).to_have_text(["Aiko Tanabe", "Bram Peeters"])
    alice.settles()
    chip.click()
    expect(shown(alice)).to_have_count(50)
    expect(on(alice)).to_have_count(0)
    expect(page.get_by_label("Search people")).to_have_value("")


def the_filters(alice, check):
    page = alice.page
    spoken = page.get_by_role("combobox", name="Last spoken")
    page.get_by_role("button", name="Filter").click()
    spoken.select_option("Over 6 months ago")
    page.get_by_role("button", name="Show them").click()
    expect(shown(alice)).to_have_text(["Aiko Tanabe", "Bram Peeters"])
    page.get_by_role("button", name="Filter").click()
    expect(spoken).to_have_value("over-6-month")
    check("filter")
    page.get_by_label("Order").select_option("Name, Z to A")
    page.get_by_role("button", name="Show them").click()
    expect(shown(alice)).to_have_text(["Bram Peeters", "Aiko Tanabe"])


def a_list_is_kept_and_let_go(alice):
    page = alice.page
    page.get_by_text("Keep this list").click()
    page.get_by_label("Name of this list").fill("Gone quiet")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("“Gone quiet” is kept.")
    page.goto("/people/")
    kept = page.get_by_role("navigation", name="Lists you keep")
    kept.get_by_role("link", name="Gone quiet").click()
    expect(shown(alice)).to_have_text(["Bram Peeters", "Aiko Tanabe"])
    expect(on(alice)).to_contain_text("Last spoken over 6 months ago")
    kept.get_by_role("link", name="Edit the lists you keep").click()
    page.get_by_role("link", name="Edit the list Gone quiet").click()
    page.get_by_text("Delete this list").click()
    page.get_by_role("button", name="Delete the list").click()
    expect(page.get_by_role("heading", name="No list yet")).to_be_visible()
    page.goto("/people/")
    expect(shown(alice)).to_have_count(50)
    expect(kept).to_have_count(0)


def a_column_stays(alice):
    page = alice.page
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Number").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Number")).to_be_attached()
    page.goto("/people/?q=zoe")
    expect(page.get_by_role("link", name="+43 660 1234567")).to_be_visible()
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_label("Number")).to_be_checked()
    alice.look("columns")


def in_another_order(alice):
    """By the heads of the table, or by the filter where a phone has no room for them."""
    page = alice.page
    page.goto("/people/")
    if page.viewport_size == LAPTOP["viewport"]:
        head = page.get_by_role("columnheader", name="Person")
        expect(head).to_have_attribute("aria-sort", "ascending")
        head.get_by_role("link").click()
        expect(head).to_have_attribute("aria-sort", "descending")
    else:
        page.get_by_role("button", name="Filter").click()
        page.get_by_label("Order").select_option("Name, Z to A")
        page.get_by_role("button", name="Show them").click()


def there_and_back(alice, first, last):
    page = alice.page
    expect(shown(alice).first).to_have_text(first)
    page.get_by_role("link", name="More people").click()
    expect(shown(alice)).to_have_count(10)
    expect(shown(alice).last).to_have_text(last)
    expect(page.get_by_role("link", name="More people")).to_have_count(0)
    page.get_by_role("link", name="Before").click()
    expect(shown(alice)).to_have_count(50)
    expect(shown(alice).first).to_have_text(first)


def test_without_scripts(reads):
    alice = reads("unscripted", **PHONE, java_script_enabled=False)
    page = alice.page
    seek(alice).click()
    box(alice).fill("kiln")
    page.get_by_role("button", name="Search", exact=True).click()
    every_room_has_its_kiln(alice)
    alice.look("search")
    box(alice).fill("lukazs")
    box(alice).press("Enter")
    expect(found(alice, "Nearly the same")).to_have_text("Łukasz Brandt")
    box(alice).fill("not spoken for 6 months")
    box(alice).press("Enter")
    page.get_by_role("link", name="The people of whom this is true").click()
    expect(shown(alice)).to_have_text(["Aiko Tanabe", "Bram Peeters"])
    page.goto("/people/")
    there_and_back(alice, "Aiko Tanabe", "Zoë van der Berg")
    the_filters(alice, alice.look)
    on(alice).get_by_role("link", name="Clear").click()
    expect(shown(alice)).to_have_count(50)
    a_column_stays(alice)
