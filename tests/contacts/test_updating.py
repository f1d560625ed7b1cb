"""An update of netcrm finds imports under way and lets them go on."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from contacts.imports.importing import run_imports
from contacts.models import Contact, ImportJob
from tests.factories import make_user

PLANS = [("contacts", "0004_imports_and_twins")]


@pytest.mark.django_db(transaction=True)
def test_an_import_that_waits_goes_on_after_the_update():
    owner = make_user("alice@example.org")
    before = MigrationExecutor(connection)
    before.migrate(PLANS)
    try:
        known = {"row": 3, "name": "Ruth", "verdict": "skip", "why": "no name"}
        new = {"row": 2, "name": "Aiko Tanabe", "email": "aiko@example.org", "verdict": "create"}
        before.loader.project_state(PLANS).apps.get_model("contacts", "ImportJob").objects.create(
            owner_id=owner.pk, file_name="x.csv", plan=[new, known], state="queued", total=2
        )
    finally:
        after = MigrationExecutor(connection)
        after.migrate(after.loader.graph.leaf_nodes())
    run_imports()
    job = ImportJob.objects.get()
    assert (job.state, job.created, job.skipped) == ("done", 1, 1)
    assert Contact.objects.get().emails.get().address == "aiko@example.org"
