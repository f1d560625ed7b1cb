"""The proof of rule 11: every active follow-up has exactly one future date or one open reminder.
What is found broken is repaired where that needs no guess, and whoever was forgotten asks again."""

import logging
from dataclasses import dataclass

from django.db import transaction

from followups.models import Action, FollowUp, State, Via
from followups.planning import Pursuit, close_reminder, put, raise_reminder
from netcrm.models import Heartbeat

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """One broken follow-up: what was wrong with it, as a sentence."""

    follow_up: FollowUp
    wrong: str


def check_followups(repair: bool = True) -> list[Finding]:
    """Return what breaks rule 11, log each, and put it right unless told only to look.

    Each repair is a transaction under the locks of the engine and looks again: what a user has
    just changed is left alone. It stands in the history like anything else that was done.
    """
    findings = []
    silent = FollowUp.objects.silent().select_related("contact", "owner")
    for follow_up in silent.order_by("owner_id", "contact_id", "id"):
        wrong = _repair(follow_up) if repair else _wrong(follow_up)
        if wrong:
            logger.error("Follow-up %s: %s", follow_up.pk, wrong)
            findings.append(Finding(follow_up, wrong))
    Heartbeat.beat("check")
    return findings


def _wrong(follow_up: FollowUp) -> str:
    """Return what is wrong with a follow-up that breaks the rule."""
    if follow_up.state != State.ACTIVE and follow_up.asks:
        return "It asked although it is not under way."
    if follow_up.step >= len(follow_up.plan):
        return "It stood at a step that its playbook does not have."
    if follow_up.asks:
        return "It had a date beside its open reminder."
    return "It had neither a date nor a reminder."


@transaction.atomic
def _repair(follow_up: FollowUp) -> str:
    """Put one follow-up right; return what was wrong, or nothing if it no longer is."""
    follow_up.contact.owner = follow_up.owner
    pursuit = Pursuit(follow_up.contact)
    row = FollowUp.objects.silent().filter(pk=follow_up.pk).first()
    if row is None:
        return ""
    wrong = _wrong(row)
    before = pursuit.memory(pursuit.contact, [row])
    if row.state != State.ACTIVE:
        close_reminder(row)
    if row.step >= len(row.plan):
        put(row, step=len(row.plan) - 1)
    if row.state == State.ACTIVE and row.asks:
        put(row, next_on=None)
    elif row.state == State.ACTIVE and row.next_on is None:
        put(row, next_on=pursuit.today, reason="it had lost its date")
        raise_reminder(row)
    pursuit.tell(
        pursuit.contact, before, Action.REPAIRED, f"Repaired. {wrong}", Via.SYSTEM, follow_up=row
    )
    return wrong
