from django.db import migrations

BATCH = 20_000
# What `Contact.searchable` writes, for every row at once: names on a line of their own, and now
# also telephone numbers, links and other details.
FUNCTION = r"""
CREATE OR REPLACE FUNCTION pg_temp.searched(text) RETURNS text LANGUAGE sql AS $$
    SELECT btrim(regexp_replace(lower(unaccent(translate($1, '''’‘ʼ`´-‐‑–', ''))), '\s+', ' ', 'g'))
$$;
"""
WRITE = r"""
UPDATE contacts_contact AS contact SET search_text = concat(
    pg_temp.searched(name), E'\t',
    pg_temp.searched(coalesce(
        (SELECT name FROM contacts_organisation WHERE id = organisation_id), '')), E'\n',
    pg_temp.searched(concat_ws(' ',
        role,
        (SELECT string_agg(address, ' ') FROM contacts_contactemail
            WHERE contact_id = contact.id),
        (SELECT string_agg(tag.name, ' ') FROM contacts_contacttag
            JOIN contacts_tag AS tag ON tag.id = tag_id WHERE contact_id = contact.id),
        (SELECT string_agg(topic.name, ' ') FROM contacts_contacttopic
            JOIN contacts_topic AS topic ON topic.id = topic_id WHERE contact_id = contact.id),
        (SELECT string_agg(regexp_replace(number, '\D', '', 'g'), ' ')
            FROM contacts_contactphone WHERE contact_id = contact.id),
        how_met, seeks, offers, notes,
        (SELECT string_agg(regexp_replace(url, '^\w+://(www\.)?', ''), ' ')
            FROM contacts_contactlink WHERE contact_id = contact.id),
        (SELECT string_agg(line->>0, ' ') FROM jsonb_array_elements(details) AS line)
    ))
) WHERE id >= %s AND id < %s
"""


def write(apps, schema_editor):
    """Write what people are searched by, a few thousand rows at a time."""
    people = apps.get_model("contacts", "Contact").objects
    last = people.order_by("-pk").values_list("pk", flat=True).first() or 0
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        for start in range(0, last + 1, BATCH):
            cursor.execute(WRITE, [start, start + BATCH])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0007_words")]
    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
