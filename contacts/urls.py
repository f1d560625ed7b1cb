from django.urls import path

from contacts import export_views, import_views, twin_views, views

app_name = "contacts"
urlpatterns = [
    path("", views.contact_list, name="contact_list"),
    path("bulk/", views.bulk, name="bulk"),
    path("new/", views.contact_new, name="contact_new"),
    path("options/", views.contact_options, name="contact_options"),
    path("organisations/", views.organisation_options, name="organisation_options"),
    path("topics/", views.topic_options, name="topic_options"),
    path("tags/", views.tags, name="tags"),
    path("tags/<int:tag_id>/", views.tag_edit, name="tag_edit"),
    path("tags/<int:tag_id>/delete/", views.tag_delete, name="tag_delete"),
    path("twins/", twin_views.twins, name="twins"),
    path(
        "twins/<int:contact_id>/<int:other_id>/differ/",
        twin_views.twins_differ,
        name="twins_differ",
    ),
    path(
        "twins/<int:contact_id>/<int:other_id>/differ/undo/",
        twin_views.twins_differ_undo,
        name="twins_differ_undo",
    ),
    path("export/", export_views.export, name="export"),
    path("export/people.csv", export_views.export_csv, name="export_csv"),
    path("export/people.vcf", export_views.export_vcard, name="export_vcard"),
    path("import/", import_views.import_new, name="import_new"),
    path("import/<int:job_id>/", import_views.import_job, name="import_job"),
    path("import/<int:job_id>/progress/", import_views.import_progress, name="import_progress"),
    path("import/<int:job_id>/rows/", import_views.import_rows, name="import_rows"),
    path("import/<int:job_id>/columns/", import_views.import_columns, name="import_columns"),
    path("import/<int:job_id>/triage/", import_views.import_triage, name="import_triage"),
    path("import/answer/<int:row_id>/", import_views.import_answer, name="import_answer"),
    path("import/<int:job_id>/undo/", import_views.import_undo, name="import_undo"),
    path("import/<int:job_id>/confirm/", import_views.import_confirm, name="import_confirm"),
    path("import/<int:job_id>/discard/", import_views.import_discard, name="import_discard"),
    path("<int:contact_id>/", views.contact, name="contact"),
    path("<int:contact_id>/photo/", views.contact_photo, name="contact_photo"),
    path("<int:contact_id>/edit/", views.contact_edit, name="contact_edit"),
    path("<int:contact_id>/archive/", views.contact_archive, name="contact_archive"),
    path("<int:contact_id>/restore/", views.contact_restore, name="contact_restore"),
    path("<int:contact_id>/hello/later/", views.hello_later, name="hello_later"),
    path("<int:contact_id>/hello/undo/", views.hello_undo, name="hello_undo"),
    path("<int:contact_id>/tags/", views.contact_tag, name="contact_tag"),
    path("<int:contact_id>/tags/<int:tag_id>/remove/", views.contact_untag, name="contact_untag"),
]
