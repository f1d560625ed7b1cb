"""Pages of an export: what there is to take along, and the files."""

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_safe

from contacts import exporting
from contacts.lists.listing import Asked, PeoplePage
from contacts.models import ALPHABETICAL, Contact
from netcrm.htmx import render_page

VERSIONS = ("4.0", "3.0")


@require_safe
def export(request):
    """Offer the people whom the list shows, or everybody, in each format."""
    page = _page(request)
    context = {
        "page": page,
        "count": _people(page).count(),
        "columns": exporting.COLUMNS,
        "same_people": page.asked.address(),
        "in_version_3": page.asked.address(version="3.0"),
    }
    return render_page(request, "contacts/export.html", context)


@require_safe
def export_csv(request):
    return file_of(request, _people(_page(request)), "csv")


@require_safe
def export_vcard(request):
    asked = request.GET.get("version")
    version = asked if asked in VERSIONS else VERSIONS[0]
    return file_of(request, _people(_page(request)), "vcard", version)


def _page(request):
    return PeoplePage(request.user, Asked.read(request.GET), request.user.today())


def _people(page):
    """Return whom the list shows if it is narrowed; else everybody, who is put away too."""
    if not page.narrowed:
        return Contact.objects.for_user(page.user).order_by(ALPHABETICAL, "id")
    return page.in_order


def file_of(request, people, kind, version=VERSIONS[0]):
    """Answer with people as a file of that kind: csv or vcard."""
    if kind == "csv":
        return _file(request, exporting.csv_file(people), "text/csv", "csv")
    return _file(request, exporting.vcard_file(people, version), "text/vcard", "vcf")


def _file(request, pieces, content_type, suffix):
    name = f"netcrm-people-{request.user.today()}.{suffix}"
    return StreamingHttpResponse(
        pieces,
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
