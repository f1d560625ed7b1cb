"""Doors for Celery beat: it says "look now", the database says whose hour has come and what
waits."""

from celery import shared_task

from today import digest, restoring


@shared_task
def send_digests():
    digest.send_digests()


# A whole notebook is one transaction, which may take longer than other ticks do.
@shared_task(soft_time_limit=1200, time_limit=1260)
def run_restores():
    restoring.run_restores()
