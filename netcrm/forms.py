import re

import holidays
from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from holidays.registry import COUNTRIES

from netcrm.localtime import time_zones
from netcrm.models import DIGEST_SECTIONS, WEEKDAYS, User


class SignupForm(AllauthSignupForm):
    """Sign-up: address and password, maybe a name; the browser tells the time zone."""

    name = forms.CharField(
        label="Your first name",
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    time_zone = forms.CharField(
        required=False, widget=forms.HiddenInput(attrs={"data-browser-zone": ""})
    )

    field_order = ["name", "email", "password1"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"

    def clean_time_zone(self):
        zone = self.cleaned_data["time_zone"]
        return zone if zone in time_zones() else "UTC"


def _zones():
    names = sorted(zone for zone in time_zones() if "/" in zone)
    return [("UTC", "UTC")] + [(name, name.replace("_", " ")) for name in names]


def _countries():
    # The library's class names are the English names run together: UnitedKingdom.
    names = [(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", row[0]), row[1]) for row in COUNTRIES.values()]
    return [("", "No public holidays")] + [(code, name) for name, code in sorted(names)]


class SettingsForm(forms.ModelForm):
    """How the user's days run."""

    time_zone = forms.ChoiceField(choices=_zones)
    country = forms.ChoiceField(label="Public holidays of", choices=_countries, required=False)
    work_days = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    digest_days = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    digest_hour = forms.TypedChoiceField(
        choices=[(hour, f"{hour}:00") for hour in range(24)], coerce=int
    )
    digest_sections = forms.MultipleChoiceField(
        label="Beside what is due, tell me",
        choices=DIGEST_SECTIONS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="People whose turn it is are in every digest.",
    )

    class Meta:
        model = User
        fields = [
            "name",
            "time_zone",
            "country",
            "region",
            "work_days",
            "daily_cap",
            "digest_on",
            "digest_hour",
            "digest_days",
            "digest_cap",
            "digest_sections",
            "shortcuts",
        ]
        widgets = {
            "daily_cap": forms.NumberInput(attrs={"min": 1, "max": 50}),
            "digest_cap": forms.NumberInput(attrs={"min": 1, "max": 30}),
        }
        help_texts = {
            "daily_cap": "New dates beyond so many people move to a lighter day, and say so. "
            "A date that you chose or promised stays.",
            "digest_cap": "More than these are one link to Today.",
        }

    def clean(self):
        cleaned = super().clean()
        country, region = cleaned.get("country"), cleaned.get("region")
        if region:
            known = holidays.list_supported_countries(include_aliases=True).get(country, [])
            if region not in known:
                listed = ", ".join(known) or "none"
                self.add_error("region", f"The regions known for that country are: {listed}.")
        return cleaned
