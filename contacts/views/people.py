from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.forms.people import ContactForm, TagEditForm, TagForm
from contacts.models import Contact, ContactPhoto, Organisation, Tag, Topic
from netcrm.htmx import render_page

GET_OR_POST = ["GET", "HEAD", "POST"]
OPTIONS = 8
STORY_PAGE = 50
STORY_PAGES = 40
# What the rooms above hang on a moment: known by name here, since they may not be imported.
STORY_WITH = ("give_back", "introduction", "attended__meeting__debrief")


@require_safe
def contact(request, contact_id):
    people = Contact.objects.for_user(request.user).select_related("organisation", "introduced_by")
    people = people.with_rhythm().prefetch_related("tags", "emails", "phones", "links")
    photos = ContactPhoto.objects.filter(contact=OuterRef("pk"))
    contact = get_object_or_404(people.annotate(has_photo=Exists(photos)), pk=contact_id)
    return _contact(request, contact, TagForm())


@require_safe
@cache_control(private=True, max_age=3600)
def contact_photo(request, contact_id):
    photos = ContactPhoto.objects.for_user(request.user)
    photo = get_object_or_404(photos, contact=contact_id)
    return HttpResponse(bytes(photo.image), content_type="image/jpeg")


def _contact(request, contact, tag_form, status=200):
    page = _page_number(request)
    shown = STORY_PAGE * page
    moments = contact.interactions.select_related(*STORY_WITH).order_by("-on", "-id")
    interactions = list(moments[: shown + 1])
    context = {
        "contact": contact,
        "today": request.user.today(),
        "follow_ups": contact.follow_ups.open().prefetch_related("reminders"),
        "interactions": interactions[:shown],
        "earlier": page + 1 if len(interactions) > shown and page < STORY_PAGES else None,
        "newest": contact.actions.first(),
        "led_to": contact.led_to.current().select_related("organisation")[:20],
        "tag_form": tag_form,
    }
    return render_page(request, "contacts/contact.html", context, ["tags"], status)


def _page_number(request):
    page = request.GET.get("page", "")
    # A number that nobody could have been led to is as good as the last one.
    return min(int(page[:4]), STORY_PAGES) or 1 if page.isascii() and page.isdigit() else 1


@require_http_methods(GET_OR_POST)
def contact_new(request):
    instance = Contact(owner=request.user, name=request.GET.get("name", "")[:200])
    form = ContactForm(request.POST or None, instance=instance, add=request.POST.get("add", ""))
    return _contact_form(request, form, "contacts/contact_new.html")


@require_http_methods(GET_OR_POST)
def contact_edit(request, contact_id):
    people = Contact.objects.for_user(request.user).select_related("organisation", "introduced_by")
    instance = get_object_or_404(people, pk=contact_id)
    form = ContactForm(request.POST or None, instance=instance, add=request.POST.get("add", ""))
    return _contact_form(request, form, "contacts/contact_edit.html")


def _contact_form(request, form, template):
    context = {"form": form}
    if request.method != "POST" or form.is_draft:
        return render_page(request, template, context, ["contact-form"])
    if not form.is_valid() or (form.namesakes and "anyway" not in request.POST):
        return render_page(request, template, context, ["contact-form"], status=422)
    contact = form.save()
    messages.success(request, f"{contact.name} is in your notebook.")
    return redirect(contact)


@require_POST
def contact_archive(request, contact_id):
    """Put a person away, unless that would drop somebody who is still being pursued."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    if contact.follow_ups.open().exists():
        name = contact.given_name
        messages.error(request, f"{name} still has a follow-up. Let it go first, or let it rest.")
    else:
        contact.archive()
        messages.success(request, f"{contact.name} is put away. Nothing is lost.")
    return redirect(contact)


@require_POST
def contact_restore(request, contact_id):
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.restore()
    messages.success(request, f"{contact.name} is back.")
    return redirect(contact)


@require_POST
def contact_tag(request, contact_id):
    people = Contact.objects.for_user(request.user).with_rhythm()
    contact = get_object_or_404(people, pk=contact_id)
    form = TagForm(request.POST)
    if not form.is_valid():
        return _contact(request, contact, form, status=422)
    contact.tag(form.cleaned_data["name"])
    return _retagged(request, contact)


@require_POST
def contact_untag(request, contact_id, tag_id):
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.untag(get_object_or_404(Tag.objects.for_user(request.user), pk=tag_id))
    return _retagged(request, contact)


def _retagged(request, contact):
    return _contact(request, contact, TagForm()) if request.htmx else redirect(contact)


@require_POST
def hello_later(request, contact_id):
    """Not this week: the rhythm of a person keeps silent for so long."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.not_this_week(request.user.today())
    if request.htmx:
        return render(request, "contacts/hello_later.html", {"contact": contact})
    # The person's page says until when, with Undo beside it.
    return redirect(contact)


@require_POST
def hello_undo(request, contact_id):
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=contact_id)
    contact.hello_after_all()
    due = Contact.objects.hello_due(request.user, request.user.today()).filter(pk=contact.pk)
    if request.htmx and due:
        return render(request, "contacts/hello_row.html", {"contact": due[0]})
    return redirect(contact)


@require_safe
def tags(request):
    current = Count("contacts", filter=Q(contacts__archived_at=None))
    mine = Tag.objects.for_user(request.user).annotate(people=current).order_by(Lower("name"))
    return render_page(request, "contacts/tags.html", {"tags": mine})


@require_http_methods(GET_OR_POST)
def tag_edit(request, tag_id):
    tag = get_object_or_404(Tag.objects.for_user(request.user), pk=tag_id)
    form = TagEditForm(tag, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"The tag “{tag}” is saved.")
        return redirect("contacts:tags")
    context = {"tag": tag, "form": form, "people": tag.contacts.count()}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "contacts/tag_edit.html", context, status=status)


@require_POST
def tag_delete(request, tag_id):
    tag = get_object_or_404(Tag.objects.for_user(request.user), pk=tag_id)
    tag.remove()
    messages.success(request, f"The tag “{tag}” is gone. Everybody who had it is still here.")
    return redirect("contacts:tags")


@require_safe
def contact_options(request):
    """Names for a field that is typed into, whatever the field is called."""
    names = ("q", "who", "introduced_by_name", "introducer", "wanted", "person", "one", "other")
    lines = [name for name in request.GET if name.endswith("-who")]
    words = _typed(request, *names, *lines)
    people = Contact.objects.for_user(request.user).current().search(words)
    options = people.select_related("organisation")[:OPTIONS] if words else []
    return render(request, "contacts/contact_options.html", {"options": options})


@require_safe
def organisation_options(request):
    words = _typed(request, "q", "at", "organisation_name")
    known = Organisation.objects.for_user(request.user).filter(name__icontains=words)
    context = {"options": known[:OPTIONS] if words else []}
    return render(request, "contacts/organisation_options.html", context)


@require_safe
def topic_options(request):
    """Topics for a field that takes several: what stands before the last comma is kept."""
    words = _typed(request, "q", "seeks_topics", "offers_topics", "topics")
    *before, last = [word.strip() for word in words.split(",")]
    known = Topic.objects.for_user(request.user).like(last)[:OPTIONS] if last else []
    options = [", ".join([*before, topic.name]) for topic in known]
    return render(request, "contacts/topic_options.html", {"options": options})


def _typed(request, *names):
    typed = next((request.GET[name] for name in names if name in request.GET), "")
    return typed.replace("\0", "").strip()[:200]
