from django.urls import path

from today import archive_views, health, mail_links, search_views, views

app_name = "today"
urlpatterns = [
    path("", views.today, name="today"),
    path("demo/", views.demo, name="demo"),
    path("search/", search_views.search, name="search"),
    path("archive/", archive_views.archive, name="archive"),
    path("archive/progress/", archive_views.archive_progress, name="archive_progress"),
    path("archive/download/", archive_views.archive_download, name="archive_download"),
    path("health/", health.health, name="health"),
    path("settings/digest/try/", views.try_digest, name="try_digest"),
    path("mail/<str:token>/", mail_links.mail_link, name="mail_link"),
    path("mail/promise/<str:token>/", mail_links.mail_promise, name="mail_promise"),
    path("mail/stop/<str:token>/", mail_links.mail_unsubscribe, name="mail_unsubscribe"),
]
