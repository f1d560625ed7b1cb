"""Files on their way into the notebook, and what came of them."""

from datetime import timedelta

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from psycopg.types.json import Jsonb

from contacts.files.cards import Card
from contacts.models.people import Contact
from netcrm.owned import Owned, OwnedQuerySet, SameOwner, owner_key

UNDO_IMPORT_FOR = timedelta(days=30)


class ImportJob(Owned):
    """An uploaded file on its way into the notebook: read into rows, maybe mapped, previewed,
    confirmed, then worked off in chunks by Celery. `done` is how far the work has come, moved on
    in the same transaction as the rows it counts, so a killed worker neither loses nor doubles."""

    class State(models.TextChoices):
        MAPPING = "mapping", "Which column is what?"
        PREVIEW = "preview", "Before anything is added"
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Under way"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"
        UNDONE = "undone", "Undone"

    UNFINISHED = (State.QUEUED, State.RUNNING)
    UNCONFIRMED = (State.MAPPING, State.PREVIEW)

    class Source(models.TextChoices):
        LINKEDIN = "linkedin", "LinkedIn"
        GOOGLE = "google", "Google Contacts"
        OUTLOOK = "outlook", "Outlook"
        VCARD = "vcard", "vCards"
        CSV = "csv", "A table"
        MONICA = "monica", "Monica"

    file_name = models.CharField(max_length=255)
    source = models.CharField(max_length=20, choices=Source, default=Source.LINKEDIN)
    state = models.CharField(max_length=7, default=State.PREVIEW, choices=State)
    # Of a table: its columns, what each is taken for, and the file until that is known.
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    upload = models.BinaryField(default=bytes)
    # Whether people who are known already get what they lack.
    complete_known = models.BooleanField(default=False)
    # Given to everybody who comes in.
    tag = models.CharField(max_length=60, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["owner", "-created_at"], name="import_of_owner"),
            models.Index(
                fields=["created_at"],
                name="import_waiting",
                condition=Q(state__in=["queued", "running"]),
            ),
        ]
        constraints = [owner_key("importjob")]

    def __str__(self):
        return self.file_name

    @property
    def is_read(self):
        """Whether its file has become rows: a file without any is refused."""
        return self.total > 0

    @property
    def is_going_back(self):
        """Whether it was finished and is worked off backwards now."""
        return self.state in self.UNFINISHED and self.finished_at is not None

    @property
    def can_undo(self):
        recent = self.finished_at and self.finished_at > timezone.now() - UNDO_IMPORT_FOR
        return bool(recent) and self.done > 0 and self.state in {self.State.DONE, self.State.FAILED}

    def confirm(self, **chosen):
        """Put it in the queue, once, with what its person has chosen for everybody in it."""
        waiting = ImportJob.objects.filter(pk=self.pk, state=self.State.PREVIEW)
        waiting.update(state=self.State.QUEUED, **chosen)

    def undo(self):
        """Put it in the queue to be worked off backwards; return whether it still can be."""
        finished = ImportJob.objects.filter(pk=self.pk, state=self.state)
        return self.can_undo and bool(finished.update(state=self.State.QUEUED, error=""))

    def discard(self):
        """Delete it unless it was confirmed; return whether it is gone."""
        unconfirmed = ImportJob.objects.filter(pk=self.pk, state__in=self.UNCONFIRMED)
        deleted, _ = unconfirmed.delete()
        return bool(deleted)


# bulk_update() would build a CASE for every row and field, and take longer than all else that an
# import does.
NOTE = """
UPDATE contacts_importrow AS row
SET verdict = new.verdict, why = new.why, contact_id = new.contact_id, made = new.made,
    before = new.before, after = new.after
FROM jsonb_to_recordset(%s) AS new(
    id bigint, verdict text, why text, contact_id bigint, made boolean, before jsonb, after jsonb
)
WHERE row.id = new.id
"""
NOTED = ("id", "verdict", "why", "contact_id", "made", "before", "after")


class ImportRowQuerySet(OwnedQuerySet):
    def of(self, verdict):
        return self.filter(verdict=verdict)

    def note(self, rows):
        """Save what became of rows, in one statement."""
        became = [{name: getattr(row, name) for name in NOTED} for row in rows]
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [Jsonb(became)])


class ImportRow(Owned):
    """One person of an imported file: the card as it was read (contacts.files.cards.Card), what is
    to become of it and why, and what did."""

    class Verdict(models.TextChoices):
        CREATE = "create", "New people"
        KNOWN = "known", "Already in your notebook"
        SKIP = "skip", "Left out"

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    card = models.JSONField(default=dict)
    verdict = models.CharField(max_length=6, choices=Verdict, default=Verdict.CREATE)
    why = models.CharField(max_length=300, blank=True)
    # The person it was made into, or who was known already.
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="import_rows"
    )
    made = models.BooleanField(default=False)
    # What undo needs: how a known person was before, and what the import left behind, by which an
    # edit since is told.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["owner", "job", "verdict"], name="import_row_of_owner")]
        constraints = [
            SameOwner(field="job", name="import_row_job_owner"),
            SameOwner(field="contact", name="import_row_contact_owner"),
            models.UniqueConstraint(fields=["job", "number"], name="import_row_once"),
        ]

    def __str__(self):
        return self.card.get("name", "")

    @cached_property
    def told(self):
        """The card, as it was read and made fit for the notebook."""
        return Card.from_json(self.card)


class ColumnMapping(Owned):
    """What the columns of a table were taken for, remembered for the next file like it."""

    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["owner"], name="column_mapping_of_owner")]

    def __str__(self):
        return ", ".join(self.header)
