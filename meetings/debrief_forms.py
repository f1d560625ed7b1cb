"""The debrief as it is typed: two minutes on a phone, and nothing but the first tap is needed."""

from dataclasses import replace
from datetime import timedelta

from django import forms
from django.http import QueryDict

from contacts.forms.people import DayInput, Draft, one_line_more
from contacts.models import RHYTHMS
from meetings.debriefing import Line, Said
from meetings.models import Advice, Debrief
from netcrm.wording import one_line

MOST_LINES = 12
LONGEST_TEXT = 5000
TEN_YEARS = timedelta(days=3650)
FEELINGS = [(1, "Uneasy"), (2, "Shy"), (3, "Fine"), (4, "Warm"), (5, "At ease")]
OFFERED, WILL_ASK = "offered", "ask"
AGAIN, HELLO, NOTHING = "again", "hello", ""
CLEAR = "Add a few words, or clear this line."
NOT_THIS_TIME = Debrief.Went.NOT_THIS_TIME


class LineForm(Draft, forms.Form):
    """One line; with several people it says whom it is about."""

    def __init__(self, *args, people, today, is_draft=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.people, self.today, self.is_draft = people, today, is_draft
        if len(people) > 1:
            whose = [(person.pk, person.given_name) for person in people]
            self.fields["whose"] = forms.TypedChoiceField(
                label="whose", choices=whose, initial=people[0].pk, coerce=int, required=False
            )

    def has_changed(self):
        # Choosing alone says nothing yet.
        return bool({"what", "why", "by"} & set(self.changed_data))

    def clean_what(self):
        what = one_line(self.cleaned_data["what"])
        if not what:
            raise forms.ValidationError(CLEAR)
        return what

    def clean_by(self):
        by = self.cleaned_data["by"]
        if by and not self.today <= by <= self.today + TEN_YEARS:
            raise forms.ValidationError("Choose today or a later day, within ten years.")
        return by

    def line(self):
        """Return the debriefing.Line that a valid form describes."""
        typed = self.cleaned_data
        person = next(
            (each for each in self.people if each.pk == typed.get("whose")), self.people[0]
        )
        return Line(
            person,
            typed["what"],
            one_line(typed.get("why", "")),
            typed.get("by"),
            typed.get("how") == OFFERED,
        )


def _what(label, placeholder, max_length=300):
    typed = forms.TextInput(attrs={"placeholder": placeholder, "autocomplete": "off"})
    return forms.CharField(
        label=label,
        max_length=max_length,
        widget=typed,
        error_messages={
            "required": CLEAR,
            "max_length": f"Keep this to {max_length} letters.",
        },
    )


def _by():
    return forms.DateField(
        label="by when",
        required=False,
        widget=DayInput(),
        error_messages={"invalid": "Write the day as a date, or leave it empty."},
    )


class AdviceForm(LineForm):
    what = _what("advice", "Talk to somebody who left the field")


class OtherForm(LineForm):
    what = _what("who", "Noor Saleh", 200)
    why = forms.CharField(
        label="why",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Data stories", "autocomplete": "off"}),
    )
    how = forms.ChoiceField(
        label="how",
        choices=[(OFFERED, "They offered"), (WILL_ASK, "I will ask")],
        initial=OFFERED,
    )


class MineForm(LineForm):
    what = _what("what", "Send the article about consent")
    by = _by()


class TheirsForm(LineForm):
    what = _what("what", "Send the job description")
    by = _by()


def _lines(form):
    return forms.formset_factory(
        form,
        extra=1,
        max_num=MOST_LINES,
        absolute_max=MOST_LINES,
        validate_max=True,
    )


LINES = {
    "advice": _lines(AdviceForm),
    "others": _lines(OtherForm),
    "mine": _lines(MineForm),
    "theirs": _lines(TheirsForm),
}


def _cups(label):
    return forms.TypedChoiceField(
        label=label,
        choices=FEELINGS,
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )


def _text(label, rows, **attrs):
    return forms.CharField(
        label=label,
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": rows} | attrs),
    )


class WordsForm(Draft, forms.Form):
    """What one remembers of a meeting: the part of a debrief that may change later."""

    went = forms.ChoiceField(
        label="How did it go?",
        choices=Debrief.Went,
        widget=forms.RadioSelect,
        error_messages={"required": "How did it go? One tap is enough."},
    )
    before = _cups("How comfortable were you before?")
    after = _cups("And after?")
    takeaways = _text("Takeaways, one a line", 4, **{"class": "ruled"})
    ideas = _text("New options or ideas", 2)
    lesson = forms.CharField(
        label="One lesson for your notebook",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": "One lesson is enough: 300 letters at most."},
    )
    asked = forms.TypedMultipleChoiceField(
        label="What you hoped to ask",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple(attrs={"form": "debrief-form"}),
    )

    def __init__(self, meeting, data=None, *, is_draft=False, initial=None):
        self.meeting, self.is_draft = meeting, is_draft
        self.people = meeting.people
        questions = list(meeting.questions.all())
        asked = [each.pk for each in questions if each.asked]
        super().__init__(data, initial={"asked": asked} | (initial or {}))
        self.fields["asked"].choices = [(each.pk, each.text) for each in questions]

    def clean_lesson(self):
        return one_line(self.cleaned_data["lesson"])

    def said(self):
        """Return debriefing.Said of whatever is valid so far."""
        typed = self.cleaned_data
        words = ("went", "before", "after", "takeaways", "ideas", "lesson")
        known = {name: typed[name] for name in words if name in typed}
        return Said(**known, asked=frozenset(typed.get("asked", ())))


class DebriefForm(WordsForm):
    """The whole debrief, before it is saved: the words, the lines, and what is next.

    `add` is the kind of line to show one more of. A draft is shown as typed, unjudged.
    """

    thanks = forms.BooleanField(label="Thank-you today", required=False, initial=True)
    # Asked instead of the one above when it was not helpful.
    thanks_anyway = forms.BooleanField(label="Thank them all the same", required=False)
    next = forms.ChoiceField(
        label="Then",
        required=False,
        choices=[(NOTHING, "Nothing for now"), (AGAIN, "Meet again"), (HELLO, "Say hello later")],
        widget=forms.RadioSelect,
    )
    weeks = forms.IntegerField(
        label="In how many weeks?",
        required=False,
        min_value=1,
        max_value=104,
        initial=6,
        error_messages=dict.fromkeys(
            ["invalid", "min_value", "max_value"], "Write a number of weeks from 1 to 104."
        ),
    )
    rhythm = forms.TypedChoiceField(
        label="How often?",
        choices=RHYTHMS,
        coerce=int,
        empty_value=None,
        required=False,
        initial=42,
    )

    def __init__(self, meeting, data=None, *, is_draft=False, add=""):
        self.typed = data
        is_draft = is_draft or add in LINES
        if data is not None and add in LINES:
            data = one_line_more(data, add, MOST_LINES)
        super().__init__(meeting, data, is_draft=is_draft)
        about = {
            "people": self.people,
            "today": meeting.owner.today(),
            "is_draft": is_draft,
        }
        self.lines = {
            name: formset(data, prefix=name, form_kwargs=about) for name, formset in LINES.items()
        }

    def is_valid(self):
        # All of them, so that one look at the page shows every error.
        return all([super().is_valid(), *(lines.is_valid() for lines in self.lines.values())])

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("next") == AGAIN and cleaned.get("weeks", 0) is None:
            self.add_error("weeks", "Write in how many weeks, such as 6.")
        return cleaned

    def said(self):
        typed, said = self.cleaned_data, super().said()
        thanks = "thanks_anyway" if said.went == NOT_THIS_TIME else "thanks"
        chosen = typed.get("next")
        return replace(
            said,
            **{name: list(_valid(lines)) for name, lines in self.lines.items()},
            thanks=typed.get(thanks, False),
            again=typed.get("weeks") if chosen == AGAIN else None,
            rhythm=typed.get("rhythm") if chosen == HELLO else None,
        )

    @property
    def foretold(self):
        """Return debriefing.Said of what stands in the form now, draft or not, as far as valid."""
        if not self.is_bound:
            return Said(thanks=self.fields["thanks"].initial)
        judged = DebriefForm(self.meeting, self.data)
        judged.is_valid()
        return judged.said()

    def as_typed(self):
        """Return {field: values}, from which opened() makes this form again."""
        return {
            name: [value.replace("\0", "") for value in self.data.getlist(name)]
            for name in self.data
            if name in self.fields or name.partition("-")[0] in LINES
        }


def opened(meeting, typed):
    """Return the form of a debrief that is not saved yet, as it was left."""
    if not typed:
        return DebriefForm(meeting)
    data = QueryDict(mutable=True)
    for name, values in typed.items():
        data.setlist(name, values)
    return DebriefForm(meeting, data, is_draft=True)


def _valid(lines):
    """Give the debriefing.Line of each line that holds something valid."""
    for form in lines.forms:
        if form.has_changed() and form.is_valid():
            yield form.line()


class LessonForm(forms.Form):
    """The ten-second debrief of a meeting that did not help: one lesson, or none."""

    lesson = forms.CharField(
        required=False,
        max_length=300,
        error_messages={"max_length": "One lesson is enough: 300 letters at most."},
    )

    def said(self):
        return Said(went=NOT_THIS_TIME, lesson=one_line(self.cleaned_data["lesson"]))


class AdviceEditForm(forms.ModelForm):
    """Advice in one's own words, and what became of it."""

    class Meta:
        model = Advice
        fields = ["text", "what_i_did"]
        labels = {"text": "The advice"}
        widgets = {
            "text": forms.TextInput(attrs={"autocomplete": "off"}),
            "what_i_did": forms.Textarea(attrs={"rows": 4}),
        }
        error_messages = {"text": {"required": "Write what the advice was."}}

    def clean_text(self):
        text = one_line(self.cleaned_data["text"])
        if not text:
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        return text
