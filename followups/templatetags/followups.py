"""The forms and buttons of follow-ups, for the pages of any room that shows them.

What is the same in every row is drawn once and kept: a page of fifteen people would otherwise
spend most of its time on it.
"""

import uuid
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html

from followups import schedule
from followups.forms import HAPPENED, offered_days
from followups.models import Channel, Ending, Outcome, Playbook

register = template.Library()

BUTTONS = (
    (Outcome.NO_ANSWER, "phone-x", ""),
    (Outcome.VOICEMAIL, "record-mail", ""),
    (Outcome.SENT, "send", ""),
    (Outcome.REPLIED, "mail-opened", "good"),
    (Outcome.TALKED, "messages", "good"),
)
ENDINGS = (Ending.LET_GO, Ending.WRONG_PERSON, Ending.REFERRED_ON, Ending.DECLINED)
STEP_ICONS = {
    schedule.CALL: "phone",
    schedule.EMAIL: "mail",
    schedule.MESSAGE: "message-circle",
    schedule.DECIDE: "bulb",
}
MOMENTS = {
    Outcome.NO_ANSWER: ("phone-x", "", "You called, no answer"),
    Outcome.BUSY: ("phone-x", "", "You called, the line was busy"),
    Outcome.VOICEMAIL: ("record-mail", "", "You left a voicemail"),
    Outcome.SENT: ("mail", "", "You wrote an e-mail"),
    Outcome.REPLIED: ("mail-opened", "sage", "{name} replied"),
    Outcome.TALKED: ("messages", "sage", "You talked with {name}"),
    Outcome.ARRANGED: ("calendar-event", "dusk", "You arranged to meet {name}"),
    Outcome.MET: ("coffee", "dusk", "You met {name}"),
    Outcome.NOTED: ("pencil", "", "A note"),
}
MESSAGE_SENT = ("message-circle", "", "You wrote a message")


@register.simple_tag
def new_key():
    """Return a fresh idempotency key: the same form sent twice counts once."""
    return uuid.uuid4()


@register.simple_tag(takes_context=True)
def form_fields(context, back=""):
    """Draw the hidden fields that every form of a row has: the CSRF token and where to go back."""
    return format_html(
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<input type="hidden" name="next" value="{}">',
        context["csrf_token"],
        back,
    )


@register.simple_tag
@cache
def outcome_buttons(keys=True):
    """Draw the outcome buttons in their fixed order, with the number keys or without."""
    return render_to_string("followups/outcome_buttons.html", {"buttons": BUTTONS, "keys": keys})


@register.simple_tag
@lru_cache(maxsize=16)
def snooze_choices(today):
    """Draw the days that a snooze offers on the local date `today`."""
    return render_to_string("followups/snooze_choices.html", {"days": offered_days(today)})


@register.simple_tag
@lru_cache(maxsize=64)
def rest_choices(today, rest_days):
    """Draw how long a follow-up may rest."""
    context = {"days": offered_days(today), "rest_days": rest_days}
    return render_to_string("followups/rest_choices.html", context)


@register.simple_tag
@cache
def ending_choices():
    """Draw the endings that a user may choose by hand, and the field for a lesson."""
    return render_to_string("followups/ending_choices.html", {"endings": ENDINGS})


@register.simple_tag
@cache
def happened_choices(prefix, chosen=""):
    """Draw what may have happened, as chips; `prefix` keeps ids apart on one page."""
    choices = [(value, row[0]) for value, row in HAPPENED.items()]
    context = {"choices": choices, "prefix": prefix, "chosen": chosen}
    return render_to_string("followups/happened_choices.html", context)


@register.simple_tag
def playbooks_of(user):
    """Return the user's playbooks."""
    return Playbook.objects.for_user(user)


@register.filter
def step_icon(channel):
    return STEP_ICONS.get(channel, "flag")


def _moment(interaction):
    if (interaction.outcome, interaction.channel) == (Outcome.SENT, Channel.MESSAGE):
        return MESSAGE_SENT
    return MOMENTS[interaction.outcome]


@register.filter
def moment_icon(interaction):
    return _moment(interaction)[0]


@register.filter
def moment_colour(interaction):
    return _moment(interaction)[1]


@register.filter
def moment_words(interaction):
    """Return an interaction in words: You left a voicemail."""
    return _moment(interaction)[2].format(name=interaction.contact.given_name)


@register.filter
def days_waited(reminder, today):
    """Return how many days a reminder has waited."""
    return reminder.waited(today)
