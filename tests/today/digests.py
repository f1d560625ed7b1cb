"""What the tests of digests and of the links in them share."""

import hashlib
import re
from datetime import timedelta

from django.apps import apps
from django.db import connection
from psycopg.sql import SQL, Identifier

from followups import planning
from followups.models import FollowUp, Reminder
from tests.factories import make_contact, make_follow_up


def make_due(owner, name="Priya Raman", slug="unanswered-call", waited=0, attempts=0, **contact):
    """Make a contact with a follow-up that asks now, since `waited` days, after some attempts."""
    follow_up = make_follow_up(make_contact(owner, name, **contact), slug)
    step = min(attempts, len(follow_up.steps) - 1)
    day = owner.today() - timedelta(days=waited)
    FollowUp.objects.filter(pk=follow_up.pk).update(step=step, attempts=attempts, next_on=day)
    Reminder.objects.filter(follow_up=follow_up).delete()
    follow_up.refresh_from_db()
    planning.raise_reminder(follow_up)
    return follow_up.reminders.get()


def links_in(html):
    """Return the paths of the signed pages in a mail, by the words on them; the first of each."""
    found = {}
    for path, words in re.findall(r'href="https?://[^/]+(/mail/[^"]+)"[^>]*>([^<]+)<', html):
        found.setdefault(words, path)
    return found


def content_hash():
    """Return a hash of every row of every table."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = Identifier(model._meta.db_table)
            cursor.execute(SQL("SELECT t::text FROM {} t ORDER BY 1").format(table))
            digest.update(repr(cursor.fetchall()).encode())
    return digest.hexdigest()
