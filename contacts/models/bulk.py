"""Changes of many people at one stroke, how they are undone, and the lists that people keep."""

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from contacts.models.people import Contact
from netcrm.owned import Owned, SameOwner, owner_key

UNDO_BULK_FOR = timedelta(days=30)


class BulkChange(Owned):
    """One change of many people at one stroke: whom it is for, what is to be done (`verb`, one of
    contacts.bulk.VERBS, with what it was told: `asked`), and how far it has come. Worked off in
    chunks and undone backwards like an import; `done` moves in the same transaction as the rows
    that it counts, so a killed worker neither loses nor doubles."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"
        UNDONE = "undone", "Undone"

    UNFINISHED = (State.QUEUED, State.RUNNING)

    class Via(models.TextChoices):
        APP = "app", "The app"
        ADMIN = "admin", "Bulk edit"

    verb = models.CharField(max_length=20)
    asked = models.JSONField(default=dict)
    # What is done, as a sentence without its count: “Tagged alumni”, “Put away”.
    said = models.CharField(max_length=300)
    via = models.CharField(max_length=5, choices=Via, default=Via.APP)
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    # Whom it is for, in the order in which they are worked off; emptied when that is over.
    chosen = ArrayField(models.BigIntegerField(), default=list)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    # How many of them are changed by it now, and how many stayed as they were, for a reason.
    changed = models.PositiveIntegerField(default=0)
    stayed = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    # Given by the form: the same form sent twice is one change.
    key = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="bulk_change_of_owner"),
            models.Index(
                fields=["created_at"],
                name="bulk_change_waiting",
                condition=Q(state__in=["queued", "running"]),
            ),
        ]
        constraints = [
            owner_key("bulkchange"),
            models.UniqueConstraint(
                fields=["owner", "key"], name="bulk_change_once", condition=Q(key__isnull=False)
            ),
        ]

    def __str__(self):
        return self.said

    @property
    def is_going_back(self):
        """Whether it was finished and is worked off backwards now."""
        return self.state in self.UNFINISHED and self.finished_at is not None

    @property
    def can_undo(self):
        recent = self.finished_at and self.finished_at > timezone.now() - UNDO_BULK_FOR
        finished = self.state in {self.State.DONE, self.State.FAILED}
        return bool(recent) and finished and self.changed > 0


class BulkRow(Owned):
    """What one change did to one person: how it was before, and what the change left behind, by
    which an edit since is told. `why` says why somebody stayed as they were: on the way there with
    an empty `after`, on the way back with what could not be undone."""

    change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rows")
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="bulk_rows"
    )
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "change", "id"], name="bulk_row_of_owner"),
            models.Index(fields=["contact"], name="bulk_row_contact"),
        ]
        constraints = [
            SameOwner(field="change", name="bulk_row_change_owner"),
            SameOwner(field="contact", name="bulk_row_contact_owner"),
        ]

    def __str__(self):
        return f"{self.contact}: {self.change}"


class SavedView(Owned):
    """A list of people that is worth coming back to: its name, and what its address asks for."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="saved_view_once"),
        ]

    def __str__(self):
        return self.name


class ListColumns(Owned):
    """The columns that the list of people opens with, by their names in contacts.lists.listing."""

    columns = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner"], name="list_columns_once")]

    def __str__(self):
        return ", ".join(self.columns)
