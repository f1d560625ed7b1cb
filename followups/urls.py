from django.urls import path

from followups import views

app_name = "followups"
urlpatterns = [
    path("log/", views.log, name="log"),
    path("log/<int:contact_id>/", views.log_contact, name="log_contact"),
    path("begin/<int:contact_id>/", views.begin, name="begin"),
    path("<int:follow_up_id>/outcome/", views.outcome, name="outcome"),
    path("<int:follow_up_id>/snooze/", views.snooze, name="snooze"),
    path("<int:follow_up_id>/skip/", views.skip, name="skip"),
    path("<int:follow_up_id>/rest/", views.rest, name="rest"),
    path("<int:follow_up_id>/end/", views.end, name="end"),
    path("<int:follow_up_id>/pause/", views.pause, name="pause"),
    path("<int:follow_up_id>/resume/", views.resume, name="resume"),
    path("<int:follow_up_id>/another-way/", views.another_way, name="another_way"),
    path("undo/<int:action_id>/", views.undo, name="undo"),
    path("do-not-contact/<int:contact_id>/", views.do_not_contact, name="do_not_contact"),
]
