import uuid
from datetime import timedelta
from itertools import pairwise

from django import forms
from django.db import transaction

from contacts.forms.people import Draft, find_person
from contacts.models import Contact, ContactEmail, Organisation, plain
from followups.forms import DayInput
from introductions import asking, carrying, offering
from introductions.blurbs import forwardable
from introductions.models import SIDES, Introduction, Stage
from netcrm.wording import one_line

EXAMPLE = "Start typing a name"
HUNDRED_YEARS = timedelta(days=36_500)
NOBODY = "Nobody of that name is in your notebook yet. Add them under People first."
SAME = "Choose two different people."
WHICH, YES_OR_NO = "Choose one of the two people.", "Choose yes or no."
WILL_ASK, ASKED, AGREED = "draft", "asked", "promised"


class PersonField(forms.CharField):
    """Somebody of the notebook, typed by name. `preset` is the one that the page was opened for:
    as long as the name is not changed, that one is meant, whoever else has it too."""

    preset = None

    def __init__(self, **kwargs):
        kwargs = {"max_length": 400} | kwargs
        super().__init__(**kwargs)
        self.widget.attrs |= {"autocomplete": "off", "placeholder": EXAMPLE}

    def prepare_value(self, value):
        return value.name if isinstance(value, Contact) else value

    def find(self, owner, typed):
        """Return the contact that was typed. Raises ValidationError with a sentence."""
        if self.preset and plain(typed) == plain(self.preset.name):
            return self.preset
        try:
            return find_person(owner, typed)
        except forms.ValidationError as error:
            raise forms.ValidationError(NOBODY) if error.code == "nobody" else error from error


class PastDayField(forms.DateField):
    """A local date that is not still to come; today if it is left empty."""

    widget = DayInput
    default_error_messages = {"invalid": "Write a date."}

    def __init__(self, **kwargs):
        super().__init__(**({"required": False} | kwargs))
        self.today = None

    def clean(self, value):
        on = super().clean(value) or self.today
        if on and on > self.today:
            raise forms.ValidationError("That day has not come yet.")
        if on and on < self.today - HUNDRED_YEARS:
            raise forms.ValidationError("That is more than a hundred years ago.")
        return on


class OwnedForm(Draft, forms.Form):
    """A form of one person's notebook; `people` are those the page was opened for, by field.
    `key` tells two submissions of one form from two introductions."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, owner, data=None, people=None, initial=None, is_draft=False):
        self.owner, self.is_draft = owner, is_draft
        people = {name: person for name, person in (people or {}).items() if person}
        super().__init__(data, initial={"key": uuid.uuid4()} | people | (initial or {}))
        for name, field in self.fields.items():
            if isinstance(field, PersonField):
                field.preset = people.get(name)
                field.widget.attrs["list"] = f"people-{name}"
            elif isinstance(field, PastDayField):
                field.today = owner.today()
                field.widget.attrs["max"] = field.today.isoformat()

    def clean_key(self):
        return self.cleaned_data["key"] or uuid.uuid4()

    def found(self, name):
        """Return who was typed into a field, as somebody who knows their owner's day."""
        person = self.fields[name].find(self.owner, self.cleaned_data[name])
        person.owner = self.owner
        return person


class WordsForm(OwnedForm):
    """What an introduction is about, in words."""

    wanted = PersonField(
        label="Whom would you like to meet?",
        max_length=200,
        help_text="A name, or only words: somebody in grid planning at Aster.",
        error_messages={"required": "Write a name, or a few words about whom you look for."},
    )
    why = forms.CharField(
        label="Why this person",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
    )
    ask = forms.CharField(label="What you would like to ask", required=False, max_length=300)
    blurb = forms.CharField(
        label="Lines to forward",
        required=False,
        max_length=5000,
        widget=forms.Textarea({"rows": 5}),
        help_text="Who you are, why this person, what you ask, and an easy no. Left empty, they"
        " are drafted for you.",
    )

    def clean_wanted(self):
        """Find out who is meant; several of that name are a question, nobody means only words."""
        wanted = one_line(self.cleaned_data["wanted"])
        if not wanted:
            raise forms.ValidationError(self.fields["wanted"].error_messages["required"])
        self.target = self._known(wanted)
        return self.target.name if self.target else wanted

    def _known(self, wanted):
        preset = self.fields["wanted"].preset
        if preset and plain(wanted) == plain(preset.name):
            return preset
        try:
            return find_person(self.owner, wanted)
        except forms.ValidationError as error:
            if error.code == "nobody":
                return None
            raise

    def clean_ask(self):
        return one_line(self.cleaned_data["ask"])

    def must_differ(self, introducer):
        if introducer and introducer == getattr(self, "target", None):
            self.add_error("wanted", SAME)

    def draft_the_lines(self):
        """Fill in the lines to forward as they follow from what was typed so far."""
        words = {name: self.data.get(name, "") for name in ("wanted", "why", "ask")}
        self.data = self.data.copy()
        self.data["blurb"] = forwardable(Introduction(**words), self.owner)


class IntroductionForm(WordsForm):
    """Ask somebody for an introduction."""

    introducer = PersonField(
        label="Who could introduce you?",
        error_messages={"required": "Write the name of somebody in your notebook."},
    )
    how = forms.ChoiceField(
        label="How far is it?",
        choices=[
            (WILL_ASK, "I will write to them"),
            (ASKED, "I have asked"),
            (AGREED, "They have promised it"),
        ],
        initial=WILL_ASK,
        widget=forms.RadioSelect,
        required=False,
    )
    on = PastDayField(label="Asked on", help_text="Left empty: today.")
    until = forms.DateField(
        label="Promised by",
        required=False,
        widget=DayInput(),
        help_text="If they named a day.",
        error_messages={"invalid": "Write a date."},
    )
    field_order = ["introducer", "wanted", "why", "ask", "how", "on", "until", "blurb"]

    def clean_introducer(self):
        return self.found("introducer")

    def clean(self):
        cleaned = super().clean()
        self.must_differ(cleaned.get("introducer"))
        return cleaned

    def save(self):
        """Return the introduction that is asked for. Raises CannotDo with a sentence."""
        said = self.cleaned_data
        agreed = said["how"] == AGREED
        return asking.ask(
            said["introducer"],
            said["wanted"],
            said["on"],
            target=self.target,
            why=said["why"],
            ask=said["ask"],
            blurb=said["blurb"],
            spoken=said["how"] == ASKED,
            agreed=agreed,
            until=said["until"] if agreed else None,
            key=said["key"],
        )


class IntroductionEditForm(WordsForm):
    """The words and the dates of an introduction; its stage is moved by the verbs."""

    asked_on = PastDayField(label="Asked on")
    promised_on = PastDayField(label="Promised on")
    made_on = PastDayField(label="Made on")
    thanked_on = PastDayField(label="Thanked on")
    WORDS = ("wanted", "why", "ask")
    DATES = ("asked_on", "promised_on", "made_on", "thanked_on")

    def __init__(self, introduction, data=None, is_draft=False):
        self.introduction = introduction
        blurb = carrying.words_of(introduction, introduction.follow_up).get("blurb", "")
        initial = {name: getattr(introduction, name) for name in (*self.WORDS, *self.DATES)}
        people = {"wanted": introduction.target}
        known = initial | {"blurb": blurb}
        super().__init__(introduction.owner, data, people, known, is_draft)
        for name in self.DATES:
            if initial[name] is None:
                del self.fields[name]
            else:
                self.fields[name].required = True
                self.fields[name].error_messages["required"] = "Write a date."
        if introduction.stage != Stage.ASKED:
            del self.fields["blurb"]
        if introduction.target and not introduction.is_unmade:
            # Who it was is known by now; their name is changed on their own page.
            del self.fields["wanted"]

    def clean(self):
        cleaned = super().clean()
        self.must_differ(self.introduction.introducer)
        days = [(name, cleaned[name]) for name in self.DATES if cleaned.get(name)]
        for (_, before), (name, day) in pairwise(days):
            if day < before:
                self.add_error(name, "That is before the step before it. Look at both dates.")
        return cleaned

    @transaction.atomic
    def save(self):
        """Save the words and dates, and return the introduction; the drafts of its follow-up say
        the new words."""
        row, said = self.introduction, self.cleaned_data
        fields = [name for name in (*self.WORDS, *self.DATES) if name in self.fields]
        vars(row).update({name: said[name] for name in fields})
        if "wanted" in fields:
            row.target = self.target
            fields.append("target")
        row.save(update_fields=fields)
        if "blurb" in self.fields:
            words = {"wanted": row.wanted, "blurb": said["blurb"] or forwardable(row, self.owner)}
            asking.reword(row, words)
        return row


class PromisedForm(forms.Form):
    """By when it was promised, if they named a day."""

    until = forms.DateField(
        label="By when, if they said",
        required=False,
        widget=DayInput(),
        error_messages={"invalid": "Write a date."},
    )
    key = forms.UUIDField(required=False)


def looks_like_a_name(words):
    """Tell whether the words for somebody are a name rather than "somebody in grid planning"."""
    return len(words.split()) <= 4 and all(word[:1].isupper() for word in words.split())


class MadeForm(OwnedForm):
    """Whom one was introduced to: somebody known, or somebody new with an address and a place."""

    person = PersonField(
        label="To whom?",
        max_length=200,
        help_text="A name. Somebody new becomes a contact.",
        error_messages={"required": "Write a name. Everything else can wait."},
    )
    email = forms.EmailField(
        label="Their e-mail address",
        required=False,
        error_messages={
            "invalid": "Write the whole address, such as name@example.org, or clear this line."
        },
    )
    organisation_name = forms.CharField(
        label="Organisation",
        max_length=200,
        required=False,
        widget=forms.TextInput({"list": "organisations", "autocomplete": "off"}),
    )
    on = PastDayField(label="When", help_text="Left empty: today.")
    note = forms.CharField(
        label="What was written",
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 3}),
        help_text="A line of the introducing mail, for later.",
    )
    field_order = ["person", "email", "organisation_name", "on", "note"]

    def __init__(self, introduction, data=None):
        self.introduction = introduction
        name = introduction.wanted if looks_like_a_name(introduction.wanted) else ""
        people = {"person": introduction.target}
        initial = None if introduction.target else {"person": name}
        super().__init__(introduction.owner, data, people, initial)

    def clean_person(self):
        """Find who is meant; a name that nobody has is somebody new."""
        name = one_line(self.cleaned_data["person"])
        if not name:
            raise forms.ValidationError(self.fields["person"].error_messages["required"])
        try:
            self.known = self.fields["person"].find(self.owner, name)
        except forms.ValidationError as error:
            if error.message != NOBODY:
                raise
            self.known = None
        if self.known == self.introduction.introducer:
            raise forms.ValidationError(SAME)
        return name

    def clean_organisation_name(self):
        return one_line(self.cleaned_data["organisation_name"])

    @transaction.atomic
    def save(self):
        """Return the Action of the introduction that was made. Raises CannotDo with a sentence."""
        said = self.cleaned_data
        target = self.known or self._new_person()
        target.owner = self.owner
        if said["email"] and not target.emails.filter(address__iexact=said["email"]).exists():
            ContactEmail.objects.create(owner=self.owner, contact=target, address=said["email"])
        return asking.made(
            self.introduction, target, said["on"], note=said["note"], key=said["key"]
        )

    def _new_person(self):
        """Return who was added for this form: once, however often it is sent."""
        name = self.cleaned_data["organisation_name"]
        found = Organisation.find_or_create(self.owner, [name] if name else [])
        contact, _ = Contact.objects.get_or_create(
            owner=self.owner,
            key=self.cleaned_data["key"],
            defaults={
                "name": self.cleaned_data["person"],
                "organisation": found.get(plain(name)),
            },
        )
        return contact


class OfferWordsForm(OwnedForm):
    why = forms.CharField(
        label="Why should they know each other?",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        help_text="One sentence that both may read.",
    )


class OfferForm(OfferWordsForm):
    """Two of my contacts who should know each other."""

    one = PersonField(
        label="Who", error_messages={"required": "Write the name of somebody in your notebook."}
    )
    other = PersonField(
        label="and who else",
        error_messages={"required": "Write the name of somebody in your notebook."},
    )
    field_order = ["one", "other", "why"]

    def clean_one(self):
        return self.found("one")

    def clean_other(self):
        return self.found("other")

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("one") and cleaned["one"] == cleaned.get("other"):
            self.add_error("other", SAME)
        return cleaned

    def save(self):
        said = self.cleaned_data
        return offering.offer(said["one"], said["other"], said["why"], said["key"])


class OfferEditForm(OfferWordsForm):
    def __init__(self, offer, data=None):
        self.offer = offer
        super().__init__(offer.owner, data, initial={"why": offer.why})

    def save(self):
        offering.reword(self.offer, self.cleaned_data["why"])
        return self.offer


class SideForm(forms.Form):
    """Which of the two; `spoken`: they were asked already."""

    side = forms.ChoiceField(
        choices=[(side, side) for side in SIDES],
        error_messages={"required": WHICH, "invalid_choice": WHICH},
    )
    spoken = forms.BooleanField(required=False)
    key = forms.UUIDField(required=False)


class AnswerForm(SideForm):
    """Which of the two, and what they said."""

    answer = forms.ChoiceField(
        choices=[("yes", "Yes"), ("no", "No")],
        error_messages={"required": YES_OR_NO, "invalid_choice": YES_OR_NO},
    )
