from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = "People"

    def ready(self):
        from contacts import bulk, bulk_deletes, bulk_edits, table_edits

        bulk.VERBS.update(
            edit=bulk_edits.Edit(),
            archive=bulk_edits.Archive(),
            restore=bulk_edits.Restore(),
            delete=bulk_deletes.Delete(),
            table=table_edits.Table(),
        )
