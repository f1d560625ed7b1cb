from django.conf import settings as conf
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from netcrm.forms import SettingsForm
from netcrm.htmx import render_page
from netcrm.models import Mail, User
from netcrm.outbox import on_hold


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request):
    """How the user's days run, and how the last digest fared."""
    user = User.objects.get(pk=request.user.pk)
    form = SettingsForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("netcrm:settings")
    context = {
        "form": form,
        "local_now": timezone.localtime(),
        "trouble": Mail.objects.trouble_of(user),
        "on_hold": on_hold(user),
        "mail_leaves": bool(conf.MAIL_URL),
    }
    status = 422 if form.errors else 200
    return render_page(request, "netcrm/settings.html", context, status=status)


@require_POST
def theme(request):
    """Remember light or dark; anything else follows the system again."""
    chosen = request.POST.get("theme")
    request.user.theme = chosen if chosen in {"light", "dark"} else ""
    request.user.save(update_fields=["theme"])
    if request.htmx:
        return HttpResponse(status=204)
    back = request.META.get("HTTP_REFERER", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        return redirect(back)
    return redirect("today:today")
