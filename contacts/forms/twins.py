from django import forms
from django.template.defaultfilters import date
from django.utils.text import capfirst

from contacts.models import Contact, say_rhythm
from contacts.twins.merging import BOTH, FIELDS, JOINED, KEPT, OTHER, differing, propose

SAID = {"known_since": lambda day: date(day, "j F Y"), "rhythm_days": say_rhythm}


class MergeForm(forms.Form):
    """Whose words hold in every field in which two entries say something different. The better
    ones are chosen already; a field that is left out keeps them."""

    def __init__(self, kept, other, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept, self.other = kept, other
        proposed = propose(kept, other)
        for name in differing(kept, other):
            sides = [(KEPT, _words(kept, name)), (OTHER, _words(other, name))]
            if name in JOINED:
                sides.append((BOTH, "Both, one after the other"))
            self.fields[name] = forms.ChoiceField(
                label=_label(name),
                choices=sides,
                initial=proposed[name],
                required=False,
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": "Choose one of the two."},
            )

    @property
    def agreed(self):
        """[(label, words)] of the fields in which there is nothing to choose."""
        said = {name: _words(self.kept, name) or _words(self.other, name) for name in FIELDS}
        return [
            (_label(name), words)
            for name, words in said.items()
            if words and name not in self.fields
        ]

    @property
    def choices(self):
        return {name: side for name, side in self.cleaned_data.items() if side}


def _label(name):
    return capfirst(Contact._meta.get_field(name).verbose_name)


def _words(contact, name):
    value = getattr(contact, name)
    return SAID.get(name, str)(value) if value else ""
