"""What the digest says: an agenda put into a subject, a text and an HTML part."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import css_inline
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import ordinal
from django.template.loader import render_to_string
from django.utils.text import Truncator

from contacts.models import Contact
from followups.models import FollowUp, Reminder
from netcrm.models import WEEKDAYS, User
from netcrm.wording import one_line
from today import links
from today.agenda import Agenda

SHOWN = 7
CUPS = 24
NOTE_LENGTH = 200
NTH = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]

# The template says each style once, in a class; mail programs want it on every element. Rules that
# cannot be put there (dark, narrow) stay in the head.
_inliner = css_inline.CSSInliner(
    keep_style_tags=True, remove_inlined_selectors=True, load_remote_stylesheets=False
)


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Row:
    """One person in the letter. `actions` are (label, address, is it good news)."""

    name: str
    address: str
    about: str
    margin: str = ""
    dots: str = ""
    label: str = ""
    why: str = ""
    hint: str = ""
    note: str = ""
    actions: tuple[tuple[str, str, bool], ...] = ()
    snooze: str = ""
    rest: str = ""
    choose: str = ""
    decide: bool = False


def write_letter(user: User, agenda: Agenda, now: datetime) -> Letter:
    """Return the digest of an agenda that is not empty, for the aware instant `now`."""
    over = agenda.carried_over[:SHOWN]
    due = agenda.due_today[: SHOWN - len(over)]
    hello = agenda.rhythms[: SHOWN - len(over) - len(due)]
    soon = agenda.coming[: SHOWN - len(over) - len(due) - len(hello)]
    total = agenda.due_count + len(agenda.rhythms)
    context = {
        "subject": subject(agenda, total),
        "summary": _summary(agenda),
        "day": agenda.day,
        "greeting": _greeting(user, now),
        "evidence": agenda.evidence,
        "cups": agenda.evidence and agenda.evidence.conversations <= CUPS,
        "theirs": _theirs(agenda),
        "since": _since(over),
        "carried_over": [_due(user, reminder, agenda.day) for reminder in over],
        "due_today": [_due(user, reminder, agenda.day) for reminder in due],
        "hello": [_hello(contact) for contact in hello],
        "soon": [(each.next_on, _person(each.contact), _step(each)) for each in soon],
        "more": total - len(over) - len(due) - len(hello),
        "schedule": _schedule(user),
        "site": settings.SITE_URL,
        "unsubscribe": settings.SITE_URL + links.unsubscribe_path(user),
    }
    html = render_to_string("email/digest.html", context)
    text = render_to_string("email/digest.txt", context)
    return Letter(context["subject"], text, _inliner.inline(html))


def subject(agenda: Agenda, total: int) -> str:
    """Return the most useful fact of the agenda and how many more there are."""
    if agenda.reminders:
        lead = (agenda.due_today or agenda.carried_over)[0]
        name = one_line(lead.follow_up.contact.given_name)
        when = "is today" if agenda.due_today else "is carried over"
        fact = f"{_possessive(name)} {_step(lead.follow_up)} {when}"
        if lead.follow_up.asks_to_decide:
            fact = f"What next with {name}?"
    else:
        fact = f"Time for a hello to {one_line(agenda.rhythms[0].given_name)}"
    return f"{fact}, and {total - 1} more" if total > 1 else fact


def _due(user, reminder, today):
    follow_up = reminder.follow_up
    waited = reminder.waited(today)

    def address(verb):
        return settings.SITE_URL + links.action_path(user, reminder, verb)

    def button(verb):
        return links.VERBS[verb].label, address(verb), links.VERBS[verb].good

    return Row(
        **_person(follow_up.contact),
        margin="What now?" if follow_up.asks_to_decide else f"{ordinal(follow_up.nth)} try",
        dots=_dots(follow_up),
        label=f"{waited} day{'s' if waited > 1 else ''} past" if waited else "",
        why=one_line(follow_up.reason),
        hint=_short(follow_up.present.hint),
        note=_short(follow_up.purpose or reminder.note),
        actions=tuple(button(verb) for verb in links.verbs_for(follow_up)),
        snooze=address(links.SNOOZE),
        rest=address(links.REST),
        choose=address(links.CHOOSE),
        decide=follow_up.asks_to_decide,
    )


def _hello(contact: Contact) -> Row:
    last = contact.last_interaction_on
    spoke = f"last spoke on {last.day} {last:%B %Y}" if last else "not spoken yet"
    return Row(**_person(contact), why=f"{_rhythm(contact)}, {spoke}")


def _rhythm(contact: Contact) -> str:
    words = contact.get_rhythm_days_display()
    return words.capitalize() if isinstance(words, str) else f"Every {words} days"


def _person(contact: Contact) -> dict[str, Any]:
    about = [contact.role, contact.organisation.name if contact.organisation else ""]
    return {
        "name": one_line(contact.name),
        "address": settings.SITE_URL + contact.get_absolute_url(),
        "about": _short(", ".join(part for part in about if part)),
    }


def _short(text: str) -> str:
    return Truncator(one_line(text)).chars(NOTE_LENGTH)


def _dots(follow_up: FollowUp) -> str:
    """Draw the tries in characters: made, due, left."""
    now = "" if follow_up.asks_to_decide else "◉"
    left = follow_up.tries - follow_up.attempts - len(now)
    return "●" * min(follow_up.attempts, 12) + now + "○" * min(max(left, 0), 12)


def _step(follow_up: FollowUp) -> str:
    if follow_up.asks_to_decide:
        return "next way"
    if not follow_up.ends_on_answer:
        return "next step"
    nth = follow_up.nth
    return f"{NTH[nth - 1] if nth <= len(NTH) else ordinal(nth)} try"


def _possessive(name: str) -> str:
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def _theirs(agenda: Agenda) -> str:
    """Return whose try today is one of those that the evidence speaks for."""
    for reminder in agenda.due_today:
        if reminder.follow_up.nth > 2 and not reminder.follow_up.asks_to_decide:
            return _possessive(one_line(reminder.follow_up.contact.given_name))
    return ""


def _since(reminders: list[Reminder]) -> tuple[str, date] | None:
    """Return since when the oldest is due, and the word that fits if they are of several days."""
    if not reminders:
        return None
    days = {reminder.due_on for reminder in reminders}
    return ("due" if len(days) == 1 else "since", min(days))


def _summary(agenda: Agenda) -> str:
    parts = []
    if agenda.due_count:
        parts.append(f"{agenda.due_count} follow-up{'s' if agenda.due_count > 1 else ''}")
    if agenda.rhythms:
        parts.append(f"{len(agenda.rhythms)} hello{'s' if len(agenda.rhythms) > 1 else ''}")
    return " and ".join(parts) + "."


def _greeting(user: User, now: datetime) -> str:
    hour = now.astimezone(user.zone).hour
    part = "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
    name = one_line(user.given_name)
    return f"Good {part}, {name}." if name else f"Good {part}."


def _schedule(user: User) -> str:
    """Return when the user wants the digest, in words: at 7:00 on weekdays."""
    days = sorted(user.digest_days)
    names = [name for number, name in WEEKDAYS if number in days]
    if days == list(range(7)):
        words = "every day"
    elif days == list(range(5)):
        words = "on weekdays"
    else:
        words = "on " + " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return f"at {user.digest_hour}:00 {words}"
