from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Collate, Left

NAMES = models.Func(
    "search_text",
    models.Value("\n"),
    models.Value(1),
    function="split_part",
    output_field=models.TextField(),
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0008_found_by_everything")]
    operations = [
        # On a large installation an index takes longer than a page may.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                "owner", Collate(Left("search_text", 60), "C"), "id", name="contact_alphabetical"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=GinIndex(
                OpClass("owner_id", "int8_ops"),
                OpClass("search_text", "gin_trgm_ops"),
                name="contact_search",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=GinIndex(
                OpClass("owner_id", "int8_ops"),
                OpClass(NAMES, "gin_trgm_ops"),
                name="contact_names",
            ),
        ),
    ]
