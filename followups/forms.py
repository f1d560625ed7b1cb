import uuid
from datetime import timedelta

from django import forms
from django.utils.functional import cached_property

from contacts.models import Contact
from followups.colleagues import colleagues_of
from followups.models import Channel, Direction, Ending, Outcome, Playbook
from followups.pursuing import Entry
from netcrm.wording import one_line

# What happened, in one choice: how it happened, what came of it, and from whom it came.
HAPPENED = {
    "no_answer": ("Called, no answer", Channel.CALL, Outcome.NO_ANSWER, Direction.OUT),
    "voicemail": ("Left voicemail", Channel.CALL, Outcome.VOICEMAIL, Direction.OUT),
    "busy": ("Line was busy", Channel.CALL, Outcome.BUSY, Direction.OUT),
    "talked": ("Talked", Channel.CALL, Outcome.TALKED, Direction.OUT),
    "email": ("Sent an e-mail", Channel.EMAIL, Outcome.SENT, Direction.OUT),
    "message": ("Sent a message", Channel.MESSAGE, Outcome.SENT, Direction.OUT),
    "replied": ("They replied", Channel.EMAIL, Outcome.REPLIED, Direction.IN),
    "arranged": ("Arranged a meeting", Channel.MEETING, Outcome.ARRANGED, Direction.OUT),
    "met": ("Met for a coffee", Channel.MEETING, Outcome.MET, Direction.OUT),
    "hello": ("Said hello", Channel.MESSAGE, Outcome.NOTED, Direction.OUT),
    "out_of_office": ("Out of office", Channel.EMAIL, Outcome.OUT_OF_OFFICE, Direction.IN),
    "bounced": ("My e-mail came back", Channel.EMAIL, Outcome.BOUNCED, Direction.IN),
    "note": ("Just a note", Channel.NOTE, Outcome.NOTED, Direction.OUT),
}
# The outcome buttons of a follow-up that is due.
BUTTONS = (
    Outcome.NO_ANSWER,
    Outcome.VOICEMAIL,
    Outcome.SENT,
    Outcome.REPLIED,
    Outcome.TALKED,
)
CALLED = {Outcome.NO_ANSWER, Outcome.VOICEMAIL}
# What a mailbox answers by itself: no button of every row, but in its third menu.
HEARD = (Outcome.OUT_OF_OFFICE, Outcome.BOUNCED)
WHAT_HAPPENED = "Choose one of the buttons: what happened?"
MATCHES = 8
NEW_PERSON = "new"


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs):
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class LogForm(forms.Form):
    """Log an interaction: who, what happened, when, and one line for later."""

    happened = forms.ChoiceField(
        choices=[(value, row[0]) for value, row in HAPPENED.items()],
        error_messages={
            "required": "Choose what happened.",
            "invalid_choice": "Choose what happened.",
        },
    )
    note = forms.CharField(required=False, max_length=10_000)
    # Without a day it was today, also on a page that was opened yesterday.
    on = forms.DateField(label="When", required=False, widget=DayInput())
    # Asked when somebody is out of office.
    until = forms.DateField(required=False)
    playbook = forms.ModelChoiceField(
        Playbook.objects.none(),
        label="Playbook, if nobody answered",
        required=False,
        empty_label="The usual one",
    )
    key = forms.UUIDField(required=False)

    def __init__(self, owner, *args, **kwargs):
        self.owner = owner
        self.today = owner.today()
        super().__init__(*args, initial={"on": self.today}, **kwargs)
        self.fields["playbook"].queryset = Playbook.objects.for_user(owner)
        self.fields["on"].widget.attrs["max"] = self.today.isoformat()

    def clean_on(self):
        on = self.cleaned_data["on"] or self.today
        if on > self.today:
            raise forms.ValidationError("That day has not come yet.")
        if on < self.today - timedelta(days=36_500):
            raise forms.ValidationError("That is more than a hundred years ago.")
        return on

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("happened") == "out_of_office":
            until = cleaned.get("until")
            if "until" not in self.errors and (until is None or until < self.today):
                self.add_error("until", "Write the last day away, today or later.")
        return cleaned

    def entry(self):
        """Return the pursuing.Entry that the valid form describes."""
        _, channel, outcome, direction = HAPPENED[self.cleaned_data["happened"]]
        return Entry(
            channel=channel,
            outcome=outcome,
            direction=direction,
            on=self.cleaned_data["on"],
            note=self.cleaned_data["note"],
            key=self.cleaned_data["key"] or uuid.uuid4(),
            playbook=self.cleaned_data["playbook"],
            until=self.cleaned_data["until"],
        )


class LogSomethingForm(LogForm):
    """The log dialog: like LogForm, with the person found by name."""

    who = forms.CharField(max_length=200, error_messages={"required": "Write a name."})
    # The one of several that was meant, or "new" for a person not yet in the notebook.
    contact = forms.CharField(required=False)

    @cached_property
    def matches(self):
        """Return the few contacts that the name could mean, the exact ones first."""
        who = self.data.get("who", "")
        people = Contact.objects.for_user(self.owner).current()
        exact = list(people.filter(name__iexact=who.strip())[:MATCHES])
        return exact or list(people.search(who).select_related("organisation")[:MATCHES])

    def clean(self):
        cleaned = super().clean()
        chosen = cleaned.get("contact")
        if chosen == NEW_PERSON or not cleaned.get("who"):
            return cleaned
        if chosen:
            people = Contact.objects.for_user(self.owner)
            cleaned["contact"] = chosen.isdecimal() and people.filter(pk=chosen).first()
        elif len(self.matches) == 1:
            cleaned["contact"] = self.matches[0]
        if not cleaned["contact"]:
            several = "Several people match. Which one was it?"
            nobody = "Nobody of that name is in your notebook yet."
            self.add_error("who", several if self.matches else nobody)
        return cleaned

    def person(self):
        """Return the contact that was meant; a new one when the user said so."""
        if self.cleaned_data["contact"] != NEW_PERSON:
            return self.cleaned_data["contact"]
        contact = Contact.objects.create(owner=self.owner, name=one_line(self.cleaned_data["who"]))
        contact.reindex()
        return contact


class OutcomeForm(forms.Form):
    """One of the outcome buttons, or one of HEARD, `on` being the last day away of somebody who is
    out of office. `turn` tells which planned step the page showed."""

    outcome = forms.ChoiceField(
        choices=[(value, value.label) for value in (*BUTTONS, *HEARD)],
        error_messages={"required": WHAT_HAPPENED, "invalid_choice": WHAT_HAPPENED},
    )
    on = forms.DateField(required=False, error_messages={"invalid": "Write the day as a date."})
    turn = forms.IntegerField(min_value=0)
    key = forms.UUIDField()

    def entry(self, follow_up, today):
        """Return the Entry: the step's own channel, unless the outcome tells another."""
        outcome = Outcome(self.cleaned_data["outcome"])
        channel = follow_up.present.channel
        if outcome in CALLED | {Outcome.TALKED}:
            channel = Channel.CALL
        elif outcome in HEARD or channel not in {Channel.EMAIL, Channel.MESSAGE}:
            channel = Channel.EMAIL
        return Entry(
            channel=channel,
            outcome=outcome,
            direction=Direction.IN if outcome in {Outcome.REPLIED, *HEARD} else Direction.OUT,
            on=today,
            until=self.cleaned_data["on"],
            key=self.cleaned_data["key"],
        )


class DayForm(forms.Form):
    """A day to come back on: one of the offered ones, or a date."""

    until = forms.ChoiceField(
        choices=[(name, name) for name in ("tomorrow", "monday", "week", "month")],
        required=False,
    )
    on = forms.DateField(required=False)

    def __init__(self, today, *args, **kwargs):
        self.today = today
        super().__init__(*args, **kwargs)

    def clean(self):
        cleaned = super().clean()
        on = cleaned.get("on") or offered_days(self.today).get(cleaned.get("until"))
        if "on" not in self.errors:
            if on is None:
                raise forms.ValidationError("Choose a day.")
            if not self.today < on <= self.today + timedelta(days=3650):
                raise forms.ValidationError("Choose a day after today, within ten years.")
        cleaned["on"] = on
        return cleaned


def offered_days(today):
    """Return the days offered for a snooze, by name."""
    return {
        "tomorrow": today + timedelta(days=1),
        "monday": today + timedelta(days=7 - today.weekday()),
        "week": today + timedelta(days=7),
        "month": today + timedelta(days=30),
    }


class EndForm(forms.Form):
    """How a follow-up ended."""

    ending = forms.ChoiceField(choices=Ending, initial=Ending.LET_GO, required=False)

    def clean_ending(self):
        return self.cleaned_data["ending"] or Ending.LET_GO


class LessonForm(forms.Form):
    """The one lesson of a follow-up; an empty one takes it away."""

    lesson = forms.CharField(
        required=False,
        max_length=2000,
        error_messages={"max_length": "One lesson is enough: 2000 letters at most."},
    )


class WorkplaceForm(forms.Form):
    """Where a contact works, asked when the next person there is wanted."""

    organisation = forms.CharField(
        max_length=200, error_messages={"required": "Write where they work."}
    )

    def clean_organisation(self):
        return one_line(self.cleaned_data["organisation"])


class ColleagueForm(forms.Form):
    """Who is next at a contact's organisation: somebody known, or the name of somebody new.

    `turn` tells which planned step the page showed; `key` makes the same form one new person.
    """

    contact = forms.ModelChoiceField(
        Contact.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose somebody else: that person is not free now."},
    )
    name = forms.CharField(required=False, max_length=200)
    turn = forms.IntegerField(min_value=0)
    key = forms.UUIDField()

    def __init__(self, contact, *args, **kwargs):
        self.first = contact
        super().__init__(*args, **kwargs)
        self.fields["contact"].queryset = colleagues_of(contact)

    def clean_name(self):
        return one_line(self.cleaned_data["name"])

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not cleaned.get("contact") and not cleaned.get("name"):
            self.add_error("name", "Write a name, or choose somebody above.")
        return cleaned

    def person(self):
        """Return who was meant: chosen, known there by that name, or new at the organisation."""
        if chosen := self.cleaned_data["contact"]:
            return chosen
        there = {"organisation": self.first.organisation}
        name, mine = self.cleaned_data["name"], Contact.objects.for_user(self.first.owner)
        if known := mine.namesakes(name).filter(**there).first():
            return known
        contact, created = Contact.objects.get_or_create(
            owner=self.first.owner, key=self.cleaned_data["key"], defaults={"name": name, **there}
        )
        if created:
            contact.reindex()
        return contact


class PlaybookForm(forms.Form):
    """Choose one of one's own playbooks."""

    playbook = forms.ModelChoiceField(Playbook.objects.none(), empty_label=None)
    purpose = forms.CharField(required=False, max_length=300)

    def __init__(self, owner, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["playbook"].queryset = Playbook.objects.for_user(owner)
