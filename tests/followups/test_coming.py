"""What comes: the next two weeks day by day, each date with its reason, and one key to move it."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from followups import pursuing
from followups.ahead import coming_days
from followups.models import Action, Break, FollowUp, Reminder, State
from followups.planning import raise_reminder
from followups.spreading import take_break
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import MONDAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]
TUESDAY, FRIDAY, SATURDAY, SUNDAY = (MONDAY + timedelta(days=n) for n in (1, 4, 5, 6))
NEXT_MONDAY = MONDAY + timedelta(days=7)
LAST_DAY = MONDAY + timedelta(days=14)


@pytest.fixture
def on(alice):
    """Return a function that gives somebody a date."""

    def on(day, name="Priya Raman", **fields):
        row = make_follow_up(make_contact(alice, name))
        Reminder.objects.filter(follow_up=row).delete()
        fields = {"next_on": day, "reason": "3 business days after your call", **fields}
        FollowUp.objects.filter(pk=row.pk).update(**fields)
        row.refresh_from_db()
        return row

    return on


@pytest.fixture
def due(on):
    """Return a function that lets somebody wait since a date."""

    def due(since, name="Priya Raman"):
        row = on(since, name)
        raise_reminder(row)
        return row

    return due


def page(client):
    return client.get(reverse("followups:coming")).content.decode()


def text_of(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


def post(client, row, days=None, htmx=False):
    headers = {"HX-Request": "true", "HX-Target": "days"} if htmx else {}
    data = {} if days is None else {"days": days}
    return client.post(reverse("followups:move", args=[row.pk]), data, headers=headers)


def shown(user):
    """Return who is on which day, by name."""
    return {
        each.first_on: [row.follow_up.contact.name for row in each.rows]
        for each in coming_days(user, user.today())
        if each.rows
    }


# Who is where.


def test_today_first_the_longest_waiting_on_top_then_each_day(alice, on, due):
    due(MONDAY, "Tom")
    due(date(2026, 11, 2), "Clara")
    on(TUESDAY, "Nora")
    on(LAST_DAY, "Ida")
    on(LAST_DAY + timedelta(days=1), "Later Lea")
    assert shown(alice) == {MONDAY: ["Clara", "Tom"], TUESDAY: ["Nora"], LAST_DAY: ["Ida"]}


def test_whoever_sleeps_and_wakes_in_these_days_is_there_too(alice_client, on):
    on(TUESDAY, "Paused Pia", state=State.PAUSED)
    rests = on(FRIDAY, "Resting Rosa", state=State.RESTING, step=2, attempts=2)
    on(None, "Paused Paul", state=State.PAUSED)
    on(None, "Ended Edda", state=State.ENDED, ended_on=MONDAY, ending="let_go")
    html = page(alice_client)
    assert html.index("Paused Pia") < html.index("paused until then") < html.index("Resting Rosa")
    assert "rests until then" in html
    assert "3rd <small>try" not in html  # it begins anew
    assert rests.plan[0].hint in html[html.index("Resting Rosa") :]
    assert "Paused Paul" not in html
    assert "Ended Edda" not in html


def test_a_date_that_has_come_is_todays_before_its_reminder_is_raised(alice, on):
    on(MONDAY - timedelta(days=3))
    assert shown(alice) == {MONDAY: ["Priya Raman"]}


def test_each_date_says_its_step_and_its_reason(alice_client, on):
    row = on(TUESDAY)
    html = page(alice_client)
    assert "Tue 10 Nov" in html
    assert row.present.hint in html
    assert "3 business days after your call." in html


def test_more_than_fifteen_that_wait_are_a_line(alice_client, due):
    for n in range(17):
        due(MONDAY, f"Person {n}")
    text = text_of(page(alice_client))
    assert "Today 17 people, more than a full day" in text
    assert "Two more wait behind these. Make room" in text
    assert text.count("A day later") == 15


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (0, "nothing yet"),
        (1, "one person"),
        (2, "two people"),
        (3, "three people, a full day"),
        (4, "four people, more than a full day"),
    ],
)
def test_how_full_a_day_is(alice, on, people, words):
    alice.daily_cap = 3
    for n in range(people):
        on(TUESDAY, f"Person {n}")
    if people == 2:  # a second follow-up is no second person
        row = on(TUESDAY, "Twice")
        FollowUp.objects.filter(pk=row.pk).update(
            contact=FollowUp.objects.exclude(pk=row.pk).first().contact, playbook=None
        )
    assert coming_days(alice, MONDAY)[1].fullness == words


def test_days_off_are_named_and_folded_unless_something_falls_there(alice, on):
    alice.country = "AT"
    take_break(alice, Break.Kind.HOLIDAY, date(2026, 12, 3), date(2026, 12, 4))
    on(date(2026, 12, 12), "Saturday Sam")
    stretches = coming_days(alice, date(2026, 12, 1))
    off = [(each.first_on.day, each.last_on.day, each.off) for each in stretches if each.off]
    assert off == [
        (3, 4, "your time off"),
        (5, 6, "the weekend"),
        (8, 8, "Immaculate Conception"),
        (12, 12, "the weekend"),
        (13, 13, "the weekend"),
    ]


def test_a_folded_stretch_is_one_line(alice_client, on):
    text = text_of(page(alice_client))
    assert "Sat 14 Nov to Sun 15 Nov: the weekend" in text
    on(SUNDAY, "Sunday Sue")
    text = text_of(page(alice_client))
    assert "Sat 14 Nov: the weekend" in text
    assert "Sun 15 Nov the weekend, one person Sunday Sue" in re.sub(" 1st try", "", text)


def test_nothing_of_other_people(bob_client, on, due):
    due(MONDAY, "Secret Sam")
    on(TUESDAY, "Secret Sue")
    assert "Secret" not in page(bob_client)


def test_as_many_queries_for_many_as_for_few(alice_client, on, due):
    due(MONDAY)
    row = on(TUESDAY, "Nora")
    post(alice_client, row, 1)
    with CaptureQueriesContext(connection) as few:
        page(alice_client)
    for n in range(10):
        due(MONDAY, f"Due {n}")
        post(alice_client, on(TUESDAY, f"Coming {n}"), 1)
    with CaptureQueriesContext(connection) as many:
        page(alice_client)
    assert len(many) == len(few)


# Moving.


@pytest.mark.parametrize(
    ("from_day", "days", "to_day"),
    [
        (TUESDAY, 1, MONDAY + timedelta(days=2)),
        (FRIDAY, 1, NEXT_MONDAY),
        (NEXT_MONDAY, -1, FRIDAY),
        (SATURDAY, 1, NEXT_MONDAY),
        (SUNDAY, -1, FRIDAY),
    ],
)
def test_a_day_is_a_work_day(alice_client, on, from_day, days, to_day):
    row = on(from_day)
    post(alice_client, row, days)
    row.refresh_from_db()
    assert (row.next_on, row.promised, row.reason) == (to_day, True, "you moved it")


def test_holidays_and_breaks_are_left_out(alice, alice_client, on, time_machine):
    time_machine.move_to("2026-12-04T09:00:00+00:00", tick=False)
    alice.country = "AT"
    alice.save()
    Break.objects.create(owner=alice, first_on=date(2026, 12, 9), last_on=date(2026, 12, 9))
    row = on(date(2026, 12, 7))
    client = client_of(alice)
    post(client, row, 1)
    row.refresh_from_db()
    assert row.next_on == date(2026, 12, 10)  # after the Immaculate Conception and the break
    post(client, row, -1)
    row.refresh_from_db()
    assert row.next_on == date(2026, 12, 7)


def test_earlier_than_tomorrow_is_today_and_asks_at_once(alice_client, on):
    row = on(TUESDAY)
    post(alice_client, row, -1)
    row.refresh_from_db()
    assert row.next_on is None
    assert row.open_reminder.due_on == MONDAY
    post(alice_client, row, -1)  # there is no day before today
    assert FollowUp.objects.get().open_reminder.due_on == MONDAY


def test_what_waits_can_be_moved_to_tomorrow(alice, alice_client, due):
    row = due(date(2026, 11, 2))
    html = page(alice_client)
    assert "A day later" in html
    assert "data-earlier" not in html
    post(alice_client, row, 1)
    assert shown(alice) == {TUESDAY: ["Priya Raman"]}
    assert not Reminder.objects.open().exists()


@pytest.mark.parametrize("state", [State.PAUSED, State.RESTING])
def test_who_sleeps_wakes_a_day_later_and_sleeps_until_then(alice_client, on, state):
    row = on(TUESDAY, state=state)
    post(alice_client, row, 1)
    row.refresh_from_db()
    assert (row.state, row.next_on) == (state, MONDAY + timedelta(days=2))


def test_it_moves_in_place_and_can_be_undone_there(alice, alice_client, on):
    row = on(TUESDAY)
    html = post(alice_client, row, 1, htmx=True).content.decode()
    assert html.lstrip().startswith('<div id="days">')
    assert "<h1>" not in html
    assert f'id="c-{row.pk}"' in html
    assert "you moved it" in html.lower()
    assert 'id="due-count"' in html
    action = Action.objects.get(verb="moved")
    assert reverse("followups:undo", args=[action.pk]) in html
    back = f"{reverse('followups:coming')}#c-{row.pk}"
    assert back in html
    undone = alice_client.post(reverse("followups:undo", args=[action.pk]), {"next": back})
    assert undone.url == back
    row.refresh_from_db()
    assert row.next_on == TUESDAY
    assert reverse("followups:undo", args=[action.pk]) not in page(alice_client)


def test_without_scripts_it_comes_back_to_the_person(alice_client, on):
    row = on(TUESDAY)
    assert post(alice_client, row, 1).url == f"{reverse('followups:coming')}#c-{row.pk}"


def test_whoever_is_moved_out_of_the_two_weeks_is_shown_for_undo(alice, alice_client, on):
    row = on(LAST_DAY)
    html = post(alice_client, row, 1, htmx=True).content.decode()
    assert f'id="c-{row.pk}"' in html
    assert shown(alice) == {LAST_DAY + timedelta(days=1): ["Priya Raman"]}


def test_undo_is_offered_only_while_it_is_the_newest(alice_client, on):
    row = on(TUESDAY)
    post(alice_client, row, 1)
    assert "Moved." in page(alice_client)
    pursuing.pause(row, FRIDAY)
    assert "Moved." not in page(alice_client)


@pytest.mark.parametrize("days", [None, 0, 2, -7, "x"])
def test_anything_else_is_refused_in_a_sentence(alice_client, on, days):
    row = on(TUESDAY)
    answer = post(alice_client, row, days, htmx=True)
    assert answer.status_code == 422
    assert "Choose a day earlier, or a day later." in answer.content.decode()
    row.refresh_from_db()
    assert row.next_on == TUESDAY


def test_what_has_no_date_is_not_moved(alice_client, on):
    row = on(None, state=State.PAUSED)
    answer = alice_client.post(reverse("followups:move", args=[row.pk]), {"days": 1}, follow=True)
    assert "It is paused until you resume it, so there is no date to move." in text_of(
        answer.content.decode()
    )


def test_only_post_and_only_the_owner(alice_client, bob_client, on):
    row = on(TUESDAY)
    assert alice_client.get(reverse("followups:move", args=[row.pk])).status_code == 405
    assert post(bob_client, row, 1).status_code == 404
    assert alice_client.post(reverse("followups:move", args=[row.pk + 99])).status_code == 404
    assert alice_client.post(reverse("followups:coming")).status_code == 405
    row.refresh_from_db()
    assert row.next_on == TUESDAY
