"""The demo notebook: one story, told through the engine, on any day of any year."""

import json
import time
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from contacts.models import (
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    Organisation,
    SavedView,
)
from followups.models import (
    Action,
    Channel,
    Direction,
    Ending,
    FollowUp,
    Interaction,
    Outcome,
    Reminder,
    State,
)
from netcrm.models import User
from netcrm.owned import Owned
from tests.factories import make_contact
from today import demo
from today.agenda import build_agenda
from today.demo import DEMO_EMAIL, CannotFill, create_demo_user, fill_demo

# What comes by itself when the demo notebook is used, and the days off that Maya never takes.
NOT_HERS = {"Break", "CalendarFeed", "Digest"}
# Hers was never imported nor brought back, has nobody twice, and was never changed at one stroke.
NOT_HERS |= {"ColumnMapping", "ContactPhoto", "ImportJob", "ImportRow", "Merge", "NotSame"}
NOT_HERS |= {"BulkChange", "BulkRow", "ListColumns", "Restore", "RestorePiece"}
WORK_DAY = datetime(2026, 11, 19, 9, tzinfo=UTC)
LEAP_DAY = datetime(2028, 2, 29, 9, tzinfo=UTC)
NEW_YEAR = datetime(2027, 1, 1, 9, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def short_story(monkeypatch, tmp_path):
    person = {"name": "Ruth Abernathy", "story": [{"ago": 1, "call": "voicemail"}]}
    path = tmp_path / "story.json"
    path.write_text(json.dumps({"organisations": [], "people": [person]}))
    monkeypatch.setattr(demo, "STORY", path)


@pytest.fixture
def maya():
    with time_machine.travel(WORK_DAY):
        yield create_demo_user()


def rows(model, user):
    return model.objects.for_user(user)


def distinct(model, user, name):
    return set(rows(model, user).values_list(name, flat=True).distinct())


def test_has_every_kind_of_row(maya):
    owned = {model for model in apps.get_models() if issubclass(model, Owned)}
    missing = {model.__name__ for model in owned if not rows(model, maya).exists()}
    assert missing <= NOT_HERS
    assert not any(model.objects.exclude(owner=maya).exists() for model in owned)
    assert distinct(FollowUp, maya, "state") == set(State.values)
    assert distinct(FollowUp, maya, "ending") == {*Ending.values, ""}
    assert distinct(Interaction, maya, "outcome") == set(Outcome.values)
    assert distinct(Interaction, maya, "channel") == set(Channel.values)
    assert distinct(Interaction, maya, "direction") == set(Direction.values)


def test_has_about_sixty_people_who_can_be_saved_again(maya):
    assert 55 <= rows(Contact, maya).count() <= 65
    for model in (Organisation, Contact, ContactEmail, ContactPhone, ContactLink):
        for row in rows(model, maya):
            row.full_clean()


@pytest.mark.parametrize("now", [WORK_DAY, LEAP_DAY, NEW_YEAR, SUNDAY], ids=str)
def test_tells_the_same_story_on_any_day(now):
    with time_machine.travel(now):
        before = time.process_time()
        maya = create_demo_user()
        assert time.process_time() - before < 5
        agenda = build_agenda(maya, maya.today())
    assert not FollowUp.objects.silent().exists()
    assert not Reminder.objects.open().filter(due_on__gt=agenda.day).exists()
    assert len(agenda.reminders) == 7
    assert len(agenda.due_today) == (3 if now.weekday() < 5 and now is not NEW_YEAR else 1)
    assert len(agenda.coming) in (6, 7)
    assert [contact.name for contact in agenda.rhythms] == ["Joost de Wit", "Imran Qureshi"]
    assert agenda.evidence.persistent == 5


def test_everything_happened_and_was_said_then(maya):
    moments = [
        *rows(Action, maya).values_list("at", flat=True),
        *rows(Interaction, maya).values_list("created_at", flat=True),
        *rows(Reminder, maya).values_list("raised_at", flat=True),
        *rows(Reminder, maya).exclude(closed_at=None).values_list("closed_at", flat=True),
    ]
    assert all(moment <= WORK_DAY for moment in moments)
    first, last = min(moments), max(moments)
    assert 200 < (last - first).days < 240
    assert rows(FollowUp, maya).filter(opened_on__gte=maya.today()).count() == 0
    said = rows(Action, maya).filter(contact__name="Aiko Tanabe").values_list("said", flat=True)
    assert "Aiko replied. 4 tries, 16 days." in said
    assert not any("is due now" in sentence for sentence in said)


def test_a_users_own_people_are_left_alone(alice):
    make_contact(alice)
    with pytest.raises(CannotFill, match="not empty"):
        fill_demo(alice)
    assert rows(Contact, alice).get().name == "Priya Raman"


def test_demo_account_is_verified_and_has_no_password(short_story):
    user = create_demo_user(time_zone="Europe/Vienna")
    assert EmailAddress.objects.get(user=user).verified
    assert not user.has_usable_password()
    assert not user.is_staff
    assert user.time_zone == "Europe/Vienna"


@pytest.mark.parametrize(("mail_url", "digest_on"), [("", True), ("smtp://mail", False)])
def test_no_digest_goes_to_the_invented_address_over_real_mail(
    short_story, settings, mail_url, digest_on
):
    settings.MAIL_URL = mail_url
    assert create_demo_user().digest_on is digest_on


def run(**options):
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def password_in(output):
    return output.rsplit("Password: ", 1)[1].strip()


def test_command_prints_how_to_log_in(short_story):
    output = run()
    assert DEMO_EMAIL in output
    assert "http://localhost" in output
    user = User.objects.get(email=DEMO_EMAIL)
    assert user.check_password(password_in(output))
    assert Client().login(email=DEMO_EMAIL, password=password_in(output))


def test_command_run_twice_gives_a_new_password_only(short_story):
    first, second = run(), run()
    assert "there already" in second
    assert password_in(first) != password_in(second)
    assert User.objects.get().check_password(password_in(second))
    assert Contact.objects.count() == 1


def test_command_fills_an_existing_account(short_story, alice):
    output = run(email="Alice@example.org")
    assert "alice@example.org" in output
    assert "Password" not in output
    assert rows(Contact, alice).count() == 1


def test_command_refuses_a_notebook_in_use_and_an_unknown_account(alice):
    make_contact(alice)
    with pytest.raises(CommandError, match="not empty"):
        run(email=alice.email)
    with pytest.raises(CommandError, match="Sign up"):
        run(email="nobody@example.org")


def test_the_lists_she_keeps_show_somebody_and_know_that_they_are_shown(maya, client):
    client.force_login(maya)
    with time_machine.travel(WORK_DAY):
        for view in SavedView.objects.for_user(maya):
            page = client.get(f"/people/{view.query}").context["page"]
            assert page.rows
            assert (view, True) in page.saved
