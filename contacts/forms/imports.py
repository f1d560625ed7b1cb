"""Forms of an import: the file, its columns, and what is chosen for everybody in it."""

from django import forms

from contacts.files import tables
from contacts.files.cards import CardProblem
from contacts.imports import importing
from netcrm.wording import one_line

ACCEPTED = ".vcf,.vcard,.csv,.tsv,.txt,.json,.sql,text/vcard,text/csv"


class ImportForm(forms.Form):
    """The file to import. What is in it, importing.py recognises."""

    file = forms.FileField(
        label="File",
        help_text="vCards, LinkedIn’s Connections.csv, Google or Outlook contacts, any CSV table,"
        " or an export of Monica. Up to 50 MB.",
        allow_empty_file=True,
        max_length=None,
        error_messages={"required": "Choose the file first."},
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
    )

    def receive(self, owner):
        """Take the file in; return its import, or None if it has errors."""
        if not self.is_valid():
            return None
        file = self.cleaned_data["file"]
        try:
            if file.size > importing.LARGEST_FILE:
                raise CardProblem(importing.TOO_LARGE)
            return importing.receive(owner, file.name, file.read())
        except CardProblem as problem:
            self.add_error("file", str(problem))


class ColumnsForm(forms.Form):
    """What each column of a table holds."""

    nobody = (
        "Say which column has the name, or the first and last name: without one, nobody can be"
        " added."
    )

    def __init__(self, job, *args):
        super().__init__(*args)
        self.job = job
        for at, heading in enumerate(job.header):
            self.fields[str(at)] = forms.ChoiceField(
                label=heading or f"Column {at + 1}",
                choices=tables.FIELDS,
                initial=job.mapping.get(str(at), "details"),
            )

    def rows(self):
        """Yield each column's field with what stands in its first rows."""
        return zip(self, importing.samples(self.job), strict=False)

    def clean(self):
        # An organisation or an address stands in for a name that is not there.
        naming = {*tables.NAMES, "organisation", "email"}
        if not self.errors and not naming & set(self.cleaned_data.values()):
            raise forms.ValidationError(self.nobody)

    def read(self):
        """Read the table with these columns; return whether there were no errors."""
        try:
            if self.is_valid():
                importing.map_columns(self.job, self.cleaned_data)
        except CardProblem as problem:
            self.add_error(None, str(problem))
        return not self.errors


class ConfirmForm(forms.Form):
    """What is to become of people who are known already, and a tag for everybody."""

    complete_known = forms.ChoiceField(
        label="People who are known already",
        choices=[("", "Leave them as they are"), ("yes", "Add what they lack")],
        required=False,
        widget=forms.RadioSelect,
    )
    tag = forms.CharField(
        label="A tag for everybody who comes in",
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Conference in Graz"}),
        error_messages={"max_length": "Keep a tag to 60 letters."},
    )

    def clean_complete_known(self):
        return self.cleaned_data["complete_known"] == "yes"

    def clean_tag(self):
        return one_line(self.cleaned_data["tag"])
