"""Everything out again: people as a table and as vCards, the whole notebook in one file; and that
file back into a fresh account, which is then the same notebook."""

import csv
import json
from base64 import b64encode
from zipfile import ZipFile

import vobject
from playwright.sync_api import expect

from tests.contacts.test_fitting import picture
from tests.contacts.test_vcards import vcf
from tests.e2e.person import IN_BACKGROUND

FORMULA = '=HYPERLINK("https://example.org")'
PLACES = ["h1", ".person p", "#tags", ".next", "#timeline", ".facts"]


def test_a_notebook_goes_out_and_comes_back(meet, window, request):
    who = request.node.callspec.id
    alice = meet("Alice", **window)
    alice.sign_up(f"archive-{who}@example.org")
    a_notebook(alice)
    people = a_table_of_everybody(alice)
    cards_with_photos(alice)
    only_whom_the_list_shows(alice)
    archive = the_archive(alice)
    bob = meet("Bob", **window)
    bob.sign_up(f"archive-back-{who}@example.org")
    it_comes_back(bob, archive)
    assert a_table_of_everybody(bob) == people
    assert told(bob) == told(alice)
    expect(photo(bob)).to_be_visible()


def a_notebook(alice):
    """Priya comes on a card with a photo and is pursued; Ada's notes would be a formula."""
    page = alice.page
    shown = b64encode(picture((60, 60))).decode()
    card = vcf(
        "FN:Priya Raman",
        "ORG:Aster",
        "EMAIL;TYPE=work:priya@example.org",
        f"PHOTO;ENCODING=b;TYPE=JPEG:{shown}",
    )
    page.goto("/people/import/")
    file = {"name": "priya.vcf", "mimeType": "text/vcard", "buffer": card}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look inside").click()
    page.get_by_role("button", name="Add 1 person").click()
    expect(page.get_by_text("1 person added")).to_be_visible(timeout=IN_BACKGROUND)
    alice.add("Ada Brandt", {"Phone 1, number": "+43 660 1234567", "Notes": FORMULA})
    open_priya(alice)
    form = page.get_by_role("form", name="Log something with Priya")
    form.get_by_text("Left voicemail").click()
    form.get_by_role("textbox", name="One line for later", exact=True).fill("About the study.")
    form.get_by_role("button", name="Keep").click()
    expect(page.locator("#timeline")).to_contain_text("About the study.")


def open_priya(someone):
    someone.page.goto("/people/?q=priya")
    someone.page.get_by_role("link", name="Priya Raman", exact=True).click()
    someone.sees_heading("Priya Raman")


def told(someone):
    open_priya(someone)
    return [someone.page.locator(place).all_inner_texts() for place in PLACES]


def photo(someone):
    return someone.page.get_by_role("main").locator("img.avatar")


def download(someone, link):
    """Return the path of a file, and the name under which it is saved."""
    with someone.page.expect_download() as waiting:
        someone.page.get_by_role("main").get_by_role("link", name=link).click()
    return waiting.value.path(), waiting.value.suggested_filename


def a_table_of_everybody(someone):
    someone.page.goto("/people/")
    someone.page.get_by_role("link", name="Export").click()
    path, name = download(someone, "CSV")
    assert name.startswith("netcrm-people-")
    assert name.endswith(".csv")
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [row["Name"] for row in rows] == ["Ada Brandt", "Priya Raman"]
    assert rows[0]["Notes"] == f"'{FORMULA}"
    assert rows[1]["E-mail 1 - Value"] == "priya@example.org"
    return path.read_bytes()


def cards_with_photos(alice):
    alice.check("export")
    for version in ("3.0", "4.0"):
        path, name = download(alice, f"vCard {version}")
        assert name.endswith(".vcf")
        cards = {each.fn.value: each for each in vobject.readComponents(path.read_text())}
        assert cards.keys() == {"Ada Brandt", "Priya Raman"}
        assert {card.version.value for card in cards.values()} == {version}
        assert cards["Ada Brandt"].note.value == FORMULA
        assert cards["Priya Raman"].email.value == "priya@example.org"
        assert "photo" in cards["Priya Raman"].contents


def only_whom_the_list_shows(alice):
    page = alice.page
    page.goto("/people/?q=priya")
    page.get_by_role("link", name="Export").click()
    expect(page.get_by_text("The 1 person whom your list shows.")).to_be_visible()
    path, _ = download(alice, "CSV")
    assert [row["Name"] for row in csv.DictReader(path.open(encoding="utf-8-sig"))] == [
        "Priya Raman"
    ]


def the_archive(alice):
    page = alice.page
    page.goto("/settings/")
    page.get_by_role("link", name="Your data").click()
    expect(page.get_by_text("Yours has 2 people in it")).to_be_visible()
    alice.check("your-data")
    path, name = download(alice, "Download the archive")
    assert name.endswith(".zip")
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        lines = archive.read("contacts/contact.jsonl").splitlines()
        assert [json.loads(line)["name"] for line in lines] == ["Priya Raman", "Ada Brandt"]
        assert any(name.startswith("photos/") for name in archive.namelist())
    return path


def it_comes_back(bob, archive):
    page = bob.page
    page.goto("/archive/")
    bob.check("bring-it-back")
    wrong = {"name": "people.zip", "mimeType": "application/zip", "buffer": b"no ZIP file"}
    bring_back(bob, wrong)
    expect(page.get_by_text("That is not a ZIP file.")).to_be_visible(timeout=IN_BACKGROUND)
    bob.check("no-archive")
    bring_back(bob, archive)
    expect(page.get_by_text("Everything is back")).to_be_visible(timeout=IN_BACKGROUND)
    bob.sees_heading("People")


def bring_back(bob, file):
    bob.page.locator("input[type=file]").set_input_files(file)
    bob.page.get_by_role("button", name="Bring it back").click()
