"""The room: its page, giving, receiving, the rows that answer in place, the shelf, the matches."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactEmail
from followups.models import Interaction
from giveback import giving, matching
from giveback.models import Dismissed, GiveBack, Kind, ShelfItem, ShelfKind, State
from giveback.templatetags.giveback import balance
from tests.factories import make_contact, make_item
from tests.giveback.test_matching import person

pytestmark = pytest.mark.django_db
ROOM, NEW = "/giving/", "/giving/new/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def promise(contact, days=0, what="On grids"):
    return giving.promise(contact, Kind.ARTICLE, what, contact.owner.today() + timedelta(days=days))


def filled(**fields):
    """Return what the browser posts."""
    kind = {"who": "Aiko Tanabe", "kind": "article", "what": "On grids", "when": "given"}
    return kind | {"key": str(uuid.uuid4())} | fields


def url(gift, action):
    return reverse(f"giveback:gift_{action}", args=[gift.pk])


def shown(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def refused(response):
    assert response.status_code == 422
    return response.content.decode()


# The page


def test_the_first_visit(alice_client):
    page = shown(alice_client.get(ROOM))
    assert "Who was kind to you last month?" in page
    assert page.split('<dialog id="log"')[0].count("primary") == 1


def test_everything_stands_on_the_page(alice, alice_client, aiko, bob):
    promise(aiko, -2)
    promise(make_contact(bob), what="Theirs")
    giving.have_idea(aiko, Kind.TIME, "An hour of listening")
    giving.give(aiko, Kind.THANKS, "A card", alice.today())
    giving.receive(aiko, Kind.ADVICE, "Whom to ask", alice.today())
    make_item(alice, "My way out of audits", topics=["career change"])
    aiko.set_topics("seeks", ["career change"])
    page = shown(alice_client.get(ROOM))
    for words in (
        "On grids",
        "2 days past",
        "An hour of listening",
        "You gave <strong>",
        "Whom to ask",
        "My way out of audits",
        "Aiko looks for career change; you last gave Aiko something on",
    ):
        assert words in page
    assert "Theirs" not in page


def test_promises_stand_soonest_first(alice_client, aiko):
    for days, what in ((9, "Third"), (-3, "First"), (0, "Second")):
        promise(aiko, days, what)
    page = shown(alice_client.get(ROOM))
    assert page.index("First") < page.index("Second") < page.index("Third")


def test_search(alice, alice_client, aiko):
    giving.have_idea(aiko, Kind.ARTICLE, "Énergie verte")
    giving.have_idea(aiko, Kind.ARTICLE, "Quiet places")
    make_item(alice, "On wind", topics=["énergie"])
    page = shown(alice_client.get(ROOM, {"q": "energie"}))
    assert "Énergie verte" in page
    assert "On wind" in page
    assert "Quiet places" not in page
    assert "Nothing with “xyz”" in shown(alice_client.get(ROOM, {"q": "xyz"}))


@pytest.mark.parametrize("show", ["promises", "ideas", "matches", "story", "shelf", "away"])
def test_a_part_alone_says_so_when_it_is_empty(alice_client, show):
    assert 'id="nothing"' in shown(alice_client.get(ROOM, {"show": show}))


def test_a_long_part_has_pages(alice_client, aiko):
    for number in range(55):
        giving.have_idea(aiko, Kind.TIME, f"Idea {number}!")
    page = shown(alice_client.get(ROOM, {"show": "ideas"}))
    assert "Idea 54!" in page
    assert "Idea 4!" not in page
    assert "?show=ideas&amp;page=2" in page
    assert "Idea 4!" in shown(alice_client.get(ROOM, {"show": "ideas", "page": 2}))
    assert "Idea 54!" in shown(alice_client.get(ROOM, {"show": "ideas", "page": "x"}))


@pytest.mark.parametrize("query", ["", "?q=a", "?show=matches", "?show=shelf", "?show=story"])
def test_as_many_queries_for_3_as_for_30(alice, alice_client, query):
    counts = []
    for number in range(30):
        one = person(alice, f"A {number}", seeks=["a"], offers=["b"])
        person(alice, f"B {number}", seeks=["b"])
        item = make_item(alice, f"A {number}", topics=["a", "c"])
        promise(one)
        giving.have_idea(one, Kind.TIME, "An hour")
        giving.give(one, Kind.TIME, "A word", alice.today())
        if number % 10 == 2:
            matching.dismiss_item(item, one)
        if number in {2, 29}:
            with CaptureQueriesContext(connection) as queries:
                shown(alice_client.get(ROOM + query))
            counts.append(len(queries))
    assert counts[0] == counts[1]


# Giving


def test_what_was_given_today(alice, alice_client, aiko):
    response = alice_client.post(NEW, filled(url="example.org/grids", note="For you"))
    assert response["Location"] == aiko.get_absolute_url()
    gift = GiveBack.objects.get()
    assert (gift.owner, gift.contact, gift.state) == (alice, aiko, State.DONE)
    assert (gift.done_on, gift.url) == (alice.today(), "https://example.org/grids")
    assert "You gave Aiko: On grids" in shown(alice_client.get(aiko.get_absolute_url()))


def test_promised_and_just_an_idea(alice, alice_client, aiko):
    on = alice.today() + timedelta(days=3)
    alice_client.post(NEW, filled(when="promised", on=on))
    alice_client.post(NEW, filled(when="idea", what="One day"))
    idea, promised = GiveBack.objects.order_by("-id")
    assert (promised.state, promised.due_on) == (State.PROMISED, on)
    assert (idea.state, idea.due_on) == (State.IDEA, None)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"who": ""}, "Write a name."),
        ({"who": "Nobody Known"}, "Nobody of that name is in your notebook."),
        ({"what": " "}, "Write in a few words what it is."),
        ({"url": "no address"}, "Write a web address"),
        ({"when": "promised"}, "A promise has a date"),
        ({"when": "promised", "on": "2020-01-01"}, "Choose today or a day to come"),
        ({"when": "given", "on": "2999-01-01"}, "That day has not come yet."),
        ({"when": ""}, "Choose how far it is."),
        ({"kind": "gold"}, "Select a valid choice"),
    ],
)
def test_errors_are_sentences(alice_client, aiko, fields, sentence):
    assert sentence in refused(alice_client.post(NEW, filled(**fields)))
    assert not GiveBack.objects.exists()


def test_the_same_form_sent_twice_is_one_gift(alice_client, aiko):
    data = filled()
    for _ in range(2):
        assert alice_client.post(NEW, data).status_code == 302
    assert GiveBack.objects.count() == Interaction.objects.count() == 1


def test_two_of_one_name_are_told_apart_by_where_one_came_from(alice, alice_client, aiko):
    other = make_contact(alice, "Aiko Tanabe")
    assert "You know 2 people of that name" in refused(alice_client.post(NEW, filled()))
    alice_client.post(f"{NEW}?contact={other.pk}", filled())
    assert GiveBack.objects.get().contact == other


def test_from_the_shelf_with_a_draft(alice, alice_client, aiko):
    ContactEmail.objects.create(owner=alice, contact=aiko, address="aiko@example.org")
    item = make_item(alice, url="https://example.org/stories", text="Seven examples.")
    page = shown(alice_client.get(NEW, {"contact": aiko.pk, "item": item.pk}))
    assert 'value="Data stories that stick"' in page
    assert "mailto:aiko@example.org?subject=Data%20stories%20that%20stick&amp;body=Hello" in page
    assert "Seven examples." in page
    assert not GiveBack.objects.exists()
    alice_client.post(f"{NEW}?contact={aiko.pk}&item={item.pk}", filled(item=item.pk))
    assert GiveBack.objects.get().item == item


def test_without_an_address_the_draft_says_so(alice, alice_client, aiko):
    query = {"contact": aiko.pk, "item": make_item(alice).pk}
    assert "There is no e-mail address of Aiko" in shown(alice_client.get(NEW, query))


def test_nothing_of_somebody_else(bob, bob_client, alice, aiko):
    item = make_item(alice)
    for query in ({"contact": aiko.pk}, {"item": item.pk}):
        assert bob_client.get(NEW, query).status_code == 404
    make_contact(bob, "Ben")
    assert refused(bob_client.post(NEW, filled(who="Ben", item=item.pk)))
    assert refused(bob_client.post(NEW, filled(who="Aiko Tanabe")))
    assert not GiveBack.objects.exists()


def test_what_was_received(alice, alice_client, aiko):
    on = alice.today() - timedelta(days=2)
    form = filled(kind="time", what="An hour", on=on)
    response = alice_client.post("/giving/received/", form)
    assert response["Location"] == aiko.get_absolute_url()
    gift = GiveBack.objects.received().get()
    assert (gift.done_on, gift.interaction.direction) == (on, "in")


def test_a_typo_is_mended_in_the_story_too(alice, alice_client, aiko):
    gift = giving.give(aiko, Kind.ARTICLE, "On girds", alice.today(), note="For yuo")
    page = alice_client.get(url(gift, "edit"))
    assert "Given to Aiko Tanabe" in shown(page)
    mended = {"kind": "article", "what": "On grids", "note": "For you"}
    alice_client.post(url(gift, "edit"), mended)
    story = shown(alice_client.get(aiko.get_absolute_url()))
    assert "You gave Aiko: On grids" in story
    assert "For you" in story
    assert "yuo" not in story


def test_an_idea_is_deleted_and_nothing_else(alice_client, aiko):
    idea, promised = giving.have_idea(aiko, Kind.TIME, "An hour"), promise(aiko)
    for gift in (idea, promised):
        alice_client.post(url(gift, "delete"))
    assert list(GiveBack.objects.all()) == [promised]


# Rows that answer in place


def test_done_in_place_and_undone(alice_client, aiko):
    gift = promise(aiko)
    answer = shown(alice_client.post(url(gift, "keep"), {"next": "/"}, headers=HTMX))
    assert "You gave Aiko: On grids" in answer
    assert f'id="gift-{gift.pk}"' in answer
    assert 'name="next" value="/"' in answer
    action = giving.last_action(gift)
    assert alice_client.post(f"/follow-ups/undo/{action.pk}/", {"next": "/"}).status_code == 302
    gift.refresh_from_db()
    assert (gift.state, gift.done_on, gift.interaction) == (State.PROMISED, None, None)


def test_another_day_and_let_go(alice, alice_client, aiko):
    gift = promise(aiko)
    alice_client.post(url(gift, "move"), {"until": "week"})
    gift.refresh_from_db()
    assert gift.due_on == alice.today() + timedelta(days=7)
    response = alice_client.post(url(gift, "let_go"), {"next": "/people/"})
    assert response["Location"] == "/people/"
    gift.refresh_from_db()
    assert gift.state == State.LET_GO


def test_a_wrong_day_is_a_sentence_and_the_row_stays(alice_client, aiko):
    gift = promise(aiko)
    answer = refused(alice_client.post(url(gift, "move"), {"on": "2020-01-01"}, headers=HTMX))
    assert "Choose a day after today" in answer
    assert f'id="gift-{gift.pk}"' in answer


def test_what_was_given_elsewhere_meanwhile_is_not_moved(alice, alice_client, aiko):
    gift = promise(aiko)
    giving.keep(gift, alice.today())
    for action, data in (("move", {"until": "week"}), ("let_go", {})):
        alice_client.post(url(gift, action), data)
    gift.refresh_from_db()
    assert gift.state == State.DONE


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_only_pages_of_ours_are_gone_back_to(alice_client, aiko, back):
    response = alice_client.post(url(promise(aiko), "keep"), {"next": back})
    assert response["Location"] == ROOM


@pytest.mark.parametrize("action", ["edit", "keep", "move", "let_go", "delete"])
def test_not_the_owner(bob_client, aiko, action):
    gift = promise(aiko)
    assert bob_client.post(url(gift, action), {"until": "week"}).status_code == 404
    gift.refresh_from_db()
    assert gift.state == State.PROMISED


# The shelf


def test_something_is_put_on_the_shelf(alice, alice_client):
    form = {"kind": "article", "title": "On grids", "url": "example.org", "topics": "Grids, grids"}
    form |= {"key": str(uuid.uuid4())}
    for _ in range(2):
        assert alice_client.post("/giving/shelf/new/", form)["Location"] == ROOM
    item = ShelfItem.objects.get()
    assert (item.owner, item.url) == (alice, "https://example.org")
    assert [topic.name for topic in item.topics.all()] == ["Grids"]


def test_somebody_worth_knowing_is_a_contact(alice, alice_client, aiko):
    form = {"kind": "person", "title": "Aiko, who tests with patients", "who": "aiko tanabe"}
    alice_client.post("/giving/shelf/new/", form | {"key": str(uuid.uuid4())})
    item = ShelfItem.objects.get()
    assert (item.kind, item.contact) == (ShelfKind.PERSON, aiko)
    alice_client.post(f"/giving/shelf/{item.pk}/", form | {"kind": "article", "key": str(item.key)})
    item.refresh_from_db()
    assert item.contact is None


def test_the_shelf_is_edited_archived_and_brought_back(alice, alice_client):
    item = make_item(alice, topics=["old", "kept"])
    address = f"/giving/shelf/{item.pk}/"
    assert 'value="kept, old"' in shown(alice_client.get(address))
    form = {"kind": "article", "title": "On wind", "topics": "kept, fresh", "key": str(item.key)}
    alice_client.post(address, form)
    item.refresh_from_db()
    assert item.title == "On wind"
    assert {topic.name for topic in item.topics.all()} == {"kept", "fresh"}
    alice_client.post(f"{address}archive/")
    assert address not in shown(alice_client.get(ROOM))
    assert address in shown(alice_client.get(ROOM, {"show": "away"}))
    alice_client.post(f"{address}restore/")
    assert address in shown(alice_client.get(ROOM))


def test_a_shelf_form_with_errors(alice_client):
    page = refused(alice_client.post("/giving/shelf/new/", {"kind": "article", "title": ""}))
    assert "Write a title." in page


# Who could use what


@pytest.fixture
def match(alice):
    """An article for Ingrid, and Ben who knows about what she looks for."""
    item, ingrid = make_item(alice, topics=["a"]), person(alice, "Ingrid", seeks=["a"])
    return item, ingrid, person(alice, "Ben", offers=["a"])


def test_a_match_is_dismissed_in_place_and_proposed_again(alice, alice_client, match):
    item, ingrid, ben = match
    item_url, pair_url = (
        f"/giving/for/{ingrid.pk}/item/{item.pk}/",
        f"/giving/for/{ingrid.pk}/with/{ben.pk}/",
    )
    for address in (item_url, pair_url):
        answer = shown(alice_client.post(f"{address}dismiss/", {"next": "/"}, headers=HTMX))
        assert "will not come up again" in answer
        assert f"{address}propose/" in answer
    assert matching.best(alice, alice.today(), 5) == []
    page = shown(alice_client.get(ROOM, {"show": "matches"}))
    assert "What does not come up any more" in page
    for address in (item_url, pair_url):
        assert alice_client.post(f"{address}propose/", {"next": "/"})["Location"] == "/"
    assert len(matching.best(alice, alice.today(), 5)) == 2


def test_without_scripts_dismissing_goes_back(alice_client, match):
    item, ingrid, _ = match
    address = f"/giving/for/{ingrid.pk}/item/{item.pk}/dismiss/"
    assert alice_client.post(address, {"next": "/"})["Location"] == "/"
    assert Dismissed.objects.count() == 1


def test_nobody_is_a_pair_with_themselves(alice_client, match):
    _, ingrid, _ = match
    address = f"/giving/for/{ingrid.pk}/with/{ingrid.pk}/dismiss/"
    assert alice_client.post(address).status_code == 404


def test_matches_of_somebody_else(bob_client, match):
    item, ingrid, ben = match
    for address in (f"item/{item.pk}/dismiss/", f"with/{ben.pk}/propose/"):
        assert bob_client.post(f"/giving/for/{ingrid.pk}/{address}").status_code == 404
    assert bob_client.get(f"/giving/for/{ingrid.pk}/").status_code == 404


def test_somebody_worth_knowing_is_asked_first_like_any_pair(alice, alice_client, aiko):
    ingrid = person(alice, "Ingrid", seeks=["a"])
    make_item(alice, "Aiko", topics=["a"], kind=ShelfKind.PERSON, contact=aiko)
    aiko.set_topics("offers", ["a"])
    page = shown(alice_client.get(ROOM))
    assert page.count("Ask them both") == 1
    assert f"?one={ingrid.pk}&amp;other={aiko.pk}" in page
    matching.dismiss_pair(alice, aiko, ingrid)
    assert matching.best(alice, alice.today(), 5) == []


def test_ideas_for_one_person(alice, alice_client, match):
    item, ingrid, ben = match
    page = shown(alice_client.get(f"/giving/for/{ingrid.pk}/"))
    assert item.title in page
    assert "Ben knows about it" in page
    assert "Ingrid looks for a" in shown(alice_client.get(f"/giving/for/{ben.pk}/"))
    lonely = person(alice, "Lonely", seeks=["z"])
    page = shown(alice_client.get(f"/giving/for/{lonely.pk}/"))
    assert "Put something about z on your shelf" in page
    nobody = make_contact(alice, "Quiet")
    page = shown(alice_client.get(f"/giving/for/{nobody.pk}/"))
    assert "What does Quiet look for?" in page


# Give and take, on the page of a contact


@pytest.mark.parametrize(
    ("given", "received", "label", "voice"),
    [
        (0, 0, "You gave nothing yet, you received nothing yet", "A word of thanks"),
        (2, 3, "You gave twice, you received 3 times", "Nearly level."),
        (1, 1, "You gave once, you received once", "Level, as among friends."),
        (0, 4, "You gave nothing yet, you received 4 times", "A generous person."),
        (3, 1, "You gave 3 times, you received once", "You gave freely."),
    ],
)
def test_both_sides_in_words_and_beans(alice, alice_client, aiko, given, received, label, voice):
    for number in range(given):
        giving.give(aiko, Kind.TIME, f"Given {number}", alice.today())
    for number in range(received):
        giving.receive(aiko, Kind.TIME, f"Received {number}", alice.today())
    page = shown(alice_client.get(aiko.get_absolute_url()))
    assert f'aria-label="{label}"' in page
    assert voice in page
    assert page.count("#bean") == given + received


def test_many_gifts_are_a_few_beans_and_as_many_queries(alice, alice_client, aiko):
    counts = []
    for number in range(20):
        giving.give(aiko, Kind.TIME, f"Given {number}", alice.today())
        giving.receive(aiko, Kind.TIME, f"Received {number}", alice.today())
        promise(aiko)
        if number in {2, 19}:
            with CaptureQueriesContext(connection) as queries:
                page = shown(alice_client.get(aiko.get_absolute_url()))
            counts.append(len(queries))
    assert counts[0] == counts[1]
    assert page.count("#bean") == 16
    assert "<strong>20</strong>" in page


def test_the_latest_of_each_side_and_what_is_due_first_in_one_query(
    alice, aiko, django_assert_num_queries
):
    today = alice.today()
    for days in (2, 0, 3, 1):
        giving.give(aiko, Kind.TIME, f"{days} days ago", today - timedelta(days=days))
    giving.have_idea(aiko, Kind.TIME, "An idea")
    for days in (9, -1, 5, 7):
        giving.promise(aiko, Kind.TIME, f"In {days} days", today + timedelta(days=days))
    giving.let_go(giving.promise(aiko, Kind.TIME, "Let go", today))
    with django_assert_num_queries(1):
        between = balance(aiko)
    assert between.given.count == 4
    latest = [gift.what for gift in between.given.latest]
    assert latest == ["0 days ago", "1 days ago", "2 days ago"]
    assert between.received.latest == []
    still_open = [gift.what for gift in between.still_open]
    assert still_open == ["In -1 days", "In 5 days", "In 7 days"]


def test_an_open_promise_is_kept_from_there(alice_client, aiko):
    gift = promise(aiko, -1)
    page = shown(alice_client.get(aiko.get_absolute_url()))
    assert "carried over" in page
    data = {"next": aiko.get_absolute_url()}
    assert alice_client.post(url(gift, "keep"), data)["Location"] == aiko.get_absolute_url()
