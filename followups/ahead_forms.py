"""What the screens of the backlog, of breaks and of what comes are told."""

import re
from datetime import timedelta

from django import forms

from followups.forms import DayInput
from followups.models import Break
from followups.planning import CannotDo
from followups.spreading import CHOICES

CHOSEN = re.compile(r"for-([0-9]{1,18})")
A_WEEK = timedelta(days=6)


class SettleForm(forms.Form):
    """What to do with each person who waits: one of CHOICES in a field `for-<follow-up id>`.

    The fields are not named beforehand: whoever was answered since the page was opened is no
    error, and the engine looks whose follow-up it is.
    """

    def clean(self):
        choices = {}
        for name, value in self.data.items():
            if found := CHOSEN.fullmatch(name):
                if value not in CHOICES:
                    raise forms.ValidationError("Choose one of the four for each person.")
                choices[int(found[1])] = value
        return {"choices": choices}


class BreakForm(forms.Form):
    """A quiet day is today, a hard week today and the six days after it, time off two dates."""

    kind = forms.ChoiceField(
        choices=Break.Kind,
        error_messages={
            "required": "Choose a quiet day, a hard week, or days off.",
            "invalid_choice": "Choose a quiet day, a hard week, or days off.",
        },
    )
    first_on = forms.DateField(
        label="First day",
        widget=DayInput(),
        error_messages={"required": "Write the first day off."},
    )
    last_on = forms.DateField(
        label="Last day", widget=DayInput(), error_messages={"required": "Write the last day off."}
    )

    def __init__(self, today, *args, **kwargs):
        self.today = today
        super().__init__(*args, **kwargs)
        self.last_on = {Break.Kind.QUIET_DAY: today, Break.Kind.HARD_WEEK: today + A_WEEK}
        for name in ("first_on", "last_on"):
            self.fields[name].widget.attrs["min"] = today.isoformat()
            self.fields[name].required = self.data.get("kind") not in self.last_on

    def clean(self):
        cleaned = super().clean()
        if last_on := self.last_on.get(cleaned.get("kind")):
            return cleaned | {"first_on": self.today, "last_on": last_on}
        return cleaned


class MoveForm(forms.Form):
    """A day earlier or a day later, in work days."""

    days = forms.TypedChoiceField(
        choices=[(-1, "A day earlier"), (1, "A day later")],
        coerce=int,
        error_messages={
            "required": "Choose a day earlier, or a day later.",
            "invalid_choice": "Choose a day earlier, or a day later.",
        },
    )

    def by(self):
        """Return by how many work days to move. Raises CannotDo with a sentence."""
        if not self.is_valid():
            raise CannotDo(self.errors["days"][0])
        return self.cleaned_data["days"]
