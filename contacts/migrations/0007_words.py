from django.db import migrations

# Words as they are typed, in any language: no stemming, no stop words, no accents.
CREATE = """
    CREATE TEXT SEARCH CONFIGURATION netcrm (COPY = simple);
    ALTER TEXT SEARCH CONFIGURATION netcrm
        ALTER MAPPING FOR word, numword, hword, numhword, hword_part, hword_numpart
        WITH unaccent, simple;
"""
DROP = "DROP TEXT SEARCH CONFIGURATION netcrm"


class Migration(migrations.Migration):
    """Full text search. What people are searched by is written anew in the next migration, without
    its indexes: making them again after it is far quicker."""

    dependencies = [("contacts", "0006_bulk_changes_and_lists")]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.RemoveIndex(model_name="contact", name="contact_alphabetical"),
        migrations.RemoveIndex(model_name="contact", name="contact_search"),
    ]
