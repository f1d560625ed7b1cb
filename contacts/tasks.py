"""Doors for Celery beat: it says "look now", the database says which imports and changes wait,
and what has had its time."""

from celery import shared_task

from contacts import bulk
from contacts.imports import importing
from contacts.models import Merge


# Reading a large file is one transaction, which may take longer than other ticks do.
@shared_task(soft_time_limit=360, time_limit=420)
def run_imports():
    importing.run_imports()


@shared_task
def forget_imports():
    importing.forget_unconfirmed()


@shared_task
def forget_merges():
    Merge.objects.forget()


@shared_task
def run_changes():
    bulk.run_changes()


@shared_task
def forget_changes():
    bulk.forget()
