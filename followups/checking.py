"""The proof of rule 11: every active follow-up has exactly one future date or one open reminder."""

import logging

from followups.models import FollowUp
from netcrm.models import Heartbeat

logger = logging.getLogger(__name__)


def check_followups():
    """Return the active follow-ups that break rule 11, and log each."""
    silent = list(FollowUp.objects.silent().order_by("id"))
    for follow_up in silent:
        logger.error(
            "Follow-up %s has %s open reminders and the date %s.",
            follow_up.pk,
            follow_up.open_reminders,
            follow_up.next_on,
        )
    Heartbeat.beat("check")
    return silent
