"""Lists that are kept under a name."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from contacts.models import Organisation, SavedView, Tag, Topic

# What the address of a list calls them; no list asks for a topic.
CALLED = {Tag: "tagged", Organisation: "at"}
LONGEST: Any = SavedView._meta.get_field("query").max_length


def follow(row: Organisation | Tag | Topic, old: str) -> None:
    """Let the lists that ask for a row by its old name ask for it by the new one. A list that would
    then be too long to keep stays as it is."""
    wanted = (CALLED.get(type(row)), old.lower())
    for view in SavedView.objects.for_user(row.owner_id):
        asked = parse_qsl(view.query.removeprefix("?"))
        renamed = [
            (name, row.name if (name, value.lower()) == wanted else value) for name, value in asked
        ]
        query = f"?{urlencode(renamed)}"
        if renamed != asked and len(query) <= LONGEST:
            view.query = query
            view.save(update_fields=["query"])
