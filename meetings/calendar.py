"""Meetings, follow-ups and promises for calendar programs (RFC 5545).

A meeting stands at its hour in its own time zone; what is due on a day is an all-day entry that
keeps nobody busy. No alarms: a calendar program has its own, and netcrm has Today.
"""

from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q
from django.utils.text import get_text_list
from icalendar import TRANSP, Calendar, Event, vCalAddress, vDuration

from followups.models import FollowUp, Reminder
from followups.models import State as Pursued
from giveback.models import GiveBack
from meetings.localtimes import offer
from meetings.models import Meeting, State
from meetings.zone_rules import rules_of
from netcrm.wording import one_line

PRODID = "-//netcrm//netcrm//EN"
# What a feed shows: three months back, thirteen ahead, and at most so many entries of each kind.
BACK, AHEAD, AT_MOST = relativedelta(months=3), relativedelta(months=13), 500
READ_AGAIN = timedelta(hours=1)
STATUS = {State.PROPOSED: "TENTATIVE", State.CANCELLED: "CANCELLED"}
COMES_BACK = {Pursued.RESTING: "back from a rest", Pursued.PAUSED: "the pause is over"}


def meeting_file(meeting: Meeting) -> bytes:
    """Return an .ics file of a meeting for one's own calendar."""
    return _published(meeting, _events_of(meeting, meeting.heading, _about(meeting)))


def invitation(meeting: Meeting) -> bytes:
    """Return a mail (.eml) that opens as a draft with the times in words and an .ics file. What one
    has written for oneself, such as the purpose, is in neither."""
    me = meeting.owner
    mail = EmailMessage(policy=SMTP)
    mail["X-Unsent"] = "1"
    mail["To"] = ", ".join(filter(None, map(_address, meeting.people)))
    mail["Subject"] = f"{meeting.get_kind_display()} with {me}"
    mail.set_content(_words(meeting))
    events = _events_of(meeting, f"{meeting.get_kind_display()}: {me} and {meeting.names}", "")
    mail.add_attachment(
        _published(meeting, events),
        maintype="text",
        subtype="calendar",
        filename="invitation.ics",
        params={"method": "PUBLISH", "charset": "utf-8"},
    )
    return mail.as_bytes()


def feed(user, now: datetime) -> bytes:
    """Return the calendar of a user at an instant: meetings, also cancelled ones, follow-ups on the
    day they ask or come back, promises on theirs. A day that has passed is today. The number of
    queries does not depend on how many there are."""
    today = user.today(now)
    start, end = now - BACK, now + AHEAD
    calendar = Calendar.new(
        prodid=PRODID,
        uid=_here(f"notebook-{user.pk}"),
        name="netcrm",
        description="What your notebook holds by date",
        refresh_interval=READ_AGAIN,
    )
    calendar.add("X-PUBLISHED-TTL", vDuration(READ_AGAIN))
    for meeting in _meetings(user, now, start, end):
        for event in _events_of(meeting, meeting.heading, _about(meeting)):
            calendar.add_component(event)
    for follow_up in _follow_ups(user, end.date()):
        calendar.add_component(_follow_up_event(follow_up, today))
    promises = GiveBack.objects.for_user(user).promised().filter(due_on__lte=end.date())
    for promise in promises.select_related("contact")[:AT_MOST]:
        calendar.add_component(_promise_event(promise, today))
    return _written(calendar, start.year, end.year)


def _meetings(user, now, start, end):
    timed = Q(starts_at__range=(start, end))
    offered = Q(state=State.PROPOSED, proposed_times__starts_at__range=(now, end))
    rows = Meeting.objects.for_user(user).filter(timed | offered).distinct().with_people()
    return rows.prefetch_related("proposed_times").order_by("starts_at", "id")[:AT_MOST]


def _follow_ups(user, until):
    open_reminder = Reminder.objects.open().filter(follow_up=OuterRef("pk"))
    rows = FollowUp.objects.for_user(user).open().annotate(asks=Exists(open_reminder))
    rows = rows.filter(Q(asks=True) | Q(next_on__lte=until)).annotate(changed_at=Max("actions__at"))
    return rows.select_related("contact").order_by("next_on", "id")[:AT_MOST]


def _follow_up_event(follow_up, today):
    what = COMES_BACK.get(follow_up.state) or follow_up.present.hint
    about = filter(None, [follow_up.purpose, follow_up.reason.capitalize()])
    return _all_day(
        f"follow-up-{follow_up.pk}",
        max(follow_up.next_on or today, today),
        f"{follow_up.contact.name}: {what.rstrip('.')}",
        "\n".join(about),
        follow_up.contact,
        follow_up.changed_at,
    )


def _promise_event(promise, today):
    contact = promise.contact
    return _all_day(
        f"promise-{promise.pk}",
        max(promise.due_on, today),
        f"Promised to {contact.name}: {promise.what}",
        "\n".join(filter(None, [promise.url, promise.note])),
        contact,
        promise.created_at,
    )


def _all_day(name: str, on: date, summary, description, contact, changed_at) -> Event:
    event = Event.new(
        uid=_here(name),
        summary=one_line(summary),
        description=_lines(description) or None,
        start=on,
        end=on + timedelta(days=1),
        url=_link(contact),
        transparency=TRANSP.TRANSPARENT,
    )
    return _stamped(event, changed_at or datetime.combine(on, datetime.min.time(), ZoneInfo("UTC")))


def _events_of(meeting, summary, description) -> list[Event]:
    """Return the event of a meeting, or one for each time on offer."""
    times = [(str(meeting.uid), meeting.starts_at)]
    if meeting.state == State.PROPOSED:
        offered = meeting.proposed_times.all()
        times = [(f"{meeting.uid}-{each.pk}", each.starts_at) for each in offered]
    return [
        _timed(meeting, uid, starts_at, summary, description)
        for uid, starts_at in times
        if starts_at
    ]


def _timed(meeting, uid, starts_at, summary, description):
    start, end = _on_the_clock(meeting, starts_at)
    event = Event.new(
        uid=uid,
        summary=one_line(summary),
        description=_lines(description) or None,
        location=one_line(meeting.place) or None,
        start=start,
        end=end,
        status=STATUS.get(meeting.state, "CONFIRMED"),
        sequence=meeting.sequence,
        created=meeting.created_at,
    )
    return _stamped(event, meeting.changed_at)


def _on_the_clock(meeting, starts_at):
    """Return when it starts and ends by the clock of its zone; in UTC when one of the two is the
    second of an hour that comes twice, which a local time cannot say."""
    ends_at = starts_at + timedelta(minutes=meeting.minutes)
    local = [at.astimezone(ZoneInfo(meeting.time_zone)) for at in (starts_at, ends_at)]
    if any(at.fold for at in local):
        return [at.astimezone(ZoneInfo("UTC")) for at in (starts_at, ends_at)]
    return local


def _stamped(event, changed_at):
    # Not the moment of writing: the same notebook is the same file, byte for byte.
    changed_at = changed_at.astimezone(ZoneInfo("UTC")).replace(microsecond=0)
    event.stamp = event.last_modified = changed_at
    return event


def _published(meeting, events):
    calendar = Calendar.new(prodid=PRODID, uid=str(meeting.uid), method="PUBLISH")
    # A published calendar names who it is from (RFC 5546, 3.2.1).
    me = vCalAddress(f"mailto:{meeting.owner.email}")
    me.params["CN"] = one_line(str(meeting.owner))
    for event in events:
        event.add("ORGANIZER", me)
        calendar.add_component(event)
    years = [event.start.year for event in events] or [meeting.changed_at.year]
    return _written(calendar, min(years), max(years))


def _written(calendar, first_year, last_year):
    # First, since some programs read the rules of a zone only before the events that need them.
    names = sorted(calendar.get_missing_tzids())
    rules = [rules_of(name, first_year - 1, last_year + 1) for name in names]
    calendar.subcomponents[:0] = rules
    return calendar.to_ical()


def _about(meeting):
    return "\n".join(filter(None, [meeting.purpose, _link(meeting)]))


def _here(name):
    """Return an identity that no other installation gives."""
    return f"{name}@{urlsplit(settings.SITE_URL).hostname}"


def _link(row):
    return settings.SITE_URL + row.get_absolute_url()


def _lines(text):
    return "\n".join(one_line(line) for line in text.splitlines())


def _address(contact):
    return next((row.address for row in contact.emails.all() if row.bounced_on is None), "")


def _words(meeting):
    """Return the mail's text, which tells the times by both clocks where they differ."""
    theirs = {person.time_zone for person in meeting.people}
    theirs = theirs.pop() if len(theirs) == 1 else ""
    greeting = get_text_list([person.given_name for person in meeting.people], "and")
    place = f"\n\nWhere: {meeting.place}" if meeting.place else ""
    if meeting.state == State.PROPOSED:
        offered = [row.starts_at for row in meeting.proposed_times.all()]
        times = [f"- {offer(at, meeting.time_zone, theirs)}" for at in offered]
        said = "Would one of these suit you?\n\n" + "\n".join(times)
    else:
        time = offer(meeting.starts_at, meeting.time_zone, theirs)
        said = f"I am glad that we meet: {time}. The file with this mail is for your calendar."
    return f"Hello {greeting},\n\n{said}{place}\n\nKind regards\n{meeting.owner.name}\n"
