"""The health page: sentences for people, status 503 and JSON for monitors. It is public, since
monitors have no account, so it tells times and counts and nothing about anybody.

What alarms is the age of the oldest thing that is due, not whether a process is alive.
"""

from datetime import datetime, timedelta
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.timesince import timesince
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from followups import raising
from netcrm.localtime import instant
from netcrm.models import Heartbeat, Mail, User
from today import digest
from today.agenda import STALLED_AFTER

# Beat says "look now" every half minute; who waits so much longer was overlooked.
OVERDUE = timedelta(minutes=15)
# Greylisting and a busy server pass sooner.
NOTHING_LEFT_FOR = timedelta(hours=2)


class TellingCheck(HealthCheck):
    """A check that says in words what it found, also when all is well."""

    said = ""

    def __repr__(self) -> str:
        return type(self).__name__

    async def run(self) -> None:
        # In the thread of the request, whose database connection is given back at its end.
        self.said = await sync_to_async(self.look)(timezone.now())

    def look(self, now: datetime) -> str:
        """Return what is there. Raises ServiceUnavailable if somebody should see to it."""
        raise NotImplementedError


class Reminders(TellingCheck):
    """When reminders last ran. A netcrm that has just been set up may not have had time."""

    def look(self, now):
        ran = Heartbeat.objects.filter(name="reminders").values_list("at", flat=True).first()
        if ran is None:
            return "Reminders have not run yet."
        said = f"Reminders last ran {naturaltime(ran)}."
        if now - ran > STALLED_AFTER:
            raise ServiceUnavailable(f"{said} Are beat and a worker running?")
        return said


class FollowUps(TellingCheck):
    """How long the oldest follow-up waits whose date has come and that nobody was told of."""

    def look(self, now):
        oldest = raising.due(now).select_related("owner").order_by("next_on", "id").first()
        if oldest is None:
            return "Every follow-up that is due was raised."
        # It waits since its day began, or since somebody gave it that day.
        changed = oldest.actions.values_list("at", flat=True).first()
        since = instant(oldest.next_on, 0, oldest.owner.time_zone)
        since = max(since, changed or since)
        said = f"The oldest follow-up that is due waits {timesince(since, now)} to be raised."
        if now - since > OVERDUE:
            raise ServiceUnavailable(said)
        return said


class Digests(TellingCheck):
    """When the last digest went out and the next is due, and whether one waits too long."""

    def look(self, now):
        late = digest.late(now - OVERDUE)
        if late:
            noun = "digest" if late == 1 else "digests"
            raise ServiceUnavailable(f"{late} {noun} should have been written by now.")
        sent = Mail.objects.filter(state=Mail.SENT, digest__isnull=False).order_by("-id").first()
        planned = User.objects.filter(is_active=True, digest_next_at__gt=now)
        following = planned.order_by("digest_next_at").first()
        last, coming = "No digest has gone out yet.", "None is planned."
        if sent:
            last = f"The last digest went out {naturaltime(sent.sent_at)}."
        if following:
            coming = f"The next is due {naturaltime(following.digest_next_at)}."
        return f"{last} {coming}"


class Outbox(TellingCheck):
    """Whether mail leaves, and how many mails were refused or given up within a day."""

    def look(self, now):
        given_up = Mail.objects.filter(
            state__in=[Mail.FAILED, Mail.EXPIRED], next_try_at__gt=now - timedelta(days=1)
        ).count()
        lost = f"Given up within a day: {given_up}."
        due = Mail.objects.waiting(now).order_by("next_try_at").first()
        if due and now - due.next_try_at > OVERDUE:
            waits = timesince(due.next_try_at, now)
            raise ServiceUnavailable(f"The oldest mail that is due waits {waits}. {lost}")
        unsent = Mail.objects.unsent(now)
        waiting = f"Mails that wait: {unsent.count()}."
        oldest = unsent.order_by("created_at").first()
        if oldest and oldest.created_at < now - NOTHING_LEFT_FOR and not self._any_left(now):
            raise ServiceUnavailable(f"The mail server takes none. {waiting} {lost}")
        return f"{waiting} {lost}"

    def _any_left(self, now):
        newest = Mail.objects.filter(state=Mail.SENT).order_by("-id").first()
        return newest and newest.sent_at > now - NOTHING_LEFT_FOR


class HealthPage(HealthCheckView):
    template_name = "today/health.html"
    checks = [Reminders, FollowUps, Digests, Outbox]

    async def get(self, request, *args, **kwargs):
        response = await super().get(request, *args, **kwargs)
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return response

    def render_to_response_json(self, status) -> HttpResponse:
        said = {
            repr(result.check): str(result.error.message) if result.error else result.check.said
            for result in self.results
        }
        return JsonResponse(said, status=status)


@login_not_required
async def health(request: HttpRequest) -> HttpResponse:
    """The page of health: 200, or 503 while somebody should see to something."""
    return await HealthPage.as_view()(request)
