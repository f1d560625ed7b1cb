"""Doors for Celery beat: it says "look now", the database says what is waiting."""

from celery import shared_task

from netcrm import outbox


@shared_task
def send_mail():
    outbox.send_waiting()
