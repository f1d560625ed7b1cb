"""A door for Celery beat: it says "look now", the database says whose hour has come."""

from celery import shared_task

from today import digest


@shared_task
def send_digests():
    digest.send_digests()
