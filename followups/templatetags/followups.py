"""The forms and buttons of follow-ups, for the pages of any room that shows them.

What is the same in every row is drawn once and kept: a page of fifteen people would otherwise
spend most of its time on it.
"""

import uuid
from datetime import timedelta
from functools import cache, lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html

from followups import coaching, schedule
from followups.calendars import usual_calendar
from followups.forms import HAPPENED, offered_days
from followups.models import Channel, Ending, Outcome, Playbook, Via, Window

register = template.Library()

BUTTONS = (
    (Outcome.NO_ANSWER, "phone-x", ""),
    (Outcome.VOICEMAIL, "record-mail", ""),
    (Outcome.SENT, "send", ""),
    (Outcome.REPLIED, "mail-opened", "good"),
    (Outcome.TALKED, "messages", "good"),
)
ENDINGS = (
    (Ending.LET_GO, "feather", "Let go"),
    (Ending.REFERRED_ON, "users", "They sent me to somebody else"),
    (Ending.WRONG_PERSON, "user-search", "Wrong person"),
    (Ending.DECLINED, "x", "They said no"),
)
WHO = {
    Via.APP: ("user", "You"),
    Via.MAIL: ("mail", "You, from the digest"),
    Via.IMPORT: ("file-import", "An import"),
    Via.ADMIN: ("table", "You, in Bulk edit"),
    Via.SYSTEM: ("notebook", "netcrm"),
}
STEP_ICONS = {
    schedule.CALL: "phone",
    schedule.EMAIL: "mail",
    schedule.MESSAGE: "message-circle",
    schedule.DECIDE: "bulb",
}
WAY_ICONS = {"call": "phone", "email": "mail", "sms": "message", "profile": "external-link"}
MOMENTS = {
    Outcome.NO_ANSWER: ("phone-x", "", "You called, no answer"),
    Outcome.BUSY: ("phone-x", "", "You called, the line was busy"),
    Outcome.VOICEMAIL: ("record-mail", "", "You left a voicemail"),
    Outcome.SENT: ("mail", "", "You wrote an e-mail"),
    Outcome.REPLIED: ("mail-opened", "sage", "{name} replied"),
    Outcome.TALKED: ("messages", "sage", "You talked with {name}"),
    Outcome.ARRANGED: ("calendar-event", "dusk", "You arranged to meet {name}"),
    Outcome.MET: ("coffee", "dusk", "You met {name}"),
    Outcome.OUT_OF_OFFICE: ("beach", "", "{name} is out of office"),
    Outcome.BOUNCED: ("mailbox", "", "Your e-mail came back"),
    Outcome.NOTED: ("pencil", "", "A note"),
    Outcome.GAVE: ("gift", "sage", "You gave {name} something"),
    Outcome.INTRODUCED: ("affiliate", "brand", "You were introduced to {name}"),
}
# The same outcome by another way.
MOMENTS_BY_MESSAGE = {
    Outcome.SENT: ("message-circle", "", "You wrote a message"),
    Outcome.NOTED: ("message-circle", "sage", "You said hello to {name}"),
}


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
def turn_fields(follow_up):
    """Draw the hidden fields of a form that may be sent once for each planned step: the step that
    the page shows, and a fresh idempotency key."""
    return format_html(
        '<input type="hidden" name="turn" value="{}"><input type="hidden" name="key" value="{}">',
        follow_up.turn,
        new_key(),
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
    """Draw the endings that a user may choose by hand."""
    return render_to_string("followups/ending_choices.html", {"endings": ENDINGS})


@register.simple_tag
@cache
def happened_choices(prefix, chosen=""):
    """Draw what may have happened, as chips; `prefix` keeps ids apart on one page."""
    choices = [(value, row[0]) for value, row in HAPPENED.items()]
    context = {"choices": choices, "prefix": prefix, "chosen": chosen}
    return render_to_string("followups/happened_choices.html", context)


@register.simple_tag(takes_context=True)
def when_to_call(context, follow_up):
    """Return when to make the call that comes next, in words: Thursday before ten. A call that has
    waited is for today."""
    user, contact = context["user"], follow_up.contact
    found = coaching.next_call(
        timezone.now(),
        follow_up.next_on or user.today(),
        Window(follow_up.window or Window.MORNING),
        contact.time_zone or user.time_zone,
        user.time_zone,
        usual_calendar(user),  # calendar_for() would be a query for each row
    )
    return found.words(contact.given_name, user.today())


@register.simple_tag
def playbooks_of(user):
    """Return the user's playbooks, {id: name}."""
    return dict(Playbook.objects.for_user(user).values_list("pk", "name"))


@register.filter
def next_day(day):
    return day + timedelta(days=1)


@register.filter
def step_icon(channel):
    return STEP_ICONS.get(channel, "flag")


@register.filter
def way_icon(kind):
    return WAY_ICONS[kind]


@register.filter
def steps_in_words(rows):
    """Return the stored steps of a playbook in words: call, 3 days, call."""
    return schedule.say_steps(schedule.read_steps(rows))


@register.filter
def hung(row, name):
    """Return what a room above hung on a moment, known by its name here; None without it. A plain
    look-up in the template would search every moment for the reason why there is none."""
    return getattr(row, name, None)


def _moment(interaction):
    if interaction.channel == Channel.MESSAGE and interaction.outcome in MOMENTS_BY_MESSAGE:
        return MOMENTS_BY_MESSAGE[interaction.outcome]
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
def moment_gift(gift, contact):
    """Return a give-back of the room above in words: You gave Aiko an article."""
    if gift.direction == "received":
        return f"{contact.given_name} gave you: {gift.what}"
    return f"You gave {contact.given_name}: {gift.what}"


@register.filter
def who_icon(action):
    return WHO[action.via][0]


@register.filter
def who(action):
    """Return who did it, in words: You, from the digest."""
    return WHO[action.via][1]


@register.filter
def days_waited(reminder, today):
    """Return how many days a reminder has waited."""
    return reminder.waited(today)
