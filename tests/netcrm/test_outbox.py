"""The outbox: lease, send, mark, against a real SMTP server."""

import smtplib
import ssl
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.db import connections, transaction
from django.utils import timezone

from netcrm import outbox
from netcrm.models import Mail
from netcrm.outbox import on_hold, queue_mail, send_waiting
from netcrm.wording import one_line
from tests.smtp import running_post_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(settings):
    with running_post_office() as office:
        settings.MAILERS = {
            "default": {
                "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
                "OPTIONS": office.options,
            }
        }
        yield office


def queue(owner, key="one", **more):
    defaults = {"to": owner.email, "subject": "Hello", "text": "Good morning.", "html": "<p>Hi</p>"}
    return queue_mail(owner, key, **(defaults | more))


def fresh(mail):
    mail.refresh_from_db()
    return mail


def time_passes(mail):
    """Let the time of the next try come."""
    Mail.objects.filter(pk=mail.pk).update(next_try_at=timezone.now())


def test_a_mail_arrives_whole_and_once(alice, office):
    mail = queue(alice, subject="Grüße", headers={"Auto-Submitted": "auto-generated"})
    assert send_waiting() == 1
    assert send_waiting() == 0
    [arrived] = office.mails
    assert arrived["To"] == "alice@example.org"
    assert arrived["Subject"] == "Grüße"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Message-ID"] == fresh(mail).message_id
    assert arrived.get_body(("plain",)).get_content().strip() == "Good morning."
    assert arrived.get_body(("html",)).get_content().strip() == "<p>Hi</p>"
    assert (mail.state, mail.lease, mail.error, mail.attempts) == (Mail.SENT, None, "", 1)
    assert mail.sent_at is not None


def test_the_same_key_is_the_same_mail(alice):
    first = queue(alice, "digest:1")
    assert queue(alice, "digest:1", subject="Another") == first
    assert Mail.objects.get().subject == "Hello"


class TestReplacing:
    """After days without a mail server only the newest goes out."""

    def states(self):
        return list(Mail.objects.order_by("id").values_list("state", flat=True))

    def test_unsent_ones_stay_behind(self, alice, office):
        for day in (1, 2, 3):
            newest = queue(alice, f"digest:{day}", replaces="digest:")
        assert self.states() == [Mail.EXPIRED, Mail.EXPIRED, Mail.QUEUED]
        assert send_waiting() == 1
        assert office.ids == [newest.message_id]

    def test_also_one_that_waits_for_its_next_try(self, alice, office):
        queue(alice, "digest:1")
        office.to_rcpt.append("451 Try again later")
        send_waiting()
        queue(alice, "digest:2", replaces="digest:")
        assert self.states() == [Mail.EXPIRED, Mail.QUEUED]

    def test_also_one_of_a_dead_sender(self, alice, office):
        queue(alice, "digest:1")
        leased = outbox._lease()
        Mail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        queue(alice, "digest:2", replaces="digest:")
        assert self.states() == [Mail.EXPIRED, Mail.QUEUED]
        # It was only slow: what it writes down now must not bring the old one back.
        outbox._mark(leased, state=Mail.QUEUED)
        assert self.states() == [Mail.EXPIRED, Mail.QUEUED]

    def test_not_one_that_is_being_sent(self, alice, office):
        queue(alice, "digest:1")
        leased = outbox._lease()
        queue(alice, "digest:2", replaces="digest:")
        assert self.states() == [Mail.SENDING, Mail.QUEUED]
        outbox._mark(leased, state=Mail.SENT)
        assert self.states() == [Mail.SENT, Mail.QUEUED]

    def test_nothing_that_is_over_or_of_another_kind_or_person(self, alice, bob, office):
        queue(alice, "digest:1")
        send_waiting()
        queue(alice, "test:1")
        queue(bob, "digest:of bob")
        queue(alice, "digest:2", replaces="digest:")
        assert self.states() == [Mail.SENT, Mail.QUEUED, Mail.QUEUED, Mail.QUEUED]

    def test_the_same_again_is_not_new(self, alice):
        queue(alice, "digest:2", replaces="digest:")
        queue(alice, "digest:3")
        queue(alice, "digest:2", replaces="digest:")
        assert self.states() == [Mail.QUEUED, Mail.QUEUED]

    @pytest.mark.django_db(transaction=True)
    def test_neither_waits_for_a_sender_that_takes_it_up(self, alice):
        """The sender holds the row's lock for a moment: the mail goes, nobody is held up."""
        mail = queue(alice, "digest:1")

        def replace():
            try:
                with transaction.atomic():
                    queue(alice, "digest:2", replaces="digest:")
            finally:
                connections.close_all()

        with transaction.atomic():
            Mail.objects.select_for_update(no_key=True).get(pk=mail.pk)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(replace).result(timeout=5)
        assert self.states() == [Mail.QUEUED, Mail.QUEUED]


class TestHold:
    """Three refusals in a row, and mail to that address waits for the person."""

    def refuse(self, owner, office, times, **more):
        for _ in range(times):
            office.to_rcpt.append("550 No such mailbox")
            queue(owner, f"mail {Mail.objects.count()}", **more)
            send_waiting()

    def test_three_in_a_row(self, alice, bob, office):
        self.refuse(alice, office, 2)
        assert not on_hold(alice)
        self.refuse(alice, office, 1)
        assert on_hold(alice)
        assert not on_hold(bob)
        assert Mail.objects.count() == 3

    def test_one_that_arrived_between_counts_anew(self, alice, office):
        self.refuse(alice, office, 2)
        queue(alice, "good")
        send_waiting()
        self.refuse(alice, office, 2)
        assert not on_hold(alice)

    def test_any_new_mail_resumes(self, alice, office):
        self.refuse(alice, office, 3)
        queue(alice, "test")
        assert not on_hold(alice)

    def test_another_address_resumes(self, alice, office):
        self.refuse(alice, office, 3)
        alice.email = "alice@new.example"
        assert not on_hold(alice)

    def test_a_server_that_is_away_is_no_refusal(self, alice, office):
        for number in range(3):
            mail = queue(alice, f"mail {number}")
            old = timezone.now() - timedelta(days=4)
            Mail.objects.filter(pk=mail.pk).update(created_at=old)
            office.to_data.append("450 Busy")
            send_waiting()
        assert not on_hold(alice)


def test_message_id_is_of_our_domain(alice, settings):
    settings.DEFAULT_FROM_EMAIL = "netcrm <mail@bücher.example>"
    assert queue(alice).message_id.endswith("@xn--bcher-kva.example>")


def test_several_mails_share_a_connection(alice, office, monkeypatch):
    opened = []
    connect = smtplib.SMTP.connect
    monkeypatch.setattr(
        smtplib.SMTP, "connect", lambda *args, **more: opened.append(1) or connect(*args, **more)
    )
    for number in range(3):
        queue(alice, f"mail {number}")
    assert send_waiting() == 3
    assert len(opened) == 1


@pytest.mark.parametrize(
    "name",
    [
        "Priya\nBcc: everybody@example.org",
        "Priya\r\n\r\nbody",
        "Priya\u2028Raman",
        "Priya\x0b\x1c\x85\x7fRaman",
        "Łukasz 🎉 " + "long " * 100,
    ],
)
def test_nasty_subjects_stay_one_line(alice, office, name):
    queue(alice, subject=f"{name}’s third try", headers={"X-Test": f"about {name}"})
    assert send_waiting() == 1
    [arrived] = office.mails
    assert arrived["Bcc"] is None
    assert len(arrived["Subject"]) <= 250
    assert arrived["Subject"] == one_line(arrived["Subject"])


def test_later_is_tried_again_after_the_back_off(alice, office):
    mail = queue(alice)
    for waits in (1, 5, 15, 60, 60):
        office.to_rcpt.append("451 Try again later")
        assert send_waiting() == 0
        fresh(mail)
        assert mail.state == Mail.QUEUED
        assert mail.error == "The mail server did not take it yet: 451 Try again later"
        wait = mail.next_try_at - timezone.now()
        assert timedelta(minutes=waits - 1) < wait <= timedelta(minutes=waits)
        assert send_waiting() == 0
        time_passes(mail)
    assert send_waiting() == 1
    assert office.ids == [fresh(mail).message_id]
    assert mail.error == ""


def test_given_up_after_three_days(alice, office):
    mail = queue(alice)
    Mail.objects.filter(pk=mail.pk).update(created_at=timezone.now() - timedelta(days=3, hours=1))
    office.to_data.append("450 Busy")
    send_waiting()
    assert fresh(mail).state == Mail.EXPIRED
    assert mail.error.startswith("This mail could not be sent for 3 days, so it was given up.")


@pytest.mark.parametrize("stage", ["to_rcpt", "to_data"])
def test_refused_for_good_is_never_tried_again(alice, bob, office, stage):
    mail, other = queue(alice), queue(bob, "two")
    getattr(office, stage).append("550 No such mailbox")
    assert send_waiting() == 1
    assert fresh(mail).state == Mail.FAILED
    assert mail.error == (
        "The mail server refused the mail to alice@example.org: 550 No such mailbox"
    )
    assert fresh(other).state == Mail.SENT
    time_passes(mail)
    assert send_waiting() == 0
    assert office.ids == [other.message_id]


def test_nobody_answers_at_that_address(alice, office, settings):
    mail = queue(alice)
    settings.MAILERS["default"]["OPTIONS"] |= {"port": 1}
    assert send_waiting() == 0
    assert fresh(mail).state == Mail.QUEUED
    assert "Connection refused" in mail.error
    settings.MAILERS["default"]["OPTIONS"] |= {"port": office.port}
    time_passes(mail)
    assert send_waiting() == 1


def test_a_server_that_hangs_holds_up_nobody_else(alice, bob, office, settings):
    settings.MAILERS["default"]["OPTIONS"] |= {"timeout": 0.3}
    mail, other = queue(alice), queue(bob, "two")
    office.to_data.append("stall")
    assert send_waiting() == 1
    assert fresh(mail).state == Mail.QUEUED
    assert fresh(other).state == Mail.SENT


def test_a_server_that_hangs_up(alice, bob, office):
    mail, other = queue(alice), queue(bob, "two")
    office.to_data.append("drop")
    assert send_waiting() == 1
    assert fresh(mail).state == Mail.QUEUED
    assert fresh(other).state == Mail.SENT


def test_what_cannot_be_written_fails_alone(alice, bob, office):
    mail, other = queue(alice, to="ünknown@example.org"), queue(bob, "two")
    assert send_waiting() == 1
    assert fresh(mail).state == Mail.FAILED
    assert mail.error.startswith("This mail to ünknown@example.org cannot be written as an e-mail")
    assert fresh(other).state == Mail.SENT


def test_a_bad_certificate_is_no_fault_of_the_mail(alice):
    error = ssl.SSLCertVerificationError("certificate has expired")
    assert isinstance(error, ValueError)
    mail = queue(alice)
    mail.attempts = 1
    assert outbox._after(error, mail, timezone.now())["state"] == Mail.QUEUED


def test_a_dead_sender_s_mail_goes_again_with_the_same_id(alice, office):
    mail = queue(alice)
    leased = outbox._lease()
    assert send_waiting() == 0
    Mail.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert send_waiting() == 1
    assert office.ids == [mail.message_id]
    # The first sender was only slow: it must not mark what is no longer its own.
    outbox._mark(leased, state=Mail.QUEUED)
    assert fresh(mail).state == Mail.SENT


def test_a_mark_without_the_lease_changes_nothing(alice):
    mail = queue(alice)
    Mail.objects.update(lease=uuid.uuid4(), state=Mail.SENDING)
    mail.lease = uuid.uuid4()
    outbox._mark(mail, state=Mail.SENT)
    assert fresh(mail).state == Mail.SENDING


def test_no_time_left(alice):
    queue(alice)
    assert send_waiting(seconds=0) == 0
    assert django_mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_many_senders_send_each_mail_once(alice, office):
    for number in range(30):
        queue(alice, f"mail {number}")

    def send(_):
        try:
            return send_waiting()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) == 30
    assert len(office.ids) == len(set(office.ids)) == 30
