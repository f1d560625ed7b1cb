from django.db import models
from django.db.models import Q
from django.utils import timezone

from netcrm.models import Mail
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key


class Digest(Owned):
    """One daily digest of a user: at most one for a scheduled local date. Without a mail when
    nothing was due that day."""

    on = models.DateField("scheduled local date")
    items = models.PositiveSmallIntegerField(default=0)
    mail = models.OneToOneField(Mail, on_delete=models.SET_NULL, null=True, related_name="digest")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-on"]
        constraints = [models.UniqueConstraint(fields=["owner", "on"], name="digest_once")]

    def __str__(self):
        return f"Digest of {self.on}"


class RestoreQuerySet(OwnedQuerySet):
    def waiting(self):
        """Return those that are not worked off yet, the oldest first."""
        return self.filter(state=Restore.State.WAITING)

    def ended(self):
        return self.exclude(state=Restore.State.WAITING)


class Restore(Owned):
    """An archive on its way back into the notebook, brought back by Celery: one for a person. It
    stays after its end to tell what came of it; its file does not."""

    class State(models.TextChoices):
        WAITING = "waiting", "On its way"
        DONE = "done", "Back"
        FAILED = "failed", "Stopped"

    file_name = models.CharField(max_length=255)
    size = models.PositiveIntegerField("bytes")
    state = models.CharField(max_length=7, default=State.WAITING, choices=State)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = RestoreQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(
                fields=["created_at"], name="restore_waiting", condition=Q(state="waiting")
            )
        ]
        constraints = [
            owner_key("restore"),
            models.UniqueConstraint(fields=["owner"], name="restore_once"),
        ]

    def __str__(self):
        return self.file_name

    def end(self, error=""):
        """Note what came of it, a sentence if it did not work, and let go of its file."""
        self.state, self.error = self.State.FAILED if error else self.State.DONE, error
        self.save(update_fields=["state", "error"])
        self.pieces.all().delete()


class RestorePiece(Owned):
    """A piece of an uploaded archive, in order: whoever reads them needs memory for one only."""

    restore = models.ForeignKey(Restore, on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [
            SameOwner(field="restore", name="restore_piece_restore_owner"),
            models.UniqueConstraint(
                fields=["owner", "restore", "number"], name="restore_piece_once"
            ),
        ]

    def __str__(self):
        return f"{self.restore}, {self.number}"
