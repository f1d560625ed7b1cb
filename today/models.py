from django.db import models

from netcrm.models import Mail
from netcrm.owned import Owned


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
