"""Forms of the list of people: its columns, and the name that a list is kept under."""

from django import forms
from django.db import IntegrityError, transaction

from contacts.lists.listing import COLUMNS, USUAL
from contacts.models import ListColumns, SavedView
from netcrm.wording import one_line

MOST_VIEWS = 30
TAKEN = "You keep a list “{}” already. Choose another name, or delete that one."


class ColumnsForm(forms.Form):
    """The columns beside the person; none at all are the usual ones again."""

    columns = forms.MultipleChoiceField(choices=list(COLUMNS.items()), required=False)

    def __init__(self, owner, data):
        super().__init__(data)
        self.owner = owner

    def clean_columns(self):
        chosen = self.cleaned_data["columns"]
        return tuple(name for name in COLUMNS if name in chosen) or USUAL

    def save(self):
        columns = list(self.cleaned_data["columns"])
        ListColumns.objects.update_or_create(owner=self.owner, defaults={"columns": columns})


class SavedViewForm(forms.Form):
    """The name of a list. `view` is the one to be kept or renamed; it names the owner."""

    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "Write a name for this list.",
            "max_length": "Keep the name to 60 letters.",
        },
    )

    def __init__(self, view, data=None):
        self.view = view
        super().__init__(data, initial={"name": view.name})

    def clean_name(self):
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        others = SavedView.objects.for_user(self.view.owner_id).exclude(pk=self.view.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(TAKEN.format(name))
        return name

    def clean(self):
        if self.view.pk is None:
            kept = SavedView.objects.for_user(self.view.owner_id).count()
            if kept >= MOST_VIEWS:
                raise forms.ValidationError(
                    f"You keep {MOST_VIEWS} lists already. Let one of them go first."
                )
            if len(self.view.query) > SavedView._meta.get_field("query").max_length:
                raise forms.ValidationError(
                    "That list asks for more than can be kept. Take a filter off."
                )

    def save(self):
        """Save the list and return True; False, with the error that says so, if another window
        took the name a moment ago."""
        self.view.name = self.cleaned_data["name"]
        try:
            with transaction.atomic():
                self.view.save()
        except IntegrityError:
            self.add_error("name", TAKEN.format(self.view.name))
            return False
        return True
