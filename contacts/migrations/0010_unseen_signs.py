from django.db import migrations

# Soft hyphens, marks of direction and the like, which no search looks for any more.
UNSEEN = r"[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]"
TAKE_OUT = """
SET LOCAL statement_timeout = 0;
UPDATE contacts_contact SET search_text = regexp_replace(search_text, '{unseen}', '', 'g')
WHERE search_text ~ '{unseen}'
""".format(unseen=UNSEEN)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0009_indexes_of_the_search")]
    operations = [migrations.RunSQL(TAKE_OUT, migrations.RunSQL.noop)]
