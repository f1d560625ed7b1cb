import uuid
from datetime import timedelta

from django import forms
from django.db import transaction

from contacts.forms.people import DayInput, find_person
from contacts.models import Contact, Organisation, plain
from followups.schedule import say_day
from netcrm.wording import one_line
from opportunities import origins, tracking
from opportunities.models import Opportunity, Stage

MOST_PEOPLE = 20
LONGEST_NAME = 200
EMPTY_LINES = 2
NO_DATE = {"invalid": "Write the day as a date."}
FURTHEST_BACK = timedelta(days=36_500)


NOBODY = (
    "Nobody called “{name}” is in your notebook yet. Tick the name to add it, or clear the line."
)


class Names(forms.TextInput):
    """Several inputs of one name: one person a line."""

    def value_from_datadict(self, data, files, name):
        return data.getlist(name)


class OpportunityForm(forms.ModelForm):
    """An opening, who has to do with it and what led to it. Only the title is needed.

    `instance` names the owner; `people` and `origin` are what a new one begins with.
    """

    organisation_name = forms.CharField(label="Organisation", max_length=200, required=False)
    # The names in `who` that are to be new people in the notebook.
    new = forms.Field(required=False, widget=Names)
    who = forms.Field(label="People", required=False, widget=Names)
    origin = forms.ChoiceField(
        label="What led to it",
        required=False,
        error_messages={"invalid_choice": "Choose one of the moments in the list."},
    )
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Opportunity
        fields = ["title", "stage", "heard_on", "url", "next_step", "next_on", "notes"]
        labels = {
            "title": "What is it?",
            "stage": "Where does it stand?",
            "next_on": "From when on",
        }
        widgets = {
            "heard_on": DayInput,
            "next_on": DayInput,
            "notes": forms.Textarea(attrs={"rows": 4}),
            "url": forms.URLInput(attrs={"type": "text", "inputmode": "url"}),
        }
        error_messages = {
            "title": {"required": "Write a few words for it. Everything else can wait."},
            "heard_on": {"required": "Write the day on which you heard of it.", **NO_DATE},
            "url": {"invalid": "Write a web address, such as https://example.org, or clear this."},
            "next_on": NO_DATE,
        }

    def __init__(self, data=None, *, instance, people=(), origin=None):
        self.owner, self.before = instance.owner, list(people)
        self.people, self.unknown = [], []
        initial = {"key": uuid.uuid4(), "origin": origins.value_of(origin)}
        if instance.organisation:
            initial["organisation_name"] = instance.organisation.name
        super().__init__(data, instance=instance, initial=initial)
        self.fields["organisation_name"].widget.attrs |= {
            "list": "organisations",
            "autocomplete": "off",
        }
        self.fields["heard_on"].widget.attrs["max"] = self.owner.today().isoformat()
        if instance.pk:
            # It is moved on its page, where each stage gets its date.
            del self.fields["stage"]
        chosen = origins.find(self.owner, data.get("origin", "")) if data else origin
        offered = origins.offered(self.owner, self.before, chosen)
        self.fields["origin"].choices = [("", "Not said yet"), *offered]

    @property
    def lines(self):
        """Return the names in the lines for people: as typed or of those involved, then empty."""
        names = self["who"].value() if self.is_bound else map(self._name, self.before)
        return [*filter(str.strip, names), *[""] * EMPTY_LINES]

    def _name(self, person):
        """Return the name of somebody involved, with the organisation where two share it."""
        twice = [other.name for other in self.before].count(person.name) > 1
        if twice and person.organisation:
            return f"{person.name}, {person.organisation}"
        return person.name

    def clean_title(self):
        title = one_line(self.cleaned_data["title"])
        if not title:
            raise forms.ValidationError(self.fields["title"].error_messages["required"])
        return title

    def clean_next_step(self):
        return one_line(self.cleaned_data["next_step"])

    def clean_organisation_name(self):
        return one_line(self.cleaned_data["organisation_name"])

    def clean_heard_on(self):
        heard_on, today = self.cleaned_data["heard_on"], self.owner.today()
        if heard_on > today:
            raise forms.ValidationError("That day has not come yet.")
        if heard_on < today - FURTHEST_BACK:
            raise forms.ValidationError("That is more than a hundred years ago.")
        moved = self.instance.changes.first() if self.instance.pk else None
        if moved and heard_on > moved.on:
            raise forms.ValidationError(
                f"It came to “{moved.get_stage_display()}” on {say_day(moved.on)}. Choose that day"
                " or one before."
            )
        return heard_on

    def clean_who(self):
        """Find the people by their names; those that are nobody's become `unknown`, unless they
        are to be new people in the notebook."""
        names = list(filter(None, map(one_line, self.cleaned_data["who"])))
        if len(names) > MOST_PEOPLE:
            raise forms.ValidationError(f"{MOST_PEOPLE} people are enough for one opening.")
        problems = []
        for name in names:
            try:
                person = self._find(name)
            except forms.ValidationError as problem:
                problems += [f"“{name}”: {sentence}" for sentence in problem.messages]
                continue
            if person is None and len(name) > LONGEST_NAME:
                problems.append(f"Keep a name to {LONGEST_NAME} letters.")
            elif person is None:
                self.unknown.append(name)
            elif person not in self.people:
                self.people.append(person)
        missing = [name for name in self.unknown if name not in self.cleaned_data["new"]]
        problems += [NOBODY.format(name=name) for name in missing]
        if problems:
            raise forms.ValidationError(problems)
        return names

    def _find(self, name):
        """Return the contact of that name, or None: whoever was involved before keeps their line,
        also when somebody else has the name too. Raises ValidationError if it could be several."""
        for person in self.before:
            if plain(name) == plain(self._name(person)) and person not in self.people:
                return person
        try:
            return find_person(self.owner, name)
        except forms.ValidationError as error:
            if error.code == "nobody":
                return None
            raise

    @transaction.atomic
    def save(self):
        """Save the opening with its people and what led to it, and return it. The same form twice
        makes one opening, and nobody twice."""
        opening, cleaned = self.instance, self.cleaned_data
        opening.organisation = self._organisation()
        origin = origins.find(self.owner, cleaned["origin"])
        for kind in origins.KINDS:
            is_it = origin is not None and origin._meta.model_name == kind
            setattr(opening, kind, origin if is_it else None)
        people = self.people + [self._new_person(name) for name in self.unknown]
        if opening.pk is None:
            opening.key = cleaned["key"] or opening.key
            return tracking.open_(opening, people, cleaned["stage"])
        written = [name for name in self._meta.fields if name in self.fields]
        opening.save(update_fields=[*written, "organisation", *origins.KINDS])
        tracking.involve(opening, people)
        return opening

    def _organisation(self):
        name = self.cleaned_data["organisation_name"]
        found = Organisation.find_or_create(self.owner, [name] if name else [])
        return found.get(plain(name))

    def _new_person(self, name):
        key = uuid.uuid5(self.cleaned_data["key"] or uuid.uuid4(), plain(name))
        person, created = Contact.objects.get_or_create(
            owner=self.owner, key=key, defaults={"name": name}
        )
        if created:
            person.reindex()
        return person


class MoveForm(forms.Form):
    """Where an opening stands now, since when, and one lesson once it is closed."""

    stage = forms.ChoiceField(
        label="Where does it stand now?",
        choices=Stage,
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"], "Choose where it stands: one of the stages."
        ),
    )
    # Without a day it was today, also on a page that was opened yesterday.
    on = forms.DateField(label="Since", required=False, widget=DayInput, error_messages=NO_DATE)
    lesson = forms.CharField(
        label="One lesson",
        required=False,
        max_length=300,
        help_text="Kept with your notes.",
        error_messages={"max_length": "One line is enough: 300 letters at most."},
    )

    def __init__(self, opening, *args):
        self.opening, self.today = opening, opening.owner.today()
        super().__init__(*args, initial={"stage": opening.stage, "on": self.today})
        self.fields["on"].widget.attrs["max"] = self.today.isoformat()

    def clean_on(self):
        on = self.cleaned_data["on"] or self.today
        if on > self.today:
            raise forms.ValidationError("That day has not come yet.")
        return on

    def clean_lesson(self):
        return one_line(self.cleaned_data["lesson"])


class StepForm(forms.Form):
    """What comes next, and from which local date on it asks."""

    next_step = forms.CharField(
        required=False,
        max_length=300,
        error_messages={"max_length": "Keep the step to 300 letters."},
    )
    next_on = forms.DateField(
        label="When",
        required=False,
        widget=DayInput,
        error_messages=NO_DATE,
    )

    def clean_next_step(self):
        return one_line(self.cleaned_data["next_step"])
