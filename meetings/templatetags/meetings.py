"""Words about when a meeting is, and what to do with it next."""

from django import template

from meetings.localtimes import city, say_time, tells_another
from meetings.models import Kind

register = template.Library()

ICONS = {
    Kind.COFFEE: "coffee",
    Kind.CALL: "phone",
    Kind.VIDEO: "video",
    Kind.LUNCH: "coffee",
    Kind.WALK: "map-pin",
    Kind.EVENT: "users",
}


@register.filter
def meeting_icon(meeting):
    return ICONS[meeting.kind]


@register.simple_tag
def other_clocks(meeting, instant, mine):
    """Return an instant by each clock of the meeting and its people that differs from the zone
    `mine`: 09:00 in London. Empty when all clocks agree."""
    zones = [meeting.time_zone, *(person.time_zone for person in meeting.people)]
    others = dict.fromkeys(zone for zone in zones if tells_another(instant, mine, zone))
    return ", ".join(f"{say_time(instant, zone)} in {city(zone)}" for zone in others)


@register.simple_tag
def prep_words(meeting):
    """Return what the link to the preparation says: Prep page, 3 of 5."""
    if not meeting.points_ready:
        return "Start a prep page"
    return f"Prep page, {meeting.points_ready} of {meeting.points}"


@register.filter
def on_side(topics, side):
    """Return the topics of one side, "seeks" or "offers", of prefetched ContactTopic rows."""
    return [row.topic for row in topics if row.side == side]
