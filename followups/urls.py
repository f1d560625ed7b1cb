from django.urls import path

from followups import ahead_views, playbook_views, views

app_name = "followups"
urlpatterns = [
    path("log/", views.log, name="log"),
    path("log/<int:contact_id>/", views.log_contact, name="log_contact"),
    path("begin/<int:contact_id>/", views.begin, name="begin"),
    path("<int:follow_up_id>/outcome/", views.outcome, name="outcome"),
    path("<int:follow_up_id>/snooze/", views.snooze, name="snooze"),
    path("<int:follow_up_id>/skip/", views.skip, name="skip"),
    path("<int:follow_up_id>/promise/", views.promise, name="promise"),
    path("<int:follow_up_id>/not-now/", views.not_now, name="not_now"),
    path("<int:follow_up_id>/rest/", views.rest, name="rest"),
    path("<int:follow_up_id>/end/", views.end, name="end"),
    path("<int:follow_up_id>/leave-alone/", views.leave_alone, name="leave_alone"),
    path("<int:follow_up_id>/lesson/", views.lesson, name="lesson"),
    path("<int:follow_up_id>/draft/", views.draft, name="draft"),
    path("<int:follow_up_id>/colleague/", views.colleague, name="colleague"),
    path("<int:follow_up_id>/pause/", views.pause, name="pause"),
    path("<int:follow_up_id>/resume/", views.resume, name="resume"),
    path("<int:follow_up_id>/another-way/", views.another_way, name="another_way"),
    path("<int:follow_up_id>/move/", ahead_views.move, name="move"),
    path("coming/", ahead_views.coming, name="coming"),
    path("backlog/", ahead_views.backlog, name="backlog"),
    path("break/", ahead_views.take_break, name="take_break"),
    path("break/<int:break_id>/end/", ahead_views.end_break, name="end_break"),
    path("undo/<int:action_id>/", views.undo, name="undo"),
    path("undo-all/<uuid:batch>/", ahead_views.undo_batch, name="undo_batch"),
    path("history/<int:contact_id>/", views.history, name="history"),
    path("do-not-contact/<int:contact_id>/", views.do_not_contact, name="do_not_contact"),
    path("playbooks/", playbook_views.playbook_list, name="playbook_list"),
    path("playbooks/new/", playbook_views.playbook_new, name="playbook_new"),
    path("playbooks/preview/", playbook_views.playbook_preview, name="playbook_preview"),
    path("playbooks/bring-back/", playbook_views.playbook_bring_back, name="playbook_bring_back"),
    path("playbooks/<int:playbook_id>/edit/", playbook_views.playbook_edit, name="playbook_edit"),
    path("playbooks/<int:playbook_id>/copy/", playbook_views.playbook_copy, name="playbook_copy"),
    path(
        "playbooks/<int:playbook_id>/delete/",
        playbook_views.playbook_delete,
        name="playbook_delete",
    ),
]
