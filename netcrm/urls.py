from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from health_check.views import HealthCheckView

from netcrm import mailbox, views
from netcrm.health import Broker, broker

shell = (
    [
        path("settings/", views.settings, name="settings"),
        path("settings/theme/", views.theme, name="theme"),
        path("mailbox/", mailbox.mailbox, name="mailbox"),
        path("mailbox/<str:mail_id>/", mailbox.mailbox_mail, name="mailbox_mail"),
        path("mailbox/<str:mail_id>/html/", mailbox.mailbox_html, name="mailbox_html"),
    ],
    "netcrm",
)

urlpatterns = [
    path("", include("today.urls")),
    path("", include(shell)),
    path("people/", include("contacts.urls")),
    path("follow-ups/", include("followups.urls")),
    path("coffees/", include("meetings.urls")),
    path("introductions/", include("introductions.urls")),
    path("giving/", include("giveback.urls")),
    path("openings/", include("opportunities.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path(
        "healthz",
        login_not_required(
            HealthCheckView.as_view(
                checks=[
                    "health_check.checks.Database",
                    (Broker, {"client_factory": broker}),
                ],
            )
        ),
        name="healthz",
    ),
]
