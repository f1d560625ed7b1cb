"""A card made fit for the notebook: nothing is lost, nothing is too long, nothing is harmful."""

from datetime import date, timedelta
from io import BytesIO
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contacts.files.cards import Card, Task
from contacts.files.photos import MOST_PIXELS, SIDE, is_photo, thumbnail
from contacts.imports import fitting
from contacts.imports.fitting import fit, join

TODAY = date(2026, 11, 23)


def fitted(country="AT", **fields):
    return fit(Card(row=1, **({"name": "Priya Raman"} | fields)), country, TODAY)


def picture(size=(600, 400), kind="JPEG", mode="RGB", **options):
    out = BytesIO()
    Image.new(mode, size, "teal").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("written", "country", "stored"),
    [
        ("0660 1234567", "AT", "+436601234567"),
        ("+43 (660) 123-4567", "DE", "+436601234567"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("0660 1234567", "", None),
        ("call the office", "AT", None),
        ("+43 1 5880 ext. 12", "AT", None),
    ],
)
def test_numbers_belong_to_the_owners_country_and_what_is_none_is_a_detail(
    written, country, stored
):
    card = fitted(country, phones=[(written, "work")])
    assert card.phones == ([(stored, "work")] if stored else [])
    assert card.details == ([] if stored else [(written, "work")])


def test_the_same_number_in_two_spellings_is_one():
    card = fitted(phones=[("0660 1234567", "work"), ("+43 660 1234567", "home")])
    assert card.phones == [("+436601234567", "work")]


def test_addresses_and_links_that_are_none_become_details():
    card = fitted(emails=[("priya at home", "")], links=[("javascript:alert(1)", "Home")])
    assert (card.emails, card.links) == ([], [])
    assert card.details == [("priya at home", "e-mail"), ("javascript:alert(1)", "Home")]


def test_a_profile_has_one_spelling():
    card = fitted(links=[("http://at.linkedin.com/in/Priya/?trk=1", "")])
    assert card.links == [("https://www.linkedin.com/in/priya", "")]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("www.example.org", "https://www.example.org"),
        ("linkedin.com/in/Priya", "https://www.linkedin.com/in/priya"),
        ("mailto:priya@example.net", None),
        ("priya@example.net", None),
        ("see above", None),
    ],
)
def test_a_link_needs_no_scheme(written, stored):
    card = fitted(links=[(written, "")])
    assert card.links == ([(stored, "")] if stored else [])
    assert card.details == ([] if stored else [(written, "link")])


@pytest.mark.parametrize("name", ["name", "organisation", "role", "how_met"])
def test_what_is_too_long_is_cut_and_kept_whole_in_the_details(name):
    long = "long words " * 100
    card = fitted(**{name: long})
    assert len(getattr(card, name)) <= 300
    assert (long, name.replace("_", " ")) in card.details


def test_more_lines_than_the_form_shows_are_kept_in_the_details():
    card = fitted(emails=[(f"p{n}@example.net", "") for n in range(25)])
    assert len(card.emails) == fitting.MOST_LINES
    assert len(card.details) == 5


def test_tags_are_short_and_each_comes_once():
    card = fitted(tags=["Graz", "GRAZ", "x" * 61])
    assert card.tags == ["Graz"]
    assert card.details == [("x" * 61, "tag")]


def test_the_group_that_everybody_is_in_is_no_tag():
    card = fitted(tags=["myContacts", "starred"])
    assert (card.tags, card.details) == (["starred"], [])


def test_a_zone_and_a_day_that_are_none_become_details():
    card = fitted(time_zone="Moon/Base", known_since=date(1604, 1, 1))
    assert (card.time_zone, card.known_since) == ("", None)
    assert len(card.details) == 2


def test_the_people_and_reminders_of_a_card_are_told_in_the_details():
    tasks = [Task(TODAY + timedelta(days), f"In {days} days") for days in (9, 3, -3)]
    card = fitted(related=[("Ana Raman", "sister")], tasks=tasks, uid="urn:1")
    assert [task.title for task in card.tasks] == ["In 3 days"]
    assert card.details == [
        ("20 November 2026: In -3 days", "reminder"),
        ("2 December 2026: In 9 days", "reminder"),
        ("Ana Raman", "sister"),
        ("urn:1", "UID"),
    ]


texts = st.text(max_size=80)
lines = st.lists(st.tuples(texts, texts), max_size=5)


@given(
    st.builds(
        Card,
        name=texts,
        role=texts,
        emails=lines,
        phones=lines,
        links=lines,
        details=lines,
        tags=st.lists(texts, max_size=5),
        related=lines,
        time_zone=texts,
    )
)
def test_whatever_stands_on_a_card_can_be_stored_and_is_still_there(card):
    told = [text for each in (card.emails, card.phones, card.links) for text, _ in each]
    count = len(told)
    fit(card, "AT", TODAY)
    assert Card.from_json(card.to_json()).emails == card.emails
    kept = len(card.emails) + len(card.phones) + len(card.links) + len(card.details)
    assert kept >= len(set(told)) - count + len(card.details)
    assert all(len(label) <= fitting.LONGEST_LABEL for _, label in card.emails)


# Photos


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_a_photo_becomes_a_small_square_jpeg(kind):
    drawn = Image.open(BytesIO(thumbnail(picture(kind=kind))))
    assert (drawn.format, drawn.size, drawn.mode) == ("JPEG", (SIDE, SIDE), "RGB")


def test_nothing_else_of_the_file_comes_along():
    exif = Image.Exif()
    exif[0x010E] = "where she lives"
    data = thumbnail(picture(exif=exif, comment=b"<script>"))
    assert b"where she lives" not in data
    assert b"<script>" not in data


def test_what_is_transparent_is_on_white():
    out = BytesIO()
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(out, "PNG")
    drawn = Image.open(BytesIO(thumbnail(out.getvalue())))
    assert drawn.getpixel((100, 100)) == (255, 255, 255)


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_decoded():
    side = int(MOST_PIXELS**0.5) + 1
    bomb = picture((side, side), "PNG", "1")
    started = monotonic()
    assert not is_photo(bomb)
    assert thumbnail(bomb) is None
    assert monotonic() - started < 0.5


@given(st.binary(max_size=300), st.integers(0, 300))
def test_torn_photos_cost_only_themselves(noise, at):
    good = picture((40, 40))
    for data in (noise, good[:at], good[:at] + noise + good[at:]):
        is_photo(data)
        thumbnail(data)


def test_a_card_whose_photo_is_none_says_so():
    card = fitted(photo=b"<svg onload=alert(1)>")
    assert (card.photo, card.without) == (b"", ["photo"])


# One person twice


def test_what_two_cards_of_one_person_tell_is_all_on_one():
    first = fitted(
        role="Planner", emails=[("p@example.net", "home")], uid="urn:1", notes="Likes maps."
    )
    second = fitted(
        role="Head of planning",
        organisation="Aster",
        emails=[("p@example.net", "work")],
        phones=[("0660 1234567", "mobile")],
        tags=["Graz"],
        uid="urn:2",
        notes="Has a dog.",
        photo=picture(),
    )
    card = join(first, [second], "AT", TODAY)
    assert (card.role, card.organisation) == ("Planner", "Aster")
    assert card.emails == [("p@example.net", "home")]
    assert card.phones == [("+436601234567", "mobile")]
    assert (card.tags, card.notes) == (["Graz"], "Likes maps.\n\nHas a dog.")
    assert card.details == [("urn:1", "UID"), ("Head of planning", "role"), ("urn:2", "UID")]
    assert card.photo == second.photo


def test_the_notes_of_cards_of_one_person_do_not_grow_without_end():
    long = "x" * fitting.LONGEST_NOTES
    card = join(fitted(notes="Likes maps."), [fitted(notes=long)], "AT", TODAY)
    assert (card.notes, card.without) == ("Likes maps.", ["a note"])


def test_of_two_reminders_of_one_person_the_sooner_stays_one():
    late, soon = (Task(TODAY + timedelta(days), f"In {days} days") for days in (9, 3))
    card = join(fitted(tasks=[late]), [fitted(tasks=[soon])], "AT", TODAY)
    assert (card.tasks, card.details) == ([soon], [("2 December 2026: In 9 days", "reminder")])
