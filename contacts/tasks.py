"""Door for Celery beat: it says "look now", the database says which imports wait."""

from celery import shared_task

from contacts import importing


@shared_task
def run_imports():
    importing.run_imports()
