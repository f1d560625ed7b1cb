"""Topics that mean the same become one, with everybody and everything that has them."""

from django.db import transaction

from contacts.models import Contact, ContactTopic, Topic
from giveback.models import ShelfTopic


@transaction.atomic
def merge_topics(kept: Topic, others: list[Topic]) -> None:
    """Give everybody and everything that has one of the others the kept topic instead, and delete
    the others. A constant number of queries."""
    others = [topic for topic in others if topic.pk != kept.pk]
    sides = ContactTopic.objects.filter(topic__in=others)
    people = [row.contact_id for row in sides]
    ContactTopic.objects.bulk_create(
        [
            ContactTopic(
                owner_id=kept.owner_id, topic=kept, contact_id=row.contact_id, side=row.side
            )
            for row in sides
        ],
        ignore_conflicts=True,
    )
    ShelfTopic.objects.bulk_create(
        [
            ShelfTopic(owner_id=kept.owner_id, topic=kept, item_id=row.item_id)
            for row in ShelfTopic.objects.filter(topic__in=others)
        ],
        ignore_conflicts=True,
    )
    Topic.objects.filter(pk__in=[topic.pk for topic in others]).delete()
    Contact.objects.filter(pk__in=people).reindex()
