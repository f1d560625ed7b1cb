from django.urls import path

from today import mail_links, views

app_name = "today"
urlpatterns = [
    path("", views.today, name="today"),
    path("demo/", views.demo, name="demo"),
    path("mail/<str:token>/", mail_links.mail_link, name="mail_link"),
    path("mail/stop/<str:token>/", mail_links.mail_unsubscribe, name="mail_unsubscribe"),
]
