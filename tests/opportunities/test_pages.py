"""The pages of openings: the list, one opening, keeping and editing one, its next step."""

import uuid
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact, Organisation
from followups import pursuing
from followups.models import Channel, Outcome
from introductions.models import Introduction
from meetings.models import Meeting
from opportunities import tracking
from opportunities.models import Opportunity, Stage
from tests.factories import make_contact, make_opening

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
LAST_WEEK = TODAY - timedelta(days=7)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel("2026-11-23T07:00:00+00:00", tick=False):
        yield


@pytest.fixture
def ruth(alice):
    return make_contact(alice, "Ruth Abernathy")


@pytest.fixture
def opening(alice, ruth):
    return make_opening(alice, people=[ruth], heard_on=LAST_WEEK)


def url_of(name, *args, query=""):
    return reverse(f"opportunities:{name}", args=args) + query


def filled(**fields):
    return {"title": "Grid planner", "stage": "heard_of", "heard_on": TODAY} | fields


def shown(response):
    return response.content.decode()


def errors(response):
    assert response.status_code == 422
    return shown(response)


def new(client, query="", **fields):
    return client.post(url_of("opportunity_new", query=query), filled(**fields))


def post(client, name, opening, htmx=False, **data):
    return client.post(url_of(name, opening.pk), data, headers=HTMX if htmx else {})


def met(contact, on, **fields):
    entry = pursuing.Entry(Channel.MEETING, Outcome.MET, on, **fields)
    return pursuing.log(contact, entry).interaction


# The list


def test_the_first_visit_says_where_openings_come_from(alice_client):
    assert "Openings come up in conversations." in shown(alice_client.get("/openings/"))


def test_due_steps_come_first_then_the_stages_then_what_is_over(alice, alice_client):
    make_opening(alice, "An old one", stage=Stage.CLOSED)
    make_opening(alice, "A rumour")
    make_opening(alice, "An interview", stage=Stage.INTERVIEWING)
    make_opening(alice, "A step", next_step="Call Ruth", next_on=TODAY)
    html = shown(alice_client.get("/openings/"))
    order = ["A step", "An interview", "A rumour", "An old one"]
    assert sorted(order, key=html.index) == order
    assert html.count(">A step<") == 1
    assert "Call Ruth" in html


def test_the_list_takes_as_many_queries_for_many(alice, alice_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert alice_client.get("/openings/").status_code == 200
        return len(captured)

    def add(count):
        for number in range(count):
            person = make_contact(alice, f"P {number}")
            place = Organisation.find_or_create(alice, [f"O {number}"])[f"o {number}"]
            make_opening(alice, people=[person], organisation=place, next_on=TODAY)
            make_opening(alice, people=[person], organisation=place, stage=Stage.CLOSED)

    add(3)
    few = queries()
    add(12)
    assert queries() == few


def test_search_answers_in_place_and_says_when_there_is_none(alice, alice_client):
    make_opening(alice, "Grid planner")
    make_opening(alice, "Teacher")
    headers = HTMX | {"HX-Target": "openings"}
    found = shown(alice_client.get("/openings/?q=GRID", headers=headers))
    assert "Grid planner" in found
    assert "Teacher" not in found
    assert "<html" not in found
    assert "No opening with “xyz”" in shown(alice_client.get("/openings/?q=xyz"))


def test_what_is_over_is_paged(alice, alice_client):
    for number in range(31):
        make_opening(alice, f"Over {number}.", stage=Stage.CLOSED)
    assert "Over 0." not in shown(alice_client.get("/openings/"))
    assert "Over 0." in shown(alice_client.get("/openings/?page=2"))
    assert alice_client.get("/openings/?page=x&q=%00").status_code == 200


# Keeping one


def test_a_title_is_enough(alice, alice_client):
    response = new(alice_client)
    opening = Opportunity.objects.get()
    assert response["Location"] == opening.get_absolute_url()
    assert (opening.owner, opening.title, opening.stage) == (alice, "Grid planner", "heard_of")
    assert "Write a few words for it." in errors(new(alice_client, title=" "))
    assert "Write the day on which you heard" in errors(new(alice_client, heard_on=""))
    assert "Write the day as a date." in errors(new(alice_client, next_on="soon"))
    assert "That day has not come yet." in errors(new(alice_client, heard_on="2026-11-24"))
    assert "more than a hundred years ago" in errors(new(alice_client, heard_on="1800-01-01"))
    assert "Write a web address" in errors(new(alice_client, url="not a link"))


def test_the_whole_form(alice, alice_client, ruth):
    met(ruth, LAST_WEEK, note="They look for somebody.")
    talk = ruth.interactions.get()
    new(
        alice_client,
        organisation_name=" Aster ",
        who=["Ruth Abernathy", "", ""],
        origin=f"interaction-{talk.pk}",
        stage="applied",
        url="aster.example/jobs",
        next_step="Send the portfolio",
        next_on="2026-11-30",
        notes="Small team.",
    )
    opening = Opportunity.objects.get()
    assert opening.organisation.name == "Aster"
    assert list(opening.contacts.all()) == [ruth]
    assert opening.interaction == talk
    assert opening.path[1] == ("Applied", TODAY)
    assert (opening.next_step, opening.next_on) == ("Send the portfolio", date(2026, 11, 30))
    page = shown(alice_client.get(opening.get_absolute_url()))
    assert "Through a coffee with Ruth Abernathy on 16 November." in page


def test_the_same_form_twice_is_one_opening_and_nobody_twice(alice_client):
    fields = {"key": uuid.uuid4(), "who": ["Marta Nowak"], "new": ["Marta Nowak"]}
    one, two = new(alice_client, **fields), new(alice_client, **fields)
    assert one["Location"] == two["Location"]
    assert Opportunity.objects.count() == Contact.objects.count() == 1


def test_people_are_found_by_name(alice, alice_client, ruth, bob):
    make_contact(bob, "Bobs Friend")
    tidewater = Organisation.objects.create(owner=alice, name="Tidewater")
    make_contact(alice, "Priya Raman")
    priya = make_contact(alice, "Priya Raman", organisation=tidewater)
    several = "“Priya Raman”: You know 2 people of that name. Add the organisation after a comma"
    assert several in errors(new(alice_client, who=["Priya Raman"]))
    assert "Nobody called “Priya” is in your" in errors(new(alice_client, who=["Priya"]))
    assert "Nobody called “Bobs Friend” is in your" in errors(new(alice_client, who="Bobs Friend"))
    assert not Opportunity.objects.exists()
    new(alice_client, who=["Priya Raman, Tidewater", "ruth abernathy", "Ruth Abernathy"])
    assert set(Opportunity.objects.get().contacts.all()) == {priya, ruth}


def test_somebody_unknown_is_added_when_ticked(alice, alice_client):
    page = errors(new(alice_client, who=["Marta Nowak"]))
    assert '<input type="checkbox" name="new" value="Marta Nowak">' in page
    assert not Contact.objects.exists()
    new(alice_client, who=["Marta Nowak"], new=["Marta Nowak"])
    marta = Contact.objects.for_user(alice).search("nowak").get()
    assert list(Opportunity.objects.get().contacts.all()) == [marta]


def test_the_address_names_whom_it_came_from(alice, alice_client, ruth, bob):
    theirs = make_contact(bob, "Bobs Friend")
    talk = met(ruth, LAST_WEEK)
    introduction = Introduction.objects.create(
        owner=alice, introducer=ruth, wanted="Somebody", asked_on=LAST_WEEK
    )
    meeting = Meeting.objects.create(owner=alice, starts_at="2026-11-20T09:00Z", time_zone="UTC")
    meeting.attendees.create(owner=alice, contact=ruth)
    form = url_of("opportunity_new")
    assert 'value="Ruth Abernathy"' in shown(alice_client.get(f"{form}?contact={ruth.pk}"))
    for row in (talk, introduction, meeting):
        kind = row._meta.model_name
        page = shown(alice_client.get(f"{form}?{kind}={row.pk}"))
        assert f'<option value="{kind}-{row.pk}" selected>' in page
        assert 'value="Ruth Abernathy"' in page
    for query in (f"?contact={theirs.pk}", "?contact=x", "?meeting=-1", "?interaction=9" * 30):
        assert "Bobs Friend" not in shown(alice_client.get(form + query))


def test_the_moments_offered_are_ones_own(alice, alice_client, ruth, bob):
    theirs = met(make_contact(bob, "Bobs Friend"), LAST_WEEK)
    mine = met(ruth, LAST_WEEK, note="They look for <somebody>.")
    page = shown(alice_client.get(url_of("opportunity_new", query=f"?contact={ruth.pk}")))
    assert f"interaction-{mine.pk}" in page
    assert "A coffee with Ruth Abernathy on 16 November: They look for &lt;somebody&gt;." in page
    assert "Bobs Friend" not in page
    refused = errors(new(alice_client, origin=f"interaction-{theirs.pk}"))
    assert "Choose one of the moments in the list." in refused
    assert not Opportunity.objects.exists()


def test_the_page_takes_as_many_queries_for_many_people(alice, alice_client, opening):
    def queries(people):
        places = Organisation.find_or_create(alice, [f"O {n}" for n in range(people)]).values()
        involved = [make_contact(alice, place.name, organisation=place) for place in places]
        tracking.involve(opening, involved)
        with CaptureQueriesContext(connection) as captured:
            assert "O 1" in shown(alice_client.get(opening.get_absolute_url()))
        return len(captured)

    assert queries(2) == queries(12)


# Editing and deleting


def test_an_edit_changes_words_people_and_origin_but_not_the_stage(alice, alice_client, opening):
    aiko = make_contact(alice, "Aiko Tanabe")
    edit = url_of("opportunity_edit", opening.pk)
    page = shown(alice_client.get(edit))
    assert 'value="Ruth Abernathy"' in page
    assert 'name="stage"' not in page
    tracking.move_to(opening, Stage.APPLIED, TODAY)
    data = filled(heard_on=LAST_WEEK, who=["Aiko Tanabe"], stage="closed", notes="New words")
    assert alice_client.post(edit, data).status_code == 302
    opening.refresh_from_db()
    assert (opening.title, opening.notes, opening.stage) == ("Grid planner", "New words", "applied")
    assert list(opening.contacts.all()) == [aiko]


def test_it_was_heard_of_before_anything_else(alice_client, opening):
    tracking.move_to(opening, Stage.APPLIED, LAST_WEEK + timedelta(days=1))
    edit = url_of("opportunity_edit", opening.pk)
    assert "It came to “Applied” on Tue 17 Nov." in errors(alice_client.post(edit, filled()))
    assert alice_client.post(edit, filled(heard_on=LAST_WEEK)).status_code == 302


def test_namesakes_who_are_both_involved_stay_apart(alice, alice_client):
    places = Organisation.find_or_create(alice, ["Aster", "Tidewater"])
    people = [make_contact(alice, "Priya Raman", organisation=o) for o in places.values()]
    opening = make_opening(alice, people=people)
    page = shown(alice_client.get(url_of("opportunity_edit", opening.pk)))
    names = [f"Priya Raman, {name}" for name in ("Aster", "Tidewater")]
    assert all(f'value="{name}"' in page for name in names)
    alice_client.post(url_of("opportunity_edit", opening.pk), filled(who=names))
    assert set(opening.contacts.all()) == set(people)


def test_namesakes_without_an_organisation_stay_apart_too(alice, alice_client):
    people = [make_contact(alice, "Priya Raman") for _ in range(2)]
    opening = make_opening(alice, people=people)
    page = shown(alice_client.get(url_of("opportunity_edit", opening.pk)))
    assert page.count('value="Priya Raman"') == 2
    alice_client.post(url_of("opportunity_edit", opening.pk), filled(who=["Priya Raman"] * 2))
    assert set(opening.contacts.all()) == set(people)


def test_who_is_involved_stays_also_when_somebody_else_has_the_name(alice, alice_client):
    priya = make_contact(alice, "Priya Raman")
    opening = make_opening(alice, people=[priya])
    make_contact(alice, "Priya Raman")
    alice_client.post(url_of("opportunity_edit", opening.pk), filled(who=["Priya Raman"]))
    assert list(opening.contacts.all()) == [priya]


def test_delete_asks_first(alice_client, opening, ruth):
    url = url_of("opportunity_delete", opening.pk)
    assert "Delete Service designer?" in shown(alice_client.get(url))
    assert Opportunity.objects.exists()
    assert alice_client.post(url)["Location"] == "/openings/"
    assert not Opportunity.objects.exists()
    assert Contact.objects.filter(pk=ruth.pk).exists()


# Moving


def test_it_is_moved_on_its_page(alice_client, opening):
    response = post(alice_client, "opportunity_move", opening, stage="applied", on="2026-11-20")
    assert response["Location"] == opening.get_absolute_url()
    page = shown(alice_client.get(response["Location"]))
    assert "Service designer: applied." in page
    opening.refresh_from_db()
    assert opening.path[1] == ("Applied", date(2026, 11, 20))


def test_a_move_that_cannot_be_is_said_beside_the_field(alice_client, opening):
    for data, sentence in {
        (("stage", "offer"), ("on", "2026-11-24")): "That day has not come yet.",
        (("stage", "offer"), ("on", "2026-11-01")): "It came to “Heard of” later than that.",
        (("stage", "elsewhere"),): "Choose where it stands",
        (("stage", "closed"), ("lesson", "x" * 301)): "One line is enough",
    }.items():
        assert sentence in errors(post(alice_client, "opportunity_move", opening, **dict(data)))
    opening.refresh_from_db()
    assert opening.stage == Stage.HEARD_OF


def test_the_happy_end_tells_where_it_began(alice, alice_client, ruth):
    talk = met(ruth, LAST_WEEK)
    opening = make_opening(alice, people=[ruth], interaction=talk)
    response = post(alice_client, "opportunity_move", opening, stage="accepted")
    page = shown(alice_client.get(response["Location"]))
    assert page.count("It began with a coffee with Ruth Abernathy on 16 November.") == 2


def test_without_anything_written_the_happy_end_claims_nothing(alice, alice_client):
    response = post(alice_client, "opportunity_move", make_opening(alice), stage="accepted")
    assert "It began" not in shown(alice_client.get(response["Location"]))


# The next step


@pytest.fixture
def due(opening):
    return tracking.plan_step(opening, "Send the portfolio", TODAY - timedelta(days=2))


AS_SHOWN = {"next_step": "Send the portfolio", "next_on": "2026-11-21"}


def test_the_row_says_what_and_since_when(alice_client, due):
    page = shown(alice_client.get("/openings/"))
    assert "Send the portfolio" in page
    assert "2 days past" in page


def test_done_asks_in_place_what_comes_next_and_can_be_undone(alice_client, due):
    row = shown(post(alice_client, "step_done", due, htmx=True, **AS_SHOWN, next="/"))
    assert "Done. What comes next?" in row
    assert 'value="2026-11-21"' in row  # Undo puts it back
    due.refresh_from_db()
    assert (due.next_step, due.next_on) == ("", None)
    again = shown(post(alice_client, "step_plan", due, htmx=True, **AS_SHOWN))
    assert "Send the portfolio" in again
    assert "2 days past" in again


def test_done_twice_takes_nothing_else_away(alice_client, due):
    post(alice_client, "step_done", due, **AS_SHOWN)
    planned = {"next_step": "Call Ruth", "next_on": "2026-11-30"}
    said = shown(post(alice_client, "step_plan", due, htmx=True, **planned))
    assert "Call Ruth: Mon 30 Nov." in said
    assert "done already" in shown(post(alice_client, "step_done", due, htmx=True, **AS_SHOWN))
    due.refresh_from_db()
    assert due.next_step == "Call Ruth"


def test_another_day(alice_client, due):
    said = shown(post(alice_client, "step_later", due, htmx=True, until="week"))
    assert "Send the portfolio: Mon 30 Nov." in said
    due.refresh_from_db()
    assert due.next_on == date(2026, 11, 30)
    refused = errors(post(alice_client, "step_later", due, htmx=True, on="2026-11-01"))
    assert "Choose a day after today" in refused


def test_without_scripts_it_goes_back_where_it_came_from(alice_client, due):
    response = post(alice_client, "step_later", due, until="week", next="/")
    assert response["Location"] == "/"
    for elsewhere in ("https://evil.example/", "//evil.example/", ""):
        response = post(alice_client, "step_done", due, **AS_SHOWN, next=elsewhere)
        assert response["Location"] == due.get_absolute_url()
    response = post(alice_client, "step_plan", due, next_on="never")
    assert "Write the day as a date." in shown(alice_client.get(response["Location"]))


# Whose they are


NAMES = ["opportunity", "opportunity_edit", "opportunity_delete", "opportunity_move"]


@pytest.mark.parametrize("name", [*NAMES, "step_plan", "step_done", "step_later"])
def test_other_peoples_openings_are_not_there(bob_client, opening, name):
    before = Opportunity.objects.values().get()
    assert bob_client.post(url_of(name, opening.pk), filled()).status_code in (404, 405)
    assert bob_client.get(url_of(name, opening.pk)).status_code in (404, 405)
    assert bob_client.post(url_of(name, 10**9), filled()).status_code in (404, 405)
    assert Opportunity.objects.values().get() == before


def test_the_contact_page_shows_them_and_keeps_a_new_one(alice_client, opening, ruth):
    page = shown(alice_client.get(ruth.get_absolute_url()))
    assert opening.get_absolute_url() in page
    assert url_of("opportunity_new", query=f"?contact={ruth.pk}") in page
