"""A meeting as a file for a calendar, and the private feed that a calendar program reads."""

import secrets

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import conditional_page, require_POST, require_safe

from meetings import calendar
from meetings.models import CalendarFeed, Meeting, State
from netcrm.htmx import render_page

SECRET_BYTES = 32


@require_safe
def meeting_ics(request, meeting_id):
    """A meeting as a file for one's own calendar."""
    meeting = _meeting(request, meeting_id)
    return _file(calendar.meeting_file(meeting), "text/calendar", "coffee.ics")


@require_safe
def invitation(request, meeting_id):
    """A mail to the people of a meeting, with the file, that opens as a draft."""
    meeting = _meeting(request, meeting_id)
    if meeting.state not in {State.PROPOSED, State.CONFIRMED}:
        messages.error(request, "There is no time to invite anybody to.")
        return redirect(meeting)
    return _file(calendar.invitation(meeting), "message/rfc822", "invitation.eml")


def _meeting(request, meeting_id):
    rows = Meeting.objects.for_user(request.user).with_people().prefetch_related("proposed_times")
    meeting = get_object_or_404(rows, pk=meeting_id)
    meeting.owner = request.user  # spares a query
    return meeting


def _file(content, kind, name):
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        content,
        content_type=f"{kind}; charset=utf-8" if kind == "text/calendar" else kind,
        headers={"Content-Disposition": disposition},
    )


@require_safe
def feed(request):
    """The address of one's calendar, when it was last read, and how to take it back."""
    mine = CalendarFeed.objects.for_user(request.user).first()
    address = mine and request.build_absolute_uri(reverse("meetings:feed_file", args=[mine.token]))
    subscribe = address and f"webcal:{address.partition(':')[2]}"
    context = {"feed": mine, "address": address, "subscribe": subscribe}
    return render_page(request, "meetings/feed.html", context)


@require_POST
def feed_new(request):
    """Make a secret address, in place of the one before."""
    fresh = {
        "token": secrets.token_urlsafe(SECRET_BYTES),
        "created_at": timezone.now(),
        "read_at": None,
    }
    _, created = CalendarFeed.objects.update_or_create(owner=request.user, defaults=fresh)
    said = "Your calendar has an address." if created else "The old address leads nowhere now."
    messages.success(request, said)
    return redirect("meetings:feed")


@require_POST
def feed_revoke(request):
    """Take the address back; twice is harmless."""
    CalendarFeed.objects.for_user(request.user).delete()
    messages.success(request, "The address leads nowhere now.")
    return redirect("meetings:feed")


@login_not_required
@require_safe
@conditional_page
def feed_file(request, token):
    """The feed itself, for whoever knows the address; a calendar program has no login."""
    known = CalendarFeed.objects.filter(owner__is_active=True).select_related("owner")
    feed = get_object_or_404(known, token=token)
    now = timezone.now()
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    content = calendar.feed(feed.owner, now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    patch_cache_control(response, private=True, no_cache=True)
    response["X-Robots-Tag"] = "noindex"
    return response
