"""Where an introduction stands, in words, and what connects a contact with others."""

from dataclasses import dataclass

from django import template
from django.db.models import Q

from introductions.models import UNMADE, Introduction, Offer, Stage
from netcrm.templatetags.netcrm import day

register = template.Library()
SHOWN = 10


@dataclass(frozen=True)
class Connections:
    introductions: list[Introduction]
    offers: list[Offer]


@register.simple_tag
def connections(contact):
    """Return what is asked of a contact, asked for to meet them, or offered to them, and not made
    yet. Two queries."""
    asked = Introduction.objects.for_user(contact.owner_id).filter(stage__in=UNMADE)
    asked = asked.filter(Q(introducer=contact) | Q(target=contact)).select_related("introducer")
    asked = asked.only("wanted", "stage", "asked_on", "promised_on", "introducer__name")
    offers = Offer.objects.for_user(contact.owner_id).open().select_related("one", "other")
    offers = offers.filter(Q(one=contact) | Q(other=contact)).only("one__name", "other__name")
    return Connections(list(asked[:SHOWN]), list(offers[:SHOWN]))


@register.filter
def told_with(introduction, contact):
    """Return where an unmade introduction stands, as told beside the name of the other one."""
    name, promised = contact.given_name, introduction.stage == Stage.PROMISED
    on = day(introduction.promised_on if promised else introduction.asked_on)
    if introduction.introducer_id == contact.pk:
        return f"{name} promised to introduce you, {on}" if promised else f"you asked {name}, {on}"
    return f"{'promised' if promised else 'asked'} to introduce you to {name}, {on}"


@register.filter
def stands(introduction, today):
    """Return since when an introduction stands where it stands, and when it comes back, in words:
    asked 12 days ago, comes back Mon 23 Nov."""
    if not introduction.is_open:
        return day(introduction.ended_on or introduction.thanked_on)
    since = introduction.made_on or introduction.promised_on or introduction.asked_on
    said = f"{introduction.get_stage_display().lower()} {_ago((today - since).days)}"
    if introduction.is_pursued and (on := introduction.follow_up.due_on):
        return f"{said}, comes back {'today' if on <= today else day(on)}"
    return said


def _ago(days):
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
