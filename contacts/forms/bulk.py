"""Forms for the people who were ticked in the list: whom it is for, and what is to be done."""

import uuid

from django import forms
from django.utils.functional import cached_property

from contacts import bulk
from contacts.forms.people import RhythmField, TagForm
from contacts.models import ALPHABETICAL, Contact, Tag

LONGEST_ID = 18
CSV, VCARD, MERGE = "csv", "vcard", "merge"
EXPORTS = (CSV, VCARD)


class Told(forms.Form):
    """What one verb of contacts.bulk has to be told: nothing, unless it has fields."""

    use_required_attribute = False

    def __init__(self, owner, data=None):
        super().__init__(data)

    def asked(self):
        return {}


class TagTold(TagForm):
    def __init__(self, owner, data=None):
        super().__init__(data)

    def asked(self):
        return {"tags": [self.cleaned_data["name"]]}


class UntagTold(Told):
    untag = forms.ModelChoiceField(
        Tag.objects.none(),
        label="Take a tag away",
        empty_label="Which tag?",
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose the tag first."),
    )

    def __init__(self, owner, data=None):
        super().__init__(owner, data)
        self.fields["untag"].queryset = Tag.objects.for_user(owner)

    def asked(self):
        return {"untags": [self.cleaned_data["untag"].pk]}


class RhythmTold(Told):
    rhythm = RhythmField(label="Rhythm")

    def asked(self):
        return {"fields": {"rhythm_days": self.cleaned_data["rhythm"]}}


class BeginTold(Told):
    sentence = "Write a number of people a day, such as 5."

    playbook = forms.TypedChoiceField(
        label="Start a playbook",
        coerce=int,
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose the playbook first."),
    )
    each_day = forms.IntegerField(
        label="People a day",
        min_value=1,
        max_value=50,
        initial=5,
        error_messages=dict.fromkeys(["required", "invalid", "min_value", "max_value"], sentence),
    )

    def __init__(self, owner, data=None):
        super().__init__(owner, data)
        known = [("", "Which playbook?"), *bulk.VERBS["begin"].options(owner)]
        self.fields["playbook"].choices = known

    def asked(self):
        return {name: self.cleaned_data[name] for name in ("playbook", "each_day")}


# What the bar can ask for: (the verb, what it has to be told).
DOES = {
    "tag": ("edit", TagTold),
    "untag": ("edit", UntagTold),
    "rhythm": ("edit", RhythmTold),
    "begin": ("begin", BeginTold),
    "archive": ("archive", Told),
    "restore": ("restore", Told),
    **{name: (name, Told) for name in (MERGE, *EXPORTS)},
}


class BulkForm(forms.Form):
    """The bar below the list: the ticked people, or everyone whom the list shows, and a small form
    for each thing that can be done. Only the one whose button was pressed has to be right."""

    do = forms.ChoiceField(choices=[(name, name) for name in DOES], required=False)
    everyone = forms.BooleanField(required=False)
    key = forms.UUIDField(widget=forms.HiddenInput({"autocomplete": "off"}), required=False)

    def __init__(self, owner, data=None, address=""):
        super().__init__(data, initial={"key": uuid.uuid4()})
        self.owner, self.address = owner, address
        asked_for = data.get("do", "") if data else ""
        # Enter in a field presses the first button.
        self.doing = asked_for if asked_for in DOES else "tag"
        self.verb, _ = DOES[self.doing]
        self.told = {
            name: form(owner, data if data and name == self.doing else None)
            for name, (_, form) in DOES.items()
        }

    @cached_property
    def ticked(self):
        """The ids that were ticked, as numbers: those of nobody are left out later."""
        sent = self.data.getlist("ids") if self.is_bound else []
        return [int(pk) for pk in sent if pk.isascii() and pk.isdigit() and len(pk) <= LONGEST_ID]

    def clean(self):
        told = self.told[self.doing]
        if not told.is_valid():
            for errors in told.errors.values():
                self.add_error(None, errors)
        if not self.ticked and not self.cleaned_data.get("everyone"):
            self.add_error(None, bulk.NOBODY)

    def people(self, in_list):
        """Return whom it is for: `in_list`, everyone whom the list shows, or the ticked ones."""
        if self.cleaned_data["everyone"]:
            return in_list
        return (
            Contact.objects.for_user(self.owner)
            .filter(pk__in=self.ticked)
            .order_by(ALPHABETICAL, "id")
        )

    def asked(self):
        """Return what the verb is asked for."""
        return self.told[self.doing].asked()

    @property
    def once(self):
        """The key under which this very request is one change. A browser that shows an old page
        again may send its form once more for something else."""
        if not (key := self.cleaned_data["key"]):
            return None
        sent = sorted(
            (name, value)
            for name, values in self.data.lists()
            for value in values
            if name != "csrfmiddlewaretoken"
        )
        return uuid.uuid5(key, repr((self.address, sent)))


class MergeForm(forms.Form):
    """Which of several entries for one person stays."""

    keep = forms.ModelChoiceField(
        Contact.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ["required", "invalid_choice"], "Choose the entry that stays."
        ),
    )
    key = forms.UUIDField(widget=forms.HiddenInput({"autocomplete": "off"}), required=False)

    def __init__(self, entries, data=None):
        super().__init__(data, initial={"keep": entries[0].pk, "key": uuid.uuid4()})
        ids = [entry.pk for entry in entries]
        self.fields["keep"].queryset = Contact.objects.filter(pk__in=ids)
