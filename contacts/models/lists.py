"""The list of people: views that are kept, and what was done to many at once."""

import uuid

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from netcrm.owned import Owned


class SavedView(Owned):
    """A search with its filters, columns and order, under a name. `query` is the address's."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="saved_view_once")]

    def __str__(self):
        return self.name


class BulkChange(Owned):
    """Something that was done to many contacts at one stroke: what, and how they were before, so
    that it can be undone at one stroke."""

    said = models.CharField(max_length=300)
    # The room whose verb it was, and what that verb needs to take it back.
    kind = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    key = models.UUIDField(default=uuid.uuid4)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["owner", "-at"], name="bulk_change_of_owner")]
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="bulk_change_once")]

    def __str__(self):
        return self.said
