"""The Celery application. Tasks are doors: the work is plain functions in the rooms."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "netcrm.settings")

app = Celery("netcrm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
