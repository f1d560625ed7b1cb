from django.db import migrations

VERDICTS = {"create": "create", "duplicate": "known", "skip": "skip"}


def rows_of_unfinished_imports(apps, schema_editor):
    """Let imports that are not worked off go on: their plan becomes rows."""
    Row = apps.get_model("contacts", "ImportRow")
    jobs = apps.get_model("contacts", "ImportJob").objects.exclude(state__in=["done", "failed"])
    for job in jobs.iterator():
        rows = [_row(Row, job, number, entry) for number, entry in enumerate(job.plan, 1)]
        Row.objects.bulk_create(rows, batch_size=500)
    # What is checked at commit is checked now: a table with checks ahead cannot be altered.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _row(Row, job, number, entry):
    lines = {"emails": [[entry["email"], ""]] if "email" in entry else []}
    lines["links"] = [[entry["link"], "LinkedIn"]] if "link" in entry else []
    card = {name: entry[name] for name in ("row", "name", "organisation", "role") if name in entry}
    card |= {"known_since": entry["on"]} if "on" in entry else {}
    card |= {"how_met": "Connected on LinkedIn", **{k: v for k, v in lines.items() if v}}
    return Row(
        owner_id=job.owner_id,
        job=job,
        number=number,
        card=card,
        verdict=VERDICTS[entry["verdict"]],
        why=entry.get("why", "")[:300],
    )


class Migration(migrations.Migration):
    dependencies = [("contacts", "0004_imports_and_twins")]
    operations = [
        migrations.RunPython(rows_of_unfinished_imports, migrations.RunPython.noop),
        migrations.RemoveField(model_name="importjob", name="plan"),
    ]
