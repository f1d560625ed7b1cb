"""The pages of the room: the list, arranging, one meeting, and what other pages show of it."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from followups import pursuing
from followups.models import Action, Channel, Ending, FollowUp, Outcome
from followups.pursuing import Entry
from meetings import arranging
from meetings.models import Debrief, Meeting, ProposedTime, State
from tests.factories import make_contact, make_follow_up, make_meeting

pytestmark = pytest.mark.django_db
# A Monday, ten in the morning in Vienna.
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIST, NEW, LOG = "/coffees/", "/coffees/new/", "/coffees/log/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


@pytest.fixture
def ruth(alice):
    return make_contact(alice, "Ruth Abernathy")


@pytest.fixture
def coffee(aiko):
    return make_meeting(aiko, starts_at=NOW + DAY, place="The Larder")


def url(name, row):
    return reverse(f"meetings:{name}", args=[row.pk])


def text(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def filled(*names, times=(("2026-11-24", "10:00"),), **fields):
    """Return what the browser posts: the people by name, the times as (day, hour)."""
    data = {"kind": "coffee", "how": "fixed", "minutes": "45", "time_zone": "Europe/Vienna"}
    data |= {"who-TOTAL_FORMS": max(len(names), 1), "who-INITIAL_FORMS": 0, "who-0-who": ""}
    data |= {f"who-{n}-who": name for n, name in enumerate(names)}
    for n, (day, at) in enumerate(times):
        data |= {f"time-{n}-day": day, f"time-{n}-at": at}
    return data | fields


def errors(response):
    assert response.status_code == 422
    return response.content.decode()


# The list


def test_the_list_puts_each_meeting_where_it_belongs(alice, alice_client, aiko, coffee):
    make_meeting(aiko, title="Just over", starts_at=NOW - 2 * HOUR)
    make_meeting(aiko, title="Under way", starts_at=NOW - HOUR / 4)
    make_meeting(aiko, title="Next month", starts_at=NOW + 30 * DAY)
    make_meeting(aiko, title="Which day", state=State.PROPOSED)
    make_meeting(aiko, title="Long ago", starts_at=NOW - 90 * DAY, state=State.HELD)
    make_meeting(aiko, title="Off", starts_at=NOW - DAY, state=State.CANCELLED)
    response = alice_client.get(LIST)
    groups = [
        (heading, [str(meeting) for meeting in meetings])
        for heading, meetings in response.context["groups"]
    ]
    assert groups == [
        ("How was it?", ["Just over"]),
        ("This week", ["Under way", "Coffee"]),
        ("Later", ["Next month"]),
        ("On offer", ["Which day"]),
    ]
    assert [str(meeting) for meeting in response.context["page"]] == ["Off", "Long ago"]


def test_the_first_use_says_how_to_begin(alice_client):
    assert "Whom did you last have a coffee with?" in text(alice_client, LIST)


def test_other_people_see_their_own(bob_client, coffee):
    assert "Aiko" not in text(bob_client, LIST)


def test_meetings_are_found_by_name_place_and_what_is_remembered(alice, alice_client, ruth, coffee):
    walk = make_meeting(ruth, kind="walk", place="Café Zoë", starts_at=NOW - DAY, state="held")
    Debrief.objects.create(owner=alice, meeting=walk, takeaways="They hire in spring.")
    for words, found in {
        "tanabe": [coffee],
        "LARDER": [coffee],
        "zoe": [walk],
        "spring ruth": [walk],
        "spring aiko": [],
    }.items():
        assert list(alice_client.get(LIST, {"q": words}).context["page"]) == found, words
    assert "No coffee with “nobody”" in text(alice_client, f"{LIST}?q=nobody")


def test_a_search_with_htmx_answers_with_the_list_alone(alice_client, coffee):
    headers = HTMX | {"HX-Target": "meetings"}
    response = alice_client.get(LIST, {"q": "aiko"}, headers=headers)
    assert response.content.strip().startswith(b'<div id="meetings">')


def test_the_past_comes_in_pages(alice_client, aiko):
    for number in range(25):
        make_meeting(aiko, title=f"No {number}.", starts_at=NOW - (30 + number) * DAY, state="held")
    assert "No 19." in text(alice_client, LIST)
    assert "No 20." not in text(alice_client, LIST)
    assert "No 20." in text(alice_client, f"{LIST}?page=2")


def test_as_many_queries_for_3_as_for_30(alice, alice_client):
    counts = []
    for size in (3, 30):
        for number in range(size):
            person = make_contact(alice, f"Person {size} {number}")
            make_meeting(person, starts_at=NOW + (number + 1) * HOUR)
            make_meeting(person, starts_at=NOW - (30 + number) * DAY, state="held")
            make_meeting(person, state="proposed")
        with CaptureQueriesContext(connection) as queries:
            text(alice_client, LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Arranging


def test_a_name_and_a_time_are_enough(alice, alice_client, aiko):
    follow_up = make_follow_up(aiko)
    response = alice_client.post(NEW, filled("Aiko"))
    meeting = Meeting.objects.get()
    assert response["Location"] == meeting.get_absolute_url()
    assert (meeting.owner, meeting.people, meeting.state) == (alice, [aiko], State.CONFIRMED)
    assert meeting.starts_at == NOW + DAY
    follow_up.refresh_from_db()
    assert follow_up.ending == Ending.MEETING_SET


def test_everything_at_once(alice_client, aiko, ruth):
    fields = {"place": "Platform 4", "minutes": "90", "purpose": "Advice", "title": "Train talk"}
    data = filled("Aiko Tanabe", "ruth", "Aiko", kind="walk", time_zone="Asia/Tokyo", **fields)
    alice_client.post(NEW, data)
    meeting = Meeting.objects.get()
    assert meeting.people == [aiko, ruth]
    assert meeting.starts_at == datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert (meeting.kind, meeting.time_zone, meeting.minutes) == ("walk", "Asia/Tokyo", 90)
    assert (meeting.place, meeting.purpose, meeting.heading) == (
        "Platform 4",
        "Advice",
        "Train talk",
    )


def test_the_address_may_name_the_person_and_their_clock_is_offered(alice, alice_client, aiko):
    aiko.time_zone = "Asia/Tokyo"
    aiko.save(update_fields=["time_zone"])
    page = text(alice_client, f"{NEW}?contact={aiko.pk}")
    assert 'value="Aiko Tanabe"' in page
    assert '<option value="Asia/Tokyo">Tokyo, Aiko’s</option>' in page


def test_one_of_two_is_asked_for_and_a_new_person_only_added_on_purpose(alice, alice_client):
    first, second = (make_contact(alice, "Aiko Tanabe") for _ in range(2))
    page = errors(alice_client.post(NEW, filled("Aiko Tanabe")))
    assert "Several people match. Which one is it?" in page
    alice_client.post(NEW, filled("Aiko Tanabe", **{"who-0-contact": str(second.pk)}))
    assert Meeting.objects.get().people == [second]
    # What was chosen for one name is not meant when another one stands there.
    data = filled("Noor Saleh", **{"who-0-contact": str(first.pk)})
    assert "Nobody of that name is in your notebook yet." in errors(alice_client.post(NEW, data))
    alice_client.post(NEW, data | {"who-0-contact": "new"})
    assert [person.name for person in Meeting.objects.latest("id").people] == ["Noor Saleh"]


def test_the_same_form_twice_is_one_meeting_and_one_new_person(alice_client):
    data = filled("Noor Saleh", key=str(uuid.uuid4()), **{"who-0-contact": "new"})
    first, second = (alice_client.post(NEW, data)["Location"] for _ in range(2))
    assert first == second
    assert Meeting.objects.count() == Contact.objects.count() == 1


def test_another_person_keeps_what_was_typed_and_judges_nothing(alice_client):
    response = alice_client.post(NEW, filled("half a na", times=[("", "")], add="who"))
    page = response.content.decode()
    assert response.status_code == 200
    assert 'name="who-1-who"' in page
    assert 'value="half a na"' in page
    assert 'aria-invalid="true"' not in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (filled(), "Write a name."),
        (filled("Aiko", times=[("", "")]), "Choose a day."),
        (filled("Aiko", times=[("2026-11-24", "")]), "Choose a time."),
        (filled("Aiko", times=[("2026-11-22", "10:00")]), "That time has passed."),
        (filled("Aiko", times=[("9999-12-31", "23:59")]), "Choose a day within ten years."),
        (filled("Aiko", times=[("2027-03-28", "02:30")]), "02:30 does not exist. Is it 03:30?"),
        (filled("Aiko", minutes="0"), "Write a number of minutes, such as 45."),
        (filled("Aiko", how="proposed"), "Offer two times at least"),
        (filled("Aiko", kind="war"), "Select a valid choice."),
        (filled("Aiko", time_zone="Mars/Olympus"), "Select a valid choice."),
    ],
)
def test_a_wrong_form_says_so_in_a_sentence_and_saves_nothing(alice_client, aiko, data, sentence):
    assert sentence in errors(alice_client.post(NEW, data))
    assert not Meeting.objects.exists()


# Proposing


def test_two_times_on_offer_are_drafted_sent_and_one_is_fixed(alice_client, aiko):
    times = [("2026-11-24", "10:00"), ("2026-11-26", "16:00")]
    response = alice_client.post(NEW, filled("Aiko", times=times, how="proposed"))
    meeting = Meeting.objects.get()
    page = text(alice_client, response["Location"])
    assert "Hello Aiko," in page
    assert "- Thursday, 26 November, 16:00" in page
    assert "I sent it" in page
    alice_client.post(url("sent", meeting))
    assert FollowUp.objects.get().playbook.slug == "meeting-proposed"
    page = text(alice_client, meeting.get_absolute_url())
    assert "Sent on Mon 23 Nov" in page
    assert "I will ask again on Thu 26 Nov." in page
    assert "data-undo" in page
    chosen = meeting.proposed_times.last()
    alice_client.post(url("confirm", meeting), {"time": chosen.pk})
    meeting.refresh_from_db()
    assert (meeting.state, meeting.starts_at) == (State.CONFIRMED, chosen.starts_at)
    assert FollowUp.objects.get().ending == Ending.MEETING_SET


@pytest.mark.parametrize("channel", ["email", "message"])
def test_the_times_were_sent_the_way_that_was_said(alice_client, aiko, channel):
    meeting = make_meeting(aiko, state=State.PROPOSED)
    assert f'name="channel" value="{channel}"' in text(alice_client, meeting.get_absolute_url())
    alice_client.post(url("sent", meeting), {"channel": channel})
    assert (aiko.interactions.get().channel, aiko.interactions.get().outcome) == (channel, "sent")
    follow_up = FollowUp.objects.get()
    assert (follow_up.attempts, follow_up.emails) == (1, channel == "email")


def test_they_may_name_another_time(alice_client, aiko):
    meeting = make_meeting(aiko, state=State.PROPOSED)
    assert "Choose a day." in errors(alice_client.post(url("confirm", meeting), {}))
    alice_client.post(url("confirm", meeting), {"day": "2026-11-30", "at": "09:15"})
    meeting.refresh_from_db()
    assert meeting.starts_at == datetime(2026, 11, 30, 8, 15, tzinfo=UTC)


def test_a_time_of_another_meeting_fixes_nothing(alice, alice_client, aiko):
    meeting, other = (make_meeting(aiko, state=State.PROPOSED) for _ in range(2))
    foreign = ProposedTime.objects.create(owner=alice, meeting=other, starts_at=NOW + DAY)
    errors(alice_client.post(url("confirm", meeting), {"time": foreign.pk}))
    meeting.refresh_from_db()
    assert meeting.state == State.PROPOSED


def test_other_times_are_offered(alice_client, coffee):
    data = {"time-0-day": "2026-11-30", "time-0-at": "10:00", "time-1-day": "2026-11-30"}
    same = data | {"time-1-at": "10:00"}
    assert "Offer another one than the first." in errors(
        alice_client.post(url("propose", coffee), same)
    )
    alice_client.post(url("propose", coffee), data | {"time-1-at": "16:00"})
    coffee.refresh_from_db()
    assert (coffee.state, coffee.proposed_times.count()) == (State.PROPOSED, 2)


# A meeting that was


def test_writing_down_one_that_was(alice_client, aiko):
    data = filled("Aiko", times=[("2026-11-13", "15:00")])
    meeting_page = alice_client.post(LOG, data)["Location"]
    assert Meeting.objects.get().state == State.HELD
    assert aiko.interactions.get().on == date(2026, 11, 13)
    assert "How was coffee with Aiko?" in text(alice_client, meeting_page)


def test_one_to_come_is_no_coffee_that_was(alice_client, aiko):
    assert "That has not come yet." in errors(alice_client.post(LOG, filled("Aiko")))


def test_what_the_story_tells_of_gets_its_page_once(alice_client, aiko):
    entry = Entry(Channel.MEETING, Outcome.MET, date(2026, 11, 20))
    told = pursuing.log(aiko, entry).interaction
    address = f"{LOG}?interaction={told.pk}"
    assert 'value="2026-11-20"' in text(alice_client, address)
    data = filled("Aiko Tanabe", times=[("2026-11-20", "10:00")])
    page = alice_client.post(address, data)["Location"]
    assert aiko.interactions.get() == told
    assert told.attended.meeting == Meeting.objects.get()
    assert alice_client.get(address)["Location"] == page


# One meeting


@pytest.mark.parametrize(
    ("state", "starts_at", "words"),
    [
        ("confirmed", NOW + DAY, "If something comes up"),
        ("confirmed", NOW - DAY, "It happened, the rest later"),
        ("proposed", None, "Which time suits?"),
        ("held", NOW - DAY, "Write it down"),
        ("cancelled", NOW + DAY, "It was only the time that did not suit"),
        ("no_show", NOW - DAY, "Offer other times"),
    ],
)
def test_the_page_says_what_comes_next(alice_client, aiko, state, starts_at, words):
    meeting = make_meeting(aiko, state=state, starts_at=starts_at)
    page = text(alice_client, meeting.get_absolute_url())
    assert words in page
    assert page.count("<h1") == 1
    assert page.split("<main")[1].split("</main>")[0].count("primary") <= 1


def test_the_page_tells_the_time_by_both_clocks(alice, alice_client, coffee):
    Contact.objects.update(time_zone="America/New_York")
    page = text(alice_client, coffee.get_absolute_url())
    assert "Tuesday, 24 November 2026, 10:00" in page
    assert "Tue 24 Nov, 04:00 in New York" in page


def test_moving(alice_client, coffee):
    page = errors(alice_client.post(url("move", coffee), {"day": "2026-11-20", "at": "10:00"}))
    assert "That time has passed. Choose one to come." in page
    alice_client.post(url("move", coffee), {"day": "2026-11-27", "at": "14:00"})
    page = text(alice_client, coffee.get_absolute_url())
    assert "Coffee with Aiko Tanabe is now on Fri 27 Nov, 14:00." in page
    alice_client.post(reverse("followups:undo", args=[Action.objects.get().pk]))
    coffee.refresh_from_db()
    assert coffee.starts_at == NOW + DAY


def test_cancelling_asks_why_and_what_next(alice_client, aiko, coffee):
    assert "Remind me to offer other times" in text(alice_client, url("cancel", coffee))
    alice_client.post(url("cancel", coffee), {"reason": "A cold", "again": "on"})
    assert "A cold" in aiko.interactions.get().note
    assert aiko.follow_ups.open().get().playbook.slug == "meeting-proposed"
    page = text(alice_client, coffee.get_absolute_url())
    assert "Times proposed begins" in page
    assert "data-undo" in page


def test_holding_and_a_no_show(alice_client, aiko):
    first, second = (make_meeting(aiko, starts_at=NOW - HOUR) for _ in range(2))
    alice_client.post(url("hold", first))
    alice_client.post(url("no_show", second), {"next": "/"})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.HELD, State.NO_SHOW)


def test_what_cannot_be_done_is_said(alice_client, aiko, coffee):
    response = alice_client.post(url("hold", coffee), follow=True)
    assert "That one is still to come, on Tue 24 Nov." in response.content.decode()


def test_a_form_goes_back_to_no_other_site(alice_client, coffee):
    for bad in ("https://evil.example/", "//evil.example/", "evil"):
        response = alice_client.post(url("cancel", coffee), {"next": bad})
        assert response["Location"] == coffee.get_absolute_url()


def test_editing_tells_calendars_of_a_new_version(alice_client, coffee):
    data = {"kind": "lunch", "minutes": "60", "time_zone": "Europe/Vienna", "place": "Platform 4"}
    assert "such as 45" in errors(
        alice_client.post(url("meeting_edit", coffee), data | {"minutes": ""})
    )
    alice_client.post(url("meeting_edit", coffee), data)
    coffee.refresh_from_db()
    assert (coffee.kind, coffee.place, coffee.minutes, coffee.sequence) == (
        "lunch",
        "Platform 4",
        60,
        1,
    )


@pytest.mark.parametrize(
    "name",
    ["meeting", "meeting_edit", "propose", "confirm", "move", "cancel"],
)
def test_somebody_elses_meeting_is_not_there(bob_client, coffee, name):
    assert bob_client.get(url(name, coffee)).status_code == 404


@pytest.mark.parametrize("name", ["sent", "no_show", "hold", "ready", "question_new"])
def test_what_changes_something_is_posted_by_its_owner(alice_client, bob_client, coffee, name):
    assert bob_client.post(url(name, coffee)).status_code == 404
    assert alice_client.get(url(name, coffee)).status_code == 405


@pytest.mark.parametrize("query", ["contact=0", "contact=x", "contact=", "contact=" + "9" * 30])
def test_an_address_with_nobody_in_it(alice_client, query):
    assert alice_client.get(f"{NEW}?{query}").status_code == 404


# What other pages show


def test_the_contacts_page_shows_what_is_arranged_and_on_offer(alice, alice_client, aiko, coffee):
    offered = make_meeting(aiko, kind="lunch", state=State.PROPOSED)
    time = ProposedTime.objects.create(owner=alice, meeting=offered, starts_at=NOW + 3 * DAY)
    page = text(alice_client, aiko.get_absolute_url())
    assert "Coffee at The Larder, 10:00" in page
    assert "Prep page" in page
    assert f'name="time" value="{time.pk}"' in page
    assert f"{NEW}?contact={aiko.pk}" in page
    back = {"time": time.pk, "next": aiko.get_absolute_url()}
    assert alice_client.post(url("confirm", offered), back)["Location"] == aiko.get_absolute_url()


def test_the_contacts_page_asks_how_it_was(alice_client, aiko):
    make_meeting(aiko, starts_at=NOW - 2 * HOUR)
    assert "It happened, log it" in text(alice_client, aiko.get_absolute_url())


def test_questions_of_a_day(alice, aiko, coffee):
    mine = Meeting.objects.for_user(alice)
    held = arranging.arrange(alice, [aiko], "call", NOW - DAY)
    long_ago = arranging.arrange(alice, [aiko], "call", NOW - 30 * DAY)
    over = make_meeting(aiko, starts_at=NOW - 50 * timedelta(minutes=1))
    under_way = make_meeting(aiko, starts_at=NOW - 40 * timedelta(minutes=1))
    assert list(mine.on_day(NOW, NOW + DAY + HOUR)) == [coffee]
    assert list(mine.on_day(NOW, NOW + DAY)) == []
    assert list(mine.upcoming(NOW)) == [under_way, coffee]
    assert list(mine.to_debrief(NOW)) == [over, held]
    assert list(mine.past()) == [held, long_ago]
    Debrief.objects.create(owner=alice, meeting=held, saved_at=NOW)
    assert list(mine.to_debrief(NOW)) == [over]
