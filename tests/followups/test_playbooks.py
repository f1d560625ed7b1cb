"""The playbook editor: what it shows, saves and refuses, and that its dates are the engine's."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from followups import pursuing, schedule
from followups.calendars import calendar_for
from followups.models import (
    Break,
    Channel,
    FollowUp,
    Outcome,
    Playbook,
    Reminder,
    State,
)
from followups.raising import raise_reminders
from followups.schedule import CALL, DECIDE, EMAIL, MESSAGE, Step, WorkCalendar
from tests.conftest import client_of
from tests.factories import make_contact, make_follow_up, make_user
from tests.followups.doing import MONDAY, MONDAY_MORNING, playbook_of

pytestmark = pytest.mark.django_db

LIST = "/follow-ups/playbooks/"
CALLS = [
    {"wait": 0, "channel": "call", "hint": "Call."},
    {"wait": 3, "channel": "call", "hint": "Call again."},
    {"wait": 5, "channel": "decide", "hint": "Decide."},
]
HELLOS = [{"wait": 1, "unit": "months", "channel": "message", "hint": "Hello.", "repeat": True}]


@pytest.fixture(autouse=True)
def _monday(time_machine):
    time_machine.move_to(MONDAY_MORNING, tick=False)


@pytest.fixture
def calls(alice):
    return playbook_of(alice, "unanswered-call")


def url(name, *args):
    return reverse(f"followups:playbook_{name}", args=args)


def typed(steps, **changes):
    """Return what the form sends for these steps."""
    data = {
        "name": "Mine",
        "source": "",
        "ends_on_answer": "on",
        "rest_days": "90",
        "start": "",
        "steps-TOTAL_FORMS": str(len(steps)),
        "steps-INITIAL_FORMS": str(len(steps)),
    }
    for number, step in enumerate(steps):
        for name, value in ({"unit": schedule.BUSINESS_DAYS} | step).items():
            if value is not False and value != "":
                data[f"steps-{number}-{name}"] = "on" if value is True else str(value)
    data |= changes
    return {name: value for name, value in data.items() if value is not None}


def text_of(answer):
    """Return a page in words, without tags."""
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(words.replace("&#x27;", "'").split())


def steps_shown(answer):
    return [
        {name: form[name].value() for name in ("wait", "channel", "hint")}
        for form in answer.context["form"].step_forms
    ]


# The list.


def test_the_list_shows_each_in_words_and_how_many_are_under_way(alice, alice_client, calls):
    for name in ("Priya Raman", "Aiko Tanabe", "Tom Adler"):
        make_follow_up(make_contact(alice, name))
    pursuing.end(FollowUp.objects.get(contact__name="Tom Adler"), "let_go")
    pursuing.pause(FollowUp.objects.get(contact__name="Aiko Tanabe"))
    page = text_of(alice_client.get(LIST))
    assert (
        "Unanswered call Call, 3 days, call, 3 days, call, 1 day, e-mail, 5 days, what now?" in page
    )
    assert "2 follow-ups under way · three calls, three days apart first calls begin" in page
    assert "1 day, e-mail, 14 calendar days, e-mail, 5 days, what now?" in page
    assert "3 months, message, and so on" in page
    assert "Not among yours" not in page


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(alice, alice_client, calls):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            alice_client.get(LIST)
        return len(queries)

    few = count()
    for number in range(20):
        playbook = Playbook.objects.create(
            owner=alice, slug=f"mine-{number}", name="Mine", steps=CALLS
        )
        pursuing.begin(make_contact(alice, f"Person {number}"), playbook)
    assert count() == few


# Saving.


def test_a_three_becomes_a_five(alice_client, calls):
    page = alice_client.get(url("edit", calls.pk))
    steps = [form.initial for form in page.context["form"].step_forms]
    assert [step["wait"] for step in steps] == [0, 3, 3, 1, 5]
    steps[1]["wait"] = 5
    answer = alice_client.post(url("edit", calls.pk), typed(steps, name=calls.name))
    assert answer.url == LIST
    before = calls.steps
    calls.refresh_from_db()
    assert calls.steps == [*before[:1], before[1] | {"wait": 5}, *before[2:]]
    assert calls.slug == "unanswered-call"


def test_editing_changes_new_follow_ups_only(alice, alice_client, calls):
    old = make_follow_up(make_contact(alice, "Priya Raman"))
    was = FollowUp.objects.filter(pk=old.pk).values().get()
    form = typed(
        [CALLS[0] | {"wait": 2}, CALLS[1] | {"wait": 9}, CALLS[2]],
        name="Calls",
        rest_days="30",
        cold="on",
    )
    alice_client.post(url("edit", calls.pk), form)
    assert FollowUp.objects.filter(pk=old.pk).values().get() == was
    new = make_follow_up(make_contact(alice, "Aiko Tanabe"))
    assert [step.wait for step in new.plan] == [2, 9, 5]
    assert (new.name, new.rest_days, new.cold) == ("Calls", 30, True)
    pursuing.log(old.contact, pursuing.Entry(CALL, Outcome.NO_ANSWER, MONDAY), follow_up=old)
    old.refresh_from_db()
    assert old.reason == "3 business days after your call on Mon 9 Nov"


def test_a_new_one_gets_a_slug_of_its_own_each_time(alice, alice_client):
    alice_client.post(url("new"), typed(CALLS, name="  Ruf\u202e mich \n an "))
    alice_client.post(url("new"), typed(CALLS, name="Ruf mich an"))
    first, second = Playbook.objects.for_user(alice).order_by("-pk")[:2]
    assert first.name == second.name == "Ruf mich an"
    assert first.slug != second.slug
    assert first.slug.startswith("ruf-mich-an-")
    alice_client.post(url("new"), typed(CALLS, name="友達"))
    assert Playbook.objects.for_user(alice).last().slug.startswith("playbook-")


def test_every_part_of_a_step_is_kept(alice, alice_client):
    whole = {
        "wait": 2,
        "unit": "days",
        "channel": "email",
        "hint": "Write.",
        "subject": "About {organisation}",
        "template": "Hello {given name},\r\nhow is Tidewater?",
        "colleague": True,
    }
    alice_client.post(url("new"), typed([whole, CALLS[2]]))
    kept = Playbook.objects.for_user(alice).last().steps
    assert kept == [whole | {"template": "Hello {given name},\r\nhow is Tidewater?"}, CALLS[2]]
    page = alice_client.get(url("edit", Playbook.objects.for_user(alice).last().pk))
    assert "About {organisation}" in page.content.decode()


def test_without_a_hint_the_channel_says_it(alice, alice_client):
    steps = [CALLS[0] | {"hint": " "}, CALLS[2] | {"hint": "", "repeat": True, "colleague": True}]
    alice_client.post(url("new"), typed(steps))
    kept = Playbook.objects.for_user(alice).last().steps
    assert kept[0]["hint"] == "Call."
    assert kept[1] == CALLS[2] | {"hint": "Try another way in, let it rest, or let go."}


def test_keeping_in_touch_may_repeat(alice, alice_client):
    alice_client.post(url("new"), typed(HELLOS, ends_on_answer=None))
    assert Playbook.objects.for_user(alice).last().steps == HELLOS


# Refusing, in a sentence, next to what causes it.


@pytest.mark.parametrize(
    ("number", "change", "sentence"),
    [
        (1, {"wait": ""}, "Write how long to wait, as a number, such as 3."),
        (1, {"wait": "soon"}, "Write a whole number, such as 3."),
        (1, {"wait": -1}, "Nobody can wait less than 0 days."),
        (1, {"wait": 401}, "Wait 400 at most, or choose a longer unit."),
        (0, {"channel": "fax"}, "Select a valid choice. fax is not one of the available choices."),
        (0, {"channel": ""}, "Choose what to do."),
        (0, {"unit": ""}, "Choose days or months."),
        (0, {"hint": "x" * 201}, "Ensure this value has at most 200 characters (it has 201)."),
        (0, {"template": "a\0b"}, "Null characters are not allowed."),
        (0, {"channel": "decide"}, "Only the last step may ask to decide, or repeat."),
        (1, {"repeat": True}, "Only the last step may ask to decide, or repeat."),
        (2, {"channel": "call"}, "The last step must ask to decide, or repeat."),
    ],
)
def test_a_wrong_step_is_refused_beside_it(alice, alice_client, number, change, sentence):
    steps = [dict(step) for step in CALLS]
    steps[number] |= change
    answer = alice_client.post(url("new"), typed(steps))
    assert answer.status_code == 422
    errors = [form.errors for form in answer.context["form"].step_forms]
    assert [list(e.values()) for e in errors] == [
        [[sentence]] if at == number else [] for at in range(3)
    ]
    beside = answer.content.decode().split("<fieldset")[number + 1].split("</fieldset")[0]
    assert sentence in beside
    assert "autofocus" in beside
    assert Playbook.objects.for_user(alice).count() == 9


@pytest.mark.parametrize(
    ("steps", "change", "sentence"),
    [
        (CALLS, {"name": " \u202e "}, "Give it a name that you will recognise."),
        (CALLS, {"name": ""}, "Give it a name that you will recognise."),
        (CALLS, {"rest_days": ""}, "Write after how many days to wake, such as 90."),
        (CALLS, {"rest_days": "0"}, "A rest takes one day at least."),
        (CALLS, {"rest_days": "99999999999"}, "Ten years are 3650 days"),
        ([], {}, "A playbook needs at least one step."),
        (CALLS[:1] * 199 + CALLS[2:], {}, "A playbook has at most 30 steps. Take some away."),
        (CALLS, {"steps-TOTAL_FORMS": "1e9"}, "A playbook needs at least one step."),
        (CALLS, {"steps-TOTAL_FORMS": None}, "A playbook needs at least one step."),
        (HELLOS, {}, "An answer ends this playbook, so its last step must ask to decide."),
    ],
)
def test_a_wrong_playbook_is_refused(alice, alice_client, steps, change, sentence):
    answer = alice_client.post(url("new"), typed(steps, **change))
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert Playbook.objects.for_user(alice).count() == 9


def test_the_admin_holds_pursuits_to_the_same_rule(alice_client, calls):
    fields = {"name": "x", "steps": json.dumps(HELLOS), "rest_days": 90, "ends_on_answer": "on"}
    answer = alice_client.post(f"/admin/followups/playbook/{calls.pk}/change/", fields)
    assert "its last step must ask to decide" in answer.content.decode()
    fields["steps"] = "7"
    answer = alice_client.post(f"/admin/followups/playbook/{calls.pk}/change/", fields)
    assert answer.status_code == 200


@pytest.mark.parametrize("change", ["add", "up-1", "remove-0", "up-x", "down--1", "up-²", "dates"])
@pytest.mark.parametrize("total", ["2", "99999", "-1", "", "²"])
def test_hostile_buttons_never_break_it(alice_client, change, total):
    data = typed(CALLS, change=change) | {"steps-TOTAL_FORMS": total, "steps-INITIAL_FORMS": "0"}
    assert alice_client.post(url("new"), data).status_code == 200
    assert alice_client.post(url("preview"), data).status_code == 200
    assert alice_client.post(url("new"), {"change": change}).status_code == 200
    assert alice_client.post(url("preview")).status_code == 200


# The buttons between the steps: nothing that was typed is lost, nothing is judged or saved.


@pytest.mark.parametrize(
    ("change", "hints", "focus"),
    [
        ("add", ["Call.", "Call again.", None, "Decide."], 2),
        ("up-1", ["Call again.", "Call.", "Decide."], 0),
        ("down-0", ["Call again.", "Call.", "Decide."], 1),
        ("remove-1", ["Call.", "Decide."], 1),
        ("remove-2", ["Call.", "Call again."], 1),
        ("up-0", ["Call.", "Call again.", "Decide."], None),
        ("down-2", ["Call.", "Call again.", "Decide."], None),
        ("dates", ["Call.", "Call again.", "Decide."], None),
    ],
)
def test_steps_are_added_moved_and_taken_away(alice, alice_client, change, hints, focus):
    data = typed(CALLS, name="", rest_days="many", change=change)
    answer = alice_client.post(url("new"), data)
    assert answer.status_code == 200
    assert [step["hint"] for step in steps_shown(answer)] == hints
    assert answer.context["form"].focus == focus
    page = answer.content.decode().split('id="playbook-form"')[1].split("</form")[0]
    assert 'value="many"' in page
    assert "error" not in page
    assert page.count("autofocus") == (focus is not None)
    assert Playbook.objects.for_user(alice).count() == 9


def test_after_the_last_step_another_follows_where_nothing_closes_it(alice_client):
    answer = alice_client.post(url("new"), typed(CALLS[:2], change="add"))
    assert [step["hint"] for step in steps_shown(answer)] == ["Call.", "Call again.", None]


def test_a_checked_box_moves_with_its_step(alice_client):
    steps = [CALLS[0] | {"colleague": True, "template": "Hello"}, *CALLS[1:]]
    answer = alice_client.post(url("new"), typed(steps, change="down-0"))
    moved = answer.context["form"].step_forms[1]
    assert (moved["colleague"].value(), moved["template"].value()) == (True, "Hello")
    assert not answer.context["form"].step_forms[0]["colleague"].value()


def test_no_more_than_thirty_are_added(alice_client):
    full = CALLS[:1] * 29 + CALLS[2:]
    answer = alice_client.post(url("new"), typed(full, change="add"))
    assert len(steps_shown(answer)) == 30
    assert "Add a step" not in answer.content.decode()
    assert alice_client.post(url("new"), typed(full)).status_code == 302


def test_with_scripts_the_form_alone_answers(alice_client, calls):
    headers = {"HX-Request": "true", "HX-Target": "playbook-form"}
    data = typed(CALLS, change="add")
    answer = alice_client.post(url("edit", calls.pk), data, headers=headers).content.decode()
    assert answer.lstrip().startswith("<form")
    wrong = typed(CALLS, name="")
    assert alice_client.post(url("edit", calls.pk), wrong, headers=headers).status_code == 422


# Copying and bringing back.


def test_a_copy_is_ones_own(alice, alice_client, calls):
    answer = alice_client.post(url("copy", calls.pk))
    copy = Playbook.objects.for_user(alice).last()
    assert answer.url == url("edit", copy.pk)
    assert copy.name == "Copy of Unanswered call"
    same = ("steps", "source", "ends_on_answer", "cold", "rest_days")
    assert [getattr(copy, name) for name in same] == [getattr(calls, name) for name in same]
    alice_client.post(url("copy", calls.pk))
    assert Playbook.objects.for_user(alice).last().slug != copy.slug


def test_a_copy_of_a_long_name_fits(alice, alice_client, calls):
    Playbook.objects.filter(pk=calls.pk).update(name="x" * 100)
    assert alice_client.post(url("copy", calls.pk)).status_code == 302


def test_a_deleted_preset_comes_back_under_its_old_slug(alice, alice_client, calls):
    alice_client.post(url("delete", calls.pk))
    page = text_of(alice_client.get(LIST))
    assert "Built in, and not among yours Unanswered call" in page
    alice_client.post(url("bring_back"), {"preset": "unanswered-call"})
    back = playbook_of(alice, "unanswered-call")
    assert back.steps == calls.steps
    assert pursuing.default_playbook(alice, Channel.CALL) == back
    assert "Built in, and not among yours" not in text_of(alice_client.get(LIST))


def test_a_changed_preset_comes_back_beside_it(alice, alice_client, calls):
    Playbook.objects.filter(pk=calls.pk).update(steps=CALLS)
    for _ in range(2):
        alice_client.post(url("bring_back"), {"preset": "unanswered-call"})
    names = Playbook.objects.for_user(alice).values_list("name", flat=True)[9:]
    assert list(names) == ["Unanswered call, as built in"]
    assert Playbook.objects.get(pk=calls.pk).steps == CALLS


@pytest.mark.parametrize("preset", ["", "nowhere", "cold-request", "\0"])
def test_only_what_is_missing_comes_back(alice, alice_client, preset):
    answer = alice_client.post(url("bring_back"), {"preset": preset}, follow=True)
    assert "That playbook is among yours already." in answer.content.decode()
    assert Playbook.objects.for_user(alice).count() == 9


# Deleting.


def test_deleting_one_in_use_says_what_happens_and_drops_nobody(alice, alice_client, calls):
    follow_ups = [make_follow_up(make_contact(alice, f"Person {n}")) for n in range(4)]
    page = text_of(alice_client.get(url("delete", calls.pk)))
    assert "4 follow-ups are under way with it. They go on with the steps they began with;" in page
    assert (
        "A first call that nobody answers begins with it. From then on it begins with “Cold" in page
    )
    assert "It is a built-in one, so you can bring it back" in page
    assert Playbook.objects.filter(pk=calls.pk).exists()
    assert alice_client.post(url("delete", calls.pk)).url == LIST
    assert not Playbook.objects.filter(pk=calls.pk).exists()
    row = follow_ups[0]
    pursuing.log(row.contact, pursuing.Entry(CALL, Outcome.NO_ANSWER, MONDAY), follow_up=row)
    row.refresh_from_db()
    assert (row.state, row.name, row.next_on) == (
        State.ACTIVE,
        "Unanswered call",
        date(2026, 11, 12),
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "No follow-up is under way with it."), (1, "One follow-up is under way with it. It goes")],
)
def test_deleting_counts_in_words(alice, alice_client, calls, count, words):
    for number in range(count):
        make_follow_up(make_contact(alice, f"Person {number}"))
    assert words in text_of(alice_client.get(url("delete", calls.pk)))


def test_the_playbook_that_follows_is_the_one_that_the_engine_takes(alice, alice_client, calls):
    playbook_of(alice, "cold-request").delete()
    page = alice_client.get(url("delete", calls.pk))
    alice_client.post(url("delete", calls.pk))
    assert pursuing.default_playbook(alice, Channel.CALL) == page.context["successor"]


@pytest.fixture
def last(alice, calls):
    Playbook.objects.for_user(alice).filter(ends_on_answer=True).exclude(pk=calls.pk).delete()
    return calls


def test_the_last_one_for_a_first_try_stays(alice_client, last):
    page = alice_client.get(url("delete", last.pk))
    assert "This is your last playbook for people who have not answered" in text_of(page)
    assert "Delete it" not in text_of(page)
    assert alice_client.post(url("delete", last.pk)).status_code == 422
    assert Playbook.objects.filter(pk=last.pk).exists()


def test_the_last_one_for_a_first_try_stays_one(alice_client, last):
    answer = alice_client.post(url("edit", last.pk), typed(CALLS, ends_on_answer=None))
    assert answer.status_code == 422
    assert "This is your last playbook" in answer.content.decode()
    last.refresh_from_db()
    assert last.ends_on_answer
    assert alice_client.post(url("edit", last.pk), typed(CALLS)).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_leave_one():
    alice = make_user("alice-twice@example.org")
    pursuits = Playbook.objects.for_user(alice).filter(ends_on_answer=True)
    pursuits.exclude(pk__in=pursuits[:2]).delete()
    together = Barrier(2)

    def delete(playbook):
        client = client_of(alice)
        together.wait()
        try:
            return client.post(url("delete", playbook.pk)).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(delete, list(pursuits))) == [302, 422]
    assert pursuits.all().count() == 1


# Whose it is.


@pytest.mark.parametrize("name", ["edit", "copy", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_bob_finds_nothing_of_alices(bob_client, calls, name, method):
    before = Playbook.objects.filter(pk=calls.pk).values().get()
    data = typed(CALLS) if method == "post" else {}
    answer = getattr(bob_client, method)(url(name, calls.pk), data)
    assert answer.status_code == (405 if (name, method) == ("copy", "get") else 404)
    assert Playbook.objects.filter(pk=calls.pk).values().get() == before
    assert bob_client.post(url("edit", 987_654_321), typed(CALLS)).status_code == 404


@pytest.mark.parametrize("name", ["preview", "bring_back"])
def test_what_writes_or_is_long_is_posted(alice_client, name):
    assert alice_client.get(url(name)).status_code == 405


# The dates.


def dates_of(answer):
    return [(each.planned.on, each.planned.reason) for each in answer.context["form"].foreseen]


def test_the_editor_shows_every_date_with_its_reason(alice_client, calls):
    answer = alice_client.get(url("edit", calls.pk))
    assert dates_of(answer) == [
        (date(2026, 11, 9), "the first step"),
        (date(2026, 11, 12), "3 business days after your call on Mon 9 Nov"),
        (date(2026, 11, 17), "3 business days after your call on Thu 12 Nov"),
        (date(2026, 11, 19), f"1 business day after your call on Tue 17 Nov, {GAP}"),
        (date(2026, 11, 26), "5 business days after your e-mail on Thu 19 Nov"),
    ]
    assert "3 business days after your call on Mon 9 Nov." in text_of(answer)


GAP = "moved to leave 2 business days between two tries"


def test_what_is_typed_is_previewed_and_not_saved(alice_client, calls):
    data = typed([CALLS[0], CALLS[1] | {"wait": 5}, CALLS[2]], name="", start="2026-11-13")
    answer = alice_client.post(url("preview"), data)
    assert [on for on, _ in dates_of(answer)] == [
        date(2026, 11, 13),
        date(2026, 11, 20),
        date(2026, 11, 27),
    ]
    assert "<main" not in answer.content.decode()
    draft = alice_client.post(url("edit", calls.pk), data | {"change": "dates"})
    assert dates_of(draft) == dates_of(answer)
    calls.refresh_from_db()
    assert calls.steps[1]["wait"] == 3


THEIRS = "Immaculate Conception"


def test_holidays_and_breaks_are_marked_and_weekends_left_out(alice, alice_client):
    alice.country = "AT"
    alice.save(update_fields=["country"])
    Break.objects.create(
        owner=alice, kind="holiday", first_on=date(2026, 12, 10), last_on=date(2026, 12, 15)
    )
    steps = [CALLS[0], CALLS[1] | {"wait": 5}, CALLS[2]]
    answer = alice_client.post(url("preview"), typed(steps, start="2026-12-07"))
    page = text_of(answer)
    assert "Mon 7 Dec Call. The first step. Tue 8 Dec : Immaculate Conception" in page
    assert "Thu 10 Dec to Tue 15 Dec : your time off" in page
    assert dates_of(answer)[1] == (
        date(2026, 12, 21),
        f"5 business days after your call on Mon 7 Dec, without {THEIRS} and your time off",
    )
    assert "Fri 25 Dec : Christmas Day" in page
    assert "Sat" not in page


def test_the_last_step_that_comes_back_is_shown_three_times(alice_client):
    answer = alice_client.post(url("preview"), typed(HELLOS, ends_on_answer=None))
    assert [on for on, _ in dates_of(answer)] == [
        date(2026, 12, 9),
        date(2027, 1, 11),
        date(2027, 2, 11),
    ]
    assert "And so on." in text_of(answer)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps-1-wait": ""}, "Step 2: Write how long to wait, as a number, such as 3."),
        ({"steps-2-channel": "call"}, "Step 3: The last step must ask to decide, or repeat."),
        ({"steps-TOTAL_FORMS": "0"}, "A playbook needs at least one step."),
        ({"start": "2026-11-08"}, "Choose today or a later day, within ten years."),
        ({"start": "2036-12-31"}, "Choose today or a later day, within ten years."),
        ({"start": "soon"}, "Choose the day on which it begins."),
    ],
)
def test_without_dates_it_says_what_is_missing(alice_client, change, sentence):
    answer = alice_client.post(url("preview"), typed(CALLS, **change))
    assert answer.status_code == 200
    assert sentence in text_of(answer)


def test_the_editor_asks_the_same_number_of_queries_however_long_it_is(alice, alice_client, calls):
    def count():
        with CaptureQueriesContext(connection) as queries:
            alice_client.get(url("edit", calls.pk))
        return len(queries)

    few = count()
    Playbook.objects.filter(pk=calls.pk).update(steps=CALLS[:1] * 29 + CALLS[2:])
    assert count() == few


tries = st.builds(
    Step,
    wait=st.integers(0, 12),
    channel=st.sampled_from([CALL, EMAIL, MESSAGE]),
    hint=st.just("Try."),
    unit=st.sampled_from(schedule.UNITS),
    colleague=st.booleans(),
)


@st.composite
def playbooks(draw):
    """Return the steps of a playbook and whether an answer ends it."""
    steps, ends_on_answer = draw(st.lists(tries, max_size=6)), draw(st.booleans())
    if ends_on_answer or draw(st.booleans()):
        return [*steps, Step(draw(st.integers(0, 12)), DECIDE, "Decide.")], ends_on_answer
    last = draw(tries)
    values = {name: getattr(last, name) for name in ("wait", "unit", "channel", "colleague")}
    return [*steps, Step(hint="Again.", repeat=True, **values)], ends_on_answer


OUTCOMES = {CALL: Outcome.NO_ANSWER, EMAIL: Outcome.SENT, MESSAGE: Outcome.SENT}
FOUR_EMAILS = [Step(1, EMAIL, "Write.")] * 4


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(([*FOUR_EMAILS, Step(1, CALL, "Call."), Step(1, DECIDE, "Decide.")], True), 0, "AT", True)
@example(([*FOUR_EMAILS, Step(1, DECIDE, "Decide.")], False), 44, "AT", False)
@given(playbooks(), st.integers(0, 400), st.sampled_from(["", "AT", "JP", "US"]), st.booleans())
def test_the_preview_is_what_the_engine_does(time_machine, playbook, ahead, country, on_a_break):
    """Whoever makes each try on its day, and gets no answer, is asked on the previewed days."""
    steps, ends_on_answer = playbook
    start = MONDAY + timedelta(days=ahead)
    time_machine.move_to(f"{start}T09:00:00+00:00", tick=False)
    user = make_user(f"{Playbook.objects.count()}@example.org", country=country)
    if on_a_break:
        first_on, last_on = start + timedelta(days=3), start + timedelta(days=9)
        Break.objects.create(owner=user, first_on=first_on, last_on=last_on)
    foreseen = schedule.preview(steps, start, calendar_for(user), ends_on_answer)
    rows = [vars(step) for step in steps]
    own = Playbook.objects.create(
        owner=user, slug="own", name="Own", steps=rows, ends_on_answer=ends_on_answer
    )
    contact = make_contact(user)
    pursuing.begin(contact, own)
    row = FollowUp.objects.get(contact=contact)
    for each in foreseen:
        row = FollowUp.objects.get(pk=row.pk)
        assert (row.due_on, row.present) == (each.planned.on, each.step)
        if "you turned to somebody else" not in each.planned.reason:
            assert row.reason == each.planned.reason
        time_machine.move_to(f"{each.planned.on}T12:00:00+00:00", tick=False)
        raise_reminders()
        assert Reminder.objects.open().filter(follow_up=row).exists()
        if each.step.colleague:
            pursuing.colleague(row, make_contact(user, "Somebody else"))
        elif each.step.channel != DECIDE:
            entry = pursuing.Entry(each.step.channel, OUTCOMES[each.step.channel], user.today())
            pursuing.log(contact, entry, follow_up=row)
    assert foreseen[-1].step.repeat or foreseen[-1].step.channel == DECIDE


@given(playbooks(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_days_off_lie_before_their_date_and_after_the_one_before(playbook, start):
    steps, ends_on_answer = playbook
    fridays = {
        day: "Friday off" for n in range(6000) if (day := start + timedelta(n)).weekday() == 4
    }
    calendar = WorkCalendar(frozenset(range(5)), fridays)
    since = start
    for each in schedule.preview(steps, start, calendar, ends_on_answer):
        for off in each.days_off:
            assert since <= off.first_on <= off.last_on < each.planned.on
            assert calendar.holidays[off.first_on] == off.name
        assert each.planned.on.weekday() not in {4, 5, 6}
        since = each.planned.on
