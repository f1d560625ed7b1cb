"""What no rule may do: press one person, press one organisation, or fill one day."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups import pursuing, undoing
from followups.models import Channel, Ending, FollowUp, Outcome, State, Via
from followups.pursuing import CannotDo
from followups.schedule import (
    CONTACT_GAP,
    ORGANISATION_GAP,
    Limits,
    Planned,
    WorkCalendar,
    within,
)
from tests.factories import make_contact, make_follow_up
from tests.followups.doing import (
    MONDAY,
    answer,
    attempt,
    only_follow_up,
    open_reminders,
    picture,
    playbook_of,
)

pytestmark = pytest.mark.usefixtures("monday")
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
FRIDAY = MONDAY + timedelta(days=4)


def e_mail(contact, **more):
    return attempt(contact, outcome=Outcome.SENT, channel=Channel.EMAIL, **more)


def dates_of(contact):
    return {row.name: row.next_on for row in FollowUp.objects.filter(contact=contact)}


# Two business days between two tries to one contact, from any rule.


def test_a_try_moves_the_other_pursuits_of_the_contact(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"), on=TUESDAY)
    FollowUp.objects.update(promised=False)
    attempt(priya, playbook=playbook_of(alice, "unanswered-call"))
    assert dates_of(priya) == {"Cold request (3B7)": WEDNESDAY, "Unanswered call": THURSDAY}
    moved = FollowUp.objects.get(name="Cold request (3B7)")
    assert moved.reason.endswith("moved to leave 2 business days between two tries")


def test_a_pursuit_that_asks_already_waits_too(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"))
    assert len(open_reminders(priya)) == 1
    action = attempt(priya, playbook=playbook_of(alice, "unanswered-call"))
    assert open_reminders(priya) == []
    assert dates_of(priya)["Cold request (3B7)"] == WEDNESDAY
    undoing.undo(action)
    assert len(open_reminders(priya)) == 1


def test_a_new_date_keeps_away_from_one_that_is_planned(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"), on=FRIDAY)
    attempt(priya, playbook=playbook_of(alice, "unanswered-call"))  # would be Thursday
    assert dates_of(priya)["Unanswered call"] == FRIDAY + timedelta(days=4)


def test_a_promised_date_is_not_moved(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "cold-request"), on=TUESDAY)
    attempt(priya, playbook=playbook_of(alice, "unanswered-call"))
    assert dates_of(priya)["Cold request (3B7)"] == TUESDAY


def test_thanks_within_a_day_are_no_persistence(alice, priya):
    pursuing.begin(priya, playbook_of(alice, "after-a-meeting"))
    attempt(priya, outcome=Outcome.SENT, channel=Channel.MESSAGE, to=only_follow_up(priya))
    assert only_follow_up(priya).next_on == TUESDAY


# Three unanswered e-mails in one pursuit.


def test_no_fourth_e_mail_is_proposed(alice, priya):
    playbook = playbook_of(alice, "they-promised")
    playbook.steps = [{"wait": 3, "channel": "email", "hint": "Write."}] * 4 + [
        {"wait": 5, "channel": "decide", "hint": "What now?"}
    ]
    playbook.save()
    for _ in range(2):
        e_mail(priya, playbook=playbook)
        assert not only_follow_up(priya).asks_to_decide
    action = e_mail(priya, playbook=playbook)
    assert only_follow_up(priya).asks_to_decide
    assert only_follow_up(priya).reason.endswith("since 3 e-mails are enough")
    undoing.undo(action)
    assert only_follow_up(priya).emails == 2


def test_calls_are_not_counted_as_e_mails(priya):
    for _ in range(3):
        attempt(priya)
    assert only_follow_up(priya).present.channel == "email"


def test_a_rest_begins_the_count_anew(priya):
    e_mail(priya)
    pursuing.rest(only_follow_up(priya))
    pursuing.resume(only_follow_up(priya))
    assert (only_follow_up(priya).emails, only_follow_up(priya).attempts) == (0, 0)


# The daily cap.


@pytest.fixture
def busy(alice):
    """Alice, who wants two people a day and has two on Thursday."""
    alice.daily_cap = 2
    alice.save()
    for name in ("Daniel Mbeki", "Farah Siddiqui"):
        attempt(make_contact(alice, name))
    assert set(FollowUp.objects.values_list("next_on", flat=True)) == {THURSDAY}
    return alice


def test_a_new_date_goes_to_a_lighter_day_and_says_so(busy):
    priya = make_contact(busy)
    action = attempt(priya)
    assert only_follow_up(priya).next_on == FRIDAY
    assert "moved from Thu 12 Nov, which is full" in action.said


def test_a_chosen_date_stays_on_a_full_day(busy):
    priya = make_contact(busy)
    attempt(priya)
    pursuing.promise(only_follow_up(priya), THURSDAY)
    assert only_follow_up(priya).next_on == THURSDAY


def test_beginning_with_many_spreads_them(busy):
    people = [make_contact(busy, f"Person {n}") for n in range(5)]
    for person in people:
        pursuing.begin(person, playbook_of(busy, "cold-request"))
    assert [len(open_reminders(person)) for person in people] == [1, 1, 0, 0, 0]
    assert [only_follow_up(person).next_on for person in people[2:]] == [
        TUESDAY,
        TUESDAY,
        WEDNESDAY,
    ]


def test_the_cap_counts_only_my_own_people(busy, bob):
    priya = make_contact(bob)
    bob.daily_cap = 2
    bob.save()
    attempt(priya)
    assert only_follow_up(priya).next_on == THURSDAY


# The arithmetic.

CALENDAR = WorkCalendar(frozenset(range(5)), {THURSDAY: "a holiday"})
DAYS = st.dates(MONDAY - timedelta(days=30), MONDAY + timedelta(days=60))


@given(
    planned=DAYS,
    tries=st.lists(DAYS, max_size=6),
    colleagues=st.lists(DAYS, max_size=6),
    load=st.dictionaries(DAYS, st.integers(0, 9)),
    cap=st.integers(1, 9),
)
def test_the_gaps_always_hold_and_no_date_comes_sooner(planned, tries, colleagues, load, cap):
    first = CALENDAR.on_or_after(planned)
    moved = within(Planned(first, "why"), Limits(tries, colleagues, load, cap), CALENDAR)
    assert moved.on >= first
    assert CALENDAR.is_work_day(moved.on)
    assert all(CALENDAR.apart(moved.on, day, CONTACT_GAP) for day in tries)
    assert all(CALENDAR.apart(moved.on, day, ORGANISATION_GAP) for day in colleagues)
    assert (moved.on == first) == (moved.reason == "why")


def test_when_all_days_are_full_the_lightest_is_taken():
    load = {MONDAY + timedelta(days=n): 9 for n in range(60)} | {FRIDAY: 8}
    assert within(Planned(MONDAY, "why"), Limits(load=load, cap=7), CALENDAR).on == FRIDAY


# One person at an organisation at a time.


def test_two_people_there_are_three_business_days_apart(alice, jonas, lena):
    e_mail(jonas)
    pursuing.begin(lena, playbook_of(alice, "cold-request"))
    assert only_follow_up(lena).next_on == THURSDAY
    assert "moved to leave 3 business days between two people there" in only_follow_up(lena).reason


def test_a_try_with_one_holds_back_the_other(alice, jonas, lena):
    cold = playbook_of(alice, "cold-request")
    pursuing.begin(lena, cold, on=TUESDAY)
    FollowUp.objects.update(promised=False)
    action = e_mail(jonas, playbook=cold)
    assert only_follow_up(lena).next_on == THURSDAY
    assert lena.actions.first().said.startswith("Lena waits until Thu 12 Nov")
    undoing.undo(action)
    assert only_follow_up(lena).next_on == TUESDAY


def test_whoever_has_no_organisation_is_nobodys_colleague(alice, priya):
    other = make_contact(alice, "Daniel Mbeki")
    e_mail(priya)
    pursuing.begin(other, playbook_of(alice, "cold-request"))
    assert len(open_reminders(other)) == 1


def test_an_organisation_of_the_same_name_elsewhere_is_another(alice, bob, jonas):
    e_mail(jonas)
    theirs = make_contact(bob, "Jonas Weber")
    pursuing.begin(theirs, playbook_of(bob, "cold-request"))
    assert len(open_reminders(theirs)) == 1


# On day 3: the next person.


@pytest.fixture
def day_three(jonas, go_to):
    e_mail(jonas)
    go_to(THURSDAY)
    follow_up = only_follow_up(jonas)
    assert follow_up.present.colleague
    return follow_up


def test_day_three_turns_to_the_next_person(day_three, jonas, lena):
    action = pursuing.colleague(day_three, lena)
    assert [reminder.due_on for reminder in open_reminders(lena)] == [THURSDAY]
    assert only_follow_up(lena).cold
    assert open_reminders(jonas) == []
    assert only_follow_up(jonas).next_on == THURSDAY + timedelta(days=6)  # four business days
    assert only_follow_up(jonas).attempts == 1
    before = picture(lena)
    undoing.undo(action)
    assert len(open_reminders(jonas)) == 1
    assert picture(lena)["follow_ups"] == [] != before["follow_ups"]


def test_nobody_turns_to_the_same_person(day_three, jonas):
    with pytest.raises(CannotDo, match="another person"):
        pursuing.colleague(day_three, jonas)


def test_nobody_turns_to_who_wants_to_be_left_alone(day_three, jonas, lena):
    pursuing.set_do_not_contact(lena)
    before = picture(jonas)
    with pytest.raises(CannotDo, match="do not contact"):
        pursuing.colleague(day_three, lena)
    assert picture(jonas) == before


def test_proposed_are_strangers_there_whom_nobody_pursues(alice, day_three, jonas, lena, aster):
    from followups.colleagues import colleagues_of

    known = make_contact(alice, "Aiko Tanabe", organisation=aster, last_interaction_on=MONDAY)
    pursued = make_contact(alice, "Noor Saleh", organisation=aster)
    make_follow_up(pursued)
    make_contact(alice, "Ruth Abernathy", organisation=aster, do_not_contact=True)
    make_contact(alice, "Kofi Mensah")
    assert list(colleagues_of(jonas)) == [lena, known]


# A supporter quiets the others there.


@pytest.fixture
def both(alice, jonas, lena, go_to):
    """Jonas and Lena of Aster have both been written to."""
    e_mail(jonas)
    go_to(THURSDAY)
    pursuing.colleague(only_follow_up(jonas), lena)
    e_mail(lena)


def test_a_supporter_quiets_the_requests_to_others_there(both, jonas, lena):
    action = answer(lena, outcome=Outcome.REPLIED, direction="in")
    quieted = only_follow_up(jonas)
    assert (quieted.state, quieted.ending) == (State.ENDED, Ending.SUPPORTED)
    assert action.said.endswith("Quieted the requests to others there: Jonas.")
    told = jonas.actions.first()
    assert (told.said, told.via) == ("Quieted: Lena at Aster supports you.", Via.SYSTEM)


def test_quieting_is_undone_with_the_answer(both, jonas, lena):
    before = picture(jonas)
    action = answer(lena)
    undoing.undo(action)
    assert picture(jonas)["follow_ups"] == before["follow_ups"]
    assert only_follow_up(lena).state == State.ACTIVE


def test_quieting_alone_can_be_undone(both, jonas, lena):
    answer(lena)
    undoing.undo(jonas.actions.first())
    assert only_follow_up(jonas).state == State.ACTIVE
    assert only_follow_up(lena).ending == Ending.REPLIED


def test_what_happened_since_with_the_other_stays(both, alice, jonas, lena):
    action = answer(lena)
    pursuing.begin(jonas, playbook_of(alice, "new-relationship"))
    undoing.undo(action)
    assert set(FollowUp.objects.filter(contact=jonas).values_list("state", flat=True)) == {
        State.ENDED,
        State.ACTIVE,
    }


def test_an_answer_from_before_the_request_quiets_nobody(both, jonas, lena):
    answer(lena, on=MONDAY - timedelta(days=30))
    assert only_follow_up(jonas).state == State.ACTIVE


def test_what_is_no_cold_request_goes_on(alice, jonas, lena):
    attempt(jonas)  # an unanswered call
    answer(lena)
    assert only_follow_up(jonas).state == State.ACTIVE
