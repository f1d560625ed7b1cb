import uuid
from datetime import timedelta

from django import forms
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import cached_property

from contacts.forms.people import Draft
from contacts.models import Contact
from followups.forms import MATCHES, NEW_PERSON, DayInput
from meetings import arranging
from meetings.localtimes import SkippedTime, city, instant_of
from meetings.models import CHECKLIST, Kind, Meeting, ProposedTime, Question
from netcrm.localtime import time_zones
from netcrm.wording import one_line

MOST_PEOPLE = 12
TIMES = 3
FEWEST_TIMES = 2
WITHIN = timedelta(days=3650)
FIXED, PROPOSED = "fixed", "proposed"


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self, **attrs):
        super().__init__(attrs=attrs, format="%H:%M")


class PersonForm(Draft, forms.Form):
    """Somebody found by name: `contact` is the one of several that was meant, or "new"."""

    who = forms.CharField(
        label="Who",
        max_length=400,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "Start typing a name"}),
    )
    contact = forms.CharField(required=False)

    def __init__(self, *args, owner, is_draft=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.owner, self.is_draft = owner, is_draft
        self.fields["who"].widget.attrs["list"] = f"{self['who'].id_for_label}_people"

    @property
    def typed(self):
        return one_line(self["who"].value() or "")

    @cached_property
    def matches(self):
        """Return the few contacts that the name could mean, the exact ones first."""
        people = Contact.objects.for_user(self.owner).current().select_related("organisation")
        exact = list(people.filter(name__iexact=self.typed)[:MATCHES])
        return exact or list(people.search(self.typed)[:MATCHES])

    def clean(self):
        cleaned = super().clean()
        chosen = cleaned.get("contact", "")
        if not self.typed or chosen == NEW_PERSON:
            return cleaned
        # What was chosen counts as long as the name beside it still means that person.
        meant = [person for person in self.matches if str(person.pk) == chosen] or self.matches
        if len(meant) == 1:
            [cleaned["contact"]] = meant
        else:
            several = "Several people match. Which one is it?"
            nobody = "Nobody of that name is in your notebook yet."
            self.add_error("who", several if self.matches else nobody)
        return cleaned

    def person(self, key):
        """Return the contact that was meant, or None of an empty line. Somebody new is made once
        for the `key` of the whole form."""
        if not self.typed:
            return None
        if self.cleaned_data["contact"] != NEW_PERSON:
            return self.cleaned_data["contact"]
        contact, created = Contact.objects.get_or_create(
            owner=self.owner, key=uuid.uuid5(key, self.typed), defaults={"name": self.typed[:200]}
        )
        if created:
            contact.reindex()
        return contact


class WhenForm(Draft, forms.Form):
    """A local date and time in a zone; `starts_at` of the cleaned data is the instant, or None."""

    day = forms.DateField(
        label="Day", required=False, widget=DayInput(), error_messages={"invalid": "Write a date."}
    )
    at = forms.TimeField(
        label="Time",
        required=False,
        widget=TimeInput(),
        error_messages={"invalid": "Write a time, such as 10:00."},
    )

    def __init__(self, *args, owner, zone, past=False, needed=True, is_draft=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.owner, self.zone, self.is_draft = owner, zone, is_draft
        self.past, self.needed = past, needed

    def clean(self):
        cleaned = super().clean()
        day, at = cleaned.get("day"), cleaned.get("at")
        cleaned["starts_at"] = None
        if self.errors or not (self.needed or day or at):
            return cleaned
        if day is None:
            self.add_error("day", "Choose a day.")
        elif abs(day - self.owner.today()) > WITHIN:
            self.add_error("day", "Choose a day within ten years.")
        elif at is None:
            self.add_error("at", "Choose a time.")
        else:
            cleaned["starts_at"] = self._instant(day, at)
        return cleaned

    def _instant(self, day, at):
        try:
            starts_at = instant_of(day, at, self.zone)
        except SkippedTime as problem:
            self.add_error("at", str(problem))
            return None
        if (starts_at <= timezone.now()) != self.past:
            self.add_error(
                "day",
                "That has not come yet. Arrange it instead."
                if self.past
                else "That time has passed. Choose one to come.",
            )
        return starts_at


def zones(owner, people=()):
    """Return the time zones to choose from: the owner's and those of the people first."""
    first = {owner.time_zone: f"{city(owner.time_zone)}, yours"}
    for person in people:
        if person.time_zone:
            first.setdefault(person.time_zone, f"{city(person.time_zone)}, {person.given_name}’s")
    rest = sorted(zone for zone in time_zones() if "/" in zone and zone not in first)
    return [*first.items(), *((zone, zone.replace("_", " ")) for zone in rest)]


class DetailsForm(Draft, forms.ModelForm):
    """What a meeting is, where, how long and what for. `instance` names the owner."""

    time_zone = forms.ChoiceField(label="By the clock of")

    class Meta:
        model = Meeting
        fields = ["kind", "title", "place", "minutes", "time_zone", "purpose"]
        labels = {"kind": "What is it?", "minutes": "How many minutes"}
        widgets = {
            "kind": forms.RadioSelect,
            "purpose": forms.Textarea(attrs={"rows": 2}),
            "place": forms.TextInput(attrs={"placeholder": "The Larder, or a link"}),
        }
        help_texts = {"title": "Only if it needs a name of its own."}
        error_messages = {
            "minutes": dict.fromkeys(
                ["required", "invalid", "min_value", "max_value"],
                "Write a number of minutes, such as 45.",
            )
        }

    def __init__(self, *args, people=(), is_draft=False, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.owner, self.is_draft = self.instance.owner, is_draft
        self.fields["kind"].choices = Kind.choices
        self.fields["time_zone"].choices = zones(self.owner, people)
        self.fields["title"].widget.attrs["autocomplete"] = "off"

    def clean_title(self):
        return one_line(self.cleaned_data["title"])

    def save(self):
        """Save what was changed."""
        if changed := {name: self.cleaned_data[name] for name in self.changed_data}:
            arranging.change(self.instance, **changed)
        return self.instance


class MeetingForm(DetailsForm):
    """Arrange a meeting: with whom, and when. The time is set, or two or three are on offer.

    `add` asks for one more line of people.
    """

    past = False
    how = forms.ChoiceField(
        label="When?",
        choices=[(FIXED, "The time is set"), (PROPOSED, "I offer two or three times")],
        initial=FIXED,
        widget=forms.RadioSelect,
        error_messages={"required": "Is the time set, or do you offer some?"},
    )
    # Tells two submissions of one form from two meetings.
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, owner, data=None, people=(), starts_at=None, add=""):
        instance = Meeting(owner=owner, time_zone=owner.time_zone)
        initial = {"key": uuid.uuid4()}
        is_draft = add == "who"
        super().__init__(data, instance=instance, initial=initial, people=people, is_draft=is_draft)
        self.people = PeopleFormSet(
            _one_more(data) if is_draft else data,
            prefix="who",
            initial=[{"who": person.name, "contact": person.pk} for person in people],
            form_kwargs={"owner": owner, "is_draft": is_draft},
        )
        self.people.extra = 0 if people else 1
        self.times = self._times(data, starts_at)

    def _times(self, data, starts_at):
        names = dict(self.fields["time_zone"].choices)
        zone = (data or {}).get("time_zone")
        known = {"zone": zone if zone in names else self.owner.time_zone, "owner": self.owner}
        first = starts_at and {"day": starts_at.date(), "at": starts_at.time()}
        return [
            WhenForm(
                data,
                prefix=f"time-{number}",
                initial=first if number == 0 else None,
                needed=number == 0,
                past=self.past,
                is_draft=self.is_draft,
                **known,
            )
            for number in range(TIMES)
        ]

    @property
    def offers(self):
        """Tell whether times are on offer rather than one is fixed."""
        return self.data.get("how") == PROPOSED

    @property
    def asked_times(self):
        return self.times if self.offers else self.times[:1]

    def is_valid(self):
        # All of them, so that one look at the page shows every error.
        parts = [super().is_valid(), self.people.is_valid()]
        return all(parts + [form.is_valid() for form in self.asked_times]) and self._is_whole()

    def _is_whole(self):
        if not any(form.typed for form in self.people):
            self.people.forms[0].add_error("who", "Write a name.")
        elif self.offers and len(self.instants) < FEWEST_TIMES:
            self.add_error("how", "Offer two times at least, so that one of them may suit.")
        else:
            return True
        return False

    @property
    def instants(self):
        found = [form.cleaned_data["starts_at"] for form in self.asked_times]
        return sorted({instant for instant in found if instant})

    def save(self):
        """Arrange it and return the meeting; the same form twice makes one."""
        self.key = self.cleaned_data["key"] or uuid.uuid4()
        known = Meeting.objects.for_user(self.owner).filter(key=self.key)
        try:
            with transaction.atomic():
                return known.first() or self._arrange()
        except IntegrityError:
            return known.get()

    def _arrange(self):
        people = [form.person(self.key) for form in self.people]
        people = list({person.pk: person for person in people if person}.values())
        names = ("title", "place", "minutes", "purpose")
        details = {name: self.cleaned_data[name] for name in names}
        details |= {"zone": self.cleaned_data["time_zone"], "key": self.key}
        kind = self.cleaned_data["kind"]
        if self.offers:
            return arranging.propose(self.owner, people, kind, self.instants, **details)
        return self.fix(people, kind, self.instants[0], **details)

    def fix(self, people, kind, starts_at, **details):
        return arranging.arrange(self.owner, people, kind, starts_at, **details)


class PastMeetingForm(MeetingForm):
    """Write down a meeting that was. `known` is an Interaction that tells of it already."""

    past = True

    def __init__(self, owner, data=None, known=None, **kwargs):
        self.known = known
        super().__init__(owner, data, **kwargs)
        del self.fields["how"]

    offers = False

    def fix(self, people, kind, starts_at, **details):
        return super().fix(people, kind, starts_at, known=self.known, **details)


PeopleFormSet = forms.formset_factory(
    PersonForm, max_num=MOST_PEOPLE, absolute_max=MOST_PEOPLE, validate_max=True
)


def _one_more(data):
    data = data.copy()
    count = data.get("who-TOTAL_FORMS", "")
    if count.isascii() and count.isdigit() and len(count) < 4:
        data["who-TOTAL_FORMS"] = str(min(int(count) + 1, MOST_PEOPLE))
    return data


class OfferForm:
    """Two or three times to put on offer, in the zone of a meeting."""

    def __init__(self, meeting, data=None):
        common = {"owner": meeting.owner, "zone": meeting.time_zone}
        self.times = [
            WhenForm(data, prefix=f"time-{number}", needed=number < FEWEST_TIMES, **common)
            for number in range(TIMES)
        ]

    def is_valid(self):
        valid = [form.is_valid() for form in self.times]
        if all(valid) and len(self.instants) < FEWEST_TIMES:
            self.times[1].add_error("day", "Offer another one than the first.")
        return all(form.is_valid() for form in self.times)

    @property
    def instants(self):
        found = [form.cleaned_data["starts_at"] for form in self.times]
        return sorted({instant for instant in found if instant})


class ConfirmForm(forms.Form):
    """The one of the proposed times that suits."""

    time = forms.ModelChoiceField(
        ProposedTime.objects.none(),
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"], "Choose one of the times, or write another one."
        ),
    )

    def __init__(self, meeting, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["time"].queryset = meeting.proposed_times.all()


class CancelForm(forms.Form):
    """Why, and whether to ask for another time; both may stay empty."""

    reason = forms.CharField(
        max_length=300,
        required=False,
        error_messages={"max_length": "A line is enough: 300 letters at most."},
    )
    again = forms.BooleanField(required=False)


class ReadyForm(forms.Form):
    """One point of the checklist, ready or not."""

    point = forms.ChoiceField(choices=CHECKLIST)
    ready = forms.BooleanField(required=False)


class QuestionForm(forms.ModelForm):
    class Meta:
        model = Question
        fields = ["text"]
        error_messages = {
            "text": {
                "required": "Write a question, or take one of those below.",
                "max_length": "Keep a question to 300 letters.",
            }
        }

    def clean_text(self):
        return one_line(self.cleaned_data["text"])
