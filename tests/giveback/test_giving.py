"""What happens to gifts: given, promised, received, kept, moved, let go, and all of it undone."""

import uuid
from datetime import timedelta

import pytest

from followups import undoing
from followups.models import Ending, Interaction, Outcome, Via
from followups.models import State as Pursued
from followups.planning import CannotDo
from giveback import giving
from giveback.models import Direction, GiveBack, Kind, ShelfItem, State
from tests.factories import make_contact, make_follow_up, make_item
from tests.followups.doing import answer, at_once, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def days(contact, number):
    return contact.owner.today() + timedelta(days=number)


def everything(contact):
    """Return all that a verb may touch, to compare."""
    return picture(contact) | {"gifts": list(contact.give_backs.order_by("pk").values())}


def undo_newest(contact):
    return undoing.undo(contact.actions.filter(undone_at=None).latest("pk"))


def test_what_was_given_stands_in_the_story(aiko):
    article, on = make_item(aiko.owner), days(aiko, -3)
    gift = giving.give(
        aiko, Kind.ARTICLE, "On grids", on, url="https://example.org", note="For you", item=article
    )
    gift.refresh_from_db()
    assert (gift.state, gift.done_on, gift.item, gift.direction) == (
        State.DONE,
        on,
        article,
        Direction.GIVEN,
    )
    assert (gift.interaction.outcome, gift.interaction.on) == (Outcome.GAVE, on)
    assert gift.interaction.note == "For you"
    assert aiko.actions.get().said == "You gave Aiko: On grids"


def test_giving_answers_nothing_and_is_no_try(aiko):
    follow_up = make_follow_up(aiko)
    giving.give(aiko, Kind.THANKS, "Thanks", days(aiko, 0))
    follow_up.refresh_from_db()
    assert (follow_up.state, follow_up.attempts) == (Pursued.ACTIVE, 0)


def test_receiving_is_an_answer(aiko):
    follow_up = make_follow_up(aiko)
    gift = giving.receive(aiko, Kind.ADVICE, "Whom to ask", days(aiko, 0))
    follow_up.refresh_from_db()
    assert follow_up.ending == Ending.REPLIED
    assert (gift.direction, gift.state) == (Direction.RECEIVED, State.DONE)
    assert aiko.actions.latest("pk").said.startswith("Aiko gave you: Whom to ask. Aiko replied.")


def test_two_gifts_of_one_meeting_are_both_remembered(aiko):
    met = answer(aiko, Outcome.MET).interaction
    first, second = (
        giving.receive(aiko, Kind.TIME, what, met.on, interaction=met) for what in ("A", "B")
    )
    assert (first.interaction, second.interaction) == (met, None)
    assert Interaction.objects.count() == 1


@pytest.mark.parametrize("verb", ["give", "receive", "promise", "have_idea"])
def test_the_same_key_is_one_gift(aiko, verb):
    key, day = uuid.uuid4(), {"have_idea": ()}.get(verb, (days(aiko, 0),))
    gifts = [getattr(giving, verb)(aiko, Kind.TIME, "An hour", *day, key=key) for _ in range(2)]
    assert gifts[0].pk == gifts[1].pk
    assert GiveBack.objects.count() == 1
    assert Interaction.objects.count() == (verb in {"give", "receive"})


def test_a_promise_asks_from_its_day_on_soonest_first(aiko, bob):
    later, sooner = (
        giving.promise(aiko, Kind.ARTICLE, what, days(aiko, number))
        for what, number in (("Later", 2), ("Sooner", -1))
    )
    giving.have_idea(aiko, Kind.TIME, "One day")
    giving.promise(make_contact(bob), Kind.TIME, "Theirs", days(aiko, 0))
    mine = GiveBack.objects.for_user(aiko.owner)
    assert list(mine.due(days(aiko, 0))) == [sooner]
    assert list(mine.due(days(aiko, 2))) == [sooner, later]
    assert sooner.days_past(days(aiko, 0)) == 1


def test_a_kept_promise_asks_no_more(aiko):
    gift = giving.promise(aiko, Kind.ARTICLE, "On grids", days(aiko, 0), note="As promised")
    action = giving.keep(gift, days(aiko, -1), via=Via.MAIL)
    gift.refresh_from_db()
    assert (gift.state, gift.interaction.note) == (State.DONE, "As promised")
    assert (action.said, action.via) == ("You gave Aiko: On grids", Via.MAIL)
    assert not GiveBack.objects.due(days(aiko, 5))
    assert giving.keep(gift, days(aiko, 0)) == action
    gift.refresh_from_db()
    assert gift.done_on == days(aiko, -1)
    assert Interaction.objects.count() == 1


def test_another_day_and_an_idea_becomes_a_promise(aiko):
    gift = giving.have_idea(aiko, Kind.ARTICLE, "On grids")
    assert giving.move(gift, days(aiko, 4)) == giving.move(gift, days(aiko, 4))
    gift.refresh_from_db()
    assert (gift.state, gift.due_on) == (State.PROMISED, days(aiko, 4))
    with pytest.raises(CannotDo, match="today or a day to come"):
        giving.move(gift, days(aiko, -1))


def test_let_go_asks_no_more(aiko):
    gift = giving.promise(aiko, Kind.ARTICLE, "On grids", days(aiko, 0))
    assert giving.let_go(gift) == giving.let_go(gift)
    gift.refresh_from_db()
    assert gift.state == State.LET_GO
    assert not GiveBack.objects.due(days(aiko, 5))


def test_what_was_given_stays(aiko):
    gift = giving.give(aiko, Kind.ARTICLE, "On grids", days(aiko, 0))
    for verb in (lambda: giving.move(gift, days(aiko, 1)), lambda: giving.let_go(gift)):
        with pytest.raises(CannotDo, match="given already"):
            verb()


def test_what_is_gone_cannot_be_kept(aiko):
    gift = giving.promise(aiko, Kind.ARTICLE, "On grids", days(aiko, 0))
    GiveBack.objects.all().delete()
    with pytest.raises(CannotDo, match="no longer in your notebook"):
        giving.keep(gift, days(aiko, 0))


@pytest.mark.parametrize(
    "verb",
    [
        lambda gift, aiko: giving.keep(gift, days(aiko, 0)),
        lambda gift, aiko: giving.move(gift, days(aiko, 9)),
        lambda gift, aiko: giving.let_go(gift),
        lambda gift, aiko: giving.give(aiko, Kind.TIME, "An hour", days(aiko, 0)),
        lambda gift, aiko: giving.receive(aiko, Kind.TIME, "An hour", days(aiko, 0)),
    ],
)
def test_undo_puts_everything_back(aiko, verb):
    make_follow_up(aiko)
    gift = giving.promise(aiko, Kind.ARTICLE, "On grids", days(aiko, 3))
    before = everything(aiko)
    verb(gift, aiko)
    assert everything(aiko) != before
    undo_newest(aiko)
    assert everything(aiko) == before
    # And once more: what was undone may be done again.
    verb(gift, aiko)
    assert everything(aiko) != before


def test_undo_of_what_was_given_to_two_at_one_stroke(alice, aiko):
    ben = make_contact(alice, "Ben")
    first = giving.give(aiko, Kind.CONNECTION, "Each other", days(aiko, 0))
    main = first.interaction.actions.get()
    giving.give(ben, Kind.CONNECTION, "Each other", days(aiko, 0), beside=main)
    undo_newest(aiko)
    assert not GiveBack.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_keep_it_once(alice):
    aiko = make_contact(alice, "Aiko")
    gift, today = giving.promise(aiko, Kind.TIME, "An hour", days(aiko, 0)), days(aiko, 0)
    actions = at_once(*[lambda: giving.keep(gift, today)] * 4)
    assert len({action.pk for action in actions}) == 1
    assert Interaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_twice_at_the_same_moment_is_one_gift(alice):
    aiko, key = make_contact(alice, "Aiko"), uuid.uuid4()
    today = days(aiko, 0)
    at_once(*[lambda: giving.give(aiko, Kind.TIME, "An hour", today, key=key)] * 4)
    assert GiveBack.objects.count() == Interaction.objects.count() == 1


def test_search_finds_every_word_without_accents(alice, bob, aiko):
    giving.have_idea(aiko, Kind.ARTICLE, "Énergie verte", note="from the fair")
    giving.have_idea(make_contact(bob), Kind.ARTICLE, "energie verte")
    mine = GiveBack.objects.for_user(alice)
    for words, found in (("energie fair", 1), ("AIKO vert", 1), ("energie gray", 0), ("%", 0)):
        assert mine.search(words).count() == found, words


def test_the_shelf_is_searched_by_topic_too(alice):
    make_item(alice, "Über Netze", topics=["grid planning", "grids"], text="A talk")
    for words, found in (("uber grid", 1), ("planning talk", 1), ("planning walk", 0)):
        assert ShelfItem.objects.for_user(alice).search(words).count() == found, words
