from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class FollowupsConfig(AppConfig):
    name = "followups"
    verbose_name = "Follow-ups"

    def ready(self):
        from contacts import bulk
        from contacts.imports import storing
        from followups import importing, presets
        from followups.bulk import VERBS
        from netcrm.models import User

        # Accounts come from sign-up, `createsuperuser` and the demo; netcrm, a lower room, may
        # not call up here, so the new account itself is the sign to hand out the playbooks.
        post_save.connect(presets.provide_playbooks, sender=User)
        # After every migrate and after every flush, the built-in playbooks are there.
        post_migrate.connect(presets.provide_presets, sender=self)
        # What an imported card tells of the past and the future is for this room to keep.
        storing.TAKERS.append(importing.Taker())
        # What can be done to many people through the engine.
        bulk.VERBS.update(VERBS)
