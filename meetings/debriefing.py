"""What a debrief turns into: promises on both sides, introductions, thanks, the next time.

plan() is pure. The page shows its sentences before anything is saved, and save() makes exactly
what they say: one transaction, one undo.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone

from contacts.models import Contact, say_rhythm
from followups import planning, pursuing, undoing
from followups.calendars import calendar_for
from followups.models import Action, Ending, Via
from followups.schedule import WorkCalendar, say_day
from giveback import giving
from giveback.models import Kind
from introductions import asking
from meetings import arranging
from meetings.models import Advice, Debrief, Meeting, State
from netcrm.localtime import local_day

THEY_PROMISED, AFTER_A_MEETING, MEET_AGAIN = "they-promised", "after-a-meeting", "new-relationship"
# Coaching practice: ask about a promise one work day after its day; without a day, after five.
GRACE, GRACE_WITHOUT_A_DAY = 1, 5
KEPT = ("went", "before", "after", "takeaways", "ideas", "lesson", "next_step")


@dataclass(frozen=True)
class Line:
    """One line of a debrief, about one contact; `by` is a local date."""

    contact: Contact
    what: str
    why: str = ""
    by: date | None = None
    offered: bool = False


@dataclass(frozen=True)
class Said:
    """What the person said in a debrief. `again` is in weeks, `rhythm` in days; `asked` are the
    ids of the questions that were asked."""

    went: str = ""
    before: int | None = None
    after: int | None = None
    takeaways: str = ""
    ideas: str = ""
    lesson: str = ""
    advice: list[Line] = field(default_factory=list)
    others: list[Line] = field(default_factory=list)
    mine: list[Line] = field(default_factory=list)
    theirs: list[Line] = field(default_factory=list)
    thanks: bool = False
    again: int | None = None
    rhythm: int | None = None
    asked: frozenset[int] = frozenset()

    @property
    def takeaway(self) -> str:
        """Return the first takeaway as the draft of the thanks quotes it."""
        return next((line.strip(" .") for line in self.takeaways.splitlines() if line.strip()), "")

    @property
    def next_step(self) -> str:
        if self.again:
            return f"Meet again in {self.again} week{'' if self.again == 1 else 's'}"
        return f"Say hello {say_rhythm(self.rhythm)}" if self.rhythm else ""


@dataclass(frozen=True)
class Saving:
    """The debrief that is being saved; undoing the Action `main` undoes what is made beside it."""

    debrief: Debrief
    main: Action
    via: str


@dataclass(frozen=True)
class Consequence:
    """Something that saving makes for one contact."""

    icon: ClassVar[str]
    contact: Contact

    @property
    def sentence(self) -> str:
        raise NotImplementedError

    def make(self, saving: Saving) -> list[dict[str, Any]]:
        """Make it; return what undo must remember beside what the engine remembers itself."""
        raise NotImplementedError

    def begin(self, saving: Saving, slug: str, **how: Any) -> list[dict[str, Any]]:
        playbook = pursuing.playbook_for(self.contact.owner, slug)
        pursuing.begin(self.contact, playbook, saving.via, beside=saving.main, **how)
        return []


@dataclass(frozen=True)
class Promise(Consequence):
    """A promise of mine, on its date."""

    icon = "gift"
    what: str
    due_on: date

    @property
    def sentence(self):
        return f"Your promise to {self.contact.given_name} for {say_day(self.due_on)}: {self.what}"

    def make(self, saving):
        return [undoing.made(giving.promise(self.contact, Kind.OTHER, self.what, self.due_on))]


@dataclass(frozen=True)
class Expected(Consequence):
    """All that one contact promised: one kind word about it, on the earliest day."""

    icon = "hourglass"
    whats: tuple[str, ...]
    on: date

    @property
    def sentence(self):
        name, what = self.contact.given_name, "; ".join(self.whats)
        return f"I bring {name} back on {say_day(self.on)}, for what {name} promised: {what}"

    def make(self, saving):
        purpose = "; ".join(self.whats)[:300]
        because = f"what {self.contact.given_name} promised"
        return self.begin(saving, THEY_PROMISED, purpose=purpose, on=self.on, because=because)


@dataclass(frozen=True)
class Asked(Consequence):
    """Somebody else to meet. What was offered is a promise; else I am the one who asks."""

    icon = "affiliate"
    wanted: str
    why: str
    on: date
    # The last local date on which nothing is asked about it.
    until: date | None

    @property
    def sentence(self):
        name = self.contact.given_name
        if self.until:
            return (
                f"An introduction to {self.wanted} that {name} offered. I ask how it stands after"
                f" {say_day(self.until)}"
            )
        return f"An introduction to {self.wanted}, to ask {name} for: the request is drafted"

    def make(self, saving):
        known = Contact.objects.for_user(self.contact.owner).namesakes(self.wanted)[:2]
        asking.ask(
            self.contact,
            self.wanted,
            self.on,
            target=known[0] if len(known) == 1 else None,
            why=self.why,
            agreed=bool(self.until),
            until=self.until,
            via=saving.via,
            beside=saving.main,
        )
        return []


@dataclass(frozen=True)
class Advised(Consequence):
    """Advice: something received, and to be told later what became of it."""

    icon = "bulb"
    text: str
    on: date

    @property
    def sentence(self):
        return f"Advice received from {self.contact.given_name}, to come back to: {self.text}"

    def make(self, saving):
        advice = Advice.objects.create(
            owner=self.contact.owner, debrief=saving.debrief, contact=self.contact, text=self.text
        )
        met = self.contact.attended.get(meeting=saving.debrief.meeting).interaction
        if met is None:  # somebody has deleted that moment of the story
            return [undoing.made(advice)]
        gift = giving.receive(self.contact, Kind.ADVICE, self.text, self.on, interaction=met)
        return [undoing.made(advice), undoing.made(gift)]


@dataclass(frozen=True)
class Thanks(Consequence):
    """Thanks within 24 hours; 14 days after them one reports back (coaching practice)."""

    icon = "heart"
    on: date
    takeaway: str
    advice: str

    @property
    def sentence(self):
        name = self.contact.given_name
        return f"Thanks to {name} today, drafted from your notes; in two weeks, to report back"

    def make(self, saving):
        facts = {"takeaway": self.takeaway, "advice": self.advice}
        facts = {name: words for name, words in facts.items() if words}
        # The thanks for this meeting must not wait for the report about the one before.
        for earlier in self.contact.follow_ups.open().filter(playbook__slug=AFTER_A_MEETING):
            planning.end_row(earlier, Ending.MEETING_SET, self.on)
        # The debrief is the first step.
        because = "you have just met"
        return self.begin(saving, AFTER_A_MEETING, on=self.on, because=because, done=1, facts=facts)


@dataclass(frozen=True)
class Again(Consequence):
    """Meet again on a day; no answer in between ends that."""

    icon = "coffee"
    on: date

    @property
    def sentence(self):
        return f"I bring {self.contact.given_name} back on {_date(self.on)}, to meet again"

    def make(self, saving):
        because = "you wanted to meet again"
        return self.begin(saving, MEET_AGAIN, purpose="Meet again", on=self.on, because=because)


@dataclass(frozen=True)
class Rhythm(Consequence):
    """A hello now and then."""

    icon = "repeat"
    days: int

    @property
    def sentence(self):
        return f"A rhythm with {self.contact.given_name}: a hello {say_rhythm(self.days)}"

    def make(self, saving):
        was = undoing.memory(self.contact, "rhythm_days")
        self.contact.rhythm_days = self.days
        self.contact.save(update_fields=["rhythm_days"])
        return [was]


def _date(day):
    return f"{say_day(day)} {day.year}"


def plan(
    said: Said, people: list[Contact], on: date, today: date, calendar: WorkCalendar
) -> list[Consequence]:
    """Return what saving makes of a debrief of a meeting that was on the local date `on`."""
    tomorrow = calendar.add(today, 1)
    made: list[Consequence] = [
        Promise(line.contact, line.what, line.by or tomorrow) for line in said.mine
    ]
    made += _expected(said.theirs, today, calendar)
    by = calendar.add(today, GRACE_WITHOUT_A_DAY - GRACE)
    made += [
        Asked(line.contact, line.what, line.why, on, by if line.offered else None)
        for line in said.others
    ]
    made += [Advised(line.contact, line.what, on) for line in said.advice]
    if said.thanks:
        made += [Thanks(each, today, said.takeaway, _advice_of(each, said)) for each in people]
    if said.again:
        day = calendar.on_or_after(today + timedelta(weeks=said.again))
        made += [Again(each, day) for each in people]
    if said.rhythm:
        made += [Rhythm(each, said.rhythm) for each in people]
    return made


def _expected(lines, today, calendar):
    """Return one Expected for each contact that promised something."""
    promised = defaultdict(list)
    for line in lines:
        promised[line.contact].append(line)
    for contact, theirs in promised.items():
        days = [
            calendar.add(line.by, GRACE) if line.by else calendar.add(today, GRACE_WITHOUT_A_DAY)
            for line in theirs
        ]
        yield Expected(contact, tuple(line.what for line in theirs), min(days))


def _advice_of(contact, said):
    return "; ".join(line.what.strip(" .") for line in said.advice if line.contact == contact)


def day_of(meeting):
    """Return the local date on which a meeting began."""
    return local_day(meeting.starts_at, meeting.time_zone)


def foresee(meeting: Meeting, said: Said) -> list[Consequence]:
    """Return what saving would make of it now."""
    owner = meeting.owner
    return plan(said, meeting.people, day_of(meeting), owner.today(), calendar_for(owner))


@transaction.atomic
def keep_draft(meeting, typed):
    """Keep the form as typed, {field: values}; once the debrief is saved this changes nothing."""
    debrief = _locked(meeting)
    if debrief.saved_at is None:
        debrief.draft = typed
        debrief.save(update_fields=["draft"])


@transaction.atomic
def save(meeting: Meeting, said: Said, via: str = Via.APP) -> Action | None:
    """Keep a debrief, and make what it implies; the meeting counts as held from now on.

    Returns the Action whose undo takes all of it back, draft included; None when it was saved
    before. Raises CannotDo when the meeting did not come about, or a contact is to be left alone.
    """
    planning.lock(*meeting.people)
    debrief = _locked(meeting)
    if debrief.saved_at:
        return None
    memories = [undoing.memory(debrief, *KEPT, "draft", "saved_at")]
    main = _hold(meeting, via)
    for consequence in foresee(meeting, said):
        memories += consequence.make(Saving(debrief, main, via))
    memories += _tick(meeting, said.asked)
    _write(debrief, said, draft={}, saved_at=timezone.now())
    undoing.remember(main, *memories)
    return main


@transaction.atomic
def change(meeting: Meeting, said: Said) -> None:
    """Change the words of a debrief that was saved; what came of it stays as it is."""
    _write(_locked(meeting), said)
    _tick(meeting, said.asked)


def _locked(meeting):
    rows = Debrief.objects.select_for_update(no_key=True)
    return rows.get_or_create(meeting=meeting, defaults={"owner": meeting.owner})[0]


def _write(debrief, said, **more):
    changes = {name: getattr(said, name) for name in KEPT if name != "next_step"} | more
    if "saved_at" in more:
        changes["next_step"] = said.next_step
    for name, value in changes.items():
        setattr(debrief, name, value)
    debrief.save(update_fields=list(changes))


def _hold(meeting, via):
    """Return the Action that undo starts from: of holding the meeting, else, when that was done
    before, of nothing but how things are with each contact."""
    if meeting.state != State.HELD:
        return arranging.hold(meeting, via)
    main = None
    for contact in meeting.people:
        pursuit = planning.Pursuit(contact)
        if main:
            pursuit.beside(main)
        action = pursuit.act("debriefed", f"{meeting.heading}: your notes are kept.", via)
        main = main or action
    return main


def _tick(meeting, asked):
    """Tick the questions that were asked; return how they were."""
    changed = [each for each in meeting.questions.all() if each.asked != (each.pk in asked)]
    memories = [undoing.memory(each, "asked") for each in changed]
    for each in changed:
        each.asked = not each.asked
        each.save(update_fields=["asked"])
    return memories
