"""The daily digest: when it goes, to whom, and what it says."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.models import Organisation
from followups.models import FollowUp, Reminder
from netcrm.models import Heartbeat, Mail, User
from tests.factories import make_contact, make_follow_up, make_user
from tests.today.digests import links_in, make_due
from today import digest
from today.models import Digest

pytestmark = pytest.mark.django_db

# A Thursday, half past seven in Vienna; the digest was due at seven.
THURSDAY = date(2026, 11, 19)
NOW = datetime.fromisoformat("2026-11-19T07:30+01:00")


@pytest.fixture(autouse=True)
def thursday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


def is_due(user, on=THURSDAY, at=NOW - timedelta(minutes=30)):
    User.objects.filter(pk=user.pk).update(digest_next_on=on, digest_next_at=at)
    user.refresh_from_db()


@pytest.fixture
def due_alice(alice):
    is_due(alice)
    return alice


def the_mail(user):
    return Mail.objects.get(owner=user)


class TestWhen:
    def test_one_digest_and_the_next_is_planned(self, due_alice):
        make_due(due_alice)
        assert digest.send_digests() == 1
        made = Digest.objects.get()
        assert (made.owner, made.on, made.items) == (due_alice, THURSDAY, 1)
        assert made.mail == the_mail(due_alice)
        due_alice.refresh_from_db()
        assert due_alice.digest_last_on == THURSDAY
        assert due_alice.digest_next_on == date(2026, 11, 20)
        assert due_alice.digest_next_at == NOW + timedelta(hours=23, minutes=30)
        assert Heartbeat.objects.filter(name="digests").exists()

    def test_a_second_tick_sends_nothing(self, due_alice):
        make_due(due_alice)
        assert [digest.send_digests(), digest.send_digests()] == [1, 0]
        assert Mail.objects.count() == 1

    def test_the_same_date_again_sends_nothing(self, due_alice):
        make_due(due_alice)
        digest.send_digests()
        is_due(due_alice)
        assert digest.send_digests() == 0
        assert Digest.objects.count() == Mail.objects.count() == 1
        due_alice.refresh_from_db()
        assert due_alice.digest_next_on == date(2026, 11, 20)

    def test_not_before_the_hour(self, due_alice):
        make_due(due_alice)
        assert digest.send_digests(NOW - timedelta(minutes=31)) == 0
        assert digest.send_digests(NOW - timedelta(minutes=30)) == 1

    def test_three_days_of_downtime_make_one_digest(self, alice):
        make_due(alice, waited=3)
        is_due(alice, date(2026, 11, 16), NOW - timedelta(days=3, minutes=30))
        assert digest.send_digests() == 1
        assert Digest.objects.get().on == THURSDAY
        assert digest.send_digests() == 0

    def test_late_over_a_weekend_is_the_digest_of_friday(self, alice):
        make_due(alice)
        is_due(alice, date(2026, 11, 20), datetime.fromisoformat("2026-11-20T06:00+00:00"))
        assert digest.send_digests(datetime.fromisoformat("2026-11-21T10:00+00:00")) == 1
        assert Digest.objects.get().on == date(2026, 11, 20)
        alice.refresh_from_db()
        assert alice.digest_next_on == date(2026, 11, 23)

    def test_nothing_due_no_mail(self, due_alice):
        make_contact(due_alice)
        assert digest.send_digests() == 0
        made = Digest.objects.get()
        assert (made.items, made.mail) == (0, None)
        assert not Mail.objects.exists()
        due_alice.refresh_from_db()
        assert due_alice.digest_next_on == date(2026, 11, 20)

    def test_a_moment_to_come(self, alice):
        alice.plan_digest(NOW)
        alice.save(update_fields=["digest_next_on", "digest_next_at"])
        make_due(alice)
        friday = NOW + timedelta(days=1)
        assert digest.send_digests() == 0
        assert digest.send_digests(friday) == 1
        assert Digest.objects.get().on == date(2026, 11, 20)
        alice.refresh_from_db()
        assert alice.digest_next_at > friday

    @pytest.mark.parametrize("off", [{"digest_on": False}, {"is_active": False}])
    def test_whoever_does_not_want_one_gets_none(self, due_alice, off):
        make_due(due_alice)
        User.objects.update(**off)
        assert digest.send_digests() == 0
        assert not Digest.objects.exists()

    def test_real_mail_goes_to_verified_addresses_only(self, due_alice, settings):
        settings.MAIL_URL = "smtp://mail.example"
        make_due(due_alice)
        address = EmailAddress.objects.create(user=due_alice, email="ALICE@example.org")
        assert digest.send_digests() == 0
        EmailAddress.objects.filter(pk=address.pk).update(verified=True)
        assert digest.send_digests() == 1

    def test_moving_west_at_noon_gives_no_second_digest_that_day(self, due_alice):
        make_due(due_alice)
        digest.send_digests()
        with time_machine.travel(NOW + timedelta(hours=5), tick=False):
            user = User.objects.get()
            user.time_zone = "America/Los_Angeles"
            user.save()
        assert user.digest_next_on == date(2026, 11, 20)
        assert digest.send_digests(NOW + timedelta(hours=9)) == 0

    def test_one_that_cannot_be_made_holds_up_nobody(self, due_alice, bob, monkeypatch, caplog):
        is_due(bob)
        make_due(due_alice)
        make_due(bob)
        write = digest.write_letter

        def fail_for_alice(user, *args):
            return write(user, *args) if user == bob else 1 / 0

        monkeypatch.setattr(digest, "write_letter", fail_for_alice)
        with caplog.at_level(logging.ERROR):
            assert digest.send_digests() == 1
        assert [mail.owner for mail in Mail.objects.all()] == [bob]
        assert f"The digest of user {due_alice.pk} could not be made." in caplog.text
        monkeypatch.undo()
        assert digest.send_digests() == 0
        assert digest.send_digests(NOW + timedelta(minutes=15)) == 1
        assert Digest.objects.get(owner=due_alice).on == THURSDAY

    def test_no_time_left(self, due_alice):
        make_due(due_alice)
        assert digest.send_digests(seconds=0) == 0

    @pytest.mark.django_db(transaction=True)
    def test_two_beats_send_one_each(self):
        people = [make_user(f"person{number}@example.org") for number in range(8)]
        for person in people:
            is_due(person)
            make_due(person)

        def tick(_):
            try:
                return digest.send_digests()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(tick, range(4))) == 8
        assert Mail.objects.count() == Digest.objects.count() == 8


class TestWhat:
    @pytest.fixture
    def sent(self, due_alice):
        """Send the digest and return its mail."""

        def send():
            assert digest.send_digests() == 1
            return the_mail(due_alice)

        return send

    def test_headers(self, due_alice, sent, settings):
        settings.SITE_URL = "https://netcrm.example"
        make_due(due_alice)
        mail = sent()
        assert mail.to == "alice@example.org"
        assert mail.headers["List-Unsubscribe"].startswith("<https://netcrm.example/mail/stop/")
        assert mail.headers["List-Unsubscribe"].endswith("/>")
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail.headers["Auto-Submitted"] == "auto-generated"

    def test_both_parts_say_the_same(self, due_alice, sent):
        tidewater = Organisation.objects.create(owner=due_alice, name="Tidewater & Sons")
        make_due(due_alice, "Tomás Herrera", waited=2, attempts=3)
        make_due(due_alice, "Priya Raman", attempts=2, role="Head", organisation=tidewater)
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        make_follow_up(make_contact(due_alice, "Ruth Weiss"), "they-promised")
        mail = sent()
        assert mail.subject == "Priya’s third try is today, and 2 more"
        for part in (mail.text, mail.html.replace("&amp;", "&")):
            for words in [
                "Good morning, Alice.",
                "Thursday, 19 November",
                "Head, Tidewater & Sons",
                "Tomás Herrera",
                "4th try",
                "2 days past",
                "due Tue 17 Nov",
                "Aiko Tanabe",
                "not spoken yet",
                "Ruth Weiss",
                "at 7:00 on weekdays",
            ]:
                assert words in part, words
        assert "answers" not in mail.text  # below the floor there is no encouragement

    @pytest.mark.parametrize(
        ("slug", "attempts", "labels"),
        [
            ("unanswered-call", 0, ["No answer", "Left voicemail", "Replied", "Talked"]),
            ("cold-request", 0, ["Sent", "Replied", "Talked"]),
            ("cold-request", 4, ["Let it rest", "Let go"]),
        ],
    )
    def test_buttons_fit_the_step(self, due_alice, sent, slug, attempts, labels):
        make_due(due_alice, slug=slug, attempts=attempts)
        html = sent().html
        outcomes = ["No answer", "Left voicemail", "Sent", "Replied", "Talked", "Let go"]
        assert [each for each in links_in(html) if each in [*outcomes, "Let it rest"]] == labels
        assert "Snooze" in links_in(html)
        assert ("let it rest" in links_in(html)) == (attempts == 0)

    def test_evidence_only_from_the_own_numbers(self, due_alice, sent):
        for attempts in (1, 4, 3):
            row = make_due(due_alice, f"Answered {attempts}")
            Reminder.objects.filter(pk=row.pk).update(closed_at=NOW)
            FollowUp.objects.filter(pk=row.follow_up_id).update(
                state="ended", ending="replied", attempts=attempts
            )
        make_due(due_alice, "Priya Raman", attempts=2)
        mail = sent()
        line = "2 of your 3 answers"
        assert f"{line} came after the second try." in mail.text
        assert line in mail.html
        assert "Today is Priya’s." in mail.text

    def test_seven_at_most(self, due_alice, sent):
        for number in range(11):
            make_due(due_alice, f"Person{number} Smith", waited=number)
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        mail = sent()
        assert Digest.objects.get().items == 12
        assert mail.subject.endswith(", and 11 more")
        assert mail.text.count(" Smith,") == 7
        assert "Aiko Tanabe" not in mail.text
        assert "And five more on Today: http" in mail.text
        assert "And five more on Today" in mail.html

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda user: make_due(user, waited=1), "Priya’s first try is carried over"),
            (lambda user: make_due(user, "James", attempts=1), "James’ second try is today"),
            (lambda user: make_due(user, attempts=11, slug="new-relationship"),
             "Priya’s next step is today"),
            (lambda user: make_due(user, attempts=4), "What next with Priya?"),
            (lambda user: make_contact(user, rhythm_days=42), "Time for a hello to Priya"),
        ],
    )  # fmt: skip
    def test_subjects(self, due_alice, sent, make, expected):
        make(due_alice)
        assert sent().subject == expected

    @pytest.mark.parametrize(
        ("hour", "greeting"), [(6, "Good morning"), (13, "Good afternoon"), (20, "Good evening")]
    )
    def test_greeting_by_the_local_hour(self, due_alice, hour, greeting):
        User.objects.update(name="")
        make_due(due_alice)
        digest.send_digests(NOW.replace(hour=hour) + timedelta(days=1))
        assert f"\n{greeting}.\n" in the_mail(due_alice).text

    @pytest.mark.parametrize(
        ("days", "words"),
        [
            ([0, 1, 2, 3, 4, 5, 6], "every day"),
            ([3], "on Thursday"),
            ([4, 0, 3], "on Monday, Thursday and Friday"),
        ],
    )
    def test_schedule_in_words(self, due_alice, sent, days, words):
        User.objects.update(digest_days=days)
        make_due(due_alice)
        assert f"at 7:00 {words}." in sent().text

    @pytest.mark.parametrize("name", ["Eve\nBcc: x@example.org", "Eve\u2028Adams", "Eve\r\n.\r\n"])
    def test_nasty_names_stay_in_their_line(self, due_alice, sent, name):
        make_due(due_alice, name, role=name)
        User.objects.update(name=name)
        mail = sent()
        assert mail.subject == "Eve’s first try is today"
        assert "\nBcc" not in mail.text
        assert "\u2028" not in mail.text

    def test_names_are_text_and_never_markup(self, due_alice, sent):
        make_due(due_alice, "<script>alert(1)</script> & Co", role="{{ settings }}<img src=x>")
        mail = sent()
        assert "<script" not in mail.html
        assert "<img" not in mail.html
        assert "<script>alert(1)</script> & Co" in mail.text

    def test_small_enough_that_mail_programs_show_all_of_it(self, due_alice, sent):
        long = "Łukasz-Maximilian 🎉 " * 10
        for number in range(12):
            row = make_due(due_alice, long[:200], role=long[:200], waited=number % 4)
            FollowUp.objects.filter(pk=row.follow_up_id).update(
                reason=long[:200] + "x" * 100, purpose=long[:200] + "y" * 90
            )
        mail = sent()
        assert len(mail.html.encode()) < 100_000
        assert len(mail.text.encode()) < 50_000

    def test_styles_are_on_the_elements_and_dark_ones_in_the_head(self, due_alice, sent):
        make_due(due_alice)
        html = sent().html
        head, body = html.split("<body")
        assert "prefers-color-scheme: dark" in head
        assert 'class="bg" style="' in body
        assert "http-equiv" not in html
        assert "src=" not in html
        assert "@import" not in html

    def test_as_many_queries_for_one_as_for_many(self, due_alice):
        Heartbeat.beat("digests")
        counts = []
        for people in (1, 6):
            for number in range(people):
                make_due(due_alice, f"Person {number}")
            is_due(due_alice, at=NOW)
            Digest.objects.all().delete()
            Mail.objects.all().delete()
            with CaptureQueriesContext(connection) as queries:
                assert digest.send_digests() == 1
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_mail_leaves_at_once(self, due_alice, sent):
        make_due(due_alice)
        mail = sent()
        assert list(Mail.objects.waiting(timezone.now())) == [mail]
