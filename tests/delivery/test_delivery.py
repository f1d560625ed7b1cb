"""From an attempt in the browser to one mail, through real processes, whatever dies on the way."""

from datetime import datetime
from datetime import time as clock

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from followups.models import FollowUp, Interaction, Reminder
from netcrm.models import Heartbeat, Mail
from netcrm.outbox import queue_mail
from tests.factories import make_contact, make_user
from tests.smtp import wait_until
from tests.today.digests import links_in
from today.models import Digest

PASSWORD = "a long enough pass phrase"


@pytest.fixture
def priya(rows):
    """Alice, whose address is verified, and the person whom she wants to reach."""
    alice = make_user("alice@example.org", name="Alice", password=PASSWORD)
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    return make_contact(alice, "Priya Raman")


def wait_for_ticks():
    """Wait until reminders and digests were looked for after this moment."""
    now = timezone.now()
    ticks = Heartbeat.objects.filter(name__in=["reminders", "digests"], at__gt=now)
    wait_until(lambda: ticks.count() == 2, seconds=30)


def log_a_voicemail(page):
    page.goto("/accounts/login/?next=/follow-ups/log/")
    page.locator("[name=login]").fill("alice@example.org")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Log in").click()
    form = page.locator("main form")
    form.get_by_label("Who was it with?").fill("Priya Raman")
    form.get_by_text("Left voicemail").click()
    form.get_by_role("button", name="Save").click()
    page.get_by_text("I will bring Priya back").first.wait_for()


def test_an_attempt_in_the_browser_becomes_exactly_one_mail(stack, more, office, priya, page):
    more.start("beat")
    log_a_voicemail(page)
    follow_up = FollowUp.objects.get()
    wait_for_ticks()
    assert not Reminder.objects.exists()
    assert not office.mails

    seven = datetime.combine(follow_up.next_on, clock(7, 30), tzinfo=follow_up.owner.zone)
    at = ["--at", seven.isoformat()]
    for raised, queued in [(1, 1), (0, 0)]:
        assert f"Reminders raised: {raised}" in stack.manage("raise_reminders", *at)
        assert f"Digests queued: {queued}" in stack.manage("send_digests", *at)
    wait_until(Mail.objects.filter(state=Mail.SENT).exists)
    wait_for_ticks()
    [mail] = office.mails
    assert mail["To"] == "alice@example.org"
    assert mail["Subject"] == "Priya’s second try is today"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert Digest.objects.get().on == follow_up.next_on

    page.context.clear_cookies()
    page.goto(links_in(mail.get_body(("html",)).get_content())["No answer"])
    page.get_by_role("button", name="Yes, note it").click()
    page.get_by_text("I will bring Priya back").wait_for()
    assert [each.via for each in Interaction.objects.order_by("id")] == ["app", "mail"]
    wait_for_ticks()
    assert len(office.mails) == 1


def test_a_worker_killed_while_sending_loses_nothing(more, office, priya):
    """One mail is in the server's hands but not accepted, another is accepted but the answer never
    arrives, when the worker dies. Both come again with the same Message-ID; none is lost."""
    office.mails.clear()
    office.to_data += ["stall", "keep and stall"]
    to = priya.owner.email
    mails = [queue_mail(priya.owner, f"mail {n}", to, f"Mail {n}", "Hello.") for n in (1, 2)]
    wait_until(lambda: office.stalled == 2, seconds=30)
    [accepted] = office.ids
    more.kill_workers()
    assert Mail.objects.filter(state=Mail.SENDING).count() == 2

    more.start("worker")
    wait_until(lambda: Mail.objects.filter(state=Mail.SENT).count() == 2, seconds=45)
    wait_for_ticks()
    assert sorted(office.ids) == sorted([accepted, *(mail.message_id for mail in mails)])
