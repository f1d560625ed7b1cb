"""Whatever is done in whatever order: what is open either has a follow-up or waits for a step."""

import random
from contextlib import suppress

import pytest

from followups import pursuing, undoing
from followups.models import Action, Ending, FollowUp, Outcome, Playbook
from followups.planning import CannotDo
from introductions import asking, offering
from introductions.models import Introduction, Offer
from introductions.steps import waiting
from tests.factories import make_contact
from tests.followups.doing import MONDAY, attempt

pytestmark = pytest.mark.django_db
STEPS = 14


class Doing:
    """A notebook of four people, in which anything may happen at random."""

    def __init__(self, owner, seed):
        self.owner, self.random = owner, random.Random(seed)
        self.people = [make_contact(owner, name) for name in ("Ruth", "Ingrid", "Noor", "Kenji")]

    def person(self):
        return self.random.choice(self.people)

    def one_of(self, rows):
        rows = list(rows)
        if not rows:
            raise CannotDo("None yet.")
        return self.random.choice(rows)

    def introduction(self):
        row = self.one_of(Introduction.objects.select_related("introducer"))
        row.introducer.owner = self.owner
        return row

    def offer(self):
        row = self.one_of(Offer.objects.with_people())
        row.one.owner = row.other.owner = self.owner
        return row

    def follow_up(self):
        row = self.one_of(FollowUp.objects.open().select_related("contact"))
        row.contact.owner = self.owner
        return row

    def something(self):
        side = self.random.choice(["one", "other"])
        yes = self.random.random() < 0.6
        verbs = [
            lambda: asking.ask(self.person(), "Somebody", MONDAY),
            lambda: asking.ask(self.person(), "Somebody", MONDAY, spoken=True),
            lambda: asking.ask(self.person(), "Somebody", MONDAY, agreed=True),
            lambda: asking.promised(self.introduction()),
            lambda: asking.made(self.introduction(), self.person(), MONDAY),
            lambda: asking.declined(self.introduction()),
            lambda: asking.let_go(self.introduction()),
            lambda: asking.thanked(self.introduction()),
            lambda: offering.offer(self.person(), self.person()),
            lambda: offering.ask_side(self.offer(), side),
            lambda: offering.answer(self.offer(), side, yes),
            lambda: offering.told(self.offer(), side),
            lambda: offering.made(self.offer()),
            lambda: offering.let_go(self.offer()),
            lambda: attempt(self.person(), outcome=Outcome.SENT, channel="email"),
            lambda: attempt(self.person(), outcome=Outcome.TALKED),
            lambda: pursuing.rest(self.follow_up()),
            lambda: pursuing.pause(self.follow_up()),
            lambda: pursuing.end(self.follow_up(), Ending.LET_GO),
            lambda: undoing.undo(self.one_of(Action.objects.filter(undone_at=None))),
            lambda: Playbook.objects.filter(slug="introduction-asked").delete(),
        ]
        with suppress(CannotDo):
            self.random.choice(verbs)()


def silent(owner):
    """Return what is open without a follow-up that asks, and without a step that waits."""
    steps = waiting(owner)
    waits = [step.introduction or step.offer for step in steps]
    asked = [
        row
        for row in Introduction.objects.for_user(owner).open()
        if row not in waits
        and not FollowUp.objects.open().filter(facts__has_key=f"introduction {row.pk}")
    ]
    offered = [
        row
        for row in Offer.objects.for_user(owner).open()
        if row not in waits and not FollowUp.objects.open().filter(facts__has_key=f"offer {row.pk}")
    ]
    return asked + offered


@pytest.mark.parametrize("seed", range(12))
def test_nothing_open_is_ever_silent(alice, seed):
    doing = Doing(alice, seed)
    for _ in range(STEPS):
        doing.something()
        assert silent(alice) == []
    assert not FollowUp.objects.silent().exists()
