"""The agenda tells of coffees, promises, openings and introductions too, on Today and in the
digest, until they are answered."""

import re
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from contacts.models import Topic
from followups import pursuing, undoing
from followups.models import Action, Interaction, Outcome, Via
from giveback import giving
from giveback.models import GiveBack, Kind, ShelfItem, State
from introductions import asking
from meetings import arranging
from meetings.models import Kind as MeetingKind
from meetings.models import Meeting
from netcrm.models import Mail, User
from opportunities.models import Opportunity
from tests.factories import make_contact
from tests.today.digests import links_in, make_due
from today import digest
from today.agenda import build_agenda, this_week

pytestmark = pytest.mark.django_db

# A Thursday, half past seven in Vienna; the digest was due at seven.
THURSDAY = date(2026, 11, 19)
NOW = datetime.fromisoformat("2026-11-19T07:30+01:00")


@pytest.fixture(autouse=True)
def thursday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def aiko(alice):
    return make_contact(alice, "Aiko Tanabe")


def arrange(contact, at, **more):
    return arranging.arrange(
        contact.owner, [contact], MeetingKind.COFFEE, datetime.fromisoformat(at), **more
    )


def promise(contact, days=0, what="The article on wards"):
    return giving.promise(contact, Kind.ARTICLE, what, THURSDAY + timedelta(days=days))


def page(client):
    return client.get(reverse("today:today")).content.decode()


def send(user):
    """Send the digest that is due now; return the mail or None."""
    User.objects.filter(pk=user.pk).update(digest_next_on=THURSDAY, digest_next_at=NOW)
    digest.send_digests()
    return Mail.objects.filter(owner=user).first()


class TestCoffees:
    def test_today_s_come_first_in_the_users_own_hours(self, alice, alice_client, aiko):
        make_due(alice)
        arrange(aiko, "2026-11-19T09:00+00:00", place="The Larder")
        html = page(alice_client)
        assert html.index("Aiko Tanabe") < html.index("Priya Raman")
        assert "10:00" in html
        mail = send(alice)
        assert mail.subject == "Coffee with Aiko Tanabe is today, and 1 more"
        assert "10:00 Coffee with Aiko Tanabe" in mail.text
        assert "The Larder" in mail.html

    def test_the_day_is_the_users_own(self, alice, aiko):
        """Half past eleven at night in London is tomorrow in Vienna."""
        arrange(aiko, "2026-11-19T23:30+00:00")
        agenda = build_agenda(alice, THURSDAY)
        assert (len(agenda.meetings), len(agenda.meetings_soon)) == (0, 1)

    def test_one_that_is_over_asks_how_it_was_until_somebody_says(self, alice, alice_client, aiko):
        meeting = arrange(aiko, "2026-11-19T10:00+01:00")
        with time_machine.travel(NOW + timedelta(days=9), tick=False):
            agenda = build_agenda(alice, alice.today())
            assert (agenda.meetings, agenda.debriefs) == ([], [meeting])
            assert "How was it?" in page(alice_client)
            arranging.cancel(Meeting.objects.get(), "")
            assert build_agenda(alice, alice.today()).debriefs == []


class TestPromises:
    def test_it_is_there_from_its_day_on_until_it_is_kept(self, alice, alice_client, aiko):
        gift = promise(aiko, days=1)
        assert build_agenda(alice, THURSDAY).promises == []
        later = THURSDAY + timedelta(days=40)
        assert build_agenda(alice, later).promises == [gift]
        giving.keep(gift, THURSDAY)
        assert build_agenda(alice, later).promises == []

    def test_the_digest_tells_of_it_and_its_link_keeps_it_once(self, alice, client, aiko):
        gift = promise(aiko, days=-3)
        mail = send(alice)
        assert mail.subject == "Your promise to Aiko is due"
        assert "3 days past" in mail.text
        path = links_in(mail.html)["Done"]
        for _ in range(2):
            assert "You kept your promise to Aiko." in client.get(path).content.decode()
        for _ in range(2):
            client.post(path)
        gift.refresh_from_db()
        assert (gift.state, gift.done_on) == (State.DONE, THURSDAY)
        assert Interaction.objects.get().outcome == Outcome.GAVE
        assert Action.objects.filter(via=Via.MAIL).count() == 1
        client.post(path, {"undo": ""})
        gift.refresh_from_db()
        assert (gift.state, gift.interaction) == (State.PROMISED, None)

    def test_another_day_and_letting_go(self, alice, client, aiko):
        one, two = promise(aiko), promise(aiko, what="A name")
        addresses = [each for each in paths_of(send(alice)) if "/promise/" in each]
        snooze, let_go = addresses[1], addresses[5]
        assert client.post(snooze, {"until": "never"}).status_code == 422
        client.post(snooze, {"until": "tomorrow"})
        client.post(let_go)
        one.refresh_from_db()
        two.refresh_from_db()
        assert one.due_on == THURSDAY + timedelta(days=1)
        assert two.state == State.LET_GO

    def test_only_the_newest_digest_has_the_link(self, alice, client, aiko):
        promise(aiko)
        old = links_in(send(alice).html)["Done"]
        Mail.objects.all().delete()
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            User.objects.update(digest_next_at=timezone.now())
            digest.send_digests()
            assert client.get(old).status_code == 410
            assert client.get(links_in(Mail.objects.get().html)["Done"]).status_code == 200

    def test_a_token_of_a_follow_up_is_none_of_a_promise(self, alice, client, aiko):
        make_due(alice)
        [path, *_] = [each for each in paths_of(send(alice)) if "/mail/" in each]
        token = path.rstrip("/").rsplit("/", 1)[1]
        assert client.get(reverse("today:mail_promise", args=[token])).status_code == 404


def paths_of(mail):
    return re.findall(r'href="https?://[^/]+(/mail/[^"]+)"', mail.html)


class TestOpeningsAndIntroductions:
    def test_a_next_step_asks_from_its_day_on(self, alice, alice_client):
        opening = Opportunity.objects.create(
            owner=alice,
            title="Research coordinator",
            heard_on=THURSDAY,
            next_step="Ask Aiko who decides",
            next_on=THURSDAY,
        )
        assert build_agenda(alice, THURSDAY - timedelta(days=1)).openings == []
        assert build_agenda(alice, THURSDAY + timedelta(days=9)).openings == [opening]
        assert "Ask Aiko who decides" in page(alice_client)
        assert "Ask Aiko who decides" in send(alice).text

    def test_an_introduction_that_waits_for_me_is_told(self, alice, alice_client, aiko):
        introduction = asking.ask(aiko, "Zoe Laurent", THURSDAY, spoken=True)
        zoe = make_contact(alice, "Zoe Laurent")
        asking.made(introduction, zoe, THURSDAY)
        pursuing.log(zoe, pursuing.Entry("call", Outcome.TALKED, THURSDAY))
        [waiting] = build_agenda(alice, THURSDAY).introductions
        assert "Aiko" in waiting.sentence
        assert waiting.sentence in send(alice).text
        assert "Introductions waiting" in page(alice_client)


class TestTheDigest:
    def test_has_seven_things_at_most_and_says_how_many_more(self, alice, aiko):
        arrange(aiko, "2026-11-19T10:00+01:00")
        for number in range(5):
            make_due(alice, f"Person {number}")
        for number in range(4):
            promise(aiko, what=f"Thing {number}")
        mail = send(alice)
        assert mail.text.count("Say what happened:") == 5
        assert mail.text.count("Done:") == 1
        assert "And three more on Today" in mail.text
        assert [row.mailed for row in GiveBack.objects.order_by("id")] == [1, 0, 0, 0]

    def test_nothing_due_is_no_mail_even_with_an_idea(self, alice, aiko):
        self.shelf(alice, aiko)
        assert send(alice) is None

    @pytest.mark.parametrize("wanted", [True, False])
    def test_one_idea_if_it_is_wanted(self, alice, aiko, wanted):
        self.shelf(alice, aiko)
        make_due(alice)
        alice.digest_sections = ["idea"] if wanted else []
        alice.save(update_fields=["digest_sections"])
        assert ("Data that a board reads" in send(alice).text) is wanted

    @staticmethod
    def shelf(owner, contact):
        contact.set_topics("seeks", ["data stories"])
        item = ShelfItem.objects.create(owner=owner, title="Data that a board reads")
        item.set_topics(["data stories"])
        assert Topic.objects.count() == 1


def test_the_week_counts_what_was_given(alice, aiko):
    gift = giving.give(aiko, Kind.ARTICLE, "An article", THURSDAY)
    assert this_week(alice, THURSDAY).given == 1
    undoing.undo(gift.interaction.actions.get())
    assert this_week(alice, THURSDAY).given == 0
