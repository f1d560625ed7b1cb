from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from netcrm.localtime import local_day, next_digest, time_zones

WEEKDAYS = [
    (0, "Monday"),
    (1, "Tuesday"),
    (2, "Wednesday"),
    (3, "Thursday"),
    (4, "Friday"),
    (5, "Saturday"),
    (6, "Sunday"),
]


# What the digest says beside the follow-ups, which are always in it (rule 3).
DIGEST_SECTIONS = [
    ("evidence", "What my notebook says"),
    ("hellos", "Say hello"),
    ("coming", "Coming up"),
    ("idea", "One thing to give"),
    ("week", "My week in numbers, on Fridays"),
]


def monday_to_friday():
    return [0, 1, 2, 3, 4]


def every_section():
    return [name for name, _ in DIGEST_SECTIONS]


def is_time_zone(value):
    if value not in time_zones():
        raise ValidationError("Choose a time zone from the list, such as Europe/Vienna.")


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        """Create an account; the e-mail address is the login."""
        if not email:
            raise ValueError("An account needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """One person's account, and how their days run: zone, work days, holidays, digest."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField("your name", max_length=150, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[is_time_zone])
    country = models.CharField(
        "country of your public holidays", max_length=2, blank=True, help_text="ISO code"
    )
    region = models.CharField("region of that country", max_length=10, blank=True)
    work_days = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=monday_to_friday
    )
    digest_on = models.BooleanField("send me the daily digest", default=True)
    digest_hour = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(0), MaxValueValidator(23)]
    )
    digest_days = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS), default=monday_to_friday, blank=True
    )
    digest_sections = ArrayField(
        models.CharField(max_length=10, choices=DIGEST_SECTIONS), default=every_section, blank=True
    )
    digest_cap = models.PositiveSmallIntegerField(
        "people in one digest", default=7, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    # New dates beyond so many people a day move to lighter days.
    daily_cap = models.PositiveSmallIntegerField(
        "people a day", default=7, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    # The next scheduled digest; null when there is none. The tick looks only at this index.
    digest_next_at = models.DateTimeField(null=True, editable=False)
    digest_next_on = models.DateField(null=True, editable=False)
    digest_last_on = models.DateField(null=True, editable=False)
    theme = models.CharField(
        max_length=5, blank=True, choices=[("light", "Light"), ("dark", "Dark")]
    )
    shortcuts = models.BooleanField("single-key shortcuts", default=True)
    is_staff = models.BooleanField("staff", default=False)
    is_active = models.BooleanField("active", default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        indexes = [
            models.Index(
                fields=["digest_next_at"],
                name="user_digest_due",
                condition=Q(digest_next_at__isnull=False),
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(work_days__len__gt=0), name="user_has_a_work_day"),
            models.CheckConstraint(condition=Q(digest_hour__lt=24), name="user_digest_hour"),
            models.CheckConstraint(
                condition=Q(daily_cap__gt=0, digest_cap__gt=0), name="user_caps_are_positive"
            ),
        ]

    def __str__(self):
        return self.name or self.email

    def get_full_name(self):
        return str(self)

    get_short_name = get_full_name

    @property
    def given_name(self):
        """Return how to greet them; empty when they gave no name."""
        return self.name.split()[0] if self.name.strip() else ""

    @property
    def zone(self):
        return ZoneInfo(self.time_zone)

    def today(self, now=None):
        """Return the local date, now or at the given aware instant."""
        return local_day(now or timezone.now(), self.time_zone)

    def plan_digest(self, now):
        """Set (without saving) the next scheduled digest after `now`, or none."""
        days = self.digest_days if self.digest_on and self.is_active else []
        planned = next_digest(now, self.time_zone, self.digest_hour, days, self.digest_last_on)
        self.digest_next_on, self.digest_next_at = planned or (None, None)

    def save(self, *args, **kwargs):
        # Whoever changes zone, hour or days changes the plan; the claim of a due digest saves
        # by name (update_fields) and keeps what it planned itself.
        if kwargs.get("update_fields") is None:
            due = self.digest_next_at and self.digest_next_at <= timezone.now()
            if not due or not self.digest_on:
                self.plan_digest(timezone.now())
        super().save(*args, **kwargs)


class Heartbeat(models.Model):
    """When each recurring job last finished: shown on Today and on the health page."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M}"

    @classmethod
    def beat(cls, name, now=None):
        cls.objects.update_or_create(name=name, defaults={"at": now or timezone.now()})


class MailQuerySet(models.QuerySet):
    def waiting(self, now):
        """Return mails to send now: queued and due, or leased by a process that died."""
        return self.filter(
            Q(state=Mail.QUEUED, next_try_at__lte=now) | Q(state=Mail.SENDING, lease_until__lt=now)
        )

    def unsent(self, now):
        """Return mails that nobody is sending right now, due or not."""
        return self.filter(Q(state=Mail.QUEUED) | Q(state=Mail.SENDING, lease_until__lt=now))

    def trouble_of(self, user):
        """Return the user's newest mail that did not leave (yet), or None if a later one did."""
        told = self.filter(Q(state=Mail.SENT) | ~Q(error=""), owner=user)
        newest = told.order_by("-created_at", "-id").first()
        return newest if newest and newest.state != Mail.SENT else None


class Mail(models.Model):
    """A mail in the outbox. Sent by lease, send, mark: see netcrm/outbox.py.

    Failed: refused for good. Expired: too old to be worth a try, or a newer one goes instead.
    """

    QUEUED, SENDING, SENT = "queued", "sending", "sent"
    FAILED, EXPIRED = "failed", "expired"
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", editable=False)
    dedupe_key = models.CharField(max_length=100, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    state = models.CharField(
        max_length=7,
        default=QUEUED,
        choices=[(s, s) for s in (QUEUED, SENDING, SENT, FAILED, EXPIRED)],
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_try_at"],
                name="mail_waiting",
                condition=Q(state__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["next_try_at"],
                name="mail_given_up",
                condition=Q(state__in=["failed", "expired"]),
            ),
            models.Index(fields=["owner", "-created_at"], name="mail_of_owner"),
        ]

    def __str__(self):
        return self.subject
