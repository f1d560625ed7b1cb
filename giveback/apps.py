from django.apps import AppConfig


class GivebackConfig(AppConfig):
    name = "giveback"
    verbose_name = "Giving back"
