"""A table of people into the admin site and out of it, by django-import-export: uploaded, compared
with the notebook row by row, confirmed, and stored as one change that can be undone."""

import uuid
from copy import copy
from itertools import islice

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from import_export.admin import ImportExportMixin
from import_export.forms import ConfirmImportForm, ImportForm
from import_export.tmp_storages import BaseStorage
from tablib import Dataset

from contacts import exporting
from contacts.admin.changes import tell
from contacts.admin.resources import ROW, PeopleResource
from contacts.files import tables
from contacts.files.cards import CardProblem
from contacts.views.exports import file_of

LARGEST_FILE = 5 * 1024 * 1024
# All of them are compared while somebody waits for the page.
MOST_ROWS = 5000
# So many rows are shown; all of them are counted.
MOST_SHOWN = 200
UPLOAD_SECONDS = 3600

THE_APP = "The import of the app takes larger ones, and works them off in the background."
TOO_LARGE = f"That file is larger than 5 MB. {THE_APP}"
TOO_MANY = f"That file has more than {MOST_ROWS:,} rows. {THE_APP}"
NO_NAMES = "That table has no column “Name”. Export some people to see how it is to look."
SAME_HEADING = "Two columns of that table are called “{}”."
GONE = "That file is not here any more. Choose it once more."
CHANGED = "Your notebook has changed meanwhile, so nothing was imported. Choose the file once more."
NOTHING_NEW = "Everything in that file is in your notebook already."


class People(Dataset):
    """The rows of a table. `left_out` are its columns that nobody knows."""

    left_out: tuple[str, ...] = ()


class Table:
    """The one format that is offered: a table of text, read as the app's own import reads it, with
    its limits; no format that computes, or loads what is in it."""

    def __init__(self, encoding=None):
        self.encoding = encoding

    def get_title(self):
        return "CSV"

    def is_binary(self):
        return True

    def get_read_mode(self):
        return "rb"

    def can_import(self):
        return True

    def create_dataset(self, data):
        """Return the columns that we know and the number of each row. Raises CardProblem."""
        table = tables.open_table(data)
        known = {column.heading.lower(): column.heading for column in exporting.COLUMNS}
        found = {at: known.get(heading.lower()) for at, heading in enumerate(table.header)}
        columns = {at: heading for at, heading in found.items() if heading}
        _check(list(columns.values()))
        people = People(headers=[ROW, *columns.values()])
        people.left_out = tuple(table.header[at] for at in found if not found[at])
        for row in islice(table.rows(), MOST_ROWS + 1):
            if row.trouble:
                raise CardProblem(f"Row {row.number}: {row.trouble}")
            cells = [row.cells[at] if at < len(row.cells) else "" for at in columns]
            people.append([str(row.number), *cells])
        if len(people) > MOST_ROWS:
            raise CardProblem(TOO_MANY)
        return people


def _check(headings):
    if "Name" not in headings:
        raise CardProblem(NO_NAMES)
    for heading in headings:
        if headings.count(heading) > 1:
            raise CardProblem(SAME_HEADING.format(heading))


class OwnUpload(BaseStorage):
    """The file between dry run and confirmation: one for each person, in the cache that all web
    processes share. Its name comes back from the browser; whose it is, never does."""

    def __init__(self, *, owner, **kwargs):
        super().__init__(**kwargs)
        self.key = f"admin-import-{owner.pk}"

    def save(self, data):
        self.name = uuid.uuid4().hex
        cache.set(self.key, (self.name, data), UPLOAD_SECONDS)

    def read(self):
        """Return the file. Raises CardProblem if it is gone, or another came after it."""
        name, data = cache.get(self.key) or (None, None)
        if name is None or name != self.name:
            raise CardProblem(GONE)
        return data

    def remove(self):
        cache.delete(self.key)


class TableForm(ImportForm):
    import_file = forms.FileField(
        label="File",
        help_text=f"CSV with a row of headings, up to 5 MB and {MOST_ROWS:,} people.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        allow_empty_file=True,
        error_messages={"required": "Choose the file first."},
    )
    # The library's script guesses the format: there is one.
    media = forms.Media()

    def __init__(self, formats, resources, **kwargs):
        super().__init__(formats, resources, label_suffix="", **kwargs)
        self.fields["format"].widget = forms.HiddenInput()

    def clean_import_file(self):
        file = self.cleaned_data["import_file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(TOO_LARGE)
        return file


class ConfirmForm(ConfirmImportForm):
    """What comes back of the dry run. The library takes these fields as they are."""

    import_file_name = forms.UUIDField(widget=forms.HiddenInput)
    format = forms.ChoiceField(choices=[("0", "CSV")], widget=forms.HiddenInput)
    resource = None

    def clean_import_file_name(self):
        return self.cleaned_data["import_file_name"].hex


class TableMixin(ImportExportMixin):
    """Import and Export of the list of people."""

    resource_classes = [PeopleResource]
    import_formats = [Table]
    import_form_class = TableForm
    confirm_form_class = ConfirmForm
    import_template_name = "admin/contacts/contact/import.html"
    tmp_storage_class = OwnUpload
    # One BulkChange says it all, and can be undone.
    skip_admin_log = True

    def get_import_context_data(self, **kwargs):
        return {"columns": exporting.COLUMNS, "shown": MOST_SHOWN}

    def import_action(self, request, **kwargs):
        response = super(TableMixin, self._of(request.user)).import_action(request, **kwargs)
        if request.method == "POST" and "confirm_form" not in response.context_data:
            response.status_code = 422
        return response

    def _of(self, owner):
        """Return these pages for one request: the library asks for a storage without saying whose
        request it is."""
        page = copy(self)
        page.owner = owner
        return page

    def get_tmp_storage_class_kwargs(self):
        return {"owner": self.owner}

    def get_import_resource_kwargs(self, request, form=None, **kwargs):
        name = getattr(form, "cleaned_data", {}).get("import_file_name")
        return {"owner": request.user, "key": uuid.UUID(name) if name else None}

    def add_data_read_fail_error_to_form(self, form, problem):
        if not isinstance(problem, CardProblem):
            raise problem
        form.add_error("import_file", str(problem))

    @method_decorator(require_POST)
    def process_import(self, request, **kwargs):
        try:
            return super(TableMixin, self._of(request.user)).process_import(request, **kwargs)
        except CardProblem as problem:
            messages.error(request, str(problem))
            return redirect("admin:contacts_contact_import")

    def process_result(self, result, request):
        if result.has_errors() or result.has_validation_errors():
            messages.error(request, CHANGED)
            return redirect("admin:contacts_contact_import")
        return super().process_result(result, request)

    def add_success_message(self, result, request):
        if result.change:
            tell(request, result.change)
        else:
            messages.success(request, NOTHING_NEW)

    def export_action(self, request):
        """Stream the people of the list, as it is filtered, with the columns that import reads."""
        return file_of(request, self.get_export_queryset(request), "csv")
