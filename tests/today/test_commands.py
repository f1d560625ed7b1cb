"""The commands that do what beat does: now, at a moment to come, or only telling."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from followups.models import FollowUp, Reminder
from netcrm.models import Mail
from tests.factories import make_contact, make_follow_up
from tests.today.digests import content_hash, make_due
from today.models import Digest

pytestmark = pytest.mark.django_db
FRIDAY = "2026-11-20T07:30+01:00"


@pytest.fixture(autouse=True)
def thursday():
    with time_machine.travel("2026-11-19T12:00+01:00", tick=False):
        yield


def run(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


@pytest.fixture
def waiting(alice):
    """A follow-up whose date is tomorrow."""
    follow_up = make_follow_up(make_contact(alice))
    Reminder.objects.all().delete()
    FollowUp.objects.update(next_on=alice.today() + timedelta(days=1), reason="the first step")
    return follow_up


def test_raise_reminders_at_a_moment_to_come(waiting):
    assert "Reminders raised: 0" in run("raise_reminders")
    assert "Reminders raised: 1" in run("raise_reminders", "--at", FRIDAY)
    assert Reminder.objects.open().get().follow_up == waiting
    assert "Reminders raised: 0" in run("raise_reminders", "--at", FRIDAY)


def test_raise_reminders_only_telling(waiting):
    before = content_hash()
    said = run("raise_reminders", "--at", FRIDAY, "--dry-run")
    assert "2026-11-20  alice@example.org  Priya Raman: the first step" in said
    assert "Reminders that would be raised: 1" in said
    assert content_hash() == before


def test_send_digests_at_a_moment_to_come(waiting):
    run("raise_reminders", "--at", FRIDAY)
    assert "Digests queued: 0" in run("send_digests")
    assert "Digests queued: 1" in run("send_digests", "--at", FRIDAY)
    assert "Digests queued: 0" in run("send_digests", "--at", FRIDAY)
    assert Digest.objects.get().on.isoformat() == "2026-11-20"
    assert Mail.objects.get().subject == "Priya’s first try is today"


def test_send_digests_only_telling(alice, waiting):
    make_due(alice, "Samir Haddad")
    before = content_hash()
    said = run("send_digests", "--at", FRIDAY, "--dry-run")
    assert "2026-11-20  alice@example.org  Samir’s first try is carried over" in said
    assert "Not counted, since raise_reminders --at comes first: 1" in said
    assert "Digests that would be sent: 1" in said
    assert content_hash() == before


def test_nothing_due(alice):
    said = run("send_digests", "--at", FRIDAY, "--dry-run")
    assert "alice@example.org  nothing is due, so no mail" in said
    assert "Digests that would be sent: 0" in said


@pytest.mark.parametrize("at", ["tomorrow", "2026-12-03T07:30", "2026-12-03", ""])
@pytest.mark.parametrize("command", ["raise_reminders", "send_digests"])
def test_no_moment(command, at):
    with pytest.raises(CommandError, match="is not a moment"):
        run(command, "--at", at)


def test_check_followups(waiting):
    assert "Every active follow-up has its date" in run("check_followups")
    FollowUp.objects.update(next_on=None)
    out = StringIO()
    with pytest.raises(CommandError, match="Follow-ups that could fall silent: 1"):
        call_command("check_followups", "--dry-run", stdout=out)
    assert "Priya Raman: Unanswered call: It had neither a date nor a reminder." in out.getvalue()
    assert "Repaired: 1" in run("check_followups")
    assert "Repaired" not in run("check_followups")
