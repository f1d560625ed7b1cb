"""What an imported card tells of the past and the future."""

from datetime import timedelta

import pytest

from contacts.files.cards import Card, Moment, Task
from contacts.imports import importing
from contacts.imports.fitting import fit
from contacts.models import Contact, ImportJob, ImportRow
from followups.checking import check_followups
from followups.models import Action, FollowUp, Interaction
from tests.factories import make_contact, make_follow_up


def imported(owner, *cards, **chosen):
    """Work off an import of cards as a reader gives them."""
    today = owner.today()
    job = ImportJob.objects.create(
        owner=owner, file_name="monica.json", source="monica", total=len(cards)
    )
    known = {contact.name: contact for contact in Contact.objects.for_user(owner)}
    for number, card in enumerate(cards, 1):
        contact = known.get(card.name)
        ImportRow.objects.create(
            owner=owner,
            job=job,
            number=number,
            card=fit(card, "AT", today).to_json(),
            verdict="known" if contact else "create",
            contact=contact,
        )
    job.confirm(**chosen)
    importing.run_imports()
    job.refresh_from_db()
    assert job.state == "done"
    return job


def undone(job):
    job.undo()
    importing.run_imports()
    job.refresh_from_db()
    assert job.state == "undone"


@pytest.fixture
def today(alice):
    return alice.today()


def card(today, **fields):
    days = {"call": 30, "meeting": 20, "email": 10, "note": 5}
    moments = [Moment(today - timedelta(days), kind, f"A {kind}") for kind, days in days.items()]
    return Card(name="Priya Raman", **({"moments": moments} | fields))


def test_moments_become_interactions_and_open_nothing(alice, today):
    imported(alice, card(today))
    told = Interaction.objects.order_by("on").values_list("channel", "outcome", "note", "via")
    assert list(told) == [
        ("call", "talked", "A call", "import"),
        ("meeting", "met", "A meeting", "import"),
        ("email", "noted", "A email", "import"),
        ("note", "noted", "A note", "import"),
    ]
    assert not FollowUp.objects.exists()
    # A note is no contact.
    assert Contact.objects.get().last_interaction_on == today - timedelta(10)


def test_the_last_interaction_never_moves_backwards(alice, today):
    priya = make_contact(alice, last_interaction_on=today)
    imported(alice, card(today), complete_known=True)
    priya.refresh_from_db()
    assert (priya.last_interaction_on, Interaction.objects.count()) == (today, 4)


def test_old_moments_do_not_end_what_is_pursued_now(alice, today):
    follow_up = make_follow_up(make_contact(alice))
    imported(alice, card(today), complete_known=True)
    follow_up.refresh_from_db()
    assert follow_up.state == "active"


def test_the_same_moments_come_in_once(alice, today):
    imported(alice, card(today))
    imported(alice, card(today), complete_known=True)
    assert Interaction.objects.count() == 4


def test_the_next_reminder_becomes_a_promised_date_and_the_others_details(alice, today):
    tasks = [Task(today + timedelta(days), f"In {days} days") for days in (40, 20, -20)]
    imported(alice, card(today, tasks=tasks))
    follow_up = FollowUp.objects.get()
    assert (follow_up.purpose, follow_up.next_on) == ("In 20 days", today + timedelta(20))
    assert follow_up.promised
    assert follow_up.playbook.slug == "new-relationship"
    details = [text for text, label in Contact.objects.get().details if label == "reminder"]
    assert [text.split(": ")[1] for text in details] == ["In -20 days", "In 40 days"]
    assert check_followups() == []


def test_a_reminder_comes_in_once(alice, today):
    tasks = [Task(today + timedelta(20), "Ask about the school")]
    imported(alice, card(today, tasks=tasks))
    told = Action.objects.count()
    imported(alice, card(today, tasks=tasks), complete_known=True)
    assert FollowUp.objects.count() == 1
    assert Action.objects.count() == told


def test_undoing_keeps_the_reminder_of_an_earlier_import(alice, today):
    tasks = [Task(today + timedelta(20), "Ask about the school")]
    imported(alice, card(today, tasks=tasks))
    again = card(today, tasks=tasks, emails=[("priya@example.org", "")])
    undone(imported(alice, again, complete_known=True))
    assert FollowUp.objects.get().purpose == "Ask about the school"
    assert not Contact.objects.get().emails.exists()


def test_whoever_must_not_be_contacted_is_not_asked_for(alice, today):
    make_contact(alice, do_not_contact=True)
    tasks = [Task(today + timedelta(20), "Call")]
    imported(alice, card(today, tasks=tasks), complete_known=True)
    assert not FollowUp.objects.exists()


def test_undoing_takes_moments_and_reminders_with_the_people(alice, today):
    job = imported(alice, card(today, tasks=[Task(today + timedelta(20), "Call")]))
    undone(job)
    for model in (Contact, Interaction, FollowUp, Action):
        assert not model.objects.exists()


def test_undoing_leaves_somebody_known_as_they_were(alice, today):
    priya = make_contact(alice, last_interaction_on=today - timedelta(15))
    Interaction.objects.create(
        owner=alice,
        contact=priya,
        channel="call",
        outcome="talked",
        on=today - timedelta(15),
    )
    tasks = [Task(today + timedelta(20), "Call")]
    job = imported(alice, card(today, tasks=tasks), complete_known=True)
    assert job.completed == 1
    undone(job)
    priya.refresh_from_db()
    assert priya.last_interaction_on == today - timedelta(15)
    assert Interaction.objects.get().on == today - timedelta(15)
    assert not FollowUp.objects.exists()


def test_a_moment_that_was_edited_since_keeps_its_person(alice, today):
    job = imported(alice, card(today))
    Interaction.objects.filter(channel="call").update(note="She likes trams")
    undone(job)
    assert Interaction.objects.count() == 4


def test_a_reminder_that_was_moved_since_keeps_its_person(alice, today):
    from followups import pursuing

    job = imported(alice, card(today, tasks=[Task(today + timedelta(20), "Call")]))
    pursuing.end(FollowUp.objects.get(), "let_go")
    undone(job)
    assert Contact.objects.exists()
