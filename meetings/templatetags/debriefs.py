"""Words and small parts of what is remembered of a meeting."""

from django import template
from django.utils.text import get_text_list

from followups.colleagues import COMPANIONS
from meetings.models import Debrief, Kind

register = template.Library()

SPOKEN = {
    Kind.COFFEE: "coffee",
    Kind.CALL: "the call",
    Kind.VIDEO: "the video call",
    Kind.LUNCH: "lunch",
    Kind.WALK: "the walk",
    Kind.EVENT: "the event",
}


@register.filter
def given_names(meeting):
    """Return who was there, as one says it: Aiko and Ruth."""
    return get_text_list([person.given_name for person in meeting.people], "and")


@register.filter
def how_was(meeting):
    """Return the question after a meeting: How was coffee with Aiko?"""
    names = given_names(meeting)
    return f"How was {SPOKEN[meeting.kind]}{names and f' with {names}'}?"


@register.filter
def lines_of(text):
    """Return the lines of a text that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@register.simple_tag
def debrief_action(meeting):
    """Return the Action that takes the debrief of a meeting back, or None when undo is over or
    something newer happened. One query."""
    actions = [
        action
        for person in meeting.people[:1]
        for action in person.actions.filter(undone_at=None).exclude(verb__in=COMPANIONS)[:1]
    ]
    rows = [row["model"] for action in actions for row in action.before.get("rows", [])]
    return actions[0] if Debrief._meta.label in rows and actions[0].can_undo else None
