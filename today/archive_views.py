"""Everything out in one file, and back into an empty notebook."""

from django import forms
from django.contrib import messages
from django.http import StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from contacts.models import Contact
from netcrm.htmx import render_page
from today.archive import CannotRestore, is_empty, restore, write


class ArchiveForm(forms.Form):
    """An archive to bring back."""

    file = forms.FileField(
        label="Your archive",
        help_text="The ZIP file, not unpacked. Up to 200 MB.",
        allow_empty_file=True,
        error_messages={"required": "Choose the file first."},
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
    )

    def bring_back(self, user):
        """Restore it; return whether there were no errors."""
        if not self.is_valid():
            return False
        file = self.cleaned_data["file"]
        try:
            restore(user, file.file, file.size)
        except CannotRestore as problem:
            self.add_error("file", str(problem))
        return not self.errors


@require_http_methods(["GET", "HEAD", "POST"])
def archive(request):
    posted = request.method == "POST"
    form = ArchiveForm(request.POST, request.FILES) if posted else ArchiveForm()
    if posted and form.bring_back(request.user):
        messages.success(request, "Everything is back in your notebook.")
        return redirect("contacts:contact_list")
    context = {
        "form": form,
        "is_empty": is_empty(request.user),
        "people": Contact.objects.for_user(request.user).count(),
    }
    return render_page(request, "today/archive.html", context, status=422 if posted else 200)


@require_safe
def archive_download(request):
    name = f"netcrm-{request.user.today()}.zip"
    return StreamingHttpResponse(
        write(request.user),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
