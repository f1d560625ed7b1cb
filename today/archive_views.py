"""Everything out in one file, and back into an empty notebook."""

from django import forms
from django.contrib import messages
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import Contact
from netcrm.htmx import render_page
from today.archive import CannotRestore, is_empty, write
from today.models import Restore
from today.restoring import receive


class ArchiveForm(forms.Form):
    """An archive to bring back."""

    file = forms.FileField(
        label="Your archive",
        help_text="The ZIP file, not unpacked. Up to 200 MB.",
        allow_empty_file=True,
        error_messages={"required": "Choose the file first."},
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )

    def receive(self, user):
        """Take it in; return the Restore, or None when there are errors."""
        if not self.is_valid():
            return None
        upload = self.cleaned_data["file"]
        try:
            return receive(user, upload.name, upload.file, upload.size)
        except CannotRestore as problem:
            self.add_error("file", str(problem))
            return None


@require_http_methods(["GET", "HEAD", "POST"])
def archive(request):
    posted = request.method == "POST"
    form = ArchiveForm(request.POST, request.FILES) if posted else ArchiveForm()
    if posted and (restore := form.receive(request.user)):
        return _arrived(request, restore)
    context = {
        "form": form,
        "is_empty": is_empty(request.user),
        "restore": _restore(request),
        "people": Contact.objects.for_user(request.user).count(),
    }
    return render_page(request, "today/archive.html", context, status=422 if posted else 200)


def _restore(request):
    return Restore.objects.for_user(request.user).first()


def _arrived(request, restore):
    """Go on to the people who are back, or else to where it says how things stand."""
    if restore is None or restore.state != Restore.State.DONE:
        return redirect("today:archive")
    messages.success(request, "Everything is back in your notebook.")
    return redirect("contacts:contact_list")


@require_safe
def archive_progress(request):
    """Answer the page that looks again every two seconds; once it has ended, go on."""
    restore = _restore(request)
    if restore and restore.state == Restore.State.WAITING:
        return render_page(request, "today/archive.html", {"restore": restore}, ["restoring"])
    return _arrived(request, restore)


@require_safe
def archive_download(request):
    name = f"netcrm-{request.user.today()}.zip"
    return StreamingHttpResponse(
        write(request.user),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
