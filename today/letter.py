"""What the digest says: an agenda put into a subject, a text and an HTML part."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import css_inline
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import apnumber, ordinal
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator

from contacts.models import Contact, say_rhythm
from followups.models import FollowUp, Outcome, Reminder
from giveback.matching import Match
from giveback.models import GiveBack
from introductions.steps import Waiting
from meetings.models import Meeting
from netcrm.models import WEEKDAYS, User
from netcrm.wording import one_line
from opportunities.models import Opportunity
from today import links
from today.agenda import IN_ORDER, Agenda, Week

CUPS = 24
# Gmail cuts a mail at 102 kB: the people after these have one button, to the page with all.
WITH_BUTTONS = 7
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
    choose_label: str = "Say what happened"
    colleague: str = ""
    decide: bool = False


@dataclass(frozen=True)
class Line:
    """One thing in the letter that is done in the notebook: what, more about it, and the way."""

    head: str
    about: str
    label: str
    address: str


def write_letter(
    user: User, agenda: Agenda, now: datetime, week: Week | None = None, test: bool = False
) -> Letter:
    """Return the digest of an agenda for the aware instant `now`; with the week in numbers on the
    day that closes it. A test says that it is one, and shows an example if nothing is due."""
    shown = agenda.cut(user.digest_cap)
    over, hello = shown.carried_over, shown.rhythms
    many = sum(len(getattr(shown, name)) for name in IN_ORDER)
    soon = agenda.coming[: user.digest_cap - many]
    rows = [
        _due(user, reminder, agenda.day, brief=number >= WITH_BUTTONS)
        for number, reminder in enumerate(shown.reminders)
    ]
    context = {
        "subject": f"A test: {subject(agenda)}" if test else subject(agenda),
        "summary": _summary(agenda),
        "test": test,
        "example": [_example()] if agenda.empty else [],
        "day": agenda.day,
        "greeting": _greeting(user, now),
        "evidence": agenda.evidence,
        "cups": agenda.evidence and agenda.evidence.conversations <= CUPS,
        "theirs": _theirs(shown),
        "first": [
            ("Coffees today", [_meeting(user, each) for each in shown.meetings]),
            ("How was it?", [_debrief(each) for each in shown.debriefs]),
        ],
        "then": [
            ("Openings", [_opening(each) for each in shown.openings]),
            ("Introductions", [_introduction(each) for each in shown.introductions]),
        ],
        "promises": [_promise(user, each, agenda.day) for each in shown.promises],
        "idea": _idea(agenda.idea) if agenda.idea else None,
        "since": _since(over),
        "carried_over": rows[: len(over)],
        "due_today": rows[len(over) :],
        "hello": [_hello(contact) for contact in hello],
        "soon": [(each.next_on, _person(each.contact), _step(each)) for each in soon],
        "more": agenda.total - many,
        "week": _say_week(week),
        "schedule": _schedule(user),
        "site": settings.SITE_URL,
        "unsubscribe": settings.SITE_URL + links.unsubscribe_path(user),
    }
    html = render_to_string("email/digest.html", context)
    text = render_to_string("email/digest.txt", context)
    return Letter(context["subject"], text, _inliner.inline(html))


def subject(agenda: Agenda) -> str:
    """Return the most useful fact of the agenda and how many more people there are."""
    fact, others = _fact(agenda), agenda.total - 1
    if others < 1:
        return fact
    return f"{fact} And {others} more" if fact.endswith("?") else f"{fact}, and {others} more"


def _fact(agenda: Agenda) -> str:
    if agenda.empty:
        return "nothing is due"
    if agenda.meetings:
        return f"{_with(agenda.meetings[0])} is today"
    if agenda.reminders:
        lead = (agenda.due_today or agenda.carried_over)[0]
        name = one_line(lead.follow_up.contact.given_name)
        when = "is today" if agenda.due_today else "is carried over"
        if lead.follow_up.asks_to_decide:
            return f"What next with {name}?"
        if lead.follow_up.present.colleague:
            return f"Who is next after {name}?"
        return f"{_possessive(name)} {_step(lead.follow_up)} {when}"
    if agenda.promises:
        return f"Your promise to {one_line(agenda.promises[0].contact.given_name)} is due"
    if agenda.debriefs:
        words = _with(agenda.debriefs[0])
        return f"How was {words[:1].lower()}{words[1:]}?"
    if agenda.introductions:
        return one_line(agenda.introductions[0].sentence).rstrip(".")
    if agenda.openings:
        return one_line(agenda.openings[0].title)
    return f"Time for a hello to {one_line(agenda.rhythms[0].given_name)}"


def _due(user, reminder, today, brief=False):
    follow_up = reminder.follow_up
    waited = reminder.waited(today)

    def address(verb):
        return settings.SITE_URL + links.action_path(user, reminder, verb)

    def button(verb):
        return links.VERBS[verb].label, address(verb), links.VERBS[verb].good

    verbs = [links.CHOOSE] if brief else links.verbs_for(follow_up)
    return Row(
        **_person(follow_up.contact),
        margin=_margin(follow_up),
        dots=_dots(follow_up),
        label=_past(waited),
        why=one_line(follow_up.reason),
        hint=_short(follow_up.present.hint),
        note="" if brief else _short(follow_up.purpose or reminder.note),
        actions=tuple(button(verb) for verb in verbs),
        snooze="" if brief else address(links.SNOOZE),
        rest="" if brief else address(links.REST),
        choose=address(links.CHOOSE),
        colleague=_colleague(follow_up),
        decide=follow_up.asks_to_decide,
    )


def _promise(user: User, promise: GiveBack, today: date) -> Row:
    def address(verb):
        return settings.SITE_URL + links.promise_path(user, promise, verb)

    return Row(
        **_person(promise.contact),
        margin="Promise",
        label=_past(promise.days_past(today)),
        hint=_short(promise.what),
        note=_short(promise.note),
        actions=(("Done", address(links.KEPT), True),),
        snooze=address(links.SNOOZE),
        rest=address(links.LET_GO),
        choose=address(links.KEPT),
        choose_label="Done",
    )


def _meeting(user: User, meeting: Meeting) -> Line:
    return Line(
        f"{timezone.localtime(meeting.starts_at, user.zone):%H:%M} {_with(meeting)}",
        _short(meeting.place or meeting.purpose),
        "Prep page",
        settings.SITE_URL + reverse("meetings:meeting", args=[meeting.pk]),
    )


def _debrief(meeting: Meeting) -> Line:
    return Line(
        _with(meeting),
        "Two minutes now are worth an hour in spring.",
        "Say how it was",
        settings.SITE_URL + reverse("meetings:debrief", args=[meeting.pk]),
    )


def _with(meeting: Meeting) -> str:
    """Return a meeting in words: Coffee with Aiko."""
    return _short(one_line(meeting.heading))


def _opening(opening: Opportunity) -> Line:
    about = [opening.next_step, opening.organisation.name if opening.organisation else ""]
    return Line(
        one_line(opening.title),
        _short(", ".join(filter(None, about))),
        "Open it",
        settings.SITE_URL + reverse("opportunities:opportunity", args=[opening.pk]),
    )


def _introduction(waiting: Waiting) -> Line:
    # The page of the introduction has the button: a mail must not act.
    about = waiting.introduction or waiting.offer
    address = about.get_absolute_url() if about else reverse("introductions:introduction_list")
    return Line(_short(waiting.sentence), "", waiting.label, settings.SITE_URL + address)


def _idea(match: Match) -> Line:
    head = match.item.title if match.item else f"{match.contact} and {match.other}"
    address = settings.SITE_URL + reverse("giveback:giving")
    return Line(_short(head), _short(match.reason), "Have a look", address)


def _margin(follow_up: FollowUp) -> str:
    if follow_up.asks_to_decide:
        return "What now?"
    return "Next" if follow_up.present.colleague else f"{ordinal(follow_up.nth)} try"


def _colleague(follow_up: FollowUp) -> str:
    """Return where to choose the next person at the organisation, if that is the step."""
    if not follow_up.present.colleague:
        return ""
    return settings.SITE_URL + reverse("followups:colleague", args=[follow_up.pk])


def _example() -> Row:
    """Return somebody who cannot be in the notebook, to show how a person stands in a digest."""
    today = settings.SITE_URL + reverse("today:today")
    offered = (Outcome.NO_ANSWER, Outcome.VOICEMAIL, Outcome.REPLIED, Outcome.TALKED)
    return Row(
        name="Ada Lovelace",
        address=today,
        about="Analyst, The Analytical Engine",
        margin="2nd try",
        dots="●◉○",
        why="Three business days after your voicemail",
        hint="Call once more. Silence is usually about timing.",
        actions=tuple((links.VERBS[each].label, today, links.VERBS[each].good) for each in offered),
        snooze=today,
        rest=today,
        choose=today,
    )


def _hello(contact):
    last = contact.last_interaction_on
    spoke = f"last spoke on {last.day} {last:%B %Y}" if last else "not spoken yet"
    return Row(**_person(contact), why=f"{say_rhythm(contact.rhythm).capitalize()}, {spoke}")


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
    now = "" if follow_up.asks_to_decide or follow_up.present.colleague else "◉"
    left = follow_up.tries - follow_up.attempts - len(now)
    return "●" * min(follow_up.attempts, 12) + now + "○" * min(max(left, 0), 12)


def _past(days: int) -> str:
    return f"{days} day{'s' if days > 1 else ''} past" if days > 0 else ""


def _step(follow_up: FollowUp) -> str:
    if follow_up.asks_to_decide:
        return "next way"
    if follow_up.present.colleague:
        return "the next person there"
    if not follow_up.ends_on_answer:
        return "next step"
    nth = follow_up.nth
    return f"{NTH[nth - 1] if nth <= len(NTH) else ordinal(nth)} try"


def _possessive(name: str) -> str:
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def _theirs(agenda: Agenda) -> str:
    """Return whose try today is one of those that the evidence speaks for."""
    for reminder in agenda.due_today:
        follow_up = reminder.follow_up
        is_try = not (follow_up.asks_to_decide or follow_up.present.colleague)
        if is_try and follow_up.nth > 2:
            return _possessive(one_line(follow_up.contact.given_name))
    return ""


def _since(reminders: list[Reminder]) -> tuple[str, date] | None:
    """Return since when the oldest is due, and the word that fits if they are of several days."""
    if not reminders:
        return None
    days = {reminder.due_on for reminder in reminders}
    return ("due" if len(days) == 1 else "since", min(days))


def _say_week(week: Week | None) -> str:
    """Return a week in numbers, as a sentence: what was done, never what was not."""
    if week is None or not (week.tries or week.conversations or week.given):
        return ""
    days = _count(sum(showed_up for _, showed_up in week.days), "day", "days")
    counts = [
        (week.tries, "try", "tries"),
        (week.conversations, "conversation", "conversations"),
        (week.given, "kindness", "kindnesses"),
    ]
    did = [_count(*each) for each in counts if each[0]]
    said = " and ".join(filter(None, [", ".join(did[:-1]), did[-1]]))
    comfort = " Silence is usually about timing." if did[0] == said and week.tries else ""
    return f"You showed up on {days}: {said}.{comfort}"


def _count(number: int, one: str, many: str) -> str:
    return f"{apnumber(number)} {one if number == 1 else many}"


def _summary(agenda: Agenda) -> str:
    if agenda.empty:
        return "This is how your digest will look."
    counts = [
        (len(agenda.meetings), "coffee", "coffees"),
        (len(agenda.debriefs), "coffee to write down", "coffees to write down"),
        (agenda.due_count, "follow-up", "follow-ups"),
        (len(agenda.promises), "promise", "promises"),
        (len(agenda.openings), "opening", "openings"),
        (len(agenda.introductions), "introduction", "introductions"),
        (len(agenda.rhythms), "hello", "hellos"),
    ]
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) + "."


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
