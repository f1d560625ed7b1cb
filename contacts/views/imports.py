"""Pages of an import: the file, its columns, the preview, the progress, the result, undo."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.forms.imports import ColumnsForm, ConfirmForm, ImportForm
from contacts.forms.people import TagForm
from contacts.imports import importing, taking_back, triage
from contacts.models import Contact, ContactPhoto, ImportJob, ImportRow
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]
ROWS_SHOWN = 100
JOBS_SHOWN = 5
KEPT_SHOWN = 50
UNDO = "undo"
State = ImportJob.State


@require_http_methods(GET_OR_POST)
def import_new(request):
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if posted and (job := form.receive(request.user)):
        return redirect("contacts:import_job", job.pk)
    context = {"form": form, "jobs": _jobs(request)[:JOBS_SHOWN]}
    status = 422 if posted else 200
    return render_page(request, "contacts/import_new.html", context, status=status)


def _jobs(request):
    """Return the user's imports, without their files."""
    return ImportJob.objects.for_user(request.user).defer("upload")


def _job(request, job_id):
    job = get_object_or_404(_jobs(request), pk=job_id)
    job.owner = request.user
    return job


@require_safe
def import_job(request, job_id):
    """Show an import: its columns, its preview, its progress or its result."""
    job = _job(request, job_id)
    return _import_job(request, job, ColumnsForm(job), ConfirmForm())


def _import_job(request, job, columns_form, confirm_form, status=200):
    context = {"job": job, "columns_form": columns_form, "confirm_form": confirm_form}
    if job.state == State.PREVIEW:
        context["groups"] = importing.preview(job, ROWS_SHOWN)
    elif job.state == State.UNDONE:
        kept = taking_back.kept_by_undo(job)
        count = kept.count()
        context |= {"kept_count": count, "kept_more": max(count - KEPT_SHOWN, 0)}
        context["kept"] = kept.select_related("contact")[:KEPT_SHOWN]
    return render_page(request, "contacts/import_job.html", context, status=status)


@require_safe
def import_rows(request, job_id):
    """Show all rows of one verdict, page by page."""
    job, asked = _job(request, job_id), request.GET.get("verdict")
    verdict = next((each for each in ImportRow.Verdict if each == asked), ImportRow.Verdict.CREATE)
    page = Paginator(job.rows.of(verdict), ROWS_SHOWN).get_page(request.GET.get("page"))
    context = {"job": job, "page": page, "verdict": verdict}
    return render_page(request, "contacts/import_rows.html", context)


@require_safe
def import_progress(request, job_id):
    """Answer the page that looks again every two seconds; once it is done, show the result."""
    job = _job(request, job_id)
    if job.state not in ImportJob.UNFINISHED:
        return redirect("contacts:import_job", job.pk)
    return render_page(request, "contacts/import_job.html", {"job": job}, ["progress"])


@require_POST
def import_columns(request, job_id):
    """Take what the columns are, and read the table with that."""
    job = _job(request, job_id)
    form = ColumnsForm(job, request.POST)
    if job.state == State.MAPPING and not form.read():
        return _import_job(request, job, form, ConfirmForm(), status=422)
    return redirect("contacts:import_job", job.pk)


@require_POST
def import_confirm(request, job_id):
    """Put an import in the queue; confirming twice is harmless."""
    job = _job(request, job_id)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _import_job(request, job, ColumnsForm(job), form, status=422)
    job.confirm(**form.cleaned_data)
    return redirect("contacts:import_job", job.pk)


@require_POST
def import_discard(request, job_id):
    job = _job(request, job_id)
    if not job.discard():
        messages.error(request, "This import has already begun, so it stays.")
        return redirect("contacts:import_job", job.pk)
    messages.success(request, "Nothing was imported.")
    return redirect("contacts:import_new")


@require_POST
def import_undo(request, job_id):
    """Put an import in the queue to be taken back; doing it twice is harmless."""
    job = _job(request, job_id)
    if not job.undo() and job.state not in {*ImportJob.UNFINISHED, State.UNDONE}:
        messages.error(request, "An import can be undone for 30 days, so this one stays.")
    return redirect("contacts:import_job", job.pk)


@require_safe
def import_triage(request, job_id):
    """Show one card: the one that is asked for, else the first about which nothing was said."""
    job = _job(request, job_id)
    row = _asked(request, job, "row") or triage.unanswered(job)
    return _triage(request, job, row, TagForm(), _asked(request, job, "said"))


def _asked(request, job, name):
    asked = request.GET.get(name, "")
    return triage.people(job).filter(pk=asked).first() if asked.isdecimal() else None


def _triage(request, job, row, tag_form, said=None, status=200):
    """Show the card of a row; `said` is the row that was answered just before. Whoever was deleted
    meanwhile is passed over."""
    row = row if row and row.contact_id else triage.unanswered(job)
    said = said if said and said.contact_id else None
    context = {"job": job, "tag_form": tag_form, "count": triage.people(job).count()}
    if row:
        context["place"] = triage.place(job, row)
        context["contact"] = _contact_of(row)
    if said or row:
        context["said"], context["latest"] = said or row, triage.latest(said or row)
    return render_page(request, "contacts/import_triage.html", context, ["card"], status)


def _contact_of(row):
    people = Contact.objects.select_related("organisation").prefetch_related("tags", "emails")
    photos = ContactPhoto.objects.filter(contact=OuterRef("pk"))
    return people.annotate(has_photo=Exists(photos)).get(pk=row.contact_id)


@require_POST
def import_answer(request, row_id):
    """Do what was said about the person on a card, and show the next one."""
    row = get_object_or_404(ImportRow.objects.for_user(request.user).filter(made=True), pk=row_id)
    row.owner = request.user
    said, form = request.POST.get("said", ""), TagForm(request.POST)
    job = _job(request, row.job_id)
    if said == triage.TAG and not form.is_valid():
        return _triage(request, job, row, form, status=422)
    try:
        if said == UNDO:
            triage.undo(row)
        elif said in triage.SAID:
            triage.answer(row, said, form.cleaned_data.get("name", "") if form.is_valid() else "")
    except triage.CannotAnswer as problem:
        messages.error(request, str(problem))
        return _next_card(request, job, row, row)
    stays = said in {triage.TAG, UNDO}
    after = row if stays else triage.place(job, row).after or triage.unanswered(job)
    return _next_card(request, job, row, after)


def _next_card(request, job, said, row):
    if request.htmx:
        said.refresh_from_db()
        return _triage(request, job, row, TagForm(), said)
    asked = {"said": said.pk} | ({"row": row.pk} if row else {})
    return redirect(reverse("contacts:import_triage", args=[job.pk], query=asked))
