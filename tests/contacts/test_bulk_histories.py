"""Whatever is changed at one stroke, undone in reverse order the notebook is as it was."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contacts import bulk
from contacts.models import (
    BulkChange,
    BulkRow,
    Contact,
    ContactTag,
    ContactTopic,
    Organisation,
    Tag,
    Topic,
)
from tests.factories import make_contact, make_user

PEOPLE = 4
words = st.sampled_from(["Aster", "Birch", "alumni", "mentors", "Łukasz", "", "a b"])
names = words.filter(bool)
edits = st.fixed_dictionaries(
    {},
    optional={
        "fields": st.fixed_dictionaries(
            {},
            optional={
                "role": words,
                "organisation": words,
                "how_met": words,
                "notes": words,
                "rhythm_days": st.sampled_from([None, 7, 42]),
                "known_since": st.sampled_from([None, "2020-02-29"]),
                "time_zone": st.sampled_from(["", "Europe/Vienna"]),
                "introduced_by": st.none() | st.integers(0, PEOPLE - 1),
            },
        ),
        "add": st.fixed_dictionaries({}, optional={"notes": words, "seeks": words}),
        "tags": st.lists(names, max_size=2),
        "untags": st.lists(names, max_size=2),
        "topics": st.fixed_dictionaries({}, optional={"seeks": st.lists(names, max_size=2)}),
    },
)
changes = st.one_of(
    st.tuples(st.just("edit"), edits),
    st.tuples(st.sampled_from(["archive", "restore"]), st.just({})),
)
strokes = st.tuples(changes, st.sets(st.integers(0, PEOPLE - 1), min_size=1), st.booleans())


def notebook():
    """Return everything that a bulk change may touch, but for the record of it."""
    contacts = [
        {name: value for name, value in row.items() if name != "updated_at"}
        for row in Contact.objects.order_by("pk").values()
    ]
    links = [
        sorted(ContactTag.objects.values_list("contact", "tag__name")),
        sorted(ContactTopic.objects.values_list("contact", "side", "topic__name")),
    ]
    labels = [sorted(model.objects.values_list("name")) for model in (Organisation, Tag, Topic)]
    return contacts, links, labels


class Undone(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(strokes, max_size=5))
    def test_undone_in_reverse_order_everything_is_as_before(self, history):
        owner = make_user("alice@example.org")
        people = [make_contact(owner, f"Person {nth}") for nth in range(PEOPLE)]
        aster = Organisation.objects.create(owner=owner, name="Aster")
        Contact.objects.filter(pk=people[0].pk).update(organisation=aster, notes="Likes tea")
        for person in people[:2]:
            person.tag("alumni")
            person.set_topics("seeks", ["Aster"])
        Contact.objects.reindex()
        before, done = notebook(), []
        for (verb, asked), whom, by_celery in history:
            asked = with_ids(asked, people)
            with suppress(bulk.CannotChange):
                done.append(start(owner, verb, asked, [people[nth].pk for nth in whom], by_celery))
        for change in reversed(done):
            change.refresh_from_db()
            assert change.state == BulkChange.State.DONE
            assert bulk.undo(change) or not change.changed
            assert change.changed == 0
        assert notebook() == before
        assert not BulkRow.objects.exclude(after={}).exists()


def with_ids(asked, people):
    nth = asked.get("fields", {}).get("introduced_by")
    if nth is None:
        return asked
    return asked | {"fields": asked["fields"] | {"introduced_by": people[nth].pk}}


def start(owner, verb, asked, ids, by_celery):
    at_once, bulk.Verb.at_once = bulk.Verb.at_once, 0 if by_celery else 10
    try:
        change = bulk.start(owner, verb, asked, ids)
    finally:
        bulk.Verb.at_once = at_once
    bulk.run_changes()
    return change
