"""Nobody is ever dropped: whatever people do, in whatever order, over two years of clock changes
and holidays, every active follow-up has exactly one date to come or one open reminder."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import time_machine
from django.db.models import Count, Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from contacts.models import Contact, Organisation
from followups import merging, pursuing, spreading, undoing
from followups.checking import check_followups
from followups.models import (
    Action,
    Break,
    Channel,
    Direction,
    Ending,
    FollowUp,
    Outcome,
    Playbook,
    Reminder,
    State,
)
from followups.pursuing import CannotDo, Entry
from followups.raising import raise_reminders
from tests.factories import make_contact, make_user

BEGINNING = datetime(2026, 2, 27, 9, tzinfo=UTC)
END = BEGINNING + timedelta(days=730)
ZONES = [
    "Europe/Vienna",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
COUNTRIES = ["", "AT", "US", "IN", "NP"]
TRIES = [
    (Channel.CALL, Outcome.NO_ANSWER),
    (Channel.CALL, Outcome.BUSY),
    (Channel.CALL, Outcome.VOICEMAIL),
    (Channel.EMAIL, Outcome.SENT),
    (Channel.MESSAGE, Outcome.SENT),
]
ANSWERS = [
    (Channel.EMAIL, Outcome.REPLIED, Direction.IN),
    (Channel.CALL, Outcome.TALKED, Direction.OUT),
    (Channel.MEETING, Outcome.ARRANGED, Direction.OUT),
    (Channel.MEETING, Outcome.MET, Direction.OUT),
]
SOME = st.integers(0, 9)
DAYS = st.integers(-3, 40)
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "wait": st.integers(0, 12),
            "unit": st.sampled_from(["business days", "days", "months"]),
            "channel": st.sampled_from(["call", "email", "message"]),
            "hint": st.just("Try."),
        }
    ),
    max_size=5,
)
QUESTION = {"wait": 3, "channel": "decide", "hint": "What now?"}


class Histories(RuleBasedStateMachine):
    """One user with a few contacts, two of them at one organisation."""

    @initialize(zone=st.sampled_from(ZONES), country=st.sampled_from(COUNTRIES))
    def begin_notebook(self, zone, country):
        self.now = BEGINNING
        self.clock = time_machine.travel(self.now, tick=False)
        self.clock.start()
        self.user = make_user("a@example.org", time_zone=zone, country=country, daily_cap=2)
        aster = Organisation.objects.create(owner=self.user, name="Aster")
        people = [
            make_contact(self.user, "Jonas Weber", organisation=aster),
            make_contact(self.user, "Lena Fischer", organisation=aster),
            make_contact(self.user, "Priya Raman"),
        ]
        for contact, (channel, outcome) in zip(people, TRIES[2:], strict=True):
            pursuing.log(contact, Entry(channel, outcome, self.user.today()))

    def teardown(self):
        self.clock.stop()
        self.user.delete()

    # Choosing.

    def pick(self, rows, number):
        rows = list(rows.order_by("pk"))
        return rows[number % len(rows)] if rows else None

    def contact(self, number):
        contact = self.pick(Contact.objects.for_user(self.user), number)
        contact.owner = self.user
        return contact

    def follow_up(self, number):
        rows = FollowUp.objects.for_user(self.user).select_related("contact")
        follow_up = self.pick(rows, number)
        if follow_up:
            follow_up.contact.owner = self.user
        return follow_up

    def attempt_to(self, verb, number, *values):
        """Do something with a follow-up; being told that it cannot be done is fine."""
        if follow_up := self.follow_up(number):
            self.try_to(lambda: verb(follow_up, *values))

    def try_to(self, verb):
        with suppress(CannotDo):
            verb()

    def day(self, days):
        return self.user.today() + timedelta(days=days)

    # What happens.

    @rule(who=SOME, kind=st.sampled_from(TRIES), ago=st.integers(0, 20))
    def log_a_try(self, who, kind, ago):
        channel, outcome = kind
        entry = Entry(channel, outcome, self.day(-ago))
        pursuing.log(self.contact(who), entry)

    @rule(which=SOME, kind=st.sampled_from(TRIES))
    def log_a_try_of(self, which, kind):
        if follow_up := self.follow_up(which):
            entry = Entry(*kind, self.user.today())
            self.try_to(lambda: pursuing.log(follow_up.contact, entry, follow_up=follow_up))

    @rule(who=SOME, kind=st.sampled_from(ANSWERS), ago=st.integers(0, 20))
    def log_an_answer(self, who, kind, ago):
        channel, outcome, direction = kind
        entry = Entry(channel, outcome, self.day(-ago), direction)
        pursuing.log(self.contact(who), entry)

    @rule(who=SOME, outcome=st.sampled_from([Outcome.OUT_OF_OFFICE, Outcome.BOUNCED]), days=DAYS)
    def hear_from_a_machine(self, who, outcome, days):
        entry = Entry(Channel.EMAIL, outcome, self.user.today(), Direction.IN, until=self.day(days))
        self.try_to(lambda: pursuing.log(self.contact(who), entry))

    @rule(who=SOME, which=SOME)
    def open_one(self, who, which):
        playbook = self.pick(Playbook.objects.for_user(self.user), which)
        self.try_to(lambda: pursuing.begin(self.contact(who), playbook))

    @rule(which=SOME, days=DAYS)
    def snooze(self, which, days):
        self.attempt_to(pursuing.snooze, which, self.day(days))

    @rule(which=SOME, days=DAYS)
    def promise(self, which, days):
        self.attempt_to(pursuing.promise, which, self.day(days))

    @rule(which=SOME, by=st.integers(-2, 2))
    def move(self, which, by):
        self.attempt_to(pursuing.move, which, by)

    @rule(which=SOME)
    def skip(self, which):
        self.attempt_to(pursuing.skip, which)

    @rule(which=SOME, days=st.none() | DAYS)
    def pause(self, which, days):
        self.attempt_to(pursuing.pause, which, None if days is None else self.day(days))

    @rule(which=SOME)
    def resume(self, which):
        self.attempt_to(pursuing.resume, which)

    @rule(which=SOME, days=st.none() | DAYS)
    def rest(self, which, days):
        self.attempt_to(pursuing.rest, which, None if days is None else self.day(days))

    @rule(which=SOME, days=DAYS)
    def not_now(self, which, days):
        self.attempt_to(pursuing.not_now, which, self.day(days))

    @rule(which=SOME, ending=st.sampled_from(Ending.values))
    def end(self, which, ending):
        self.attempt_to(pursuing.end, which, ending)

    @rule(which=SOME, other=SOME)
    def try_another_way(self, which, other):
        playbook = self.pick(Playbook.objects.for_user(self.user), other)
        self.attempt_to(pursuing.try_another_way, which, playbook)

    @rule(which=SOME, who=SOME)
    def turn_to_a_colleague(self, which, who):
        self.attempt_to(pursuing.colleague, which, self.contact(who))

    @rule(who=SOME)
    def leave_alone(self, who):
        pursuing.set_do_not_contact(self.contact(who))

    @rule(which=SOME)
    def undo(self, which):
        if action := self.pick(Action.objects.for_user(self.user), -which - 1):
            self.try_to(lambda: undoing.undo(action))

    @precondition(lambda self: Contact.objects.for_user(self.user).count() > 1)
    @rule(one=SOME, other=SOME)
    def merge_contacts(self, one, other):
        self.try_to(lambda: merging.merge(self.contact(one), self.contact(other)))

    @rule(name=st.sampled_from(["Jonas Weber", "Noor Saleh"]), at_aster=st.booleans())
    def meet_somebody_new(self, name, at_aster):
        organisation = Organisation.objects.for_user(self.user).first() if at_aster else None
        make_contact(self.user, name, organisation=organisation)

    @rule(choices=st.lists(st.sampled_from(spreading.CHOICES), min_size=1, max_size=4))
    def settle_the_backlog(self, choices):
        asking = Reminder.objects.for_user(self.user).open().values_list("follow_up", flat=True)
        spreading.settle(self.user, {pk: choices[n % len(choices)] for n, pk in enumerate(asking)})

    @rule(kind=st.sampled_from(Break.Kind.values), first=DAYS, length=st.integers(-1, 30))
    def take_a_break(self, kind, first, length):
        days = self.day(first), self.day(first + length)
        self.try_to(lambda: spreading.take_break(self.user, kind, *days))

    @rule(which=SOME)
    def come_back(self, which):
        if row := self.pick(Break.objects.for_user(self.user), which):
            spreading.end_break(row)

    @rule(which=SOME)
    def undo_much(self, which):
        batches = Action.objects.for_user(self.user).exclude(batch=None)
        if action := self.pick(batches, which):
            self.try_to(lambda: undoing.undo_batch(self.user, action.batch))

    # What changes around it.

    @rule(zone=st.sampled_from(ZONES), country=st.sampled_from(COUNTRIES))
    def change_zone(self, zone, country):
        self.user.time_zone, self.user.country = zone, country
        self.user.save()

    @rule(which=SOME, steps=STEPS, rest_days=st.integers(1, 200))
    def change_playbook(self, which, steps, rest_days):
        if playbook := self.pick(Playbook.objects.for_user(self.user), which):
            playbook.steps, playbook.rest_days = [*steps, QUESTION], rest_days
            playbook.save()

    @rule(hours=st.integers(1, 24 * 45))
    def machine_is_down(self, hours):
        self.now = min(self.now + timedelta(hours=hours), END)
        self.clock.stop()
        self.clock = time_machine.travel(self.now, tick=False)
        self.clock.start()

    @rule(hours=st.integers(1, 24 * 12))
    def days_pass(self, hours):
        self.machine_is_down(hours)
        raise_reminders()

    @rule()
    def a_week_passes(self):
        self.days_pass(24 * 7)

    @rule()
    def tick(self):
        raise_reminders()

    # What always holds.

    @invariant()
    def nobody_is_dropped(self):
        assert check_followups(repair=False) == []

    @invariant()
    def nobody_is_pursued_twice_by_one_playbook(self):
        rows = FollowUp.objects.open().exclude(playbook=None)
        twice = rows.values("contact", "playbook").annotate(n=Count("pk")).filter(n__gt=1)
        assert not twice.exists()

    @invariant()
    def nothing_asks_before_its_day_or_after_it_was_ended(self):
        # Whoever moves west lives through a date twice.
        wrong = Q(due_on__gt=self.user.today() + timedelta(days=1))
        wrong |= ~Q(follow_up__state=State.ACTIVE) | Q(follow_up__contact__do_not_contact=True)
        assert not Reminder.objects.open().filter(wrong).exists()


class TestHistories(TestCase):
    def test_nobody_is_ever_dropped(self):
        run_state_machine_as_test(
            Histories,
            settings=settings(
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_the_two_years_hold_clock_changes_and_holidays():
    assert (END - BEGINNING).days == 730
    assert BEGINNING.date() < date(2026, 3, 29) < date(2027, 10, 31) < END.date()
