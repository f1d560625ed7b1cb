"""Two entries for one person: found, merged, or told apart."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from contacts.models.people import Contact
from netcrm.owned import Owned, OwnedQuerySet, SameOwner

UNDO_MERGE_FOR = timedelta(days=30)
# One holds up to all that was ever noted of two people.
FORGOTTEN_AT_ONCE = 200


class NotSame(Owned):
    """Two contacts that look alike and are two people (`contact` is the one with the lower id)."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["owner", "contact"], name="not_same_of_owner")]
        constraints = [
            SameOwner(field="contact", name="not_same_contact_owner"),
            SameOwner(field="other", name="not_same_other_owner"),
            models.UniqueConstraint(fields=["contact", "other"], name="not_same_once"),
            models.CheckConstraint(condition=Q(contact__lt=F("other")), name="not_same_in_order"),
        ]

    def __str__(self):
        return f"{self.contact} and {self.other}"


class MergeQuerySet(OwnedQuerySet):
    def undoable(self):
        """Return those that can still be parted, newest first."""
        recent = self.filter(undone_at=None, at__gt=timezone.now() - UNDO_MERGE_FOR)
        return recent.filter(before__has_key="action")

    def forget(self):
        """Empty `before` of those that can no longer be parted: it holds the person that went."""
        over = self.filter(Q(at__lte=timezone.now() - UNDO_MERGE_FOR) | ~Q(undone_at=None))
        ids = over.exclude(before={}).order_by("pk").values_list("pk", flat=True)
        while some := list(ids[:FORGOTTEN_AT_ONCE]):
            self.filter(pk__in=some).update(before={})


class Merge(Owned):
    """Two entries that became one, and everything that it takes to part them again exactly."""

    kept = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="merges")
    name = models.CharField("the entry that went", max_length=200)
    # From contacts.twins.snapshots.changes(), with the ids of the entry that went and of the
    # action. It names rows by their ids: where those are others, it must be empty.
    before = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["owner", "-at"], name="merge_of_owner")]
        constraints = [SameOwner(field="kept", name="merge_kept_owner")]

    def __str__(self):
        return self.name

    @property
    def can_undo(self):
        recent = self.at > timezone.now() - UNDO_MERGE_FOR
        return self.undone_at is None and recent and "action" in self.before
