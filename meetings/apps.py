from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    name = "meetings"
    verbose_name = "Coffees"

    def ready(self):
        from followups import pursuing
        from meetings import advising

        # followups, a lower room, may not call up here to say that somebody was told.
        pursuing.ON_SENT.append(advising.hear_of)
