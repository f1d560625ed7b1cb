from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "People"

    def ready(self):
        from contacts import bulk
        from contacts.bulk import deletes, edits, table

        bulk.VERBS.update(
            edit=edits.Edit(),
            archive=edits.Archive(),
            restore=edits.Restore(),
            delete=deletes.Delete(),
            table=table.Table(),
        )
