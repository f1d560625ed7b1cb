from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from contacts.models import Contact
from followups.calendars import calendar_for
from followups.models import Playbook
from followups.spreading import is_backlog
from netcrm.htmx import render_page
from netcrm.models import User
from today.agenda import build_agenda, just_now, last_beats, this_week, with_idea
from today.demo import create_demo_user
from today.digest import send_test


@require_safe
def today(request):
    """The agenda of the day: the page after login."""
    day = request.user.today()
    agenda = with_idea(build_agenda(request.user, day), request.user)
    oldest = next(iter(agenda.reminders), None)
    context = {
        "agenda": agenda,
        "today": day,
        "playbooks": Playbook.objects.for_user(request.user),
        "now": timezone.localtime(),
        "done": just_now(request.user),
        "oldest": oldest,
        "make_room": is_backlog(request.user, day, agenda.due_count, oldest and oldest.due_on),
        "back_on": agenda.on_break and calendar_for(request.user).on_or_after(day),
        "week": this_week(request.user, day),
        "beats": last_beats(request.user),
        "due_count": agenda.due_count,
        "first_visit": agenda.empty and not Contact.objects.for_user(request.user).exists(),
    }
    return render_page(request, "today/today.html", context)


@require_POST
def try_digest(request):
    """Send the digest as it would be now, so that one sees where it arrives and how it looks."""
    mail = send_test(request.user, timezone.now())
    if mail:
        said = f"A test goes to {mail.to}. It should be there within a minute."
        messages.success(request, said)
    else:
        messages.error(request, f"Confirm that {request.user.email} is yours, then send a test.")
    return redirect("netcrm:settings")


@login_not_required
@require_POST
def demo(request):
    """Look around with demo data: only on a personal machine that has no account yet."""
    if not settings.PERSONAL or User.objects.exists():
        raise Http404
    user = create_demo_user()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("today:today")
