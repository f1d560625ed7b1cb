import json
from pathlib import Path

from django.db import migrations, models

NEW = ("introduction-asked", "introduction-offered", "meeting-proposed")
# What people had to fill in by hand is known now, if they wrote a debrief.
WORDS = {"[what they said]": "{takeaway}", "[what they advised]": "{advice}"}


def hand_out_playbooks(apps, schema_editor):
    """Give the accounts of before the playbooks that are new; accounts to come get them anyway."""
    Playbook = apps.get_model("followups", "Playbook")
    built_in = json.loads((Path(__file__).parent.parent / "playbooks.json").read_text())
    rows = [row for row in built_in if row["slug"] in NEW]
    for user in apps.get_model("netcrm", "User").objects.only("pk").iterator():
        Playbook.objects.bulk_create(
            [Playbook(owner_id=user.pk, **row) for row in rows], ignore_conflicts=True
        )


def name_what_is_known(apps, schema_editor):
    """Let the thanks after a meeting quote its takeaways."""
    for name in ("PlaybookPreset", "Playbook", "FollowUp"):
        model = apps.get_model("followups", name)
        lookup = {"playbook__slug": "after-a-meeting"} if name == "FollowUp" else {"slug": "after-a-meeting"}
        for row in model.objects.filter(**lookup).only("steps").iterator():
            row.steps = [step | {"template": _known(step.get("template", ""))} for step in row.steps]
            row.save(update_fields=["steps"])


def _known(template):
    for gap, placeholder in WORDS.items():
        template = template.replace(gap, placeholder)
    return template


class Migration(migrations.Migration):

    dependencies = [
        ('followups', '0003_cold_requests'),
        ('netcrm', '0004_the_idea_in_the_digest'),
    ]

    operations = [
        migrations.AddField(
            model_name='followup',
            name='facts',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name='interaction',
            name='outcome',
            field=models.CharField(choices=[('no_answer', 'No answer'), ('busy', 'Busy'), ('voicemail', 'Left voicemail'), ('sent', 'Sent'), ('replied', 'Replied'), ('talked', 'Talked'), ('arranged', 'Arranged a meeting'), ('met', 'Met'), ('out_of_office', 'Out of office'), ('bounced', 'E-mail came back'), ('noted', 'Noted'), ('gave', 'Gave something'), ('introduced', 'Introduced')], max_length=13),
        ),
        migrations.RunPython(hand_out_playbooks, migrations.RunPython.noop),
        migrations.RunPython(name_what_is_known, migrations.RunPython.noop),
    ]
