"""Rule 9: much at once is settled on one screen, and a break shifts the dates. Nothing fires all at
once afterwards, and all of it can be taken back for an hour."""

from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from followups import pursuing, spreading
from followups.checking import check_followups
from followups.models import Action, Break, Ending, FollowUp, Reminder, State, Via
from followups.planning import CannotDo, raise_reminder
from followups.spreading import KEEP, LET_GO, REST, SPREAD, backlog, settle, take_break
from followups.undoing import undo, undo_batch
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import MONDAY, attempt, picture, playbook_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]
TUESDAY, FRIDAY, SUNDAY = (MONDAY + timedelta(days=n) for n in (1, 4, 6))
QUIET_DAY, HARD_WEEK, HOLIDAY = Break.Kind
PAGE = "followups:backlog"


@pytest.fixture
def wait(alice):
    """Return a function that lets people wait, each since its local date."""

    def wait(*since, owner=alice, name="Person"):
        rows = [make_follow_up(make_contact(owner, f"{name} {n}")) for n, _ in enumerate(since)]
        for row, due_on in zip(rows, since, strict=True):
            if row.next_on:  # the cap moved it
                raise_reminder(row)
            Reminder.objects.filter(follow_up=row).update(due_on=due_on)
        return rows

    return wait


@pytest.fixture
def plan(alice):
    """Return a function that gives people a date each."""

    def plan(*days, **fields):
        rows = [make_follow_up(make_contact(alice, f"Planned {on}")) for on in days]
        for row, on in zip(rows, days, strict=True):
            Reminder.objects.filter(follow_up=row).delete()
            fields = {"reason": "3 business days after your call", **fields}
            FollowUp.objects.filter(pk=row.pk).update(next_on=on, **fields)
            row.refresh_from_db()
        return rows

    return plan


def fresh(rows):
    return [FollowUp.objects.get(pk=row.pk) for row in rows]


def dates(rows):
    return [row.next_on for row in fresh(rows)]


def asking(rows):
    return set(Reminder.objects.open().filter(follow_up__in=rows).values_list("due_on", flat=True))


# Who is in the backlog.


@pytest.mark.parametrize(
    ("due_on", "country", "needed"),
    [
        (date(2026, 10, 26), "", False),  # ten business days ago
        (date(2026, 10, 25), "", True),
        # With the Austrian holiday of 26 October between, it is a business day less.
        (date(2026, 10, 23), "AT", False),
        (date(2026, 10, 22), "AT", True),
    ],
)
def test_waiting_longer_than_ten_business_days_calls_for_room(alice, wait, due_on, country, needed):
    alice.country = country
    wait(due_on)
    assert backlog(alice, MONDAY).needed is needed


@pytest.mark.parametrize(("due_on", "needed"), [(FRIDAY, False), (FRIDAY - timedelta(1), True)])
def test_a_weekend_adds_no_business_days(alice, wait, due_on, needed):
    wait(due_on - timedelta(days=14))
    assert backlog(alice, SUNDAY).needed is needed


@pytest.mark.parametrize(("count", "needed"), [(15, False), (16, True)])
def test_more_than_fifteen_call_for_room(alice, wait, count, needed):
    wait(*[MONDAY] * count)
    found = backlog(alice, MONDAY)
    assert (found.needed, found.waiting, len(found.reminders)) == (needed, count, count)


def test_a_few_that_waited_long_are_shown_without_the_others_and_many_are_shown_all(alice, wait):
    first, second, *_ = wait(date(2026, 10, 2), date(2026, 10, 1), *[MONDAY] * 8)
    shown = [row.follow_up for row in backlog(alice, MONDAY).reminders]
    assert shown == [second, first]
    wait(*[MONDAY] * 6)
    shown = [row.follow_up for row in backlog(alice, MONDAY).reminders]
    assert (shown[:2], len(shown)) == ([second, first], 16)


def test_nobody_elses_backlog(alice, bob, wait):
    wait(date(2026, 10, 1), *[MONDAY] * 16, owner=bob)
    assert backlog(alice, MONDAY) == spreading.Backlog(False, 0, [])


# Settling it.


def test_each_choice_does_what_it_says(alice, wait):
    kept, spread, rests, gone = rows = wait(*[date(2026, 10, 1)] * 4)
    settle(alice, dict(zip([row.pk for row in rows], [KEEP, SPREAD, REST, LET_GO], strict=True)))
    kept, spread, rests, gone = fresh(rows)
    assert asking([kept]) == {MONDAY}  # it waits as if it had come up today
    assert (spread.state, spread.next_on) == (State.ACTIVE, TUESDAY)
    assert spread.reason == "spread from your backlog"
    assert (rests.state, rests.ending) == (State.RESTING, Ending.NO_REPLY)
    assert rests.next_on == MONDAY + timedelta(days=90)
    assert (gone.state, gone.ending, gone.next_on) == (State.ENDED, Ending.LET_GO, None)
    assert not asking([spread, rests, gone])
    assert check_followups(repair=False) == []


@pytest.mark.parametrize(
    ("choice", "verb"),
    [(REST, pursuing.rest), (LET_GO, lambda row: pursuing.end(row, Ending.LET_GO))],
)
def test_resting_and_letting_go_are_the_same_for_many_as_for_one(alice, wait, choice, verb):
    one, many = wait(*[date(2026, 10, 1)] * 2)
    verb(one)
    settle(alice, {many.pk: choice})
    known = [*spreading.CHANGED, "step", "lesson", "attempts"]
    one, many = FollowUp.objects.filter(pk__in=[one.pk, many.pk]).order_by("pk").values(*known)
    assert one == many
    said = [each.said.replace("Person", "") for each in Action.objects.order_by("pk")[2:]]
    assert len(set(said)) == 1


def test_spreading_begins_tomorrow_oldest_first_and_keeps_to_the_cap(alice, wait, plan):
    alice.daily_cap = 2
    alice.save()
    plan(TUESDAY)  # somebody is there already
    since = [date(2026, 10, 5), date(2026, 10, 1), date(2026, 10, 7), date(2026, 10, 6)]
    rows = wait(*since, FRIDAY - timedelta(7))
    settle(alice, {row.pk: SPREAD for row in rows})
    by_age = [on for _, on in sorted(zip(since, dates(rows), strict=False))]
    assert by_age == [TUESDAY, MONDAY + timedelta(2), MONDAY + timedelta(2), MONDAY + timedelta(3)]
    assert dates(rows)[-1] == MONDAY + timedelta(3)


def test_spreading_leaves_out_weekends_holidays_and_breaks(alice, wait):
    alice.daily_cap, alice.country = 1, "AT"
    alice.save()
    Break.objects.create(owner=alice, first_on=date(2026, 12, 9), last_on=date(2026, 12, 9))
    rows = wait(*[date(2026, 10, 1)] * 22)
    settle(alice, {row.pk: SPREAD for row in rows})
    assert set(dates(rows)) >= {date(2026, 12, 7), date(2026, 12, 10)}
    off = {date(2026, 12, 8), date(2026, 12, 9)}  # the Immaculate Conception, the break
    assert not [on for on in dates(rows) if on.weekday() > 4 or on in off]
    assert max(Counter(dates(rows)).values()) == 1


def test_what_was_answered_meanwhile_and_what_is_not_mine_is_left_alone(alice, bob, wait):
    [answered], [hers], [his] = wait(MONDAY), wait(MONDAY), wait(MONDAY, owner=bob)
    attempt(answered.contact, to=answered)
    before = [picture(row.contact) for row in (answered, his)]
    settle(alice, {answered.pk: LET_GO, his.pk: LET_GO, hers.pk: LET_GO, 999_999: LET_GO})
    assert [picture(row.contact) for row in (answered, his)] == before
    assert fresh([hers])[0].state == State.ENDED


@pytest.mark.parametrize("several", [False, True])
def test_undo_brings_all_of_it_back(alice, wait, several):
    rows = wait(*[date(2026, 10, n) for n in range(1, 9)])
    if several:  # two follow-ups of one person, each with its own choice
        rows.append(make_follow_up(rows[0].contact, "introduced"))
        raise_reminder(rows[-1])
    settle_now = {row.pk: [KEEP, SPREAD, REST, LET_GO][n % 4] for n, row in enumerate(rows)}
    if several:
        settle_now |= {rows[0].pk: REST, rows[-1].pk: LET_GO}
    Reminder.objects.filter(follow_up=rows[-1]).update(due_on=date(2026, 10, 1))
    before = [picture(row.contact) for row in rows]
    batch = settle(alice, settle_now)
    assert [picture(row.contact) for row in rows] != before
    assert undo_batch(alice, batch) == (8, 0)
    assert [picture(row.contact) for row in rows] == before
    assert undo_batch(alice, batch) == (0, 0)  # once is enough


def test_undo_leaves_alone_with_whom_something_newer_happened(alice, wait):
    talked, other = rows = wait(*[date(2026, 10, 1)] * 2)
    batch = settle(alice, {row.pk: SPREAD for row in rows})
    attempt(talked.contact, to=talked)
    since = picture(talked.contact)
    assert undo_batch(alice, batch) == (1, 1)
    assert picture(talked.contact) == since
    assert asking([other]) == {date(2026, 10, 1)}


def test_undo_ends_after_an_hour(alice, wait, time_machine):
    rows = wait(MONDAY)
    batch = settle(alice, {rows[0].pk: SPREAD})
    time_machine.move_to("2026-11-09T10:00:01+00:00", tick=False)
    with pytest.raises(CannotDo, match="more than an hour ago"):
        undo_batch(alice, batch)
    assert dates(rows) == [TUESDAY]


def test_one_person_can_be_taken_back_alone(alice, wait):
    one, other = rows = wait(*[date(2026, 10, 1)] * 2)
    settle(alice, {row.pk: SPREAD for row in rows})
    undo(Action.objects.strokes().get(follow_up=one))
    assert asking([one]) == {date(2026, 10, 1)}
    assert dates([other]) == [TUESDAY]


# Breaks.


def test_a_break_shifts_the_dates_in_order_and_at_the_same_distance(alice, plan):
    days = [date(2026, 11, n) for n in (10, 12, 17, 18)]
    rows = plan(*days)
    take_break(alice, HOLIDAY, date(2026, 11, 11), date(2026, 11, 17))
    assert dates(rows) == [date(2026, 11, n) for n in (10, 19, 24, 25)]
    reason = "after your time off; 3 business days after your call"
    assert [row.reason for row in fresh(rows)][1:] == [reason] * 3


@pytest.mark.parametrize(
    ("on", "moves_to"),
    [(date(2026, 11, 11), date(2026, 11, 13)), (date(2026, 11, 17), date(2026, 11, 17))],
)
@pytest.mark.parametrize("fields", [{"promised": True}, {"state": State.PAUSED}])
def test_a_promised_date_only_leaves_the_break(alice, plan, on, moves_to, fields):
    rows = plan(on, **fields)
    take_break(alice, HOLIDAY, date(2026, 11, 10), date(2026, 11, 12))
    assert dates(rows) == [moves_to]
    assert fresh(rows)[0].state == fields.get("state", State.ACTIVE)


def test_what_waited_moves_behind_the_break_under_the_cap(alice, wait, plan):
    alice.daily_cap = 2
    alice.save()
    rows = wait(date(2026, 10, 3), date(2026, 10, 1), date(2026, 10, 2))
    planned = plan(TUESDAY)
    take_break(alice, QUIET_DAY, MONDAY, MONDAY)
    third = MONDAY + timedelta(days=2)
    assert dates(planned) == [third]
    assert dates(rows) == [third, TUESDAY, TUESDAY]
    assert not asking(rows)


def test_nothing_is_raised_inside_a_break_and_not_all_at_once_after_it(alice, wait, plan, go_to):
    wait(*[date(2026, 10, 1)] * 9)
    plan(*[MONDAY + timedelta(days=n) for n in (1, 2, 3, 4, 7, 8)], date(2026, 11, 14))
    taken = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    day, raised = MONDAY, {}
    while day < MONDAY + timedelta(days=30):
        raised[day] = go_to(day)
        day += timedelta(days=1)
    inside = [count for on, count in raised.items() if on <= taken.last_on]
    assert inside == [0] * 7
    assert sum(raised.values()) == 16
    assert max(raised.values()) <= alice.daily_cap
    assert raised[SUNDAY + timedelta(days=1)] > 0


def test_what_is_logged_during_a_break_comes_back_after_it(alice):
    take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    priya = make_contact(alice)
    attempt(priya)
    next_week = SUNDAY + timedelta(days=3)  # three business days, none of them inside
    row = FollowUp.objects.get(contact=priya)
    assert row.next_on == next_week
    assert "your hard week" in row.reason


def test_what_still_waits_when_a_planned_break_begins_moves_behind_it(alice, wait, go_to):
    answered, waiting = wait(MONDAY, MONDAY)
    take_break(alice, HOLIDAY, TUESDAY, SUNDAY)
    assert asking([waiting]) == {MONDAY}  # there is still a day to answer
    pursuing.end(answered, Ending.REPLIED)
    assert go_to(TUESDAY) == 0
    back_on = SUNDAY + timedelta(days=1)
    assert (asking([waiting]), dates([waiting, answered])) == (set(), [back_on, None])
    assert waiting.contact.actions.first().via == Via.SYSTEM
    go_to(TUESDAY)
    assert waiting.contact.actions.count() == 2  # it began once
    assert go_to(back_on) == 1


def test_a_break_that_passed_while_the_machine_was_down_moves_nothing(alice, wait, go_to):
    [waiting] = wait(MONDAY)
    take_break(alice, HOLIDAY, TUESDAY, FRIDAY)
    go_to(SUNDAY + timedelta(days=8))
    assert asking([waiting]) == {MONDAY}


def test_a_break_inside_another_moves_nothing_twice(alice, plan):
    rows = plan(TUESDAY)
    take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    shifted = fresh(rows)[0]
    take_break(alice, QUIET_DAY, TUESDAY, TUESDAY)
    assert fresh(rows)[0].next_on == shifted.next_on
    assert fresh(rows)[0].reason == shifted.reason


def test_the_same_break_taken_twice_is_one(alice, plan):
    rows = plan(TUESDAY)
    first = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    before = dates(rows)
    assert take_break(alice, HARD_WEEK, MONDAY, SUNDAY) == first
    assert dates(rows) == before


def test_the_same_days_off_for_two_people_are_two_breaks(alice, bob):
    assert take_break(alice, HARD_WEEK, MONDAY, SUNDAY).owner == alice
    assert take_break(bob, HARD_WEEK, MONDAY, SUNDAY).owner == bob


@pytest.mark.parametrize(
    ("first_on", "last_on", "sentence"),
    [
        (MONDAY - timedelta(1), MONDAY, "A break begins today or later."),
        (TUESDAY, MONDAY, "A break ends on its first day or later."),
        (MONDAY, MONDAY + timedelta(180), "A break is 180 days at most."),
    ],
)
def test_what_is_no_break_is_said_and_changes_nothing(alice, plan, first_on, last_on, sentence):
    rows = plan(TUESDAY)
    with pytest.raises(CannotDo, match=sentence):
        take_break(alice, HOLIDAY, first_on, last_on)
    assert dates(rows) == [TUESDAY]
    assert not Break.objects.exists()


def test_a_break_can_be_taken_back_with_all_that_it_moved(alice, wait, plan):
    rows = wait(date(2026, 10, 1), MONDAY) + plan(TUESDAY, FRIDAY)
    before = [picture(row.contact) for row in rows]
    taken = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    assert undo_batch(alice, taken.key) == (4, 0)
    assert [picture(row.contact) for row in rows] == before
    assert not Break.objects.exists()


def test_a_break_stays_when_its_hour_is_over(alice, time_machine):
    taken = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)  # it moved nothing
    time_machine.move_to("2026-11-09T10:00:01+00:00", tick=False)
    with pytest.raises(CannotDo, match="more than an hour ago"):
        undo_batch(alice, taken.key)
    assert Break.objects.exists()


def test_back_early_the_days_are_work_days_again(alice, time_machine):
    taken = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    time_machine.move_to("2026-11-11T09:00:00+00:00", tick=False)
    spreading.end_break(taken)
    priya = make_contact(alice)
    attempt(priya)
    assert FollowUp.objects.get(contact=priya).next_on == date(2026, 11, 16)
    assert Break.objects.get().last_on == TUESDAY


def test_a_break_that_has_not_begun_is_taken_back(alice, plan):
    [row] = plan(date(2026, 11, 12))
    taken = take_break(alice, HOLIDAY, TUESDAY, FRIDAY)
    moved = dates([row])
    spreading.end_break(taken)
    assert not Break.objects.exists()
    assert dates([row]) == moved  # the dates stay where they are


# The screen.


def page(client, query=""):
    return client.get(reverse(PAGE) + query).content.decode()


def today_page(client):
    return client.get(reverse("today:today")).content.decode()


def save(client, choices, **more):
    return client.post(reverse(PAGE), {f"for-{pk}": what for pk, what in choices.items()}, **more)


def take(client, **data):
    return client.post(reverse("followups:take_break"), data, follow=True)


def checked(html):
    """Return how often each choice is the chosen one."""
    chosen = [part.split('"')[0] for part in html.split(' value="')[1:] if " checked>" in part[:40]]
    return Counter(chosen)


def test_today_asks_whether_to_make_room_only_when_much_waits(alice_client, wait):
    wait(*[MONDAY] * 15)
    assert "Shall we make room?" not in today_page(alice_client)
    wait(date(2026, 10, 1), name="Patient")
    html = today_page(alice_client)
    assert "16 people wait, the longest since Thu 1 Oct. Shall we make room?" in html
    assert reverse(PAGE) in html


def test_one_person_who_waited_long_is_named(alice_client, wait):
    wait(date(2026, 10, 1), name="Priya")
    assert "Priya has waited since Thu 1 Oct. Shall we make room?" in today_page(alice_client)


def test_the_screen_shows_the_longest_waiting_first_and_proposes_to_spread(alice_client, wait):
    [old] = wait(date(2026, 9, 30), name="Old")
    wait(*[date(2026, 10, 1)] * 15)
    attempt(make_contact(old.owner, "Somebody else"), note="Not about them")
    attempt(old.contact, outcome="noted", channel="note", note="Ask about the lab")
    html = page(alice_client)
    assert html.index("Old 0") < html.index("Person 0")
    assert "40 <small>days" in html
    assert old.present.hint in html
    assert "Ask about the lab" in html
    assert "Not about them" not in html
    assert checked(html) == {SPREAD: 16}


def test_without_a_backlog_it_shows_what_is_due_and_proposes_nothing(alice_client, wait):
    assert "Nobody waits." in page(alice_client)
    wait(MONDAY, MONDAY)
    html = page(alice_client)
    assert "Two people wait, which is no more than usual." in html
    assert checked(html) == {KEEP: 2}


@pytest.mark.parametrize("choice", spreading.CHOICES)
def test_one_choice_for_everybody_works_without_scripts(alice_client, wait, choice):
    wait(*[MONDAY] * 3)
    assert checked(page(alice_client, f"?all={choice}")) == {choice: 3}
    assert checked(page(alice_client, "?all=nonsense")) == {KEEP: 3}


def test_saving_says_what_happened_and_one_undo_takes_all_of_it_back(alice_client, wait):
    rows = wait(*[date(2026, 10, 1)] * 16)
    chosen = [KEEP, REST, LET_GO, LET_GO] + [SPREAD] * 12
    answer = save(alice_client, {r.pk: c for r, c in zip(rows, chosen, strict=True)}, follow=True)
    assert answer.redirect_chain == [(reverse("today:today"), 302)]
    said = "12 people come back on other days, one stays on today’s list, one rests and two are"
    html = answer.content.decode()
    assert html.count(said) == 2  # the message, and the line with Undo
    assert "Person rests until" not in html  # one line for all, not one for each
    batch = Action.objects.strokes().first().batch
    undone = alice_client.post(reverse("followups:undo_batch", args=[batch]), follow=True)
    assert "Undone. 16 people are as before." in undone.content.decode()
    assert asking(rows) == {date(2026, 10, 1)}
    assert said not in today_page(alice_client)


def test_who_was_answered_meanwhile_or_is_not_mine_is_passed_over_kindly(alice_client, bob, wait):
    [answered], [his] = wait(MONDAY), wait(MONDAY, owner=bob)
    attempt(answered.contact, to=answered)
    answer = save(
        alice_client, {answered.pk: LET_GO, his.pk: LET_GO, 10**18 - 1: REST}, follow=True
    )
    assert "whoever waited was answered in the meantime" in answer.content.decode()
    assert [row.state for row in fresh([answered, his])] == [State.ACTIVE] * 2


def test_what_is_no_choice_is_said_and_nothing_is_done(alice_client, wait):
    one, other = rows = wait(MONDAY, MONDAY)
    answer = save(alice_client, {one.pk: LET_GO, other.pk: "shout"})
    assert answer.status_code == 422
    assert "Choose one of the four for each person." in answer.content.decode()
    assert [row.state for row in fresh(rows)] == [State.ACTIVE] * 2


def test_undo_of_all_is_for_their_owner_and_says_when_it_is_late(
    alice, alice_client, bob_client, wait, time_machine
):
    rows = wait(MONDAY)
    url = reverse("followups:undo_batch", args=[settle(alice, {rows[0].pk: SPREAD})])
    assert alice_client.get(url).status_code == 405
    assert bob_client.post(url).status_code == 404
    time_machine.move_to("2026-11-09T10:00:01+00:00", tick=False)
    late = alice_client.post(url, follow=True).content.decode()
    assert "That was more than an hour ago, so it stays." in late
    assert dates(rows) == [TUESDAY]


def test_undo_of_all_is_not_for_what_was_done_to_one(alice, alice_client, jonas, lena):
    begun = make_follow_up(jonas, "cold-request")
    batch = pursuing.colleague(begun, lena).batch
    url = reverse("followups:undo_batch", args=[batch])
    assert alice_client.post(url).status_code == 404


def test_a_thousand_people_are_as_many_queries_as_ten(alice, alice_client):
    crowd(alice, 10)
    rounds = {}
    for count in (10, 1000):
        crowd(alice, count - Reminder.objects.open().count())
        with CaptureQueriesContext(connection) as shown:
            html = page(alice_client)
        rows = Reminder.objects.open().values_list("follow_up", flat=True)
        choices = {pk: spreading.CHOICES[n % 4] for n, pk in enumerate(rows)}
        assert checked(html).total() == count
        before = list(Reminder.objects.order_by("pk").values())
        with CaptureQueriesContext(connection) as saved:
            save(alice_client, choices)
        batch = Action.objects.strokes().filter(undone_at=None).first().batch
        with CaptureQueriesContext(connection) as undone:
            alice_client.post(reverse("followups:undo_batch", args=[batch]))
        assert list(Reminder.objects.order_by("pk").values()) == before
        rounds[count] = [len(each) for each in (shown, saved, undone)]
    few, many = rounds[10], rounds[1000]
    assert many[0] == few[0]
    assert many[1] < few[1] + 5
    assert many[2] < few[2] + 20


def crowd(owner, count):
    """Let so many people wait, without the engine's care for each."""
    first = len(FollowUp.objects.all())
    people = [Contact(owner=owner, name=f"Crowd {first + n}") for n in range(count)]
    playbook = playbook_of(owner, "unanswered-call")
    rows = FollowUp.objects.bulk_create(
        FollowUp(
            owner=owner,
            contact=person,
            playbook=playbook,
            name=playbook.name,
            steps=playbook.steps,
            opened_on=MONDAY,
        )
        for person in Contact.objects.bulk_create(people)
    )
    Reminder.objects.bulk_create(
        Reminder(owner=owner, follow_up=row, turn=0, due_on=date(2026, 10, 1)) for row in rows
    )


# Breaks on the screen.


@pytest.mark.parametrize(
    ("data", "last_on", "said"),
    [
        ({"kind": QUIET_DAY}, MONDAY, "A quiet day. Nothing is asked of you until Tue 10 Nov."),
        ({"kind": HARD_WEEK}, SUNDAY, "A hard week. Nothing is asked of you until Mon 16 Nov."),
        (
            {"kind": HOLIDAY, "first_on": MONDAY, "last_on": FRIDAY},
            FRIDAY,
            "Time off. Nothing is asked of you until Mon 16 Nov.",
        ),
    ],
)
def test_a_break_that_begins_today_is_said_on_today(alice_client, wait, data, last_on, said):
    wait(MONDAY)
    answer = take(alice_client, **data)
    html = answer.content.decode()
    taken = Break.objects.get()
    assert (taken.first_on, taken.last_on) == (MONDAY, last_on)
    assert answer.redirect_chain == [(reverse("today:today"), 302)]
    assert f"{said} One person comes back on another day." in html  # the message
    assert f"<p>{said}</p>" in html  # as long as it lasts
    assert "Nothing is due." not in html
    assert "Shall we make room?" not in html


def test_time_off_to_come_is_listed_and_can_be_undone_then_cancelled(
    alice, alice_client, plan, time_machine
):
    rows = plan(date(2026, 12, 22))
    answer = take(alice_client, kind=HOLIDAY, first_on="2026-12-21", last_on="2027-01-03")
    html = answer.content.decode()
    assert answer.redirect_chain == [(reverse(PAGE), 302)]
    assert "From Mon 21 Dec nothing is asked of you until Mon 4 Jan" in html
    assert "Mon 21 Dec to Sun 3 Jan 2027" in html
    taken = Break.objects.get()
    assert reverse("followups:undo_batch", args=[taken.key]) in html
    cancel = reverse("followups:end_break", args=[taken.pk])
    assert cancel not in html
    assert dates(rows) == [date(2027, 1, 5)]
    time_machine.move_to("2026-11-09T10:00:01+00:00", tick=False)
    html = page(alice_client)
    assert reverse("followups:undo_batch", args=[taken.key]) not in html
    assert cancel in html
    said = alice_client.post(cancel, follow=True).content.decode()
    assert "The dates stay where they are" in said
    assert not Break.objects.exists()


def test_i_am_back(alice, alice_client, bob_client, time_machine):
    taken = take_break(alice, HARD_WEEK, MONDAY, SUNDAY)
    time_machine.move_to("2026-11-11T09:00:00+00:00", tick=False)
    url = reverse("followups:end_break", args=[taken.pk])
    assert "I am back" in page(client_of(alice))
    assert bob_client.post(url).status_code == 404
    assert client_of(alice).get(url).status_code == 405
    assert "Welcome back." in client_of(alice).post(url, follow=True).content.decode()
    assert "Nothing is asked of you" not in today_page(client_of(alice))
    assert "I am back" not in page(client_of(alice))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Choose a quiet day, a hard week, or days off."),
        ({"kind": "sabbatical"}, "Choose a quiet day, a hard week, or days off."),
        ({"kind": HOLIDAY, "last_on": "2026-11-20"}, "Write the first day off."),
        ({"kind": HOLIDAY, "first_on": "2026-11-20"}, "Write the last day off."),
        ({"kind": HOLIDAY, "first_on": "soon", "last_on": "2026-11-20"}, "Enter a valid date."),
        (
            {"kind": HOLIDAY, "first_on": "2026-11-20", "last_on": "2026-11-19"},
            "A break ends on its first day or later.",
        ),
        (
            {"kind": HOLIDAY, "first_on": "2026-11-08", "last_on": "2026-11-19"},
            "A break begins today or later.",
        ),
    ],
)
def test_what_is_no_break_is_answered_with_the_same_form(alice_client, data, sentence):
    answer = take(alice_client, **data)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert sentence in html
    assert data.get("last_on", "") in html
    assert not Break.objects.exists()


def test_breaks_are_seen_by_their_owner_only(alice, bob_client):
    take_break(alice, HOLIDAY, TUESDAY, FRIDAY)
    assert "Time off</strong>" not in page(bob_client)
