"""Doors for Celery beat: it says "look now", the database says which imports wait."""

from celery import shared_task

from contacts import importing


# Reading a large file is one transaction, which may take longer than other ticks do.
@shared_task(soft_time_limit=360, time_limit=420)
def run_imports():
    importing.run_imports()


@shared_task
def forget_imports():
    importing.forget_unconfirmed()
