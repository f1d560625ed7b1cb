"""Doors for Celery beat: it says "look now", the database says what is due."""

from celery import shared_task

from followups import checking, raising


@shared_task
def raise_reminders():
    raising.raise_reminders()


@shared_task
def check_followups():
    checking.check_followups()
