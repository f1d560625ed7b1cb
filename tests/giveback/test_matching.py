"""Who could use what: ranking, reasons, what is never proposed, and how much it costs."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts.models import ContactTopic
from giveback import giving, matching
from giveback.models import Dismissed, Kind, ShelfKind
from tests.factories import make_contact, make_item

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 9)
SEEKS, OFFERS = ContactTopic.Side.SEEKS, ContactTopic.Side.OFFERS


def person(owner, name, seeks=(), offers=(), **fields):
    contact = make_contact(owner, name, **fields)
    contact.set_topics(SEEKS, seeks)
    contact.set_topics(OFFERS, offers)
    return contact


def names(matches):
    """Return matches in short: (who seeks, title or who offers)."""
    return [(match.contact.name, str(match.item or match.other)) for match in matches]


def gave(contact, days_ago, **fields):
    on = contact.owner.today() - timedelta(days=days_ago)
    return giving.give(contact, Kind.THANKS, "A word of thanks", on, **fields)


def test_the_shelf_meets_who_looks_for_it(alice, bob):
    article = make_item(alice, topics=["Data stories", "charts"])
    ingrid = person(alice, "Ingrid Solberg", seeks=["data stories"])
    person(alice, "Daniel", offers=["data stories"])
    person(alice, "Priya", seeks=["grids"])
    person(bob, "Theirs", seeks=["data stories"])
    [match] = matching.items(alice, DAY, 10)
    assert (match.kind, match.contact, match.item, match.other) == ("item", ingrid, article, None)
    assert match.reason == (
        "Ingrid looks for Data stories; you have not given Ingrid anything yet."
    )


def test_more_topics_come_first_then_who_waited_longest_and_never_first_of_all(alice):
    make_item(alice, topics=["a", "b"])
    for name, seeks, days_ago in (
        ("Lately", ["a"], 3),
        ("Long ago", ["a"], 300),
        ("Never", ["a"], None),
        ("Both", ["a", "b"], 1),
    ):
        contact = person(alice, name, seeks=seeks)
        if days_ago:
            gave(contact, days_ago)
    found = matching.items(alice, alice.today(), 10)
    assert [match.contact.name for match in found] == ["Both", "Never", "Long ago", "Lately"]
    assert "looks for a and b; you last gave Both something on " in found[0].reason


def test_what_was_received_is_no_gift(alice):
    make_item(alice, topics=["a"])
    ruth = person(alice, "Ruth", seeks=["a"])
    giving.receive(ruth, Kind.ADVICE, "Advice", alice.today())
    [match] = matching.items(alice, DAY, 10)
    assert "not given Ruth anything" in match.reason


def test_two_who_should_meet(alice):
    beatriz = person(alice, "Beatriz Costa", seeks=["learning design"])
    daniel = person(alice, "Daniel Reyes", offers=["Learning design"])
    [match] = matching.pairs(alice, DAY, 10)
    assert (match.contact, match.other) == (beatriz, daniel)
    assert match.reason == (
        "Beatriz looks for learning design, and Daniel knows about it;"
        " you have not given Beatriz anything yet."
    )


def test_two_who_look_for_each_other_are_one_pair(alice):
    person(alice, "Ada", seeks=["a"], offers=["b", "c"])
    person(alice, "Ben", seeks=["b", "c"], offers=["a"])
    assert names(matching.pairs(alice, DAY, 10)) == [("Ben", "Ada")]


def test_nobody_meets_themselves_or_who_they_know(alice):
    person(alice, "Alone", seeks=["a"], offers=["a"])
    ruth = person(alice, "Ruth", offers=["b"])
    person(alice, "Led", seeks=["b"], introduced_by=ruth)
    tom = person(alice, "Tom", seeks=["c"])
    person(alice, "Led too", offers=["c"], introduced_by=tom)
    assert names(matching.pairs(alice, DAY, 10)) == []


@pytest.mark.parametrize("field", [{"archived_at": "2026-01-01T00:00Z"}, {"do_not_contact": True}])
def test_who_is_put_away_or_left_alone_is_not_proposed(alice, field):
    make_item(alice, topics=["a"])
    person(alice, "Gone", seeks=["a"], **field)
    person(alice, "Here", offers=["a"])
    assert matching.best(alice, DAY, 10) == []
    person(alice, "Gone too", offers=["b"], **field)
    person(alice, "Here too", seeks=["b"])
    assert matching.best(alice, DAY, 10) == []


def test_the_same_thing_is_not_given_twice(alice):
    article = make_item(alice, topics=["a"])
    ingrid, tom = person(alice, "Ingrid", seeks=["a"]), person(alice, "Tom", seeks=["a"])
    gave(ingrid, 1, item=article)
    assert [match.contact for match in matching.items(alice, DAY, 10)] == [tom]
    giving.promise(tom, Kind.ARTICLE, "It", alice.today(), item=article)
    assert matching.items(alice, DAY, 10) == []


def test_what_is_off_the_shelf_is_not_proposed(alice):
    person(alice, "Ingrid", seeks=["a"])
    article = make_item(alice, topics=["a"])
    article.archive()
    assert matching.items(alice, DAY, 10) == []
    article.restore()
    assert len(matching.items(alice, DAY, 10)) == 1


def test_nobody_is_told_about_themselves(alice):
    ingrid, tom = person(alice, "Ingrid", seeks=["a"]), person(alice, "Tom", seeks=["a"])
    make_item(alice, "Ingrid", topics=["a"], kind=ShelfKind.PERSON, contact=ingrid)
    [match] = matching.items(alice, DAY, 10)
    assert (match.contact, match.friend) == (tom, ingrid)


def test_dismissed_for_good_until_proposed_again(alice):
    article = make_item(alice, topics=["a"])
    ingrid, ben = person(alice, "Ingrid", seeks=["a"]), person(alice, "Ben", offers=["a"])
    assert len(matching.best(alice, DAY, 10)) == 2
    for _ in range(2):
        matching.dismiss_item(article, ingrid)
        matching.dismiss_pair(alice, ben, ingrid)
    assert Dismissed.objects.count() == 2
    assert matching.best(alice, DAY, 10) == []
    matching.propose_item(article, ingrid)
    assert names(matching.best(alice, DAY, 10)) == [("Ingrid", article.title)]
    matching.propose_pair(alice, ingrid, ben)
    assert len(matching.best(alice, DAY, 10)) == 2


def test_the_best_of_both_kinds(alice):
    make_item(alice, topics=["a"])
    person(alice, "Ingrid", seeks=["a"])
    person(alice, "Beatriz", seeks=["b", "c"])
    person(alice, "Daniel", offers=["b", "c"])
    assert [match.kind for match in matching.best(alice, DAY, 10)] == ["pair", "item"]
    assert [match.kind for match in matching.best(alice, DAY, 1)] == ["pair"]
    assert len({match.key for match in matching.best(alice, DAY, 10)}) == 2


def test_of_both_kinds_too_who_was_never_given_anything_comes_first(alice):
    make_item(alice, topics=["a"])
    gave(person(alice, "Given", seeks=["a"]), 300)
    person(alice, "Never", seeks=["b"])
    person(alice, "Daniel", offers=["b"])
    assert [match.contact.name for match in matching.best(alice, DAY, 10)] == ["Never", "Given"]


def test_for_one_contact_what_they_seek_and_what_they_offer(alice):
    article = make_item(alice, topics=["a"])
    ada = person(alice, "Ada", seeks=["a", "b"], offers=["c"])
    person(alice, "Ben", offers=["b"])
    person(alice, "Cy", seeks=["c"])
    person(alice, "Else", seeks=["a"], offers=["z"])
    found = names(matching.for_contact(ada, DAY, 10))
    assert sorted(found) == [("Ada", "Ben"), ("Ada", article.title), ("Cy", "Ada")]


def test_as_many_queries_for_3_as_for_30(alice):
    counts = []
    for number in range(30):
        make_item(alice, f"Thing {number}", topics=["a", "b"])
        person(alice, f"Seeks {number}", seeks=["a", "b"])
        person(alice, f"Offers {number}", offers=["a"])
        if number in {2, 29}:
            with CaptureQueriesContext(connection) as queries:
                assert len(matching.best(alice, DAY, 50)) == {2: 18, 29: 50}[number]
            counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_one_query_tells_that_nobody_looks_for_what_is_there(alice, django_assert_num_queries):
    make_item(alice, topics=["a"])
    person(alice, "Ada", seeks=["b"])
    person(alice, "Ben", offers=["c"])
    with django_assert_num_queries(1):
        assert matching.best(alice, DAY, 10) == []
