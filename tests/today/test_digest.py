"""The daily digest: when it goes, to whom, and what it says."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.humanize.templatetags.humanize import apnumber
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts.models import Organisation
from followups import pursuing
from followups.models import Break, FollowUp, Interaction, Reminder
from giveback.models import GiveBack
from netcrm.models import Heartbeat, Mail, User
from netcrm.outbox import send_waiting
from tests.factories import make_contact, make_follow_up, make_user
from tests.today.digests import links_in, make_due
from today import digest, links
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


def log(reminder, channel, outcome):
    contact = reminder.follow_up.contact
    pursuing.log(contact, pursuing.Entry(channel, outcome, reminder.owner.today()))


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
            ("cold-request", 1, ["Replied", "Talked"]),
            ("cold-request", 4, ["Let it rest", "Let go"]),
        ],
    )
    def test_buttons_fit_the_step(self, due_alice, sent, slug, attempts, labels):
        make_due(due_alice, slug=slug, attempts=attempts)
        html = sent().html
        outcomes = ["No answer", "Left voicemail", "Sent", "Replied", "Talked", "Let go"]
        assert [each for each in links_in(html) if each in [*outcomes, "Let it rest"]] == labels
        assert "Snooze" in links_in(html)
        assert ("let it rest" in links_in(html)) == (attempts < 4)

    def test_the_next_person_is_chosen_in_the_notebook(self, due_alice, sent):
        follow_up = make_due(due_alice, slug="cold-request", attempts=1).follow_up
        mail = sent()
        assert "Priya Raman, next" in mail.text
        for part in (mail.text, mail.html):
            assert "Choose the next person" in part
            assert reverse("followups:colleague", args=[follow_up.pk]) in part

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
            (lambda user: make_due(user, attempts=1, slug="cold-request"),
             "Who is next after Priya?"),
            (lambda user: make_contact(user, rhythm_days=42), "Time for a hello to Priya"),
        ],
    )  # fmt: skip
    def test_subjects(self, due_alice, sent, make, expected):
        make(due_alice)
        assert sent().subject == expected

    @pytest.mark.parametrize(
        ("people", "ending"), [(1, ""), (2, ", and 1 more"), (9, ", and 8 more")]
    )
    def test_the_subject_counts_everybody_who_is_due(self, due_alice, sent, people, ending):
        for number in range(people):
            make_due(due_alice, f"Priya{number} Raman")
        assert sent().subject == f"Priya0’s first try is today{ending}"

    def test_after_a_question_the_count_is_a_sentence(self, due_alice, sent):
        make_due(due_alice, attempts=4)
        make_due(due_alice, "Samir Haddad")
        assert sent().subject == "What next with Priya? And 1 more"

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
        for people in (1, 5):
            for number in range(people):
                make_due(due_alice, f"Person {number}")
                aster = Organisation.objects.create(owner=due_alice, name=f"{people} {number}")
                someone = make_contact(due_alice, organisation=aster)
                promised = {"kind": "other", "state": "promised", "due_on": due_alice.today()}
                GiveBack.objects.create(owner=due_alice, contact=someone, what="A book", **promised)
            is_due(due_alice, at=NOW)
            Digest.objects.all().delete()
            Mail.objects.all().delete()
            with CaptureQueriesContext(connection) as queries:
                assert digest.send_digests() == 1
            counts.append(len(queries))
        assert counts[1] <= counts[0]

    def test_mail_leaves_at_once(self, due_alice, sent):
        make_due(due_alice)
        mail = sent()
        assert list(Mail.objects.waiting(timezone.now())) == [mail]


class TestChosen:
    """Settings: how many people, and what beside them. Whoever is due is always in it (rule 3)."""

    @pytest.fixture
    def full(self, due_alice):
        """Fill the notebook with something for every section, due on a Friday."""
        is_due(due_alice, date(2026, 11, 20))
        for attempts in (4, 4, 4):
            row = make_due(due_alice, f"Answered {attempts}")
            Reminder.objects.filter(pk=row.pk).update(closed_at=NOW)
            FollowUp.objects.filter(pk=row.follow_up_id).update(
                state="ended", ending="replied", attempts=attempts
            )
        pursued = make_due(due_alice, "Priya Raman")
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        make_follow_up(make_contact(due_alice, "Ruth Weiss"), "they-promised")
        log(pursued, "note", "noted")
        log(pursued, "call", "busy")
        return due_alice

    PARTS = {
        "evidence": "came after the second try",
        "hellos": "SAY HELLO",
        "coming": "COMING UP",
        "week": "YOUR WEEK",
    }

    @pytest.mark.parametrize("wanted", [list(PARTS), [], *([name] for name in PARTS)])
    def test_sections(self, full, wanted):
        make_due(full, "Samir Haddad")
        User.objects.update(digest_sections=wanted)
        full.refresh_from_db()
        assert digest.send_digests() == 1
        mail = the_mail(full)
        assert "Samir Haddad" in mail.text
        for name, words in self.PARTS.items():
            assert (words in mail.text) == (name in wanted), name
            assert (words.capitalize() in mail.html or words in mail.html) == (name in wanted), name
        assert mail.subject.endswith(", and 1 more") == ("hellos" in wanted)

    def test_a_section_that_is_off_causes_no_mail(self, due_alice):
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        User.objects.update(digest_sections=["evidence", "coming", "week"])
        assert digest.send_digests() == 0
        assert not Mail.objects.exists()

    @pytest.mark.parametrize("cap", [1, 3, 30])
    def test_as_many_people_as_wanted(self, due_alice, cap):
        User.objects.update(digest_cap=cap)
        for number in range(31):
            make_due(due_alice, f"Person{number} Smith", waited=number % 3)
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        digest.send_digests()
        mail = the_mail(due_alice)
        assert mail.text.count(" Smith,") == cap
        assert "Aiko Tanabe" not in mail.text
        assert mail.subject.endswith(", and 31 more")
        assert f"And {apnumber(32 - cap)} more on Today" in mail.text
        assert len(mail.html.encode()) < 92_000

    def test_after_seven_people_one_button_has_all(self, due_alice):
        User.objects.update(digest_cap=12)
        for number in range(12):
            make_due(due_alice, f"Person{number} Smith")
        digest.send_digests()
        html = the_mail(due_alice).html
        assert html.count(">No answer</a>") == html.count(">Snooze</a>") == 7
        assert html.count(">Say what happened</a>") == 5

    def test_on_a_break_nobody_waits_for_a_hello(self, due_alice):
        make_contact(due_alice, "Aiko Tanabe", rhythm_days=42)
        Break.objects.create(owner=due_alice, first_on=THURSDAY, last_on=THURSDAY)
        assert digest.send_digests() == 0
        assert digest.send_digests(NOW + timedelta(days=1)) == 1


class TestWeek:
    """The week in numbers closes the week; it never causes a mail and never blames."""

    def send(self, user, on, days=(0, 1, 2, 3, 4)):
        User.objects.update(digest_days=list(days))
        is_due(user, on)
        digest.send_digests()
        return Mail.objects.filter(owner=user).last()

    @pytest.mark.parametrize(
        ("days", "on", "there"),
        [
            ([0, 1, 2, 3, 4], date(2026, 11, 19), False),
            ([0, 1, 2, 3, 4], date(2026, 11, 20), True),
            ([0, 1, 2, 3, 4, 5, 6], date(2026, 11, 20), True),
            ([0, 1, 2, 3, 4, 5, 6], date(2026, 11, 22), False),
            ([0, 2], date(2026, 11, 18), True),
            ([0, 2], date(2026, 11, 16), False),
            ([5, 6], date(2026, 11, 22), True),
        ],
    )
    def test_on_fridays_or_the_last_day_of_theirs(self, alice, days, on, there):
        make_due(alice, waited=7)
        log(make_due(alice, "Aiko Tanabe"), "call", "voicemail")
        mail = self.send(alice, on, days)
        assert ("YOUR WEEK" in mail.text) is there
        assert ("Your week</h2>" in mail.html) is there

    @pytest.mark.parametrize(
        ("outcomes", "sentence"),
        [
            (["voicemail"], "You showed up on one day: one try. Silence is usually about timing."),
            (
                ["busy"] * 3 + ["talked"],
                "You showed up on one day: three tries and one conversation.",
            ),
            (["talked", "met"], "You showed up on one day: two conversations."),
            (["noted"], ""),
            ([], ""),
        ],
    )
    def test_what_was_done(self, alice, outcomes, sentence):
        make_due(alice)
        contact = make_contact(alice, "Aiko Tanabe")
        for outcome in outcomes:
            Interaction.objects.create(owner=alice, contact=contact, outcome=outcome, on=THURSDAY)
        mail = self.send(alice, date(2026, 11, 20))
        assert sentence in mail.text
        assert ("YOUR WEEK" in mail.text) is bool(sentence)

    def test_last_week_s_are_not_counted(self, alice):
        make_due(alice)
        contact = make_contact(alice, "Aiko Tanabe")
        for on in (date(2026, 11, 15), date(2026, 11, 16)):
            Interaction.objects.create(owner=alice, contact=contact, outcome="busy", on=on)
        assert "one day: one try" in self.send(alice, date(2026, 11, 20)).text

    def test_no_mail_for_its_sake(self, alice):
        contact = make_contact(alice, "Aiko Tanabe")
        Interaction.objects.create(owner=alice, contact=contact, outcome="met", on=THURSDAY)
        assert self.send(alice, date(2026, 11, 20)) is None


class TestEvidence:
    def test_not_twice_in_a_week(self, alice):
        for attempts in (1, 4, 3):
            row = make_due(alice, f"Answered {attempts}")
            Reminder.objects.filter(pk=row.pk).update(closed_at=NOW)
            FollowUp.objects.filter(pk=row.follow_up_id).update(
                state="ended", ending="replied", attempts=attempts
            )
        make_due(alice, waited=20)
        shown = []
        for day in range(16, 28):
            on = date(2026, 11, day)
            at = datetime.combine(on, time(7, tzinfo=alice.zone))
            is_due(alice, on, at)
            digest.send_digests(at)
            text = Mail.objects.get(dedupe_key=f"digest:{alice.pk}:{on}").text
            shown += [day] * ("came after the second try" in text)
        assert shown == [16, 23]


class TestTrying:
    """A test shows where the digest goes and how it looks; it counts for no day."""

    def send(self, client):
        return client.post(reverse("today:try_digest"), follow=True)

    def test_it_goes_to_the_person_and_changes_nothing(self, due_alice, alice_client):
        reminder = make_due(due_alice, attempts=2)
        before = (due_alice.digest_next_on, due_alice.digest_next_at, due_alice.digest_last_on)
        page = self.send(alice_client)
        assert "A test goes to alice@example.org." in page.content.decode()
        mail = the_mail(due_alice)
        assert mail.subject == "A test: Priya’s third try is today"
        for part in (mail.text, mail.html):
            assert "This is the test you asked for." in part
            assert "You asked for this in Settings." in part
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        due_alice.refresh_from_db()
        reminder.refresh_from_db()
        now = (due_alice.digest_next_on, due_alice.digest_next_at, due_alice.digest_last_on)
        assert (now, reminder.mailed) == (before, 0)
        assert not Digest.objects.exists()
        assert digest.send_digests() == 1

    def test_nothing_due_shows_an_example(self, alice, alice_client):
        self.send(alice_client)
        mail = the_mail(alice)
        assert mail.subject == "A test: nothing is due"
        for part in (mail.text, mail.html):
            assert "Nothing is due today." in part
            assert "Ada Lovelace" in part
        assert "/mail/" not in mail.text.replace("/mail/stop/", "")

    def test_no_example_beside_real_people(self, alice, alice_client):
        make_due(alice)
        self.send(alice_client)
        assert "Ada Lovelace" not in the_mail(alice).text

    def test_once_a_minute(self, alice, alice_client):
        for _ in range(3):
            self.send(alice_client)
        assert Mail.objects.count() == 1
        with time_machine.travel(NOW + timedelta(minutes=1)):
            self.send(alice_client)
        assert Mail.objects.count() == 2

    def test_also_while_the_digest_is_off(self, alice, alice_client):
        User.objects.update(digest_on=False, digest_days=[], digest_next_at=None)
        self.send(alice_client)
        assert the_mail(alice).to == "alice@example.org"

    def test_it_takes_no_digest_s_place(self, due_alice, alice_client):
        make_due(due_alice)
        digest.send_digests()
        self.send(alice_client)
        assert set(Mail.objects.values_list("state", flat=True)) == {Mail.QUEUED}

    def test_real_mail_goes_to_verified_addresses_only(self, alice, alice_client, settings):
        settings.MAIL_URL = "smtp://mail.example"
        page = self.send(alice_client)
        assert "Confirm that alice@example.org is yours" in page.content.decode()
        assert not Mail.objects.exists()

    def test_not_by_a_link(self, alice_client):
        assert alice_client.get(reverse("today:try_digest")).status_code == 405


class TestMailThatDoesNotLeave:
    def digest_of(self, user, day):
        on = date(2026, 11, day)
        at = datetime.combine(on, time(7, tzinfo=user.zone))
        is_due(user, on, at)
        return digest.send_digests(at)

    def state(self, user, day):
        return Mail.objects.get(dedupe_key=f"digest:{user.pk}:2026-11-{day}").state

    def test_after_days_without_a_server_only_the_newest_goes(self, alice, bob):
        for user in (alice, bob):
            make_due(user, waited=9)
            for day in (16, 17, 18):
                self.digest_of(user, day)
        assert [self.state(alice, day) for day in (16, 17, 18)] == ["expired", "expired", "queued"]
        assert Digest.objects.filter(owner=alice, mail__isnull=False).count() == 3
        assert send_waiting() == 2

    def test_one_that_arrived_stays_as_it_is(self, alice):
        make_due(alice, waited=9)
        self.digest_of(alice, 16)
        send_waiting()
        self.digest_of(alice, 17)
        assert [self.state(alice, day) for day in (16, 17)] == ["sent", "queued"]

    def test_refused_three_times_it_waits_for_the_person(self, alice, alice_client):
        make_due(alice, waited=9)
        for day in (16, 17, 18):
            assert self.digest_of(alice, day) == 1
            Mail.objects.update(state=Mail.FAILED, error="550 No such mailbox")
        assert self.digest_of(alice, 19) == 0
        assert Digest.objects.get(on=THURSDAY).mail is None
        assert Reminder.objects.get().closed_at is None
        alice.refresh_from_db()
        assert alice.digest_next_on == date(2026, 11, 20)
        assert "refused three in a row" in alice_client.get("/").content.decode()

        alice_client.post(reverse("today:try_digest"))
        assert self.digest_of(alice, 20) == 1

    def test_another_address_starts_it_again(self, alice):
        make_due(alice, waited=9)
        for day in (16, 17, 18):
            self.digest_of(alice, day)
            Mail.objects.update(state=Mail.FAILED)
        User.objects.update(email="alice@new.example")
        assert self.digest_of(alice, 19) == 1
        assert Mail.objects.last().to == "alice@new.example"


class TestNumbering:
    """Each digest of a reminder has a number; only what was shown is counted."""

    def test_only_what_was_shown(self, due_alice):
        User.objects.update(digest_cap=2)
        rows = [make_due(due_alice, f"Person {n}", waited=9 - n) for n in range(3)]
        digest.send_digests()
        numbers = Reminder.objects.in_bulk()
        assert [numbers[row.pk].mailed for row in rows] == [1, 1, 0]

    def test_one_that_cannot_be_made_counts_nothing(self, due_alice, monkeypatch):
        make_due(due_alice)
        monkeypatch.setattr(digest, "write_letter", lambda *args: 1 / 0)
        digest.send_digests()
        assert Reminder.objects.get().mailed == 0

    @pytest.mark.django_db(transaction=True)
    def test_does_not_wait_for_a_row_that_is_being_answered(self, alice):
        is_due(alice)
        busy, free = make_due(alice, "Busy Ben"), make_due(alice, "Free Fritz")

        def send():
            try:
                return digest.send_digests()
            finally:
                connections.close_all()

        with transaction.atomic():
            Reminder.objects.select_for_update(no_key=True).get(pk=busy.pk)
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(send).result(timeout=5) == 1
        numbers = Reminder.objects.in_bulk()
        assert (numbers[busy.pk].mailed, numbers[free.pk].mailed) == (0, 1)
        # The links that were mailed work all the same.
        token = links_in(the_mail(alice).html)["Talked"].split("/")[2]
        assert links.read_action(token).reminder == busy
