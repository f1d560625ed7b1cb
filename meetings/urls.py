from django.urls import path

from meetings import calendar_views, debrief_views, views

app_name = "meetings"
urlpatterns = [
    path("", views.meeting_list, name="meeting_list"),
    path("new/", views.meeting_new, name="meeting_new"),
    path("log/", views.meeting_log, name="meeting_log"),
    path("worker.js", views.service_worker, name="service_worker"),
    path("<int:meeting_id>/", views.meeting, name="meeting"),
    path("<int:meeting_id>/edit/", views.meeting_edit, name="meeting_edit"),
    path("<int:meeting_id>/propose/", views.propose, name="propose"),
    path("<int:meeting_id>/sent/", views.sent, name="sent"),
    path("<int:meeting_id>/confirm/", views.confirm, name="confirm"),
    path("<int:meeting_id>/move/", views.move, name="move"),
    path("<int:meeting_id>/cancel/", views.cancel, name="cancel"),
    path("<int:meeting_id>/no-show/", views.no_show, name="no_show"),
    path("<int:meeting_id>/hold/", views.hold, name="hold"),
    path("<int:meeting_id>/ready/", views.ready, name="ready"),
    path("<int:meeting_id>/questions/", views.question_new, name="question_new"),
    path("questions/<int:question_id>/asked/", views.question_asked, name="question_asked"),
    path("questions/<int:question_id>/delete/", views.question_delete, name="question_delete"),
    path("<int:meeting_id>/debrief/", debrief_views.debrief, name="debrief"),
    path("<int:meeting_id>/debrief/draft/", debrief_views.debrief_draft, name="debrief_draft"),
    path("<int:meeting_id>/debrief/short/", debrief_views.debrief_short, name="debrief_short"),
    path("advice/", debrief_views.advice_list, name="advice_list"),
    path("advice/<int:advice_id>/", debrief_views.advice, name="advice"),
    path("advice/<int:advice_id>/told/", debrief_views.advice_told, name="advice_told"),
    path("<int:meeting_id>/coffee.ics", calendar_views.meeting_ics, name="meeting_ics"),
    path("<int:meeting_id>/invitation.eml", calendar_views.invitation, name="invitation"),
    path("feed/", calendar_views.feed, name="feed"),
    path("feed/new/", calendar_views.feed_new, name="feed_new"),
    path("feed/revoke/", calendar_views.feed_revoke, name="feed_revoke"),
    path("feed/<str:token>.ics", calendar_views.feed_file, name="feed_file"),
]
