from django.urls import path

from today import health, mail_links, search_views, views

app_name = "today"
urlpatterns = [
    path("", views.today, name="today"),
    path("demo/", views.demo, name="demo"),
    path("search/", search_views.search, name="search"),
    path("health/", health.health, name="health"),
    path("settings/digest/try/", views.try_digest, name="try_digest"),
    path("mail/<str:token>/", mail_links.mail_link, name="mail_link"),
    path("mail/promise/<str:token>/", mail_links.mail_promise, name="mail_promise"),
    path("mail/stop/<str:token>/", mail_links.mail_unsubscribe, name="mail_unsubscribe"),
]
