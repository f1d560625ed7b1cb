from django.db import migrations

HINT = "Write to the next person at that organisation."


def mark_cold_requests(apps, schema_editor):
    """Let the cold requests of before write to one person at an organisation at a time."""
    for name in ("PlaybookPreset", "Playbook", "FollowUp"):
        model = apps.get_model("followups", name)
        asking = model.objects.filter(steps__contains=[{"hint": HINT}])
        for row in asking.only("steps").iterator():
            row.cold = True
            row.steps = [
                step | {"colleague": True} if step["hint"] == HINT else step for step in row.steps
            ]
            row.save(update_fields=["cold", "steps"])


class Migration(migrations.Migration):
    dependencies = [("followups", "0002_the_whole_engine")]
    operations = [migrations.RunPython(mark_cold_requests, migrations.RunPython.noop)]
