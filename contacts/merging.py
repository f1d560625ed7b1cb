"""Two entries for one person become one: what this room knows of them."""

from django.db.models import Exists, OuterRef

from contacts.models import Contact, ContactTag, ContactTopic

LINES = ("emails", "phones", "links")
FILLED = (
    "organisation_id",
    "role",
    "how_met",
    "introduced_by_id",
    "known_since",
    "seeks",
    "offers",
    "time_zone",
    "rhythm_days",
)


def absorb(kept: Contact, other: Contact) -> None:
    """Give `kept` everything of `other` that it lacks, and delete `other`. Notes are joined, a wish
    to be left alone holds for both. Whatever else points to `other` must have been moved before.
    The caller holds the locks of both."""
    for name in FILLED:
        if not getattr(kept, name):
            setattr(kept, name, getattr(other, name))
    if kept.introduced_by_id in {kept.pk, other.pk}:
        kept.introduced_by_id = None
    kept.notes = "\n\n".join(filter(None, [kept.notes, other.notes]))
    kept.do_not_contact |= other.do_not_contact
    days = [kept.last_interaction_on, other.last_interaction_on]
    kept.last_interaction_on = max(filter(None, days), default=None)
    kept.save()
    for name in LINES:
        getattr(other, name).update(contact=kept)
    known = ContactTag.objects.filter(contact=kept).values("tag")
    ContactTag.objects.filter(contact=other).exclude(tag__in=known).update(contact=kept)
    same = ContactTopic.objects.filter(contact=kept, topic=OuterRef("topic"), side=OuterRef("side"))
    ContactTopic.objects.filter(~Exists(same), contact=other).update(contact=kept)
    other.led_to.exclude(pk=kept.pk).update(introduced_by=kept)
    other.delete()
    kept.reindex()
