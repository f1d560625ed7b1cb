"""The playbook editor's form: a playbook, its steps one below the other, and a day to begin."""

import itertools
from dataclasses import asdict, fields
from datetime import timedelta
from textwrap import shorten
from uuid import uuid4

from django import forms
from django.utils.functional import cached_property
from django.utils.text import slugify

from contacts.forms.people import Draft
from followups import schedule
from followups.calendars import calendar_for
from followups.drafts import PLACEHOLDERS
from followups.forms import DayInput
from followups.models import Playbook, PlaybookPreset
from followups.presets import COPIED
from netcrm.wording import one_line

NAME_LENGTH = Playbook._meta.get_field("name").max_length
MOST_STEPS = 30
# More than may be saved: whoever has too many sees them all and chooses what goes.
MOST_SHOWN = 100
HINTS = {
    schedule.CALL: "Call.",
    schedule.EMAIL: "Write an e-mail.",
    schedule.MESSAGE: "Send a message.",
    schedule.DECIDE: "Try another way in, let it rest, or let go.",
}
ANOTHER_STEP = {"wait": "3", "unit": schedule.BUSINESS_DAYS, "channel": schedule.CALL}


class StepForm(Draft, forms.Form):
    """One step: how long to wait, then what to do."""

    wait = forms.IntegerField(
        label="Wait",
        min_value=0,
        max_value=schedule.LONGEST_WAIT,
        error_messages={
            "required": "Write how long to wait, as a number, such as 3.",
            "invalid": "Write a whole number, such as 3.",
            "min_value": "Nobody can wait less than 0 days.",
            "max_value": f"Wait {schedule.LONGEST_WAIT} at most, or choose a longer unit.",
        },
    )
    unit = forms.ChoiceField(
        label="Counted in",
        choices=[
            (schedule.BUSINESS_DAYS, "business days"),
            (schedule.CALENDAR_DAYS, "calendar days"),
            (schedule.MONTHS, "months"),
        ],
        error_messages={"required": "Choose days or months."},
    )
    channel = forms.ChoiceField(
        label="Then",
        choices=[
            (schedule.CALL, "Call"),
            (schedule.EMAIL, "Write an e-mail"),
            (schedule.MESSAGE, "Send a message"),
            (schedule.DECIDE, "Ask me to decide what now"),
        ],
        error_messages={"required": "Choose what to do."},
    )
    hint = forms.CharField(label="Hint to yourself", max_length=200, required=False)
    subject = forms.CharField(label="Subject", max_length=200, required=False)
    template = forms.CharField(
        label="Words to start from",
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    colleague = forms.BooleanField(
        label="Not to them: to the next person at that organisation", required=False
    )
    repeat = forms.BooleanField(label="Come back to this step again and again", required=False)

    def __init__(self, *args, is_draft=False, **kwargs):
        # A form set lets added forms be empty; a step never is.
        super().__init__(*args, **{**kwargs, "empty_permitted": False})
        self.is_draft = is_draft
        for name in ("hint", "subject"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_hint(self):
        return one_line(self.cleaned_data["hint"])

    def clean_subject(self):
        return one_line(self.cleaned_data["subject"])

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("channel") == schedule.DECIDE:
            # A question is put to oneself, and it waits for its answer.
            cleaned |= {"colleague": False, "repeat": False}
        if "channel" in cleaned:
            cleaned["hint"] = cleaned.get("hint") or HINTS[cleaned["channel"]]
        return cleaned

    @property
    def summary(self):
        """Return in words what is folded away."""
        draft = self["subject"].value() or self["template"].value()
        said = (
            f"Draft: {shorten(draft, 60, placeholder=' …')}" if draft else "Add a draft, and more"
        )
        if self["colleague"].value():
            said += ", to the next person there"
        return said + (", again and again" if self["repeat"].value() else "")

    @property
    def is_folded(self):
        return not {"subject", "template"} & set(self.errors)

    @property
    def closes(self):
        return self.cleaned_data["channel"] == schedule.DECIDE or self.cleaned_data["repeat"]


class BaseStepFormSet(forms.BaseFormSet):
    default_error_messages = {
        "too_many_forms": f"A playbook has at most {MOST_STEPS} steps. Take some away.",
    }

    @property
    def steps(self):
        """Return the steps as schedule.Step, or [] while one of them has errors."""
        if not self.is_valid():
            return []
        return [schedule.Step(**form.cleaned_data) for form in self.forms]

    @property
    def trouble(self):
        """Return the first thing that is wrong, with the number of its step, or nothing."""
        if self.is_valid():
            return ""
        said = [
            f"Step {number}: {sentence}"
            for number, errors in enumerate(self.errors, start=1)
            for sentence in itertools.chain(*errors.values())
        ]
        return (said + list(self.non_form_errors()))[0]

    def clean(self):
        """Say what the rule of every playbook finds wrong next to the step that causes it."""
        if any(self.errors):
            return
        try:
            schedule.read_steps([form.cleaned_data for form in self.forms])
        except ValueError as error:
            closing_early = [form for form in self.forms[:-1] if form.closes]
            culprits = closing_early or self.forms[-1:]
            if not culprits:
                raise forms.ValidationError(str(error)) from error
            culprits[0].add_error(None, str(error))


StepFormSet = forms.formset_factory(
    StepForm,
    formset=BaseStepFormSet,
    extra=0,
    max_num=MOST_STEPS,
    absolute_max=MOST_SHOWN,
    validate_max=True,
)


class StartForm(forms.Form):
    """The local day for which the dates are shown; without one it is today."""

    start = forms.DateField(
        label="If it begins on",
        required=False,
        widget=DayInput(),
        error_messages={"invalid": "Choose the day on which it begins."},
    )

    def __init__(self, today, *args, **kwargs):
        self.today = today
        super().__init__(*args, initial={"start": today}, **kwargs)

    def clean_start(self):
        start = self.cleaned_data["start"] or self.today
        if not self.today <= start <= self.today + timedelta(days=3650):
            raise forms.ValidationError("Choose today or a later day, within ten years.")
        return start


class PlaybookEditForm(Draft, forms.ModelForm):
    """A playbook with its steps. `instance` names the owner.

    The buttons named `change` rearrange what was typed and show it again, unjudged: "add",
    "dates", or "remove", "up" and "down" with the number of a step, such as "up-2".
    """

    placeholders = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    rest_days = forms.IntegerField(
        label="A rest takes, in days",
        min_value=1,
        max_value=3650,
        error_messages={
            "required": "Write after how many days to wake, such as 90.",
            "invalid": "Write a whole number of days, such as 90.",
            "min_value": "A rest takes one day at least.",
            "max_value": "Ten years are 3650 days; that is the longest rest.",
        },
    )

    class Meta:
        model = Playbook
        fields = ["name", "source", "ends_on_answer", "cold", "rest_days"]
        labels = {
            "ends_on_answer": "An answer ends it",
            "cold": "Cold: one person at an organisation at a time",
        }
        help_texts = {
            "source": "Where the idea is from.",
            "ends_on_answer": "Without this it goes on after an answer, as keeping in touch does.",
        }
        error_messages = {"name": {"required": "Give it a name that you will recognise."}}

    def __init__(self, data=None, *, instance):
        self.owner = instance.owner
        self.is_draft, self._moved = False, None
        if data is not None and data.get("change"):
            self.is_draft = True
            data, self._moved = _rearranged(data, data["change"])
        super().__init__(data, instance=instance)
        for name in ("name", "source"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        if instance.pk is None and not self.is_bound:
            self.fields["name"].widget.attrs["autofocus"] = True
        self.start = StartForm(self.owner.today(), data)
        self.step_forms = self._step_forms(is_draft=self.is_draft)

    def _step_forms(self, **form_kwargs):
        if self.is_bound:
            return StepFormSet(self.data, prefix="steps", form_kwargs=form_kwargs)
        initial = [asdict(step) for step in schedule.read_steps(self.instance.steps)]
        return StepFormSet(initial=initial, prefix="steps", form_kwargs=form_kwargs)

    @property
    def focus(self):
        """The number (from 0) of the step to look at, or None: the one that was moved just now,
        or the first that is wrong."""
        if self.is_draft:
            return self._moved
        return next((n for n, errors in enumerate(self.step_forms.errors) if errors), None)

    @cached_property
    def foreseen(self):
        """The days to which the steps lead as they are typed, saved or not, as schedule.Foreseen;
        [] where `trouble` says why there are none."""
        if self.trouble:
            return []
        if self.is_bound:
            steps, start = self._typed.steps, self.start.cleaned_data["start"]
        else:
            steps, start = schedule.read_steps(self.instance.steps), self.start.today
        ends_on_answer = bool(self["ends_on_answer"].value())
        return schedule.preview(steps, start, calendar_for(self.owner), ends_on_answer)

    @cached_property
    def trouble(self):
        """Why no days can be shown, in a sentence, or nothing."""
        if not self.is_bound:
            return ""
        return next(iter(self.start.errors.get("start", [])), "") or self._typed.trouble

    @cached_property
    def _typed(self):
        # Of a draft too, which does not judge itself.
        return self._step_forms() if self.is_draft else self.step_forms

    def is_valid(self):
        # Both, so that one look at the page shows every error.
        return all([self.step_forms.is_valid(), super().is_valid()])

    def clean_name(self):
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        return name

    def clean_source(self):
        return one_line(self.cleaned_data["source"])

    def clean(self):
        # The model's own rules look at the steps after this.
        self.instance.steps = [written(step) for step in self.step_forms.steps]
        return super().clean()

    def save(self):
        """Save and return the playbook; what is under way keeps the steps it began with."""
        playbook = self.instance
        if playbook.pk is None:
            playbook.slug = fresh_slug(playbook.name)
            playbook.save(force_insert=True)
        else:
            playbook.save(update_fields=[*self._meta.fields, "steps"])
        return playbook


def written(step):
    """Return a step as it is stored: without what goes without saying."""
    values = ((each.name, getattr(step, each.name), each.default) for each in fields(step))
    return {name: value for name, value, default in values if value != default}


def fresh_slug(name):
    """Return a slug that no other playbook has."""
    return f"{slugify(name)[:40] or 'playbook'}-{uuid4().hex[:8]}"


def copied(rule, owner, name):
    """Save and return a playbook that says the same as another one, or as a preset."""
    values = {each: getattr(rule, each) for each in COPIED}
    values |= {"name": name[:NAME_LENGTH], "slug": fresh_slug(name)}
    return Playbook.objects.create(owner=owner, **values)


def missing_presets(playbooks):
    """Return the presets that are not among these playbooks: deleted, or changed since."""
    slugs = {playbook.slug for playbook in playbooks}
    rules = [_rule(playbook) for playbook in playbooks]
    return [
        preset
        for preset in PlaybookPreset.objects.all()
        if preset.slug not in slugs or _rule(preset) not in rules
    ]


def _rule(playbook):
    steps = schedule.read_steps(playbook.steps)
    return steps, playbook.ends_on_answer, playbook.cold, playbook.rest_days


class BringBackForm(forms.Form):
    """The preset that is to be among one's playbooks again."""

    preset = forms.ChoiceField()

    def __init__(self, owner, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.owner = owner
        missing = missing_presets(Playbook.objects.for_user(owner))
        self.missing = {preset.slug: preset for preset in missing}
        self.fields["preset"].choices = [(slug, slug) for slug in self.missing]

    def save(self):
        """Return the playbook: under its old slug, so that first tries begin with it again, or
        beside the one that the person has changed."""
        preset = self.missing[self.cleaned_data["preset"]]
        values = {each: getattr(preset, each) for each in COPIED}
        playbook, created = Playbook.objects.get_or_create(
            owner=self.owner, slug=preset.slug, defaults=values
        )
        return playbook if created else copied(preset, self.owner, f"{preset.name}, as built in")


def _rearranged(data, change):
    """Return the data with its steps added to, moved or taken away, and the number (from
    0) of the step that the person is then looking at."""
    rows = _rows(data)
    verb, _, number = change.partition("-")
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else -1
    focus = None
    if verb == "add" and len(rows) < MOST_STEPS:
        # Before the question at the end, so that it stays at the end.
        at = len(rows) - 1 if rows and _closes(rows[-1]) else len(rows)
        rows.insert(at, ANOTHER_STEP)
        focus = at
    elif verb == "remove" and 0 <= at < len(rows):
        del rows[at]
        focus = min(at, len(rows) - 1)
    elif verb == "up" and 0 < at < len(rows):
        rows.insert(at - 1, rows.pop(at))
        focus = at - 1
    elif verb == "down" and 0 <= at < len(rows) - 1:
        rows.insert(at + 1, rows.pop(at))
        focus = at + 1
    return _with_rows(data, rows), focus


def _rows(data):
    count = data.get("steps-TOTAL_FORMS", "")
    count = int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    prefixes = [f"steps-{number}-" for number in range(min(count, MOST_SHOWN))]
    return [
        {name: data[prefix + name] for name in StepForm.base_fields if prefix + name in data}
        for prefix in prefixes
    ]


def _closes(row):
    return row.get("channel") == schedule.DECIDE or "repeat" in row


def _with_rows(data, rows):
    kept = {name: value for name, value in data.items() if not name.startswith("steps-")}
    kept |= {"steps-TOTAL_FORMS": str(len(rows)), "steps-INITIAL_FORMS": str(len(rows))}
    for number, row in enumerate(rows):
        kept |= {f"steps-{number}-{name}": value for name, value in row.items()}
    return kept
