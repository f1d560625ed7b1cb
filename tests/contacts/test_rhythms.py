"""Rhythms: when it is time for a hello, when it is late, what resets and what silences it; tags
that give one."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.forms.people import RhythmField
from contacts.models import Contact, ContactTag, Tag, say_rhythm
from followups import pursuing
from followups.models import FollowUp, State
from tests.contacts.test_contact import filled
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import attempt
from today.agenda import build_agenda

pytestmark = pytest.mark.django_db
SPOKE = date(2026, 3, 2)
HTMX = {"HX-Request": "true"}


def on_day(number):
    """Return the local date so many days after they spoke last."""
    return SPOKE + timedelta(days=number)


def due(owner, today=None):
    """Return {name: late} of everybody for whom it is time for a hello."""
    found = Contact.objects.hello_due(owner, today or owner.today())
    return {contact.name: contact.is_late for contact in found}


def make_tag(owner, name, days=None):
    return Tag.objects.create(owner=owner, name=name, rhythm_days=days)


def tagged(contact, *tags):
    for tag in tags:
        ContactTag.objects.create(owner=contact.owner, contact=contact, tag=tag)
    return contact


def priya_every(owner, days, **fields):
    return make_contact(owner, "Priya", rhythm_days=days, last_interaction_on=SPOKE, **fields)


def log(client, contact, happened, **fields):
    url = reverse("followups:log_contact", args=[contact.pk])
    assert client.post(url, {"happened": happened} | fields).status_code == 302


# Ideal and late


@pytest.mark.parametrize(
    ("rhythm", "passed", "expected"),
    [
        (21, 20, {}),
        (21, 21, {"Priya": False}),
        (21, 31, {"Priya": False}),
        (21, 32, {"Priya": True}),
        (42, 62, {"Priya": False}),
        (42, 63, {"Priya": True}),
        (1, 0, {}),
        (1, 1, {"Priya": False}),
        (1, 2, {"Priya": True}),
        (3650, 3649, {}),
        (3650, 3650, {"Priya": False}),
    ],
)
def test_a_hello_is_due_after_the_rhythm_and_late_after_half_of_it_again(
    alice, rhythm, passed, expected
):
    priya_every(alice, rhythm)
    assert due(alice, on_day(passed)) == expected


def test_who_was_never_spoken_to_counts_and_is_not_late(alice):
    make_contact(alice, "Priya", rhythm_days=21)
    make_contact(alice, "Without a rhythm")
    assert due(alice) == {"Priya": False}


def test_longest_past_of_its_own_rhythm_comes_first(alice):
    make_contact(alice, "Yearly", rhythm_days=365, last_interaction_on=on_day(-400))
    make_contact(alice, "Twice", rhythm_days=21, last_interaction_on=on_day(-42))
    make_contact(alice, "Never", rhythm_days=21)
    assert list(due(alice, SPOKE)) == ["Twice", "Yearly", "Never"]


def test_at_most_two_on_today(alice, alice_client):
    for number in range(3):
        make_contact(alice, f"Quiet {number}", rhythm_days=21)
    assert len(build_agenda(alice, alice.today()).rhythms) == 2
    page = alice_client.get("/").content.decode()
    assert page.count("Said hello</button>") == 2
    assert "Quiet 2" not in page


# Of their own, or through a tag


def test_a_tag_gives_its_rhythm_and_the_shortest_counts(alice):
    tags = make_tag(alice, "alumni", 42), make_tag(alice, "close", 21), make_tag(alice, "none")
    tagged(priya_every(alice, None), *tags)
    assert due(alice, on_day(20)) == {}
    assert due(alice, on_day(21)) == {"Priya": False}


@pytest.mark.parametrize(("own", "of_the_tag"), [(42, 21), (42, 91)])
def test_ones_own_rhythm_beats_a_tag(alice, own, of_the_tag):
    tagged(priya_every(alice, own), make_tag(alice, "alumni", of_the_tag))
    assert due(alice, on_day(own - 1)) == {}
    assert due(alice, on_day(own)) == {"Priya": False}


def test_other_peoples_tags_and_rhythms_never_matter(alice, bob):
    priya_every(alice, None).tag("alumni")
    tagged(make_contact(bob, "Theirs"), make_tag(bob, "alumni", 1))
    assert due(alice, on_day(400)) == {}
    assert list(due(bob)) == ["Theirs"]


def test_the_page_says_the_rhythm_and_where_it_comes_from(alice, alice_client):
    priya = tagged(priya_every(alice, None), make_tag(alice, "friends", 91))
    close = make_tag(alice, "close <b>", 30)
    tagged(priya, close)
    page = alice_client.get(priya.get_absolute_url()).content.decode()
    assert "Every 30 days, through the tag <a" in page
    form = alice_client.get(f"{priya.get_absolute_url()}edit/").content.decode()
    assert "Without one of their own: every 30 days, through the tag close &lt;b&gt;." in form
    Contact.objects.filter(pk=priya.pk).update(rhythm_days=42)
    page = alice_client.get(priya.get_absolute_url()).content.decode()
    assert "Every six weeks" in page
    assert "through the tag" not in page


# What resets it


@pytest.mark.parametrize("happened", ["talked", "replied", "met", "arranged", "hello"])
def test_what_is_logged_resets_the_rhythm(alice, alice_client, happened):
    priya = priya_every(alice, 21)
    assert due(alice) == {"Priya": True}
    log(alice_client, priya, happened)
    assert due(alice) == {}
    assert list(due(alice, alice.today() + timedelta(days=21))) == ["Priya"]


def test_a_hello_opens_no_follow_up(alice, alice_client):
    log(alice_client, priya_every(alice, 21), "hello")
    assert not FollowUp.objects.exists()


def test_what_is_back_dated_never_moves_the_last_contact_backwards(alice, alice_client):
    today = alice.today()
    priya = make_contact(alice, "Priya", rhythm_days=21, last_interaction_on=today)
    log(alice_client, priya, "met", on=(today - timedelta(days=60)).isoformat())
    priya.refresh_from_db()
    assert priya.last_interaction_on == today
    assert due(alice) == {}


def test_undoing_what_was_logged_brings_the_rhythm_back(alice, alice_client):
    priya = priya_every(alice, 21)
    log(alice_client, priya, "hello")
    action = priya.actions.get()
    alice_client.post(reverse("followups:undo", args=[action.pk]))
    assert due(alice) == {"Priya": True}


# What silences it


def wait(follow_up):
    pursuing.snooze(follow_up, follow_up.contact.owner.today() + timedelta(days=5))


@pytest.mark.parametrize("becomes", [None, wait, pursuing.pause, pursuing.rest])
def test_silent_while_a_follow_up_is_open(alice, alice_client, becomes):
    priya = priya_every(alice, 21)
    make_contact(alice, "Nobody pursues", rhythm_days=21)
    follow_up = make_follow_up(priya)
    if becomes:
        becomes(follow_up)
    assert list(due(alice)) == ["Nobody pursues"]
    assert "Silent while a follow-up is open." in (
        alice_client.get(priya.get_absolute_url()).content.decode()
    )
    pursuing.end(follow_up, "declined")
    assert FollowUp.objects.get().state == State.ENDED
    assert set(due(alice)) == {"Nobody pursues", "Priya"}


def test_a_first_try_silences_it_until_an_answer(alice):
    priya = make_contact(alice, "Priya", rhythm_days=1)
    yesterday = alice.today() - timedelta(days=1)
    attempt(priya, on=yesterday)
    assert due(alice) == {}
    attempt(priya, on=yesterday, outcome="talked")
    assert due(alice) == {"Priya": False}


@pytest.mark.parametrize("column", ["archived_at", "do_not_contact"])
def test_silent_for_whom_is_put_away_or_not_to_be_contacted(alice, column):
    priya = priya_every(alice, 21)
    value = True if column == "do_not_contact" else priya.created_at
    Contact.objects.filter(pk=priya.pk).update(**{column: value})
    assert due(alice) == {}


# Not this week


def test_not_this_week_is_silent_for_a_week(alice):
    priya = priya_every(alice, 21)
    today = alice.today()
    priya.not_this_week(today)
    assert due(alice, today + timedelta(days=6)) == {}
    assert list(due(alice, today + timedelta(days=7))) == ["Priya"]


def test_not_this_week_answers_in_place_and_can_be_undone(alice, alice_client):
    priya = priya_every(alice, 21)
    later, undo = (
        reverse(f"contacts:{name}", args=[priya.pk]) for name in ("hello_later", "hello_undo")
    )
    assert later in alice_client.get("/").content.decode()
    answer = alice_client.post(later, headers=HTMX).content.decode()
    assert answer.strip().startswith(f'<li id="hello-{priya.pk}"')
    assert "A hello can wait until" in answer
    assert undo in answer
    assert due(alice) == {}
    answer = alice_client.post(undo, headers=HTMX).content.decode()
    assert answer.strip().startswith(f'<li id="hello-{priya.pk}"')
    assert "a while past" in answer
    assert due(alice) == {"Priya": True}


def test_not_this_week_without_scripts(alice, alice_client):
    priya = priya_every(alice, 21)
    answer = alice_client.post(reverse("contacts:hello_later", args=[priya.pk]), follow=True)
    page = answer.content.decode()
    assert "A hello can wait until" in page
    assert reverse("contacts:hello_undo", args=[priya.pk]) in page
    answer = alice_client.post(reverse("contacts:hello_undo", args=[priya.pk]), follow=True)
    assert "A hello can wait until" not in answer.content.decode()
    assert due(alice) == {"Priya": True}


def test_an_undo_that_comes_too_late_leads_to_the_person(alice, alice_client):
    priya = make_contact(alice, rhythm_days=21, last_interaction_on=alice.today())
    answer = alice_client.post(reverse("contacts:hello_undo", args=[priya.pk]), headers=HTMX)
    assert answer["HX-Redirect"].endswith(priya.get_absolute_url())


@pytest.mark.parametrize("name", ["hello_later", "hello_undo"])
def test_a_hello_is_the_owners_to_put_off(alice, alice_client, bob_client, name):
    url = reverse(f"contacts:{name}", args=[priya_every(alice, 21).pk])
    assert bob_client.post(url).status_code == 404
    assert alice_client.get(url).status_code == 405
    assert alice_client.post(reverse(f"contacts:{name}", args=[0])).status_code == 404
    assert due(alice) == {"Priya": True}


# The form


@pytest.mark.parametrize(
    ("offered", "typed", "days"),
    [
        ("", "", None),
        ("42", "", 42),
        ("42", "99999", 42),
        ("", "30", None),
        ("another", "30", 30),
        ("another", "1", 1),
        ("another", "3650", 3650),
    ],
)
def test_a_rhythm_is_one_on_offer_or_any_number_of_days(alice, alice_client, offered, typed, days):
    fields = {"rhythm_days": offered, "rhythm_days_days": typed}
    assert alice_client.post("/people/new/", filled(**fields)).status_code == 302
    assert Contact.objects.get().rhythm_days == days


@pytest.mark.parametrize(
    ("offered", "typed"),
    [
        ("another", ""),
        ("another", "0"),
        ("another", "3651"),
        ("another", "-3"),
        ("another", "2.5"),
        ("another", "soon"),
        ("soon", ""),
    ],
)
def test_what_is_no_number_of_days_is_asked_again(alice, alice_client, offered, typed):
    fields = {"rhythm_days": offered, "rhythm_days_days": typed}
    answer = alice_client.post("/people/new/", filled(**fields))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Write a number of days from 1 to 3650, such as 30." in page
    assert '<option value="another" selected>' in page
    assert not Contact.objects.exists()


def test_an_odd_number_is_shown_and_kept(alice, alice_client):
    priya = priya_every(alice, 30)
    page = alice_client.get(f"{priya.get_absolute_url()}edit/").content.decode()
    assert '<option value="another" selected>' in page
    assert 'name="rhythm_days_days" value="30"' in page
    assert not RhythmField().has_changed(30, "30")


@pytest.mark.parametrize(
    ("days", "words"), [(42, "every six weeks"), (10, "every 10 days"), (1, "every day")]
)
def test_a_rhythm_in_words(days, words):
    assert say_rhythm(days) == words


# The people list


def names(response):
    return [contact.name for contact in response.context["page"].rows]


def test_the_chip_shows_for_whom_it_is_time(alice, alice_client):
    priya_every(alice, 21)
    tagged(make_contact(alice, "Aiko"), make_tag(alice, "alumni", 21))
    make_contact(alice, "Fresh", rhythm_days=21, last_interaction_on=alice.today())
    make_follow_up(make_contact(alice, "Pursued", rhythm_days=21))
    answer = alice_client.get("/people/", {"show": "hello"})
    assert names(answer) == ["Aiko", "Priya"]
    assert names(alice_client.get("/people/", {"show": "hello", "q": "aiko"})) == ["Aiko"]
    tag = Tag.objects.get()
    assert names(alice_client.get("/people/", {"show": "hello", "tagged": tag.name})) == ["Aiko"]


def row(client):
    """Return the first row of the list."""
    return client.get("/people/").content.decode().partition("<tbody")[2].partition("</tr>")[0]


@pytest.mark.parametrize(
    ("passed", "words"), [(41, "Every six weeks"), (42, "Time for a hello"), (63, "a while past")]
)
def test_a_row_says_the_rhythm_and_when_it_is_time(alice, alice_client, passed, words):
    last = alice.today() - timedelta(days=passed)
    priya = make_contact(alice, rhythm_days=42, last_interaction_on=last)
    assert words in row(alice_client)
    priya.not_this_week(alice.today())
    assert "Every six weeks" in row(alice_client)
    assert "hello" not in row(alice_client)


@pytest.mark.parametrize("url", ["/people/", "/people/?show=hello", "/people/tags/", "/"])
def test_as_many_queries_for_3_as_for_30(alice, alice_client, url):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert alice_client.get(url).status_code == 200
        return len(captured)

    counts = []
    for size in (3, 27):
        for number in range(size):
            name = f"{size} {number}"
            tagged(make_contact(alice, name), make_tag(alice, name, 21))
        counts.append(queries())
    assert counts[0] == counts[1]


# The tags page


def edit(client, tag, **fields):
    return client.post(reverse("contacts:tag_edit", args=[tag.pk]), {"name": tag.name} | fields)


def test_the_tags_with_their_people_and_rhythm(alice, alice_client, bob):
    alumni = make_tag(alice, "alumni", 42)
    tagged(make_contact(alice, "Priya"), alumni)
    tagged(make_contact(alice, "Away"), alumni).archive()
    make_tag(alice, "Zoo")
    make_tag(alice, "Service")
    make_tag(bob, "Secret")
    page = alice_client.get("/people/tags/")
    assert [(tag.name, tag.people) for tag in page.context["tags"]] == [
        ("alumni", 1),
        ("Service", 0),
        ("Zoo", 0),
    ]
    assert "Every six weeks" in page.content.decode()
    assert "Secret" not in page.content.decode()
    assert "/people/tags/" in alice_client.get("/people/").content.decode()


def test_a_tag_gets_a_new_name_and_a_rhythm(alice, alice_client):
    priya = priya_every(alice, None)
    priya.tag("alumni")
    tag = Tag.objects.get()
    fields = {"name": " Old  friends ", "rhythm_days": "another", "rhythm_days_days": "10"}
    assert edit(alice_client, tag, **fields)["Location"] == "/people/tags/"
    tag.refresh_from_db()
    assert (tag.name, tag.rhythm_days) == ("Old friends", 10)
    assert names(alice_client.get("/people/", {"q": "old friends"})) == ["Priya"]
    assert names(alice_client.get("/people/", {"q": "alumni"})) == []
    assert list(due(alice)) == ["Priya"]
    edit(alice_client, tag, rhythm_days="")
    assert due(alice) == {}


def test_only_the_case_of_a_name_may_change(alice, alice_client):
    tag = make_tag(alice, "alumni")
    assert edit(alice_client, tag, name="Alumni").status_code == 302
    tag.refresh_from_db()
    assert tag.name == "Alumni"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "FRIENDS"}, "You have a tag “FRIENDS” already."),
        ({"name": " "}, "Write a word or two for the tag."),
        ({"name": "x" * 61}, "Keep a tag to 60 letters."),
        ({"rhythm_days": "another"}, "Write a number of days from 1 to 3650, such as 30."),
    ],
)
def test_a_wrong_tag_says_so_and_stays(alice, alice_client, bob, fields, sentence):
    tag = make_tag(alice, "alumni", 42)
    make_tag(alice, "friends")
    answer = edit(alice_client, tag, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    tag.refresh_from_db()
    assert (tag.name, tag.rhythm_days) == ("alumni", 42)


def test_the_name_of_somebody_elses_tag_is_free(alice, alice_client, bob):
    make_tag(bob, "friends")
    assert edit(alice_client, make_tag(alice, "alumni"), name="friends").status_code == 302


def test_deleting_a_tag_keeps_the_people(alice, alice_client):
    priya = tagged(priya_every(alice, None), make_tag(alice, "alumni", 21))
    priya.reindex()
    tag = Tag.objects.get()
    page = alice_client.get(reverse("contacts:tag_edit", args=[tag.pk])).content.decode()
    assert "It comes off 1 person" in page
    answer = alice_client.post(reverse("contacts:tag_delete", args=[tag.pk]))
    assert answer["Location"] == "/people/tags/"
    assert not Tag.objects.exists()
    assert due(alice) == {}
    assert names(alice_client.get("/people/")) == ["Priya"]
    assert names(alice_client.get("/people/", {"q": "alumni"})) == []


def test_tags_are_their_owners(alice, alice_client, bob_client):
    tag = make_tag(alice, "alumni")
    change, delete = (
        reverse(f"contacts:{name}", args=[tag.pk]) for name in ("tag_edit", "tag_delete")
    )
    assert bob_client.get(change).status_code == 404
    assert bob_client.post(change, {"name": "stolen"}).status_code == 404
    assert bob_client.post(delete).status_code == 404
    assert alice_client.get(delete).status_code == 405
    assert Tag.objects.get().name == "alumni"
