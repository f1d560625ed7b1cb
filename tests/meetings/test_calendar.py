"""Files and feed for calendar programs, read back by a parser that did not write them."""

import email
import email.policy
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
import vobject
from dateutil.tz import tzical
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactEmail
from followups import pursuing
from followups.models import FollowUp, State
from giveback import giving
from meetings import calendar
from meetings.models import CalendarFeed, Meeting, ProposedTime
from meetings.zone_rules import rules_of
from tests.factories import make_contact, make_follow_up, make_meeting

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
AT_TEN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
NAME = "Łukasz, “Luke”; O’Neill \\ Ünsal 🎈"


@pytest.fixture(autouse=True)
def morning():
    with time_machine.travel(MORNING, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def events_in(content):
    return list(vobject.readOne(content.decode()).contents.get("vevent", []))


def only_event(content):
    [event] = events_in(content)
    return event


def fed(client, user):
    client.post(reverse("meetings:feed_new"))
    return Client().get(feed_url(user)).content


def feed_url(user):
    return reverse("meetings:feed_file", args=[CalendarFeed.objects.get(owner=user).token])


# One meeting


@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Europe/Vienna", datetime(2026, 10, 24, 8, tzinfo=UTC)),  # summer, the day before
        ("Europe/Vienna", datetime(2026, 10, 26, 9, tzinfo=UTC)),  # winter, the day after
        ("Europe/Vienna", datetime(2027, 3, 28, 0, 59, tzinfo=UTC)),  # a minute before the gap
        ("America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # 1:30, the first one
        ("America/New_York", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),  # 1:30, the second one
        ("Australia/Lord_Howe", datetime(2027, 4, 3, 14, tzinfo=UTC)),  # half an hour's change
        ("Africa/Casablanca", datetime(2027, 2, 20, 9, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 11, 27, 4, tzinfo=UTC)),
        ("Europe/Dublin", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("UTC", AT_TEN),
    ],
)
def test_a_meeting_stands_at_its_instant_in_its_own_zone(aiko, zone, instant):
    meeting = make_meeting(aiko, starts_at=instant, time_zone=zone, minutes=45)
    event = only_event(calendar.meeting_file(meeting))
    assert event.dtstart.value.astimezone(UTC) == instant
    assert event.dtend.value.astimezone(UTC) == instant + timedelta(minutes=45)


@pytest.mark.parametrize(
    "zone", ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_the_rules_of_a_zone_tell_every_hour_of_two_years_as_the_database_of_zones_does(zone):
    text = "BEGIN:VCALENDAR\r\n" + rules_of(zone, 2025, 2028).to_ical().decode()
    read = tzical(StringIO(text + "END:VCALENDAR\r\n")).get()
    for hour in range(2 * 365 * 24):
        local = datetime(2026, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001
        mine, known = local.replace(tzinfo=read), local.replace(tzinfo=ZoneInfo(zone))
        if known.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local:
            assert mine.utcoffset() == known.utcoffset(), local


def test_every_zone_that_can_be_chosen_has_rules():
    for zone in available_timezones():
        assert rules_of(zone, 2026, 2026).standard or rules_of(zone, 2026, 2026).daylight


def test_the_file_brings_the_rules_of_its_zone(aiko):
    meeting = make_meeting(aiko, starts_at=AT_TEN)
    text = calendar.meeting_file(meeting).decode()
    assert "DTSTART;TZID=Europe/Vienna:20261127T100000" in text
    assert text.count("BEGIN:VTIMEZONE") == 1
    assert text.index("BEGIN:VTIMEZONE") < text.index("BEGIN:VEVENT")
    assert "\r\nMETHOD:PUBLISH\r\n" in text
    assert "ORGANIZER;CN=Alice:mailto:alice@example.org" in text
    assert "VALARM" not in text


def test_words_survive_and_lines_are_folded_at_75_octets(alice):
    contact = make_contact(alice, NAME)
    place = "Café „Zum Löwen“, Ring 1; 2nd floor\nback room " + "ä" * 90
    meeting = make_meeting(contact, starts_at=AT_TEN, place=place, purpose="One,\ntwo; three\x07")
    content = calendar.meeting_file(meeting)
    event = only_event(content)
    assert event.summary.value == f"Coffee with {NAME}"
    assert event.location.value == " ".join(place.split())
    assert event.description.value.startswith("One,\ntwo; three\nhttp")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() for line in lines if line)  # no letter is cut in two


def test_identity_number_and_state(aiko):
    meeting = make_meeting(aiko, starts_at=AT_TEN, sequence=3, state="cancelled")
    event = only_event(calendar.meeting_file(meeting))
    assert event.uid.value == str(meeting.uid)
    assert (event.sequence.value, event.status.value) == ("3", "CANCELLED")
    assert event.dtstamp.value == meeting.changed_at.replace(microsecond=0)
    assert event.last_modified.value == event.dtstamp.value


def test_times_on_offer_are_tentative_each_with_its_own_identity(alice, aiko):
    meeting = make_meeting(aiko, state="proposed")
    times = [AT_TEN, AT_TEN + timedelta(days=1)]
    for at in times:
        ProposedTime.objects.create(owner=alice, meeting=meeting, starts_at=at)
    events = events_in(calendar.meeting_file(meeting))
    assert [event.dtstart.value for event in events] == times
    assert {event.status.value for event in events} == {"TENTATIVE"}
    assert len({event.uid.value for event in events}) == 2


def test_download(alice_client, bob_client, aiko):
    meeting = make_meeting(aiko, starts_at=AT_TEN)
    url = reverse("meetings:meeting_ics", args=[meeting.pk])
    response = alice_client.get(url)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="coffee.ics"'
    assert bob_client.get(url).status_code == 404
    assert alice_client.post(url).status_code == 405


# The draft of a mail


def read_mail(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def test_the_invitation_opens_as_a_draft_and_keeps_private_words_private(
    alice_client, bob_client, alice
):
    contact = make_contact(alice, NAME, time_zone="America/New_York")
    for address, bounced in (("old@example.org", TODAY), ("luke@example.org", None)):
        ContactEmail.objects.create(
            owner=alice, contact=contact, address=address, bounced_on=bounced
        )
    meeting = make_meeting(
        contact, starts_at=AT_TEN, place="The Larder", purpose="secret", title="secret\r\nX: y"
    )
    url = reverse("meetings:invitation", args=[meeting.pk])
    mail = read_mail(alice_client.get(url).content)
    assert (mail["X-Unsent"], mail["To"], mail["X"]) == ("1", "luke@example.org", None)
    assert mail["Subject"] == "Coffee with Alice"
    words = mail.get_body().get_content()
    assert "Friday, 27 November, 04:00 your time (10:00 in Vienna)" in words
    assert "Where: The Larder" in words
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert attached.get_param("method") == "PUBLISH"
    event = only_event(attached.get_payload(decode=True))
    assert event.summary.value == f"Coffee: Alice and {NAME}"
    assert "secret" not in words + attached.get_payload(decode=True).decode()
    assert bob_client.get(url).status_code == 404


def test_an_invitation_to_times_on_offer_names_them(alice_client, alice, aiko):
    meeting = make_meeting(aiko, state="proposed")
    ProposedTime.objects.create(owner=alice, meeting=meeting, starts_at=AT_TEN)
    url = reverse("meetings:invitation", args=[meeting.pk])
    assert (
        "- Friday, 27 November, 10:00"
        in read_mail(alice_client.get(url).content).get_body().get_content()
    )
    Meeting.objects.update(state="cancelled")
    assert alice_client.get(url).status_code == 302


# The feed


def test_the_feed_holds_meetings_follow_ups_and_promises(alice, alice_client, aiko):
    make_meeting(aiko, starts_at=AT_TEN)
    make_follow_up(aiko)
    giving.promise(aiko, "article", "The book", date(2026, 11, 30))
    by_name = {event.summary.value: event for event in events_in(fed(alice_client, alice))}
    assert set(by_name) == {
        "Coffee with Aiko Tanabe",
        f"Aiko Tanabe: {FollowUp.objects.get().present.hint.rstrip('.')}",
        "Promised to Aiko Tanabe: The book",
    }
    promise = by_name["Promised to Aiko Tanabe: The book"]
    # All day long, in the user's own days, keeping nobody busy.
    assert (promise.dtstart.value, promise.dtend.value) == (date(2026, 11, 30), date(2026, 12, 1))
    assert promise.transp.value == "TRANSPARENT"
    assert promise.url.value.endswith(aiko.get_absolute_url())


@pytest.mark.parametrize(
    ("fields", "summary", "on"),
    [
        ({"next_on": "2026-12-03"}, "Aiko Tanabe: Call", date(2026, 12, 3)),
        ({"next_on": "2026-11-02"}, "Aiko Tanabe: Call", TODAY),
        (
            {"next_on": "2027-05-03", "state": State.RESTING},
            "Aiko Tanabe: back from a rest",
            date(2027, 5, 3),
        ),
        (
            {"next_on": "2026-12-03", "state": State.PAUSED},
            "Aiko Tanabe: the pause is over",
            date(2026, 12, 3),
        ),
    ],
)
def test_a_follow_up_stands_on_the_day_it_asks_or_comes_back(
    alice, alice_client, aiko, fields, summary, on
):
    follow_up = make_follow_up(aiko)
    follow_up.reminders.all().delete()
    FollowUp.objects.update(**fields)
    event = only_event(fed(alice_client, alice))
    assert event.summary.value.startswith(summary)
    assert event.dtstart.value == on


def test_what_waits_for_an_answer_moves_along_with_today_in_the_users_zone(
    alice, alice_client, aiko
):
    make_follow_up(aiko)
    FollowUp.objects.get().reminders.update(due_on=date(2026, 11, 10))
    alice.time_zone = "Pacific/Auckland"
    alice.save(update_fields=["time_zone"])
    with time_machine.travel("2026-11-20T12:00:00+00:00", tick=False):
        assert only_event(fed(alice_client, alice)).dtstart.value == date(2026, 11, 21)


@pytest.mark.parametrize("state", [State.ENDED, State.PAUSED])
def test_what_has_no_date_is_not_in_it(alice, alice_client, aiko, state):
    follow_up = make_follow_up(aiko)
    follow_up.reminders.all().delete()
    FollowUp.objects.update(state=state, next_on=None)
    assert events_in(fed(alice_client, alice)) == []


def test_a_cancelled_meeting_stays_a_while_so_that_calendars_take_it_out(alice, alice_client, aiko):
    meeting = make_meeting(aiko, starts_at=AT_TEN, state="cancelled")
    assert only_event(fed(alice_client, alice)).status.value == "CANCELLED"
    for far in (MORNING - timedelta(days=100), MORNING + timedelta(days=420)):
        Meeting.objects.filter(pk=meeting.pk).update(starts_at=far)
        assert events_in(fed(alice_client, alice)) == []


def test_it_asks_the_database_as_often_for_thirty_as_for_three(alice, alice_client, aiko):
    def queries(count):
        for number in range(count):
            person = make_contact(alice, f"P {number}")
            make_follow_up(person)
            giving.promise(person, "article", "x", TODAY)
            meeting = make_meeting(aiko, person, state="proposed")
            ProposedTime.objects.create(owner=alice, meeting=meeting, starts_at=AT_TEN)
        with CaptureQueriesContext(connection) as captured:
            calendar.feed(alice, MORNING)
        return len(captured)

    assert queries(3) == queries(27)


def test_it_is_the_same_file_until_something_changes(alice, alice_client, aiko):
    make_meeting(aiko, starts_at=AT_TEN, time_zone="America/New_York")
    make_meeting(aiko, starts_at=AT_TEN)
    make_follow_up(aiko)
    fed(alice_client, alice)
    first = Client().get(feed_url(alice))
    assert first["Cache-Control"] == "private, no-cache"
    again = {"If-None-Match": first["ETag"]}
    assert Client().get(feed_url(alice), headers=again).status_code == 304
    pursuing.skip(FollowUp.objects.select_related("contact__owner").get())
    changed = Client().get(feed_url(alice), headers=again)
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


# The address


def test_the_address_is_secret_replaceable_and_revocable(alice, alice_client):
    page = reverse("meetings:feed")
    assert "No address yet" in alice_client.get(page).content.decode()
    alice_client.post(reverse("meetings:feed_new"))
    old = feed_url(alice)
    assert len(CalendarFeed.objects.get().token) >= 43
    shown = alice_client.get(page).content.decode()
    assert f"http://testserver{old}" in shown
    assert "Nobody has read it yet." in shown

    response = Client().get(old)
    assert response.status_code == 200
    assert "sessionid" not in response.cookies
    assert "Last read now." in alice_client.get(page).content.decode()

    alice_client.post(reverse("meetings:feed_new"))
    assert Client().get(old).status_code == 404
    assert Client().get(feed_url(alice)).status_code == 200
    new = feed_url(alice)
    alice_client.post(reverse("meetings:feed_revoke"))
    assert Client().get(new).status_code == 404
    assert Client().post(new).status_code == 405


def test_each_person_has_their_own_and_nobody_else_s(alice, alice_client, bob, bob_client, aiko):
    make_meeting(aiko, starts_at=AT_TEN)
    assert events_in(fed(alice_client, alice))
    assert events_in(fed(bob_client, bob)) == []
    bob_client.post(reverse("meetings:feed_revoke"))
    assert Client().get(feed_url(alice)).status_code == 200


def test_an_account_that_is_closed_has_no_feed(alice, alice_client):
    fed(alice_client, alice)
    url = feed_url(alice)
    alice.is_active = False
    alice.save(update_fields=["is_active"])
    assert Client().get(url).status_code == 404
